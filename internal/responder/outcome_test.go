package responder_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/vpn"
)

// statusStory is a story and the status that it ends with.
type statusStory struct {
	status     responder.Status
	name       string
	clients    []emulator.Client
	prepare    func(*emulator.Cloud, *responder.Responder)
	signal     func() signal.Signal
	left       int // connections still up
	incomplete bool
	says       string
}

// disabled returns how to make the signal that alice's account is closed, with a change.
func disabled(change func(*signal.Signal)) func() signal.Signal {
	return func() signal.Signal {
		s := about(alice)
		if change != nil {
			change(&s)
		}
		return s
	}
}

func asFinding(s *signal.Signal) {
	s.Kind, s.Provider, s.Account = signal.Finding, "guardduty", "111122223333"
}

// one is a connection of alice's.
var one = emulator.Client{EndpointID: saml, Username: "alice@example.com"}

// statusStories has one story for each status, or more.
var statusStories = []statusStory{
	{
		status:  responder.Terminated,
		clients: []emulator.Client{one, one},
		signal:  disabled(nil),
		says:    "2 VPN connections of alice@example.com ended",
	},
	{
		status:  responder.Terminated,
		name:    "came back once",
		clients: []emulator.Client{{EndpointID: saml, Username: "alice", ReconnectAfter: 2 * time.Second, Reconnects: 1}},
		signal:  disabled(nil),
		says:    "reconnected once, and were cut off again",
	},
	{
		status:  responder.NotConnected,
		clients: []emulator.Client{{EndpointID: saml, Username: "bob"}},
		signal:  disabled(nil),
		left:    1,
		says:    "no active VPN connection",
	},
	{
		status:  responder.WouldTerminate,
		name:    "environment",
		clients: []emulator.Client{one, one},
		left:    2,
		prepare: func(_ *emulator.Cloud, r *responder.Responder) { r.Mode = policy.DryRun },
		signal:  disabled(nil),
		says:    "Dry-run: 2 VPN connections",
	},
	{
		status:  responder.WouldTerminate,
		name:    "rule",
		clients: []emulator.Client{one},
		left:    1,
		signal:  disabled(func(s *signal.Signal) { s.Kind = signal.AccountPurged }),
		says:    "Dry-run",
	},
	{status: responder.Partial, name: "failed-to-terminate, and EC2 says why", left: 1, incomplete: true,
		clients: []emulator.Client{one, {
			EndpointID: ad, Username: "alice", FailToTerminate: true, StatusMessage: "Internal error",
		}},
		signal: disabled(nil), says: "EC2 says failed-to-terminate: Internal error"},
	{
		status:     responder.Partial,
		name:       "failed-to-terminate",
		clients:    []emulator.Client{one, {EndpointID: ad, Username: "alice", FailToTerminate: true}},
		signal:     disabled(nil),
		left:       1,
		incomplete: true,
		says:       "1 of 2 VPN connections of alice@example.com ended",
	},
	{
		status:     responder.Partial,
		name:       "an endpoint is not listed",
		clients:    []emulator.Client{one},
		incomplete: true,
		prepare:    func(c *emulator.Cloud, _ *responder.Responder) { c.Deny("ec2:DescribeClientVpnConnections", ad) },
		signal:     disabled(nil),
		says:       "missing permission ec2:DescribeClientVpnConnections on client-vpn-endpoint/" + ad,
	},
	{
		status:  responder.Reconnecting,
		clients: []emulator.Client{{EndpointID: saml, Username: "alice", ReconnectAfter: 2 * time.Second, Reconnects: -1}},
		signal:  disabled(nil),
		says:    "keep reconnecting",
	},
	{
		status:     responder.Unverified,
		clients:    []emulator.Client{{EndpointID: saml, Username: "alice", Stuck: true}},
		signal:     disabled(nil),
		left:       1,
		incomplete: true,
		says:       "the time was up before EC2 showed it",
	},
	{
		status:  responder.Exempt,
		name:    "the name in the event",
		clients: []emulator.Client{{EndpointID: saml, Username: "breakglass@example.com"}},
		left:    1,
		signal:  disabled(func(s *signal.Signal) { s.Subject.Usernames = []string{"BREAKGLASS"} }),
		says:    "exempt",
	},
	{
		status:  responder.OverLimit,
		clients: inManyNames(saml),
		left:    len(tooMany),
		signal:  disabled(nil),
		says:    "they carry 5 different names, more than max_connections, 4",
	},
	{
		status:  responder.Ambiguous,
		name:    "id and name",
		clients: []emulator.Client{one, {EndpointID: saml, Username: "bob"}},
		left:    2,
		signal: disabled(
			func(s *signal.Signal) { s.Subject = signal.Subject{Usernames: []string{"bob"}, IDs: []string{"00u1"}} },
		),
		says: "two people",
	},
	{
		status:  responder.Ambiguous,
		name:    "user and certificate",
		clients: []emulator.Client{{EndpointID: certs, Username: "bob", CommonName: "alice.vpn.example.com"}},
		left:    1,
		signal:  disabled(nil),
		says:    "its user is bob",
	},
	{
		status:  responder.Unmapped,
		clients: []emulator.Client{one, {EndpointID: saml}},
		left:    2,
		signal:  disabled(func(s *signal.Signal) { s.Subject = signal.Subject{} }),
		says:    "nobody",
	},
	{
		status:  responder.Unmapped,
		name:    "address, and no endpoint keeps any",
		clients: []emulator.Client{{EndpointID: saml, Username: "alice", ClientIP: "10.0.0.9"}},
		left:    1,
		prepare: func(_ *emulator.Cloud, r *responder.Responder) { r.VPN.EndpointIDs = []string{saml} },
		signal: disabled(
			func(s *signal.Signal) { s.Subject = signal.Subject{ClientIP: "10.0.0.9"} },
		),
		says: "no endpoint keeps client addresses",
	},
	{
		status:  responder.Sample,
		clients: []emulator.Client{one},
		left:    1,
		signal:  disabled(func(s *signal.Signal) { asFinding(s); s.Sample = true }),
		says:    "sample",
	},
	{
		status:  responder.Stale,
		clients: []emulator.Client{one},
		left:    1,
		signal:  disabled(func(s *signal.Signal) { asFinding(s); s.Time = s.Time.Add(-25 * time.Hour) }),
		says:    "none older than 24h",
	},
	{
		status:  responder.Notified,
		clients: []emulator.Client{one},
		left:    1,
		signal:  disabled(func(s *signal.Signal) { s.Kind = signal.RiskLevelChange }),
		says:    "only notifies",
	},
	{
		status: responder.Notified,
		name:   "about nobody",
		signal: disabled(func(s *signal.Signal) {
			s.Kind, s.Subject = signal.RiskLevelChange, signal.Subject{}
		}),
		says: "only notifies, and the event names nobody",
	},
	{
		status: responder.Notified,
		name:   "about a person called nobody",
		signal: disabled(func(s *signal.Signal) {
			s.Kind, s.Subject = signal.RiskLevelChange, signal.Subject{Usernames: []string{"nobody"}}
		}),
		says: "only notifies about nobody",
	},
	{
		status:  responder.Notified,
		name:    "archived",
		clients: []emulator.Client{one},
		left:    1,
		signal:  disabled(func(s *signal.Signal) { asFinding(s); s.Archived = true }),
		says:    "archived",
	},
	{
		status:  responder.Notified,
		name:    "not yet",
		clients: []emulator.Client{one},
		left:    1,
		signal:  disabled(func(s *signal.Signal) { s.EffectiveAt = s.Time.Add(time.Hour) }),
		says:    "takes effect at",
	},
	{
		status:  responder.Ignored,
		clients: []emulator.Client{one},
		left:    1,
		signal:  disabled(func(s *signal.Signal) { s.Kind = signal.AccountEnabled }),
		says:    "ignores",
	},
	{
		status:     responder.Failed,
		name:       "no permission to terminate",
		clients:    []emulator.Client{one},
		left:       1,
		incomplete: true,
		prepare:    func(c *emulator.Cloud, _ *responder.Responder) { c.Deny("ec2:TerminateClientVpnConnections", "") },
		signal:     disabled(nil),
		says:       "missing permission ec2:TerminateClientVpnConnections",
	},
	{status: responder.Failed, name: "no permission, dry-run", clients: []emulator.Client{one}, left: 1, incomplete: true,
		prepare: func(c *emulator.Cloud, r *responder.Responder) {
			c.Deny("ec2:TerminateClientVpnConnections", "")
			r.Mode = policy.DryRun
		}, signal: disabled(nil), says: "missing permission ec2:TerminateClientVpnConnections"},
	{
		status:     responder.Failed,
		name:       "no endpoint there",
		incomplete: true,
		prepare:    func(c *emulator.Cloud, _ *responder.Responder) { c.Reset() },
		signal:     disabled(nil),
		says:       "there is no Client VPN endpoint",
	},
	{
		status:     responder.Failed,
		name:       "doubt here, and an endpoint is not listed",
		clients:    []emulator.Client{{EndpointID: certs, Username: "bob", CommonName: "alice.vpn.example.com"}, one},
		left:       2,
		incomplete: true,
		prepare:    func(c *emulator.Cloud, _ *responder.Responder) { c.Deny("ec2:DescribeClientVpnConnections", saml) },
		signal:     disabled(nil),
		says:       "It is not known whether alice@example.com is connected",
	},
	{
		status:     responder.Failed,
		name:       "no endpoint is listed",
		clients:    []emulator.Client{one},
		left:       1,
		incomplete: true,
		prepare:    func(c *emulator.Cloud, _ *responder.Responder) { c.Deny("ec2:DescribeClientVpnEndpoints", "") },
		signal:     disabled(nil),
		says:       "missing permission ec2:DescribeClientVpnEndpoints",
	},
	{
		status:     responder.Failed,
		name:       "the policy cannot be read",
		clients:    []emulator.Client{one},
		left:       1,
		incomplete: true,
		prepare: func(_ *emulator.Cloud, r *responder.Responder) {
			r.Policy, r.PolicyError = nil, errors.New("policy.yaml:1:1: bad")
		},
		signal: disabled(nil),
		says:   "the policy cannot be read",
	},
}

