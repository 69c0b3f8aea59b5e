package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/trial"
)

const (
	leaving200 = 200 // people
	eachHas    = 4   // connections on each endpoint
)

// exodus is what came of 200 people who left at once.
type exodus struct {
	what string // how many processes
	attempt
	ends []float64 // of the connections, in seconds after the events arrived, in order
}

// leavers measures 200 people who leave at once: one process with all of them and, in another account, two processes
// with half of them each.
func (b *bench) leavers(ctx context.Context) error {
	calls := leaving200 * len(trial.Endpoints) // one for each person and endpoint
	limit := emulator.DocumentedLimits()[terminate]
	allowed := (float64(calls) - float64(limit.Bucket)) / limit.Refill // seconds

	words := []string{"one process", "two processes"}
	left, errs := make([]exodus, len(words)), make([]error, len(words))
	var wait sync.WaitGroup
	for i, what := range words {
		wait.Go(func() { left[i], errs[i] = b.leave(ctx, what, i+1) })
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	p := panel{
		title: "200 leavers with 4 connections on each of 3 endpoints: connections ended",
		x:     "seconds after the events arrived",
	}
	atOnce, all := float64(eachHas*limit.Bucket), float64(eachHas*calls)
	p.series = append(p.series, series{"what the limits allow", []float64{0, allowed}, []float64{atOnce, all}})
	for _, x := range left {
		p.series = append(p.series, x.plot())
		b.addExodus(x, allowed, eachHas*calls)
	}
	b.panels = append(b.panels, p)
	return nil
}

// leave has all leave at once, shared among so many processes.
func (b *bench) leave(ctx context.Context, what string, processes int) (exodus, error) {
	names := make([]string, leaving200)
	for i := range names {
		names[i] = leaver(i)
	}
	cloud := newCrowd(len(trial.Endpoints), 2000)
	for _, e := range trial.Endpoints {
		for _, name := range names {
			for range eachHas {
				cloud.Connect(emulator.Client{EndpointID: e.ID, Username: name, CommonName: name})
			}
		}
	}
	var batches [][]byte
	for part := range slices.Chunk(names, leaving200/processes) {
		batch, err := leaving(part...)
		if err != nil {
			return exodus{}, err
		}
		batches = append(batches, batch)
	}
	t, err := b.try(ctx, cloud, batches...)
	x := exodus{what: what, attempt: t}
	for _, c := range cloud.Connections() {
		if c.ByRequest {
			x.ends = append(x.ends, c.EndedAt.Sub(t.invoked).Seconds())
		}
	}
	slices.Sort(x.ends)
	if err == nil && len(x.ends) == 0 {
		err = errors.New("nobody was cut off")
	}
	return x, err
}

func (x exodus) plot() series {
	ended := make([]float64, len(x.ends))
	for k := range ended {
		ended[k] = float64(k + 1)
	}
	return series{x.what, x.ends, ended}
}

// addExodus adds the figures; all is how many connections there were.
func (b *bench) addExodus(x exodus, allowed float64, all int) {
	what := "200 leavers at once, one process: "
	if x.what != "one process" {
		what = "200 leavers at once, two processes side by side: "
	}
	last := x.ends[len(x.ends)-1]
	goal := 1.1 * allowed
	f := figure{
		what + "all ended", fmt.Sprintf("%.1f s", last), fmt.Sprintf("≤ %.0f s, 1.1 × what the limits allow", goal),
		last <= goal && len(x.ends) == all,
	}
	if len(x.ends) < all {
		f.measured = fmt.Sprintf("%d of %d ended within %.1f s; %d messages failed", len(x.ends), all, last, x.failed)
	}
	b.figures = append(b.figures, f)
	verifications := len(x.made(describe, "connection-id"))
	describes, _ := x.throttled(describe)
	b.add(what+"Describe calls to find them", "%.0f", float64(describes-verifications), 100,
		fmt.Sprintf(" (and %d to verify that they ended)", verifications))
	terminations, throttled := x.throttled(terminate)
	b.add(what+"Terminate calls throttled", "%.1f %%", 100*float64(throttled)/float64(terminations), 10,
		fmt.Sprintf(" (%d of %d)", throttled, terminations))
}
