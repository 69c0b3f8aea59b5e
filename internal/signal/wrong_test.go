package signal_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"clientvpn-responder/internal/signal"
)

// goWords are words of Go and of its packages. None of them helps the person who reads an error.
var goWords = regexp.MustCompile(`signal\.|json:|\bGo\b|struct|unmarshal|requiredString|lenient|RawMessage|map\[|` +
	`interface|float64|invalid character`)

// TestEachWrongValueIsNamedByItsPath: in every event, each value in turn is of another type. An error names the value
// by the event's own path, or what is missing in its place. It names no type of Go's.
func TestEachWrongValueIsNamedByItsPath(t *testing.T) {
	files, _ := filepath.Glob("../../events/*/*.json")
	if len(files) == 0 {
		t.Fatal("no events")
	}
	var errs atomic.Int64
	t.Run("events", func(t *testing.T) {
		for _, file := range files {
			t.Run(filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				errs.Add(wrongValues(t, file))
			})
		}
	})
	if n := errs.Load(); n < 1000 {
		t.Errorf("only %d of the changes were errors", n)
	}
}

// wrongValues changes each value of one event, and returns how many changes were errors.
func wrongValues(t *testing.T, file string) (errs int64) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var root any
	if err := json.Unmarshal(raw, &root); err != nil {
		t.Fatal(err)
	}
	_, before := signal.Parse(raw)
	mutate("", root, func(path string) {
		whole, _ := json.Marshal(root)
		_, err := signal.Parse(whole)
		if err == nil || errors.Is(err, signal.ErrUnsupported) || before != nil && err.Error() == before.Error() {
			return
		}
		errs++
		for _, problem := range badErrors(err, path) {
			t.Errorf("another %s: %s", path, problem)
		}
	})
	return errs
}

// mutate sets each value under v to values of other types, one at a time, and calls seen with its path.
func mutate(path string, v any, seen func(path string)) {
	try := func(path string, old any, set func(any)) {
		for _, wrong := range []any{object{"x": "y"}, []any{"x"}, "x", 1.5, true} {
			set(wrong)
			seen(path)
		}
		set(old)
		mutate(path, old, seen)
	}
	switch v := v.(type) {
	case map[string]any:
		for key, old := range v {
			try(strings.TrimPrefix(path+"."+key, "."), old, func(wrong any) { v[key] = wrong })
		}
	case []any:
		for i, old := range v {
			try(fmt.Sprintf("%s[%d]", path, i), old, func(wrong any) { v[i] = wrong })
		}
	}
}

// badErrors says what is wrong with the errors about a changed value.
func badErrors(err error, changed string) (problems []string) {
	errs := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		errs = joined.Unwrap()
	}
	for _, err := range errs {
		var unreadable *signal.UnreadableError
		if !errors.As(err, &unreadable) {
			problems = append(problems, fmt.Sprintf("%T: %v", err, err))
			continue
		}
		if goWords.MatchString(err.Error()) {
			problems = append(problems, "speaks Go: "+err.Error())
		}
		if !related(unreadable.Field, changed) {
			problems = append(problems, "names another path: "+err.Error())
		}
	}
	return problems
}

var pathParts = regexp.MustCompile(`[.\[\]]+`)

// related reports whether the error's path is that of the changed value, or leads to it by one step. It may also name a
// member that has to be there.
func related(field, changed string) bool {
	if changed == "detail" || !strings.Contains(changed, ".") {
		return true
	}
	a, b := pathParts.Split(strings.ToLower(field), -1), pathParts.Split(strings.ToLower(changed), -1)
	n := min(len(a), len(b))
	return slices.Equal(a[:n-1], b[:n-1]) && len(b)-n < 2
}
