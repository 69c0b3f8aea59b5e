package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/signal"

	"github.com/google/go-cmp/cmp"
)

func TestDecide(t *testing.T) {
	p := mustParse(t, full)
	for _, test := range []struct {
		name   string
		signal signal.Signal
		mode   Mode
		rule   string
		action Action
		want   Mode
		gate   Gate
		reason string
	}{
		{
			"leaver", leaver, Enforce, "leavers", Terminate, Enforce, "",
			"rule leavers decides terminate: kind is account-disabled",
		},
		{"environment is stricter", leaver, DryRun, "leavers", Terminate, DryRun, "", "MODE is not enforce"},
		{"absent mode is dry-run", leaver, "", "leavers", Terminate, DryRun, "", "MODE is not enforce"},
		{
			"rule is stricter", eight, Enforce, "stolen-credentials", Terminate, DryRun, "",
			"rule stolen-credentials only watches",
		},
		{
			"earlier rule is explained", eight, Enforce, "stolen-credentials", Terminate, DryRun, "",
			"rule leavers does not fit: kind finding is not account-disabled or account-purged",
		},
		{
			"severity below", with(eight, func(s *signal.Signal) { s.Severity = 6.9 }), Enforce, "", Notify, Enforce, "",
			"severity 6.9 is below 7",
		},
		{
			"every failed clause is named",
			with(eight, func(s *signal.Signal) { s.Severity = 5; s.Type = "Recon:EC2/Portscan" }), Enforce, "", Notify,
			Enforce, "", "type Recon:EC2/Portscan fits none of *:IAMUser/*, AttackSequence:*; severity 5 is below 7",
		},
		{
			"types are anchored", with(eight, func(s *signal.Signal) { s.Type = "XAttackSequence:IAM/Y" }), Enforce, "",
			Notify, Enforce, "", "fits none of",
		},
		{
			"ignored", with(eight, func(s *signal.Signal) { s.Severity = 2 }), Enforce, "low", Ignore, Enforce, "",
			"severity 2 is at most 3.9",
		},
		{
			"sample", with(eight, func(s *signal.Signal) { s.Sample = true }), Enforce, "stolen-credentials", Notify, DryRun,
			GateSample, "the finding is a sample",
		},
		{
			"archived", with(eight, func(s *signal.Signal) { s.Archived = true }), Enforce, "stolen-credentials", Notify,
			DryRun, GateArchived, "archived",
		},
		{
			"stale", with(eight, func(s *signal.Signal) { s.Time = now.Add(-25 * time.Hour) }), Enforce, "stolen-credentials",
			Notify, DryRun, GateStale, "25h old",
		},
		{
			"no time, and the rule asks for one", with(eight, func(s *signal.Signal) { s.Time = time.Time{} }), Enforce,
			"stolen-credentials", Notify, DryRun, GateStale, "no readable time",
		},
		{
			"not yet", with(leaver, func(s *signal.Signal) { s.EffectiveAt = now.Add(time.Second) }), Enforce, "leavers",
			Notify, Enforce, GateNotYet, "takes effect at 2026-11-20T12:00:01Z",
		},
		{
			"from now on", with(leaver, func(s *signal.Signal) { s.EffectiveAt = now }), Enforce, "leavers", Terminate,
			Enforce, "", "",
		},
		{
			"nobody", with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{} }), Enforce, "leavers", Notify,
			Enforce, GateUnmapped, "the event names nobody",
		},
		{
			"unknown id", with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{IDs: []string{"00uX"}} }), Enforce,
			"leavers", Notify, Enforce, GateUnmapped, "id 00uX has no entry in identity.aliases",
		},
		{
			"id in another case",
			with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{IDs: []string{"00U1A2B3C4"}} }), Enforce,
			"leavers", Notify, Enforce, GateUnmapped, "",
		},
		{
			"known id", with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{IDs: []string{"00u1a2b3c4"}} }),
			Enforce, "leavers", Terminate, Enforce, "", "alias: id 00u1a2b3c4 is alice",
		},
		{
			"id and name are two people",
			with(leaver, func(s *signal.Signal) { s.Subject.Usernames = []string{"bob@example.com"} }), Enforce, "leavers",
			Notify, Enforce, GateAmbiguous, "id 00u1a2b3c4 is alice, but the event names bob",
		},
		{
			"exempt",
			with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{Usernames: []string{`EXAMPLE\BreakGlass`}} }),
			Enforce, "leavers", Notify, Enforce, GateExempt, "breakglass is exempt",
		},
		{
			"exempt by pattern",
			with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{Usernames: []string{"svc-backup@example.com"}} }),
			Enforce, "leavers", Notify, Enforce, GateExempt, "svc-backup",
		},
		{
			"connection",
			with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{ConnectionID: "cvpn-connection-1"} }), Enforce,
			"leavers", Terminate, Enforce, "", "",
		},
		{"trusted role", with(leaver, func(s *signal.Signal) {
			s.Subject = signal.Subject{Session: &signal.Session{Role: "AWSReservedSSO_Admin_0123", Name: "alice@example.com"}}
		}), Enforce, "leavers", Terminate, Enforce, "", "session name alice@example.com counts"},
		{"trusted role in another spelling", with(leaver, func(s *signal.Signal) {
			s.Subject = signal.Subject{Session: &signal.Session{Role: "awsreservedsso_Admin_0123", Name: "alice@example.com"}}
		}), Enforce, "leavers", Notify, Enforce, GateUnmapped, "can choose it"},
		{
			"severity on the bound", with(eight, func(s *signal.Signal) { s.Severity = 7 }), Enforce, "stolen-credentials",
			Terminate, DryRun, "", "severity 7 is at least 7",
		},
		{
			"severity on the upper bound", with(eight, func(s *signal.Signal) { s.Severity = 3.9 }), Enforce, "low", Ignore,
			Enforce, "", "severity 3.9 is at most 3.9",
		},
		{
			"age on the bound", with(eight, func(s *signal.Signal) { s.Time = now.Add(-24 * time.Hour) }), Enforce,
			"stolen-credentials", Terminate, DryRun, "", "",
		},
		{
			"types in any case", with(eight, func(s *signal.Signal) { s.Type = "impact:IAMUSER/x" }), Enforce,
			"stolen-credentials", Terminate, DryRun, "", "",
		},
		{
			"exempt under the second name",
			with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{Usernames: []string{"alice", "breakglass"}} }),
			Enforce, "leavers", Notify, Enforce, GateExempt, "breakglass is exempt",
		},
		{
			"unknown id is named", with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{IDs: []string{"00uX"}} }),
			Enforce, "leavers", Notify, Enforce, GateUnmapped, "nobody is known as id 00uX",
		},
		{"untrusted role", with(leaver, func(s *signal.Signal) {
			s.Subject = signal.Subject{Session: &signal.Session{Role: "Deploy", Name: "alice@example.com"}}
		}), Enforce, "leavers", Notify, Enforce, GateUnmapped, "anyone who may assume role Deploy can choose it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := p.Decide(test.signal, test.mode, now)
			got := []any{d.Rule, d.Action, d.Mode, d.Gate}
			if diff := cmp.Diff([]any{test.rule, test.action, test.want, test.gate}, got); diff != "" {
				t.Errorf("rule, action, mode, gate: %s\n%s", diff, strings.Join(Words(d.Reasons), "\n"))
			}
			if !strings.Contains(strings.Join(Words(d.Reasons), "\n"), test.reason) {
				t.Errorf("no reason says %q:\n%s", test.reason, strings.Join(Words(d.Reasons), "\n"))
			}
		})
	}
}

