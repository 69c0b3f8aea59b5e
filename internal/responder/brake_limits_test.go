package responder_test

import (
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
)

// TestBrakeThatIsOffHoldsNobody: the policy says so in words.
func TestBrakeThatIsOffHoldsNobody(t *testing.T) {
	remembering(t, func(t *testing.T, c company) {
		c.Policy = parsed(t, keepingOut+"brake: off\n")
		if got := statuses(respond(t, c.Responder, leavers(c, 0, 40)...)); got != "40 terminated" {
			t.Error(got)
		}
	})
}

// TestConnectionCountsLikeAPerson: our own form may name connections in place of people.
func TestConnectionCountsLikeAPerson(t *testing.T) {
	remembering(t, func(t *testing.T, c company) {
		var all []signal.Signal
		for _, s := range leavers(c, 0, 40) {
			all = append(all, signal.Signal{Provider: signal.Custom, Kind: signal.SessionRevoked, ID: s.ID, Time: time.Now()})
		}
		for i, connection := range c.Connections() {
			all[i].Subject = signal.Subject{ConnectionID: connection.ID}
		}
		if got := statuses(respond(t, c.Responder, all...)); got != "40 held" || c.up() != 40 {
			t.Errorf("%s, %d up", got, c.up())
		}
	})
}

// TestConnectionWhereTheRuleDoesNotActIsNoReasonToLookAway: the person is connected there, and is watched elsewhere.
func TestConnectionWhereTheRuleDoesNotActIsNoReasonToLookAway(t *testing.T) {
	remembering(t, func(t *testing.T, c company) {
		c.Policy = parsed(t, strings.ReplaceAll(rules, "then: terminate", "then: terminate\n    endpoints: ["+saml+"]"))
		c.Connect(emulator.Client{EndpointID: ad, Username: "alice"})
		c.elsewhere(t, 5*time.Second, func(other company) {
			other.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		})
		o := respond(t, c.Responder, about(alice))[0]
		if o.Status != responder.Terminated || len(o.Connections) != 1 || len(o.Spared) != 1 || c.up() != 1 {
			t.Errorf("%s: %s; %d up", o.Status, o.Summary, c.up())
		}
	})
}
