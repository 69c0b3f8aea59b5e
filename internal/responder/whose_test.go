package responder_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
)

// whoseTest is an event that names somebody, and who is cut off by it under the policy that is shipped.
type whoseTest struct {
	name      string
	event     string   // a file of events/
	edit      []string // texts of it, each with what replaces it behind it
	identity  string   // further lines of the policy's identity
	connected []string // user names, all on one endpoint
	status    responder.Status
	stay      []string // who is still connected
	says      string   // in the summary, or a reason
	keepOut   policy.KeepOut
}

const forever = policy.Forever

func edits(oldnew ...string) []string { return oldnew }

// whose are the rows of the promise that a name counts only where somebody may give it, and only for the person it
// names. Each has both directions.
var whose = []whoseTest{
	{
		name: "IAM user deleted, account not listed", event: "iam/delete-user", edit: edits(`"bob"`, `"ceo"`),
		connected: []string{"ceo@example.com"}, status: responder.Unmapped, stay: []string{"ceo@example.com"},
		says: "add iam:111122223333 to identity.issuers",
	},
	{
		name: "IAM user deleted, account listed: never kept out for ever", event: "iam/delete-user",
		edit: edits(`"bob"`, `"ceo"`), identity: "issuers: [iam:111122223333]",
		connected: []string{"ceo@example.com", "cfo@example.com"}, status: responder.Terminated,
		stay: []string{"cfo@example.com"}, says: "ceo is not kept out: an IAM user is often deleted",
	},
	{
		name: "IAM user of another member account", event: "guardduty/iam-user",
		edit:      edits(`"accountId": "111122223333"`, `"accountId": "999988887777"`),
		identity:  "issuers: [iam:111122223333]",
		connected: []string{"bob"}, status: responder.Unmapped, stay: []string{"bob"},
		says: "add iam:999988887777 to identity.issuers",
	},
	{
		name: "IAM user of an account that the policy names", event: "guardduty/iam-user",
		identity:  "issuers: [iam:111122223333]",
		connected: []string{"bob"}, status: responder.Terminated, keepOut: "24h",
	},
	{
		name: "Kubernetes user, cluster not listed", event: "guardduty/eks-oidc-user",
		edit:      edits("CredentialAccess:Kubernetes/MaliciousIPCaller", "AttackSequence:EKS/CompromisedCluster"),
		connected: []string{"dave@example.com"}, status: responder.Unmapped, stay: []string{"dave@example.com"},
		says: "add kubernetes:444455556666/orders to identity.issuers",
	},
	{
		name: "Kubernetes user, account listed", event: "guardduty/eks-oidc-user",
		identity:  `issuers: ["kubernetes:444455556666"]`,
		edit:      edits("CredentialAccess:Kubernetes/MaliciousIPCaller", "AttackSequence:EKS/CompromisedCluster"),
		connected: []string{"dave@example.com"}, status: responder.Terminated, keepOut: "24h",
	},
	{
		name: "directory not listed", event: "directory-service/disable-user",
		identity:  "issuers: [directory-service:d-0000000000]",
		connected: []string{"bob"}, status: responder.Unmapped, stay: []string{"bob"},
		says: "add directory-service:d-9367123456 to identity.issuers",
	},
	{
		name: "directory listed", event: "directory-service/disable-user",
		identity:  "issuers: [directory-service:d-9367123456]",
		connected: []string{"bob"}, status: responder.Terminated, keepOut: forever,
	},
	{
		name: "user pool not listed", event: "cognito/disable-user",
		edit:      edits("HIDDEN_DUE_TO_SECURITY_REASONS", "dave@example.com"),
		connected: []string{"dave@example.com"}, status: responder.Unmapped, stay: []string{"dave@example.com"},
		says: "add cognito:eu-west-1_EXAMPLE01 to identity.issuers",
	},
	{
		name: "Auth0 account that anybody can sign up for", event: "auth0/user-deleted",
		connected: []string{"dave@example.com"}, status: responder.Unmapped, stay: []string{"dave@example.com"},
		says: "add auth0:example/Username-Password-Authentication to identity.issuers",
	},
	{
		name: "Auth0 connection that the policy names", event: "auth0/user-deleted",
		identity:  "issuers: [auth0:example/Username-Password-Authentication]",
		connected: []string{"dave@example.com"}, status: responder.Terminated, keepOut: forever,
	},
	{
		name: "a token whose sub is an id of OneLogin's", event: "ssf/account-disabled",
		edit:      edits(`"format": "email"`, `"format": "iss_sub"`, `"email": "dave@example.com"`, `"sub": "92345678"`),
		identity:  "issuers: [\"ssf:https://idp.example.com/\"]\n  aliases: {\"onelogin:92345678\": dave}",
		connected: []string{"dave@example.com"}, status: responder.Unmapped, stay: []string{"dave@example.com"},
		says: `{"92345678": <name>}`,
	},
	{
		name: "OneLogin's own id", event: "onelogin/user-deactivated", identity: `aliases: {"onelogin:92345678": dave}`,
		connected: []string{"dave@example.com"}, status: responder.Terminated, keepOut: forever,
	},
	{
		name: "token of an issuer that the policy does not name", event: "ssf/account-disabled",
		connected: []string{"dave@example.com"}, status: responder.Unmapped, stay: []string{"dave@example.com"},
	},
	{
		name: "token of an issuer that the policy names", event: "ssf/account-disabled",
		identity:  `issuers: ["ssf:https://idp.example.com"]`,
		connected: []string{"dave@example.com"}, status: responder.Terminated, keepOut: forever,
	},
	{
		name: "a login that is another person's address", event: "jumpcloud/user-suspended",
		edit:      edits(`"username": "dave"`, `"username": "jsmith", "email": "john.smith@example.com"`),
		connected: []string{"john.smith@example.com", "jsmith@example.com"}, status: responder.Terminated,
		stay: []string{"jsmith@example.com"}, keepOut: forever,
		says: "1 VPN connection of john.smith@example.com ended.",
	},
	{
		name: "the same by SailPoint", event: "sailpoint/leaver", says: "jsmith is looked for only as it is written",
		edit:      edits(`"alias": "dave"`, `"alias": "jsmith"`, `"email": "dave@`, `"email": "john.smith@`),
		connected: []string{"john.smith@example.com", "jsmith@example.com"}, status: responder.Terminated,
		stay: []string{"jsmith@example.com"}, keepOut: forever,
	},
	{
		name: "a login alone becomes an address", event: "jumpcloud/user-suspended",
		connected: []string{"dave@example.com", `EXAMPLE\dave`}, status: responder.Terminated, keepOut: forever,
	},
	{
		name: "the login and the address are both connected", event: "jumpcloud/user-suspended",
		edit:      edits(`"username": "dave"`, `"username": "jsmith", "email": "john.smith@example.com"`),
		connected: []string{"john.smith@example.com", "jsmith"}, status: responder.Ambiguous,
		stay: []string{
			"john.smith@example.com", "jsmith",
		}, keepOut: forever, says: "jsmith: john.smith@example.com to identity.aliases",
	},
	{
		name: "the policy says that both are one person", event: "jumpcloud/user-suspended",
		identity:  "aliases: {jsmith: john.smith}",
		edit:      edits(`"username": "dave"`, `"username": "jsmith", "email": "john.smith@example.com"`),
		connected: []string{"john.smith@example.com", "jsmith"}, status: responder.Terminated, keepOut: forever,
	},
	{
		name: "two people in one token", event: "ssf/account-disabled",
		identity: `issuers: ["ssf:https://idp.example.com/"]`,
		edit: edits(`"format": "email"`, `"format": "aliases"`, `"email": "dave@example.com"`,
			`"identifiers": [{"format": "email", "email": "dave@example.com"}, `+
				`{"format": "email", "email": "carol@example.com"}]`),
		connected: []string{"dave@example.com", "carol@example.com"}, status: responder.Ambiguous,
		stay: []string{"dave@example.com", "carol@example.com"}, says: "two people",
	},
	{
		name: "one person under two names in one token", event: "ssf/account-disabled",
		identity: `issuers: ["ssf:https://idp.example.com/"]`,
		edit: edits(`"format": "email"`, `"format": "aliases"`, `"email": "dave@example.com"`,
			`"identifiers": [{"format": "email", "email": "dave@example.com"}, `+
				`{"format": "email", "email": "Dave@Example.com"}]`),
		connected: []string{"dave@example.com", "carol@example.com"}, status: responder.Terminated,
		stay: []string{"carol@example.com"}, keepOut: forever,
	},
	{
		name: "a person called na", event: "jumpcloud/user-suspended", edit: edits(
			`"username": "dave"`, `"username": "na@example.com"`,
		),
		connected: []string{
			"na@example.com", `EXAMPLE\na`, "N/A",
		}, status: responder.Terminated, stay: []string{"N/A"}, keepOut: forever,
	},
	{
		name: "a person called None is nobody", event: "jumpcloud/user-suspended", edit: edits(
			`"username": "dave"`, `"username": "None"`,
		),
		connected: []string{"None", "none@example.com"}, status: responder.Unmapped,
		stay: []string{"None", "none@example.com"},
	},
	{
		name: "spellings of Unicode", event: "jumpcloud/user-suspended", edit: edits(
			`"username": "dave"`, `"username": "zoë"`,
		),
		connected: []string{"Zoe\u0308@example.com", "ｚｏë@example.com", "zo\u00ADë", "\ufeffzoë", "zoë.", "ZOË ", "zoé"},
		status:    responder.Terminated, stay: []string{"zoé"}, keepOut: forever, says: `"zoé": zoë to identity.aliases`,
	},
	{
		name: "an accent is a doubt", event: "jumpcloud/user-suspended", connected: []string{"dáve@example.com"},
		status: responder.Ambiguous, stay: []string{"dáve@example.com"}, keepOut: forever,
		says: `add "dáve@example.com": dave to identity.aliases`,
	},
	{
		name: "a domain that is not configured is a doubt", event: "jumpcloud/user-suspended",
		connected: []string{"dave@ad.example.com"},
		status:    responder.Ambiguous, stay: []string{"dave@ad.example.com"}, keepOut: forever,
		says: "add ad.example.com to identity.domains",
	},
	{
		name: "the domain is configured", event: "jumpcloud/user-suspended",
		identity:  "aliases: {x: dave@ad.example.com}",
		edit:      edits(`"username": "dave"`, `"username": "dave@ad.example.com"`),
		connected: []string{"dave@ad.example.com", "dave@example.com"}, status: responder.Terminated,
		stay: []string{"dave@example.com"}, keepOut: forever,
	},
	{
		name: "a slash is a doubt", event: "jumpcloud/user-suspended", connected: []string{"EXAMPLE/dave"},
		status: responder.Ambiguous, stay: []string{"EXAMPLE/dave"}, keepOut: forever, says: `"EXAMPLE/dave": dave`,
	},
	{
		name: "another tenant of a workforce provider", event: "okta/user-deactivate", identity: "issuers: [okta:acme]",
		connected: []string{"alice@example.com"}, status: responder.Unmapped, stay: []string{"alice@example.com"},
		says: "add okta:example if its names are your people's",
	},
	{
		name: "an issuer bound to another endpoint", event: "okta/user-deactivate",
		identity:  `endpoints: {"okta:example": [` + ad + `]}`,
		connected: []string{"alice@example.com"}, status: responder.Notified, stay: []string{"alice@example.com"},
		keepOut: forever,
		says:    "identity.endpoints does not have the people of okta:example on " + saml,
	},
	{
		name: "an issuer bound to this endpoint", event: "okta/user-deactivate",
		identity:  `endpoints: {"okta:example": [` + saml + `]}`,
		connected: []string{"alice@example.com"}, status: responder.Terminated, keepOut: forever,
	},
}

