package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/signal"

	"github.com/google/go-cmp/cmp"
)

// full uses everything that the language has.
const full = `version: 1
identity:
  domains: [example.com, EXAMPLE]
  aliases: {"00u1a2b3c4": alice@example.com, "asmith": "alice"}
  common_names: ["{user}.vpn.example.com"]
  session_roles: ["AWSReservedSSO_*"]
exempt: [breakglass@example.com, "svc-*"]
max_connections: 5
rules:
  - name: leavers
    when: {kinds: [account-disabled, account-purged]}
    then: terminate
    keep_out: forever
  - name: stolen-credentials
    when: {providers: [guardduty], types: ["*:IAMUser/*", "AttackSequence:*"], severity: {min: 7}, max_age: 24h}
    then: terminate
    mode: dry-run
    keep_out: 24h
  - name: low
    when: {providers: [guardduty], severity: {min: 1, max: 3.9}}
    then: ignore
default: notify
`

// oneRule gives a document with one rule that has these keys beside its name and action.
func oneRule(keys string) string {
	return "version: 1\nrules:\n  - {name: a, then: notify, " + keys + "}\n"
}

func mustParse(t *testing.T, document string) *Policy {
	t.Helper()
	p, err := Parse("policy.yaml", []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestDeployedPolicyIsSound reads no more than that into policy.yaml: it is the operator's to change.
func TestDeployedPolicyIsSound(t *testing.T) {
	if _, err := Load("../../policy.yaml"); err != nil {
		t.Fatal(err)
	}
}

func TestPolicyOfTheDemonstrationIsSound(t *testing.T) {
	p, err := Load("../trial/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !p.Exempt("breakglass@example.com") || p.Exempt("alice@example.com") {
		t.Error("the exemption does not hold")
	}
}

func TestEveryMistakeHasItsLine(t *testing.T) {
	for _, test := range []struct{ name, document, want string }{
		{"syntax", "version: 1\nrules: [", "policy.yaml:2:"},
		{"empty", "", "policy.yaml:1:1: must be one YAML document"},
		{"two documents", "version: 1\n---\nversion: 1\n", "must be one YAML document"},
		{"not a mapping", "- version", "policy.yaml:1:"},
		{"version absent", "rules: []\n", "policy.yaml:1:1: version: must be 1"},
		{"version", "version: 2\n", "policy.yaml:1:10: version: must be 1"},
		{"unknown key", "version: 1\nexcempt: [alice]\n", `policy.yaml:2:1: unknown field "excempt"`},
		{"unknown key of a rule", "version: 1\nrules:\n  - name: a\n    when: {kind: [finding]}\n", `policy.yaml:4:12: unknown field "kind"`},
		{"doubled key", "version: 1\nexempt: [a]\nexempt: [b]\n", `policy.yaml:3:1: mapping key "exempt" already defined`},
		{"no value", "version: 1\nrules:\n  - name: a\n    then: notify\n    when:\n      kinds:\n      providers: [okta]\n", "policy.yaml:6:13: rules[0].when.kinds: has no value"},
		{"tag", "version: 1\nidentity:\n  domains: !x\nexempt: []\n", "policy.yaml:3:12: identity.domains: tags, anchors and aliases"},
		{"anchor", "version: 1\nexempt: &a [b]\n", "tags, anchors and aliases"},
		{"merge", "version: 1\n<<: {exempt: [b]}\n", "tags, anchors and aliases"},
		{"no condition", "version: 1\nrules:\n  - name: a\n    then: terminate\n", "policy.yaml:3:9: rules[0].when: missing"},
		{"empty condition list", "version: 1\nrules:\n  - name: a\n    then: terminate\n    when: {kinds: []}\n", "policy.yaml:5:19: rules[0].when.kinds: is empty"},
		{"unknown kind", "version: 1\nrules:\n  - name: a\n    then: terminate\n    when: {kinds: [finding, account-disable]}\n", `policy.yaml:5:29: rules[0].when.kinds[1]: "account-disable" is none of`},
		{"unknown provider", "version: 1\nrules:\n  - name: a\n    then: terminate\n    when: {providers: [guarduty]}\n", `policy.yaml:5:24: rules[0].when.providers[0]: "guarduty" is none of`},
		{"empty type", "version: 1\nrules:\n  - name: a\n    then: terminate\n    when: {types: [' ']}\n", "policy.yaml:5:20: rules[0].when.types[0]: is empty"},
		{"unknown action", "version: 1\nrules:\n  - name: a\n    when: {}\n    then: kill\n", `policy.yaml:5:11: rules[0].then: "kill" is none of terminate, notify, ignore`},
		{"no action", "version: 1\nrules:\n  - name: a\n    when: {}\n", "rules[0].then: missing"},
		{"unknown mode", "version: 1\nrules:\n  - name: a\n    when: {}\n    then: notify\n    mode: dryrun\n", `policy.yaml:6:11: rules[0].mode: "dryrun" is none of`},
		{"no name", "version: 1\nrules:\n  - when: {}\n    then: notify\n", "rules[0].name: missing"},
		{"same name", "version: 1\nrules:\n  - {name: a, when: {}, then: notify}\n  - {name: a, when: {}, then: notify}\n", `policy.yaml:4:12: rules[1].name: "a" is the name of an earlier rule`},
		{"default", "version: 1\ndefault: nothing\n", `policy.yaml:2:10: default: "nothing" is none of`},
		{"severity", "version: 1\nrules:\n  - {name: a, when: {severity: {min: 70}}, then: notify}\n", "policy.yaml:3:38: rules[0].when.severity.min: 70 is outside"},
		{"severity turned round", "version: 1\nrules:\n  - {name: a, when: {severity: {min: 7, max: 4}}, then: notify}\n", "min 7 is above max 4"},
		{"severity that is no number", "version: 1\nrules:\n  - {name: a, when: {severity: {min: .nan}}, then: notify}\n", "NaN is outside"},
		{"severity without bounds", "version: 1\nrules:\n  - {name: a, when: {severity: {}}, then: notify}\n", "needs min, max or both"},
		{"age", "version: 1\nrules:\n  - {name: a, when: {max_age: soon}, then: notify}\n", `policy.yaml:3:31: rules[0].when.max_age: "soon" is not a duration`},
		{"age without a unit", "version: 1\nrules:\n  - {name: a, when: {max_age: 24}, then: notify}\n", `policy.yaml:3:31: rules[0].when.max_age: "24" is not a duration`},
		{"limit", "version: 1\nmax_connections: 0\n", "policy.yaml:2:18: max_connections: must be at least 1"},
		{"limit with a fraction", "version: 1\nmax_connections: 1.9\n", "policy.yaml:2:18: max_connections: 1.9 is not a whole number"},
		{"limit as text", "version: 1\nmax_connections: '20'\n", "policy.yaml:2:18: max_connections: '20' is not a whole number"},
		{"version with a fraction", "version: 1.0\n", "policy.yaml:1:10: version: 1.0 is not a whole number"},
		{"exempt empty", "version: 1\nexempt: [alice, '']\n", "policy.yaml:2:17: exempt[1]: is empty"},
		{"exempt everyone", "version: 1\nexempt: ['*']\n", "policy.yaml:2:10: exempt[0]: \"*\" fits everyone; if that is meant, write everyone"},
		{"domain", "version: 1\nidentity: {domains: ['@example.com']}\n", "policy.yaml:2:22: identity.domains[0]"},
		{"domain with a control character", "version: 1\nidentity: {domains: [\"a\\0b\"]}\n", "identity.domains[0]"},
		{"common name with a control character", "version: 1\nidentity: {common_names: [\"{user}a\\0b\"]}\n", "identity.common_names[0]"},
		{"common name", "version: 1\nidentity: {common_names: ['{user}']}\n", "identity.common_names[0]"},
		{"session roles", "version: 1\nidentity: {session_roles: ['*']}\n", "would trust every role"},
		{"exempt everyone by another pattern", "version: 1\nexempt: ['?*']\n", "fits everyone"},
		{"exempt nobody", "version: 1\nexempt: [N/A]\n", "cannot be somebody's name"},
		{"session roles by another pattern", "version: 1\nidentity: {session_roles: ['?*']}\n", "would trust every role"},
		{"domain empty", "version: 1\nidentity: {domains: ['']}\n", "identity.domains[0]"},
		{"domain with a pattern", "version: 1\nidentity: {domains: ['*.example.com']}\n", "identity.domains[0]"},
		{"domain with a backslash", "version: 1\nidentity: {domains: ['EXAMPLE\\']}\n", "identity.domains[0]"},
		{"common name with {user} twice", "version: 1\nidentity: {common_names: ['{user}-{user}']}\n", "identity.common_names[0]"},
		{"common name without {user}", "version: 1\nidentity: {common_names: ['laptop']}\n", "identity.common_names[0]"},
		{"alias of nobody", "version: 1\nidentity: {aliases: {N/A: alice}}\n", "neither side may be empty"},
		{"age zero", "version: 1\nrules:\n  - {name: a, when: {max_age: 0s}, then: notify}\n", "is not a duration"},
		{"age below zero", "version: 1\nrules:\n  - {name: a, when: {max_age: -1h}, then: notify}\n", "is not a duration"},
		{"severity above the scale", "version: 1\nrules:\n  - {name: a, when: {severity: {max: 11}}, then: notify}\n", "severity.max: 11 is outside"},
		{"empty providers", "version: 1\nrules:\n  - {name: a, when: {providers: []}, then: notify}\n", "rules[0].when.providers: is empty"},
		{"empty types", "version: 1\nrules:\n  - {name: a, when: {types: []}, then: notify}\n", "rules[0].when.types: is empty"},
		{"exempt everyone with a domain", "version: 1\nidentity: {domains: [example.com]}\nexempt: ['*@example.com']\n", `exempt[0]: "*@example.com" fits everyone; if that is meant, write everyone`},
		{"exempt everyone with an address", "version: 1\nexempt: ['*@*']\n", "fits everyone"},
		{"exempt a wrong id", "version: 1\nexempt: [cvpn-endpoint-xyz]\n", "policy.yaml:2:10: exempt[0]: \"cvpn-endpoint-xyz\" is not the id"},
		{"subjects for everyone", oneRule("when: {subjects: ['?*']}"), `policy.yaml:3:47: rules[0].when.subjects[0]: "?*" fits everyone`},
		{"empty subject", oneRule("when: {subjects: ['']}"), "rules[0].when.subjects[0]: is empty; name a person"},
		{"no subjects", oneRule("when: {subjects: []}"), "rules[0].when.subjects: is empty"},
		{"account", oneRule("when: {accounts: [1234]}"), `rules[0].when.accounts[0]: "1234" is not an account id`},
		{"no accounts", oneRule("when: {accounts: []}"), "rules[0].when.accounts: is empty"},
		{"Region", oneRule("when: {regions: [Ireland]}"), `rules[0].when.regions[0]: "Ireland" is not a Region`},
		{"no Regions", oneRule("when: {regions: []}"), "rules[0].when.regions: is empty"},
		{"endpoint", oneRule("when: {}, endpoints: [vpn]"), `rules[0].endpoints[0]: "vpn" is not an endpoint id`},
		{"no endpoints", oneRule("when: {}, endpoints: []"), "rules[0].endpoints: is empty"},
		{"rule that never decides", "version: 1\nrules:\n  - {name: a, when: {}, then: notify}\n  - {name: b, when: {kinds: [finding]}, then: terminate}\n", `policy.yaml:4:5: rules[1]: never decides: whatever fits "b" fits the earlier rule "a"`},
		{"alias to nobody", "version: 1\nidentity: {aliases: {alice: ''}}\n", "neither side may be empty"},
		{"alias of two", "version: 1\nidentity: {aliases: {alice: bob, ALICE: carol}}\n", "two people"},
		{"alias chain", "version: 1\nidentity: {aliases: {a: b, b: c}}\n", "leads to another alias"},
		{"alias has its own line", "version: 1\nidentity:\n  aliases:\n    fine@example.com: alice\n    \"a.b[c]\": ''\n", `policy.yaml:5:5: identity.aliases: "a.b[c]": ""`},
		{"exempt every certificate", "version: 1\nidentity: {common_names: ['{user}.vpn.example.com']}\nexempt: ['*.vpn.example.com']\n", `"*.vpn.example.com" fits everyone`},
		{"exempt everyone with a Windows domain", "version: 1\nexempt: ['*\\*']\n", `"*\\*" fits everyone`},
		{"name of white space", "version: 1\nrules:\n  - {name: ' ', when: {}, then: notify}\n", "policy.yaml:3:12: rules[0].name: missing"},
		{"exempt an id in capitals", "version: 1\nexempt: [CVPN-Endpoint-0a1b]\n", "policy.yaml:2:10: exempt[0]: \"CVPN-Endpoint-0a1b\" is not the id of"},
		{"keep out where nothing is ended", oneRule("when: {}, keep_out: 24h"), "policy.yaml:3:49: rules[0].keep_out: keeps out who is cut off, and this rule cuts off nobody"},
		{"keep out on some endpoints", "version: 1\nrules:\n  - {name: a, when: {}, then: terminate, keep_out: 24h, endpoints: [cvpn-endpoint-0a1b]}\n", "rules[0].keep_out: keeps the person out of every endpoint"},
		{"keep out for no time", "version: 1\nrules:\n  - {name: a, when: {}, then: terminate, keep_out: 0h}\n", `policy.yaml:3:52: rules[0].keep_out: "0h" is neither a duration like 24h or 90m nor forever`},
		{"keep out for a number", "version: 1\nrules:\n  - {name: a, when: {}, then: terminate, keep_out: 24}\n", `"24" is neither a duration`},
		{"keep out for ever, of any kind", "version: 1\nrules:\n  - {name: a, when: {}, then: terminate, keep_out: forever}\n", "rules[0].keep_out: forever is for accounts that are closed; limit the rule to kinds: [account-disabled, account-purged]"},
		{"keep out for ever, after a finding", "version: 1\nrules:\n  - {name: a, when: {kinds: [account-purged, finding]}, then: terminate, keep_out: forever}\n", "forever is for accounts that are closed"},
		{"keep out and nothing said", "version: 1\nrules:\n  - {name: a, when: {}, then: terminate, keep_out: }\n", "keep_out: has no value"},
		{"endpoints where nothing is ended", "version: 1\nrules:\n  - {name: a, when: {}, then: notify, endpoints: [cvpn-endpoint-0a1b]}\n", "rules[0].endpoints: limits where connections are ended, and this rule ends none"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse("policy.yaml", []byte(test.document))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestAllMistakesAreReportedAtOnce(t *testing.T) {
	_, err := Parse("policy.yaml", []byte("version: 3\nmax_connections: -1\ndefault: maybe\nexempt: ['*']\n"))
	if n := strings.Count(err.Error(), "policy.yaml:"); n != 4 {
		t.Errorf("%d of 4 mistakes:\n%v", n, err)
	}
}

// A YAML library that guesses types would make false, true and 1000 of these people, and exempt nobody.
func TestNamesThatLookLikeOtherYAMLTypesStayNames(t *testing.T) {
	p := mustParse(t, "version: 1\nexempt: [no, on, 1e3, 007, 0x1F, true, 12:30, .inf]\nidentity: {aliases: {0042: 1e9}}\n")
	if d := p.Decide(signal.Signal{Subject: signal.Subject{IDs: []string{"0042"}}}, Enforce, now); !slices.Contains(d.Names, "1e9") {
		t.Errorf("alias 0042 leads to %q", d.Names)
	}
	for _, name := range []string{"no", "ON", "1e3", "007", "0x1f", "true", "12:30", ".inf"} {
		if !p.Exempt(name) {
			t.Errorf("%s is not exempt", name)
		}
	}
}

var eight = signal.Signal{
	ID: "1", Provider: "guardduty", Kind: signal.Finding, Type: "Impact:IAMUser/AnomalousBehavior", Severity: 8,
	Time: now.Add(-time.Hour), Subject: signal.Subject{Usernames: []string{"alice"}},
}

var leaver = signal.Signal{
	ID: "2", Provider: "okta", Kind: signal.AccountDisabled, Type: "user.lifecycle.deactivate",
	Time: now, Subject: signal.Subject{Usernames: []string{"Alice@Example.com"}, IDs: []string{"00u1a2b3c4"}},
}

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func with(s signal.Signal, change func(*signal.Signal)) signal.Signal { change(&s); return s }

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
		{"leaver", leaver, Enforce, "leavers", Terminate, Enforce, "", "rule leavers decides terminate: kind is account-disabled"},
		{"environment is stricter", leaver, DryRun, "leavers", Terminate, DryRun, "", "MODE is not enforce"},
		{"absent mode is dry-run", leaver, "", "leavers", Terminate, DryRun, "", "MODE is not enforce"},
		{"rule is stricter", eight, Enforce, "stolen-credentials", Terminate, DryRun, "", "rule stolen-credentials only watches"},
		{"earlier rule is explained", eight, Enforce, "stolen-credentials", Terminate, DryRun, "", "rule leavers does not fit: kind finding is not account-disabled or account-purged"},
		{"severity below", with(eight, func(s *signal.Signal) { s.Severity = 6.9 }), Enforce, "", Notify, Enforce, "", "severity 6.9 is below 7"},
		{"every failed clause is named", with(eight, func(s *signal.Signal) { s.Severity = 5; s.Type = "Recon:EC2/Portscan" }), Enforce, "", Notify, Enforce, "", "type Recon:EC2/Portscan fits none of *:IAMUser/*, AttackSequence:*; severity 5 is below 7"},
		{"types are anchored", with(eight, func(s *signal.Signal) { s.Type = "XAttackSequence:IAM/Y" }), Enforce, "", Notify, Enforce, "", "fits none of"},
		{"ignored", with(eight, func(s *signal.Signal) { s.Severity = 2 }), Enforce, "low", Ignore, Enforce, "", "severity 2 is at most 3.9"},
		{"sample", with(eight, func(s *signal.Signal) { s.Sample = true }), Enforce, "stolen-credentials", Notify, DryRun, GateSample, "the finding is a sample"},
		{"archived", with(eight, func(s *signal.Signal) { s.Archived = true }), Enforce, "stolen-credentials", Notify, DryRun, GateArchived, "archived"},
		{"stale", with(eight, func(s *signal.Signal) { s.Time = now.Add(-25 * time.Hour) }), Enforce, "stolen-credentials", Notify, DryRun, GateStale, "25h0m0s old"},
		{"no time, and the rule asks for one", with(eight, func(s *signal.Signal) { s.Time = time.Time{} }), Enforce, "stolen-credentials", Notify, DryRun, GateStale, "no readable time"},
		{"not yet", with(leaver, func(s *signal.Signal) { s.EffectiveAt = now.Add(time.Second) }), Enforce, "leavers", Notify, Enforce, GateNotYet, "takes effect at 2026-11-20T12:00:01Z"},
		{"from now on", with(leaver, func(s *signal.Signal) { s.EffectiveAt = now }), Enforce, "leavers", Terminate, Enforce, "", ""},
		{"nobody", with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{} }), Enforce, "leavers", Notify, Enforce, GateUnmapped, "the event names nobody"},
		{"unknown id", with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{IDs: []string{"00uX"}} }), Enforce, "leavers", Notify, Enforce, GateUnmapped, "id 00uX has no entry in identity.aliases"},
		{"id in another case", with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{IDs: []string{"00U1A2B3C4"}} }), Enforce, "leavers", Notify, Enforce, GateUnmapped, ""},
		{"known id", with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{IDs: []string{"00u1a2b3c4"}} }), Enforce, "leavers", Terminate, Enforce, "", "alias: id 00u1a2b3c4 is alice"},
		{"id and name are two people", with(leaver, func(s *signal.Signal) { s.Subject.Usernames = []string{"bob@example.com"} }), Enforce, "leavers", Notify, Enforce, GateAmbiguous, "id 00u1a2b3c4 is alice, but the event names bob"},
		{"exempt", with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{Usernames: []string{`EXAMPLE\BreakGlass`}} }), Enforce, "leavers", Notify, Enforce, GateExempt, "breakglass is exempt"},
		{"exempt by pattern", with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{Usernames: []string{"svc-backup@example.com"}} }), Enforce, "leavers", Notify, Enforce, GateExempt, "svc-backup"},
		{"connection", with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{ConnectionID: "cvpn-connection-1"} }), Enforce, "leavers", Terminate, Enforce, "", ""},
		{"trusted role", with(leaver, func(s *signal.Signal) {
			s.Subject = signal.Subject{Session: &signal.Session{Role: "AWSReservedSSO_Admin_0123", Name: "alice@example.com"}}
		}), Enforce, "leavers", Terminate, Enforce, "", "session name alice@example.com counts"},
		{"trusted role in another spelling", with(leaver, func(s *signal.Signal) {
			s.Subject = signal.Subject{Session: &signal.Session{Role: "awsreservedsso_Admin_0123", Name: "alice@example.com"}}
		}), Enforce, "leavers", Notify, Enforce, GateUnmapped, "can choose it"},
		{"severity on the bound", with(eight, func(s *signal.Signal) { s.Severity = 7 }), Enforce, "stolen-credentials", Terminate, DryRun, "", "severity 7 is at least 7"},
		{"severity on the upper bound", with(eight, func(s *signal.Signal) { s.Severity = 3.9 }), Enforce, "low", Ignore, Enforce, "", "severity 3.9 is at most 3.9"},
		{"age on the bound", with(eight, func(s *signal.Signal) { s.Time = now.Add(-24 * time.Hour) }), Enforce, "stolen-credentials", Terminate, DryRun, "", ""},
		{"types in any case", with(eight, func(s *signal.Signal) { s.Type = "impact:IAMUSER/x" }), Enforce, "stolen-credentials", Terminate, DryRun, "", ""},
		{"exempt under the second name", with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{Usernames: []string{"alice", "breakglass"}} }), Enforce, "leavers", Notify, Enforce, GateExempt, "breakglass is exempt"},
		{"unknown id is named", with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{IDs: []string{"00uX"}} }), Enforce, "leavers", Notify, Enforce, GateUnmapped, "nobody is known as id 00uX"},
		{"untrusted role", with(leaver, func(s *signal.Signal) {
			s.Subject = signal.Subject{Session: &signal.Session{Role: "Deploy", Name: "alice@example.com"}}
		}), Enforce, "leavers", Notify, Enforce, GateUnmapped, "whoever assumes role Deploy can choose it"},
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
	first := p.Decide(leaver, Enforce, now)
	for range 50 {
		if diff := cmp.Diff(first, p.Decide(leaver, Enforce, now)); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestZeroPolicyIgnoresEverything(t *testing.T) {
	if d := new(Policy).Decide(leaver, Enforce, now); d.Action != Ignore {
		t.Errorf("decided %s", d.Action)
	}
}

// TestWhatOnlyTheStoreKnowsIsNeverTerminated: an event that tells only of a change ends nothing until the store was asked.
func TestWhatOnlyTheStoreKnowsIsNeverTerminated(t *testing.T) {
	p := mustParse(t, "version: 1\nidentity: {aliases: {id-1: alice}}\ndefault: terminate\n")
	s := signal.Signal{Kind: signal.AccountDisabled, Subject: signal.Subject{IDs: []string{"id-1"}}, IfDisabled: true, Lookup: "not asked"}
	d := p.Decide(s, Enforce, time.Time{})
	if d.Action != Notify || d.Gate != GateUnasked || !slices.Contains(Words(d.Reasons), "identity store: not asked") {
		t.Errorf("%+v", d)
	}
	s.IfDisabled = false
	if d := p.Decide(s, Enforce, time.Time{}); d.Action != Terminate {
		t.Errorf("%+v", d)
	}
	s.Subject.IDs[0] = "id-2"
	if d := p.Decide(s, Enforce, time.Time{}); d.Gate != GateUnmapped || !strings.HasSuffix(d.Reasons[len(d.Reasons)-1].Text, "id-2; identity store not asked") {
		t.Errorf("%+v", d)
	}
}

// TestSampleArchivedAndNobodyAreNeverTerminated holds under the most eager policy.
func TestSampleArchivedAndNobodyAreNeverTerminated(t *testing.T) {
	for _, document := range []string{"version: 1\ndefault: terminate\n", "version: 1\nrules:\n  - {name: all, when: {}, then: terminate}\n"} {
		p := mustParse(t, document)
		for _, s := range []signal.Signal{
			with(eight, func(s *signal.Signal) { s.Sample = true }),
			with(eight, func(s *signal.Signal) { s.Archived = true }),
			with(eight, func(s *signal.Signal) { s.Subject = signal.Subject{} }),
			with(eight, func(s *signal.Signal) { s.Subject = signal.Subject{Usernames: []string{"", "N/A", "-", "*"}} }),
		} {
			if d := p.Decide(s, Enforce, now); d.Action != Notify || d.Gate == "" {
				t.Errorf("%+v: decided %s, gate %q", s, d.Action, d.Gate)
			}
		}
	}
}

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
		names := test.policy.identity.resolve(signal.Subject{Usernames: []string{strings.TrimSpace(test.event)}}).names
		names = append(names, test.policy.identity.templated(names)...)
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
	for _, name := range []string{"breakglass", "BREAKGLASS@example.com", `EXAMPLE\breakglass`, "svc-x", `example\svc-x`, "svc-x@example.com"} {
		if !p.Exempt(name) || !p.ExemptCertificate(name) {
			t.Errorf("%s is not exempt", name)
		}
	}
	for _, name := range []string{"breakglass.vpn.example.com", "BREAKGLASS@example.com.vpn.example.com", "svc-x.vpn.example.com"} {
		if !p.ExemptCertificate(name) {
			t.Errorf("certificate %s is not exempt", name)
		}
	}
	for _, name := range []string{"", "-", "N/A", "breakglass2", "xbreakglass", "breakglass@example.org", "mysvc-x", "alice"} {
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

func FuzzGlob(f *testing.F) {
	f.Add("*:IAMUser/*", "Impact:IAMUser/AnomalousBehavior")
	f.Add("a*b?c", "aXXbYc")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		pattern, s = pattern[:min(len(pattern), 50)], s[:min(len(s), 200)] // the regular expression is slow to build
		var expression strings.Builder
		for _, r := range signal.Fold(pattern) {
			switch r {
			case '*':
				expression.WriteString("(?s:.*)")
			case '?':
				expression.WriteString("(?s:.)")
			default:
				expression.WriteString(regexp.QuoteMeta(string(r)))
			}
		}
		want := regexp.MustCompile("^" + expression.String() + "$").MatchString(string([]rune(signal.Fold(s))))
		if got := newGlob(pattern).fits(s); got != want {
			t.Errorf("glob(%q, %q) = %v, want %v", pattern, s, got, want)
		}
	})
}

