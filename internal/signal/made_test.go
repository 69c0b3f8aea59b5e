package signal_test

import (
	"fmt"
	"strings"
	"testing"

	"clientvpn-responder/internal/signal"
)

// made returns an event with the event type of a row, made from one of the provider's files in events/.
func made(t *testing.T, r signal.EventType) []byte {
	t.Helper()
	make, ok := makers[r.Source]
	if !ok {
		t.Fatalf("no event of %s is made here", r.Source)
	}
	word, value, _ := strings.Cut(r.Type, ": ")
	return make(r.Type, word, value).event(t)
}

// makers make an event of a type, by source. Type is the whole type; word and value are its parts around ": ".
var makers = map[string]func(eventType, word, value string) input{
	"aws.guardduty":              func(eventType, _, _ string) input { return edited(iamUser, "detail-type", eventType) },
	"aws.securityhub":            makeSecurityHub,
	"aws.partner/okta.com/":      makeOkta("aws.partner/okta.com/acme"),
	"custom.okta":                makeOkta("custom.okta"),
	"custom.entra":               makeEntra("custom.entra"),
	"custom.microsoftgraph":      makeEntra("custom.microsoftgraph"),
	"aws.partner/auth0.com/":     makeAuth0,
	"aws.partner/onelogin.com/":  makeOneLogin,
	"aws.partner/sailpoint.com/": makeSailPoint,
	"aws.sso":                    makeCall("aws.sso"),
	"aws.sso-directory":          makeCall("aws.sso-directory"),
	"aws.identitystore-scim":     makeCall("aws.identitystore-scim"),
	"aws.identitystore":          makeCall("aws.identitystore"),
	"aws.iam":                    makeCall("aws.iam"),
	"aws.ds-data":                makeCall("aws.ds-data"),
	"aws.cognito-idp":            makeCall("aws.cognito-idp"),
	"custom.googleworkspace": func(eventType, _, _ string) input {
		return edited("google-workspace/suspend-user.json", "detail/events", []any{object{"name": eventType}})
	},
	"custom.jumpcloud": makeJumpCloud,
	"custom.pingone":   makePingOne,
	"custom.duo": func(_, word, value string) input {
		action, _, _ := strings.Cut(word, " ")
		return edited("duo/user-disabled.json", "detail/action", action,
			"detail/description", fmt.Sprintf(`{"status": %q}`, value))
	},
	"custom.cyberark": func(eventType, _, _ string) input {
		return edited("cyberark/user-deleted.json", "detail/action", eventType)
	},
	"custom.ssf": makeSET,
	"clientvpn-responder.sweep": func(eventType, _, _ string) input {
		return edited("sweep/still-connected.json", "detail-type", eventType)
	},
	"clientvpn-responder": func(eventType, _, _ string) input {
		if strings.HasSuffix(eventType, " Held") {
			return edited("custom/reinstate.json", "detail-type", eventType, "detail/source", "okta")
		}
		return edited("custom/reinstate.json", "detail-type", eventType)
	},
}

func makeSecurityHub(eventType, _, _ string) input {
	if eventType == "Findings Imported V2" {
		return edited("securityhub/v2-guardduty-session.json")
	}
	return edited("securityhub/guardduty-iam-user.json", "detail-type", eventType)
}

func makeOkta(source string) func(eventType, word, value string) input {
	return func(_, word, value string) input {
		eventType, state, _ := strings.Cut(word, " ")
		user := object{"type": "User", "id": "00u1", "alternateId": "alice@example.com"}
		if state != "" {
			user["changeDetails"] = object{"from": object{"status": "x"}, "to": object{"status": orLeaver(value)}}
		}
		return edited(okta, "source", source, "detail/eventType", eventType,
			"detail/actor", object{"id": "00uhelen", "type": "User", "alternateId": "helpdesk@example.com"},
			"detail/target", []any{
				user,
				object{"type": "PolicyAction", "displayName": "TERMINATE_SESSION"},
				object{"type": "UserGroup", "id": "00g1", "displayName": "VPN users"},
				object{"type": "AppInstance", "id": "0oa1", "displayName": "VPN"},
			},
			"detail/debugContext", object{"debugData": object{"risk": "{level=HIGH, reasons=New Device}"}})
	}
}

