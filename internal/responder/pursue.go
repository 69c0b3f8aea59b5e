package responder

import (
	"context"
	"iter"
	"time"

	"clientvpn-responder/internal/vpn"
)

// pursue drives the cases until all are settled, and yields the index of each case as soon as it is. It is the only
// goroutine that changes a case. The caller must return at once: until it does, nobody is watched.
func (r *Responder) pursue(ctx context.Context, endpoints []vpn.Endpoint, cs *cases) iter.Seq[int] {
	return func(yield func(int) bool) {
		work := &executor{responder: r, endpoints: endpoints, reports: make(chan report)}
		defer work.drain()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		wake := time.NewTimer(0)
		defer wake.Stop()
		deadline, _ := ctx.Deadline()
		done := ctx.Done()
		jobs := cs.begin(time.Now())
		for {
			work.start(ctx, jobs)
			for _, i := range cs.takeSettled() {
				if !yield(i) {
					return
				}
			}
			if cs.settled() && !work.busy() {
				return
			}
			select {
			case rep := <-work.reports:
				work.finished(rep)
				jobs = cs.apply(rep, time.Now())
			case <-wake.C:
				jobs = nil
			case <-done:
				jobs, done = nil, nil
			}
			if done != nil {
				due, next := cs.due(time.Now(), deadline, work)
				jobs = append(jobs, due...)
				wake.Reset(time.Until(next))
			} else if len(jobs) == 0 && !work.busy() {
				jobs = cs.timeUp(time.Now())
			}
		}
	}
}

// now returns the time. The clock enters here and nowhere else.
func now() time.Time { return time.Now() }