// TestEveryStatus plays one story for each status.
func TestEveryStatus(t *testing.T) {
	for _, test := range statusStories {
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
					t.Errorf(
						"%s, incomplete %v: %s\n%s",
						o.Status,
						o.Incomplete(),
						o.Summary,
						strings.Join(policy.Words(o.Decision.Reasons), "\n"),
					)
				}
				if !strings.Contains(o.Summary, test.says) {
					t.Errorf("summary does not say %q: %s", test.says, o.Summary)
				}
				if left := up(cloud); len(left) != test.left {
					t.Errorf("still up: %q, want %d", left, test.left)
				}
				if test.status != responder.Terminated && test.status != responder.Partial &&
					test.status != responder.Reconnecting &&
					!o.Timing.EndedAt.IsZero() {
					t.Errorf("ended at %v", o.Timing.EndedAt)
				}
			})
		})
	}
}

// TestErrorsAreToldInBrief in the summary, and in full beside it.
func TestErrorsAreToldInBrief(t *testing.T) {
	two := emulator.Client{EndpointID: ad, Username: "alice"}
	for _, test := range []struct {
		name      string
		status    responder.Status
		clients   []emulator.Client
		prepare   func(*emulator.Cloud, *responder.Responder)
		left      int
		says, err string
	}{
		{
			"no permission on one endpoint", responder.Partial, []emulator.Client{one, two},
			func(c *emulator.Cloud, _ *responder.Responder) { c.Deny("ec2:TerminateClientVpnConnections", ad) }, 1,
			"1 of 2 VPN connections of alice@example.com ended", "missing permission",
		},
		{
			"no permission on one endpoint, dry-run", responder.Partial, []emulator.Client{one, two},
			func(c *emulator.Cloud, r *responder.Responder) {
				c.Deny("ec2:TerminateClientVpnConnections", ad)
				r.Mode = policy.DryRun
			}, 2,
			"Dry-run: 1 VPN connection of alice@example.com would be terminated, but not all", "missing permission",
		},
		{
			"EC2 fails at an endpoint", responder.Partial, []emulator.Client{one},
			func(c *emulator.Cloud, _ *responder.Responder) {
				c.Inject(emulator.Fault{Action: "DescribeClientVpnConnections", EndpointID: ad, Code: "InternalError"})
			}, 0,
			"describing connections of " + ad + ": InternalError.", "operation error",
		},
		{
			"no answer to the request", responder.Unverified, []emulator.Client{one},
			func(c *emulator.Cloud, _ *responder.Responder) {
				c.Inject(emulator.Fault{Action: "TerminateClientVpnConnections", Code: "InternalError"})
			}, 1,
			"the time was up", "no answer to terminating by connection-id",
		},
	} {
		inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
			time.Sleep(time.Hour)
			for _, k := range test.clients {
				cloud.Connect(k)
			}
			test.prepare(cloud, r)
			o := respond(t, r, about(alice))[0]
			if o.Status != test.status || len(up(cloud)) != test.left || !strings.Contains(o.Summary, test.says) ||
				!strings.Contains(o.Error, test.err) {
				t.Errorf("%s: %s: %s (%s); %q", test.name, o.Status, o.Summary, o.Error, up(cloud))
			}
		})
	}
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
		for _, want := range []string{
			"rule leavers does not fit: kind finding is not account-disabled",
			"rule findings decides terminate",
		} {
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
		if want := []string{
			"DescribeClientVpnConnections",
			"TerminateClientVpnConnections",
			"DescribeClientVpnConnections",
		}; !slices.Equal(asked, want) ||
			c.RequestIDs[0] == c.RequestIDs[2] {
			t.Errorf("requests %q", asked)
		}
		if c.IngressBytes < 48*60 || c.EgressBytes < 52*60 || !c.EndSeenAt.Equal(o.Timing.EndedAt) ||
			!c.RequestedAt.Equal(o.Timing.RequestedAt) {
			t.Errorf("%+v", c)
		}
		at := o.Timing
		if at.EventAt.After(at.ReceivedAt) || at.ReceivedAt.After(at.DecidedAt) || at.DecidedAt.After(at.RequestedAt) ||
			!at.RequestedAt.Before(at.EndedAt) {
			t.Errorf("%+v", at)
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
				if o.Status == responder.Terminated &&
					!strings.Contains(o.Summary, "before the watch for a reconnection was over") {
					t.Errorf("says nothing of the watch: %s", o.Summary)
				}
			})
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
		want := "2 VPN connections ended within the last hour, the latest at " + cloud.Connections()[1].EndedAt.UTC().Format(
			time.DateTime,
		)
		if o := respond(t, r, about(alice))[0]; !strings.Contains(o.Summary, want) {
			t.Errorf("%s, want %s", o.Summary, want)
		}
	})
}