// FuzzParse holds that no document panics, and that none that is accepted decides a termination without a name.
func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	shipped, err := os.ReadFile("../trial/policy.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(shipped)
	f.Add([]byte("version: 1\nidentity: {aliases: {a: b}}\ndefault: terminate\n"))
	f.Fuzz(func(t *testing.T, document []byte) {
		p, err := Parse("policy.yaml", document)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "policy.yaml:") {
				t.Errorf("no place: %v", err)
			}
			return
		}
		for _, s := range []signal.Signal{leaver, eight, {}} {
			d := p.Decide(s, Enforce, now)
			first := slices.IndexFunc(p.Answers(s), func(a Answer) bool { return len(a.Fails) == 0 })
			if rules := p.Rules(); first < 0 && d.Rule != "" || first >= 0 && d.Rule != rules[first] {
				t.Errorf("rule %q decides, of %q the first that fits is %d", d.Rule, rules, first)
			}
			if d.Action != Terminate {
				continue
			}
			if len(d.Names) == 0 {
				t.Errorf("terminates nobody: %+v", d)
			}
			for _, name := range d.Names {
				if signal.Name(name) == "" || p.Exempt(name) {
					t.Errorf("looks for %q", name)
				}
			}
		}
	})
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

func TestWhatIsNotSaidIsTheDefault(t *testing.T) {
	p := mustParse(t, "version: 1\n")
	if p.MaxConnections != 20 {
		t.Errorf("max_connections absent: %d", p.MaxConnections)
	}
	s := with(leaver, func(s *signal.Signal) {
		s.Subject = signal.Subject{Session: &signal.Session{Role: "AWSReservedSSO_Admin_0123", Name: "alice"}}
	})
	if d := p.Decide(s, Enforce, now); len(d.Names) == 0 {
		t.Errorf("session_roles absent: %q", d.Reasons)
	}
}

