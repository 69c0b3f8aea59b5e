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
		want   responder.Status
	}{
		{"federated-authentication", signal.SessionRevoked, responder.Notified},
		{"certificate-authentication", signal.SessionRevoked, responder.Terminated},
		{"directory-service-authentication", signal.SessionRevoked, responder.Terminated},
		{"federated-authentication", signal.AccountDisabled, responder.Terminated},
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
			time.Sleep(5 * time.Minute)
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
			time.Sleep(5 * time.Minute)
			if o := respond(t, r, event)[0]; o.Status != test.want {
				t.Errorf("%s, %s: %s: %s", test.method, test.kind, o.Status, o.Summary)
			}
		})
	}
}
