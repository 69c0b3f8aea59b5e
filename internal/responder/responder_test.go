package responder_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/schema"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/vpn"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const (
	saml  = "cvpn-endpoint-00000000000000001"
	ad    = "cvpn-endpoint-00000000000000002"
	certs = "cvpn-endpoint-00000000000000003"
)

const rules = `version: 1
identity:
  domains: [example.com, EXAMPLE]
  aliases: {"00u1": alice@example.com}
  common_names: ["{user}.vpn.example.com"]
exempt: [breakglass@example.com]
max_connections: 6
rules:
  - name: leavers
    when: {kinds: [account-disabled]}
    then: terminate
  - name: findings
    when: {kinds: [finding], max_age: 24h}
    then: terminate
  - name: watched
    when: {kinds: [account-purged]}
    then: terminate
    mode: dry-run
  - name: risks
    when: {kinds: [risk-level-change]}
    then: notify
`

// inCompany runs a test in virtual time in a company with three endpoints, with the real SDK over HTTP.
func inCompany(t *testing.T, test func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder)) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &emulator.Cloud{TerminateTime: time.Second}
		cloud.AddEndpoint(emulator.Endpoint{ID: saml})
		cloud.AddEndpoint(emulator.Endpoint{ID: ad})
		cloud.AddEndpoint(emulator.Endpoint{ID: certs, TransitGateway: "tgw-0123456789abcdef0"})
		client, stop := emulator.HTTPClient(cloud)
		defer stop()
		p, err := policy.Parse("policy.yaml", []byte(rules))
		if err != nil {
			t.Fatal(err)
		}
		test(t, cloud, &responder.Responder{
			Policy: p, Mode: policy.Enforce, Watch: 15 * time.Second,
			VPN: vpn.New(config(client), nil),
		})
	})
}

func config(client *http.Client) aws.Config {
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String("http://ec2.test"), HTTPClient: client,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
}

func about(subject signal.Subject) signal.Signal {
	return signal.Signal{ID: "1", Provider: "okta", Kind: signal.AccountDisabled, Type: "user.lifecycle.deactivate", Subject: subject, Time: time.Now()}
}

var alice = signal.Subject{Usernames: []string{"alice@example.com"}}

func respond(t *testing.T, r *responder.Responder, signals ...signal.Signal) []responder.Outcome {
	t.Helper()
	return respondWithin(t.Context(), t, r, signals...)
}

// respondWithin gives the outcomes for the signals, in the time that ctx leaves; each must be what the schema describes.
func respondWithin(ctx context.Context, t *testing.T, r *responder.Responder, signals ...signal.Signal) []responder.Outcome {
	t.Helper()
	outcomes := make([]responder.Outcome, len(signals))
	for i, o := range r.Respond(ctx, responder.Invocation{Account: "111122223333", ReceivedAt: time.Now()}, signals) {
		if outcomes[i].Status != "" {
			t.Fatalf("a second outcome for signal %d", i)
		}
		outcomes[i] = o
	}
	for i, o := range outcomes {
		if o.Status == "" {
			t.Fatalf("no outcome for signal %d", i)
		}
		raw, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Check(raw); err != nil {
			t.Errorf("%v\n%s", err, raw)
		}
	}
	return outcomes
}

// up lists who is connected: everybody whose tunnel carries traffic.
func up(cloud *emulator.Cloud) []string {
	var names []string
	for _, c := range cloud.Connections() {
		if c.EndedAt.IsZero() {
			names = append(names, c.Username+"/"+c.CommonName)
		}
	}
	return names
}

func actions(cloud *emulator.Cloud) map[string]int {
	counts := map[string]int{}
	for _, c := range cloud.Calls() {
		counts[strings.TrimSuffix(c.Action, "s")]++
	}
	return counts
}

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
			{EndpointID: saml, Username: "malice@example.com"}, {EndpointID: saml, Username: "alice@example.org"},
			{EndpointID: saml, Username: "alice2@example.com"}, {EndpointID: ad, Username: `OTHER\alice`},
			{EndpointID: ad, Username: ""}, {EndpointID: ad, Username: "-"}, {EndpointID: certs, CommonName: "malice.vpn.example.com"},
			{EndpointID: certs, CommonName: "alice.vpn.example.org"}, {EndpointID: saml, Username: "breakglass@example.com"},
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

