package responder

import (
	"context"
	"iter"
	"time"

	"clientvpn-responder/internal/vpn"
)

// pursue drives the cases until all are settled, and yields the index of each case as soon as it is. The caller must
// return at once: until it does, nobody is watched.
//
// At ctx's deadline it begins no further search or verification. It waits for the running jobs, which end with ctx.
// Then it settles every case as it is: see cases.timeUp, and the rows of TimeUp in states.go.
func (r *Responder) pursue(ctx context.Context, endpoints []vpn.Endpoint, cs *cases) iter.Seq[int] {
	work := &executor{responder: r, endpoints: endpoints, reports: make(chan report), began: now()}
	return func(yield func(int) bool) { drive(ctx, cs, work, yield) }
}

// drive is the loop. Its goroutine is the only one that changes a case.
func drive(ctx context.Context, cs *cases, work *executor, yield func(int) bool) {
	defer work.drain()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	deadline, _ := ctx.Deadline()
	done := ctx.Done()
	wake := time.NewTimer(0)
	defer wake.Stop()
	for jobs := cs.begin(now()); ; {
		work.start(ctx, jobs)
		for _, i := range cs.takeSettled() {
			if !yield(i) {
				return
			}
		}
		if cs.settled() && !work.busy() {
			return
		}
		jobs = nil
		select {
		case rep := <-work.reports:
			work.finished(rep)
			jobs = cs.apply(rep, now())
		case <-wake.C:
		case <-done:
			done = nil
		}
		switch {
		case done != nil:
			due, next := cs.due(now(), deadline, work)
			jobs = append(jobs, due...)
			wake.Reset(time.Until(next))
		case len(jobs) == 0 && !work.busy():
			jobs = cs.timeUp(now())
		}
	}
}

// now returns the time. The clock enters here and nowhere else.
func now() time.Time { return time.Now() }
