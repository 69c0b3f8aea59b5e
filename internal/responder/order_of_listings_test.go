package responder_test

import (
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
)

// TestLaterListingDoesNotUndoADoubt: the first search shows why nothing may be terminated, but not every endpoint. The
// second shows a connection there that, by itself, would raise no doubt.
func TestLaterListingDoesNotUndoADoubt(t *testing.T) {
	twoNames := whoseTest{
		event: "jumpcloud/user-suspended",
		edit:  edits(`"username": "dave"`, `"username": "jsmith", "email": "john.smith@example.com"`),
	}
	for name, test := range map[string]struct {
		event signal.Signal
		first []emulator.Client
		later emulator.Client
		want  responder.Status
	}{
		"above the limit": {
			about(alice), inManyNames(saml), emulator.Client{EndpointID: ad, Username: "alice"}, responder.OverLimit,
		},
		"a login and another's address": {
			twoNames.signals(t)[0],
			[]emulator.Client{{EndpointID: saml, Username: "jsmith"}, {EndpointID: saml, Username: "john.smith@example.com"}},
			emulator.Client{EndpointID: ad, Username: "jsmith"}, responder.Ambiguous,
		},
	} {
		inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
			for _, k := range append(test.first, test.later) {
				cloud.Connect(k)
			}
			time.Sleep(time.Minute)
			cloud.Inject(emulator.Fault{
				Action: "DescribeClientVpnConnections", EndpointID: ad, Delay: time.Hour, Times: 1,
			})
			o := respond(t, r, changed(test.event, func(s *signal.Signal) { s.Time = time.Now() }))[0]
			if o.Status != test.want || len(up(cloud)) != len(test.first)+1 {
				t.Errorf("%s: %s: %s; still up: %q", name, o.Status, o.Summary, up(cloud))
			}
		})
	}
}
