package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
)

// massOf returns so many leavers of one source, all of them connected.
func massOf(cloud *emulator.Cloud, n int) (bodies [][]byte) {
	for i := range n {
		name := fmt.Sprintf("person%d@example.com", i)
		cloud.Connect(emulator.Client{EndpointID: endpoint, Username: name})
		bodies = append(bodies, leaver(fmt.Sprint("e", i), name))
	}
	return bodies
}

// ruling is a person's decision, in our own form.
func ruling(detailType string) []byte {
	return fmt.Appendf(nil, `{"version":"0","id":"r1","detail-type":%q,
		"source":"clientvpn-responder","account":"111122223333","time":%q,"region":"eu-west-1","resources":[],
		"detail":{"source":"custom","reason":"they leave","requested_by":"carol"}}`,
		detailType, time.Now().UTC().Format(time.RFC3339))
}

// braking is a handler with the queues of the stack, and the cloud that it runs in.
func braking(t *testing.T) (*emulator.Cloud, *emulator.Function) {
	cloud := cloudWith()
	cloud.AddTable("ledger", "id")
	held, events := cloud.AddQueue("held"), cloud.AddQueue("events", emulator.Queue{Visibility: 5 * time.Minute})
	return cloud, start(t, cloud, "LEDGER_TABLE=ledger", "HELD_QUEUE_URL="+held, "EVENT_QUEUE_URL="+events, "WATCH=0")
}

// deliver hands the function everything that waits in the queue of events.
func deliver(t *testing.T, cloud *emulator.Cloud, f *emulator.Function) {
	t.Helper()
	for {
		n, failed := cloud.Deliver(t.Context(), "events", 10, func(ctx context.Context, payload []byte) ([]byte, error) {
			answer, err := f.Invoke(ctx, payload)
			if err == nil && answer.Failure != nil {
				err = errors.New(string(answer.Payload))
			}
			return answer.Payload, err
		})
		if len(failed) > 0 {
			t.Fatalf("%d failed\n%s", len(failed), f.Logs())
		}
		if n == 0 {
			return
		}
	}
}

func up(cloud *emulator.Cloud) (n int) {
	for _, c := range cloud.Connections() {
		if c.Status == "active" {
			n++
		}
	}
	return n
}

// TestHeldEventsWaitWithTheirBytes until a person releases or drops them, from outside, in our own form. There is one
// message about all of them.
func TestHeldEventsWaitWithTheirBytes(t *testing.T) {
	for _, test := range []struct {
		detailType string
		up         int
		says       string
	}{
		{"Release Held", 0, "carol released 40 events of custom, about everybody: they leave. The brake held 40 events."},
		{"Drop Held", 40, "carol dropped 40 events of custom, about everybody: they leave. The brake held 40 events."},
	} {
		t.Run(test.detailType, func(t *testing.T) {
			cloud, f := braking(t)
			bodies := massOf(cloud, 60)
			for _, body := range bodies {
				cloud.Send("events", string(body))
			}
			deliver(t, cloud, f)
			held := cloud.Queued("held")
			if len(held) != 40 || !holds(held, bodies[20:]) || up(cloud) != 40 {
				t.Fatalf("%d held, %d up\n%s", len(held), up(cloud), f.Logs())
			}
			if got := strings.Count(strings.Join(published(t, cloud), " "), "held"); got != 1 {
				t.Errorf("%d messages say held", got)
			}
			cloud.Send("events", string(ruling(test.detailType)))
			deliver(t, cloud, f)
			if len(cloud.Queued("held")) != 0 || up(cloud) != test.up {
				t.Errorf("%d held, %d up\n%s", len(cloud.Queued("held")), up(cloud), f.Logs())
			}
			said := false
			for _, m := range cloud.Published() {
				said = said || strings.Contains(m.Body, test.says)
			}
			if !said {
				t.Errorf("nothing says %q", test.says)
			}
		})
	}
}