// TestEveryStatus has one story for each status.
func TestEveryStatus(t *testing.T) {
	disabled := func(change func(*signal.Signal)) func() signal.Signal {
		return func() signal.Signal {
			s := about(alice)
			if change != nil {
				change(&s)
			}
			return s
		}
	}
	finding := func(s *signal.Signal) { s.Kind, s.Provider = signal.Finding, "guardduty" }
	one := emulator.Client{EndpointID: saml, Username: "alice@example.com"}
	for _, test := range []struct {
		status     responder.Status
		name       string
		clients    []emulator.Client
		prepare    func(*emulator.Cloud, *responder.Responder)
		signal     func() signal.Signal
		left       int // connections still up
		incomplete bool
		says       string
	}{
		{status: responder.Terminated, clients: []emulator.Client{one, one}, signal: disabled(nil), says: "2 VPN connections of alice@example.com ended"},
		{status: responder.Terminated, name: "came back once", clients: []emulator.Client{{EndpointID: saml, Username: "alice", ReconnectAfter: 2 * time.Second, Reconnects: 1}}, signal: disabled(nil), says: "came back once, and were ended again"},
		{status: responder.NotConnected, clients: []emulator.Client{{EndpointID: saml, Username: "bob"}}, signal: disabled(nil), left: 1, says: "no active VPN connection"},
		{status: responder.WouldTerminate, name: "environment", clients: []emulator.Client{one, one}, left: 2,
			prepare: func(_ *emulator.Cloud, r *responder.Responder) { r.Mode = policy.DryRun }, signal: disabled(nil), says: "Dry-run: 2 VPN connections"},
		{status: responder.WouldTerminate, name: "rule", clients: []emulator.Client{one}, left: 1, signal: disabled(func(s *signal.Signal) { s.Kind = signal.AccountPurged }), says: "Dry-run"},
		{status: responder.Partial, name: "failed-to-terminate", clients: []emulator.Client{one, {EndpointID: ad, Username: "alice", FailToTerminate: true}}, signal: disabled(nil), left: 1, incomplete: true, says: "1 of 2 VPN connections of alice@example.com ended"},
		{status: responder.Partial, name: "an endpoint is not listed", clients: []emulator.Client{one}, incomplete: true,
			prepare: func(c *emulator.Cloud, _ *responder.Responder) { c.Deny("ec2:DescribeClientVpnConnections", ad) }, signal: disabled(nil), says: "missing permission ec2:DescribeClientVpnConnections on client-vpn-endpoint/" + ad},
		{status: responder.Reconnecting, clients: []emulator.Client{{EndpointID: saml, Username: "alice", ReconnectAfter: 2 * time.Second, Reconnects: -1}}, signal: disabled(nil), says: "keep coming back"},
		{status: responder.Unverified, clients: []emulator.Client{{EndpointID: saml, Username: "alice", Stuck: true}}, signal: disabled(nil), left: 1, incomplete: true, says: "the time was up before EC2 showed it"},
		{status: responder.Exempt, name: "the name in the event", clients: []emulator.Client{{EndpointID: saml, Username: "breakglass@example.com"}}, left: 1,
			signal: disabled(func(s *signal.Signal) { s.Subject.Usernames = []string{"BREAKGLASS"} }), says: "exempt"},
		{status: responder.OverLimit, clients: slices.Repeat([]emulator.Client{one}, 7), left: 7, signal: disabled(nil), says: "7 connections are more than max_connections, 6"},
		{status: responder.Ambiguous, name: "id and name", clients: []emulator.Client{one, {EndpointID: saml, Username: "bob"}}, left: 2,
			signal: disabled(func(s *signal.Signal) { s.Subject = signal.Subject{Usernames: []string{"bob"}, IDs: []string{"00u1"}} }), says: "two people"},
		{status: responder.Ambiguous, name: "user and certificate", clients: []emulator.Client{{EndpointID: certs, Username: "bob", CommonName: "alice.vpn.example.com"}}, left: 1, signal: disabled(nil), says: "its user is bob"},
		{status: responder.Unmapped, clients: []emulator.Client{one, {EndpointID: saml}}, left: 2, signal: disabled(func(s *signal.Signal) { s.Subject = signal.Subject{} }), says: "nobody"},
		{status: responder.Unmapped, name: "address, and no endpoint keeps any", clients: []emulator.Client{{EndpointID: saml, Username: "alice", ClientIP: "10.0.0.9"}}, left: 1,
			prepare: func(_ *emulator.Cloud, r *responder.Responder) { r.VPN.EndpointIDs = []string{saml} },
			signal:  disabled(func(s *signal.Signal) { s.Subject = signal.Subject{ClientIP: "10.0.0.9"} }), says: "no endpoint keeps client addresses"},
		{status: responder.Sample, clients: []emulator.Client{one}, left: 1, signal: disabled(func(s *signal.Signal) { finding(s); s.Sample = true }), says: "sample"},
		{status: responder.Stale, clients: []emulator.Client{one}, left: 1, signal: disabled(func(s *signal.Signal) { finding(s); s.Time = s.Time.Add(-25 * time.Hour) }), says: "none older than 24h"},
		{status: responder.Notified, clients: []emulator.Client{one}, left: 1, signal: disabled(func(s *signal.Signal) { s.Kind = signal.RiskLevelChange }), says: "only notifies"},
		{status: responder.Notified, name: "archived", clients: []emulator.Client{one}, left: 1, signal: disabled(func(s *signal.Signal) { finding(s); s.Archived = true }), says: "archived"},
		{status: responder.Notified, name: "not yet", clients: []emulator.Client{one}, left: 1, signal: disabled(func(s *signal.Signal) { s.EffectiveAt = s.Time.Add(time.Hour) }), says: "takes effect at"},
		{status: responder.Ignored, clients: []emulator.Client{one}, left: 1, signal: disabled(func(s *signal.Signal) { s.Kind = signal.AccountEnabled }), says: "ignores"},
		{status: responder.Failed, name: "no permission to terminate", clients: []emulator.Client{one}, left: 1, incomplete: true,
			prepare: func(c *emulator.Cloud, _ *responder.Responder) { c.Deny("ec2:TerminateClientVpnConnections", "") }, signal: disabled(nil), says: "missing permission ec2:TerminateClientVpnConnections"},
		{status: responder.Failed, name: "no permission, dry-run", clients: []emulator.Client{one}, left: 1, incomplete: true,
			prepare: func(c *emulator.Cloud, r *responder.Responder) {
				c.Deny("ec2:TerminateClientVpnConnections", "")
				r.Mode = policy.DryRun
			}, signal: disabled(nil), says: "missing permission ec2:TerminateClientVpnConnections"},
		{status: responder.Failed, name: "no endpoint there", incomplete: true,
			prepare: func(c *emulator.Cloud, _ *responder.Responder) { c.Reset() }, signal: disabled(nil), says: "there is no Client VPN endpoint"},
		{status: responder.Failed, name: "doubt here, and an endpoint is not listed", clients: []emulator.Client{{EndpointID: certs, Username: "bob", CommonName: "alice.vpn.example.com"}, one}, left: 2, incomplete: true,
			prepare: func(c *emulator.Cloud, _ *responder.Responder) { c.Deny("ec2:DescribeClientVpnConnections", saml) }, signal: disabled(nil), says: "It is not known whether alice@example.com is connected"},
		{status: responder.Failed, name: "no endpoint is listed", clients: []emulator.Client{one}, left: 1, incomplete: true,
			prepare: func(c *emulator.Cloud, _ *responder.Responder) { c.Deny("ec2:DescribeClientVpnEndpoints", "") }, signal: disabled(nil), says: "missing permission ec2:DescribeClientVpnEndpoints"},
		{status: responder.Failed, name: "the policy cannot be read", clients: []emulator.Client{one}, left: 1, incomplete: true,
			prepare: func(_ *emulator.Cloud, r *responder.Responder) {
				r.Policy, r.PolicyError = nil, errors.New("policy.yaml:1:1: bad")
			}, signal: disabled(nil), says: "the policy cannot be read"},
	} {
		t.Run(strings.TrimSpace(string(test.status)+" "+test.name), func(t *testing.T) {
			inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
				time.Sleep(30 * 24 * time.Hour) // so that nothing is from before the year began
				for _, k := range test.clients {
					cloud.Connect(k)
				}
				if test.prepare != nil {
					test.prepare(cloud, r)
				}
				o := respond(t, r, test.signal())[0]
				if o.Error != "" && !o.Incomplete() {
					t.Errorf("%s, in spite of %s", o.Status, o.Error)
				}
				if o.Status != test.status || o.Incomplete() != test.incomplete {
					t.Errorf("%s, incomplete %v: %s\n%s", o.Status, o.Incomplete(), o.Summary, strings.Join(policy.Words(o.Decision.Reasons), "\n"))
				}
				if !strings.Contains(o.Summary, test.says) {
					t.Errorf("summary does not say %q: %s", test.says, o.Summary)
				}
				if left := up(cloud); len(left) != test.left {
					t.Errorf("still up: %q, want %d", left, test.left)
				}
				if test.status != responder.Terminated && test.status != responder.Partial && test.status != responder.Reconnecting && !o.Timing.EndedAt.IsZero() {
					t.Errorf("ended at %v", o.Timing.EndedAt)
				}
			})
		})
	}
}

