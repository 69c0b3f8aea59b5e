package responder

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/vpn"
)

// facts is what was seen of a case when it is concluded. Status and summary come from nothing else.
type facts struct {
	who      string
	nobody   bool // the event names no person, connection or client address
	braked   *Brake
	decision policy.Decision
	// interrupted is the source whose events may be missing, and why; empty for every other signal.
	interrupted string
	dryRun      bool

	// Connections that the case was to terminate: all, and how many ended, would end, could not be asked for, or are
	// still going down.
	all, ended, would, refused, pending int
	spared                              []Spared
	endedBefore                         []time.Time
	evidence                            Evidence
	noAddresses                         bool // the target is an address, and no endpoint keeps client addresses

	problems   []Problem // why it is incomplete, the most important first
	accessOnly bool      // they are about nothing but the keep-out list
	noPolicy   bool

	reconnections int
	keepsComing   bool
	cutShort      bool   // the time was up before the watch was over
	late          bool   // the first search did not show them: they connected during the watch
	letIn         string // why nothing denied a person who keeps reconnecting

	reinstating bool // the case is about the keep-out list and nothing else
	lifted      []Lifted
	still       []ledger.Entry
	keptOut     string // for how long, to go behind "is kept out"
	wouldKeep   bool   // a dry-run, which would put the person on the list
}

func (f *facts) incomplete() bool { return len(f.problems) > 0 }
func (f *facts) problem() string  { return f.problems[0].Brief() }

// overLimit reports whether the limit spared a connection.
func (f *facts) overLimit() bool {
	return slices.ContainsFunc(f.spared, func(s Spared) bool { return s.why == OverLimit })
}

// facts collects what was seen of the case.
func (c *Case) facts() facts {
	f := facts{
		who:           c.Signal.Subject.String(),
		nobody:        c.Signal.Subject.IsNobody(),
		braked:        c.braked,
		decision:      c.Decision,
		dryRun:        c.dryRun(),
		all:           len(c.connections),
		spared:        c.spared,
		endedBefore:   c.endedBefore,
		evidence:      c.evidence,
		noAddresses:   c.noAddresses,
		reconnections: c.reconnections,
		keepsComing:   c.keepsComing(),
		cutShort:      c.watch == cutOffWatch,
		late:          c.isLate(),
		letIn:         c.letIn,
		reinstating:   c.isReinstatement(),
		lifted:        c.access.lifted,
		still:         c.access.still,
		keptOut:       howLong(c.access.until),
		wouldKeep:     c.Decision.KeepOut != "" && c.dryRun() && c.access.asked,
	}
	if c.Signal.Kind == signal.SourceInterrupted {
		f.interrupted = c.Signal.Provider + ", " + c.Signal.Reason
	}
	f.count(c.connections)
	f.problems = slices.Concat(c.problems, c.blindSpots(), c.failures(), c.access.problems)
	f.accessOnly = accessOnly(f.problems)
	f.noPolicy = slices.ContainsFunc(f.problems, func(p Problem) bool { return p.Code == PolicyUnreadable })
	return f
}

// count counts the connections by their fates.
func (f *facts) count(connections []*vpn.Tracked) {
	for _, t := range connections {
		switch t.Fate {
		case vpn.FateRefused:
			f.refused++
		case vpn.FateFeasible:
			f.would++
		case vpn.FateEnded:
			f.ended++
		case vpn.FateStuck:
		default:
			f.pending++
		}
	}
}

// isReinstatement reports whether the outcome is about the keep-out list and nothing else.
func (c *Case) isReinstatement() bool {
	a := c.access
	return c.Signal.Opens() && a.asked && !c.terminates() &&
		(len(a.lifted)+len(a.still)+len(a.problems) > 0 || c.Decision.Gate != "")
}

// blindSpots returns the problems of endpoints that no search has shown completely. The person may be connected there.
func (c *Case) blindSpots() []Problem {
	var all []Problem
	for _, id := range slices.Sorted(maps.Keys(c.gaps)) {
		all = append(all, Problem{Code: NotListed, Cause: c.gaps[id]})
	}
	if len(c.gaps) > 0 || !c.watchOver() {
		return all
	}
	for _, id := range slices.Sorted(maps.Keys(c.lastFailed)) {
		all = append(all, Problem{Code: NotListed, Doing: "watching for a reconnection", Cause: c.lastFailed[id]})
	}
	return all
}

// failures returns the problems of connections that did not end. It adds connections that the limit spared too late,
// after others had been terminated.
func (c *Case) failures() []Problem {
	var all []Problem
	if c.overLimit() && len(c.connections) > 0 {
		i := slices.IndexFunc(c.spared, func(s Spared) bool { return s.why == OverLimit })
		all = append(all, Problem{Code: TooManyLate, Cause: errors.New(c.spared[i].Reason)})
	}
	for _, t := range c.connections {
		switch t.Fate {
		case vpn.FateRefused:
			all = append(all, Problem{Code: NotTerminated, Doing: where(t), Cause: t.Err})
		case vpn.FateStuck:
			all = append(all, Problem{Code: CannotTerminate, Doing: where(t), Cause: failedToTerminate(t)})
		}
	}
	return all
}

var errFailedToTerminate = errors.New("EC2 says failed-to-terminate")

// failedToTerminate returns EC2's status of the connection, and why if EC2 says it.
func failedToTerminate(t *vpn.Tracked) error {
	if t.StatusMessage == "" {
		return errFailedToTerminate
	}
	return fmt.Errorf("%w: %s", errFailedToTerminate, t.StatusMessage)
}

// unanswered returns the requests that EC2 did not answer, of connections that have not ended. They may still end.
func (c *Case) unanswered() []Problem {
	var all []Problem
	for _, t := range c.connections {
		if t.Pending() && t.Err != nil {
			all = append(all, Problem{Code: Unanswered, Doing: where(t), Cause: t.Err})
		}
	}
	return all
}

func where(t *vpn.Tracked) string { return t.ID + " on " + t.EndpointID }
