package responder_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
)

// TestNobodySlipsThrough and TestNobodyElseIsTouched in one company: every way in, and every look-alike.
func TestNobodySlipsThroughAndNobodyElseIsTouched(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.PageSize = 5
		for _, k := range []emulator.Client{
			{EndpointID: saml, Username: "alice@example.com"},
			{EndpointID: saml, Username: "Alice@Example.com"},
			{EndpointID: ad, Username: `EXAMPLE\alice`, CommonName: `EXAMPLE\alice`},
			{EndpointID: ad, Username: "ALICE", CommonName: "ALICE"},
			{EndpointID: certs, CommonName: "alice.vpn.example.com"},
			{EndpointID: certs, Username: "N/A", CommonName: "Alice.vpn.example.com"},
		} {
			for i := range 7 {
				cloud.Connect(emulator.Client{EndpointID: k.EndpointID, Username: fmt.Sprintf("other%d", i)})
			}
			cloud.Connect(k)
		}
		others := []emulator.Client{
			{EndpointID: saml, Username: "malice@example.com"},
			{EndpointID: saml, Username: "alice@example.org"},
			{EndpointID: saml, Username: "alice2@example.com"},
			{EndpointID: ad, Username: `OTHER\alice`},
			{
				EndpointID: ad,
				Username:   "",
			},
			{EndpointID: ad, Username: "-"},
			{EndpointID: certs, CommonName: "malice.vpn.example.com"},
			{EndpointID: certs, CommonName: "alice.vpn.example.org"},
			{EndpointID: saml, Username: "breakglass@example.com"},
		}
		for _, k := range others {
			cloud.Connect(k)
		}
		before := len(up(cloud))
		o := respond(t, r, about(alice))[0]
		if o.Status != responder.Terminated || len(o.Connections) != 6 {
			t.Errorf("%s: %s", o.Status, o.Summary)
		}
		left := up(cloud)
		if len(left) != before-6 {
			t.Errorf("%d of %d are left: %q", len(left), before, left)
		}
		for _, k := range others {
			if !slices.Contains(left, k.Username+"/"+k.CommonName) {
				t.Errorf("%s/%s was cut off", k.Username, k.CommonName)
			}
		}
	})
}

// TestLimitSparesAll: of too many names not even one is terminated, and no request is made.
func TestLimitSparesAll(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		for _, name := range tooMany {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: name})
		}
		o := respond(t, r, about(alice))[0]
		if o.Status != responder.OverLimit || len(o.Spared) != len(tooMany) || len(o.Connections) != 0 ||
			actions(cloud)["TerminateClientVpnConnection"] != 0 {
			t.Errorf("%s: %d spared, %d ended, calls %v", o.Status, len(o.Spared), len(o.Connections), actions(cloud))
		}
	})
}

// TestTwentyOneClientsUnderOneCertificate: the limit counts names, so one name is no crowd.
func TestTwentyOneClientsUnderOneCertificate(t *testing.T) {
	for name, client := range map[string]emulator.Client{
		"one certificate": {EndpointID: certs, CommonName: "alice.vpn.example.com"},
		"one user name":   {EndpointID: saml, Username: "alice"},
	} {
		t.Run(name, func(t *testing.T) {
			inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
				r.Policy.MaxConnections = 20
				for range 21 {
					cloud.Connect(client)
				}
				o := respond(t, r, about(alice))[0]
				if o.Status != responder.Terminated || len(o.Connections) != 21 || len(up(cloud)) != 0 {
					t.Errorf("%s: %s; %d up", o.Status, o.Summary, len(up(cloud)))
				}
			})
		})
	}
}