// TestCapRefusesAll: not even one of too many is ended, and no request is made.
func TestCapRefusesAll(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		for range 7 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		}
		o := respond(t, r, about(alice))[0]
		if o.Status != responder.OverLimit || len(o.Spared) != 7 || len(o.Connections) != 0 || actions(cloud)["TerminateClientVpnConnection"] != 0 {
			t.Errorf("%s: %d spared, %d ended, calls %v", o.Status, len(o.Spared), len(o.Connections), actions(cloud))
		}
	})
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
			if o.Status != responder.Exempt || len(o.Spared) != 1 || !strings.Contains(o.Spared[0].Reason, "is exempt") || len(up(cloud)) != 1 {
				t.Errorf("%+v: %s: %s", k, o.Status, o.Summary)
			}
		})
	}
}

// TestSparedConnectionSharesTheName: a call by user name would end the exempt certificate's connection too.
// TestExemptPlacesAreNotTouched: a connection and an endpoint, by their ids, whoever is there.
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

// TestRuleActsOnItsEndpointsOnly, tells what it leaves, and does not mind what it has no business with.
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
		cloud.Inject(emulator.Fault{Action: "DescribeClientVpnConnections", EndpointID: certs, Code: "UnauthorizedOperation", Status: 403})
		o := respond(t, r, about(alice))[0]
		if o.Status != responder.Terminated || len(o.Spared) != 1 || o.Spared[0].Reason != "rule leavers does not act on "+ad || !slices.Equal(up(cloud), []string{"alice/"}) {
			t.Errorf("%s %s, spared %+v, up %q", o.Status, o.Error, o.Spared, up(cloud))
		}
		if o := respond(t, r, about(alice))[0]; o.Status != responder.Notified || !strings.Contains(o.Summary, "does not act on") {
			t.Errorf("%s: %s", o.Status, o.Summary)
		}
	})
}

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
			[]string{"missing permission ec2:DescribeClientVpnConnections on client-vpn-endpoint/" + saml, "2 more problems", ad, certs},
		},
		"may not find": {
			func(cloud *emulator.Cloud, _ *responder.Responder) { cloud.Deny("ec2:DescribeClientVpnEndpoints", "") },
			[]string{"missing permission ec2:DescribeClientVpnEndpoints"},
		},
		"nothing to guard": {func(cloud *emulator.Cloud, _ *responder.Responder) { cloud.Reset() }, []string{"there is no Client VPN endpoint"}},
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
			if o.Status != want || o.Incomplete() || (o.Error != "") != (want == responder.NotReady) || !slices.Equal(before, up(cloud)) {
				t.Errorf("%s: %s %q %q", name, o.Status, o.Summary, o.Error)
			}
			for _, words := range c.want {
				if !strings.Contains(o.Summary+o.Error, words) {
					t.Errorf("%s: no word of %q in %q, %q", name, words, o.Summary, o.Error)
				}
			}
			if name == "ready" && o.Summary != "Ready: 3 endpoints of this account and Region can be listed, and connections ended there." {
				t.Error(o.Summary)
			}
		})
	}
}

