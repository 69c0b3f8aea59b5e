package signal_test

import (
	"strings"
	"testing"

	"clientvpn-responder/internal/signal"
)

// TestNamesThatAreNobodys: events from the field that name an account of a program or of an application, and no person.
func TestNamesThatAreNobodys(t *testing.T) {
	const rules = "okta/app-user-only.json"
	app := object{"type": "AppInstance", "id": "0oa1", "displayName": "VPN"}
	account := object{"type": "AppUser", "id": "0ua1", "alternateId": "jdoe"}
	checkField(t, []fieldTest{
		{"an account in an application", edited(rules), signal.AccountDisabled, "id admin", ""},
		{"its address", edited(rules, "detail/target/0/alternateId", "dave@example.com"),
			signal.AccountDisabled, "dave@example.com", ""},
		{"of the application itself", edited(rules, "detail/eventType", "application.user_membership.remove",
			"detail/target", []any{account, app}), signal.TokenClaimsChange, "jdoe", ""},
		{"a service principal", edited("entra/disable-account.json", "detail/properties/targetResources",
			[]any{object{"type": "ServicePrincipal", "id": "x", "displayName": "Backup"}}), "", "", "about no user"},
		{"a risky service principal", edited("entra/risky-service-principal.json"), "", "", "a program"},
		{"Graph's risky service principal", edited("entra/risky-service-principal.json", "detail", object{
			"riskState": "confirmedCompromised", "servicePrincipalId": "x", "id": "x"}), "", "", "a program"},
		{"something else of Entra's", edited("entra/disable-account.json", "detail/properties/targetResources",
			[]any{object{"type": "Other", "id": "x"}}), signal.AccountDisabled, "nobody", ""},
		{"a sign-in of a compromised user", edited("entra/risky-service-principal.json", "detail/category", "SignInLogs"),
			"", "", "does not affect"},
	})
}

// TestDeletedUsersHaveTheirNames: with the object id before the name, whether the record has the id or not.
func TestDeletedUsersHaveTheirNames(t *testing.T) {
	const file, target = "entra/delete-user-without-id.json", "detail/properties/targetResources/0/"
	const mangled = "6F0C2F1E8D7B4A579C365B1F5D9A2E10dave@example.com"
	checkField(t, []fieldTest{
		{"without the id", edited(file), signal.AccountPurged, "dave@example.com", ""},
		{"with the id", edited(file, target+"id", "6f0c2f1e-8d7b-4a57-9c36-5b1f5d9a2e10",
			target+"userPrincipalName", mangled), signal.AccountPurged, "dave@example.com", ""},
		{"of somebody else", edited(file, target+"id", "00000000-0000-4000-8000-000000000000",
			target+"userPrincipalName", mangled), signal.AccountPurged, mangled, ""},
		{"not deleted", edited(file, "detail/properties/activityDisplayName", "Disable account",
			target+"userPrincipalName", mangled), signal.AccountDisabled, mangled, ""},
	})
}

// TestFormsFromTheField: the same in another form.
func TestFormsFromTheField(t *testing.T) {
	const auth0, duo = "auth0/user-blocked-as-text.json", "duo/user-pending-delete.json"
	checkField(t, []fieldTest{
		{"a body as text", edited(auth0), signal.AccountDisabled, "dave@example.com", ""},
		{"of application metadata", edited(auth0, "detail/data/details/request/body", `{"app_metadata":{"blocked":true}}`),
			"", "", "something else"},
		{"into Duo's trash", edited(duo), signal.AccountDisabled, "dave", ""},
		{"out of it", edited(duo, "detail/action", "user_restore_from_pending_delete"), signal.AccountEnabled, "dave", ""},
	})
	for key, spelling := range map[string]string{
		"effectiveDate": "effectiveDate", "last_day": "last_day", "Expires": "Expires", "after": "after",
	} {
		_, err := signal.Parse(event(t, custom, "detail/"+key, "2030-01-01"))
		if err == nil || !strings.HasPrefix(err.Error(), "detail."+spelling+": looks like a condition") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// TestPrincipalsByTheirIDs: OCSF's words for a user's type do not say what a principal is, and the id does.
func TestPrincipalsByTheirIDs(t *testing.T) {
	signals, err := signal.Parse(event(t, "securityhub/v2-attack-sequence.json"))
	if err != nil || len(signals) != 2 || signals[0].Subject.String() != "bob" ||
		signals[1].Subject.Session == nil || signals[1].Subject.Session.Name != "dave@example.com" {
		t.Errorf("%+v, %v", signals, err)
	}
	actors := func(users ...any) input {
		var evidences []any
		for _, user := range users {
			evidences = append(evidences, object{"actor": object{"user": user}})
		}
		return edited("securityhub/v2-attack-sequence.json", "detail/findings/0/evidences", evidences)
	}
	checkField(t, []fieldTest{
		{"a role without a session", actors(object{"name": "Admin", "type": "User", "uid": "AROAX"}),
			signal.Finding, "nobody", ""},
		{"nothing says what it is", actors(object{"name": "who", "type": "User"}), signal.Finding, "id who", ""},
		{"an account", actors(object{"name": "who", "type": "AWSAccount", "uid": "AIDAX"}), signal.Finding, "nobody", ""},
	})
}
