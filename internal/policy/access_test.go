package policy

import (
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/signal"
)

const movers = `version: 1
access:
  okta: {groups: [00g1, VPN users], apps: [0oa1]}
  identity-center: {groups: [9067123456-1b4f6a3e-0c1d-4e2f-8a9b-7c6d5e4f3a21]}
  google: {groups: [vpn@example.com]}
  pingone: {groups: [VPN users]}
  sailpoint: {groups: [VPN users], sources: [AWS Client VPN]}
leaver_states: [Leaver, "no longer employed"]
rules:
  - {name: movers, when: {kinds: [token-claims-change]}, then: terminate, keep_out: forever}
  - {name: leavers, when: {kinds: [account-disabled]}, then: terminate, keep_out: forever}
`

// TestMovers: a person who loses what carries the VPN is cut off. One who gets it back may come back. Any other group
// means nothing.
func TestMovers(t *testing.T) {
	p, err := Parse("policy.yaml", []byte(movers))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range moves {
		s := signal.Signal{
			Provider: test.provider, Kind: signal.TokenClaimsChange, Membership: &test.membership,
			Subject: signal.Subject{Usernames: []string{"alice"}},
		}
		if test.membership.Everybody {
			s.Subject = signal.Subject{}
		}
		d := p.Decide(s, Enforce, time.Now())
		if d.Action != test.action || d.Gate != test.gate || d.Reinstates != test.reinstates {
			t.Errorf("%s: %+v", test.name, d)
		}
		if (d.KeepOut != "") != (test.action == Terminate) {
			t.Errorf("%s: keeps out %q", test.name, d.KeepOut)
		}
	}
}

var moves = []struct {
	name       string
	provider   string
	membership signal.Membership
	action     Action
	gate       Gate
	reinstates bool
}{
	{
		"removed, by id", "okta", signal.Membership{Of: signal.Group, ID: "00g1", Change: signal.Removed}, Terminate,
		"", false,
	},
	{"removed, by name", "okta",
		signal.Membership{Of: signal.Group, ID: "00g9", Name: "vpn Users", Change: signal.Removed},
		Terminate, "", false},
	{"added again", "okta", signal.Membership{Of: signal.Group, ID: "00g1", Change: signal.Added}, Ignore, "", true},
	{"another group", "okta", signal.Membership{Of: signal.Group, ID: "00g2", Name: "VPN", Change: signal.Removed},
		Ignore, "", false},
	{"added to another group", "okta", signal.Membership{Of: signal.Group, ID: "00g2", Change: signal.Added},
		Ignore, "", false},
	{"an id in another case", "okta", signal.Membership{Of: signal.Group, ID: "00G1", Change: signal.Removed},
		Ignore, "", false},
	{"the id of an application", "okta", signal.Membership{Of: signal.Group, ID: "0oa1", Change: signal.Removed},
		Ignore, "", false},
	{"an application", "okta", signal.Membership{Of: signal.Application, ID: "0oa1", Change: signal.Removed},
		Terminate, "", false},
	{
		"another provider", "entra", signal.Membership{Of: signal.Group, ID: "00g1", Change: signal.Removed}, Ignore,
		"", false,
	},
	{"Google, by an id", "google-workspace",
		signal.Membership{Of: signal.Group, ID: "VPN@example.com", Change: signal.Removed},
		Ignore, "", false},
	{"Google", "google-workspace", signal.Membership{Of: signal.Group, Name: "VPN@example.com", Change: signal.Removed},
		Terminate, "", false},
	{"PingOne", "pingone", signal.Membership{Of: signal.Group, ID: "g1", Name: "VPN users", Change: signal.Removed},
		Terminate, "", false},
	{"SailPoint, an entitlement", "sailpoint",
		signal.Membership{Of: signal.Group, Name: "VPN users", Change: signal.Removed}, Terminate, "", false},
	{"SailPoint, a source", "sailpoint",
		signal.Membership{Of: signal.Application, Name: "AWS Client VPN", Change: signal.Removed}, Terminate, "", false},
	{"SailPoint, a source again", "sailpoint",
		signal.Membership{Of: signal.Application, Name: "AWS Client VPN", Change: signal.Added}, Ignore, "", true},
	{"the whole group", "okta", signal.Membership{Of: signal.Group, ID: "00g1", Change: signal.Removed, Everybody: true},
		Notify, GateUnmapped, false},
	{"a group that the event does not name", signal.IdentityCenter,
		signal.Membership{Of: signal.Group, Reference: "m1", Change: signal.Removed}, Terminate, "", false},
	{"an application that the event does not name", signal.IdentityCenter,
		signal.Membership{Of: signal.Application, Change: signal.Removed}, Ignore, "", false},
	{
		"hidden", "okta", signal.Membership{Of: signal.Group, ID: "00g1", Change: signal.Changed}, Notify, GateUnclear,
		false,
	},
}

