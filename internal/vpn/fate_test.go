package vpn

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write doc/fates.md anew")

// when is when an event of the tests happened.
var when = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// event is something that EC2 says of a connection.
type event struct {
	name  string
	apply func(*Tracked)
}

var errTest = errors.New("a reason")

func answer(said Said, current Status) func(*Tracked) {
	return func(t *Tracked) {
		a := Answer{ConnectionID: t.ID, Said: said, At: when, Previous: Active, Current: current}
		if said == NoAnswer || said == NotAccepted {
			a.Err = errTest
		}
		t.Answered(a)
	}
}

func row(status Status) func(*Tracked) {
	return func(t *Tracked) { t.Observe(Shown{Listed: true, Row: Connection{Current: status}, At: when}) }
}

// events are the columns of the tables: the answers to a request, and what a listing shows.
var events = []event{
	{"accepted", answer(Accepted, Terminating)},
	{"accepted, has ended", answer(Accepted, Terminated)},
	{"accepted, has failed", answer(Accepted, FailedToTerminate)},
	{"would accept (dry-run)", answer(WouldAccept, "")},
	{"no such connection", answer(NoSuchConnection, "")},
	{"no answer", answer(NoAnswer, "")},
	{"refused or not sent", answer(NotAccepted, "")},
	{"row: active", row(Active)},
	{"row: terminating", row(Terminating)},
	{"row: terminated", row(Terminated)},
	{"row: failed-to-terminate", row(FailedToTerminate)},
	{"no row", func(t *Tracked) { t.Observe(Shown{At: when}) }},
	{"a search lists it up", func(t *Tracked) {
		if t.Fate == FateEnded { // a search's matches that are tracked and have not ended say nothing new
			t.Reappeared(Active)
		}
	}},
}

// transitions are the fates after each event, in the order of events; "=" is the same fate.
var transitions = map[string]string{
	"found":      "asked ended stuck feasible denied unanswered refused = = = = = =",
	"asked":      "= ended stuck feasible denied unanswered refused = = ended stuck missing =",
	"unanswered": "asked ended stuck feasible denied = refused = = ended stuck missing =",
	"denied":     "asked ended stuck feasible = unanswered refused = = ended stuck ended =",
	"refused":    "asked ended stuck feasible denied unanswered = = = = = = =",
	"feasible":   "asked ended stuck = denied unanswered refused = = = = = =",
	"missing": "asked ended stuck feasible denied unanswered refused asked" +
		" asked ended stuck ended =",
	"missing, unanswered": "asked ended stuck feasible denied unanswered refused unanswered" +
		" unanswered ended stuck ended =",
	"stuck":                  "asked ended = feasible denied unanswered refused = = = = = =",
	"ended":                  "= = = = = = = = = = = = reappeared",
	"reappeared":             "asked ended stuck feasible denied unanswered refused = = ended stuck = =",
	"asked, reappeared":      "= ended stuck feasible denied unanswered refused = = ended stuck = =",
	"unanswered, reappeared": "asked ended stuck feasible denied = refused = = ended stuck = =",
	"denied, reappeared":     "asked ended stuck feasible = unanswered refused = = ended stuck = =",
}

// at returns a connection with the fate that begins a row of the table.
func at(t *testing.T, name string) *Tracked {
	t.Helper()
	fate, more, _ := strings.Cut(name, ", ")
	tracked := &Tracked{Connection: Connection{ID: "cvpn-connection-1", Current: Active}, Requests: 1}
	for f, word := range fates {
		if word == fate {
			tracked.Fate = Fate(f)
		}
	}
	switch {
	case tracked.Fate.String() != fate:
		t.Fatalf("no fate %q", fate)
	case more == "unanswered" || tracked.Fate == FateUnanswered || tracked.Fate == FateRefused:
		tracked.Err = errTest
	case tracked.Fate == FateEnded:
		tracked.Current = Terminated
	}
	if more == "reappeared" || tracked.Fate == FateReappeared {
		tracked.Reappearances = 1
	}
	return tracked
}

