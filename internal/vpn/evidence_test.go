package vpn_test

import (
	"fmt"
	"strings"
	"testing"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/vpn"
)

// TestSimilarNamesAreEvidenceOnly: the search yields them beside the matches, bounded, and counts every row.
func TestSimilarNamesAreEvidenceOnly(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		for i := range 2000 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: fmt.Sprintf("alice@domain%d.example", i)})
		}
		cloud.Connect(emulator.Client{EndpointID: certs, CommonName: "Alyce" + strings.Repeat("\u0301", 300)})
		cloud.Connect(emulator.Client{EndpointID: certs, Username: "alise", CommonName: "bob"})
		for batch := range v.Search(t.Context(), []vpn.Endpoint{{ID: saml}, {ID: certs}},
			[]vpn.Target{{Names: []string{"alice@example.com"}}, {Names: []string{"bob"}}}) {
			if !batch.Last {
				t.Fatal("a batch comes early")
			}
			if batch.Looked[saml] != 2000 || batch.Looked[certs] != 2 {
				t.Errorf("looked at %v", batch.Looked)
			}
			if len(batch.Matches) != 1 || batch.Matches[0].Target != 1 {
				t.Errorf("matches: %+v", batch.Matches)
			}
			if n := len(batch.Similar); n != 5 || batch.Similar[0].Name != "alice@domain0.example" {
				t.Errorf("%d similar: %+v", n, batch.Similar)
			}
		}
	})
}
