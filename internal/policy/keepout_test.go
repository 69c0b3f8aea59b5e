package policy

import (
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/signal"

	"github.com/google/go-cmp/cmp"
)

const keepingOut = `version: 1
identity:
  domains: [example.com, EXAMPLE]
  aliases: {"okta:00u1a2b3c4": alice@example.com, "entra:00u1a2b3c4": alice@example.com, asmith@partner.test: alice}
  common_names: ["{user}.vpn.example.com"]
exempt: [breakglass@example.com]
rules:
  - {name: leavers, when: {kinds: [account-disabled, account-purged]}, then: terminate, keep_out: forever}
  - {name: findings, when: {kinds: [finding], max_age: 24h}, then: terminate, keep_out: 24h}
  - {name: told, when: {kinds: [account-enabled], providers: [okta]}, then: notify}
  - {name: revoked, when: {kinds: [session-revoked]}, then: terminate}
default: terminate
`

// TestWhoIsKeptOut: everybody whom a rule with keep_out cuts off, under one name for all of theirs; nobody whom a
// gate protects, and nobody without a name.
func TestWhoIsKeptOut(t *testing.T) {
	p := mustParse(t, keepingOut)
	about := func(kind signal.Kind, names ...string) signal.Signal {
		return signal.Signal{ID: "1", Provider: "okta", Kind: kind, Subject: signal.Subject{Usernames: names}, Time: now}
	}
	for _, test := range []struct {
		name   string
		signal signal.Signal
		want   KeepOut
		people []string
		reason string
	}{
		{
			"a leaver", about(signal.AccountDisabled, `EXAMPLE\Alice`), Forever, []string{"alice"},
			"rule leavers keeps alice out for ever",
		},
		{
			"a finding", about(signal.Finding, "bob@example.com"), "24h", []string{"bob"},
			"rule findings keeps bob out for 24h",
		},
		{
			"under two names", about(signal.AccountDisabled, "alice@example.com", "alice@other.test"), Forever,
			[]string{"alice", "alice@other.test"}, "",
		},
		{
			"under two names of one person", about(signal.AccountDisabled, "alice@example.com", "ASmith@partner.test"),
			Forever, []string{"alice"}, "",
		},
		{
			"an id that is known",
			with(about(signal.AccountDisabled), func(s *signal.Signal) { s.Subject.IDs = []string{"00u1a2b3c4"} }), Forever,
			[]string{"alice"}, "",
		},
		{"by a rule that does not say so", about(signal.SessionRevoked, "alice"), "", nil, ""},
		{"by default", about(signal.CredentialChange, "alice"), "", nil, ""},
		{"exempt", about(signal.AccountDisabled, "breakglass"), "", nil, "is exempt"},
		{"exempt under a second name", about(signal.AccountDisabled, "alice", "breakglass"), "", nil, "is exempt"},
		{
			"two people",
			with(about(signal.AccountDisabled, "bob"), func(s *signal.Signal) { s.Subject.IDs = []string{"00u1a2b3c4"} }), "",
			nil, "two people",
		},
		{
			"too old", with(about(signal.Finding, "bob"), func(s *signal.Signal) { s.Time = now.Add(-25 * time.Hour) }), "",
			nil, "25h old",
		},
		{"a sample", with(about(signal.Finding, "bob"), func(s *signal.Signal) { s.Sample = true }), "", nil, "sample"},
		{
			"not yet",
			with(about(signal.AccountDisabled, "bob"), func(s *signal.Signal) { s.EffectiveAt = now.Add(time.Hour) }), "",
			nil, "takes effect at",
		},
		{"nobody", about(signal.AccountDisabled), "", nil, "names nobody"},
		{
			"a connection",
			with(about(signal.AccountDisabled), func(s *signal.Signal) { s.Subject.ConnectionID = "cvpn-connection-1" }), "",
			nil, "nobody is kept out, as the event names no person",
		},
		{
			"an address", with(about(signal.AccountDisabled), func(s *signal.Signal) { s.Subject.ClientIP = "10.0.0.9" }), "",
			nil, "nobody is kept out, as the event names no person",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, mode := range []Mode{Enforce, DryRun} {
				d := p.Decide(test.signal, mode, now)
				if d.KeepOut != test.want || !slices.Equal(d.People, test.people) || d.Reinstates {
					t.Errorf("%s: %q of %q", mode, d.KeepOut, d.People)
				}
				if !strings.Contains(strings.Join(Words(d.Reasons), "\n"), test.reason) {
					t.Errorf("no reason says %q:\n%s", test.reason, strings.Join(Words(d.Reasons), "\n"))
				}
			}
		})
	}
}