// orLeaver returns the state of a row, or a word of the customer's.
func orLeaver(state string) string {
	if state == "" {
		return "leaver"
	}
	return state
}

func makeOneLogin(_, word, value string) input {
	const file = "onelogin/user-deactivated.json"
	if word == "state" {
		return edited(file, "detail/event_type_id", 14, "detail/user_status", orLeaver(value))
	}
	return edited(file, "detail/event_type_id", word)
}

func makePingOne(eventType, word, value string) input {
	action, change, _ := strings.Cut(word, " ")
	user := object{"type": "USER", "id": "u1", "name": "dave@example.com"}
	description := "Updated nickname for User dave@example.com"
	switch change {
	case "enabled":
		description = "Updated enabled for User dave@example.com"
		if value != "" {
			user["enabled"] = value == "true"
		}
	case "state":
		user["status"] = "leaver"
	}
	return edited("pingone/user-deleted.json", "detail/action/type", action, "detail/result/description", description,
		"detail/resources", []any{user})
}

func makeEntra(source string) func(eventType, word, value string) input {
	return func(eventType, word, value string) input {
		return edited("entra/disable-account.json", append([]any{"source", source}, entraChanges(eventType, word,
			value)...)...)
	}
}

func entraChanges(meant, word, value string) []any {
	const properties = "detail/properties/"
	risky := func(state, level string) []any {
		return []any{"detail/category", "RiskyUsers", "detail/properties",
			object{"riskState": state, "riskLevel": level, "userPrincipalName": "a@example.com"}}
	}
	switch {
	case word == "Update user AccountEnabled":
		old := map[string]string{"true": "[false]", "false": "[true]"}[value]
		changed := object{"displayName": "AccountEnabled", "oldValue": old, "newValue": "[" + value + "]"}
		return []any{properties + "activityDisplayName", "Update user", properties + "targetResources", []any{
			object{"type": "User", "id": "u1", "modifiedProperties": []any{changed}},
		}}
	case strings.HasSuffix(meant, " by the user"):
		return []any{properties + "activityDisplayName", strings.TrimSuffix(meant, " by the user"),
			properties + "initiatedBy", object{"user": object{"id": entraOID}}}
	case meant == "Update user":
		return []any{properties + "activityDisplayName", meant,
			properties + "targetResources", []any{object{"type": "User", "id": "u1"}}}
	case meant == "service principal":
		return []any{"detail", object{"category": "RiskyServicePrincipals"}}
	case meant == "metric":
		return []any{"detail", object{"metricName": "IncomingRequests"}}
	case strings.HasPrefix(meant, "lifecycle "):
		return []any{"detail", object{"value": []any{object{"lifecycleEvent": strings.TrimPrefix(meant, "lifecycle ")}}}}
	case strings.HasPrefix(meant, "Microsoft.EventGrid."):
		return []any{"detail", object{"eventType": meant}}
	case strings.HasPrefix(meant, "user delta"):
		user := object{"@odata.type": "#microsoft.graph.user", "id": "u1"}
		if word == "user delta accountEnabled" {
			user["accountEnabled"] = value == "true"
		}
		if meant == "user delta @removed" {
			user["@removed"] = object{"reason": "changed"}
		}
		return []any{"detail", user}
	case strings.HasPrefix(meant, "group delta"):
		member := object{"@odata.type": "#microsoft.graph.user", "id": "u1"}
		if meant == "group delta member @removed" {
			member["@removed"] = object{"reason": "deleted"}
		}
		return []any{"detail", object{"@odata.type": "#microsoft.graph.group", "id": "g1", "members@delta": []any{member}}}
	case meant == "riskState":
		return risky("remediated", "high")
	case meant == "riskState atRisk, riskLevel high":
		return risky("atRisk", "high")
	case meant == "riskState confirmedCompromised":
		return risky("confirmedCompromised", "high")
	case strings.HasPrefix(meant, "Microsoft.Graph.User"):
		change := strings.ToLower(strings.TrimPrefix(meant, "Microsoft.Graph.User"))
		return []any{"detail", object{"type": meant, "data": object{"changeType": change, "resource": "Users/u1"}}}
	}
	return []any{properties + "activityDisplayName", meant}
}

