package responder_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/vpn"
)

// TestSelfTestSaysWhatIsMissing: it proves that somebody could be cut off, ends nobody, and names action and resource.
func TestSelfTestSaysWhatIsMissing(t *testing.T) {
	test := signal.Signal{ID: "1", Provider: "custom", Kind: signal.SelfTest, Type: "Self Test"}
	for name, c := range map[string]struct {
		prepare func(*emulator.Cloud, *responder.Responder)
		want    []string // parts of summary and error; none for ready
	}{
		"ready":   {prepare: func(*emulator.Cloud, *responder.Responder) {}},
		"dry-run": {prepare: func(_ *emulator.Cloud, r *responder.Responder) { r.Mode = policy.DryRun }},
		"may not end on one": {
			func(cloud *emulator.Cloud, _ *responder.Responder) {
				cloud.Deny("ec2:TerminateClientVpnConnections", ad)
			},
			[]string{"missing permission ec2:TerminateClientVpnConnections on client-vpn-endpoint/" + ad},
		},
		"may not list": {
			func(cloud *emulator.Cloud, _ *responder.Responder) {
				cloud.Deny("ec2:DescribeClientVpnConnections", "")
			},
			[]string{
				"missing permission ec2:DescribeClientVpnConnections on client-vpn-endpoint/" + saml,
				"2 more problems", ad, certs,
			},
		},
		"may not find": {
			func(cloud *emulator.Cloud, _ *responder.Responder) { cloud.Deny("ec2:DescribeClientVpnEndpoints", "") },
			[]string{"missing permission ec2:DescribeClientVpnEndpoints"},
		},
		"nothing to guard": {
			func(cloud *emulator.Cloud, _ *responder.Responder) { cloud.Reset() },
			[]string{"there is no Client VPN endpoint"},
		},
		"an endpoint that is gone": {
			func(_ *emulator.Cloud, r *responder.Responder) {
				r.VPN.EndpointIDs = []string{saml, "cvpn-endpoint-0000000000000dead"}
			},
			[]string{"cvpn-endpoint-0000000000000dead", "InvalidClientVpnEndpointId.NotFound"},
		},
		"no policy": {func(_ *emulator.Cloud, r *responder.Responder) {
			r.PolicyError = errors.New("policy.yaml:1:1: unreadable")
		}, []string{"policy.yaml:1:1: unreadable"}},
	} {
		inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
			c.prepare(cloud, r)
			before := up(cloud)
			o := respond(t, r, test)[0]
			want := responder.Ready
			if len(c.want) > 0 {
				want = responder.NotReady
			}
			if o.Status != want || o.Incomplete() || (o.Error != "") != (want == responder.NotReady) ||
				!slices.Equal(before, up(cloud)) {
				t.Errorf("%s: %s %q %q", name, o.Status, o.Summary, o.Error)
			}
			for _, words := range c.want {
				if !strings.Contains(o.Summary+o.Error, words) {
					t.Errorf("%s: no word of %q in %q, %q", name, words, o.Summary, o.Error)
				}
			}
			const ready = "Ready: 3 endpoints of this account and Region can be listed, and connections terminated there."
			if name == "ready" && o.Summary != ready {
				t.Error(o.Summary)
			}
		})
	}
}

