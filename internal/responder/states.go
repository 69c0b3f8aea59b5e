package responder

import (
	"slices"
	"time"
)

// State says how far a case is.
type State uint8

// The states. Three are final.
const (
	New        State = iota // the policy has decided, and nothing has begun
	Held                    // the policy or a gate says no. Final
	Searching               // endpoints are being listed, or will be listed again
	Trying                  // dry-run: EC2 is asked whether it would terminate connections
	Ending                  // EC2 is asked to terminate connections, and has not shown all ends
	Watching                // no connection is up; the person may connect again until the deadline
	Settling                // the keep-out list is being asked why it did not help
	Done                    // nothing is left to do. Final
	Incomplete              // something is left to do, so the event comes again. Final

	stays State = 255 // in the table: the state does not change
)

var stateNames = []string{
	"New", "Held", "Searching", "Trying", "Ending", "Watching", "Settling", "Done", "Incomplete",
}

func (s State) String() string { return stateNames[s] }

// final reports whether the case is settled.
func (s State) final() bool { return s == Held || s == Done || s == Incomplete }

// Event is something that happened to a case.
type Event uint8

// The events.
const (
	Decided  Event = iota // the policy has decided, and the keep-out list is set
	Found                 // a search shows connections that Screen allows to terminate
	Searched              // a search is over
	Answered              // EC2 answered requests to terminate connections
	Verified              // EC2 was asked whether connections have ended
	Settled               // it is known why the keep-out list did not help
	TimeUp                // the invocation's time is up, and nothing is under way any more
)

var eventNames = []string{"Decided", "Found", "Searched", "Answered", "Verified", "Settled", "TimeUp"}

func (e Event) String() string { return eventNames[e] }

// Command is what a case wants to have done.
type Command uint8

// The commands. Verify and every search after the first follow when they are due (see cases.due).
const (
	Nothing   Command = iota
	Search            // list all endpoints
	Terminate         // ask EC2 to terminate the connections that were found
	Try               // ask EC2 only whether it would
	Verify            // ask EC2 whether the connections have ended
	Explain           // find out why a person on the keep-out list could reconnect
)

var commandNames = []string{"", "Search", "Terminate", "Try", "Verify", "Explain"}

func (c Command) String() string { return commandNames[c] }

// situation is all that a transition depends on beside state and event.
type situation struct {
	terminates bool // the decision is to terminate, and nothing holds it
	dryRun     bool
	listing    bool // a search for the case is under way
	open       bool // a connection was to be terminated, and what became of it is open
	mayReturn  bool // no connection of the person is up, and the watch over them is not over
	gaps       bool // an endpoint that no search has shown completely may be listed once more
	explains   bool // the person keeps reconnecting, and is on the keep-out list
	complete   bool // nothing would be left to do if the case were settled now
}

// transition is a row of the table of states.
type transition struct {
	from  []State
	on    []Event
	when  string // holds, in words; empty for "otherwise"
	holds func(situation) bool
	to    State
	do    Command
}

var (
	atWork  = []State{Searching, Trying, Ending, Watching}
	learned = []Event{Searched, Answered, Verified}
)

// transitions is the table. The first row that holds is taken. doc/states.md is written from it.
var transitions = []transition{
	{[]State{New}, []Event{Decided}, "the decision is to terminate", func(s situation) bool { return s.terminates },
		Searching, Search},
	{[]State{New}, []Event{Decided}, "", nil, Held, Nothing},

	{atWork, []Event{Found}, "dry-run", func(s situation) bool { return s.dryRun }, Trying, Try},
	{atWork, []Event{Found}, "", nil, Ending, Terminate},

	{atWork, learned, "a search is under way, or the fate of a connection is open",
		func(s situation) bool { return s.listing || s.open }, stays, Nothing},
	{[]State{Watching}, learned, "the last search began before the deadline of the watch",
		func(s situation) bool { return s.mayReturn }, stays, Nothing},
	{atWork, learned, "no connection is up, and the person may connect again",
		func(s situation) bool { return s.mayReturn }, Watching, Nothing},
	{atWork, learned, "an endpoint was not shown completely, and tries are left",
		func(s situation) bool { return s.gaps }, Searching, Nothing},
	{atWork, learned, "the person keeps reconnecting, and is on the keep-out list",
		func(s situation) bool { return s.explains }, Settling, Explain},
	{atWork, learned, "nothing is left to do", func(s situation) bool { return s.complete }, Done, Nothing},
	{atWork, learned, "", nil, Incomplete, Nothing},

	{[]State{Settling}, []Event{Settled}, "nothing is left to do",
		func(s situation) bool { return s.complete }, Done, Nothing},
	{[]State{Settling}, []Event{Settled}, "", nil, Incomplete, Nothing},

	{atWork, []Event{TimeUp}, "the person keeps reconnecting, and is on the keep-out list",
		func(s situation) bool { return s.explains }, Settling, Explain},
	{atWork, []Event{TimeUp}, "nothing is left to do", func(s situation) bool { return s.complete }, Done, Nothing},
	{atWork, []Event{TimeUp}, "", nil, Incomplete, Nothing},
}

// transitionOf returns the row of the table, and false if such an event cannot happen in that state.
func transitionOf(state State, event Event, s situation) (transition, bool) {
	for _, t := range transitions {
		if slices.Contains(t.from, state) && slices.Contains(t.on, event) && (t.holds == nil || t.holds(s)) {
			return t, true
		}
	}
	return transition{}, false
}

// apply takes the case to its next state, and returns what it wants to have done. What the event brought is noted in
// the case before. It calls nothing and reads no clock.
func (c *Case) apply(event Event, now time.Time) Command {
	t, ok := transitionOf(c.state, event, c.situation())
	if !ok || t.to == stays {
		return Nothing
	}
	if t.to == Watching {
		c.beginWatch(now)
	}
	c.state = t.to
	return t.do
}

// situation returns what the next transition depends on.
func (c *Case) situation() situation {
	f := c.facts()
	status, _ := judge(&f)
	return situation{
		terminates: c.terminates(),
		dryRun:     c.dryRun(),
		listing:    c.listing == running,
		open:       c.isOpen(),
		mayReturn:  c.isAway() && !c.watchOver(),
		gaps:       c.mayListAgain(),
		explains:   c.keepsComing() && len(c.access.entries) > 0 && c.letIn == "",
		complete:   !Outcome{Status: status}.Incomplete(),
	}
}
