package report

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
)

// logged returns the line of a log about an outcome; with this status and id, and more members.
func logged(t *testing.T, status, id, more string) Logged {
	t.Helper()
	line := fmt.Sprintf(`{"time":"2026-11-20T10:00:09Z","level":"INFO","message":"outcome","published":true,"outcome":{
		"status":%q,"summary":"It is %s.","signal":{"id":%q,"event_id":"e-%s","provider":"okta","kind":"account-disabled",
		"type":"user.lifecycle.deactivate","subject":{"usernames":["Alice@example.com"]},"reason":"left."},
		"decision":{"rule":"leavers","action":"terminate","mode":"enforce","names":["alice"],
		"reasons":["rule leavers decides terminate: kind is account-disabled"]},
		"timing":{"event_at":"2026-11-20T10:00:00Z","received_at":"2026-11-20T10:00:01Z"}%s}}`, status, status, id, id, more)
	l, ok := ReadLog([]byte(line))
	if !ok {
		t.Fatalf("not read: %s", line)
	}
	return l
}

// TestOnlyLinesWithAnOutcomeAreRead: a log has others.
func TestOnlyLinesWithAnOutcomeAreRead(t *testing.T) {
	for _, line := range []string{
		"", "START RequestId: x", `{"message":"metrics"}`, `{"message":"outcome"}`,
		`{"message":"nothing to do","outcome":{}}`,
	} {
		if _, ok := ReadLog([]byte(line)); ok {
			t.Errorf("read: %s", line)
		}
	}
}

// TestARepeatDoesNotHideACutOff: the outcome that counts is the last, but a repeat that finds nobody is no correction.
func TestARepeatDoesNotHideACutOff(t *testing.T) {
	final := Final([]Logged{
		logged(t, "unverified", "1", ""), logged(t, "terminated", "1", ""), logged(t, "not-connected", "1", ""),
		logged(t, "not-connected", "2", ""), logged(t, "failed", "3", ""), logged(t, "not-connected", "3", ""),
	})
	var statuses []string
	for _, l := range final {
		statuses = append(statuses, l.Outcome.Status)
	}
	if !slices.Equal(statuses, []string{"terminated", "not-connected", "not-connected"}) {
		t.Errorf("%q", statuses)
	}
}

// TestNamesMatchWhole: an outcome is about a person by a whole name in any case, never by a part of one.
func TestNamesMatchWhole(t *testing.T) {
	o := logged(t, "terminated", "1", `,"connections":[{"username":"EXAMPLE\\alice","common_name":"a.vpn"}]`).Outcome
	for name, want := range map[string]bool{
		"alice@EXAMPLE.com": true, "ALICE": true, `example\alice`: true, "a.vpn": true, "ali": false, "": false, " ": false,
	} {
		if o.About(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
	if !o.IsEvent("1") || !o.IsEvent("e-1") || o.IsEvent("") || o.IsEvent("alice") {
		t.Error("the event has another id")
	}
}

// TestTimelineCountsFromTheEvent, for all deliveries, in the order of time.
func TestTimelineCountsFromTheEvent(t *testing.T) {
	const connection = `,"connections":[{"connection_id":"c-1","username":"alice","endpoint_id":"e-1",
		"endpoint_name":"office","requested_at":"2026-11-20T10:00:02Z","end_seen_at":"2026-11-20T10:00:05Z"}]`
	steps := Timeline([]Logged{logged(t, "terminated", "1", connection)})
	var words []string
	for _, m := range steps {
		words = append(words, m.After+" "+m.What)
	}
	want := []string{
		" okta reports user.lifecycle.deactivate about Alice@example.com: “left”.",
		"+1.0 s The function receives the event.",
		"+2.0 s EC2 answers the request to terminate c-1 of alice on office (e-1).",
		"+5.0 s EC2 lists c-1 of alice as terminated.",
		"+9.0 s TERMINATED: It is terminated.",
	}
	if !slices.Equal(words, want) {
		t.Errorf("%q", words)
	}
}

// TestEachReasonComesOnce: the line of the gate says why a name does not count, and no other line does.
func TestEachReasonComesOnce(t *testing.T) {
	const why = "alice does not count"
	var o Outcome
	o.Decision.Reasons = []policy.Reason{
		{Kind: policy.RuleDecided, Text: "rule leavers decides"}, {Text: why}, {Kind: policy.Blocked, Text: why},
	}
	if got := policy.Words(o.Reasons()); !slices.Equal(got, []string{"rule leavers decides", "held back: " + why}) {
		t.Errorf("%q", got)
	}
}

// TestSpansAreShort: a span has no part that is zero, and days have no hours.
func TestSpansAreShort(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0.4 s": 400 * time.Millisecond, "12 s": 12 * time.Second, "3 min": 3 * time.Minute, "3 min 10 s": 190 * time.Second,
		"2 h": 2 * time.Hour, "2 h 10 min": 130 * time.Minute, "3 days": 75 * time.Hour,
	} {
		if got := Span(d); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
}

// TestACustomRequestIsInANameThatNobodyChecked: on the timeline, and among the facts of the event.
func TestACustomRequestIsInANameThatNobodyChecked(t *testing.T) {
	l := logged(t, "terminated", "1", "")
	l.Outcome.Signal.Provider, l.Outcome.Signal.RequestedBy = "custom", "the boss"
	var page bytes.Buffer
	if err := Incident(&page, []Logged{l}, time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{
		"in the name of the boss, which nobody checked", "the boss (nobody checked this name)",
	} {
		if !strings.Contains(page.String(), words) {
			t.Errorf("the page lacks %q", words)
		}
	}
}

// TestAWeekIsAboutPeople: self-tests and sweeps run every hour, and are not counted.
func TestAWeekIsAboutPeople(t *testing.T) {
	all := []Logged{logged(t, "terminated", "1", ""), logged(t, "ready", "2", ""), logged(t, "notified", "3", "")}
	all[1].Outcome.Signal.Kind, all[2].Outcome.Signal.Kind = signal.SelfTest, signal.Sweep
	var page bytes.Buffer
	if err := Week(&page, all, time.Time{}, time.Now()); err != nil || !strings.Contains(page.String(), "1 signals") {
		t.Errorf("%v %s", err, &page)
	}
}

// TestThePlotHoldsEveryDuration: clocks that disagree and events of last month stay in the picture.
func TestThePlotHoldsEveryDuration(t *testing.T) {
	for _, seconds := range []float64{-5, 0, 1, 90, 1e9} {
		if y := down(seconds); y < plotTop || y > plotHeight-plotBottom {
			t.Errorf("%v s is at %v", seconds, y)
		}
	}
	from := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	for _, at := range []time.Time{from.Add(-time.Hour), from, from.Add(time.Hour), from.Add(99 * time.Hour)} {
		if x := across(at, from, from.Add(time.Hour)); x < plotLeft || x > plotWidth-plotRight {
			t.Errorf("%v is at %v", at, x)
		}
	}
}

// TestWhatCannotBeSeenIsAQuestionMark, on the page, too: it could turn the text around.
func TestWhatCannotBeSeenIsAQuestionMark(t *testing.T) {
	l := logged(t, "terminated", "1", "")
	l.Outcome.Summary = "alice\u202e\u0007 ended"
	var page bytes.Buffer
	err := Week(&page, []Logged{l}, time.Time{}, time.Now())
	if err != nil || !strings.Contains(page.String(), "alice?? ended") {
		t.Errorf("%v %s", err, &page)
	}
}