// TestSelfTestOfKeepOut: it is ready if the list can be read and written, and every endpoint asks.
func TestSelfTestOfKeepOut(t *testing.T) {
	selfTest := signal.Signal{ID: "1", Provider: signal.Custom, Kind: signal.SelfTest, Type: "Self Test"}
	for _, test := range []struct {
		name    string
		prepare func(t *testing.T, c company)
		says    string // empty for ready
	}{
		{"all is well", func(*testing.T, company) {}, ""},
		{
			"may not write", func(t *testing.T, c company) { c.Deny("dynamodb:UpdateItem", "") },
			"missing permission dynamodb:UpdateItem on table/keepout",
		},
		{
			"may not read", func(t *testing.T, c company) { c.Deny("dynamodb:BatchGetItem", "") },
			"missing permission dynamodb:BatchGetItem on table/keepout",
		},
		{
			"an endpoint does not ask",
			func(t *testing.T, c company) { c.AddEndpoint(emulator.Endpoint{ID: ad, NoConnectHandler: true}) },
			"no client connect handler is attached to " + ad + ", so nobody is kept out there",
		},
		{"an endpoint elsewhere does not ask", func(t *testing.T, c company) {
			elsewhere := &emulator.Cloud{Region: "eu-west-2"}
			elsewhere.AddEndpoint(emulator.Endpoint{ID: "cvpn-endpoint-00000000000000009"})
			here, stopHere := emulator.HTTPClient(c.Cloud)
			there, stopThere := emulator.HTTPClient(elsewhere)
			t.Cleanup(stopHere)
			t.Cleanup(stopThere)
			place := vpn.Account{Region: "eu-west-2", Config: config(there)}
			place.Config.Region = place.Region
			c.VPN = vpn.New(config(here), nil, place)
		}, ""},
		{"keep-out is off", func(t *testing.T, c company) { c.KeepOut, c.ConnectHandler = nil, nil }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			keepingPeopleOut(t, func(t *testing.T, c company) {
				c.ConnectHandler = c.asks(t)
				test.prepare(t, c)
				o := respond(t, c.Responder, selfTest)[0]
				want := map[bool]responder.Status{true: responder.Ready, false: responder.NotReady}[test.says == ""]
				if o.Status != want || !strings.Contains(o.Error, test.says) {
					t.Errorf("%s: %s\n%s", o.Status, o.Summary, o.Error)
				}
				if kept := c.kept(t); kept != "" {
					t.Errorf("it put %q on the list", kept)
				}
			})
		})
	}
}

// TestSelfTestSaysWhomEachEndpointCarries: by its authentication, and the issuers that the policy binds. It also says
// what an edit of identity changed for people who are kept out.
func TestSelfTestSaysWhomEachEndpointCarries(t *testing.T) {
	keepingPeopleOut(t, func(t *testing.T, c company) {
		for id, kinds := range map[string][]string{
			saml: {"federated-authentication"}, ad: {"directory-service-authentication", "certificate-authentication"},
			certs: {"certificate-authentication"},
		} {
			c.AddEndpoint(emulator.Endpoint{
				ID: id, Authentication: kinds, SAMLProvider: "arn:aws:iam::111122223333:saml-provider/okta",
				Directory: "d-9367123456",
			})
		}
		asmith := about(signal.Subject{Usernames: []string{"asmith"}})
		c.Policy = parsed(t, strings.Replace(keepingOut, "aliases: {", "aliases: {asmith: alice, ", 1))
		respond(t, c.Responder, asmith)
		bound := "endpoints: {\"okta:acme\": [" + saml + "]}\n  aliases: {"
		c.Policy = parsed(t, strings.Replace(keepingOut, "aliases: {", bound, 1))
		test := signal.Signal{ID: "2", Provider: signal.Custom, Kind: signal.SelfTest, Type: "Self Test"}
		o := respond(t, c.Responder, test)[0]
		said := strings.Join(policy.Words(o.Decision.Reasons), "\n")
		for _, want := range []string{
			saml + ": federated-authentication by arn:aws:iam::111122223333:saml-provider/okta, " +
				"so people are known by user name; identity.endpoints has people of okta:acme here",
			ad + ": directory-service-authentication by d-9367123456 and certificate-authentication by arn:",
			"so people are known by user name; with a certificate as well, which may be the device's; " +
				"identity.endpoints has people of okta:acme elsewhere only",
			"so people are known by common name of the certificate; identity.endpoints has",
			"the keep-out list has alice for an event about asmith, whom identity makes asmith by now; both are denied",
		} {
			if !strings.Contains(said, want) {
				t.Errorf("%s: no %q in\n%s", o.Status, want, said)
			}
		}
	})
}
