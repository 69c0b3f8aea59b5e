package responder_test

import (
	"fmt"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
)

// TestNeighboursDoNotWaitForACrowd: one event names a hundred people, whom EC2's limits let end in ten seconds. The
// person of the next event is cut off at once, and the outcome comes before the crowd's.
func TestNeighboursDoNotWaitForACrowd(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Limits = emulator.DocumentedLimits()
		r.Watch = 0
		var signals []signal.Signal
		for i := range 100 {
			name := fmt.Sprint("user", i)
			cloud.Connect(emulator.Client{EndpointID: saml, Username: name})
			signals = append(signals, about(signal.Subject{Usernames: []string{name}}))
		}
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		signals = append(signals, changed(about(alice), func(s *signal.Signal) { s.ID = "neighbour" }))
		start := time.Now()
		first := -1
		var alices, last responder.Outcome
		for i, o := range r.Respond(t.Context(), responder.Invocation{ReceivedAt: start}, signals) {
			if first < 0 {
				first = i
			}
			if last = o; i == 100 {
				alices = o
			}
		}
		if took := alices.Timing.RequestedAt.Sub(start); first != 100 || took > 2*time.Second {
			t.Errorf("alice was cut off after %s, and the first outcome is that of signal %d", took, first)
		}
		if took := last.Timing.RequestedAt.Sub(start); took < 8*time.Second || len(up(cloud)) != 0 {
			t.Errorf("the crowd was cut off after %s; still up: %q", took, up(cloud))
		}
	})
}
