package responder_test

import (
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
)

// TestSelfTestSaysHowItIs: the mode, endpoints that exist and are not guarded, and when each source was heard last.
func TestSelfTestSaysHowItIs(t *testing.T) {
	remembering(t, func(t *testing.T, c company) {
		c.Mode, c.VPN.EndpointIDs = policy.DryRun, []string{saml}
		if err := c.list.Heard(t.Context(), []string{"okta"}, time.Now()); err != nil {
			t.Fatal(err)
		}
		var got []string
		asked := signal.Signal{ID: "1", Provider: "custom", Kind: signal.SelfTest}
		for _, why := range respond(t, c.Responder, asked)[0].Decision.Reasons {
			got = append(got, why.String())
		}
		said := strings.Join(got, "; ")
		for _, part := range []string{
			"mode dry-run: nobody is cut off", "last heard: okta at ",
			"not guarded, as ENDPOINT_IDS leaves them out: " + ad + ", " + certs,
		} {
			if !strings.Contains(said, part) {
				t.Errorf("%q lacks %q", said, part)
			}
		}
	})
}
