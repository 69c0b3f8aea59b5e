package responder

import "time"

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