func TestAliasesOfTwoPeopleAreAmbiguous(t *testing.T) {
	p := mustParse(t, "version: 1\nidentity: {aliases: {asmith: alice, bjones: bob, 00u1: alice, 00u2: bob}}\ndefault: terminate\n")
	for _, subject := range []signal.Subject{
		{Usernames: []string{"asmith", "bjones"}},
		{Usernames: []string{"asmith"}, IDs: []string{"00u2"}},
		{IDs: []string{"00u1", "00u2"}},
	} {
		if d := p.Decide(signal.Signal{Subject: subject}, Enforce, now); d.Gate != GateAmbiguous {
			t.Errorf("%+v: gate %q", subject, d.Gate)
		}
	}
	if d := p.Decide(signal.Signal{Subject: signal.Subject{Usernames: []string{"asmith"}, IDs: []string{"00u1"}}}, Enforce, now); d.Gate != "" {
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

// TestHiddenRules: a rule is refused only if it is certain that whatever fits it fits an earlier one.
func TestHiddenRules(t *testing.T) {
	for _, test := range []struct {
		earlier, later string
		hidden         bool
	}{
		{"{}", "{kinds: [finding]}", true},
		{"{kinds: [finding]}", "{}", false},
		{"{kinds: [finding, account-disabled]}", "{kinds: [finding]}", true},
		{"{kinds: [finding]}", "{kinds: [finding, account-disabled]}", false},
		{"{kinds: [finding]}", "{providers: [guardduty]}", false},
		{"{providers: [okta]}", "{providers: [guardduty]}", false},
		{"{providers: [guardduty]}", "{providers: [guardduty], severity: {min: 7}}", true},
		{"{severity: {min: 4}}", "{severity: {min: 7}}", true},
		{"{severity: {min: 7}}", "{severity: {min: 4}}", false},
		{"{severity: {min: 4}}", "{severity: {min: 7, max: 8}}", true},
		{"{severity: {max: 8}}", "{severity: {min: 7}}", false},
		{"{severity: {min: 0}}", "{}", true}, // the whole scale
		{"{types: ['*']}", "{}", true},
		{"{types: ['*:IAMUser/*']}", "{types: ['Impact:IAMUser/*', 'Discovery:IAMUser/A?']}", true},
		{"{types: ['*:IAMUser/*']}", "{types: ['Impact:IAMUser/*', 'Impact:EC2/*']}", false},
		{"{types: ['Impact:IAMUser/?']}", "{types: ['Impact:IAMUser/*']}", false},
		{"{types: ['IMPACT:*']}", "{types: ['impact:x']}", true},
		{"{types: ['a*', 'b*']}", "{types: ['ab', 'ba']}", true},
		{"{subjects: ['team-*']}", "{subjects: ['team-a-*']}", true},
		{"{subjects: ['team-a-*']}", "{subjects: ['team-*']}", false},
		{"{subjects: [everyone]}", "{subjects: ['team-*']}", true},
		{"{subjects: [everyone]}", "{}", false}, // nobody fits the second
		{"{accounts: ['111122223333']}", "{accounts: ['111122223333'], regions: [eu-west-1]}", true},
		{"{accounts: ['111122223333']}", "{accounts: ['444455556666']}", false},
		{"{regions: [eu-west-1]}", "{accounts: ['111122223333']}", false},
		{"{kinds: [finding], max_age: 1h}", "{kinds: [finding]}", true}, // too old is stale, and does not fall through
	} {
		_, err := Parse("policy.yaml", fmt.Appendf(nil, "version: 1\nrules:\n  - {name: a, when: %s, then: notify}\n  - {name: b, when: %s, then: terminate}\n", test.earlier, test.later))
		if (err != nil) != test.hidden || err != nil && !strings.Contains(err.Error(), "never decides") {
			t.Errorf("%s before %s: %v", test.earlier, test.later, err)
		}
	}
}

// FuzzCovers holds that what a pattern is said to cover it really fits.
func FuzzCovers(f *testing.F) {
	f.Add("*:IAMUser/*", "Impact:IAMUser/A?", "impact:iamuser/ab")
	f.Add("a?*", "a**b", "axb")
	f.Fuzz(func(t *testing.T, wide, narrow, s string) {
		if newGlob(wide).covers(newGlob(narrow)) && newGlob(narrow).fits(s) && !newGlob(wide).fits(s) {
			t.Errorf("%q covers %q, and does not fit %q", wide, narrow, s)
		}
	})
}

func TestClausesOfPlaceAndPerson(t *testing.T) {
	about := func(username string) signal.Signal {
		return with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{Usernames: []string{username}} })
	}
	for _, test := range []struct {
		when   string
		signal signal.Signal
		fits   bool
		reason string
	}{
		{"accounts: ['111122223333']", with(leaver, func(s *signal.Signal) { s.Account = "111122223333" }), true, "account is 111122223333"},
		{"accounts: [111122223333]", with(leaver, func(s *signal.Signal) { s.Account = "444455556666" }), false, "account 444455556666 is not 111122223333"},
		{"accounts: ['111122223333']", leaver, false, "account unknown is not 111122223333"},
		{"regions: [eu-west-1, us-gov-west-1]", with(leaver, func(s *signal.Signal) { s.Region = "us-gov-west-1" }), true, "Region is us-gov-west-1"},
		{"regions: [eu-west-1]", with(leaver, func(s *signal.Signal) { s.Region = "eu-west-2" }), false, "Region eu-west-2 is not eu-west-1"},
		{"subjects: ['team-*']", about("Team-7@example.com"), true, "subject team-7 fits team-*"},
		{"subjects: ['*@partner.test']", about("x@partner.test"), true, "subject x@partner.test fits *@partner.test"},
		{"subjects: ['alice']", about(`EXAMPLE\alice`), true, "subject alice fits alice"},
		{"subjects: ['team-*']", about("myteam-7"), false, "subject myteam-7 fits none of team-*"},
		{"subjects: ['00uX*']", with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{IDs: []string{"00uX9"}} }), true, "subject 00uX9 fits 00uX*"},
		{"subjects: ['10.30.*']", with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{ClientIP: "10.30.0.9"} }), true, ""},
		{"subjects: ['cvpn-connection-0a*']", with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{ConnectionID: "cvpn-connection-0a1"} }), true, ""},
		{"subjects: [everyone]", about("x"), true, "subject x fits everyone"},
		{"subjects: [Everyone]", about("x"), true, "subject x fits Everyone"},
		{"subjects: [everyone]", with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{} }), false, "subject nobody fits none of everyone"},
		// Whose name does not count is not somebody.
		{"subjects: ['jane']", with(leaver, func(s *signal.Signal) {
			s.Subject = signal.Subject{Session: &signal.Session{Role: "Deploy", Name: "jane"}}
		}), false, ""},
	} {
		p := mustParse(t, "version: 1\nidentity: {domains: [example.com, EXAMPLE]}\n"+strings.TrimPrefix(oneRule("when: {"+test.when+"}"), "version: 1\n"))
		d := p.Decide(test.signal, Enforce, now)
		if (d.Rule == "a") != test.fits || !strings.Contains(strings.Join(Words(d.Reasons), "\n"), test.reason) {
			t.Errorf("%s: rule %q\n%s", test.when, d.Rule, strings.Join(Words(d.Reasons), "\n"))
		}
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
		if d := p.Decide(signal.Signal{Kind: signal.SelfTest}, mode, now); d.Action != Notify || d.Rule != "" || d.Mode != want {
			t.Errorf("%+v", d)
		}
	}
}