// TestWhoIsReinstated: the person of an account-enabled, whatever the rules say, unless it is in doubt or for later.
// Such an event keeps nobody out.
func TestWhoIsReinstated(t *testing.T) {
	p := mustParse(t, keepingOut)
	enabled := func(change func(*signal.Signal)) signal.Signal {
		return with(
			signal.Signal{
				ID: "1", Provider: "okta", Kind: signal.AccountEnabled,
				Subject: signal.Subject{Usernames: []string{"Alice@example.com"}}, Time: now,
			},
			change,
		)
	}
	as := func(name string) func(*signal.Signal) {
		return func(s *signal.Signal) { s.Subject.Usernames = []string{name} }
	}
	for _, test := range []struct {
		name   string
		signal signal.Signal
		people []string
		reason string
		gate   Gate
	}{
		{
			"a rule notifies", enabled(as("alice")), []string{"alice"},
			"reinstates alice, if kept out, whatever the rules say", "",
		},
		{"the default terminates", enabled(func(s *signal.Signal) { s.Provider = "entra" }), []string{"alice"}, "", ""},
		{"exempt by now", enabled(as("breakglass")), []string{"breakglass"}, "", ""},
		{
			"nobody", enabled(func(s *signal.Signal) { s.Subject = signal.Subject{IDs: []string{"00uX"}} }), nil,
			"has no entry in identity.aliases", "",
		},
		{
			"two people",
			enabled(func(s *signal.Signal) { s.Subject.Usernames, s.Subject.IDs = []string{"bob"}, []string{"00u1a2b3c4"} }),
			nil, heldBack + "two people", GateAmbiguous,
		},
		{
			"not yet", enabled(func(s *signal.Signal) { s.EffectiveAt = now.Add(time.Hour) }), nil,
			heldBack + "it takes effect at", GateNotYet,
		},
		{
			"of the future", enabled(func(s *signal.Signal) { s.Time = now.Add(time.Hour) }), nil,
			heldBack + "the event is dated 1h in the future", GateFuture,
		},
		{"two people, and the default terminates", enabled(func(s *signal.Signal) {
			s.Provider, s.Subject.Usernames, s.Subject.IDs = "entra", []string{"bob"}, []string{"00u1a2b3c4"}
		}), nil, heldBack + "two people", GateAmbiguous},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := p.Decide(test.signal, Enforce, now)
			if d.KeepOut != "" || !slices.Equal(d.People, test.people) || d.Reinstates != (test.people != nil) ||
				d.Gate != test.gate || d.Gate != "" && d.Action == Terminate {
				t.Errorf("%q of %q, reinstates %t, %s, gate %q", d.KeepOut, d.People, d.Reinstates, d.Action, d.Gate)
			}
			if !strings.Contains(strings.Join(Words(d.Reasons), "\n"), test.reason) {
				t.Errorf("no reason says %q:\n%s", test.reason, strings.Join(Words(d.Reasons), "\n"))
			}
		})
	}
	everything := mustParse(t, "version: 1\nrules:\n  - {name: all, when: {}, then: terminate, keep_out: 24h}\n")
	if d := everything.Decide(enabled(as("alice")), Enforce, now); d.KeepOut != "" || !d.Reinstates {
		t.Errorf("reinstated and kept out %v: %q", d.KeepOut, d.Reasons)
	}
}