func TestSparedConnectionSharesTheName(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		for _, cn := range []string{"laptop-1", "breakglass", "laptop-2"} {
			cloud.Connect(emulator.Client{EndpointID: certs, Username: "alice", CommonName: cn})
		}
		o := respond(t, r, about(alice))[0]
		if left := up(cloud); o.Status != responder.Terminated || len(o.Spared) != 1 || !slices.Equal(left, []string{"alice/breakglass"}) {
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

// TestAddressThatAnotherMayHoldEndsNobody: the other holder is exempt, or on an endpoint that could not be listed.
func TestAddressThatAnotherMayHoldEndsNobody(t *testing.T) {
	onCertsOnly := strings.Replace(rules, "    then: terminate\n", "    then: terminate\n    endpoints: ["+certs+"]\n", 1)
	for _, test := range []struct {
		rules, deny string
		status      responder.Status
	}{{rules, "", responder.Ambiguous}, {rules, ad, responder.Failed}, {onCertsOnly, "", responder.Notified}, {onCertsOnly, ad, responder.Failed}} {
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
		if o := respond(t, r, about(signal.Subject{ClientIP: "10.30.0.10"}))[0]; o.Status != responder.Terminated || len(up(cloud)) != 0 {
			t.Errorf("one person on two endpoints: %s: %s", o.Status, o.Summary)
		}
	})
}

// TestNobodyWaitsForAnother: one person's connection never ends, and the other is watched all the same.
func TestNobodyWaitsForAnother(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: ad, Username: "mallory", Stuck: true})
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice", ReconnectAfter: 2 * time.Second, Reconnects: 1})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		outcomes := respondWithin(ctx, t, r, about(signal.Subject{Usernames: []string{"mallory"}}), about(alice))
		if a, b := outcomes[0], outcomes[1]; a.Status != responder.Unverified || b.Status != responder.Terminated || len(b.Connections) != 2 || !slices.Equal(up(cloud), []string{"mallory/"}) {
			t.Errorf("%s; %s; still up: %q", a.Summary, b.Summary, up(cloud))
		}
	})
}

// TestBlindWatchIsNotSilence: who may have come back unseen is worth another try.
func TestBlindWatchIsNotSilence(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		cloud.Inject(emulator.Fault{Action: "DescribeClientVpnConnections", EndpointID: ad, After: 1, Code: "UnauthorizedOperation", Status: 403})
		o := respond(t, r, about(alice))[0]
		if o.Status != responder.Partial || !o.Incomplete() || !strings.Contains(o.Summary, "watching for a reconnection") {
			t.Errorf("%s: %s", o.Status, o.Summary)
		}
	})
}

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
			if o.Status != want || len(up(cloud)) != left || strings.Contains(o.Summary, "came back") {
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

// TestAddressTroubleIsNotEverybodys: where the endpoints are given, only an address needs them described.
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

// TestTriedStaysTriedBesideEnded: one signal is in dry-run by its rule, another about the same person is not.
func TestTriedStaysTriedBesideEnded(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		tried := about(alice)
		tried.Kind = signal.AccountPurged
		outcomes := respond(t, r, tried, tried, about(alice))
		if a, b := outcomes[0], outcomes[2]; a.Status != responder.WouldTerminate || a.Connections[0].Current != vpn.Active || b.Status != responder.Terminated || actions(cloud)["TerminateClientVpnConnection"] != 2 {
			t.Errorf("%s; %s; %v", a.Summary, b.Summary, actions(cloud))
		}
	})
}

