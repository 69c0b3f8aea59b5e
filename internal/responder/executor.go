package responder

import (
	"context"
	"slices"
	"time"

	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/vpn"
)

// job is a command with all that is needed to run it. It holds values, as the cases belong to another goroutine.
type job struct {
	command Command
	// cases are those that take part. Only the goroutine of the cases looks at them.
	cases []*Case
	// began is when the job began.
	began time.Time

	targets     []vpn.Target      // of Search
	people      [][]string        // of Search: of each target, for the ledger
	met         []map[string]bool // of Search: connections of each target that need no asking
	connections []vpn.Tracked     // of Terminate, Try and Verify
	keep        []vpn.Connection  // of Terminate and Try: connections that must stay
}

// report is what a job brings to light.
type report struct {
	job  job
	over bool // nothing more comes of the job

	batch     vpn.Batch      // of Search
	again     recalledAgain  // of Search
	answers   []vpn.Answer   // of Terminate and Try
	shown     []vpn.Shown    // of Verify
	endpoints []vpn.Endpoint // of Explain
	err       error          // of Verify and Explain
}

// executor runs jobs side by side, and sends reports back. One goroutine owns it: that of the cases.
type executor struct {
	responder *Responder
	endpoints []vpn.Endpoint
	reports   chan report
	running   []Command
	began     time.Time // when the ledger had just been asked about all cases
}

// start starts the jobs.
func (x *executor) start(ctx context.Context, jobs []job) {
	for _, j := range jobs {
		x.running = append(x.running, j.command)
		go x.run(ctx, j)
	}
}

// run runs one job.
func (x *executor) run(ctx context.Context, j job) {
	switch j.command {
	case Search:
		x.search(ctx, j)
	case Terminate, Try:
		x.reports <- report{job: j, over: true, answers: x.terminate(ctx, j)}
	case Verify:
		ctx, cancel := forVerify(ctx)
		defer cancel()
		shown, err := x.responder.VPN.Verify(ctx, j.connections)
		x.reports <- report{job: j, over: true, shown: shown, err: err}
	case Explain:
		ctx, cancel := forAccess(ctx)
		defer cancel()
		endpoints, err := x.responder.VPN.Endpoints(ctx, true)
		x.reports <- report{job: j, over: true, endpoints: endpoints, err: err}
	}
}

// search lists the endpoints once for all cases of the job, and reports each batch.
func (x *executor) search(ctx context.Context, j job) {
	part, cancel := forSearch(ctx)
	defer cancel()
	for batch := range x.responder.VPN.Search(part, x.endpoints, j.targets) {
		x.reports <- report{job: j, over: batch.Last, batch: batch, again: x.recallAgain(ctx, j, batch.Matches)}
	}
}

// recallAgain asks the ledger about the people whom a search has found, as another instance may have reinstated them.
// It asks once for all of them, and not within a moment of the first time.
func (x *executor) recallAgain(ctx context.Context, j job, matches []vpn.Match) recalledAgain {
	people := j.strangers(matches)
	if x.responder.Ledger == nil || len(people) == 0 || now().Sub(x.began) < recallHolds {
		return recalledAgain{}
	}
	ctx, cancel := forRecall(ctx)
	defer cancel()
	known, err := x.responder.Ledger.Recall(ctx, ledger.Query{People: people})
	return recalledAgain{people, known, err}
}

// terminate asks EC2 to terminate the job's connections. Screen has allowed each of them. Nothing else in this package
// calls VPN.Terminate. For the same connections, VPN.Verify may send one second request, by id (vpn/verify.go).
func (x *executor) terminate(ctx context.Context, j job) []vpn.Answer {
	dryRun := j.command == Try
	budget := forTerminations
	if dryRun {
		budget = forDryRun
	}
	ctx, cancel := budget(ctx)
	defer cancel()
	return x.responder.VPN.Terminate(ctx, j.connections, j.keep, dryRun)
}

// finished takes note that a job is over, if the report says so.
func (x *executor) finished(rep report) {
	if i := slices.Index(x.running, rep.job.command); rep.over && i >= 0 {
		x.running = slices.Delete(x.running, i, i+1)
	}
}

// busy reports whether any job is running.
func (x *executor) busy() bool { return len(x.running) > 0 }

// runs reports whether a job with this command is running.
func (x *executor) runs(c Command) bool { return slices.Contains(x.running, c) }

// drain waits until all jobs are over, so that no goroutine outlives the cases.
func (x *executor) drain() {
	for x.busy() {
		x.finished(<-x.reports)
	}
}
