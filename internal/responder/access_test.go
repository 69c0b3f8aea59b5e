package responder_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const keepingOut = `version: 1
demonstration: true
identity:
  domains: [example.com, EXAMPLE]
  issuers: [iam:111122223333]
  aliases: {"okta:00u1": alice@example.com}
  common_names: ["{user}.vpn.example.com"]
exempt: [breakglass@example.com]
max_connections: 4
rules:
  - name: leavers
    when: {kinds: [account-disabled, account-purged]}
    then: terminate
    keep_out: forever
  - name: findings
    when: {kinds: [finding], max_age: 24h}
    then: terminate
    keep_out: 24h
  - name: revoked
    when: {kinds: [session-revoked]}
    then: terminate
    keep_out: 1h
  - name: watched
    when: {kinds: [credential-compromise]}
    then: terminate
    keep_out: 24h
    mode: dry-run
`

// company is one that keeps people out.
type company struct {
	*emulator.Cloud
	*responder.Responder
	list *ledger.Table
}

func keepingPeopleOut(t *testing.T, test func(t *testing.T, c company)) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.AddTable("keepout", "id")
		client, stop := emulator.HTTPClient(cloud)
		defer stop()
		cfg := config(client)
		cfg.BaseEndpoint = aws.String("http://dynamodb.test")
		c := company{cloud, r, ledger.New(cfg, "keepout")}
		p, err := policy.Parse("policy.yaml", []byte(keepingOut))
		if err != nil {
			t.Fatal(err)
		}
		r.KeepOut, r.Policy = c.list, p
		test(t, c)
	})
}

// kept lists whom the table keeps out, as "person cause until".
func (c company) kept(t *testing.T) string {
	t.Helper()
	entries, err := c.list.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		until := "forever"
		if !e.Until.IsZero() {
			until = time.Until(e.Until).Round(time.Minute).String()
		}
		all = append(all, fmt.Sprintf("%s %s %s", e.Person, e.Cause, until))
	}
	return strings.Join(all, ", ")
}

func (c company) connect(usernames ...string) {
	for _, username := range usernames {
		c.Connect(emulator.Client{EndpointID: saml, Username: username})
	}
}

// changed returns the signal with some of it changed.
func changed(s signal.Signal, change func(*signal.Signal)) signal.Signal { change(&s); return s }

func finding(subject signal.Subject) signal.Signal {
	return changed(about(subject), func(s *signal.Signal) {
		s.Provider, s.Account, s.Kind, s.Type = "guardduty", "111122223333", signal.Finding, "Exfiltration:IAMUser/X"
	})
}

func requested(subject signal.Subject) signal.Signal {
	return changed(about(subject), func(s *signal.Signal) {
		s.Provider, s.Type, s.Reason, s.RequestedBy = signal.Custom, "Terminate Connections", "left", "hr"
	})
}

// enabled is the provider's reinstatement, reinstated somebody's request.
func enabled(subject signal.Subject) signal.Signal {
	return changed(
		about(subject),
		func(s *signal.Signal) { s.ID, s.Kind, s.Type = "2", signal.AccountEnabled, "user.lifecycle.activate" },
	)
}

func reinstated(subject signal.Subject) signal.Signal {
	return changed(enabled(subject), func(s *signal.Signal) {
		s.Provider, s.Type, s.Reason, s.RequestedBy = signal.Custom, "Reinstate", "a mistake", "helpdesk"
	})
}

// TestKeptOutBeforeAnythingIsEnded: the entry is written before the search begins, so that nobody slips in between.
func TestKeptOutBeforeAnythingIsEnded(t *testing.T) {
	keepingPeopleOut(t, func(t *testing.T, c company) {
		c.connect("alice@example.com")
		o := respond(t, c.Responder, about(alice))[0]
		if o.Status != responder.Terminated || !o.KeptOutUntil.Equal(responder.Forever) ||
			!strings.Contains(o.Summary, "alice@example.com is kept out for ever.") {
			t.Errorf("%s: %s, kept out until %v", o.Status, o.Summary, o.KeptOutUntil)
		}
		var order []string
		for _, call := range c.Calls() {
			if !slices.Contains(order, call.Action) {
				order = append(order, call.Action)
			}
		}
		if listed := slices.Index(
			order,
			"UpdateItem",
		); listed < 0 ||
			listed > slices.Index(order, "DescribeClientVpnConnections") {
			t.Errorf("%q", order)
		}
		entries, err := c.list.List(t.Context())
		if err != nil || len(entries) != 1 {
			t.Fatal(entries, err)
		}
		e := entries[0]
		if e.Person != "alice" || e.Reason != "user.lifecycle.deactivate" || e.OutcomeID != "okta 1" || e.By != "okta" ||
			!e.Since.Equal(o.Timing.DecidedAt) ||
			!e.EventAt.Equal(o.Signal.Time) {
			t.Errorf("%+v", e)
		}
	})
}

