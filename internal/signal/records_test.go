package signal_test

import (
	"errors"
	"fmt"
	"testing"

	"clientvpn-responder/internal/signal"
)

// disabled is a record of Entra's audit log.
func disabled(name string) object {
	return object{"category": "AuditLogs", "properties": object{
		"activityDisplayName": "Disable account", "result": "success",
		"targetResources": []any{object{"type": "User", "userPrincipalName": name}},
	}}
}

// TestOneUnreadableRecordLeavesTheOthers: the good records are answered, and the error names the other one.
func TestOneUnreadableRecordLeavesTheOthers(t *testing.T) {
	broken := disabled("bob@example.com")
	broken["properties"].(object)["targetResources"] = `[{"type": "User"}]`
	metric := object{"metricName": "IncomingRequests", "count": 5, "time": "2026-11-20T09:25:00.0000000Z"}
	signals, err := signal.Parse(event(t, "entra/disable-account.json", "detail", object{"records": []any{
		disabled("alice@example.com"), metric, disabled("carol@example.com"), broken, disabled("dave@example.com"),
	}}))
	var unreadable *signal.UnreadableError
	if !errors.As(err, &unreadable) || unreadable.Field != "detail.records[3].properties.targetResources" {
		t.Errorf("%v", err)
	}
	if errors.Is(err, signal.ErrUnsupported) || len(signals) != 3 || signals[2].Subject.String() != "dave@example.com" {
		t.Errorf("%+v, %v", signals, err)
	}
	for _, s := range signals {
		if s.ID == "" || s.Provider == "" {
			t.Errorf("incomplete: %+v", s)
		}
	}
}

// TestTooManyPeopleAreUnreadable: nobody disables so many people with one event.
func TestTooManyPeopleAreUnreadable(t *testing.T) {
	for _, people := range []int{100, 101} {
		var names, records, targets, actors []any
		for i := range people {
			name := fmt.Sprintf("user%d@example.com", i)
			names, records = append(names, name), append(records, disabled(name))
			targets = append(targets, object{"type": "User", "alternateId": name})
			actors = append(actors, object{"user": object{"name": fmt.Sprint("user", i), "type": "IAMUser"}})
		}
		for what, raw := range map[string][]byte{
			"custom": event(t, custom, "detail/username", absent, "detail/usernames", names),
			"Entra":  event(t, "entra/disable-account.json", "detail", object{"records": records}),
			"Okta":   event(t, okta, "detail/target", targets),
			"actors": event(t, sequence, "detail/service/detection/sequence/actors", actors),
		} {
			signals, err := signal.Parse(raw)
			var unreadable *signal.UnreadableError
			if people <= 100 && (err != nil || len(signals) != people) ||
				people > 100 && (!errors.As(err, &unreadable) || unreadable.Field != "detail" || signals != nil) {
				t.Errorf("%s, %d people: %d signals, %v", what, people, len(signals), err)
			}
		}
	}
}

// TestOnePersonMayLoseMuch: the groups of one person count as one person's.
func TestOnePersonMayLoseMuch(t *testing.T) {
	for groups, fine := range map[int]bool{150: true, 1001: false} {
		var removed []any
		for i := range groups {
			removed = append(removed, object{"id": fmt.Sprint("g", i), "name": fmt.Sprint("Group ", i)})
		}
		signals, err := signal.Parse(event(t, "sailpoint/vpn-entitlement-removed.json", "detail/entitlementChanges", []any{
			object{"removed": removed}}))
		if (err == nil) != fine || fine && len(signals) != groups {
			t.Errorf("%d groups: %d signals, %v", groups, len(signals), err)
		}
	}
}

// TestErrorsSayWhatHelps: by the event's own path, with no type of the program.
func TestErrorsSayWhatHelps(t *testing.T) {
	const as = "; forward the event as the provider sends it"
	for want, raw := range map[string][]byte{
		"detail.properties.targetResources: must be an array, not a string with JSON in it; forward it decoded": event(t,
			"entra/disable-account.json", "detail/properties/targetResources", `[{"type":"User"}]`),
		"detail.targetResources: must be an array, not a string" + as: event(t,
			"entra/disable-account.json", "detail", object{"targetResources": "alice",
				"activityDisplayName": "Disable account"}),
		"detail.target[1].alternateId: must be a string, not an object" + as: event(t, okta, "detail/target", []any{
			object{"type": "User", "alternateId": "a"}, object{"type": "User", "alternateId": object{}}}),
		"detail.severity: must be a number, not the string \"high\"" + as: event(
			t, iamUser, "detail/severity", "high",
		),
		"detail.service.archived: must be true or false, not a number" + as: event(
			t, iamUser, "detail/service/archived", 7,
		),
		"detail.findings[0].Types[1]: must be a string, not an array" + as: event(t, "securityhub/guardduty-iam-user.json",
			"detail/findings/0/Types", []any{"TTPs/Discovery", []any{}}),
		"detail.data.details.request: must be an object, not an array" + as: event(t, "auth0/user-blocked.json",
			"detail/data/details/request", []any{}),
	} {
		if _, err := signal.Parse(raw); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestUnsupportedSaysOfWhat: provider and type are there to be counted.
func TestUnsupportedSaysOfWhat(t *testing.T) {
	for _, test := range []struct {
		event          []byte
		provider, kind string
	}{
		{event(t, "okta/session-end.json"), "okta", "user.session.end"},
		{event(t, okta, "detail/eventType", "user.made.up"), "okta", "user.made.up"},
		{event(t, okta, "detail/outcome/result", "FAILURE"), "okta", "user.lifecycle.deactivate"},
		{event(t, iamUser, "source", "aws.inspector2"), "", "aws.inspector2"},
		{event(t, "securityhub/guardduty-resolved.json"), "guardduty", "Security Hub Findings - Imported"},
	} {
		_, err := signal.Parse(test.event)
		var unsupported *signal.UnsupportedError
		if !errors.As(err, &unsupported) || unsupported.Provider != test.provider || unsupported.Type != test.kind {
			t.Errorf("%+v", err)
		}
	}
}

// TestActivityByPubSubIsTheSame: as Cloud Logging and Pub/Sub send it, with its time and its id.
func TestActivityByPubSubIsTheSame(t *testing.T) {
	const file = "google-workspace/pubsub-suspend-user.json"
	signals, err := signal.Parse(event(t, file))
	if err != nil || len(signals) != 1 || signals[0].Subject.String() != "alice@example.com" ||
		signals[0].Kind != signal.AccountDisabled || signals[0].ID != "-7654321098765432109" ||
		signals[0].Time.Nanosecond() != 123456000 {
		t.Errorf("%+v, %v", signals, err)
	}
	for data, field := range map[string]string{
		"%": "detail.message.data", "e30=": "detail.message.data", "W10=": "detail.message.data",
		"eyJwcm90b1BheWxvYWQiOnt9fQ==": "detail.events",
	} {
		var unreadable *signal.UnreadableError
		if _, err := signal.Parse(event(t, file, "detail/message/data", data)); !errors.As(err, &unreadable) ||
			unreadable.Field != field {
			t.Errorf("%s: %v", data, err)
		}
	}
}
