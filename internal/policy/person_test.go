package policy

import (
	"slices"
	"strings"
	"testing"

	"clientvpn-responder/internal/signal"
)

// TestWhoIsOnePerson is the table of names: the first is in the event, the second on a connection.
func TestWhoIsOnePerson(t *testing.T) {
	p := mustParse(t, full)
	bare := mustParse(t, "version: 1\n")
	for _, test := range []struct {
		policy     *Policy
		event, vpn string
		same       bool
	}{
		{p, "alice", "alice", true},
		{p, "alice", "ALICE", true},
		{p, "alice", "alice@example.com", true},
		{p, "alice", "Alice@EXAMPLE.COM", true},
		{p, "alice", `EXAMPLE\alice`, true},
		{p, "alice", `example\Alice`, true},
		{p, "alice@example.com", "alice", true},
		{p, "alice@example.com", `EXAMPLE\alice`, true},
		{p, `EXAMPLE\alice`, "alice@example.com", true},
		{p, "alice", "alice.vpn.example.com", true},
		{p, "alice", "Alice.VPN.example.com", true},
		{p, "alice.vpn.example.com", "alice", false}, // a template holds for certificates alone
		{p, "alice", "asmith", true},
		{p, "asmith@example.com", "alice", true},
		{p, "alice", "alice@example.com.vpn.example.com", true},
		{p, " alice ", "alice", true},
		{p, "ÉMILE@example.com", "émile", true},
		{p, "alice", "joanna", false},
		{p, "ann", "joanna", false},
		{p, "ann", "ann-marie", false},
		{p, "alice", "alice@example.org", false},
		{p, "alice@example.org", "alice", false},
		{p, "alice@example.org", "alice@example.com", false},
		{p, "alice", `OTHER\alice`, false},
		{p, `OTHER\alice`, `EXAMPLE\alice`, false},
		{p, "alice", "alice@sub.example.com", false},
		{p, "alice", "alice@example.com.evil.test", false},
		{p, "alice@partner.test@example.com", "alice@partner.test", false},
		{p, `OTHER\alice@example.com`, "alice", false},
		{p, `EXAMPLE\`, "", false},
		{p, "@example.com", "", false},
		{p, "alice", "alice.vpn.example.com.evil.test", false},
		{p, "alice", "x.alice.vpn.example.com", false},
		{p, "alice", ".vpn.example.com", false},
		{p, "alice", "alice+vpn@example.com", false},
		{p, "Kate", "\u212Aate", false}, // the Kelvin sign
		{p, "ivan", "\u0130van", false}, // a dotted capital I
		{p, `OTHER\alice@example.com`, `OTHER\alice`, false},
		{p, "alice@partner.test", "alice@partner.test@example.com", false},
		{p, "na@example.com", "NA@example.com", true},
		{p, "na@example.com", "NA", false},
		{bare, "alice", "ALICE", true},
		{bare, "alice", "alice@example.com", false},
		{bare, "alice@example.com", "alice", false},
		{bare, "alice", `EXAMPLE\alice`, false},
		{bare, "alice", "alice.vpn.example.com", false},
	} {
		d := test.policy.Decide(
			signal.Signal{Provider: "okta", Subject: signal.Subject{Usernames: []string{strings.TrimSpace(test.event)}}},
			Enforce, now,
		)
		names := slices.Concat(d.Names, d.CommonNames)
		got := false
		for _, name := range names {
			got = got || name == signal.Fold(test.vpn)
		}
		if got != test.same {
			t.Errorf("event %q, connection %q: one person: %v, want %v (names %q)", test.event, test.vpn, got, test.same, names)
		}
	}
}

func TestExemptionHoldsUnderEveryNameOfThePerson(t *testing.T) {
	p := mustParse(t, full)
	for _, name := range []string{
		"breakglass", "BREAKGLASS@example.com", `EXAMPLE\breakglass`, "svc-x", `example\svc-x`, "svc-x@example.com",
	} {
		if !p.Exempt(name) || !p.ExemptCertificate(name) {
			t.Errorf("%s is not exempt", name)
		}
	}
	for _, name := range []string{
		"breakglass.vpn.example.com", "BREAKGLASS@example.com.vpn.example.com", "svc-x.vpn.example.com",
	} {
		if !p.ExemptCertificate(name) {
			t.Errorf("certificate %s is not exempt", name)
		}
	}
	for _, name := range []string{
		"", "-", "N/A", "breakglass2", "xbreakglass", "breakglass@example.org", "mysvc-x", "alice",
	} {
		if p.Exempt(name) || p.ExemptCertificate(name) {
			t.Errorf("%q is exempt", name)
		}
	}
}

func TestSamePerson(t *testing.T) {
	p := mustParse(t, full)
	for _, test := range []struct {
		a, b [2]string // user name, common name
		want bool
	}{
		{[2]string{`EXAMPLE\bob`, "x"}, [2]string{"bob@example.com", "y"}, true},
		{[2]string{"", "bob.vpn.example.com"}, [2]string{"bob", ""}, true},
		{[2]string{"N/A", "bob"}, [2]string{"-", "BOB"}, true},
		{[2]string{"bob", "device"}, [2]string{"carol", "device"}, false},
		{[2]string{"", ""}, [2]string{"", ""}, false},
	} {
		if got := p.SamePerson(test.a[0], test.a[1], test.b[0], test.b[1]); got != test.want {
			t.Errorf("%q and %q: %v", test.a, test.b, got)
		}
	}
}

func TestAliasesOfTwoPeopleAreAmbiguous(t *testing.T) {
	p := mustParse(t, "version: 1\nidentity: {aliases: {"+
		"asmith: alice, bjones: bob, 'okta:00u1': alice, 'okta:00u2': bob}}\ndefault: terminate\n")
	for _, subject := range []signal.Subject{
		{Usernames: []string{"asmith", "bjones"}},
		{Usernames: []string{"asmith"}, IDs: []string{"00u2"}},
		{IDs: []string{"00u1", "00u2"}},
	} {
		if d := p.Decide(signal.Signal{Provider: "okta", Subject: subject}, Enforce, now); d.Gate != GateAmbiguous {
			t.Errorf("%+v: gate %q", subject, d.Gate)
		}
	}
	if d := p.Decide(
		signal.Signal{Provider: "okta", Subject: signal.Subject{Usernames: []string{"asmith"}, IDs: []string{"00u1"}}},
		Enforce, now,
	); d.Gate != "" {
		t.Errorf("one person: gate %q", d.Gate)
	}
}

func TestExemptionHoldsThroughAliasesAndTemplates(t *testing.T) {
	p := mustParse(t, `version: 1
identity:
  domains: [example.com]
  aliases: {asmith: alice, bjones: bob}
  common_names: ["VPN-{user}.Corp"]
exempt: [asmith, bob, "n*"]
`)
	for _, name := range []string{"alice", "asmith", "ASMITH@example.com", "bob", "bjones"} {
		if !p.Exempt(name) {
			t.Errorf("%s is not exempt", name)
		}
	}
	for _, cn := range []string{"vpn-alice.corp", "VPN-Alice.CORP", "Vpn-BJones.corp"} {
		if !p.ExemptCertificate(cn) {
			t.Errorf("certificate %s is not exempt", cn)
		}
	}
	// "n*" fits the placeholders N/A and NA, which are nobody; and a template is the whole common name.
	for _, cn := range []string{"N/A", "na", "vpn-alice.other", "xvpn-alice.corp"} {
		if p.ExemptCertificate(cn) || p.Exempt(cn) {
			t.Errorf("%q is exempt", cn)
		}
	}
}

// TestExemptionIsNotLostToSpelling: who is exempt stays so whatever surrounds the entry or the name, and under an id.
func TestExemptionIsNotLostToSpelling(t *testing.T) {
	p := mustParse(t, `
version: 1
identity: {domains: [example.com], aliases: {' asmith ': ' carol ', ' okta:00u2 ': carol}}
exempt: [' alice ', "\tsvc-* ", 00uBreakGlass, carol]
default: terminate
`)
	for _, name := range []string{"alice", " Alice@example.com\t", "svc-x", " svc-x ", "asmith"} {
		if !p.Exempt(name) {
			t.Errorf("%q is not exempt", name)
		}
	}
	s := signal.Signal{
		Provider: "okta", Subject: signal.Subject{Usernames: []string{"bob"}, IDs: []string{"00uBreakGlass"}},
	}
	if d := p.Decide(s, Enforce, now); d.Gate != GateExempt || !slices.Contains(
		Words(d.Reasons), "held back: 00uBreakGlass is exempt",
	) {
		t.Errorf("by id: %+v", d)
	}
	if d := p.Decide(
		signal.Signal{Provider: "okta", Subject: signal.Subject{IDs: []string{"00u2"}}}, Enforce, now,
	); d.Gate != GateExempt {
		t.Errorf("by an alias: %+v", d)
	}
	if all := mustParse(t, "version: 1\nexempt: [' EveryOne ']\n"); !all.Exempt("x") {
		t.Error("EveryOne is somebody's name")
	}
}
