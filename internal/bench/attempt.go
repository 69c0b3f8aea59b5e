package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"clientvpn-responder/internal/emulator"
)

const (
	// latency is that of each answer of EC2's and SNS's: a round trip.
	latency = 50 * time.Millisecond
	// tableLatency is DynamoDB's: "consistent single-digit millisecond performance" (Amazon DynamoDB, Developer Guide).
	tableLatency = 5 * time.Millisecond
	// functionTime is the function's Timeout in template.yaml.
	functionTime = 150 * time.Second
	// mostConnections are those that an endpoint takes (AWS Client VPN administrator guide, quotas).
	mostConnections = 126_000

	describe  = "DescribeClientVpnConnections"
	terminate = "TerminateClientVpnConnections"
)

// attempt is what came of batches that were passed to one process each, at once.
type attempt struct {
	invoked time.Time
	calls   []emulator.Call
	failed  int // messages that go back to the queue
	left    int // connections that are up, bystanders' aside
	memory  int64
}

// try starts a process for each batch and passes all of them their batches at once.
func (b *bench) try(ctx context.Context, cloud *emulator.Cloud, batches ...[]byte) (attempt, error) {
	url, stop, err := emulator.Serve(cloud)
	if err != nil {
		return attempt{}, err
	}
	defer stop()
	functions := make([]*emulator.Function, len(batches))
	for i := range batches {
		if functions[i], err = emulator.Start(ctx, b.program("cmd/handler"), b.environment(url)); err != nil {
			return attempt{}, err
		}
		defer functions[i].Close()
	}
	ctx, cancel := context.WithTimeout(ctx, functionTime)
	defer cancel()
	t := attempt{invoked: time.Now()}
	t.failed, err = invokeAll(ctx, functions, batches)
	t.calls = cloud.Calls()
	for _, f := range functions {
		t.memory = max(t.memory, f.MaxRSS())
	}
	for _, c := range cloud.Connections() {
		if c.EndedAt.IsZero() && !isBystander(c) {
			t.left++
		}
	}
	return t, errors.Join(err, bystandersAreUp(cloud))
}

// invokeAll passes each function its batch, and returns how many messages go back to the queue.
func invokeAll(ctx context.Context, functions []*emulator.Function, batches [][]byte) (int, error) {
	failed, errs := make([]int, len(batches)), make([]error, len(batches))
	var wait sync.WaitGroup
	for i, f := range functions {
		wait.Go(func() {
			var ids []string
			ids, errs[i] = invokeBatch(ctx, f, batches[i])
			failed[i] = len(ids)
		})
	}
	wait.Wait()
	all := 0
	for _, n := range failed {
		all += n
	}
	return all, errors.Join(errs...)
}

// made returns the calls of an action, by kind: a page of a listing has no filter, a verification has one of connection
// ids.
func (t attempt) made(action string, filter string) []emulator.Call {
	return slices.DeleteFunc(slices.Clone(t.calls), func(c emulator.Call) bool {
		return c.Action != action || c.Params.Get("Filter.1.Name") != filter
	})
}

func (t attempt) throttled(action string) (calls, throttled int) {
	for _, c := range t.calls {
		if c.Action == action {
			calls++
			if c.Code == "RequestLimitExceeded" {
				throttled++
			}
		}
	}
	return calls, throttled
}

// cutOff returns the time from the event's arrival to the answer to the last request to terminate. It is an error if a
// connection is up.
func (t attempt) cutOff() (time.Duration, error) {
	terminations := t.made(terminate, "")
	if len(terminations) == 0 || t.left > 0 || t.failed > 0 {
		return 0, fmt.Errorf("after %d requests %d connections are up, and %d messages went back to the queue",
			len(terminations), t.left, t.failed)
	}
	return terminations[len(terminations)-1].At.Add(latency).Sub(t.invoked), nil
}

func roundTrips(d time.Duration) float64 { return d.Seconds() / latency.Seconds() }

func span(calls []emulator.Call) time.Duration { return calls[len(calls)-1].At.Sub(calls[0].At) }