// TestExemptHoldsOnTheNamesFound: the event names a connection, and only the listing shows whose it is.
func TestExemptHoldsOnTheNamesFound(t *testing.T) {
	for _, k := range []emulator.Client{
		{EndpointID: ad, Username: `EXAMPLE\BreakGlass`},
		{EndpointID: certs, CommonName: "breakglass.vpn.example.com"},
		{EndpointID: certs, Username: "alice", CommonName: "breakglass.vpn.example.com"},
	} {
		inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
			id := cloud.Connect(k)
			o := respond(t, r, about(signal.Subject{ConnectionID: id}))[0]
			if o.Status != responder.Exempt || len(o.Spared) != 1 || !strings.Contains(o.Spared[0].Reason, "is exempt") ||
				len(up(cloud)) != 1 {
				t.Errorf("%+v: %s: %s", k, o.Status, o.Summary)
			}
		})
	}
}

// TestSparedConnectionSharesTheName: a call by user name would end the exempt certificate's connection too.
// TestExemptPlacesAreNotTouched: a connection and an endpoint, by their ids, no matter who is connected.
func TestExemptPlacesAreNotTouched(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		kept := cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice@example.com"})
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice@example.com"})
		cloud.Connect(emulator.Client{EndpointID: ad, Username: "alice"})
		p, err := policy.Parse("policy.yaml", []byte(strings.Replace(rules, "exempt: [", "exempt: ["+ad+", "+kept+", ", 1)))
		if err != nil {
			t.Fatal(err)
		}
		r.Policy = p
		o := respond(t, r, about(alice))[0]
		if o.Status != responder.Terminated || len(o.Connections) != 1 || len(o.Spared) != 2 || len(up(cloud)) != 2 {
			t.Errorf("%s, %d ended, %d spared, up %q", o.Status, len(o.Connections), len(o.Spared), up(cloud))
		}
		for _, s := range o.Spared {
			if s.Reason != kept+" is exempt" && s.Reason != ad+" is exempt" {
				t.Error(s.Reason)
			}
		}
		if o := respond(t, r, about(signal.Subject{ConnectionID: kept}))[0]; o.Status != responder.Exempt {
			t.Errorf("asked for itself: %s", o.Status)
		}
	})
}

// TestExemptCertificateIsSpared, and the outcome says everything about it.
func TestExemptCertificateIsSpared(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		for _, cn := range []string{"laptop-1", "breakglass", "laptop-2"} {
			cloud.Connect(emulator.Client{EndpointID: certs, Username: "alice", CommonName: cn})
		}
		o := respond(t, r, about(alice))[0]
		left := up(cloud)
		if !slices.Equal(left, []string{"alice/breakglass"}) || o.Spared[0].Account != "111122223333" ||
			!strings.Contains(o.Summary, "1 VPN connection left alone, as breakglass is exempt") {
			t.Errorf("%s: %s; still up: %q", o.Status, o.Summary, left)
		}
	})
}

// TestRuleActsOnItsEndpointsOnly, names what it leaves, and ignores everything else.
func TestRuleActsOnItsEndpointsOnly(t *testing.T) {
	limited := strings.Replace(rules, "    then: terminate\n", "    then: terminate\n    endpoints: ["+saml+"]\n", 1)
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice@example.com"})
		cloud.Connect(emulator.Client{EndpointID: ad, Username: "alice"})
		p, err := policy.Parse("policy.yaml", []byte(limited))
		if err != nil {
			t.Fatal(err)
		}
		r.Policy = p
		cloud.Inject(
			emulator.Fault{
				Action:     "DescribeClientVpnConnections",
				EndpointID: certs,
				Code:       "UnauthorizedOperation",
				Status:     403,
			},
		)
		o := respond(t, r, about(alice))[0]
		if o.Status != responder.Terminated || len(o.Spared) != 1 ||
			o.Spared[0].Reason != "rule leavers does not act on "+ad ||
			!slices.Equal(up(cloud), []string{"alice/"}) {
			t.Errorf("%s %s, spared %+v, up %q", o.Status, o.Error, o.Spared, up(cloud))
		}
		if o := respond(t, r, about(alice))[0]; o.Status != responder.Notified ||
			!strings.Contains(o.Summary, "does not act on") {
			t.Errorf("%s: %s", o.Status, o.Summary)
		}
	})
}

