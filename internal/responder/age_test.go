package responder_test

import (
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
)

// TestSwitchedOffIsADryRun: nobody is cut off, put on the list, or asked about twice. The outcome says who switched
// everything off.
func TestSwitchedOffIsADryRun(t *testing.T) {
	remembering(t, func(t *testing.T, c company) {
		c.connect("alice")
		if err := c.list.SwitchOff(t.Context(), "ops"); err != nil {
			t.Fatal(err)
		}
		o := respond(t, c.Responder, about(alice))[0]
		if o.Status != responder.WouldTerminate || c.up() != 1 || c.kept(t) != "" ||
			!strings.Contains(strings.Join(policy.Words(o.Decision.Reasons), " "), "ops") {
			t.Errorf("%s: %s; %d up, kept out %q", o.Status, o.Summary, c.up(), c.kept(t))
		}
	})
}

// TestOldEvents: an event may wait in a queue for so long. An older one is only reported, unless the rule names a
// longer age.
func TestOldEvents(t *testing.T) {
	aged := strings.Replace(keepingOut, "account-purged]}", "account-purged], max_age: 2000h}", 1)
	for name, test := range map[string]struct {
		document string
		age      time.Duration
		want     responder.Status
	}{
		"within it":            {keepingOut, policy.GreatestAge - time.Hour, responder.Terminated},
		"above it":             {keepingOut, policy.GreatestAge + time.Hour, responder.Stale},
		"above it, the rule's": {aged, policy.GreatestAge + time.Hour, responder.Terminated},
		"above the rule's":     {aged, 2001 * time.Hour, responder.Stale},
	} {
		remembering(t, func(t *testing.T, c company) {
			c.Policy = parsed(t, test.document)
			c.connect("alice")
			s := dated(about(alice), time.Now().Add(-test.age))
			o := respond(t, c.Responder, s)[0]
			if o.Status != test.want || (c.up() == 0) != (test.want == responder.Terminated) {
				t.Errorf("%s: %s: %s", name, o.Status, o.Summary)
			}
		})
	}
}

// TestReinstatementThatIsHeldBackCancelsNothing: it takes effect tomorrow, and the closing beside it holds.
func TestReinstatementThatIsHeldBackCancelsNothing(t *testing.T) {
	remembering(t, func(t *testing.T, c company) {
		c.connect("alice")
		closed := about(alice)
		time.Sleep(time.Minute)
		tomorrow := changed(reinstated(alice), func(s *signal.Signal) { s.EffectiveAt = time.Now().Add(24 * time.Hour) })
		o := respond(t, c.Responder, closed, tomorrow)[0]
		if o.Status != responder.Terminated || c.up() != 0 {
			t.Errorf("%s: %s", o.Status, o.Summary)
		}
	})
}

// TestOldClosingThatTheSweepFoundIsDone: the sweep says that it is still true, however long ago it was.
func TestOldClosingThatTheSweepFoundIsDone(t *testing.T) {
	remembering(t, func(t *testing.T, c company) {
		c.connect("alice")
		signals, err := signal.Parse([]byte(`{"id": "s1", "source": "clientvpn-responder.sweep",
			"detail-type": "Still Connected", "account": "111122223333", "time": "2000-01-01T00:00:00Z", "region": "eu-west-1",
			"detail": {"username": "alice@example.com", "issuer": "okta", "kind": "account-disabled",
			"closed_at": "1999-06-01T00:00:00Z", "closed_by": "okta 1", "reason": "okta closed the account"}}`))
		if err != nil {
			t.Fatal(err)
		}
		if o := respond(t, c.Responder, signals[0])[0]; o.Status != responder.Terminated || c.up() != 0 {
			t.Errorf("%s: %s", o.Status, o.Summary)
		}
	})
}