// TestDroppedEventStaysDropped however often its source sends it again, and after a later release of other people's.
func TestDroppedEventStaysDropped(t *testing.T) {
	cloud, f := braking(t)
	bodies := massOf(cloud, 60)
	send := func(bodies ...[]byte) {
		for _, body := range bodies {
			cloud.Send("events", string(body))
		}
		deliver(t, cloud, f)
	}
	send(bodies...)
	send(ruling("Drop Held"))
	for range 3 {
		send(bodies[59])
	}
	send(ruling("Release Held"))
	send(bodies[59])
	if up(cloud) != 40 {
		t.Errorf("%d are up\n%s", up(cloud), f.Logs())
	}
}

// TestReleaseIsOneMessageForMany: so that twenty thousand are through in minutes.
func TestReleaseIsOneMessageForMany(t *testing.T) {
	cloud, f := braking(t)
	for _, body := range massOf(cloud, 200) {
		cloud.Send("events", string(body))
	}
	deliver(t, cloud, f)
	before := len(cloud.Calls())
	invoke(t, f, ruling("Release Held"))
	if n := len(cloud.Queued("events")); n > 20 || len(cloud.Queued("held")) != 0 {
		t.Errorf("180 events are %d messages, %d are held", n, len(cloud.Queued("held")))
	}
	deliver(t, cloud, f)
	if up(cloud) != 0 {
		t.Errorf("%d are up after %d calls", up(cloud), len(cloud.Calls())-before)
	}
}

// TestRepeatIsQuietAfterARestart: what one process has answered, the next one knows.
func TestRepeatIsQuietAfterARestart(t *testing.T) {
	cloud, f := braking(t)
	body := massOf(cloud, 1)[0]
	invoke(t, f, batch(body))
	f.Close()
	next := start(t, cloud, "LEDGER_TABLE=ledger", "WATCH=0")
	invoke(t, next, batch(body))
	if got := strings.Join(published(t, cloud), " "); got != "terminated" {
		t.Errorf("published %q", got)
	}
}

// TestHeldEventGoesBackWithoutAQueue: it is not lost.
func TestHeldEventGoesBackWithoutAQueue(t *testing.T) {
	cloud := cloudWith()
	cloud.AddTable("ledger", "id")
	f := start(t, cloud, "LEDGER_TABLE=ledger", "WATCH=0")
	answer := invoke(t, f, batch(massOf(cloud, 30)...))
	if got := strings.Count(string(answer.Payload), "itemIdentifier"); got != 30 || up(cloud) != 30 {
		t.Errorf("%d go back, %d up", got, up(cloud))
	}
}

// TestHeldEventWithoutAQueueEndsInTheDeadLetters with its bytes, from where a redrive brings it back.
func TestHeldEventWithoutAQueueEndsInTheDeadLetters(t *testing.T) {
	cloud := cloudWith()
	cloud.AddTable("ledger", "id")
	cloud.AddQueue("dead")
	cloud.AddQueue("events", emulator.Queue{Visibility: time.Nanosecond, DeadLetter: "dead", Receives: 5})
	f := start(t, cloud, "LEDGER_TABLE=ledger", "WATCH=0")
	bodies := massOf(cloud, 26)
	for _, body := range bodies {
		cloud.Send("events", string(body))
	}
	for n := 1; n > 0; {
		n, _ = cloud.Deliver(t.Context(), "events", 30, func(ctx context.Context, payload []byte) ([]byte, error) {
			answer, err := f.Invoke(ctx, payload)
			return answer.Payload, err
		})
	}
	if dead := cloud.Queued("dead"); len(dead) != 26 || !holds(dead, bodies) || up(cloud) != 26 {
		t.Errorf("%d are dead, %d up\n%s", len(dead), up(cloud), f.Logs())
	}
	if !strings.Contains(logs(f), "HELD_QUEUE_URL is not set, so the event that the brake holds goes back") {
		t.Error("the log does not say why")
	}
}

// holds reports whether a queue has these bodies, byte for byte.
func holds(queued []emulator.Queued, bodies [][]byte) bool {
	found := map[string]bool{}
	for _, m := range queued {
		found[m.Body] = true
	}
	for _, body := range bodies {
		if !found[string(body)] {
			return false
		}
	}
	return true
}