// TestNameCountsOnlyWhereSomebodyMayGiveIt sends each event through the parser, the shipped policy and EC2.
func TestNameCountsOnlyWhereSomebodyMayGiveIt(t *testing.T) {
	for _, test := range whose {
		t.Run(test.name, func(t *testing.T) {
			inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
				r.Policy, r.Watch = shippedWith(t, test.identity), 0
				for _, name := range test.connected {
					cloud.Connect(emulator.Client{EndpointID: saml, Username: name})
				}
				time.Sleep(time.Minute)
				o := respond(t, r, test.signals(t)...)[0]
				var reasons []string
				for _, s := range o.Spared {
					reasons = append(reasons, s.Reason)
				}
				all := strings.Join(append(append(reasons, o.Summary), policy.Words(o.Decision.Reasons)...), "\n")
				if o.Status != test.status || !strings.Contains(all, test.says) || o.Decision.KeepOut != test.keepOut {
					t.Errorf("%s, kept out %q, want %q\n%s", o.Status, o.Decision.KeepOut, test.keepOut, all)
				}
				stay := make([]string, len(test.stay))
				for i, name := range test.stay {
					stay[i] = name + "/"
				}
				if got := up(cloud); !slices.Equal(got, stay) {
					t.Errorf("still connected are %q, want %q", got, stay)
				}
			})
		})
	}
}