func TestSparedConnectionSharesTheName(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		for _, cn := range []string{"laptop-1", "breakglass", "laptop-2"} {
			cloud.Connect(emulator.Client{EndpointID: certs, Username: "alice", CommonName: cn})
		}
		o := respond(t, r, about(alice))[0]
		if left := up(
			cloud,
		); o.Status != responder.Terminated || len(o.Spared) != 1 ||
			!slices.Equal(left, []string{"alice/breakglass"}) {
			t.Errorf("%s: %s; still up: %q", o.Status, o.Summary, left)
		}
	})
}

// TestAddressOfTwoPeopleEndsNobody: the same client address on two endpoints that keep it.
func TestAddressOfTwoPeopleEndsNobody(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.AddEndpoint(emulator.Endpoint{ID: ad, TransitGateway: "tgw-0123456789abcdef0"})
		cloud.Connect(emulator.Client{EndpointID: ad, Username: "alice", ClientIP: "10.30.0.10"})
		cloud.Connect(emulator.Client{EndpointID: certs, CommonName: "carol", ClientIP: "10.30.0.10"})
		o := respond(t, r, about(signal.Subject{ClientIP: "10.30.0.10"}))[0]
		if o.Status != responder.Ambiguous || len(up(cloud)) != 2 {
			t.Errorf("%s: %s", o.Status, o.Summary)
		}
	})
}

// TestAddressOfSomebodyWithoutANameIsEnded: one connection is no two people, also where its names are nobody's.
func TestAddressOfSomebodyWithoutANameIsEnded(t *testing.T) {
	for _, k := range []emulator.Client{{}, {Username: "*"}, {Username: "N/A", CommonName: "-"}} {
		inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
			k.EndpointID, k.ClientIP = certs, "10.30.0.10"
			cloud.Connect(k)
			o := respond(t, r, about(signal.Subject{ClientIP: k.ClientIP}))[0]
			if o.Status != responder.Terminated || len(up(cloud)) != 0 {
				t.Errorf("%+v: %s: %s", k, o.Status, o.Summary)
			}
		})
	}
}

// TestAddressThatAnotherMayHoldEndsNobody: the other holder is exempt, or on an endpoint that could not be listed.
func TestAddressThatAnotherMayHoldEndsNobody(t *testing.T) {
	onCertsOnly := strings.Replace(rules, "    then: terminate\n", "    then: terminate\n    endpoints: ["+certs+"]\n", 1)
	for _, test := range []struct {
		rules, deny string
		status      responder.Status
	}{
		{rules, "", responder.Ambiguous},
		{rules, ad, responder.Failed},
		{onCertsOnly, "", responder.Notified},
		{onCertsOnly, ad, responder.Failed},
	} {
		inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
			p, err := policy.Parse("policy.yaml", []byte(test.rules))
			if err != nil {
				t.Fatal(err)
			}
			r.Policy = p
			cloud.AddEndpoint(emulator.Endpoint{ID: ad, TransitGateway: "tgw-0123456789abcdef0"})
			cloud.Connect(emulator.Client{EndpointID: ad, Username: "breakglass", ClientIP: "10.30.0.10"})
			cloud.Connect(emulator.Client{EndpointID: certs, Username: "bob", ClientIP: "10.30.0.10"})
			if test.deny != "" {
				cloud.Deny("ec2:DescribeClientVpnConnections", test.deny)
			}
			o := respond(t, r, about(signal.Subject{ClientIP: "10.30.0.10"}))[0]
			if left := up(cloud); o.Status != test.status && o.Status != responder.Exempt || len(left) != 2 {
				t.Errorf("%s: %s; still up: %q", o.Status, o.Summary, left)
			}
		})
	}
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.AddEndpoint(emulator.Endpoint{ID: ad, TransitGateway: "tgw-0123456789abcdef0"})
		cloud.Connect(emulator.Client{EndpointID: ad, Username: `EXAMPLE\bob`, ClientIP: "10.30.0.10"})
		cloud.Connect(emulator.Client{EndpointID: certs, CommonName: "bob.vpn.example.com", ClientIP: "10.30.0.10"})
		if o := respond(t, r, about(signal.Subject{ClientIP: "10.30.0.10"}))[0]; o.Status != responder.Terminated ||
			len(up(cloud)) != 0 {
			t.Errorf("one person on two endpoints: %s: %s", o.Status, o.Summary)
		}
	})
}