// TestWhoIsOnTheList: who, why and how long, and what the outcome claims.
func TestWhoIsOnTheList(t *testing.T) {
	bob := signal.Subject{Usernames: []string{"bob"}}
	for _, test := range []struct {
		name    string
		signal  func() signal.Signal
		clients []string
		mode    policy.Mode
		status  responder.Status
		kept    string
		says    string
	}{
		{
			"not connected", func() signal.Signal { return about(alice) }, nil, "", responder.NotConnected,
			"alice deprovisioning forever", "alice@example.com is kept out for ever.",
		},
		{
			"a finding", func() signal.Signal { return finding(bob) }, []string{"bob"}, "", responder.Terminated,
			"bob finding 24h0m0s", "bob is kept out until 2000-01-02 00:00:00 UTC.",
		},
		{"a revoked session", func() signal.Signal {
			return changed(about(bob), func(s *signal.Signal) { s.Kind = signal.SessionRevoked })
		}, nil, "", responder.NotConnected, "bob finding 1h0m0s", ""},
		{
			"a request", func() signal.Signal { return requested(alice) }, nil, "", responder.NotConnected,
			"alice request forever", "",
		},
		{"two names of one person", func() signal.Signal {
			return about(signal.Subject{Usernames: []string{"alice@example.com", "alice@other.test"}})
		}, nil, "", responder.NotConnected, "alice deprovisioning forever, alice@other.test deprovisioning forever", ""},
		{
			"dry-run", func() signal.Signal { return about(alice) }, []string{"alice"}, policy.DryRun,
			responder.WouldTerminate, "", "alice@example.com would be kept out for ever.",
		},
		{
			"dry-run, not connected", func() signal.Signal { return about(alice) }, nil, policy.DryRun,
			responder.NotConnected, "", "alice@example.com would be kept out for ever.",
		},
		{
			"dry-run, more names than one person has", func() signal.Signal { return about(alice) }, tooMany, policy.DryRun,
			responder.OverLimit, "", "as they carry 5 different names, more than max_connections, 4.",
		},
		{"a rule that only watches", func() signal.Signal {
			return changed(about(alice), func(s *signal.Signal) { s.Kind = signal.CredentialCompromise })
		}, []string{"alice"}, "", responder.WouldTerminate, "", "alice@example.com would be kept out for 24h."},
		{"purged", func() signal.Signal {
			return changed(about(alice), func(s *signal.Signal) { s.Kind = signal.AccountPurged })
		}, nil, "", responder.NotConnected, "alice deprovisioning forever", ""},
		{
			"exempt", func() signal.Signal { return about(signal.Subject{Usernames: []string{"breakglass"}}) },
			[]string{"breakglass"}, "", responder.Exempt, "", "",
		},
		{
			"two people",
			func() signal.Signal { return about(signal.Subject{Usernames: []string{"bob"}, IDs: []string{"00u1"}}) },
			[]string{"bob"}, "", responder.Ambiguous, "", "",
		},
		{"nobody", func() signal.Signal { return about(signal.Subject{}) }, nil, "", responder.Unmapped, "", ""},
		{
			"a connection", func() signal.Signal { return about(signal.Subject{ConnectionID: "cvpn-connection-0"}) },
			[]string{"bob"}, "", responder.NotConnected, "", "",
		},
		{
			"an address", func() signal.Signal { return about(signal.Subject{ClientIP: "10.32.0.9"}) }, []string{"bob"}, "",
			responder.NotConnected, "", "",
		},
		{
			"a sample", func() signal.Signal { return changed(finding(bob), func(s *signal.Signal) { s.Sample = true }) },
			[]string{"bob"}, "", responder.Sample, "", "",
		},
		{
			"more names than one person has", func() signal.Signal { return about(alice) }, tooMany, "", responder.OverLimit,
			"alice deprovisioning forever", "more than max_connections, 4. alice@example.com is kept out for ever.",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			keepingPeopleOut(t, func(t *testing.T, c company) {
				c.connect(test.clients...)
				c.Mode = policy.Enforce
				if test.mode != "" {
					c.Mode = test.mode
				}
				o := respond(t, c.Responder, test.signal())[0]
				if o.Status != test.status || !strings.Contains(o.Summary, test.says) {
					t.Errorf("%s: %s", o.Status, o.Summary)
				}
				if kept := c.kept(t); kept != test.kept || o.KeptOutUntil.IsZero() != (kept == "") {
					t.Errorf("kept out are %q; the outcome says until %v", kept, o.KeptOutUntil)
				}
			})
		})
	}
}

