package responder

import (
	"slices"
	"time"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/vpn"
)

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
		c.noteRecalledAgain(rep.again)
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

// track adds a match to the connections of the case. It reports whether EC2 is to be asked to terminate it: another
// case may have had it asked.
func (cs *cases) track(c *Case, m vpn.Match) (*vpn.Tracked, bool) {
	key := trackedKey{c.dryRun(), m.ID}
	t, known := cs.tracked[key]
	switch {
	case !known:
		t = vpn.Track(m)
		cs.tracked[key] = t
	case t.Ended() && t.EndSeenAt.Before(c.began):
		t.Reappeared(m.Current)
		known = false
	}
	if !slices.Contains(c.connections, t) {
		c.connections = append(c.connections, t)
	}
	return t, !known
}

// crowd is how many connections of one event share the requests with other events. For more of them EC2's limits make
// seconds, and nobody else waits for them.
const crowd = 20

// asking collects the connections that EC2 is asked to terminate.
type asking struct{ all []asked }

type asked struct {
	command   Command // Terminate or Try
	event     string
	connected vpn.Tracked
}

func (a *asking) add(c *Case, t *vpn.Tracked) {
	command := Terminate
	if c.dryRun() {
		command = Try
	}
	a.all = append(a.all, asked{command, outcomeID(c.Signal), *t})
}

// jobs returns the jobs to ask: one for all cases in earnest, one for all in dry-run, and others for events with a
// crowd. What a case spares must stay.
func (a *asking) jobs(some []*Case, now time.Time) []job {
	type group struct {
		command Command
		event   string // with a crowd; empty for all others
	}
	count, at := map[group]int{}, map[group]int{}
	for _, k := range a.all {
		count[group{k.command, k.event}]++
	}
	var jobs []job
	for _, k := range a.all {
		g := group{k.command, k.event}
		if count[g] <= crowd {
			g.event = ""
		}
		if _, known := at[g]; !known {
			at[g] = len(jobs)
			jobs = append(jobs, job{command: k.command, began: now, keep: spared(some, k.command)})
		}
		jobs[at[g]].connections = append(jobs[at[g]].connections, k.connected)
	}
	return jobs
}

// spared returns the connections that the cases in earnest spare, or those in dry-run.
func spared(some []*Case, command Command) (keep []vpn.Connection) {
	for _, c := range some {
		if c.dryRun() == (command == Try) {
			for _, s := range c.spared {
				keep = append(keep, *s.Connection)
			}
		}
	}
	return keep
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

// adopt adds a connection that EC2 terminated by user name although no search had shown it. It belongs to the cases
// that terminate a connection of the same user on the same endpoint.
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
				"verifying that the connections have ended: %s", Problem{Cause: rep.err}.Brief()))
		}
	}
	var jobs []job
	for _, c := range cs.in(Ending) { // another case may have had its connection verified
		jobs = append(jobs, cs.step(c, Verified, now)...)
	}
	return jobs
}
