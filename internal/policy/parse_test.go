package policy

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"clientvpn-responder/internal/signal"
)

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
		{
			"unknown key of a rule", "version: 1\nrules:\n  - name: a\n    when: {kind: [finding]}\n",
			`policy.yaml:4:12: unknown field "kind"`,
		},
		{"doubled key", "version: 1\nexempt: [a]\nexempt: [b]\n", `policy.yaml:3:1: mapping key "exempt" already defined`},
		{
			"no value",
			"version: 1\nrules:\n  - name: a\n    then: notify\n    when:\n      kinds:\n      providers: [okta]\n",
			"policy.yaml:6:13: rules[0].when.kinds: has no value",
		},
		{
			"tag", "version: 1\nidentity:\n  domains: !x\nexempt: []\n",
			"policy.yaml:3:12: identity.domains: tags, anchors and aliases",
		},
		{"anchor", "version: 1\nexempt: &a [b]\n", "tags, anchors and aliases"},
		{"merge", "version: 1\n<<: {exempt: [b]}\n", "tags, anchors and aliases"},
		{"no condition", "version: 1\nrules:\n  - name: a\n    then: terminate\n", "policy.yaml:3:9: rules[0].when: missing"},
		{
			"empty condition list", "version: 1\nrules:\n  - name: a\n    then: terminate\n    when: {kinds: []}\n",
			"policy.yaml:5:19: rules[0].when.kinds: is empty",
		},
		{
			"unknown kind",
			"version: 1\nrules:\n  - name: a\n    then: terminate\n    when: {kinds: [finding, account-disable]}\n",
			`policy.yaml:5:29: rules[0].when.kinds[1]: "account-disable" is none of`,
		},
		{
			"unknown provider", "version: 1\nrules:\n  - name: a\n    then: terminate\n    when: {providers: [guarduty]}\n",
			`policy.yaml:5:24: rules[0].when.providers[0]: "guarduty" is none of`,
		},
		{
			"empty type", "version: 1\nrules:\n  - name: a\n    then: terminate\n    when: {types: [' ']}\n",
			"policy.yaml:5:20: rules[0].when.types[0]: is empty",
		},
		{
			"unknown action", "version: 1\nrules:\n  - name: a\n    when: {}\n    then: kill\n",
			`policy.yaml:5:11: rules[0].then: "kill" is none of terminate, notify, ignore`,
		},
		{"no action", "version: 1\nrules:\n  - name: a\n    when: {}\n", "rules[0].then: missing"},
		{
			"unknown mode", "version: 1\nrules:\n  - name: a\n    when: {}\n    then: notify\n    mode: dryrun\n",
			`policy.yaml:6:11: rules[0].mode: "dryrun" is none of`,
		},
		{"no name", "version: 1\nrules:\n  - when: {}\n    then: notify\n", "rules[0].name: missing"},
		{
			"same name", "version: 1\nrules:\n  - {name: a, when: {}, then: notify}\n  - {name: a, when: {}, then: notify}\n",
			`policy.yaml:4:12: rules[1].name: "a" is the name of an earlier rule`,
		},
		{"default", "version: 1\ndefault: nothing\n", `policy.yaml:2:10: default: "nothing" is none of`},
		{
			"severity", "version: 1\nrules:\n  - {name: a, when: {severity: {min: 70}}, then: notify}\n",
			"policy.yaml:3:38: rules[0].when.severity.min: 70 is outside",
		},
		{
			"severity turned round", "version: 1\nrules:\n  - {name: a, when: {severity: {min: 7, max: 4}}, then: notify}\n",
			"min 7 is above max 4",
		},
		{
			"severity that is no number", "version: 1\nrules:\n  - {name: a, when: {severity: {min: 'NaN'}}, then: notify}\n",
			"NaN is outside",
		},
		{
			"severity without bounds", "version: 1\nrules:\n  - {name: a, when: {severity: {}}, then: notify}\n",
			"needs min, max or both",
		},
		{
			"age", "version: 1\nrules:\n  - {name: a, when: {max_age: soon}, then: notify}\n",
			`policy.yaml:3:31: rules[0].when.max_age: "soon" is not a duration`,
		},
		{
			"age without a unit", "version: 1\nrules:\n  - {name: a, when: {max_age: 24}, then: notify}\n",
			`policy.yaml:3:31: rules[0].when.max_age: "24" is not a duration`,
		},
		{"limit", "version: 1\nmax_connections: 0\n", "policy.yaml:2:18: max_connections: must be at least 1"},
		{
			"limit with a fraction", "version: 1\nmax_connections: 1.9\n",
			"policy.yaml:2:18: max_connections: 1.9 is not a whole number",
		},
		{
			"limit as text", "version: 1\nmax_connections: '20'\n",
			"policy.yaml:2:18: max_connections: '20' is not a whole number",
		},
		{"version with a fraction", "version: 1.0\n", "policy.yaml:1:10: version: 1.0 is not a whole number"},
		{"exempt empty", "version: 1\nexempt: [alice, '']\n", "policy.yaml:2:17: exempt[1]: is empty"},
		{
			"exempt everyone", "version: 1\nexempt: ['*']\n",
			"policy.yaml:2:10: exempt[0]: \"*\" fits everyone; if that is meant, write everyone",
		},
		{"domain", "version: 1\nidentity: {domains: ['@example.com']}\n", "policy.yaml:2:22: identity.domains[0]"},
		{"domain with a control character", "version: 1\nidentity: {domains: [\"a\\0b\"]}\n", "identity.domains[0]"},
		{
			"common name with a control character", "version: 1\nidentity: {common_names: [\"{user}a\\0b\"]}\n",
			"identity.common_names[0]",
		},
		{"common name", "version: 1\nidentity: {common_names: ['{user}']}\n", "identity.common_names[0]"},
		{"session roles", "version: 1\nidentity: {session_roles: ['*']}\n", "would trust every role"},
		{"exempt everyone by another pattern", "version: 1\nexempt: ['?*']\n", "fits everyone"},
		{"exempt nobody", "version: 1\nexempt: [N/A]\n", "cannot be somebody's name"},
		{"session roles by another pattern", "version: 1\nidentity: {session_roles: ['?*']}\n", "would trust every role"},
		{"domain empty", "version: 1\nidentity: {domains: ['']}\n", "identity.domains[0]"},
		{"domain with a pattern", "version: 1\nidentity: {domains: ['*.example.com']}\n", "identity.domains[0]"},
		{"domain with a backslash", "version: 1\nidentity: {domains: ['EXAMPLE\\']}\n", "identity.domains[0]"},
		{
			"common name with {user} twice", "version: 1\nidentity: {common_names: ['{user}-{user}']}\n",
			"identity.common_names[0]",
		},
		{"common name without {user}", "version: 1\nidentity: {common_names: ['laptop']}\n", "identity.common_names[0]"},
		{"alias of nobody", "version: 1\nidentity: {aliases: {N/A: alice}}\n", "neither side may be empty"},
		{"age zero", "version: 1\nrules:\n  - {name: a, when: {max_age: 0s}, then: notify}\n", "is not a duration"},
		{"age below zero", "version: 1\nrules:\n  - {name: a, when: {max_age: -1h}, then: notify}\n", "is not a duration"},
		{
			"severity above the scale", "version: 1\nrules:\n  - {name: a, when: {severity: {max: 11}}, then: notify}\n",
			"severity.max: 11 is outside",
		},
		{
			"empty providers", "version: 1\nrules:\n  - {name: a, when: {providers: []}, then: notify}\n",
			"rules[0].when.providers: is empty",
		},
		{
			"empty types", "version: 1\nrules:\n  - {name: a, when: {types: []}, then: notify}\n",
			"rules[0].when.types: is empty",
		},
		{
			"exempt everyone with a domain", "version: 1\nidentity: {domains: [example.com]}\nexempt: ['*@example.com']\n",
			`exempt[0]: "*@example.com" fits everyone; if that is meant, write everyone`,
		},
		{"exempt everyone with an address", "version: 1\nexempt: ['*@*']\n", "fits everyone"},
		{
			"exempt a wrong id", "version: 1\nexempt: [cvpn-endpoint-xyz]\n",
			"policy.yaml:2:10: exempt[0]: \"cvpn-endpoint-xyz\" is not the id",
		},
		{
			"subjects for everyone", oneRule("when: {subjects: ['?*']}"),
			`policy.yaml:3:47: rules[0].when.subjects[0]: "?*" fits everyone`,
		},
		{"empty subject", oneRule("when: {subjects: ['']}"), "rules[0].when.subjects[0]: is empty; name a person"},
		{"no subjects", oneRule("when: {subjects: []}"), "rules[0].when.subjects: is empty"},
		{"account", oneRule("when: {accounts: [1234]}"), `rules[0].when.accounts[0]: "1234" is not an account id`},
		{"no accounts", oneRule("when: {accounts: []}"), "rules[0].when.accounts: is empty"},
		{"Region", oneRule("when: {regions: [Ireland]}"), `rules[0].when.regions[0]: "Ireland" is not a Region`},
		{"no Regions", oneRule("when: {regions: []}"), "rules[0].when.regions: is empty"},
		{"endpoint", oneRule("when: {}, endpoints: [vpn]"), `rules[0].endpoints[0]: "vpn" is not an endpoint id`},
		{"no endpoints", oneRule("when: {}, endpoints: []"), "rules[0].endpoints: is empty"},
		{
			"rule that never decides",
			"version: 1\nrules:\n  - {name: a, when: {}, then: notify}\n" +
				"  - {name: b, when: {kinds: [finding]}, then: terminate}\n",
			`policy.yaml:4:5: rules[1]: never decides: whatever fits "b" fits the earlier rule "a"`,
		},
		{"alias to nobody", "version: 1\nidentity: {aliases: {alice: ''}}\n", "neither side may be empty"},
		{"alias of two", "version: 1\nidentity: {aliases: {alice: bob, ALICE: carol}}\n", "two people"},
		{"alias chain", "version: 1\nidentity: {aliases: {a: b, b: c}}\n", "leads to another alias"},
		{
			"alias has its own line", "version: 1\nidentity:\n  aliases:\n    fine@example.com: alice\n    \"a.b[c]\": ''\n",
			`policy.yaml:5:5: identity.aliases: "a.b[c]": ""`,
		},
		{
			"exempt every certificate",
			"version: 1\nidentity: {common_names: ['{user}.vpn.example.com']}\nexempt: ['*.vpn.example.com']\n",
			`"*.vpn.example.com" fits everyone`,
		},
		{"exempt everyone with a Windows domain", "version: 1\nexempt: ['*\\*']\n", `"*\\*" fits everyone`},
		{
			"name of white space", "version: 1\nrules:\n  - {name: ' ', when: {}, then: notify}\n",
			"policy.yaml:3:12: rules[0].name: missing",
		},
		{
			"exempt an id in capitals", "version: 1\nexempt: [CVPN-Endpoint-0a1b]\n",
			"policy.yaml:2:10: exempt[0]: \"CVPN-Endpoint-0a1b\" is not the id of",
		},
		{
			"keep out where nothing is ended", oneRule("when: {}, keep_out: 24h"),
			"policy.yaml:3:49: rules[0].keep_out: keeps out who is cut off, and this rule cuts off nobody",
		},
		{
			"keep out on some endpoints",
			"version: 1\nrules:\n  - {name: a, when: {}, then: terminate, keep_out: 24h, endpoints: [cvpn-endpoint-0a1b]}\n",
			"rules[0].keep_out: keeps the person out of every endpoint",
		},
		{
			"keep out for no time", "version: 1\nrules:\n  - {name: a, when: {}, then: terminate, keep_out: 0h}\n",
			`policy.yaml:3:52: rules[0].keep_out: "0h" is neither a duration like 24h or 90m nor forever`,
		},
		{
			"keep out for a number", "version: 1\nrules:\n  - {name: a, when: {}, then: terminate, keep_out: 24}\n",
			`"24" is neither a duration`,
		},
		{
			"keep out for ever, of any kind",
			"version: 1\nrules:\n  - {name: a, when: {}, then: terminate, keep_out: forever}\n",
			"rules[0].keep_out: forever is for accounts that are closed; " +
				"limit the rule to kinds: [account-disabled, account-purged, token-claims-change]",
		},
		{
			"keep out for ever, after a finding",
			"version: 1\nrules:\n  - {name: a, when: {kinds: [account-purged, finding]}, then: terminate, keep_out: forever}\n",
			"forever is for accounts that are closed",
		},
		{
			"keep out and nothing said", "version: 1\nrules:\n  - {name: a, when: {}, then: terminate, keep_out: }\n",
			"keep_out: has no value",
		},
		{
			"endpoints where nothing is ended",
			"version: 1\nrules:\n  - {name: a, when: {}, then: notify, endpoints: [cvpn-endpoint-0a1b]}\n",
			"rules[0].endpoints: limits where connections are ended, and this rule ends none",
		},
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
	for _, document := range []string{
		"version: 3\nmax_connections: -1\ndefault: maybe\nexempt: ['*']\n",
		"version: one\nexempt: alice\nidentity: {domain: [example.com]}\nbrake: {peple: 5}\n", // of form
	} {
		_, err := Parse("policy.yaml", []byte(document))
		if n := strings.Count(err.Error(), "policy.yaml:"); n != 4 {
			t.Errorf("%d of 4 mistakes:\n%v", n, err)
		}
	}
}

