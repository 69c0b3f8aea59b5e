package policy

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
)

// mistakes are documents that mean nothing, or something else than they seem to.
var mistakes = []struct{ name, lines, want string }{
	{"an anchored expression", "exempt: ['^svc-.*$']", "exempt[0]: \"^svc-.*$\" is a regular expression; only *"},
	{"a class", "exempt: ['svc-[0-9]*']", "is a regular expression"},
	{
		"an expression among subjects", "rules: [{name: a, when: {subjects: ['(a|b)*']}, then: notify}]",
		"is a regular expression",
	},
	{"an expression among roles", "identity: {session_roles: ['^Admin$']}", "is a regular expression"},
	{"a URL as domain", "identity: {domains: ['https://example.com']}", "is a URL; write the domain alone"},
	{"an address as domain", "identity: {domains: ['@example.com']}", "is an address; write what is behind the @"},
	{"a template without a user", "identity: {common_names: [laptop]}", "must hold {user} once"},
	{"a template with CN=", "identity: {common_names: ['CN={user}']}", "has CN=, which Client VPN does not report"},
	{"a misspelt key", "excempt: [alice]", `unknown field "excempt"; did you mean exempt?`},
	{"a misspelt key of the brake", "brake: {peple: 5}", `unknown field "peple"; did you mean people?`},
	{"a number that is none", "rules: [{name: a, when: {severity: {min: high}}, then: notify}]", "min: must be a number"},
	{"no number", "rules: [{name: a, when: {severity: {max: .nan}}, then: notify}]", "max: must be a number"},
	{"neither true nor false", "demonstration: yes", "demonstration: must be true or false"},
	{"a misspelt key of identity", "identity: {isuers: []}", `unknown field "isuers"; did you mean issuers?`},
	{
		"a misspelt kind", "rules: [{name: a, when: {kinds: [account-disable]}, then: notify}]",
		"did you mean account-disabled?",
	},
	{"a misspelt provider", "rules: [{name: a, when: {providers: [guarduty]}, then: notify}]", "did you mean guardduty?"},
	{"a list for a text", "default: [a]", "default: must be text"},
	{"a text for a list", "rules: all", "rules: must be a list, such as [a, b]"},
	{"a text for a list inside", "identity: {domains: example.com}", "identity.domains: must be a list"},
	{"a text for a map", "identity: all", "identity: must be a map"},
	{"a number for a map", "rules: [{name: a, when: {severity: 7}, then: notify}]", "when.severity: must be a map"},
	{"every account", "identity: {issuers: [iam]}", "would count the names of every account"},
	{"a pattern of accounts", "identity: {issuers: ['iam:*']}", "is a pattern; name each account"},
	{"an issuer that is none", "identity: {issuers: ['saml:x']}", "is not the provider of names"},
	{"an organization without its provider", "identity: {issuers: [acme]}", "write an entry like okta:acme"},
	{"days", "rules: [{name: a, when: {}, then: terminate, keep_out: 30d}]", "nor forever; write 720h"},
	{"weeks", "rules: [{name: a, when: {max_age: 1w}, then: notify}]", "; write 168h"},
	{"an id without an issuer", "identity: {aliases: {'auth0|6a1b': dave}}", "an id is only its issuer's"},
	{"an alias for every account", "identity: {aliases: {'iam:ceo': dave}}", `nest it under "iam:<account>"`},
	{"an alias whose issuer is unclear", "identity: {aliases: {'okta:acme:00u1': dave}}", "nest it: okta:<part>"},
	{"an alias of an unknown issuer", "identity: {aliases: {oktaa: {00u1: dave}}}", "did you mean okta?"},
	{"an alias that hides a person", "identity: {aliases: {'okta:00u1': alice, alice: bob}}", `"alice" hides a person`},
	{"an issuer without endpoints", "identity: {endpoints: {'okta:acme': []}}", "has no endpoint"},
	{
		"endpoints of an issuer whose names do not count",
		"identity: {issuers: ['okta:acme'], endpoints: {'okta:acmee': [cvpn-endpoint-0a]}}", "is not among identity.issuers",
	},
	{"a file in a folder", "identity: {aliases_file: ../a.csv}", "must be the name of a file beside the policy"},
}

// TestWhatMeansNothingIsRefused, with the line and without a word that only a programmer knows.
func TestWhatMeansNothingIsRefused(t *testing.T) {
	programmers := regexp.MustCompile(`unmarshal|struct|interface|\bGo\b|\[\]|policy\.[a-z]+Document`)
	for _, test := range mistakes {
		_, err := Parse("p.yaml", []byte("version: 1\n"+test.lines+"\n"))
		switch {
		case err == nil || !strings.Contains(err.Error(), test.want):
			t.Errorf("%s: got %v\nwant %s", test.name, err, test.want)
		case !strings.HasPrefix(err.Error(), "p.yaml:2:") || programmers.MatchString(err.Error()):
			t.Errorf("%s: %v", test.name, err)
		}
	}
	mustParse(t, "version: 1\nexempt: []\n")
}

// TestAliasesInAFile are checked like those in the policy.
func TestAliasesInAFile(t *testing.T) {
	const document = "version: 1\nidentity: {domains: [example.com], aliases_file: aliases.csv}\n"
	parse := func(csv string) (*Policy, error) {
		return ParseWith("p.yaml", []byte(document), func(name string) ([]byte, error) {
			if name != "aliases.csv" {
				return nil, errors.New("another file")
			}
			return []byte(csv), nil
		})
	}
	p, err := parse("issuer,name,person\nokta:acme,00u1,alice@example.com\n# a comment\n,asmith,alice\n")
	if err != nil {
		t.Fatal(err)
	}
	if !p.SamePerson("asmith", "", "alice@example.com", "") {
		t.Error("the alias does not hold")
	}
	for csv, want := range map[string]string{
		"":                               "aliases.csv:1: is empty; begin with issuer,name,person",
		"name,person\n":                  "aliases.csv:1: ",
		"who,name,person\n":              "aliases.csv:1: begin with the line issuer,name,person",
		"issuer,name,person\na,b\n":      "aliases.csv:2: wrong number of fields",
		"issuer,name,person\nx,b,c\n":    `aliases.csv:2: "x" is not an issuer`,
		"issuer,name,person\n,N/A,c\n":   "aliases.csv:2: \"N/A\": \"c\": neither side may be empty",
		"issuer,name,person\n,a,b\n,b,c": "aliases.csv:3: \"b\" hides a person",
	} {
		if _, err := parse(csv); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v\nwant %s", csv, err, want)
		}
	}
	folder := t.TempDir()
	if err := os.WriteFile(folder+"/p.yaml", []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(folder + "/p.yaml"); err == nil || !strings.Contains(
		err.Error(), "identity.aliases_file: cannot be read",
	) {
		t.Errorf("%v", err)
	}
}