func TestEndpointsOfARule(t *testing.T) {
	p := mustParse(t, "version: 1\nrules:\n  - {name: a, when: {}, then: terminate, endpoints: [cvpn-endpoint-0a, cvpn-endpoint-0b]}\n")
	d := p.Decide(leaver, Enforce, now)
	if !slices.Equal(d.Endpoints, []string{"cvpn-endpoint-0a", "cvpn-endpoint-0b"}) || !slices.Contains(Words(d.Reasons), "rule a acts on cvpn-endpoint-0a, cvpn-endpoint-0b only") {
		t.Errorf("%+v", d)
	}
}

// TestPatternsForManyAreNoPatternsForAll: who writes *z* means those with a z.
func TestPatternsForManyAreNoPatternsForAll(t *testing.T) {
	for _, pattern := range []string{"*z*", "*0*", "k*", "??????", "*@partner.test"} {
		mustParse(t, "version: 1\nidentity: {domains: [example.com]}\nexempt: ['"+pattern+"']\n")
	}
	for _, pattern := range []string{"*a*", "*b*", "*.nt", "*-*"} { // where nobody is from
		mustParse(t, "version: 1\nexempt: ['"+pattern+"']\n")
	}
}

// TestExemptionIsNotLostToSpelling: who is exempt stays so whatever surrounds the entry or the name, and under an id.
func TestExemptionIsNotLostToSpelling(t *testing.T) {
	p := mustParse(t, "version: 1\nidentity: {domains: [example.com], aliases: {' asmith ': ' carol ', ' 00u2 ': carol}}\nexempt: [' alice ', \"\\tsvc-* \", 00uBreakGlass, carol]\ndefault: terminate\n")
	for _, name := range []string{"alice", " Alice@example.com\t", "svc-x", " svc-x ", "asmith"} {
		if !p.Exempt(name) {
			t.Errorf("%q is not exempt", name)
		}
	}
	s := signal.Signal{Subject: signal.Subject{Usernames: []string{"bob"}, IDs: []string{"00uBreakGlass"}}}
	if d := p.Decide(s, Enforce, now); d.Gate != GateExempt || !slices.Contains(Words(d.Reasons), "held back: 00uBreakGlass is exempt") {
		t.Errorf("by id: %+v", d)
	}
	if d := p.Decide(signal.Signal{Subject: signal.Subject{IDs: []string{"00u2"}}}, Enforce, now); d.Gate != GateExempt {
		t.Errorf("by an alias: %+v", d)
	}
	if all := mustParse(t, "version: 1\nexempt: [' EveryOne ']\n"); !all.Exempt("x") {
		t.Error("EveryOne is somebody's name")
	}
}