// TestListThatCannotBeWrittenStopsNoTermination: whatever the trouble, the outcome says so, and the event comes again.
func TestListThatCannotBeWrittenStopsNoTermination(t *testing.T) {
	for name, spoil := range map[string]func(c company){
		"permission": func(c company) { c.Deny("dynamodb:UpdateItem", "keepout") },
		"hangs":      func(c company) { c.Inject(emulator.Fault{Action: "UpdateItem", Delay: time.Hour}) },
		"throttled":  func(c company) { c.Inject(emulator.Fault{Action: "UpdateItem", Code: "ThrottlingException"}) },
		"is not there": func(c company) {
			c.Inject(emulator.Fault{Action: "UpdateItem", Code: "ResourceNotFoundException"})
		},
		"drops":         func(c company) { c.Inject(emulator.Fault{Action: "UpdateItem", Drop: true}) },
		"speaks in XML": func(c company) { c.Inject(emulator.Fault{Action: "UpdateItem", Truncate: true}) },
	} {
		for _, connected := range []bool{true, false} {
			t.Run(fmt.Sprint(name, ", connected ", connected), func(t *testing.T) {
				keepingPeopleOut(t, func(t *testing.T, c company) {
					want := responder.Failed
					if connected {
						c.connect("alice")
						want = responder.Partial
					}
					spoil(c)
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					began := time.Now()
					o := respondWithin(ctx, t, c.Responder, about(alice))[0]
					if left := up(c.Cloud); len(left) > 0 {
						t.Errorf("still up: %q", left)
					}
					if o.Status != want || !o.Incomplete() || !o.KeptOutUntil.IsZero() ||
						!strings.Contains(o.Error, "keeping out alice: writing keepout: ") ||
						!strings.Contains(o.Summary, " the keep-out list could not be updated: keeping out alice") {
						t.Errorf("%s: %s\n%s", o.Status, o.Summary, o.Error)
					}
					if connected && o.Timing.RequestedAt.Sub(began) > 4*time.Second {
						t.Errorf("it held up the cut-off for %v", o.Timing.RequestedAt.Sub(began))
					}
				})
			})
		}
	}
}

// TestMissingPermissionForTheListIsNamed, so that it can be granted.
func TestMissingPermissionForTheListIsNamed(t *testing.T) {
	keepingPeopleOut(t, func(t *testing.T, c company) {
		c.Deny("dynamodb:UpdateItem", "")
		o := respond(t, c.Responder, about(alice))[0]
		if want := "missing permission dynamodb:UpdateItem on table/keepout"; !strings.Contains(o.Error, want) ||
			!strings.Contains(o.Summary, want) {
			t.Errorf("%s\n%s", o.Summary, o.Error)
		}
	})
}

// TestOverLimitStaysOnTheList: nobody is let in while a person sees to it, and nobody else is kept out.
func TestOverLimitStaysOnTheList(t *testing.T) {
	keepingPeopleOut(t, func(t *testing.T, c company) {
		c.connect(tooMany...)
		c.connect("bob")
		o := respond(t, c.Responder, about(alice), about(signal.Subject{Usernames: []string{"bob"}}))[0]
		if o.Status != responder.OverLimit || !o.KeptOutUntil.Equal(responder.Forever) || len(up(c.Cloud)) != len(tooMany) {
			t.Errorf("%s: %s; still up: %q", o.Status, o.Summary, up(c.Cloud))
		}
		if kept := c.kept(t); kept != "alice deprovisioning forever, bob deprovisioning forever" {
			t.Error(kept)
		}
	})
}

// TestLimitFoundLate: on an endpoint that could not be listed at first there are more names than one person has.
func TestLimitFoundLate(t *testing.T) {
	keepingPeopleOut(t, func(t *testing.T, c company) {
		for _, name := range tooMany {
			c.Connect(emulator.Client{EndpointID: ad, Username: name})
		}
		c.Inject(emulator.Fault{Action: "DescribeClientVpnConnections", EndpointID: ad, Times: 3, Code: "InternalFailure"})
		o := respond(t, c.Responder, about(alice))[0]
		if kept := c.kept(
			t,
		); o.Status != responder.OverLimit || kept != "alice deprovisioning forever" ||
			len(up(c.Cloud)) != len(tooMany) {
			t.Errorf("%s: %s; kept out are %q", o.Status, o.Summary, kept)
		}
	})
}

