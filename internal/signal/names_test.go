package signal_test

import (
	"slices"
	"strings"
	"testing"

	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/signal"
)

// TestNamesCarryIssuerAndForm: each name has the issuer that the event names, and its form.
func TestNamesCarryIssuerAndForm(t *testing.T) {
	for _, test := range issuersAndForms {
		signals, err := signal.Parse(test.event.event(t))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		var got []string
		for _, n := range signals[0].Subject.Names {
			got = append(got, n.Issuer.String()+" "+string(n.Form)+" "+n.Value)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

const (
	entraOIDAlice = "11033cf6-328f-4a1a-b66d-82807b0f2acb"
	cognitoSub    = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c77"
)

var issuersAndForms = []struct {
	name  string
	event input
	want  []string
}{
	{"Okta: the organisation of the partner source", edited(okta), []string{
		"okta:example upn alice@example.com", "okta:example id 00u1alice2EXAMPLE3d7",
	}},
	{"Okta: a login that is no address", edited(okta, "detail/target/0/alternateId", "alice"), []string{
		"okta:example login alice", "okta:example id 00u1alice2EXAMPLE3d7",
	}},
	{"Entra: no tenant is invented", edited("entra/disable-account.json", "detail/tenantId", nil), []string{
		"entra upn dave@example.com", "entra id " + entraOID,
	}},
	{"Entra: the tenant", edited("entra/disable-account.json", "detail/tenantId", entraOIDAlice), []string{
		"entra:" + entraOIDAlice + " upn dave@example.com", "entra:" + entraOIDAlice + " id " + entraOID,
	}},
	{"Auth0: the connection, and nothing says that the address is verified", edited("auth0/user-deleted.json"), []string{
		"auth0:example/Username-Password-Authentication id " + auth0ID,
		"auth0:example/Username-Password-Authentication address dave@example.com",
	}},
	{"Auth0: a verified address", edited("auth0/user-blocked.json"), []string{
		"auth0:example verified-address dave@example.com", "auth0:example id " + auth0ID,
	}},
	{"Auth0: the connection of the first identity", edited("auth0/user-blocked.json",
		"detail/data/details/response/body/identities", []any{object{"connection": "staff"}, object{"connection": "x"}},
	), []string{
		"auth0:example/staff verified-address dave@example.com", "auth0:example/staff id " + auth0ID,
	}},
	{"Cognito: the pool", edited("cognito/disable-user.json", "detail/requestParameters/username", "alice"), []string{
		"cognito:eu-west-1_EXAMPLE01 id " + cognitoSub, "cognito:eu-west-1_EXAMPLE01 login alice",
	}},
	{"Directory Service: the directory", edited("directory-service/disable-user.json"), []string{
		"directory-service:d-9367123456 sam-account bob",
	}},
	{"IAM: the account that has the user", edited("iam/delete-user.json", "detail/recipientAccountId", "444455556666"),
		[]string{"iam:444455556666 login bob"}},
	{"GuardDuty: the account of the finding", edited(iamUser, "detail/accountId", "444455556666",
		key+"principalId", "AIDAX"), []string{"iam:444455556666 login bob", "iam:444455556666 id AIDAX"}},
	{"GuardDuty: a role session", edited(sso, "detail/accountId", "444455556666", key+"userName", "Admin",
		key+"principalId", "AROAX:jane"), []string{"iam:444455556666 role-session jane"}},
	{"GuardDuty: the actor's account", edited(sequence, "detail/service/detection/sequence/actors", []any{
		object{"user": object{"name": "bob", "type": "IAMUser", "account": object{"uid": "777788889999"}}},
	}), []string{"iam:777788889999 login bob"}},
	{"GuardDuty: a user of a cluster", edited(eks, "detail/accountId", "444455556666",
		"detail/resource/eksClusterDetails", object{"name": "prod"}),
		[]string{"kubernetes:444455556666/prod address dave@example.com"}},
	{"GuardDuty: an IAM user in a cluster", edited(eks, k8sUser, "arn:aws:iam::777788889999:user/jane"),
		[]string{"iam:777788889999 login jane"}},
	{"Identity Center: the store", edited("identity-center/disable-user.json"), []string{
		"identity-center:d-9067123456 id 9067123456-0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c01",
	}},
	{"Google: the customer", edited("google-workspace/suspend-user.json", "detail/id/customerId", "C03az79cb"),
		[]string{"google-workspace:C03az79cb upn dave@example.com"}},
	{"JumpCloud: login and address", edited("jumpcloud/user-suspended.json",
		"detail/resource/email", "dave.example@example.com"), []string{
		"jumpcloud:5f0123456789abcdef012345 login dave",
		"jumpcloud:5f0123456789abcdef012345 address dave.example@example.com",
		"jumpcloud:5f0123456789abcdef012345 id 60a1b2c3d4e5f60718293a4b",
	}},
	{"SailPoint: login and address", edited("sailpoint/leaver.json"), []string{
		"sailpoint:0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d address dave@example.com",
		"sailpoint:0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d login dave",
		"sailpoint:0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d id 2c9180a46faadee4016fb4e018c20639",
	}},
	{"OneLogin: the account", edited("onelogin/user-deactivated.json"), []string{"onelogin:172345 id 92345678"}},
	{"OneLogin: the account of the partner source", edited("onelogin/user-deactivated.json", "detail/account_id", nil),
		[]string{"onelogin:US-172345 id 92345678"}},
	{"Duo: the host", edited("duo/user-disabled.json"), []string{"duo:api-0a1b2c3d.duosecurity.com login dave"}},
	{"SET: the token's issuer", edited(ssf, "detail/iss", "https://idp.example.com/"), []string{
		"ssf:https://idp.example.com/ address dave@example.com",
	}},
	{"SET: an id is unique within both issuers", edited(ssf, "detail/iss", "https://idp.example.com/",
		"detail/sub_id", object{"format": "iss_sub", "iss": "https://app.onelogin.com", "sub": "92345678"}), []string{
		"ssf:https://idp.example.com/#https://app.onelogin.com id 92345678",
	}},
	{"our own form", edited(custom), []string{"custom upn frank@example.com"}},
}

// TestNamesAreTheNames: every user name and id of an event of ours has an issuer and a form, and no other name has.
func TestNamesAreTheNames(t *testing.T) {
	for _, file := range allEvents(t) {
		signals, _ := signal.Parse(event(t, file))
		for _, s := range signals {
			plain := slices.Concat(s.Subject.Usernames, s.Subject.IDs)
			if s.Subject.Session != nil {
				plain = append(plain, s.Subject.Session.Name)
			}
			var named []string
			for _, n := range s.Subject.Names {
				if n.Issuer.Provider == "" || n.Form == "" {
					t.Errorf("%s: %+v", file, n)
				}
				named = append(named, n.Value)
			}
			slices.Sort(plain)
			slices.Sort(named)
			if !slices.Equal(slices.Compact(plain), slices.Compact(named)) {
				t.Errorf("%s: %q, with issuer and form %q", file, plain, named)
			}
		}
	}
}

// TestFoundNamesAreAdded: a directory's answer adds names, and no placeholder.
func TestFoundNamesAreAdded(t *testing.T) {
	var s signal.Subject
	store := identity.Issuer{Provider: identity.IdentityCenter, Within: "d-9067123456"}
	for _, n := range []identity.Name{
		{Issuer: store, Form: identity.Login, Value: "dave"}, {Issuer: store, Form: identity.Login, Value: "dave"},
		{Issuer: store, Form: identity.OpaqueID, Value: "u1"}, {Issuer: store, Form: identity.Address, Value: "-"},
	} {
		s.Add(n)
	}
	if len(s.Names) != 2 || !slices.Equal(s.Usernames, []string{"dave"}) || !slices.Equal(s.IDs, []string{"u1"}) {
		t.Errorf("%+v", s)
	}
	if strings.Contains(s.String(), "u1") {
		t.Error(s.String())
	}
}

// TestSubjectIsCalledByTheSurestName: a login is not the person's name where the event says another one's address.
func TestSubjectIsCalledByTheSurestName(t *testing.T) {
	for want, names := range map[string][]string{
		"john.smith@example.com": {"jsmith", "john.smith@example.com"},
		"jsmith":                 {"jsmith", "jsmith@example.com", "john.smith@example.com"},
		`EXAMPLE\jsmith`:         {`EXAMPLE\jsmith`, "john.smith@example.com"},
		"dave":                   {"dave", "dave@example.com"},
		"alice":                  {"alice", "asmith"},
	} {
		if got := (signal.Subject{Usernames: names}).String(); got != want {
			t.Errorf("%q: %s, want %s", names, got, want)
		}
	}
}