// TestByteOrderMarkIsNoKey: some editors begin a file with one.
func TestByteOrderMarkIsNoKey(t *testing.T) {
	mustParse(t, "\ufeff"+full)
	mustParse(t, strings.ReplaceAll(full, "\n", "\r\n"))
}

// TestRequestsByHandPassTheSameGates: what a person sends in our own form is held back like any other signal.
func TestRequestsByHandPassTheSameGates(t *testing.T) {
	p := mustParse(t, "version: 1\nexempt: [breakglass]\nrules:\n  - {name: by-hand, when: {providers: [custom], max_age: 1h}, then: terminate}\n")
	request := func(at time.Time, detail string) []byte {
		return fmt.Appendf(nil, `{"id": "1", "source": "clientvpn-responder", "detail-type": "Terminate Connections", "time": %q, "detail": {%s}}`, at.Format(time.RFC3339), detail)
	}
	for _, test := range []struct {
		name, detail string
		at           time.Time
		want         Gate
	}{
		{"sound", `"username": "alice", "reason": "left"`, now, ""},
		{"exempt", `"username": "BreakGlass", "reason": "left"`, now, GateExempt},
		{"old", `"username": "alice", "reason": "left"`, now.Add(-2 * time.Hour), GateStale},
		{"of the future", `"username": "alice", "reason": "left"`, now.Add(time.Hour), GateFuture},
		{"later", `"username": "alice", "reason": "left", "effective_at": "2026-11-20T17:00:00Z"`, now, GateNotYet},
	} {
		signals, err := signal.Parse(request(test.at, test.detail))
		if err != nil {
			t.Fatal(err)
		}
		if d := p.Decide(signals[0], Enforce, now); d.Gate != test.want || d.Rule != "by-hand" {
			t.Errorf("%s: %+v", test.name, d)
		}
	}
	for _, reason := range []string{"", `, "reason": " "`, `, "reason": null`} {
		if _, err := signal.Parse(request(now, `"username": "alice"`+reason)); err == nil || !strings.Contains(err.Error(), "detail.reason: missing") {
			t.Errorf("without a reason (%s): %v", reason, err)
		}
	}
}