// TestFormsOfYAML: a value is the same in each of YAML's ways to write it.
func TestFormsOfYAML(t *testing.T) {
	p := mustParse(t, `version: 1
identity:
  aliases:
    ? key
    : bob
    block: |-
      carol
exempt: [plain, 'single', "dou\x62le"]
rules: [{name: a, when: {severity: {min: '4', max: 0x8}}, then: notify}]
max_connections: 0x10
`)
	for name, person := range map[string]string{"key": "bob", "block": "carol"} {
		if !p.SamePerson(name, "", person, "") {
			t.Errorf("%s is not %s", name, person)
		}
	}
	if p.MaxConnections != 16 || !p.Exempt("plain") || !p.Exempt("single") || !p.Exempt("double") {
		t.Errorf("%+v", p)
	}
	for severity, rule := range map[float64]string{3.9: "", 4: "a", 8: "a", 8.1: ""} {
		s := with(leaver, func(s *signal.Signal) { s.Kind, s.Severity = signal.Finding, severity })
		if d := p.Decide(s, Enforce, now); d.Rule != rule {
			t.Errorf("severity %v: rule %q", severity, d.Rule)
		}
	}
}

// A YAML library that guesses types would make false, true and 1000 of these people, and exempt nobody.
func TestNamesThatLookLikeOtherYAMLTypesStayNames(t *testing.T) {
	p := mustParse(
		t, "version: 1\nexempt: [no, on, 1e3, 007, 0x1F, true, 12:30, .inf]\nidentity: {aliases: {'okta:0042': 1e9}}\n",
	)
	if d := p.Decide(
		signal.Signal{Provider: "okta", Subject: signal.Subject{IDs: []string{"0042"}}}, Enforce, now,
	); !slices.Contains(d.Names, "1e9") {
		t.Errorf("alias 0042 leads to %q", d.Names)
	}
	for _, name := range []string{"no", "ON", "1e3", "007", "0x1f", "true", "12:30", ".inf"} {
		if !p.Exempt(name) {
			t.Errorf("%s is not exempt", name)
		}
	}
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
		{"{types: ['user.*', 'sd*']}", "{types: ['user.session.clear', 'sdu']}", true},
		{"{subjects: ['team-*']}", "{subjects: ['team-a-*']}", true},
		{"{subjects: ['team-a-*']}", "{subjects: ['team-*']}", false},
		{"{subjects: [everyone]}", "{subjects: ['team-*']}", true},
		{"{subjects: [everyone]}", "{}", false}, // nobody fits the second
		{"{accounts: ['111122223333']}", "{accounts: ['111122223333'], regions: [eu-west-1]}", true},
		{"{accounts: ['111122223333']}", "{accounts: ['444455556666']}", false},
		{"{regions: [eu-west-1]}", "{accounts: ['111122223333']}", false},
		{"{kinds: [finding], max_age: 1h}", "{kinds: [finding]}", true}, // too old is stale, and does not fall through
	} {
		_, err := Parse(
			"policy.yaml",
			fmt.Appendf(
				nil, "version: 1\nrules:\n  - {name: a, when: %s, then: notify}\n  - {name: b, when: %s, then: terminate}\n",
				test.earlier, test.later,
			),
		)
		if (err != nil) != test.hidden || err != nil && !strings.Contains(err.Error(), "never decides") {
			t.Errorf("%s before %s: %v", test.earlier, test.later, err)
		}
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

// TestByteOrderMarkIsNoKey: some editors begin a file with one.
func TestByteOrderMarkIsNoKey(t *testing.T) {
	mustParse(t, "\ufeff"+full)
	mustParse(t, strings.ReplaceAll(full, "\n", "\r\n"))
}