// TestFates walks the whole product of fates and events.
func TestFates(t *testing.T) {
	seen := map[Fate]bool{}
	for from, row := range transitions {
		expected := strings.Fields(row)
		if len(expected) != len(events) {
			t.Fatalf("%s: %d fates for %d events", from, len(expected), len(events))
		}
		for i, e := range events {
			for requests := range 3 {
				tracked := at(t, from)
				seen[tracked.Fate] = true
				want := expected[i]
				if want == "=" {
					want = tracked.Fate.String()
				}
				tracked.Requests = requests
				e.apply(tracked)
				if got := tracked.Fate.String(); got != want {
					t.Errorf("%s, %s: %s, want %s", from, e.name, got, want)
				}
				checkInvariants(t, from+", "+e.name, tracked)
			}
		}
	}
	if len(seen) != len(fates) {
		t.Errorf("the table has %d fates of %d", len(seen), len(fates))
	}
}

// checkInvariants: what a connection says of itself is its fate.
func checkInvariants(t *testing.T, name string, c *Tracked) {
	t.Helper()
	if ended := c.Fate == FateEnded; ended != c.Ended() {
		t.Errorf("%s: fate %s, status %s", name, c.Fate, c.Current)
	}
	if refused := c.Fate == FateRefused; c.Error != "" && !refused {
		t.Errorf("%s: fate %s, error %q", name, c.Fate, c.Error)
	}
	if c.Pending() && c.Ended() {
		t.Errorf("%s: pending and ended", name)
	}
}

// TestSecondRequest: it is due once, if EC2 lists a connection as active that it did not know or did not answer about.
func TestSecondRequest(t *testing.T) {
	due := map[string]bool{
		"unanswered": true, "unanswered, reappeared": true, "missing, unanswered": true,
		"denied": true, "denied, reappeared": true,
	}
	for from := range transitions {
		for requests := range 3 {
			for _, status := range []Status{Active, Terminating, Terminated, FailedToTerminate} {
				tracked := at(t, from)
				tracked.Requests = requests
				want := due[from] && requests == 1 && status == Active
				if got := tracked.asksAgain(status); got != want {
					t.Errorf("%s, %d requests, row %s: %t", from, requests, status, got)
				}
			}
		}
	}
	for said, want := range afterAnswer {
		tracked := at(t, "denied")
		again := Answer{Said: said, Current: Terminating, Err: errTest, RequestIDs: []string{"2"}}
		tracked.Observe(Shown{Listed: true, Row: Connection{Current: Active}, Requests: []string{"1"}, Again: &again})
		if tracked.Fate != want || strings.Join(tracked.RequestIDs, " ") != "2" {
			t.Errorf("%s, %q", tracked.Fate, tracked.RequestIDs)
		}
	}
}

// TestFatesPage: doc/fates.md shows the transitions.
func TestFatesPage(t *testing.T) {
	const page, begin, end = "../../doc/fates.md", "<!-- table -->\n", "<!-- end -->"
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(raw), begin)
	shown, after, found := strings.Cut(rest, end)
	switch table := fatesTable(); {
	case !found:
		t.Fatalf("%s has no table", page)
	case *update:
		if err := os.WriteFile(page, []byte(before+begin+table+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	case shown != table:
		t.Errorf("write %s anew, with: go test ./internal/vpn -run TestFatesPage -update", page)
	}
}

// fatesTable has two tables: answers lead to the same fate from every fate but ended, and listings to one for each.
func fatesTable() string {
	const answers = 7 // of the events
	var table strings.Builder
	table.WriteString("| EC2 answers | fate after it, unless it has ended |\n|---|---|\n")
	for i, e := range events[:answers] {
		fmt.Fprintf(&table, "| %s | %s |\n", e.name, strings.Fields(transitions["found"])[i])
	}
	table.WriteString("\n| fate |")
	for _, e := range events[answers:] {
		fmt.Fprintf(&table, " %s |", e.name)
	}
	table.WriteString("\n|---" + strings.Repeat("|---", len(events)-answers) + "|\n")
	for _, name := range fates {
		for _, from := range []string{name, name + ", unanswered", name + ", reappeared"} {
			if transitions[from] == "" {
				continue
			}
			cells := strings.ReplaceAll(strings.Join(strings.Fields(transitions[from])[answers:], " | "), "=", "·")
			fmt.Fprintf(&table, "| %s | %s |\n", from, cells)
		}
	}
	return table.String()
}