// TestFailedLooksAreToldOnce: the texts of the SDK's errors differ by their request ids alone.
func TestFailedLooksAreToldOnce(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		cloud.Inject(
			emulator.Fault{
				Action:     "DescribeClientVpnConnections",
				EndpointID: saml,
				After:      1,
				Code:       "UnauthorizedOperation",
				Status:     403,
			},
		)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		o := respondWithin(ctx, t, r, about(alice))[0]
		told := slices.DeleteFunc(
			policy.Words(o.Decision.Reasons),
			func(reason string) bool { return !strings.HasPrefix(reason, "verifying") },
		)
		want := "verifying that the connections have ended: describing connections of " + saml +
			": missing permission ec2:DescribeClientVpnConnections on client-vpn-endpoint/" + saml
		if o.Status != responder.Unverified || !slices.Equal(told, []string{want}) {
			t.Errorf("%s: %q", o.Status, told)
		}
	})
}

// TestOutcomeSaysHowLongTheSessionWouldHaveLasted, where EC2 was asked for the endpoint's session timeout.
func TestOutcomeSaysHowLongTheSessionWouldHaveLasted(t *testing.T) {
	for _, given := range []bool{false, true} {
		inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
			cloud.AddEndpoint(emulator.Endpoint{ID: saml, SessionHours: 8})
			if given {
				r.VPN.EndpointIDs = []string{saml}
			}
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
			want := time.Now().Add(8 * time.Hour)
			if given {
				want = time.Time{}
			}
			time.Sleep(time.Hour)
			if k := respond(t, r, about(alice))[0].Connections[0]; !k.SessionEndsAt.Equal(want) {
				t.Errorf("until %v, want %v", k.SessionEndsAt, want)
			}
		})
	}
}
