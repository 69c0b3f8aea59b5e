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
	case Withdraw, Explain:
		c := rep.job.cases[0]
		if rep.job.command == Withdraw {
			c.noteAccess(rep.access)
		} else {
			c.letIn = c.explainReturn(rep.endpoints, rep.err)
		}
		return cs.step(c, Settled, now)
	}
	return nil
}

// step takes a case to its next state, and returns the job about the keep-out list that it wants then, if any.
func (cs *cases) step(c *Case, event Event, now time.Time) []job {
	switch command := c.apply(event, now); command {
	case Withdraw, Explain:
		return []job{{command: command, cases: []*Case{c}, began: now, access: c.access}}
	}
	return nil
}

// found takes in a batch of a search: Screen decides for each case which of the matches are terminated.
func (cs *cases) found(rep report, now time.Time) []job {
	matches := make([][]vpn.Match, len(rep.job.cases))
	for _, m := range rep.batch.Matches {
		matches[m.Target] = append(matches[m.Target], m)
	}
	var jobs []job
	var ask asking
	for i, c := range rep.job.cases {
		if rep.batch.Last {
			c.noteListed(rep.batch, i)
		}
		screened := Screen(cs.policy, c, matches[i])
		c.noteScreened(screened, now)
		for _, m := range screened.Terminate {
			if t, isNew := cs.track(c, m); isNew {
				ask.add(c, t)
			}
		}
		if len(screened.Terminate) > 0 {
			jobs = append(jobs, cs.step(c, Found, now)...)
		}
		if rep.batch.Last {
			c.endSearch(now)
			jobs = append(jobs, cs.step(c, Searched, now)...)
		}
	}
	return append(jobs, ask.jobs(rep.job.cases, now)...)
}

// track adds a match to the connections of the case. It reports whether EC2 is to be asked to terminate it: another case
// may have had it asked.
func (cs *cases) track(c *Case, m vpn.Match) (*vpn.Tracked, bool) {
	key := trackedKey{c.dryRun(), m.ID}
	t, known := cs.tracked[key]
	switch {
	case !known:
		t = vpn.Track(m)
		cs.tracked[key] = t
	case t.Ended() && t.EndedAt.Before(c.began):
		t.Reappeared(m.Current)
		known = false
	}
	if !slices.Contains(c.connections, t) {
		c.connections = append(c.connections, t)
	}
	return t, !known
}

// asking collects the connections that EC2 is asked to terminate.
type asking struct{ earnest, dryRun []vpn.Tracked }

func (a *asking) add(c *Case, t *vpn.Tracked) {
	if c.dryRun() {
		a.dryRun = append(a.dryRun, *t)
	} else {
		a.earnest = append(a.earnest, *t)
	}
}

// jobs returns the jobs to ask, one for all cases in earnest and one for all in dry-run. What a case spares must stay.
func (a *asking) jobs(some []*Case, now time.Time) []job {
	var jobs []job
	for _, j := range []job{
		{command: Terminate, connections: a.earnest, began: now},
		{command: Try, connections: a.dryRun, began: now},
	} {
		for _, c := range some {
			if c.dryRun() == (j.command == Try) {
				for _, s := range c.spared {
					j.keep = append(j.keep, *s.Connection)
				}
			}
		}
		if len(j.connections) > 0 {
			jobs = append(jobs, j)
		}
	}
	return jobs
}

// answered takes in what EC2 answered to requests.
func (cs *cases) answered(rep report, now time.Time) []job {
	dryRun := rep.job.command == Try
	for _, a := range rep.answers {
		t, known := cs.tracked[trackedKey{dryRun, a.ConnectionID}]
		switch {
		case a.Beside == nil && known:
			t.Answered(a)
		case a.Beside != nil && !known && !dryRun:
			cs.adopt(vpn.TrackBeside(a))
		}
	}
	var jobs []job
	for _, c := range cs.in(Trying, Ending) {
		if c.dryRun() == dryRun {
			c.verifying = newPace(firstVerify, now)
			jobs = append(jobs, cs.step(c, Answered, now)...)
		}
	}
	return jobs
}

// adopt adds a connection that EC2 terminated by user name although no search had shown it. It belongs to the cases that
// terminate a connection of the same user on the same endpoint.
func (cs *cases) adopt(t *vpn.Tracked) {
	for _, c := range cs.in(Ending) {
		_, met := c.met(t.ID)
		if !met && slices.ContainsFunc(c.connections, func(other *vpn.Tracked) bool {
			return other.EndpointID == t.EndpointID && other.Username == t.Username
		}) {
			c.connections = append(c.connections, t)
			cs.tracked[trackedKey{false, t.ID}] = t
		}
	}
}

// verified takes in what EC2 shows of connections that are to end.
func (cs *cases) verified(rep report, now time.Time) []job {
	for _, s := range rep.shown {
		if t, known := cs.tracked[trackedKey{false, s.ConnectionID}]; known {
			t.Observe(s)
		}
	}
	for _, c := range rep.job.cases {
		c.verifying = c.verifying.slower(slowestVerify, now)
		if rep.err != nil && len(c.pending()) > 0 {
			c.addReasons(policy.Because(policy.DuringVerify,
				"looking whether the connections have ended: %s", Problem{Cause: rep.err}.Brief()))
		}
	}
	var jobs []job
	for _, c := range cs.in(Ending) { // another case may have had its connection verified
		jobs = append(jobs, cs.step(c, Verified, now)...)
	}
	return jobs
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

// due returns the searches and verifications whose time has come, and when to ask next. One search and one verification
// run at a time, each for all cases that want one: it costs no more calls than for one case.
func (cs *cases) due(now, deadline time.Time, work *executor) (jobs []job, next time.Time) {
	next = now.Add(time.Hour)
	if !work.runs(Search) {
		some, at := earliest(cs.in(atWork...), (*Case).wantsSearch)
		if len(some) > 0 && !at.After(now) {
			jobs = append(jobs, searchFor(some, now)...)
		} else if len(some) > 0 {
			next = at
		}
	}
	if !work.runs(Verify) {
		some, at := earliest(cs.in(Ending), (*Case).wantsVerify)
		// Between two verifications the last connection may have ended, so EC2 is asked just before the time is up.
		if last := deadline.Add(-lastMoment); cs.verifyBegan.Before(last) && last.Before(at) {
			at = last
		}
		if len(some) > 0 && !at.After(now) {
			cs.verifyBegan = now
			jobs = append(jobs, verify(some, now))
		} else if len(some) > 0 && at.Before(next) {
			next = at
		}
	}
	return jobs, next
}

// earliest returns the cases that want something, and the earliest time at which one does.
func earliest(some []*Case, wants func(*Case) (time.Time, bool)) ([]*Case, time.Time) {
	var all []*Case
	var first time.Time
	for _, c := range some {
		if at, ok := wants(c); ok {
			if len(all) == 0 || at.Before(first) {
				first = at
			}
			all = append(all, c)
		}
	}
	return all, first
}

// verify returns the job to ask whether the connections of the cases have ended.
func verify(some []*Case, now time.Time) job {
	j := job{command: Verify, cases: some, began: now}
	for _, c := range some {
		for _, t := range c.pending() {
			j.connections = append(j.connections, *t)
		}
	}
	return j
}
