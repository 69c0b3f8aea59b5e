package responder

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write doc/states.md")

var (
	states = []State{New, Held, Searching, Trying, Ending, Watching, Settling, Done, Incomplete}
	events = []Event{Decided, Found, Searched, Answered, Verified, Settled, TimeUp}
)

// situations returns every combination of what a transition depends on that can come about in a state.
func situations(state State) []situation {
	var all []situation
	for bits := range 1 << 8 {
		is := func(bit int) bool { return bits>>bit&1 == 1 }
		s := situation{is(0), is(1), is(2), is(3), is(4), is(5), is(6), is(7)}
		atWork := slices.Contains(atWork, state)
		switch {
		case atWork && !s.terminates:
		case state == Trying && !s.dryRun, s.dryRun && (state == Ending || state == Watching):
		case s.dryRun && (s.mayReturn || s.explains): // a dry-run watches nobody, and writes no list
		case s.mayReturn && (s.open || s.explains):
		case state == Watching && s.open:
		case state == Searching && s.open:
		default:
			all = append(all, s)
		}
	}
	return all
}

// happens returns the events that can happen in a state. A final state gets none.
func happens(state State) []Event {
	switch {
	case state == New:
		return []Event{Decided}
	case state == Settling:
		return []Event{Settled}
	case slices.Contains(atWork, state):
		return []Event{Found, Searched, Answered, Verified, TimeUp}
	}
	return nil
}

// TestEveryEventHasItsTransition walks the whole product of states, events and situations. Every event that can happen
// leads somewhere, and every row of the table is taken.
func TestEveryEventHasItsTransition(t *testing.T) {
	taken := map[int]bool{}
	for _, state := range states {
		for _, event := range happens(state) {
			for _, s := range situations(state) {
				i := slices.IndexFunc(transitions, func(row transition) bool {
					return slices.Contains(row.from, state) && slices.Contains(row.on, event) && (row.holds == nil || row.holds(s))
				})
				if i < 0 {
					t.Fatalf("%s, %s, %+v: no row", state, event, s)
				}
				taken[i] = true
				checkTransition(t, state, event, s)
			}
		}
	}
	for i, row := range transitions {
		if !taken[i] {
			t.Errorf("no situation takes row %d: %v %v %q", i+1, row.from, row.on, row.when)
		}
	}
}

// checkTransition checks what must be true of every step, whatever the table says.
func checkTransition(t *testing.T, state State, event Event, s situation) {
	t.Helper()
	row, _ := transitionOf(state, event, s)
	to := row.to
	if to == stays {
		to = state
	}
	for promise, kept := range map[string]bool{
		"only a decision to terminate starts a search": state != New || (to == Searching) == s.terminates,
		"a dry-run terminates nothing":                 !s.dryRun || row.do != Terminate && to != Ending && to != Watching,
		"EC2 is asked to terminate only what is found": row.do != Terminate && row.do != Try || event == Found,
		"no case is settled during a search":           !to.final() || !s.listing || !slices.Contains(learned, event),
		"no case is settled while a fate is open":      !to.final() || !s.open || !slices.Contains(learned, event),
		"Done means that nothing is left":              to != Done || s.complete,
		"Incomplete means that something is left":      to != Incomplete || !s.complete,
		"when the time is up only the list is changed": event != TimeUp || to.final() || to == Settling,
		"a person who may reconnect is watched": !s.mayReturn || !slices.Contains(learned, event) || s.listing ||
			to == Watching,
	} {
		if !kept {
			t.Errorf("%s: %s, %s, %+v leads to %s (%s)", promise, state, event, s, to, row.do)
		}
	}
}

// TestNoOtherEventHasATransition: a final state gets no event, and a late one would change nothing.
func TestNoOtherEventHasATransition(t *testing.T) {
	for _, state := range states {
		for _, event := range events {
			if _, ok := transitionOf(state, event, situation{}); ok && !slices.Contains(happens(state), event) {
				t.Errorf("%s has a row for %s, which cannot happen there", state, event)
			}
		}
	}
}

// TestPageIsTheTableOfStates: doc/states.md is written from the table.
func TestPageIsTheTableOfStates(t *testing.T) {
	const file = "../../doc/states.md"
	page := statesPage()
	if *update {
		if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(file)
	if err != nil || string(raw) != page {
		t.Errorf("doc/states.md is not the table (%v); write it with: go test ./internal/responder -run States -update", err)
	}
}

func statesPage() string {
	var page strings.Builder
	page.WriteString(pageHead)
	for _, s := range states {
		fmt.Fprintf(&page, "| %s | %s |\n", s, about[s])
	}
	page.WriteString("\n## Transitions\n\nThe first row that holds is taken.\n\n" +
		"| # | from | event | if | to | command |\n|---|---|---|---|---|---|\n")
	for i, row := range transitions {
		var from, on []string
		for _, s := range row.from {
			from = append(from, s.String())
		}
		for _, e := range row.on {
			on = append(on, e.String())
		}
		to := "stays"
		if row.to != stays {
			to = row.to.String()
		}
		when := row.when
		if when == "" {
			when = "otherwise"
		}
		fmt.Fprintf(
			&page,
			"| %d | %s | %s | %s | %s | %s |\n",
			i+1,
			strings.Join(from, ", "),
			strings.Join(on, ", "),
			when,
			to,
			row.do,
		)
	}
	return page.String()
}

// about says what each state is, for the page.
var about = map[State]string{
	New:        "The policy has decided. Nothing has begun.",
	Held:       "The policy or a gate says no. Final.",
	Searching:  "Endpoints are being listed, or will be listed again.",
	Trying:     "Dry-run: EC2 is asked whether it would terminate the connections.",
	Ending:     "EC2 is asked to terminate connections, and has not shown that all have ended.",
	Watching:   "No connection is up: all have ended, or no search showed one. The person may connect until the deadline.",
	Settling:   "The keep-out list is being asked why it did not help.",
	Done:       "Nothing is left to do. Final.",
	Incomplete: "Something is left to do, so the event comes again. Final.",
}

const pageHead = `# From a signal to its outcome: the states

You need this page to audit what can become of a signal. A test writes it from the table in
internal/responder/states.go, and fails if they differ.
(TestPageIsTheTableOfStates; TestEveryEventHasItsTransition walks all states, events and situations.)

Each signal is a *case*. A case is in one of these states.

| state | meaning |
|---|---|
`