// TestAddressThatWasAnothersThenEndsNobody: who connected after the event has the address of somebody who left.
func TestAddressThatWasAnothersThenEndsNobody(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		s := about(signal.Subject{ClientIP: "10.30.0.10"})
		time.Sleep(time.Hour)
		cloud.Connect(emulator.Client{EndpointID: certs, Username: "carol", ClientIP: "10.30.0.10"})
		o := respond(t, r, s)[0]
		if o.Status != responder.Ambiguous || len(up(cloud)) != 1 {
			t.Errorf("%s: %s; still up: %q", o.Status, o.Summary, up(cloud))
		}
	})
}

// TestAddressIsNotLostBetweenListings: the first shows its holder, but not all endpoints; the second shows the
// others, but not its holder.
func TestAddressIsNotLostBetweenListings(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: certs, Username: "dave", ClientIP: "10.30.0.10"})
		cloud.Inject(emulator.Fault{Action: "DescribeClientVpnConnections", EndpointID: ad, Delay: time.Hour, Times: 1})
		cloud.Inject(
			emulator.Fault{Action: "DescribeClientVpnConnections", EndpointID: certs, Delay: time.Hour, After: 1, Times: 1},
		)
		if o := respond(t, r, about(signal.Subject{ClientIP: "10.30.0.10"}))[0]; o.Status != responder.Terminated ||
			len(up(cloud)) != 0 {
			t.Errorf("%s: %s (%s); still up: %q", o.Status, o.Summary, o.Error, up(cloud))
		}
	})
}

// TestTooManyFoundLate: an endpoint that hung at first has more names than the limit; those found before have
// ended.
func TestTooManyFoundLate(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		for _, name := range tooMany {
			cloud.Connect(emulator.Client{EndpointID: ad, Username: name})
		}
		time.Sleep(time.Minute)
		cloud.Inject(emulator.Fault{Action: "DescribeClientVpnConnections", EndpointID: ad, Delay: time.Hour, Times: 1})
		o := respond(t, r, about(alice))[0]
		if o.Status != responder.Partial || len(up(cloud)) != len(tooMany) ||
			!strings.Contains(o.Error, "more than max_connections") {
			t.Errorf("%s: %s (%s)", o.Status, o.Summary, o.Error)
		}
	})
}

// TestAddressLeadsToItsHolderThen: alice scans at 10:00 and hangs up, bob gets the address, and an analyst sends our
// own form. Bob stays, and the outcome names alice. Who had the address before her is not named.
func TestAddressLeadsToItsHolderThen(t *testing.T) {
	for _, taken := range []bool{false, true} {
		inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
			const address = "10.30.0.10"
			hold := func(name string) string {
				time.Sleep(time.Minute)
				return cloud.Connect(emulator.Client{EndpointID: certs, Username: name, ClientIP: address})
			}
			leave := func(id string) {
				time.Sleep(time.Minute)
				cloud.Disconnect(id)
			}
			leave(hold("zoe"))
			first := hold("alice")
			time.Sleep(10 * time.Second)
			seen := time.Now()
			leave(first)
			if taken {
				hold("bob")
			}
			time.Sleep(10 * time.Minute)
			s := about(signal.Subject{ClientIP: address, SeenAt: seen})
			s.Kind, s.Provider = signal.Finding, signal.Custom
			o := respond(t, r, s)[0]
			want, left := responder.NotConnected, "[]"
			if taken {
				want, left = responder.Ambiguous, "[bob/]"
			}
			if o.Status != want || fmt.Sprint(up(cloud)) != left {
				t.Errorf("%s: %s; still up: %q", o.Status, o.Summary, up(cloud))
			}
			why := strings.Join(policy.Words(o.Decision.Reasons), "; ")
			if !strings.Contains(why, "by alice, "+first) || strings.Contains(why, "zoe") {
				t.Error(why)
			}
		})
	}
}
