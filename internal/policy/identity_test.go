package policy

import (
	"strings"
	"testing"

	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/signal"
)

const listed = "session_roles: [], issuers: [iam:here, directory-service:here, cognito:here, ssf:here, auth0:here]"

// identities are the policies of the table below: each has one more of what makes names one person's.
var identities = map[string]string{
	"nothing": "version: 1\nidentity: {" + listed + "}\n",
	"domains": "version: 1\nidentity: {domains: [example.com, EXAMPLE], " + listed + "}\n",
	"aliases": "version: 1\nidentity: {domains: [example.com], " + listed + ", aliases: {" +
		"okta: {00u1: alice@example.com}, asmith: alice, 'onelogin:92345678': bob, " +
		"'sailpoint:00u1': alice, 'sailpoint:92345678': bob, 'identity-center:9067': Carol@partner.test}}\n",
	"certificates": "version: 1\nidentity: {common_names: ['{user}.vpn.example.com', '{user} laptop'], " + listed + "}\n",
	"sessions":     "version: 1\nidentity: {domains: [example.com], session_roles: ['AWSReservedSSO_*', Break-?lass]}\n",
}

// TestWhomAProviderMeans is the table of identity: what a provider says, and under which names Client VPN is
// searched. Names behind the bar count only in certificates.
func TestWhomAProviderMeans(t *testing.T) {
	for _, test := range []struct{ provider, says, identity, want string }{
		{"okta", "Alice@Example.com", "nothing", "alice@example.com"},
		{"okta", "Alice@Example.com", "domains", `alice alice@example.com example.com\alice alice@example example\alice`},
		{"okta", "alice@sub.example.com", "domains", "alice@sub.example.com"},
		{"okta", "alice@example.com.evil.test", "domains", "alice@example.com.evil.test"},
		{"okta", "alice@example.com id:00u1", "nothing", "alice@example.com"},
		{
			"okta", "alice@example.com id:00u1", "aliases",
			`alice alice@example.com example.com\alice asmith asmith@example.com example.com\asmith`,
		},
		{"okta", "mallory@example.com id:00u1", "aliases", "ambiguous"},
		{"okta", "id:00u1", "nothing", "unmapped"},
		{"okta", "id:00U1", "aliases", "unmapped"},
		{"entra", "alice@example.com asmith@example.com id:6f1c", "nothing", "ambiguous"},
		{
			"entra", "alice@example.com alice@example.onmicrosoft.com", "domains",
			`alice alice@example.com example.com\alice alice@example example\alice alice@example.onmicrosoft.com`,
		},
		{
			"entra", "alice@example.com asmith@example.com id:6f1c", "aliases",
			`alice alice@example.com example.com\alice asmith asmith@example.com example.com\asmith`,
		},
		{
			"entra", "alice_partner.test#EXT#@example.com", "domains",
			`alice_partner.test#ext# alice_partner.test#ext#@example.com example.com\alice_partner.test#ext# ` +
				`alice_partner.test#ext#@example example\alice_partner.test#ext#`,
		},
		{
			"google-workspace", "bob@example.com id:1042", "domains",
			`bob bob@example.com example.com\bob bob@example example\bob`,
		},
		{"auth0", "id:auth0|6a1b", "aliases", "unmapped"},
		{"onelogin", "id:92345678", "aliases", `bob bob@example.com example.com\bob`},
		{"onelogin", "alice id:92345678", "aliases", "ambiguous"},
		{"sailpoint", "alice id:00u1 id:92345678", "aliases", "ambiguous"},
		{"identity-center", "id:9067", "domains", "unmapped"},
		{"identity-center", "id:9067", "aliases", `carol@partner.test`},
		{"identity-center", "carol@partner.test id:9067", "aliases", `carol@partner.test`},
		{"identity-center", "carol id:9067", "aliases", "ambiguous"},
		{"iam", "Alice", "nothing", "alice"},
		{
			"iam", "asmith", "aliases",
			`alice alice@example.com example.com\alice asmith asmith@example.com example.com\asmith`,
		},
		{"iam", "ÉMILE", "nothing", "émile"},
		{"iam", "\u212Aate", "nothing", "\u212Aate"}, // the Kelvin sign is no k
		{"directory-service", `EXAMPLE\Alice`, "nothing", `example\alice`},
		{
			"directory-service", `EXAMPLE\Alice`, "domains",
			`alice alice@example.com example.com\alice alice@example example\alice`,
		},
		{"directory-service", `OTHER\Alice`, "domains", `other\alice`},
		{"directory-service", `OTHER\alice@example.com`, "domains", `other\alice@example.com`},
		{"cognito", "id:3f1e", "nothing", "unmapped"},
		{"ssf", "alice@partner.test@example.com", "domains", "alice@partner.test@example.com"},
		{"ssf", "@example.com", "domains", "@example.com"},
		{"custom", "alice", "certificates", "alice | alice.vpn.example.com alice laptop"},
		{
			"custom", "alice@example.com", "certificates",
			"alice@example.com | alice@example.com.vpn.example.com alice@example.com laptop",
		},
		{"custom", `EXAMPLE\alice`, "certificates", `example\alice`},
		{
			"custom", "alice.vpn.example.com", "certificates",
			"alice.vpn.example.com | alice.vpn.example.com.vpn.example.com alice.vpn.example.com laptop",
		},
		{"sailpoint", "asmith bob", "aliases", "ambiguous"},
		{"sailpoint", "asmith id:92345678", "aliases", "ambiguous"},
		{"guardduty", "bob id:AIDA1", "domains", `bob bob@example.com example.com\bob bob@example example\bob`},
		{"guardduty", "session:AWSReservedSSO_Admin_0123/Alice@example.com", "nothing", "unmapped"},
		{
			"guardduty", "session:AWSReservedSSO_Admin_0123/Alice@example.com", "sessions",
			`alice alice@example.com example.com\alice`,
		},
		{"guardduty", "session:awsreservedsso_Admin_0123/alice@example.com", "sessions", "unmapped"},
		{"guardduty", "session:Break-Glass/alice", "sessions", `alice alice@example.com example.com\alice`},
		{"guardduty", "session:Break-Glasses/alice", "sessions", "unmapped"},
		{"guardduty", "session:Deploy/alice@example.com", "sessions", "unmapped"},
		{"guardduty", "session:sts:FederatedUser/alice", "sessions", "unmapped"},
	} {
		p := mustParse(t, identities[test.identity]+"default: terminate\n")
		d := p.Decide(
			signal.Signal{
				Provider: test.provider, Kind: signal.AccountDisabled, Subject: subject(test.provider, test.says), Time: now,
			},
			Enforce, now,
		)
		got := string(d.Gate)
		if got == "" {
			got = strings.Join(d.Names, " ")
			if len(d.CommonNames) > 0 {
				got += " | " + strings.Join(d.CommonNames, " ")
			}
		}
		if got != test.want {
			t.Errorf("%s says %s, identity with %s:\ngot  %s\nwant %s", test.provider, test.says, test.identity, got, test.want)
		}
	}
}

// subject reads the table's second column: names, ids behind "id:", and "session:role/name".
func subject(provider, words string) (s signal.Subject) {
	issuer := identity.Issuer{Provider: provider, Within: "here"}
	if provider == "guardduty" {
		issuer.Provider = identity.IAM
	}
	for word := range strings.FieldsSeq(words) {
		if id, ok := strings.CutPrefix(word, "id:"); ok {
			s.IDs = append(s.IDs, id)
			s.Names = append(s.Names, identity.Name{Issuer: issuer, Form: identity.OpaqueID, Value: id})
		} else if session, ok := strings.CutPrefix(word, "session:"); ok {
			role, name, _ := strings.Cut(session, "/")
			s.Session = &signal.Session{Role: role, Name: name}
		} else {
			form := identity.Login
			if strings.Contains(word, "@") {
				form = identity.UPN
			}
			s.Usernames = append(s.Usernames, word)
			s.Names = append(s.Names, identity.Name{Issuer: issuer, Form: form, Value: word})
		}
	}
	return s
}