// TestPeopleWhoConnectAreThoseWhoWereKeptOut: the connect handler finds a person under every name that the client may
// have.
func TestPeopleWhoConnectAreThoseWhoWereKeptOut(t *testing.T) {
	p := mustParse(t, keepingOut)
	kept := p.Decide(
		signal.Signal{
			Provider: "okta", Kind: signal.AccountDisabled, Subject: signal.Subject{Usernames: []string{"alice@example.com"}},
		},
		Enforce, now,
	).People
	for _, test := range []struct {
		username, commonName string
		found                bool
	}{
		{"alice@example.com", "alice@example.com", true},
		{"ALICE", "", true},
		{`example\Alice`, `example\Alice`, true},
		{"asmith@partner.test", "", true},
		{"", "alice.vpn.example.com", true},
		{"", "Alice@Example.com", true},
		{"N/A", "alice.vpn.example.com", true},
		{"alice", "laptop-0815", true},
		{"bob", "alice.vpn.example.com", false}, // the certificate may be the device's
		{"alice.vpn.example.com", "", false},    // a template is for certificates
		{"malice@example.com", "", false},
		{"alice@example.org", "", false},
		{"", "", false},
		{"N/A", "-", false},
		{"*", "*", false},
	} {
		people := p.People(test.username, test.commonName)
		if found := slices.ContainsFunc(
			people, func(person string) bool { return slices.Contains(kept, person) },
		); found != test.found {
			t.Errorf("%q, %q: %q, of whom kept out are %q", test.username, test.commonName, people, kept)
		}
		if slices.Contains(people, "") {
			t.Errorf("%q, %q: somebody without a name: %q", test.username, test.commonName, people)
		}
	}
	for _, exempt := range [][2]string{
		{"breakglass", ""}, {`EXAMPLE\BreakGlass`, "x"}, {"", "breakglass.vpn.example.com"},
	} {
		if people := p.People(exempt[0], exempt[1]); people != nil {
			t.Errorf("%q: %q", exempt, people)
		}
	}
	if people := p.People("alice", "breakglass.vpn.example.com"); !slices.Equal(people, []string{"alice"}) {
		t.Errorf("an exempt certificate opens what a name closes: %q", people)
	}
	if diff := cmp.Diff([]string(nil), p.People("", "")); diff != "" {
		t.Error(diff)
	}
}

func TestHowLongAKeepOutIs(t *testing.T) {
	for k, want := range map[KeepOut]time.Time{
		"90m": now.Add(90 * time.Minute), "24h": now.Add(24 * time.Hour), Forever: {},
	} {
		if until := k.Until(now); !until.Equal(want) {
			t.Errorf("%s: %v", k, until)
		}
	}
}

// TestEditsAreShown: what another policy makes of people who are kept out.
func TestEditsAreShown(t *testing.T) {
	p := mustParse(t, "version: 1\nidentity: {domains: [example.com], aliases: {cd: carol}}\nexempt: [dora]\n")
	for _, test := range []struct {
		entry Listed
		want  string
	}{
		{Listed{Person: "alice", Names: []string{"Alice@Example.com"}, Known: []string{"alice", "alice@example.com"}}, ""},
		{Listed{Person: "alice", Names: []string{"00u1"}, Known: []string{"alice"}}, ""}, // an id, by an alias
		{
			Listed{Person: "alice", Names: []string{"alice@old.test"}, Known: []string{"alice", "alice@old.test"}},
			"event about alice@old.test, whom identity makes alice@old.test by now; both are denied",
		},
		{Listed{Person: "cd", Names: []string{"cd"}, Known: []string{"cd"}}, "whom identity makes carol by now"},
		{Listed{Person: "dora", Names: []string{"dora"}, Known: []string{"dora"}}, "nothing denies dora"},
	} {
		if got := p.Edited(test.entry); !strings.Contains(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%+v: %q", test.entry, got)
		}
	}
}

// TestChangeOfIdentityLetsNobodyIn: what was kept out under one policy is found and held under another, and nobody
// else is.
func TestChangeOfIdentityLetsNobodyIn(t *testing.T) {
	with := func(identity string) *Policy { return mustParse(t, "version: 1\nidentity: {"+identity+"}\n") }
	for _, test := range []struct {
		name, before, after string
		given               string // in the event
		connects            string
		held                bool
	}{
		{"a domain goes", "domains: [example.com]", "", "alice@example.com", "alice@example.com", true},
		{"a domain comes", "", "domains: [example.com]", "alice@example.com", "alice", true},
		{"a domain comes, for another", "", "domains: [example.com]", "alice@example.com", "bob", false},
		{"an alias goes", "aliases: {al: alice}", "", "al", "alice", true},
		{"an alias comes", "", "aliases: {al: alice}", "al", "alice", true},
		{"another domain", "domains: [example.com]", "", "alice@example.com", "alice@partner.test", false},
	} {
		s := signal.Signal{
			Provider: "okta", Kind: signal.AccountDisabled, Subject: signal.Subject{Usernames: []string{test.given}},
		}
		before, after := with(test.before), with(test.after)
		people := before.Decide(s, Enforce, now).People
		if people == nil {
			people = before.People(test.given, "")
		}
		held := false
		for _, key := range after.Keys(test.connects, "") {
			held = held || slices.Contains(people, key) &&
				after.Holds(Listed{Person: key, Names: []string{test.given}}, test.connects, "")
		}
		if held != test.held {
			t.Errorf("%s: held %v; entry of %q, keys %q", test.name, held, people, after.Keys(test.connects, ""))
		}
	}
}
