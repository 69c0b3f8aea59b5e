package signal_test

import (
	"errors"
	"testing"

	"clientvpn-responder/internal/signal"
)

// TestLookAlikesAskForNothing: each is one word away from an event that ends access.
func TestLookAlikesAskForNothing(t *testing.T) {
	for name, in := range lookAlikes {
		if signals, err := signal.Parse(in.event(t)); !errors.Is(err, signal.ErrUnsupported) {
			t.Errorf("%s: %+v, %v", name, signals, err)
		}
	}
}

var lookAlikes = map[string]input{
	"another detail-type of GuardDuty": edited("guardduty/malware-scan.json"),
	"another source":                   edited(iamUser, "source", "aws.inspector2"),
	"source one letter longer":         edited(iamUser, "source", "aws.guardduty2"),
	"custom source with a suffix":      edited(custom, "source", "clientvpn-responder.evil"),
	"ordinary logout":                  edited("okta/session-end.json"),
	"failed attempt":                   edited("okta/user-deactivate-failed.json"),
	"skipped":                          edited(okta, "detail/outcome/result", "SKIPPED"),
	"success in another case":          edited(okta, "detail/outcome/result", "success"),
	"allowed":                          edited(okta, "detail/outcome/result", "ALLOW"),
	"Okta, low risk": edited(
		"okta/user-risk-high.json", "detail/debugContext/debugData/risk", "{level=LOW, previousLevel=HIGH}",
	),
	"Okta, risk unknown": edited("okta/user-risk-high.json", "detail/debugContext", nil),
	"Okta, high before": edited(
		"okta/user-risk-high.json", "detail/debugContext/debugData",
		object{"previousRiskLevel": "HIGH", "riskLevel": "LOW"},
	),
	"Okta policy without an end": edited(okta, "detail/eventType", "policy.entity_risk.action"),
	"Entra, not done":            edited("entra/disable-account.json", "detail/properties/result", "failure"),
	"Entra, low risk": edited(
		"entra/confirmed-compromised.json", "detail/properties/riskState", "atRisk", "detail/properties/riskLevel",
		"low",
	),
	"Entra, deleted risky user": edited("entra/confirmed-compromised.json", "detail/properties/isDeleted", true),
	// Entra does it 30 days after the deletion. By then the name may be that of a new account.
	"Entra, deleted for good": edited(
		"entra/delete-user.json", "detail/properties/activityDisplayName", "Hard Delete user",
	),
	"Entra, a deleted group": edited("entra/graph-user-deleted.json", "detail/data/resource", "Groups/g1"),
	"Entra, still disabled": edited(
		"entra/disable-account.json",
		append([]any{"detail/properties/targetResources/0/modifiedProperties",
			[]any{object{"displayName": "AccountEnabled", "oldValue": "[false]",
				"newValue": "[false]"}}}, "detail/properties/activityDisplayName", "Update user")...,
	),
	"Auth0, refused": edited(
		"auth0/user-blocked.json", "detail/data/details/response/statusCode", 403,
	),
	"Auth0, a tenant member": edited(
		"auth0/user-blocked.json", "detail/data/details/request/path", "/api/v2/tenants/members/u1",
		"detail/data/details/request/method", "delete",
	),
	"Auth0, a user's devices": edited(
		"auth0/user-blocked.json", "detail/data/details/request/path", "/api/v2/users/u1/authenticators",
		"detail/data/details/request/method", "delete",
	),
	"Auth0, still blocked": edited(
		"auth0/stream-user-deleted.json", "detail/type", "user.updated", "detail/data/object/blocked", true,
		"detail/data/previous_object", object{"blocked": true},
	),
	"SCIM, another attribute": edited(
		"auth0/user-blocked.json", "detail/data/type", "sscim", "detail/data/details/request/path", "/scim/v2/Users/u1",
		"detail/data/details/request/body",
		object{"Operations": []any{object{"op": "replace", "path": "title", "value": false}}},
	),
	"SCIM put of an active user": edited(
		"identity-center/scim-deactivate.json", "detail/eventName", "PutUser", "detail/requestParameters/httpBody",
		object{"active": true},
	),
	"CloudTrail, only a message": edited("iam/delete-user.json", "detail/errorMessage", "denied"),
	"CloudTrail, service event": edited(
		"iam/delete-user.json", "detail-type", "AWS Service Event via CloudTrail",
	),
	"JumpCloud, failed": edited("jumpcloud/user-suspended.json", "detail/success", "false"),
	"PingOne, failed":   edited("pingone/user-deleted.json", "detail/result/status", "FAILED"),
	"Duo, broken and two statuses": edited(
		"duo/user-disabled.json", "detail/description", `{"status": "Disabled", "was": {"status": "Active"`,
	),
	"Okta, sessions not cleared": edited(
		okta, "detail/eventType", "user.session.clear", "detail/outcome/result", "FAILURE",
	),
	"Okta policy about a Terminator": edited(
		okta, "detail/eventType", "policy.entity_risk.action", "detail/target/0/displayName", "The Terminator",
	),
	"Okta rule that logs nobody out": edited(
		okta, "detail/eventType", "policy.entity_risk.action", "detail/target",
		[]any{
			object{"type": "Rule", "displayName": "No forced logout"},
			object{"type": "PolicyAction", "displayName": "RUN_WORKFLOW"},
		},
	),
	"Okta, from high to low": edited(
		"okta/user-risk-high.json", "detail/debugContext/debugData",
		object{"risk": "{previous={level=HIGH}, current={level=LOW}}", "fromRiskLevel": "HIGH"},
	),
	"Okta, something else is high": edited(
		"okta/user-risk-high.json", "detail/debugContext/debugData", object{"trust": "HIGH"},
	),
	"ASFF, somebody was told": edited(
		"securityhub/guardduty-iam-user.json", "detail/findings/0/Workflow/Status", "NOTIFIED",
	),
	"ASFF, an import that lies": edited(
		"securityhub/guardduty-iam-user.json", "detail/findings/0/ProductArn",
		"arn:aws:securityhub:eu-west-1:111122223333:product/111122223333/default",
	),
	"ASFF, another's product": edited(
		"securityhub/guardduty-iam-user.json", "detail/findings/0/ProductArn",
		"arn:aws:securityhub:eu-west-1::product/acme/guardduty",
	),
	"OCSF, suppressed, by its number": edited(
		"securityhub/v2-guardduty-session.json", "detail/findings/0/status", absent, "detail/findings/0/status_id", 3,
	),
	"OCSF, closed, by its number": edited(
		"securityhub/v2-guardduty-session.json", "detail/findings/0/activity_name", absent,
		"detail/findings/0/activity_id", 3,
	),
	"Entra, a risky sign-in": edited(
		"entra/confirmed-compromised.json", "detail/category", "SignInLogs", "detail/properties/activityDisplayName",
		"Sign-in activity",
	),
	"Entra, a deleted message": edited(
		"entra/graph-user-deleted.json", "detail/data/resource", "Users/u1/Messages/m1",
	),
	"Entra, something else off": edited(
		"entra/disable-account.json", "detail/properties/activityDisplayName", "Update user",
		"detail/properties/targetResources/0/modifiedProperties",
		[]any{object{"displayName": "LicenseAssigned", "oldValue": "[true]", "newValue": "[false]"}},
	),
	"Auth0, asked and not told": edited("auth0/user-blocked.json", "detail/data/details/request/method", "get"),
	"Auth0, blocked perhaps": edited(
		"auth0/user-blocked.json", "detail/data/details/request/body/blocked", "perhaps",
	),
	"SCIM, a removal": edited(
		"auth0/user-blocked.json", "detail/data/type", "sscim", "detail/data/details/request/path", "/scim/v2/Users/u1",
		"detail/data/details/request/body",
		object{"Operations": []any{object{"op": "remove", "path": "active", "value": false}}},
	),
	"SET, a compliant device": edited(
		"ssf/account-disabled.json", "detail/events",
		object{
			"https://schemas.openid.net/secevent/caep/event-type/device-compliance-change": object{
				"current_status": "compliant",
			},
		},
	),
	"JumpCloud, still suspended": edited(
		"jumpcloud/user-suspended.json", "detail/changes",
		[]any{object{"field": "suspended", "from": true, "to": true}},
	),
	"Duo, an administrator disabled": edited("duo/user-disabled.json", "detail/action", "admin_update"),
	"SailPoint, inactive department": edited(
		"sailpoint/leaver.json", "detail/changes",
		[]any{object{"attribute": "department", "oldValue": "active", "newValue": "inactive"}},
	),
	"SET, a logout": edited(
		"ssf/session-revoked.json",
		"detail/events/https:~1~1schemas.openid.net~1secevent~1caep~1event-type~1session-revoked/initiating_entity",
		"user",
	),
	"SET, a logout by its reason": edited(
		"ssf/ordinary-logout.json",
		"detail/events/https:~1~1schemas.openid.net~1secevent~1caep~1event-type~1session-revoked/initiating_entity",
		absent,
	),
	"SET, risk goes down": edited(
		"ssf/risk-high.json",
		"detail/events/https:~1~1schemas.openid.net~1secevent~1caep~1event-type~1risk-level-change/current_level",
		"LOW",
	),
	"SET, risk of a device": edited(
		"ssf/risk-high.json",
		"detail/events/https:~1~1schemas.openid.net~1secevent~1caep~1event-type~1risk-level-change/principal", "DEVICE",
	),
	"ASFF, archived": edited(
		"securityhub/guardduty-iam-user.json", "detail/findings/0/RecordState", "ARCHIVED",
	),
	"OCSF, suppressed": edited(
		"securityhub/v2-guardduty-session.json", "detail/findings/0/status", "Suppressed",
	),
	"OCSF, closed": edited(
		"securityhub/v2-guardduty-session.json", "detail/findings/0/activity_name", "Close",
	),
	"OCSF, another product": edited(
		"securityhub/v2-guardduty-session.json", "detail/findings/0/metadata/product",
		object{"name": "Inspector", "uid": "arn:aws:securityhub:eu-west-1::productv2/aws/inspector"},
	),
}
