package policy

import (
	"slices"
	"strings"
	"testing"

	"clientvpn-responder/internal/signal"
)

// TestSAMLProviderActsOnItsEndpointsAlone: whose assertions let people in may end them on the endpoints that the policy
// lists for it. Without a list it ends nobody.
func TestSAMLProviderActsOnItsEndpointsAlone(t *testing.T) {
	const rules = "\nrules:\n  - {name: logout, when: {}, then: terminate}\n"
	const issuers = "version: 1\nidentity:\n  domains: [example.com]\n  issuers: ['ssf:https://acme.okta.com']\n"
	event := func(member string) signal.Signal {
		signals, err := signal.Parse([]byte(`{"id": "1", "source": "custom.ssf", "detail-type": "Security Event Token",
			"time": "2026-11-20T10:00:00Z", "detail": {"iss": "https://acme.okta.com", "jti": "a", ` + member +
			`"sub_id": {"format": "email", "email": "alice@example.com"}, "events": {"global-token-revocation": {}}}}`))
		if err != nil {
			t.Fatal(err)
		}
		return signals[0]
	}
	const saml = `"saml_provider": "arn:aws:iam::111122223333:saml-provider/okta", `
	for name, test := range map[string]struct {
		member, endpoints, rule string

		gate Gate
		says string
		on   []string
	}{
		"bound": {
			saml, "  endpoints: {'ssf:https://acme.okta.com': [cvpn-endpoint-1]}", "", "", "", []string{"cvpn-endpoint-1"},
		},
		"the rule acts elsewhere": {
			saml, "  endpoints: {'ssf:https://acme.okta.com': [cvpn-endpoint-2]}", "endpoints: [cvpn-endpoint-1], ",
			GateUnmapped, "the rule acts only on endpoints where identity.endpoints has no people of this issuer", nil,
		},
		"unbound": {
			saml, "", "", GateUnmapped, `identity.endpoints, under ssf:https://acme.okta.com`, nil,
		},
		"signed by other keys": {"", "", "", "", "", nil},
	} {
		p := mustParse(t, issuers+test.endpoints+strings.Replace(rules, "when", test.rule+"when", 1))
		d := p.Decide(event(test.member), Enforce, now)
		reasons := ""
		for _, r := range d.Reasons {
			reasons += r.String() + "\n"
		}
		if d.Gate != test.gate || (d.Action == Terminate) != (test.gate == "") ||
			!strings.Contains(reasons, test.says) || !slices.Equal(d.Endpoints, test.on) && test.gate == "" {
			t.Errorf("%s: %+v\n%s", name, d, reasons)
		}
	}
}

// TestIssuerWithEndpointsHasPeople: of an issuer whose names may count, the policy may list the endpoints. A line about
// any other would limit nobody.
func TestIssuerWithEndpointsHasPeople(t *testing.T) {
	for _, test := range []struct {
		before, issuer string
		refused        bool
	}{
		{"", "okta:acme", false},
		{"", "auth0:acme/google-oauth2", false}, // verified addresses
		{"", "cognito:eu-west-1_Ab1", true},
		{"issuers: ['okta:acme'], ", "okta", false},
		{"issuers: ['okta:acme'], ", "okta:acmee", true},
		{"aliases: {'cognito:eu-west-1_Ab1': {x: alice}}, ", "cognito", false},
	} {
		document := "version: 1\nidentity: {" + test.before +
			"endpoints: {'" + test.issuer + "': [cvpn-endpoint-0a]}}\n"
		if _, err := Parse("policy.yaml", []byte(document)); test.refused != (err != nil) {
			t.Errorf("%s: %v", document, err)
		}
	}
}