// TestWhoComesBackManyTimesOverStaysOut: that it is one person was seen before.
func TestWhoComesBackManyTimesOverStaysOut(t *testing.T) {
	keepingPeopleOut(t, func(t *testing.T, c company) {
		c.Connect(emulator.Client{EndpointID: saml, Username: "alice", ReconnectAfter: 2 * time.Second, Reconnects: 1})
		time.AfterFunc(10*time.Second, func() { c.connect(tooMany...) })
		o := respond(t, c.Responder, about(alice))[0]
		if kept := c.kept(
			t,
		); o.Status != responder.Reconnecting || kept != "alice deprovisioning forever" ||
			!o.KeptOutUntil.Equal(responder.Forever) {
			t.Errorf("%s: %s; kept out are %q", o.Status, o.Summary, kept)
		}
	})
}

// TestTheEarliestEndIsTold, where somebody is kept out under several names.
func TestTheEarliestEndIsTold(t *testing.T) {
	for _, names := range [][]string{{"bob@other.test", "bob@example.com"}, {"bob@example.com", "bob@other.test"}} {
		keepingPeopleOut(t, func(t *testing.T, c company) {
			respond(t, c.Responder, about(signal.Subject{Usernames: []string{"bob@other.test"}}))
			o := respond(t, c.Responder, finding(signal.Subject{Usernames: names}))[0]
			if time.Until(o.KeptOutUntil).Round(time.Hour) != 24*time.Hour {
				t.Errorf("%q: %s", names, o.Summary)
			}
		})
	}
}

// TestEventsWithoutTimeHappenWhenTheyCome.
func TestEventsWithoutTimeHappenWhenTheyCome(t *testing.T) {
	keepingPeopleOut(t, func(t *testing.T, c company) {
		timeless := func(s *signal.Signal) { s.Time = time.Time{} }
		respond(t, c.Responder, changed(about(alice), timeless))
		time.Sleep(time.Minute)
		c.Mode = policy.DryRun
		if o := respond(t, c.Responder, changed(enabled(alice), timeless))[0]; len(o.Lifted) != 1 {
			t.Errorf("%s: %s", o.Status, o.Summary)
		}
		c.Mode = policy.Enforce
		if o := respond(t, c.Responder, changed(enabled(alice), timeless))[0]; len(o.Lifted) != 1 || c.kept(t) != "" {
			t.Errorf("%s: %s", o.Status, o.Summary)
		}
	})
}

// TestWithoutAListConnectionsAreEndedAllTheSame, and the outcome says that nobody is kept out.
func TestWithoutAListConnectionsAreEndedAllTheSame(t *testing.T) {
	keepingPeopleOut(t, func(t *testing.T, c company) {
		c.connect("alice")
		c.KeepOut = nil
		o := respond(t, c.Responder, about(alice))[0]
		if o.Status != responder.Terminated || !o.KeptOutUntil.IsZero() || strings.Contains(o.Summary, "kept out") ||
			!slices.Contains(policy.Words(o.Decision.Reasons), "keep-out is off, as LEDGER_TABLE is not set") {
			t.Errorf("%s: %s\n%q", o.Status, o.Summary, o.Decision.Reasons)
		}
		if o := respond(t, c.Responder, enabled(alice))[0]; o.Status != responder.Ignored {
			t.Errorf("%s: %s", o.Status, o.Summary)
		}
		c.Mode = policy.DryRun
		if o := respond(t, c.Responder, about(alice))[0]; strings.Contains(o.Summary, "kept out") {
			t.Errorf("%s: %s", o.Status, o.Summary)
		}
	})
}

// TestManyPeopleAreKeptOutSideBySide: a request may name many.
func TestManyPeopleAreKeptOutSideBySide(t *testing.T) {
	keepingPeopleOut(t, func(t *testing.T, c company) {
		c.Latency = 20 * time.Millisecond
		var signals []signal.Signal
		for i := range 200 {
			signals = append(signals, requested(signal.Subject{Usernames: []string{fmt.Sprint("leaver-", i)}}))
		}
		began := time.Now()
		respond(t, c.Responder, signals...)
		if n := strings.Count(c.kept(t), "request forever"); n != 200 {
			t.Errorf("%d are kept out", n)
		}
		for _, call := range c.Calls() {
			if call.Action == "DescribeClientVpnConnections" {
				if took := call.At.Sub(began); took > time.Second {
					t.Errorf("after %v", took)
				}
				break
			}
		}
	})
}

