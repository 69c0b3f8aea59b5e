package signal_test

import (
	"errors"
	"strings"
	"testing"

	"clientvpn-responder/internal/signal"
)

// TestUnreadableNamesTheField: an event that is wanted and cannot be read is an error, never silence.
func TestUnreadableNamesTheField(t *testing.T) {
	for _, test := range unreadable {
		signals, err := signal.Parse(test.event.event(t))
		var unreadable *signal.UnreadableError
		if !errors.As(err, &unreadable) || unreadable.Field != test.field || len(unreadable.Problem) < 5 {
			t.Errorf("%s: %+v, %v", test.field, signals, err)
		}
	}
}

var unreadable = []struct {
	field string
	event input
}{
	{"event", literal("")},
	{"event", literal("{")},
	{"event", literal(`"text"`)},
	{"event", literal(`[]`)},
	{"source", literal(`{}`)},
	{"source", edited(iamUser, "source", []any{"aws.guardduty"})},
	{"detail-type", edited(iamUser, "detail-type", absent)},
	{"detail", edited(iamUser, "detail", absent)},
	{"detail", edited(iamUser, "detail", []any{})},
	{"detail", edited(iamUser, "detail", nil)},
	{"detail.id", edited(iamUser, "detail/id", absent)},
	{"detail.type", edited(iamUser, "detail/type", "")},
	{"detail.severity", edited(iamUser, "detail/severity", absent)},
	{"detail.severity", edited(iamUser, "detail/severity", "high")},
	{"detail.severity", edited(iamUser, "detail/severity", "Infinity")},
	{"detail.severity", edited(iamUser, "detail/severity", "0x1p3")},
	{"detail.severity", edited(iamUser, "detail/severity", 10.5)},
	{"detail.severity", edited(iamUser, "detail/severity", -1)},
	{"detail.resource.accessKeyDetails.userName", edited(iamUser, key+"userName", map[string]any{})},
	{"detail.resource", edited(iamUser, "detail/resource", "AccessKey")},
	{"detail.service.archived", edited(iamUser, "detail/service/archived", "perhaps")},
	{"detail.eventType", edited(okta, "detail/eventType", absent)},
	{"detail.outcome.result", edited(okta, "detail/outcome", absent)},
	{"detail.uuid", edited(okta, "detail/uuid", nil)},
	{"detail.target", edited(okta, "detail/target", "alice@example.com")},
	{
		"detail.target[0].alternateId",
		edited(okta, "detail/target", []any{map[string]any{"type": "User", "alternateId": []any{"a"}}}),
	},
	{"detail.reason", edited("custom/without-reason.json")},
	{"detail.reason", edited(custom, "detail/reason", "  ")},
	{"detail.reason", edited(custom, "detail/reason", map[string]any{})},
	{"id", edited(custom, "id", absent)},
	{"detail", edited(custom, "detail/username", absent)},
	{"detail.username", edited(custom, "detail/username", "")},
	{"detail.username", edited(custom, "detail/username", "N/A")},
	{"detail.username", edited(custom, "detail/username", "*")},
	{"detail.username", edited(custom, "detail/username", "a\nb")},
	{"detail.username", edited(custom, "detail/username", strings.Repeat("a", 1025))},
	{"detail.username", edited(custom, "detail/username", []any{"a"})},
	{"detail.usernames", edited(custom, "detail/usernames", []any{"a"})},
	{"detail.usernames", edited(custom, "detail/username", absent, "detail/usernames", "a")},
	{"detail.usernames[1]", edited(custom, "detail/username", absent, "detail/usernames", []any{"a", ""})},
	{"detail", edited(custom, "detail/connection_id", "cvpn-connection-1")},
	{"detail", edited(custom, "detail/client_ip", "10.0.0.1")},
	{"detail.username", edited(custom, "detail/userName", "b")},
	{"detail.connection_id", edited(custom, "detail/username", absent, "detail/connection_id", "cvpn-endpoint-1")},
	{"detail.client_ip", edited(custom, "detail/username", absent, "detail/client_ip", "10.0.0.0/24")},
	{"detail.seen_at", edited(custom, "detail/username", absent, "detail/client_ip", "10.0.0.1")},
	{
		"detail.seen_at",
		edited(custom, "detail/username", absent, "detail/client_ip", "10.0.0.1", "detail/seen_at", "yesterday"),
	},
	{"detail.kind", edited(custom, "detail/kind", "fired")},
	{"detail.effective_at", edited(custom, "detail/effective_at", "tomorrow")},
	{"detail.effective_at", edited(custom, "detail/effectiveAt", "2026-12-01")},
	{"detail.effective_at", edited(custom, "detail/effective_at", "")},
	{"detail.effectiveDate", edited(custom, "detail/effectiveDate", "2099-12-01T00:00:00Z")},
	{"detail.termination_date", edited(custom, "detail/termination_date", "2099-12-01")},
	{"detail.dry_run", edited(custom, "detail/dry-run", "yes")},
	{"detail.dry_run", edited("custom/reinstate.json", "detail/dry_run", true)},
	{"detail.last_day", edited(custom, "detail/last_day", "2099-12-01")},
	{"detail.leave_date", edited(custom, "detail/leave_date", "2099-12-01")},
	{"detail.terminate_at", edited(custom, "detail/terminate_at", "2099-12-01")},
	{"detail.scheduled_for", edited(custom, "detail/scheduled_for", "2099-12-01")},
	{"detail.when", edited(custom, "detail/when", "later")},
	{
		"detail.findings[0].severity",
		edited(
			"securityhub/v2-guardduty-session.json", "detail/findings/0/severity", "Dire",
			"detail/findings/0/severity_id", absent,
		),
	},
	{"detail.connection_id", edited(custom, "detail/username", absent, "detail/connection_id", "cvpn-connection-*")},
	{
		"detail.connection_id",
		edited(custom, "detail/username", absent, "detail/connection_id", "cvpn-connection-0a,cvpn-connection-0b"),
	},
	{"detail.connection_id", edited(custom, "detail/username", absent, "detail/connection_id", "x-cvpn-connection-0a")},
	{
		"detail",
		edited(
			custom, "detail/username", absent, "detail/connection_id", "cvpn-connection-0a", "detail/client_ip",
			"10.0.0.1",
		),
	},
	{"detail.mode", edited(custom, "detail/mode", "dry-run")},
	{"detail.date", edited(custom, "detail/date", "2099-12-01")},
	{"detail.not_before", edited(custom, "detail/not_before", "2099-12-01T00:00:00Z")},
	{"detail.client_ip", edited(custom, "detail/username", absent, "detail/client_ip", "fe80::1%eth0")},
	{"detail.reason", edited("custom/reinstate.json", "detail/reason", absent)},
	{"detail.kind", edited("custom/reinstate.json", "detail/kind", "account-disabled")},
	{"detail", edited("custom/reinstate.json", "detail/username", absent,
		"detail/client_ip", "10.0.0.1", "detail/seen_at", "2026-11-20T10:00:00Z")},
	{"detail.findings", edited("securityhub/guardduty-iam-user.json", "detail/findings", []any{})},
	{"detail.findings[0].Id", edited("securityhub/guardduty-iam-user.json", "detail/findings/0/Id", absent)},
	{"detail.findings[0].Severity", edited("securityhub/guardduty-iam-user.json", "detail/findings/0/Severity", object{})},
	{
		"detail.findings[0].Severity",
		edited("securityhub/guardduty-iam-user.json", "detail/findings/0/Severity/Product", 11),
	},
	{
		"detail.findings[0].severity",
		edited(
			"securityhub/v2-guardduty-session.json", "detail/findings/0/severity", absent,
			"detail/findings/0/severity_id", absent,
		),
	},
	{
		"detail.findings[0].finding_info.uid",
		edited("securityhub/v2-guardduty-session.json", "detail/findings/0/finding_info", nil),
	},
	{
		"detail.activityDisplayName",
		edited("entra/disable-account.json", "detail/properties", object{}, "detail/operationName", absent),
	},
	{"detail.result", edited("entra/disable-account.json", "detail/properties/result", absent)},
	{"detail.data.type", edited("auth0/user-deleted.json", "detail/data/type", absent)},
	{"detail.event_type_id", edited("onelogin/user-deactivated.json", "detail/event_type_id", nil)},
	{"detail.eventName", edited("iam/delete-user.json", "detail/eventName", absent)},
	{"detail.events", edited("google-workspace/suspend-user.json", "detail/events", nil)},
	{"detail.events[0].name", edited("google-workspace/suspend-user.json", "detail/events/0/name", absent)},
	{"detail.event_type", edited("jumpcloud/user-suspended.json", "detail/event_type", absent)},
	{"detail.action.type", edited("pingone/user-deleted.json", "detail/action", nil)},
	{"detail.result.status", edited("pingone/user-deleted.json", "detail/result", absent)},
	{"detail.action", edited("duo/user-disabled.json", "detail/action", absent)},
	{"detail.action", edited("cyberark/user-deleted.json", "detail/action", absent)},
	{"detail.events", edited("ssf/account-disabled.json", "detail/events", object{})},
	{"id", edited("duo/user-disabled.json", "id", absent)}, // Duo's log has no id of its own
}

// TestDryRunSaysWhatItMustBe: a trial that cannot be read is refused, and the sender learns what to write.
func TestDryRunSaysWhatItMustBe(t *testing.T) {
	const want = "detail.dry_run: must be true or false, not the string \"true\""
	_, err := signal.Parse(edited(custom, "detail/dry_run", "true").event(t))
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}
