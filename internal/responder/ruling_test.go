package responder_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/held"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
)

// braking runs a test in a company whose brake holds 30 events of Okta. The queue of held events has some of them.
func braking(t *testing.T, test func(t *testing.T, c company, queues *emulator.Cloud)) {
	remembering(t, func(t *testing.T, c company) {
		queues := &emulator.Cloud{}
		client, stop := emulator.HTTPClient(queues)
		defer stop()
		q := held.New(config(client), queues.AddQueue("held"), queues.AddQueue("events"))
		c.Held = q
		for _, err := range q.Hold(t.Context(), []held.Event{
			{Body: "1", Lane: "okta", People: []string{"person1"}}, {Body: "2", Lane: "okta", People: []string{"person2"}},
			{Body: "3", Lane: "duo", People: []string{"person1"}},
			{Body: "4", Lane: "okta", People: []string{"breakglass@example.com"}},
		}) {
			if err != nil {
				t.Fatal(err)
			}
		}
		if got := statuses(respond(t, c.Responder, leavers(c, 0, 30)...)); got != "30 held" {
			t.Fatal(got)
		}
		test(t, c, queues)
	})
}

// ruling is a person's decision about a source's events, and those of some people.
func ruling(kind signal.Kind, source string, people ...string) signal.Signal {
	return signal.Signal{
		Provider: signal.Custom, Kind: kind, ID: "r1", Type: "ruling", Reason: "checked", RequestedBy: "carol",
		Time: time.Now(), Scope: &signal.Scope{Source: source, People: people},
	}
}

// queued returns the bodies in a queue, in order.
func queued(cloud *emulator.Cloud, queue string) string {
	var all []string
	for _, m := range cloud.Queued(queue) {
		all = append(all, m.Body)
	}
	slices.Sort(all)
	return strings.Join(all, "")
}

// TestRulingIsAboutItsEventsAlone: those of a source, or of some people, exempt or not. A name never means everybody.
func TestRulingIsAboutItsEventsAlone(t *testing.T) {
	for _, test := range []struct {
		source, person string
		left           string
		status         responder.Status
	}{
		{"all", "", "", responder.Notified},
		{"okta", "", "3", responder.Notified},
		{"okta", "Person1@Example.com", "234", responder.Notified},
		{"all", "person1", "24", responder.Notified},
		{"okta", "breakglass@example.com", "123", responder.Notified},
		{"okta", "nobody", "1234", responder.Notified},
		{"elsewhere", "", "1234", responder.Unmapped},
	} {
		for _, kind := range []signal.Kind{signal.ReleaseHeld, signal.DropHeld} {
			braking(t, func(t *testing.T, c company, queues *emulator.Cloud) {
				s := ruling(kind, test.source)
				if test.person != "" {
					s.Scope.People = []string{test.person}
				}
				o := respond(t, c.Responder, s)[0]
				if left := queued(queues, "held"); left != test.left || o.Status != test.status {
					t.Errorf("%s of %s, %s: %s left, %s: %s", kind, test.source, test.person, left, o.Status, o.Summary)
				}
				if sent := queued(queues, "events"); (sent != "") != (kind == signal.ReleaseHeld && test.left != "1234") {
					t.Errorf("%s of %s, %s: %s is sent", kind, test.source, test.person, sent)
				}
			})
		}
	}
}

// TestRulingThatFailsIsTriedAgain: the queue or the ledger does not do it. Where no record is made, no event moves.
func TestRulingThatFailsIsTriedAgain(t *testing.T) {
	for action, table := range map[string]bool{"sqs:ReceiveMessage": false, "dynamodb:UpdateItem": true} {
		braking(t, func(t *testing.T, c company, queues *emulator.Cloud) {
			queues.Deny(action, "")
			c.Deny(action, "")
			o := respond(t, c.Responder, ruling(signal.DropHeld, "okta"))[0]
			if o.Status != responder.Failed || !o.Incomplete() || table && queued(queues, "held") != "1234" {
				t.Errorf("%s: %s: %s", action, o.Status, o.Summary)
			}
		})
	}
}

// TestRulingAboutSomeLetsNobodyElseThrough: the brake still holds others who come later. After a drop it counts anew.
func TestRulingAboutSomeLetsNobodyElseThrough(t *testing.T) {
	for _, test := range []struct {
		ruling signal.Signal
		want   string
	}{
		{ruling(signal.ReleaseHeld, "okta", "person1"), "1 held"},
		{ruling(signal.ReleaseHeld, "duo"), "1 held"},
		{ruling(signal.ReleaseHeld, "okta"), "1 terminated"},
		{ruling(signal.DropHeld, "okta"), "1 terminated"},
	} {
		braking(t, func(t *testing.T, c company, _ *emulator.Cloud) {
			respond(t, c.Responder, test.ruling)
			time.Sleep(time.Minute)
			if got := statuses(respond(t, c.Responder, leavers(c, 99, 1)...)); got != test.want {
				t.Errorf("after %s of %+v: %s, want %s", test.ruling.Kind, test.ruling.Scope, got, test.want)
			}
		})
	}
}
