package responder_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
)

// TestEndpointThatHangsHoldsNobodyUp: the others' connections are ended long before the time is up, and when it answers
// again, its own are.
func TestEndpointThatHangsHoldsNobodyUp(t *testing.T) {
	for _, times := range []int{1, 0} {
		inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
			cloud.Inject(emulator.Fault{Action: "DescribeClientVpnConnections", EndpointID: ad, Delay: time.Hour, Times: times})
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
			cloud.Connect(emulator.Client{EndpointID: ad, Username: "alice"})
			time.Sleep(time.Minute)
			start := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 140*time.Second)
			defer cancel()
			o := respondWithin(ctx, t, r, about(alice))[0]
			ended := cloud.Connections()[0].EndedAt
			if ended.IsZero() || ended.Sub(start) > 25*time.Second {
				t.Errorf("alice's connection on the other endpoint ended at %v, %v after the start", ended, ended.Sub(start))
			}
			if again := cloud.Connections()[1].EndedAt; times == 1 && again.Sub(start) > 30*time.Second {
				t.Errorf("the one there ended %v after the start", again.Sub(start))
			}
			want, left := responder.Terminated, 0
			if times == 0 {
				want, left = responder.Partial, 1
			}
			if o.Status != want || len(up(cloud)) != left || strings.Contains(o.Summary, "econnected") {
				t.Errorf("%d times: %s: %s (%s)", times, o.Status, o.Summary, o.Error)
			}
		})
	}
}

// TestEndpointThatHungIsListedAgain: the person is there and nowhere else; a refusal would be final.
func TestEndpointThatHungIsListedAgain(t *testing.T) {
	for _, test := range []struct {
		fault    emulator.Fault
		status   responder.Status
		listings int
	}{
		{emulator.Fault{Delay: time.Hour, Times: 1}, responder.Terminated, 2},
		{emulator.Fault{Code: "UnauthorizedOperation", Status: 403}, responder.Failed, 1},
	} {
		inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
			r.Watch = 0
			test.fault.Action, test.fault.EndpointID = "DescribeClientVpnConnections", ad
			cloud.Inject(test.fault)
			cloud.Connect(emulator.Client{EndpointID: ad, Username: "alice"})
			o := respond(t, r, about(alice))[0]
			listings := 0
			for _, c := range cloud.Calls() {
				if c.Action == "DescribeClientVpnConnections" && c.Params.Get("ClientVpnEndpointId") == saml {
					listings++
				}
			}
			if o.Status != test.status || listings != test.listings {
				t.Errorf("%s: %s, after %d listings", o.Status, o.Summary, listings)
			}
		})
	}
}

// TestAddressTroubleIsNotEverybodys: where the endpoints are configured, only an address needs them described.
func TestAddressTroubleIsNotEverybodys(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		r.VPN.EndpointIDs = []string{saml, certs}
		cloud.Deny("ec2:DescribeClientVpnEndpoints", "")
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		outcomes := respond(t, r, about(signal.Subject{ClientIP: "10.30.0.10"}), about(alice))
		if a, b := outcomes[0], outcomes[1]; a.Status != responder.Failed || b.Status != responder.Terminated {
			t.Errorf("%s: %s; %s: %s", a.Status, a.Summary, b.Status, b.Summary)
		}
	})
}

// TestEndpointsThatAreNotAllToldAreNotAll: what a failed page of endpoints hides does not count as absent.
func TestEndpointsThatAreNotAllToldAreNotAll(t *testing.T) {
	for _, test := range []struct {
		subject signal.Subject
		status  responder.Status
		left    int
	}{
		{signal.Subject{Usernames: []string{"dave"}}, responder.Failed, 2},
		{signal.Subject{Usernames: []string{"alice"}}, responder.Partial, 1},
		{signal.Subject{ClientIP: "10.30.0.10"}, responder.Failed, 2},
	} {
		inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
			cloud.AddEndpoint(emulator.Endpoint{ID: saml, TransitGateway: "tgw-0123456789abcdef0"})
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice", ClientIP: "10.30.0.10"})
			cloud.Connect(emulator.Client{EndpointID: certs, Username: "dave", ClientIP: "10.30.0.10"})
			cloud.PageSize = 2
			cloud.Inject(
				emulator.Fault{Action: "DescribeClientVpnEndpoints", After: 1, Code: "UnauthorizedOperation", Status: 403},
			)
			time.Sleep(time.Minute)
			o := respond(t, r, about(test.subject))[0]
			if o.Status != test.status || len(up(cloud)) != test.left ||
				!strings.Contains(o.Error, "ec2:DescribeClientVpnEndpoints") {
				t.Errorf("%s: %s: %s; still up: %q", test.subject, o.Status, o.Summary, up(cloud))
			}
		})
	}
}

// TestOneListingServesTheBatch, one request ends what two signals lead to, and both tell of it.
func TestOneListingServesTheBatch(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		r.Watch = 0
		for _, name := range []string{"alice", "bob", "carol"} {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: name})
		}
		var signals []signal.Signal
		for _, name := range []string{"alice", "bob", "alice@example.com", "dave"} {
			signals = append(signals, about(signal.Subject{Usernames: []string{name}}))
		}
		var got []string
		for _, o := range respond(t, r, signals...) {
			got = append(got, string(o.Status))
		}
		if !slices.Equal(got, []string{"terminated", "terminated", "terminated", "not-connected"}) {
			t.Errorf("%q", got)
		}
		if left := up(cloud); !slices.Equal(left, []string{"carol/"}) {
			t.Errorf("still up: %q", left)
		}
		counts := actions(cloud)
		looks := counts["DescribeClientVpnConnection"] - 3
		if counts["DescribeClientVpnEndpoint"] != 1 || counts["TerminateClientVpnConnection"] != 2 || looks < 1 {
			t.Errorf("%v", counts)
		}
	})
}

// TestFewestCalls: one person with one connection on one of three endpoints takes three listings and one termination.
func TestFewestCalls(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		r.VPN.EndpointIDs = []string{saml, ad, certs}
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		respond(t, r, about(alice))
		var until []string
		for _, c := range cloud.Calls() {
			until = append(until, c.Action)
			if c.Action == "TerminateClientVpnConnections" {
				break
			}
		}
		if len(until) != 4 || actions(cloud)["DescribeClientVpnEndpoint"] != 0 ||
			actions(cloud)["TerminateClientVpnConnection"] != 1 {
			t.Errorf("%q, in all %v", until, actions(cloud))
		}
		t.Logf("calls: %v", actions(cloud))
	})
}

// TestRepeatEndsNothingTwice: the second delivery asks EC2 to end nothing, and says that the end was before.
func TestRepeatEndsNothingTwice(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		respond(t, r, about(alice))
		o := respond(t, r, about(alice))[0]
		if o.Status != responder.NotConnected ||
			!strings.Contains(o.Summary, "1 VPN connection ended within the last hour") ||
			actions(cloud)["TerminateClientVpnConnection"] != 1 {
			t.Errorf("%s: %s; calls %v", o.Status, o.Summary, actions(cloud))
		}
	})
}
