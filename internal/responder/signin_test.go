package responder_test

import (
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
)

// TestSignedInAgainIsSpared: session-revoked at 9:00, she signs in again at 9:05, and the event is delivered again.
// Where a certificate or a cached password suffices, she is cut off, and so is she for an account that is closed.
func TestSignedInAgainIsSpared(t *testing.T) {
	for _, test := range []struct {
		method string
		kind   signal.Kind
		again  bool // the event has arrived before
		want   responder.Status
	}{
		{"federated-authentication", signal.SessionRevoked, true, responder.Notified},
		{"federated-authentication", signal.SessionRevoked, false, responder.Terminated},
		{"certificate-authentication", signal.SessionRevoked, true, responder.Terminated},
		{"directory-service-authentication", signal.SessionRevoked, true, responder.Terminated},
		{"federated-authentication", signal.AccountDisabled, true, responder.Terminated},
	} {
		inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
			cloud.AddEndpoint(emulator.Endpoint{ID: saml, Authentication: []string{test.method}})
			p, err := policy.Parse("policy.yaml", []byte("version: 1\nidentity: {domains: [example.com]}\n"+
				"rules:\n  - {name: all, when: {}, then: terminate}\n"))
			if err != nil {
				t.Fatal(err)
			}
			r.Policy = p
			event := changed(about(alice), func(s *signal.Signal) { s.Kind = test.kind })
			arrived := time.Now()
			time.Sleep(5 * time.Minute)
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
			time.Sleep(5 * time.Minute)
			inv := responder.Invocation{ReceivedAt: time.Now()}
			if test.again {
				inv.Arrivals = []responder.Arrival{{At: arrived}}
			}
			for _, o := range r.Respond(t.Context(), inv, []signal.Signal{event}) {
				if o.Status != test.want {
					t.Errorf("%s, %s, again %t: %s: %s", test.method, test.kind, test.again, o.Status, o.Summary)
				}
			}
		})
	}
}
