package signal_test

import (
	"errors"
	"strings"
	"testing"

	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/signal"

	"github.com/google/go-cmp/cmp"
)

// TestCustomersOwnWords: a change of somebody's state is a signal with the customer's word. The policy knows or reports
// it. Only another attribute asks for nothing.
func TestCustomersOwnWords(t *testing.T) {
	const pingone, onelogin = "pingone/user-updated.json", "onelogin/status-of-ones-own.json"
	hook := func(attribute string, from, to any) input {
		return edited("okta/hook-state-of-ones-own.json", "detail/data/events/0/target/0/changeDetails",
			object{"from": object{attribute: from}, "to": object{attribute: to}})
	}
	changed := func(attribute string, from, to any) input {
		return edited("sailpoint/leaver.json", "detail/changes", []any{
			object{"attribute": attribute, "oldValue": from, "newValue": to}})
	}
	user := func(member string, value any) input {
		return edited(pingone, "detail/result/description", "Updated User dave@example.com",
			"detail/resources/0/"+member, value)
	}
	const state = "cloudLifecycleState"
	for name, test := range map[string]struct {
		event input
		want  string // the kind, and what the state was and became; "" for nothing
	}{
		"SailPoint":                    {changed(state, "active", "Leaver"), "account-disabled active > Leaver"},
		"SailPoint, another name":      {changed("employment_status", "A", "T"), "account-disabled A > T"},
		"SailPoint, back":              {changed(state, "leaver", "active"), "account-enabled leaver > active"},
		"SailPoint, hidden":            {changed(state, "active", nil), "account-disabled active > cloudLifecycleState?"},
		"SailPoint, the same":          {changed(state, "active", "ACTIVE"), ""},
		"SailPoint, another attribute": {changed("department", "Sales", "Leaver"), ""},

		"Okta":                    {hook("employmentStatus", "active", "gone"), "account-disabled active > gone"},
		"Okta, back":              {hook("userStatus", "leaver", "Active"), "account-enabled leaver > Active"},
		"Okta, another attribute": {hook("nickName", "Al", "terminated"), ""},

		"OneLogin":           {edited(onelogin), "account-disabled  > Garden leave"},
		"OneLogin, a number": {edited(onelogin, "detail/user_status", 2), "account-disabled  > suspended"},
		"OneLogin, back": {edited(onelogin, "detail/user_status", 1, "detail/previous_user_status", 2),
			"account-enabled suspended > active"},
		"OneLogin, a sign-in": {edited(onelogin, "detail/event_type_id", 5), ""},

		"PingOne":              {user("lifecycle", object{"status": "OFFBOARDED"}), "account-disabled  > OFFBOARDED"},
		"PingOne, the account": {user("account", object{"status": "LOCKED"}), "account-disabled  > LOCKED"},
		"PingOne, fine":        {user("lifecycle", object{"status": "ACCOUNT_OK"}), ""},
		"PingOne, hidden":      {edited(pingone), "account-disabled  > enabled?"},
		"PingOne, disabled":    {edited(pingone, "detail/resources/0/enabled", false), "account-disabled"},
		"PingOne, enabled":     {edited(pingone, "detail/resources/0/enabled", true), "account-enabled"},
		"PingOne, another":     {user("nickname", "Dave"), ""},
	} {
		if got := stateOf(t, test.event.event(t)); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// stateOf returns the kind of an event and the change of state, "" where it asks for nothing.
func stateOf(t *testing.T, raw []byte) string {
	t.Helper()
	signals, err := signal.Parse(raw)
	switch {
	case errors.Is(err, signal.ErrUnsupported):
		return ""
	case err != nil || len(signals) != 1 || signals[0].Subject.IsNobody():
		t.Errorf("%+v, %v", signals, err)
		return ""
	case signals[0].State == nil:
		return string(signals[0].Kind)
	}
	to := signals[0].State.To
	if to == "" {
		to = signals[0].State.Of + "?"
	}
	return string(signals[0].Kind) + " " + signals[0].State.From + " > " + to
}

// TestHooksAreOktasEvents: a post to an event hook has the events of the System Log, and the same issuer.
func TestHooksAreOktasEvents(t *testing.T) {
	signals, err := signal.Parse(event(t, "okta/hook-user-deactivate.json"))
	want, _ := signal.Parse(event(t, "okta/user-deactivate.json"))
	if err != nil || len(signals) != 1 || signals[0].Kind != want[0].Kind {
		t.Fatalf("%+v, %v", signals, err)
	}
	if diff := cmp.Diff(want[0].Subject, signals[0].Subject); diff != "" {
		t.Error(diff)
	}
	if signals[0].Subject.Names[0].Issuer != (identity.Issuer{Provider: "okta", Within: "example"}) {
		t.Errorf("%+v", signals[0].Subject.Names)
	}
	_, err = signal.Parse(event(t, "okta/hook-user-deactivate.json", "detail/data/events", []any{
		object{"eventType": "user.session.start"}, object{"eventType": "user.lifecycle.suspend"},
	}))
	if err == nil || !strings.HasPrefix(err.Error(), "detail.data.events[1].outcome.result: missing") {
		t.Error(err)
	}
	_, err = signal.Parse(event(t, "okta/hook-user-deactivate.json", "detail/data/events", []any{}))
	if err == nil || !strings.HasPrefix(err.Error(), "detail.data.events: missing or empty") {
		t.Error(err)
	}
}

// TestWhoseAccountItIs: SailPoint makes up an identity for an account that is no known person's.
func TestWhoseAccountItIs(t *testing.T) {
	const file = "sailpoint/vpn-account-deleted.json"
	dave := people("dave@example.com", "dave")
	dave.IDs = []string{"2c9180a46faadee4016fb4e018c20639"}
	checkSubjects(t, []subjectTest{
		{"a person's", edited(file), []signal.Subject{dave}},
		{"nothing says so", edited(file, "detail/account/correlated", absent), []signal.Subject{dave}},
		{"made up", edited(file, "detail/account/correlated", false), []signal.Subject{{}}},
		{"a machine's", edited(file, "detail/account/isMachine", true), []signal.Subject{{}}},
		{"the older form", edited(file, "detail-type", "idn:source-account-deleted", "detail", object{
			"uuid": "u", "nativeIdentifier": "E009", "sourceName": "AWS Client VPN", "identityId": "i1",
			"identityName": "dave", "attributes": object{"uid": "E009", "email": "other@example.com"},
		}), []signal.Subject{{IDs: []string{"i1"}}}},
	})
	checkField(t, []fieldTest{
		{"a machine identity", edited(file, "detail-type", "idn:machine-identity-deleted", "detail", object{
			"eventType": "MACHINE_IDENTITY_DELETED"}), "", "", "does not affect"},
		{"a new password", edited("sailpoint/vpn-entitlement-removed.json", "detail/entitlementChanges", nil), "", "",
			"neither"},
	})
}