// TestDecidingTakesNoMoreAsEventsGo: the two-thousandth event allocates what the first did, so nothing is kept of any.
func TestDecidingTakesNoMoreAsEventsGo(t *testing.T) {
	p := mustParse(t, string(ManyRules(200)))
	event, err := os.ReadFile("../../events/okta/user-deactivate.json")
	if err != nil {
		t.Fatal(err)
	}
	decide := func() {
		signals, err := signal.Parse(event)
		if err != nil {
			t.Fatal(err)
		}
		p.Decide(signals[0], Enforce, now)
	}
	first := testing.AllocsPerRun(10, decide)
	for range 2_000 {
		decide()
	}
	if last := testing.AllocsPerRun(10, decide); last > first+2 { // a sync.Pool that the garbage collector emptied costs one
		t.Errorf("%v allocations at first, %v after 2,000 events", first, last)
	}
}

func TestExemptPlaces(t *testing.T) {
	p := mustParse(t, "version: 1\nexempt: [cvpn-endpoint-0a, cvpn-connection-0b]\ndefault: terminate\n")
	for id, want := range map[string]bool{"cvpn-endpoint-0a": true, "cvpn-connection-0b": true, "cvpn-endpoint-0b": false, "cvpn-connection-0a": false, "": false} {
		if p.ExemptPlace(id) != want {
			t.Errorf("%q: %v", id, !want)
		}
	}
	s := with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{ConnectionID: "cvpn-connection-0b"} })
	if d := p.Decide(s, Enforce, now); d.Gate != GateExempt {
		t.Errorf("%+v", d)
	}
	if p.Exempt("cvpn-endpoint-0a") {
		t.Error("an endpoint's id is somebody's name")
	}
}

