package signal_test

import (
	"fmt"
	"strings"
	"testing"

	"clientvpn-responder/internal/signal"
)

// made returns an event with the event type of a row, made from one of the provider's files in events/.
func made(t *testing.T, r signal.EventType) []byte {
	word, value, _ := strings.Cut(r.Type, ": ")
	switch r.Source {
	case "aws.guardduty":
		return event(t, iamUser, "detail-type", r.Type)
	case "aws.securityhub":
		if r.Type == "Findings Imported V2" {
			return event(t, "securityhub/v2-guardduty-session.json")
		}
		return event(t, "securityhub/guardduty-iam-user.json", "detail-type", r.Type)
	case "aws.partner/okta.com/":
		return event(t, okta, "detail/eventType", r.Type,
			"detail/target", []any{
				object{"type": "User", "alternateId": "alice@example.com"},
				object{"type": "PolicyAction", "displayName": "TERMINATE_SESSION"},
			},
			"detail/debugContext", object{"debugData": object{"risk": "{level=HIGH, reasons=New Device}"}})
	case "custom.entra", "custom.microsoftgraph":
		return event(t, "entra/disable-account.json", append([]any{"source", r.Source}, entraChanges(r.Type)...)...)
	case "aws.partner/auth0.com/":
		switch {
		case word == "sapi blocked":
			return event(t, "auth0/user-blocked.json", "detail/data/details/request/body/blocked", value == "true")
		case word == "sapi delete user":
			return event(t, "auth0/user-blocked.json", "detail/data/details/request/method", "delete")
		case word == "sscim active":
			return event(t, "auth0/user-blocked.json", "detail/data/type", "sscim", "detail/data/details/request/path", "/scim/v2/connections/con_1/Users/u1",
				"detail/data/details/request/body", object{"Operations": []any{object{"op": "Replace", "path": "active", "value": strings.ToUpper(value[:1]) + value[1:]}}})
		case word == "sscim delete user":
			return event(t, "auth0/user-blocked.json", "detail/data/type", "sscim", "detail/data/details/request/path", "/scim/v2/connections/con_1/Users/u1",
				"detail/data/details/request/method", "DELETE")
		case r.Type == "sapi":
			return event(t, "auth0/profile-changed.json")
		case word == "user.updated blocked":
			return event(t, "auth0/stream-user-deleted.json", "detail/type", "user.updated", "detail/data/object/blocked", value == "true",
				"detail/data/previous_object", object{"user_id": "u", "blocked": value != "true"})
		case strings.HasPrefix(r.Type, "user."):
			return event(t, "auth0/stream-user-deleted.json", "detail/type", r.Type)
		}
		return event(t, "auth0/user-deleted.json", "detail/data/type", r.Type)
	case "aws.partner/onelogin.com/":
		return event(t, "onelogin/user-deactivated.json", "detail/event_type_id", r.Type)
	case "aws.partner/sailpoint.com/":
		switch {
		case word == "identity-attributes-changed cloudLifecycleState":
			return event(
				t, "sailpoint/leaver.json", "detail/changes",
				[]any{object{"attribute": "cloudLifecycleState", "oldValue": "inactive", "newValue": value}},
			)
		case r.Type == "identity-attributes-changed":
			return event(t, "sailpoint/department-changed.json")
		case r.Type == "account":
			return event(t, "sailpoint/leaver.json", "detail/account", object{"nativeIdentity": "dave"})
		}
		return event(t, "sailpoint/leaver.json", "detail-type", r.Type)
	case "aws.sso-directory", "aws.identitystore-scim", "aws.identitystore", "aws.iam", "aws.ds-data", "aws.cognito-idp":
		service, call, isCall := strings.Cut(r.Type, " ")
		if !isCall || strings.ToUpper(service[:1]) == service[:1] {
			return event(t, "identity-center/user-updated.json", "source", "aws.identitystore", "detail-type", r.Type)
		}
		return event(
			t, "identity-center/disable-user.json", "source", r.Source, "detail/eventSource", service+".amazonaws.com",
			"detail/eventName", call,
		)
	case "custom.googleworkspace":
		return event(t, "google-workspace/suspend-user.json", "detail/events", []any{object{"name": r.Type}})
	case "custom.jumpcloud":
		kind, _, _ := strings.Cut(word, " ")
		changes := []any{object{"field": "suspended", "from": value != "true", "to": value == "true"}}
		if strings.HasSuffix(word, " state") {
			changes = []any{
				object{
					"field": "state",
					"from":  map[string]string{"SUSPENDED": "ACTIVATED", "ACTIVATED": "SUSPENDED"}[value], "to": value,
				},
			}
		}
		if value == "" {
			changes = nil
		}
		return event(t, "jumpcloud/user-suspended.json", "detail/event_type", kind, "detail/changes", changes)
	case "custom.pingone":
		return event(t, "pingone/user-deleted.json", "detail/action/type", r.Type)
	case "custom.duo":
		action, _, _ := strings.Cut(word, " ")
		return event(
			t, "duo/user-disabled.json", "detail/action", action, "detail/description",
			fmt.Sprintf(`{"status": %q}`, value),
		)
	case "custom.cyberark":
		return event(t, "cyberark/user-deleted.json", "detail/action", r.Type)
	case "custom.ssf":
		return event(t, "ssf/account-disabled.json", "detail/events", object{"https://schemas.openid.net/secevent/" + r.Type: object{
			"change_type": "revoke", "current_status": "not-compliant", "current_level": "HIGH", "principal": "USER",
		}})
	case "clientvpn-responder":
		if strings.HasSuffix(r.Type, " Held") {
			return event(t, "custom/reinstate.json", "detail-type", r.Type, "detail/source", "okta")
		}
		return event(t, "custom/reinstate.json", "detail-type", r.Type)
	}
	t.Fatalf("no event of %s is made here", r.Source)
	return nil
}