// signals parses the event, as if it had happened now.
func (test whoseTest) signals(t *testing.T) []signal.Signal {
	t.Helper()
	raw, err := os.ReadFile("../../events/" + test.event + ".json")
	if err != nil {
		t.Fatal(err)
	}
	event := string(raw)
	for pair := range slices.Chunk(test.edit, 2) {
		if !strings.Contains(event, pair[0]) {
			t.Fatalf("the event has no %s", pair[0])
		}
		event = strings.ReplaceAll(event, pair[0], pair[1])
	}
	signals, err := signal.Parse([]byte(event))
	if err != nil {
		t.Fatal(err)
	}
	for i := range signals {
		signals[i].Time = time.Now()
	}
	return signals
}

// shippedWith returns the rules that are shipped, in the demonstration's copy, with these lines in its identity.
func shippedWith(t *testing.T, lines string) *policy.Policy {
	t.Helper()
	document, err := os.ReadFile("../trial/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(document), "\nidentity:\n")
	_, after, foundToo := strings.Cut(rest, "\n\n")
	if !found || !foundToo {
		t.Fatal("the policy has no identity")
	}
	text := before + "\nidentity:\n  domains: [example.com, EXAMPLE]\n  " + lines + "\n\n" + after
	p, err := policy.Parse("policy.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}