// TestEveryoneExemptIsNobodyCutOff, also who has no name.
func TestEveryoneExemptIsNobodyCutOff(t *testing.T) {
	p := mustParse(t, "version: 1\nexempt: [everyone]\ndefault: terminate\n")
	for _, s := range []signal.Signal{leaver, eight, with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{ConnectionID: "cvpn-connection-0b"} })} {
		if d := p.Decide(s, Enforce, now); d.Gate != GateExempt || d.Action != Notify {
			t.Errorf("%+v", d)
		}
	}
	if !p.Exempt("x") || !p.Exempt("") || !p.ExemptCertificate("y") {
		t.Error("somebody is not exempt")
	}
}

// TestEventsOfTheFutureAreHeldBack: five minutes are a clock that is wrong, more is an event that is.
func TestEventsOfTheFutureAreHeldBack(t *testing.T) {
	p := mustParse(t, full)
	for ahead, want := range map[time.Duration]Gate{5 * time.Minute: "", 5*time.Minute + time.Second: GateFuture, 24 * time.Hour: GateFuture} {
		s := with(leaver, func(s *signal.Signal) { s.Time = now.Add(ahead) })
		if d := p.Decide(s, Enforce, now); d.Gate != want || (want != "") != (d.Action == Notify) {
			t.Errorf("%v ahead: %+v", ahead, d)
		}
	}
}

