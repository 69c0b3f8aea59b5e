package lambdaenv_test

import (
	"errors"
	"slices"
	"testing"

	"clientvpn-responder/internal/lambdaenv"
)

// TestReadNamesEveryProblem: all at once, each with its variable; an empty variable is absent.
func TestReadNamesEveryProblem(t *testing.T) {
	type wanted struct{ value string }
	value := func(s *wanted) *string { return &s.value }
	table := []lambdaenv.Setting[wanted]{
		{Name: "NEEDED", Missing: "missing; name it", Parse: func(*wanted, string) error { return nil }},
		{Name: "OPTIONAL", Parse: func(*wanted, string) error { return errors.New("is never read") }},
		{Name: "GOOD", Parse: lambdaenv.Text(value, lambdaenv.Matching(`^x$`, "%q is not an x"))},
		{Name: "OTHER", Parse: lambdaenv.Text(value, lambdaenv.Matching(`^x$`, "%q is not an x"))},
		{Name: "BAD", Parse: func(_ *wanted, value string) error {
			return errors.Join(errors.New(value+" is bad"), errors.New(value+" is worse"))
		}},
	}
	var s wanted
	environment := map[string]string{"GOOD": "x", "OTHER": "z", "BAD": "y", "OPTIONAL": ""}
	problems := lambdaenv.Read(table, func(name string) string { return environment[name] }, &s)
	want := []string{"NEEDED: missing; name it", `OTHER: "z" is not an x`, "BAD: y is bad", "BAD: y is worse"}
	if !slices.Equal(problems, want) || s.value != "x" {
		t.Errorf("%q, %+v", problems, s)
	}
}