// TestLaggingListingIsNotBelieved: EC2 answers the looks without the connection, and the watch's listing shows it up.
func TestLaggingListingIsNotBelieved(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice", Stuck: true})
		client, stop := emulator.HTTPClient(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if err := req.ParseForm(); err != nil {
				t.Error(err)
			}
			if req.Form.Get("Filter.1.Name") == "connection-id" {
				req.Form.Set("Filter.1.Value.1", "cvpn-connection-0")
			}
			cloud.ServeHTTP(w, req)
		}))
		defer stop()
		r.VPN = vpn.New(config(client), nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if o := respondWithin(ctx, t, r, about(alice))[0]; o.Status != responder.Unverified || len(o.Connections) != 1 {
			t.Errorf("%s: %s, %d connections", o.Status, o.Summary, len(o.Connections))
		}
	})
}

// TestConnectionAloneIsEnded: the same person's other connections were not asked for.
func TestConnectionAloneIsEnded(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		id := cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice", CommonName: "first"})
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice", CommonName: "second"})
		o := respond(t, r, about(signal.Subject{ConnectionID: id}))[0]
		if left := up(cloud); o.Status != responder.Terminated || !slices.Equal(left, []string{"alice/second"}) {
			t.Errorf("%s: %s; still up: %q", o.Status, o.Summary, left)
		}
		if n := actions(cloud)["DescribeClientVpnConnection"]; n > 3+5 {
			t.Errorf("%d listings and looks: nobody is to be watched here", n)
		}
	})
}

// TestReconnectsAreEndedInTheWatch, under another spelling and on another endpoint too.
func TestReconnectsAreEndedInTheWatch(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		done := make(chan responder.Outcome)
		go func() { done <- respond(t, r, about(alice))[0] }()
		time.Sleep(4 * time.Second)
		cloud.Connect(emulator.Client{EndpointID: certs, CommonName: "ALICE.vpn.example.com"})
		if o := <-done; o.Status != responder.Terminated || len(o.Connections) != 2 || len(up(cloud)) != 0 {
			t.Errorf("%s: %s", o.Status, o.Summary)
		}
	})
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		r.Watch = 0
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice", ReconnectAfter: time.Second, Reconnects: 1})
		start := time.Now()
		o := respond(t, r, about(alice))[0]
		if o.Status != responder.Terminated || len(o.Connections) != 1 || time.Since(start) > 3*time.Second {
			t.Errorf("with the watch off: %s: %s, after %v", o.Status, o.Summary, time.Since(start))
		}
	})
}

// TestTimeIsUpAtEveryStage: whatever the deadline cuts, the outcome is there in time and claims no more than was seen.
func TestTimeIsUpAtEveryStage(t *testing.T) {
	for _, test := range []struct {
		left   time.Duration
		status responder.Status
	}{
		{0, responder.Failed},
		{100 * time.Millisecond, responder.Failed},     // before the listing is there
		{300 * time.Millisecond, responder.Failed},     // listed, not requested
		{900 * time.Millisecond, responder.Unverified}, // requested, not seen
		{4 * time.Second, responder.Terminated},        // seen, the watch is cut short
	} {
		t.Run(test.left.String(), func(t *testing.T) {
			inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
				cloud.Latency = 150 * time.Millisecond
				cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
				ctx, cancel := context.WithTimeout(t.Context(), test.left)
				defer cancel()
				start := time.Now()
				o := respondWithin(ctx, t, r, about(alice))[0]
				if o.Status != test.status || time.Since(start) > test.left {
					t.Errorf("%s after %v: %s (%s)", o.Status, time.Since(start), o.Summary, o.Error)
				}
				if o.Status == responder.Terminated && !strings.Contains(o.Summary, "before the watch for a reconnection was over") {
					t.Errorf("says nothing of the watch: %s", o.Summary)
				}
			})
		})
	}
}

// TestLastLookBeforeTheTimeIsUp: between two looks the connection ended, and the time is nearly up.
func TestLastLookBeforeTheTimeIsUp(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.TerminateTime = 4200 * time.Millisecond
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if o := respondWithin(ctx, t, r, about(alice))[0]; o.Status != responder.Terminated {
			t.Errorf("%s: %s", o.Status, o.Summary)
		}
	})
}

