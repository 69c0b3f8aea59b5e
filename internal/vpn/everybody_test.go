package vpn_test

import (
	"fmt"
	"testing"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/vpn"
)

// TestEverybodyIsListed: on all pages of all endpoints, but for those who are gone. An endpoint that cannot be listed
// hides nobody else.
func TestEverybodyIsListed(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		for i := range 2500 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: fmt.Sprintf("person%d@example.com", i)})
		}
		cloud.Connect(emulator.Client{EndpointID: certs, CommonName: "erin"})
		cloud.Inject(emulator.Fault{Action: describeConnections, EndpointID: ad, Code: "UnauthorizedOperation"})
		endpoints, err := v.Endpoints(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		seen, failed := map[string]bool{}, []string{}
		for c, err := range v.Everybody(t.Context(), endpoints) {
			if err != nil {
				failed = append(failed, c.EndpointID)
				continue
			}
			seen[c.ID] = true
		}
		if len(seen) != 2501 || len(failed) != 1 || failed[0] != ad {
			t.Errorf("%d seen, %q failed", len(seen), failed)
		}
		for _, err := range v.Everybody(t.Context(), endpoints) {
			if err == nil {
				break // the listings stop
			}
		}
	})
}
