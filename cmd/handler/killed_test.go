package main

import (
	"strings"
	"sync"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
)

// office is a small world by the clock on the wall, for the real binary.
func office(t *testing.T) (*world, *event) {
	t.Helper()
	w := newWorld(t)
	w.cloud.TerminateTime, w.cloud.Latency = 50*time.Millisecond, 0
	w.keepOut = true
	w.connect("alice", emulator.Client{EndpointID: saml, Username: "alice@example.com"})
	w.connect("alice", emulator.Client{EndpointID: ad, Username: `EXAMPLE\alice`})
	w.connect("bob", emulator.Client{EndpointID: saml, Username: "bob"})
	e := w.add("e1", forEnd, "alice:alice")
	e.delivered = true
	w.depart([]*message{{event: e}}) // for the whole test
	return w, e
}

// answered holds that the event was answered well after it was delivered for the last time, and all promises with it.
func (w *world) answered(e *event, answer emulator.Answer, err error, began time.Time) {
	w.t.Helper()
	if err != nil || string(answer.Payload) != `{"batchItemFailures":[]}` {
		w.broke("%s %+v, %v", answer.Payload, answer.Failure, err)
	}
	e.doneAt = began
	w.settle()
	w.settleList()
	if len(w.told[e.id]["alice"]) == 0 || strings.Join(w.up(), " ") != "bob" {
		w.broke("published %q, up %q", w.statuses, w.up())
	}
}

// TestKilledAtEveryStage: the process is killed after each kind of its calls, which was done and whose answer it
// never got. The next one gets the event again.
func TestKilledAtEveryStage(t *testing.T) {
	const look = "look"
	for _, stage := range []struct {
		call string
		nth  int
	}{
		{endpointsAction, 1}, {putAction, 1}, {listAction, 1}, {listAction, 2}, {listAction, 3},
		{endAction, 1}, {endAction, 2}, {look, 1}, {publishAction, 1},
	} {
		w, e := office(t)
		reached := make(chan struct{})
		var mu sync.Mutex
		calls := 0
		w.spoil = func(call emulator.Call) emulator.Fault {
			mu.Lock()
			defer mu.Unlock()
			kind := call.Action
			if call.Params.Get("Filter.1.Name") == "connection-id" {
				kind = look
			}
			if kind != stage.call {
				return emulator.Fault{}
			}
			if calls++; calls != stage.nth {
				return emulator.Fault{}
			}
			close(reached)
			return emulator.Fault{Delay: time.Hour}
		}
		first := start(t, w.cloud, "LEDGER_TABLE="+keepOutTable)
		killed := make(chan error, 1)
		go func() {
			_, err := first.Invoke(t.Context(), batch([]byte(e.body)))
			killed <- err
		}()
		select {
		case <-reached:
			first.Close()
			if err := <-killed; err == nil {
				t.Errorf("%v: the process was killed, and answered", stage)
			}
		case err := <-killed:
			t.Errorf("%v: it came to its end without this call: %v", stage, err)
		}
		began := time.Now()
		answer, err := start(t, w.cloud, "LEDGER_TABLE="+keepOutTable).Invoke(t.Context(), batch([]byte(e.body)))
		w.answered(e, answer, err, began)
		if t.Failed() {
			t.Fatalf("killed after %v", stage)
		}
	}
}

// TestTwoProcessesAtOnce have the same event at the same time.
func TestTwoProcessesAtOnce(t *testing.T) {
	w, e := office(t)
	processes := []*emulator.Function{
		start(t, w.cloud, "LEDGER_TABLE="+keepOutTable),
		start(t, w.cloud, "LEDGER_TABLE="+keepOutTable),
	}
	began := time.Now()
	answers, errs := make([]emulator.Answer, 2), make([]error, 2)
	var working sync.WaitGroup
	for i, f := range processes {
		working.Go(func() { answers[i], errs[i] = f.Invoke(t.Context(), batch([]byte(e.body))) })
	}
	working.Wait()
	for i := range processes {
		w.answered(e, answers[i], errs[i], began)
	}
	if len(w.statuses) != 2 {
		t.Errorf("published %q", w.statuses)
	}
}

// TestConnectionsResetByTCP: the real binary over real sockets.
func TestConnectionsResetByTCP(t *testing.T) {
	w, e := office(t)
	w.cloud.Inject(emulator.Fault{Action: endAction, Reset: true, Times: 1})
	began := time.Now()
	answer, err := start(t, w.cloud, "LEDGER_TABLE="+keepOutTable).Invoke(t.Context(), batch([]byte(e.body)))
	w.answered(e, answer, err, began)
}