// TestSchemaIsTheLanguage: an editor knows the keys and words that the program knows, and no others.
func TestSchemaIsTheLanguage(t *testing.T) {
	raw, err := os.ReadFile("../../doc/policy.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	type node struct {
		Properties  map[string]*node
		Definitions map[string]*node
		Items       *node
		Enum        []string
		Required    []string
		Additional  any `json:"additionalProperties"`
	}
	var schema node
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatal(err)
	}
	keys := func(v any) []string {
		var all []string
		for f := range reflect.TypeOf(v).Fields() {
			if key, ok := f.Tag.Lookup("yaml"); ok {
				all = append(all, key)
			}
		}
		slices.Sort(all)
		return all
	}
	when, ruleNode := schema.Definitions["condition"], schema.Definitions["rule"]
	for name, test := range map[string]struct {
		node *node
		keys []string
	}{
		"document":  {&schema, keys(document{})},
		"identity":  {schema.Properties["identity"], keys(identityDocument{})},
		"rule":      {ruleNode, keys(rule{})},
		"condition": {when, keys(condition{})},
		"severity":  {when.Properties["severity"], keys(bounds{})},
	} {
		if diff := cmp.Diff(test.keys, slices.Sorted(maps.Keys(test.node.Properties))); diff != "" || test.node.Additional != false {
			t.Errorf("%s: %s, others %v", name, diff, test.node.Additional)
		}
	}
	var kinds []string
	for _, k := range signal.Kinds() {
		kinds = append(kinds, string(k))
	}
	for name, test := range map[string][2][]string{
		"kinds":     {when.Properties["kinds"].Items.Enum, kinds},
		"providers": {when.Properties["providers"].Items.Enum, signal.Providers()},
		"actions":   {schema.Definitions["action"].Enum, {string(Terminate), string(Notify), string(Ignore)}},
		"modes":     {ruleNode.Properties["mode"].Enum, {string(DryRun), string(Enforce)}},
		"required":  {ruleNode.Required, {"name", "when", "then"}},
	} {
		if diff := cmp.Diff(test[1], test[0]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// BenchmarkDecide maps the person and decides, and the same with parsing the event before, at so many rules, of which only the
// last fits.
func BenchmarkDecide(b *testing.B) {
	for _, rules := range []int{10, 200} {
		p, err := Parse("policy.yaml", ManyRules(rules))
		if err != nil {
			b.Fatal(err)
		}
		decide := func(b *testing.B, signals []signal.Signal, err error) {
			if err != nil {
				b.Fatal(err)
			}
			if d := p.Decide(signals[0], Enforce, now); d.Rule != fmt.Sprint("rule-", rules-1) {
				b.Fatal(d)
			}
		}
		for _, file := range []string{"okta/user-deactivate", "guardduty/identity-center-session"} {
			event, err := os.ReadFile("../../events/" + file + ".json")
			if err != nil {
				b.Fatal(err)
			}
			b.Run(fmt.Sprint(rules, " rules/decide/", file), func(b *testing.B) {
				signals, err := signal.Parse(event)
				b.ReportAllocs()
				for b.Loop() {
					decide(b, signals, err)
				}
			})
			b.Run(fmt.Sprint(rules, " rules/all/", file), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					signals, err := signal.Parse(event)
					decide(b, signals, err)
				}
			})
		}
	}
}

// ManyRules gives a policy of n rules, one for each team, of which the last alone fits alice.
func ManyRules(n int) []byte {
	var document strings.Builder
	document.WriteString("version: 1\nidentity: {domains: [example.com, EXAMPLE], common_names: ['{user}.vpn.example.com']}\nrules:\n")
	for i := range n - 1 {
		fmt.Fprintf(&document, "  - {name: rule-%d, when: {kinds: [finding, account-disabled], subjects: ['team-%d-*']}, then: terminate}\n", i, i)
	}
	fmt.Fprintf(&document, "  - {name: rule-%d, when: {subjects: ['a*']}, then: terminate}\n", n-1)
	return []byte(document.String())
}