func entraChanges(meant string) []any {
	properties := "detail/properties/"
	word, value, _ := strings.Cut(meant, ": ")
	switch {
	case word == "Update user AccountEnabled":
		return []any{properties + "activityDisplayName", "Update user", properties + "targetResources", []any{object{"type": "User", "id": "u1",
			"modifiedProperties": []any{object{"displayName": "AccountEnabled", "oldValue": map[string]string{"true": "[false]", "false": "[true]"}[value], "newValue": "[" + value + "]"}}}}}
	case strings.HasSuffix(meant, " by the user"):
		return []any{
			properties + "activityDisplayName", strings.TrimSuffix(meant, " by the user"), properties + "initiatedBy",
			object{"user": object{"id": "6f0c2f1e-8d7b-4a57-9c36-5b1f5d9a2e10"}},
		}
	case meant == "Update user":
		return []any{
			properties + "activityDisplayName", meant, properties + "targetResources",
			[]any{object{"type": "User", "id": "u1"}},
		}
	case meant == "riskState":
		return []any{
			"detail/category", "RiskyUsers", "detail/properties",
			object{"riskState": "remediated", "riskLevel": "high"},
		}
	case meant == "riskState atRisk, riskLevel high":
		return []any{
			"detail/category", "RiskyUsers", "detail/properties",
			object{"riskState": "atRisk", "riskLevel": "high", "userPrincipalName": "a@example.com"},
		}
	case meant == "riskState confirmedCompromised":
		return []any{
			"detail/category", "RiskyUsers", "detail/properties",
			object{"riskState": "confirmedCompromised", "userPrincipalName": "a@example.com"},
		}
	case strings.HasPrefix(meant, "Microsoft.Graph.User"):
		return []any{
			"detail",
			object{
				"type": meant,
				"data": object{
					"changeType": strings.ToLower(strings.TrimPrefix(meant, "Microsoft.Graph.User")),
					"resource":   "Users/u1",
				},
			},
		}
	}
	return []any{properties + "activityDisplayName", meant}
}
