package emulator

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

type terminateTest struct {
	name, endpoint, id, user string
	dry                      bool
	code                     string
	status                   int
}

func (test terminateTest) run(t *testing.T, api vpnAPI) {
	in := &ec2.TerminateClientVpnConnectionsInput{ClientVpnEndpointId: &test.endpoint, DryRun: &test.dry}
	if test.id != "" {
		in.ConnectionId = &test.id
	}
	if test.user != "" {
		in.Username = &test.user
	}
	_, err := api.TerminateClientVpnConnections(t.Context(), in)
	wantCode(t, err, test.code, test.status)
}

// TestTerminateRefusals: Terminate refuses what EC2 documents, and a refused request ends nothing.
func TestTerminateRefusals(t *testing.T) {
	c := &Cloud{}
	api := newVPNAPI(serveCloud(t, c))
	for i := range 11 {
		c.Connect(Client{EndpointID: endpointA, Username: []string{"five", "six"}[i%2], CommonName: "x"})
	}
	c.Disconnect(c.Connections()[0].ID) // five of six are left; the other has five
	id := c.Connections()[1].ID
	extra := c.Connect(Client{EndpointID: endpointA, Username: "six"})
	c.Connect(Client{EndpointID: endpointB, Username: "elsewhere"})
	c.Connect(Client{EndpointID: endpointA, CommonName: "device"})
	for _, test := range []terminateTest{
		{"unknown endpoint", "cvpn-endpoint-0", "", "five", false, "InvalidClientVpnEndpointId.NotFound", 400},
		{"both", endpointA, id, "five", false, "InvalidParameterCombination", 400},
		{"neither", endpointA, "", "", false, "MissingParameter", 400},
		{"case", endpointA, "", "Five", false, "InvalidClientVpnConnection.UserNotFound", 400},
		{"part", endpointA, "", "fiv", false, "InvalidClientVpnConnection.UserNotFound", 400},
		{"other endpoint's user", endpointA, "", "elsewhere", false, "InvalidClientVpnConnection.UserNotFound", 400},
		{"other endpoint's id", endpointB, id, "", false, "InvalidClientVpnConnection.IdNotFound", 400},
		{"unknown id", endpointA, "cvpn-connection-0", "", false, "InvalidClientVpnConnection.IdNotFound", 400},
		{"six of a user", endpointA, "", "six", false, "ClientVpnTerminateConnectionsLimitExceeded", 400},
		{"dry run", endpointA, id, "", true, "DryRunOperation", 412},
		{"dry run of an unknown user", endpointA, "", "nobody", true, "DryRunOperation", 412},
		{"dry run without a user", endpointA, "", "", true, "MissingParameter", 400},
		{"dry run at an unknown endpoint", "cvpn-endpoint-0", id, "", true, "InvalidClientVpnEndpointId.NotFound", 400},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.run(t, api)
			last := c.Calls()[len(c.Calls())-1]
			if last.Code != test.code || last.Action != "TerminateClientVpnConnections" {
				t.Errorf("recorded %+v", last)
			}
		})
	}
	if got := statusesOf(c); slices.Contains(got, "terminating") {
		t.Error("a refused request ended something:", got)
	}
	c.Disconnect(extra)
	for _, user := range []string{"five", "six"} {
		out, err := api.endUser(t.Context(), endpointA, user)
		if err != nil || len(out.ConnectionStatuses) != 5 {
			t.Errorf("%s: %+v, %v", user, out, err)
		}
	}
}