// TestWhoKeepsComingBack is ended a few times and then told about, or told about when the time is up.
func TestWhoKeepsComingBack(t *testing.T) {
	for left, connections := range map[time.Duration]int{2 * time.Minute: 4, 6500 * time.Millisecond: 2} {
		inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice", ReconnectAfter: 2500 * time.Millisecond, Reconnects: -1})
			ctx, cancel := context.WithTimeout(t.Context(), left)
			defer cancel()
			o := respondWithin(ctx, t, r, about(alice))[0]
			if o.Status != responder.Reconnecting || len(o.Connections) != connections {
				t.Errorf("with %v left: %s: %s, %d connections", left, o.Status, o.Summary, len(o.Connections))
			}
		})
	}
}

// TestWatchLooksAtItsEnd: somebody who is back a second before it is over is seen.
func TestWatchLooksAtItsEnd(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice", ReconnectAfter: 14 * time.Second, Reconnects: 1})
		start := time.Now()
		o := respond(t, r, about(alice))[0]
		seen := o.Connections[len(o.Connections)-1].RequestedAt.Sub(start)
		if o.Status != responder.Terminated || len(o.Connections) != 2 || seen > 18*time.Second {
			t.Errorf("%s: %s, asked after %v", o.Status, o.Summary, seen)
		}
	})
}

// TestTooManyFoundLate: an endpoint that hung at first has more connections than the limit; those found before have ended.
func TestTooManyFoundLate(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		for range 7 {
			cloud.Connect(emulator.Client{EndpointID: ad, Username: "alice"})
		}
		time.Sleep(time.Minute)
		cloud.Inject(emulator.Fault{Action: "DescribeClientVpnConnections", EndpointID: ad, Delay: time.Hour, Times: 1})
		o := respond(t, r, about(alice))[0]
		if o.Status != responder.Partial || len(up(cloud)) != 7 || !strings.Contains(o.Error, "more than max_connections") {
			t.Errorf("%s: %s (%s)", o.Status, o.Summary, o.Error)
		}
	})
}

// TestRepeatEndsNothingTwice: the second delivery asks EC2 to end nothing, and says that the end was before.
func TestRepeatEndsNothingTwice(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		respond(t, r, about(alice))
		o := respond(t, r, about(alice))[0]
		if o.Status != responder.NotConnected || !strings.Contains(o.Summary, "1 VPN connection ended within the last hour") || actions(cloud)["TerminateClientVpnConnection"] != 1 {
			t.Errorf("%s: %s; calls %v", o.Status, o.Summary, actions(cloud))
		}
	})
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

// TestConnectionAndItsPersonInOneBatch: one connection, asked for by its id and by its user's name, is told once in each.
func TestConnectionAndItsPersonInOneBatch(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		id := cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		for range 2 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		}
		outcomes := respond(t, r, about(signal.Subject{ConnectionID: id}), about(alice))
		if a, b := outcomes[0], outcomes[1]; a.Status != responder.Terminated || b.Status != responder.Terminated || len(a.Connections) != 1 || len(b.Connections) != 3 {
			t.Errorf("%s (%d), %s (%d)", a.Summary, len(a.Connections), b.Summary, len(b.Connections))
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
		if len(until) != 4 || actions(cloud)["DescribeClientVpnEndpoint"] != 0 || actions(cloud)["TerminateClientVpnConnection"] != 1 {
			t.Errorf("%q, in all %v", until, actions(cloud))
		}
		t.Logf("calls: %v", actions(cloud))
	})
}

// TestItExplainsItself: rule, the others' reasons, names looked for, times, and before and after of each connection.
func TestItExplainsItself(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: ad, Username: "alice", CommonName: "alice", ClientIP: "10.1.0.2"})
		time.Sleep(time.Minute)
		s := about(alice)
		s.Kind = signal.Finding
		o := respond(t, r, s)[0]
		reasons := strings.Join(policy.Words(o.Decision.Reasons), "\n")
		for _, want := range []string{"rule leavers does not fit: kind finding is not account-disabled", "rule findings decides terminate"} {
			if !strings.Contains(reasons, want) {
				t.Errorf("no reason says %q:\n%s", want, reasons)
			}
		}
		c := o.Connections[0]
		if o.SchemaVersion != 1 || o.Decision.Rule != "findings" || !slices.Contains(o.Decision.Names, `example\alice`) ||
			c.Previous != vpn.Active || c.Current != vpn.Terminated || c.How != vpn.ByConnectionID || c.ClientIP != "10.1.0.2" ||
			c.Account != "111122223333" || c.Region != "eu-west-1" || c.EstablishedAt.IsZero() {
			t.Errorf("%+v\n%+v", o, c)
		}
		if len(o.Listings) != 3*7 { // three endpoints; at once, and six times in the watch
			t.Errorf("%d listings", len(o.Listings))
		}
		calls := map[string]string{}
		for _, call := range cloud.Calls() {
			calls[call.RequestID] = call.Action
		}
		var asked []string
		for _, id := range c.RequestIDs {
			asked = append(asked, calls[id])
		}
		if want := []string{"DescribeClientVpnConnections", "TerminateClientVpnConnections", "DescribeClientVpnConnections"}; !slices.Equal(asked, want) || c.RequestIDs[0] == c.RequestIDs[2] {
			t.Errorf("requests %q", asked)
		}
		if c.IngressBytes < 48*60 || c.EgressBytes < 52*60 || !c.EndedAt.Equal(o.Timing.EndedAt) || !c.RequestedAt.Equal(o.Timing.RequestedAt) {
			t.Errorf("%+v", c)
		}
		at := o.Timing
		if at.EventAt.After(at.ReceivedAt) || at.ReceivedAt.After(at.DecidedAt) || at.DecidedAt.After(at.RequestedAt) || !at.RequestedAt.Before(at.EndedAt) {
			t.Errorf("%+v", at)
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

// TestEndpointsThatAreNotAllToldAreNotAll: what a failed page of endpoints hides is not taken for absent.
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
			cloud.Inject(emulator.Fault{Action: "DescribeClientVpnEndpoints", After: 1, Code: "UnauthorizedOperation", Status: 403})
			time.Sleep(time.Minute)
			o := respond(t, r, about(test.subject))[0]
			if o.Status != test.status || len(up(cloud)) != test.left || !strings.Contains(o.Error, "ec2:DescribeClientVpnEndpoints") {
				t.Errorf("%s: %s: %s; still up: %q", test.subject, o.Status, o.Summary, up(cloud))
			}
		})
	}
}