func TestDecideIsPure(t *testing.T) {
	p := mustParse(t, full)
	same := cmp.Comparer(func(a, b Reason) bool {
		return a.Kind == b.Kind && a.String() == b.String()
	})
	first := p.Decide(leaver, Enforce, now)
	for range 50 {
		if diff := cmp.Diff(first, p.Decide(leaver, Enforce, now), same); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestZeroPolicyIgnoresEverything(t *testing.T) {
	if d := new(Policy).Decide(leaver, Enforce, now); d.Action != Ignore {
		t.Errorf("decided %s", d.Action)
	}
}

func TestModeOfTheInstallationIsNeverLoosened(t *testing.T) {
	p := mustParse(t, "version: 1\nrules:\n  - {name: all, when: {}, then: terminate, mode: enforce}\n")
	for _, mode := range []Mode{DryRun, "", "Enforce"} {
		if d := p.Decide(leaver, mode, now); d.Mode != DryRun {
			t.Errorf("environment %q: %s", mode, d.Mode)
		}
	}
	if d := p.Decide(leaver, Enforce, now); d.Mode != Enforce {
		t.Errorf("enforce and enforce: %s", d.Mode)
	}
}

// TestAnswersAreThoseThatDecided: what explain shows of the rules is what the decision went by.
func TestAnswersAreThoseThatDecided(t *testing.T) {
	p := mustParse(t, full)
	for _, s := range []signal.Signal{leaver, eight, with(eight, func(s *signal.Signal) { s.Severity = 2 }), {}} {
		d := p.Decide(s, Enforce, now)
		for i, a := range p.Answers(s) {
			want := fmt.Sprintf("rule %s does not fit: %s", a.Rule, strings.Join(a.Fails, "; "))
			if len(a.Fails) == 0 {
				want = fmt.Sprintf("rule %s decides %s: %s", a.Rule, a.Then, strings.Join(a.Fits, "; "))
			}
			if d.Reasons[i].String() != want {
				t.Errorf("%q, want %q", d.Reasons[i], want)
			}
			if a.Rule == d.Rule {
				break
			}
		}
	}
}

// TestSelfTestAsksNoRule, not even one for everything.
func TestSelfTestAsksNoRule(t *testing.T) {
	p := mustParse(t, "version: 1\ndefault: terminate\nrules:\n  - {name: all, when: {}, then: terminate}\n")
	for mode, want := range map[Mode]Mode{Enforce: Enforce, DryRun: DryRun, "": DryRun} {
		if d := p.Decide(
			signal.Signal{Kind: signal.SelfTest}, mode, now,
		); d.Action != Notify || d.Rule != "" || d.Mode != want {
			t.Errorf("%+v", d)
		}
	}
}

func TestEndpointsOfARule(t *testing.T) {
	p := mustParse(
		t,
		"version: 1\nrules:\n  - {name: a, when: {}, then: terminate, endpoints: [cvpn-endpoint-0a, cvpn-endpoint-0b]}\n",
	)
	d := p.Decide(leaver, Enforce, now)
	if !slices.Equal(d.Endpoints, []string{"cvpn-endpoint-0a", "cvpn-endpoint-0b"}) || !slices.Contains(
		Words(d.Reasons), "rule a acts on cvpn-endpoint-0a, cvpn-endpoint-0b only",
	) {
		t.Errorf("%+v", d)
	}
}