// asks returns a client connect handler that does what the real one does.
func (c company) asks(t *testing.T) func(context.Context, []byte) ([]byte, error) {
	return func(ctx context.Context, request []byte) ([]byte, error) {
		var who struct {
			Username   string `json:"username"`
			CommonName string `json:"common-name"`
		}
		if err := json.Unmarshal(request, &who); err != nil {
			t.Error(err)
		}
		entries, err := c.list.Find(ctx, c.Policy.People(who.Username, who.CommonName))
		return fmt.Appendf(
			nil,
			`{"allow":%t,"error-msg-on-denied-connection":"","posture-compliance-statuses":[],"schema-version":"v3"}`,
			len(entries) == 0,
		), err
	}
}

// TestWhoIsKeptOutDoesNotComeBack: a client that reconnects for ever is denied, until its user is reinstated;
// one that is not kept out, of a similar name, is allowed.
func TestWhoIsKeptOutDoesNotComeBack(t *testing.T) {
	keepingPeopleOut(t, func(t *testing.T, c company) {
		c.ConnectHandler = c.asks(t)
		c.Connect(emulator.Client{EndpointID: ad, Username: `EXAMPLE\alice`, ReconnectAfter: 2 * time.Second, Reconnects: -1})
		c.Connect(
			emulator.Client{
				EndpointID:     certs,
				CommonName:     "alice.vpn.example.com",
				ReconnectAfter: 2 * time.Second,
				Reconnects:     -1,
			},
		)
		o := respond(t, c.Responder, about(alice))[0]
		if o.Status != responder.Terminated || o.Reconnections != 0 || len(o.Connections) != 2 {
			t.Errorf("%s: %s", o.Status, o.Summary)
		}
		if left := up(c.Cloud); len(left) > 0 || len(c.Refused()) < 6 {
			t.Errorf("up are %q, refused were %d", left, len(c.Refused()))
		}
		if _, in := c.Attempt(emulator.Client{EndpointID: ad, Username: "malice"}); !in {
			t.Error("malice is kept out")
		}
		respond(t, c.Responder, enabled(alice))
		time.Sleep(3 * time.Second)
		if left := up(c.Cloud); len(left) != 3 {
			t.Errorf("after the reinstatement up are %q", left)
		}
	})
}

// TestReconnectingSaysWhy: nobody who is kept out should come back. If they do, the outcome says how they can.
func TestReconnectingSaysWhy(t *testing.T) {
	letsIn := func(context.Context, []byte) ([]byte, error) {
		return []byte(
			`{"allow":true,"error-msg-on-denied-connection":"","posture-compliance-statuses":[],"schema-version":"v3"}`,
		), nil
	}
	for _, test := range []struct {
		name    string
		prepare func(c company)
		says    string
	}{
		{
			"no handler at all", func(company) {},
			"although they are kept out: no client connect handler is attached to " + saml + ".",
		},
		{"none on this endpoint", func(c company) {
			c.ConnectHandler = letsIn
			c.AddEndpoint(emulator.Endpoint{ID: saml, NoConnectHandler: true})
		}, "although they are kept out: no client connect handler is attached to " + saml + "."},
		{"none on this endpoint, which is given", func(c company) {
			c.VPN.EndpointIDs = []string{saml}
			c.ConnectHandler = letsIn
			c.AddEndpoint(emulator.Endpoint{ID: saml, NoConnectHandler: true})
		}, "no client connect handler is attached to " + saml + "."},
		{
			"a handler that lets everybody in", func(c company) { c.ConnectHandler = letsIn },
			"although they are kept out: the client connect handler lets them in, as its log says.",
		},
		{"nobody may look", func(c company) {
			c.VPN.EndpointIDs = []string{saml}
			c.Deny("ec2:DescribeClientVpnEndpoints", "")
		}, "although they are kept out: it is not known whether a client connect handler is attached."},
		{"no list", func(c company) { c.KeepOut = nil }, "they keep reconnecting."},
	} {
		t.Run(test.name, func(t *testing.T) {
			keepingPeopleOut(t, func(t *testing.T, c company) {
				test.prepare(c)
				c.Connect(emulator.Client{EndpointID: saml, Username: "alice", ReconnectAfter: 2 * time.Second, Reconnects: -1})
				o := respond(t, c.Responder, about(alice))[0]
				if o.Status != responder.Reconnecting || !strings.Contains(o.Summary, test.says) {
					t.Errorf("%s: %s", o.Status, o.Summary)
				}
			})
		})
	}
}