// TestAddressIsNotLostBetweenListings: the first shows its holder, but not all endpoints; the second shows the others, but not
// its holder.
func TestAddressIsNotLostBetweenListings(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: certs, Username: "dave", ClientIP: "10.30.0.10"})
		cloud.Inject(emulator.Fault{Action: "DescribeClientVpnConnections", EndpointID: ad, Delay: time.Hour, Times: 1})
		cloud.Inject(emulator.Fault{Action: "DescribeClientVpnConnections", EndpointID: certs, Delay: time.Hour, After: 1, Times: 1})
		if o := respond(t, r, about(signal.Subject{ClientIP: "10.30.0.10"}))[0]; o.Status != responder.Terminated || len(up(cloud)) != 0 {
			t.Errorf("%s: %s (%s); still up: %q", o.Status, o.Summary, o.Error, up(cloud))
		}
	})
}

// TestTerminationThatHangsLeavesTimeToLook at what the others' requests led to.
func TestTerminationThatHangsLeavesTimeToLook(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		r.Watch = 0
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		cloud.Connect(emulator.Client{EndpointID: ad, Username: "bob"})
		cloud.Inject(emulator.Fault{Action: "TerminateClientVpnConnections", EndpointID: ad, Delay: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		defer cancel()
		outcomes := respondWithin(ctx, t, r, about(alice), about(signal.Subject{Usernames: []string{"bob"}}))
		if outcomes[0].Status != responder.Terminated {
			t.Errorf("%s: %s", outcomes[0].Status, outcomes[0].Summary)
		}
	})
}

// TestConnectionThatCameUpBelongsToItsPerson: a call by name ends it too, and only that person's outcome tells it.
func TestConnectionThatCameUpBelongsToItsPerson(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		r.Watch = 0
		for _, endpoint := range []string{saml, ad} {
			for range 2 {
				cloud.Connect(emulator.Client{EndpointID: endpoint, Username: "alice"})
				cloud.Connect(emulator.Client{EndpointID: endpoint, Username: "bob"})
			}
		}
		var once sync.Once
		client, stop := emulator.HTTPClient(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if err := req.ParseForm(); err != nil {
				t.Error(err)
			}
			if req.Form.Get("Action") == "TerminateClientVpnConnections" {
				once.Do(func() { cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice", CommonName: "late"}) })
			}
			cloud.ServeHTTP(w, req)
		}))
		defer stop()
		r.VPN = vpn.New(config(client), nil)
		onAD := signal.Subject{ConnectionID: cloud.Connections()[4].ID} // alice's, on ad
		outcomes := respond(t, r, about(alice), about(signal.Subject{Usernames: []string{"bob"}}), about(onAD))
		for i, want := range []int{5, 4, 1} {
			if o := outcomes[i]; o.Status != responder.Terminated || len(o.Connections) != want {
				t.Errorf("%s: %d connections, want %d: %s", o.Signal.Subject, len(o.Connections), want, o.Summary)
			}
		}
		if len(up(cloud)) != 0 {
			t.Errorf("still up: %q", up(cloud))
		}
	})
}

func TestWatchBeginsWhenTheLastHasEnded(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.TerminateTime = 10 * time.Second
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice", ReconnectAfter: 12 * time.Second, Reconnects: 1})
		o := respond(t, r, about(alice))[0]
		if o.Status != responder.Terminated || len(o.Connections) != 2 || len(up(cloud)) != 0 {
			t.Errorf("%s: %s; still up: %q", o.Status, o.Summary, up(cloud))
		}
	})
}

