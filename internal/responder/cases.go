package responder

import (
	"slices"
	"time"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/vpn"
)

// cases are the cases of one invocation, and what is known of connections. One goroutine owns them.
type cases struct {
	policy *policy.Policy
	all    []*Case
	open   []int // indexes of the cases that nobody has taken yet
	// tracked are the connections to terminate. Two cases that lead to one connection share it, so that EC2 is asked
	// once. A dry-run shares nothing with cases in earnest: what was tried must not be shown as terminated.
	tracked map[trackedKey]*vpn.Tracked
	// verifyBegan is when the latest verification began.
	verifyBegan time.Time
}

type trackedKey struct {
	dryRun bool
	id     string
}

func newCases(p *policy.Policy, all []*Case) *cases {
	cs := &cases{policy: p, all: all, tracked: map[trackedKey]*vpn.Tracked{}}
	for i := range all {
		cs.open = append(cs.open, i)
	}
	return cs
}

// settled reports whether all cases are.
func (cs *cases) settled() bool { return len(cs.open) == 0 }

// takeSettled returns the indexes of the cases that are settled, each once.
func (cs *cases) takeSettled() []int {
	var taken []int
	cs.open = slices.DeleteFunc(cs.open, func(i int) bool {
		final := cs.all[i].state.final()
		if final {
			taken = append(taken, i)
		}
		return final
	})
	return taken
}

// in returns the cases in one of the states.
func (cs *cases) in(states ...State) []*Case {
	var some []*Case
	for _, c := range cs.all {
		if slices.Contains(states, c.state) {
			some = append(some, c)
		}
	}
	return some
}

// begin begins all cases, with one search for all that terminate.
func (cs *cases) begin(now time.Time) []job {
	var searching []*Case
	for _, c := range cs.all {
		if c.apply(Decided, now) == Search {
			searching = append(searching, c)
		}
	}
	return searchFor(searching, now)
}

// searchFor returns the job to search for the cases.
func searchFor(some []*Case, now time.Time) []job {
	if len(some) == 0 {
		return nil
	}
	j := job{command: Search, cases: some, began: now}
	for _, c := range some {
		c.beginSearch(now)
		j.targets = append(j.targets, c.target)
		j.people, j.met = append(j.people, c.Decision.Persons), append(j.met, c.metBefore())
	}
	return []job{j}
}

// apply takes in a report, and returns what is to be done next.
func (cs *cases) apply(rep report, now time.Time) []job {
	switch rep.job.command {
	case Search:
		return cs.found(rep, now)
	case Terminate, Try:
		return cs.answered(rep, now)
	case Verify:
		return cs.verified(rep, now)
	case Explain:
		c := rep.job.cases[0]
		c.letIn = c.explainReturn(rep.endpoints, rep.err)
		return cs.step(c, Settled, now)
	}
	return nil
}

// step takes a case to its next state, and returns the job about the keep-out list that it wants then, if any.
func (cs *cases) step(c *Case, event Event, now time.Time) []job {
	if c.apply(event, now) == Explain {
		return []job{{command: Explain, cases: []*Case{c}, began: now}}
	}
	return nil
}

// timeUp settles all cases as they are. Nothing is under way.
func (cs *cases) timeUp(now time.Time) []job {
	var jobs []job
	for _, c := range cs.in(atWork...) {
		c.cutShort()
		jobs = append(jobs, cs.step(c, TimeUp, now)...)
	}
	return jobs
}
