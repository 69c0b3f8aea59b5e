package responder

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

// call and denied are errors as the SDK and vpn make them.
type call struct{ err error }

func (c *call) Error() string     { return "operation error EC2: Describe, " + c.err.Error() }
func (c *call) Unwrap() error     { return c.err }
func (c *call) Service() string   { return "EC2" }
func (c *call) Operation() string { return "Describe" }

type answer struct{ code string }

func (a *answer) Error() string     { return "api error " + a.code + ": words" }
func (a *answer) ErrorCode() string { return a.code }

type denied struct{ err error }

func (d *denied) Error() string { return "missing permission a:B on c/d: " + d.err.Error() }
func (d *denied) Unwrap() error { return d.err }
func (d *denied) MissingPermission() (action, resource string) {
	return "a:B", "c/d"
}

// TestProblemsInBrief: the code says why, and the SDK's own words are for the full text.
func TestProblemsInBrief(t *testing.T) {
	throttled := fmt.Errorf("describing x: %w", &call{&answer{"Throttled"}})
	silent := fmt.Errorf("describing y: %w", &call{errors.New("canceled")})
	forbidden := fmt.Errorf("describing z: %w", &denied{&call{&answer{"Unauthorized"}}})
	for _, test := range []struct {
		problem Problem
		brief   string
		missing int
	}{
		{Problem{Cause: errors.New("no endpoint")}, "no endpoint", 0},
		{Problem{Cause: throttled}, "describing x: Throttled", 0},
		{Problem{Doing: "watching", Cause: throttled}, "watching: describing x: Throttled", 0},
		{Problem{Cause: silent}, "describing y: no answer in time", 0},
		{Problem{Cause: forbidden}, "describing z: missing permission a:B on c/d", 1},
		{Problem{Cause: errors.Join(throttled, forbidden)}, "describing x: Throttled", 1},
		{Problem{Cause: errors.Join(forbidden, throttled, forbidden)}, "describing z: missing permission a:B on c/d", 2},
	} {
		if brief := test.problem.Brief(); brief != test.brief {
			t.Errorf("%v: %q, want %q", test.problem, brief, test.brief)
		}
		if missing := permissions(test.problem); len(missing) != test.missing {
			t.Errorf("%v: permissions %q", test.problem, missing)
		}
	}
	o := Outcome{Problems: []Problem{{Cause: forbidden}, {Cause: errors.Join(throttled, forbidden)}}}
	if missing := o.MissingPermissions(); !slices.Equal(missing, []Permission{{"a:B", "c/d"}}) {
		t.Errorf("%q", missing)
	}
	if before := o.ErrorBeforeSDK(); before != "describing z: missing permission a:B on c/d" {
		t.Error(before)
	}
}