// TestErrorsAreToldInBrief in the summary, and in full beside it.
func TestErrorsAreToldInBrief(t *testing.T) {
	one := emulator.Client{EndpointID: saml, Username: "alice@example.com"}
	two := emulator.Client{EndpointID: ad, Username: "alice"}
	for _, test := range []struct {
		name      string
		status    responder.Status
		clients   []emulator.Client
		prepare   func(*emulator.Cloud, *responder.Responder)
		left      int
		says, err string
	}{
		{"no permission on one endpoint", responder.Partial, []emulator.Client{one, two}, func(c *emulator.Cloud, _ *responder.Responder) { c.Deny("ec2:TerminateClientVpnConnections", ad) }, 1, "1 of 2 VPN connections of alice@example.com ended", "missing permission"},
		{"no permission on one endpoint, dry-run", responder.Partial, []emulator.Client{one, two}, func(c *emulator.Cloud, r *responder.Responder) {
			c.Deny("ec2:TerminateClientVpnConnections", ad)
			r.Mode = policy.DryRun
		}, 2, "Dry-run: 1 VPN connection of alice@example.com would be ended, but not all", "missing permission"},
		{"EC2 fails at an endpoint", responder.Partial, []emulator.Client{one}, func(c *emulator.Cloud, _ *responder.Responder) {
			c.Inject(emulator.Fault{Action: "DescribeClientVpnConnections", EndpointID: ad, Code: "InternalError"})
		}, 0, "describing connections of " + ad + ": InternalError.", "operation error"},
		{"no answer to the request", responder.Unverified, []emulator.Client{one}, func(c *emulator.Cloud, _ *responder.Responder) {
			c.Inject(emulator.Fault{Action: "TerminateClientVpnConnections", Code: "InternalError"})
		}, 1, "the time was up", "no answer to terminating by connection-id"},
	} {
		inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
			time.Sleep(time.Hour)
			for _, k := range test.clients {
				cloud.Connect(k)
			}
			test.prepare(cloud, r)
			o := respond(t, r, about(alice))[0]
			if o.Status != test.status || len(up(cloud)) != test.left || !strings.Contains(o.Summary, test.says) || !strings.Contains(o.Error, test.err) {
				t.Errorf("%s: %s: %s (%s); %q", test.name, o.Status, o.Summary, o.Error, up(cloud))
			}
		})
	}
}

func TestNoEndIsToldBeforeAllEnded(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		cloud.Connect(emulator.Client{EndpointID: ad, Username: "alice", Stuck: true})
		if o := respond(t, r, about(alice))[0]; o.Status != responder.Unverified || !o.Timing.EndedAt.IsZero() {
			t.Errorf("%s, ended at %v", o.Status, o.Timing.EndedAt)
		}
	})
}

func TestEndsOfBeforeAreThePersonsOwn(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		for _, k := range []emulator.Client{
			{EndpointID: saml, Username: "alice"}, {EndpointID: ad, Username: "alice"},
			{EndpointID: certs, Username: "bob", CommonName: "alice.vpn.example.com"},
		} {
			cloud.Disconnect(cloud.Connect(k))
			time.Sleep(10 * time.Minute)
		}
		want := "2 VPN connections ended within the last hour, the latest at " + cloud.Connections()[1].EndedAt.UTC().Format(time.DateTime)
		if o := respond(t, r, about(alice))[0]; !strings.Contains(o.Summary, want) {
			t.Errorf("%s, want %s", o.Summary, want)
		}
	})
}

// TestFailedLooksAreToldOnce: the texts of the SDK's errors differ by their request ids alone.
func TestFailedLooksAreToldOnce(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		cloud.Inject(emulator.Fault{Action: "DescribeClientVpnConnections", EndpointID: saml, After: 1, Code: "UnauthorizedOperation", Status: 403})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		o := respondWithin(ctx, t, r, about(alice))[0]
		told := slices.DeleteFunc(policy.Words(o.Decision.Reasons), func(reason string) bool { return !strings.HasPrefix(reason, "looking") })
		want := "looking whether the connections have ended: describing connections of " + saml + ": missing permission ec2:DescribeClientVpnConnections on client-vpn-endpoint/" + saml
		if o.Status != responder.Unverified || !slices.Equal(told, []string{want}) {
			t.Errorf("%s: %q", o.Status, told)
		}
	})
}

// TestExemptCertificateIsSpared, and the outcome tells all about it.
func TestExemptCertificateIsSpared(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		for _, cn := range []string{"laptop-1", "breakglass", "laptop-2"} {
			cloud.Connect(emulator.Client{EndpointID: certs, Username: "alice", CommonName: cn})
		}
		o := respond(t, r, about(alice))[0]
		if left := up(cloud); !slices.Equal(left, []string{"alice/breakglass"}) || !strings.Contains(o.Summary, "1 VPN connection left alone, as breakglass is exempt") || o.Spared[0].Account != "111122223333" {
			t.Errorf("%s: %s; still up: %q", o.Status, o.Summary, left)
		}
	})
}