func makeAuth0(eventType, word, value string) input {
	const request = "detail/data/details/request/"
	scim := []any{"detail/data/type", "sscim", request + "path", "/scim/v2/connections/con_1/Users/u1"}
	switch {
	case word == "sapi blocked":
		return edited("auth0/user-blocked.json", request+"body/blocked", value == "true")
	case eventType == "sapi delete user":
		return edited("auth0/user-blocked.json", request+"method", "delete")
	case eventType == "sapi revoke-access":
		return edited("auth0/user-blocked.json", request+"method", "post",
			request+"path", "/api/v2/users/u1/revoke-access", request+"body", object{})
	case strings.HasPrefix(eventType, "sapi delete "):
		return edited("auth0/user-blocked.json", request+"method", "delete",
			request+"path", "/api/v2/users/u1/"+strings.TrimPrefix(eventType, "sapi delete "))
	case word == "sscim active":
		return edited("auth0/user-blocked.json", append(scim, request+"body", object{"Operations": []any{
			object{"op": "Replace", "path": "active", "value": strings.ToUpper(value[:1]) + value[1:]},
		}})...)
	case eventType == "sscim delete user":
		return edited("auth0/user-blocked.json", append(scim, request+"method", "DELETE")...)
	case eventType == "sapi":
		return edited("auth0/profile-changed.json")
	case word == "user.updated blocked":
		return edited("auth0/stream-user-deleted.json", "detail/type", "user.updated",
			"detail/data/object/blocked", value == "true",
			"detail/data/previous_object", object{"user_id": "u", "blocked": value != "true"})
	case strings.HasPrefix(eventType, "user."):
		return edited("auth0/stream-user-deleted.json", "detail/type", eventType)
	}
	return edited("auth0/user-deleted.json", "detail/data/type", eventType)
}

func makeSailPoint(eventType, word, value string) input {
	value = orLeaver(value)
	switch {
	case word == "identity-attributes-changed cloudLifecycleState":
		return edited("sailpoint/leaver.json", "detail/changes", []any{
			object{"attribute": "cloudLifecycleState", "oldValue": "inactive", "newValue": value},
		})
	case eventType == "identity-attributes-changed":
		return edited("sailpoint/department-changed.json")
	case eventType == "account-updated":
		return edited("sailpoint/vpn-entitlement-removed.json")
	case eventType == "account":
		return edited("sailpoint/leaver.json", "detail/account", object{"nativeIdentity": "dave"})
	}
	return edited("sailpoint/leaver.json", "detail-type", eventType)
}

func makeCall(source string) func(eventType, word, value string) input {
	return func(eventType, _, _ string) input {
		service, call, isCall := strings.Cut(eventType, " ")
		if !isCall || strings.ToUpper(service[:1]) == service[:1] {
			return edited("identity-center/user-updated.json", "source", "aws.identitystore", "detail-type", eventType)
		}
		return edited("identity-center/disable-user.json",
			"source", source, "detail/eventSource", service+".amazonaws.com", "detail/eventName", call)
	}
}

func makeJumpCloud(_, word, value string) input {
	kind, _, _ := strings.Cut(word, " ")
	changes := []any{object{"field": "suspended", "from": value != "true", "to": value == "true"}}
	if strings.HasSuffix(word, " state") {
		from := map[string]string{"SUSPENDED": "ACTIVATED", "ACTIVATED": "SUSPENDED"}[value]
		changes = []any{object{"field": "state", "from": from, "to": value}}
	}
	if value == "" {
		changes = nil
	}
	return edited("jumpcloud/user-suspended.json", "detail/event_type", kind, "detail/changes", changes)
}

func makeSET(_, word, value string) input {
	word, _, _ = strings.Cut(word, " ")
	return edited(ssf, "detail/events", object{"https://schemas.openid.net/secevent/" + word: object{
		"change_type": "revoke", "current_status": "not-compliant", "current_level": "HIGH", "principal": "USER",
		"status": value,
	}})
}