// TestLeaverStates: only the customer's own words mean that somebody left, and the outcome reports an unknown word.
func TestLeaverStates(t *testing.T) {
	p, err := Parse("policy.yaml", []byte(movers))
	if err != nil {
		t.Fatal(err)
	}
	shipped, err := Parse(
		"policy.yaml", []byte(strings.Replace(movers, `leaver_states: [Leaver, "no longer employed"]`, "", 1)),
	)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		policy   *Policy
		kind     signal.Kind
		from, to string
		action   Action
		gate     Gate
		returns  bool
	}{
		{p, signal.AccountDisabled, "active", "leaver", Terminate, "", false},
		{p, signal.AccountDisabled, "active", "No Longer Employed", Terminate, "", false},
		{p, signal.AccountDisabled, "active", "terminated", Notify, GateUnclear, false},
		{p, signal.AccountEnabled, "leaver", "active", Ignore, "", true},
		{p, signal.AccountEnabled, "prehire", "active", Ignore, "", false},
		{shipped, signal.AccountDisabled, "active", "terminated", Terminate, "", false},
		{shipped, signal.AccountDisabled, "active", "inactive", Terminate, "", false},
		{shipped, signal.AccountDisabled, "active", "leaver", Notify, GateUnclear, false},
	} {
		d := test.policy.Decide(signal.Signal{
			Provider: "sailpoint", Kind: test.kind, Subject: signal.Subject{Usernames: []string{"alice"}},
			State: &signal.StateChange{From: test.from, To: test.to},
		}, Enforce, time.Now())
		if d.Action != test.action || d.Gate != test.gate || d.Reinstates != test.returns {
			t.Errorf("%s to %s: %+v", test.from, test.to, d)
		}
	}
}

// TestHiddenStatesAreReported: an event that hides what a state became cuts nobody off, and the outcome says so.
func TestHiddenStatesAreReported(t *testing.T) {
	p, err := Parse("policy.yaml", []byte(movers))
	if err != nil {
		t.Fatal(err)
	}
	d := p.Decide(signal.Signal{
		Provider: "pingone", Kind: signal.AccountDisabled, Subject: signal.Subject{Usernames: []string{"alice"}},
		State: &signal.StateChange{Of: "enabled"},
	}, Enforce, time.Now())
	last := d.Reasons[len(d.Reasons)-1].Text
	if d.Action != Notify || d.Gate != GateUnclear || !strings.Contains(last, `"enabled" changed`) {
		t.Errorf("%+v", d)
	}
}

// TestInterruptedSourcesAreTold: no rule can hide that events of a source may be missing.
func TestInterruptedSourcesAreTold(t *testing.T) {
	p, err := Parse("policy.yaml", []byte("version: 1\nrules:\n  - {name: none, when: {}, then: ignore}\n"))
	if err != nil {
		t.Fatal(err)
	}
	d := p.Decide(signal.Signal{Provider: "entra", Kind: signal.SourceInterrupted}, Enforce, time.Now())
	if d.Action != Notify || d.Rule != "" || !strings.Contains(d.Reasons[0].Text, "entra") {
		t.Errorf("%+v", d)
	}
}

func TestAccessIsChecked(t *testing.T) {
	for entry, want := range map[string]string{
		"okta: {groups: ['*']}":                "access.okta.groups[0]: \"*\" is neither an id nor a name",
		"okta: {groups: [unknown]}":            "access.okta.groups[0]",
		"okta: {accounts: [a]}":                "access.okta.accounts: must be one of apps, groups",
		"jumpcloud: {groups: [a]}":             "access.jumpcloud: must be one of directory-service, entra, google,",
		"identity-center: {groups: [VPN]}":     "is not the id of a group",
		"identity-center: {accounts: [prod]}":  "is not the id of an account",
		"identity-center: {apps: [apl-01234]}": "is not the ARN of an application",
	} {
		_, err := Parse("policy.yaml", []byte("version: 1\naccess: {"+entry+"}\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", entry, err, want)
		}
	}
	if _, err := Parse("policy.yaml", []byte("version: 1\nleaver_states: [active]\n")); err == nil {
		t.Error("active means that somebody left")
	}
}
