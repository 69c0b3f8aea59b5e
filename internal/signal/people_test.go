package signal_test

import (
	"testing"

	"clientvpn-responder/internal/signal"
)

// TestWhomProvidersMean: every name of the person, none of the administrator.
func TestWhomProvidersMean(t *testing.T) {
	checkSubjects(t, whomProvidersMean)
	checkSubjects(t, whomDirectoriesMean)
	checkSubjects(t, whomTokensMean)
	checkSubjects(t, whomOurFormMeans)
}

var whomProvidersMean = []subjectTest{
	{
		"Okta target, not actor", edited(okta),
		[]signal.Subject{{Usernames: []string{"alice@example.com"}, IDs: []string{"00u1alice2EXAMPLE3d7"}}},
	},
	{
		"Okta login unknown", edited(okta, "detail/target/0/alternateId", "unknown"),
		[]signal.Subject{{IDs: []string{"00u1alice2EXAMPLE3d7"}}},
	},
	{"Okta without target", edited(okta, "detail/target", nil), []signal.Subject{{}}},
	{"Okta, target absent", edited(okta, "detail/target", absent), []signal.Subject{{}}},
	{"Okta, an application", edited(okta, "detail/target/0/type", "AppInstance"), []signal.Subject{{}}},
	{
		"Okta, application user with an address", edited(okta, "detail/target/0/type", "AppUser"),
		[]signal.Subject{{Usernames: []string{"alice@example.com"}, IDs: []string{"00u1alice2EXAMPLE3d7"}}},
	},
	{"Okta, some other target", edited(okta, "detail/target/0/type", "UserGroup"), []signal.Subject{{}}},
	{"Okta, two people, order and others", edited(okta, "detail/target", []any{
		map[string]any{"type": "AppUser", "alternateId": "app"}, map[string]any{
			"type": "User", "alternateId": "a@example.com",
		},
		map[string]any{"type": "UserGroup", "alternateId": "g"}, map[string]any{
			"type": "User", "alternateId": "b@example.com",
		},
	}), []signal.Subject{people("a@example.com"), people("b@example.com")}},

	{
		"Okta lock-out without target", edited("okta/account-lock.json"),
		[]signal.Subject{{Usernames: []string{"alice@example.com"}, IDs: []string{"00u1alice2EXAMPLE3d7"}}},
	},
	{
		"Okta lock-out by the system", edited("okta/account-lock.json", "detail/actor/type", "SystemPrincipal"),
		[]signal.Subject{{}},
	},
	{"Entra", edited(entra), []signal.Subject{dave(entraOID)}},
	{
		"Entra, as Microsoft Graph gives it",
		edited(
			entra, "detail",
			object{
				"id": "a1", "activityDisplayName": "Disable account", "result": "success",
				"targetResources": []any{object{"type": "User", "id": "u1", "userPrincipalName": "dave@example.com"}},
			},
		),
		[]signal.Subject{dave("u1")},
	},
	{"Entra, deleted", edited("entra/delete-user.json"), []signal.Subject{dave(entraOID)}},
	{"Entra, deleted, prefix of another", edited("entra/delete-user.json", target+"/0/id",
		"00000000-0000-4000-8000-000000000000"), []signal.Subject{{
		Usernames: []string{"6f0c2f1e8d7b4a579c365b1f5d9a2e10dave@example.com"},
		IDs:       []string{"00000000-0000-4000-8000-000000000000"}}}},
	{"Entra, an Event Hub's records", edited(entra, "detail", object{"records": []any{
		object{"category": "AuditLogs", "properties": object{"activityDisplayName": "Update device", "result": "success"}},
		object{
			"category": "AuditLogs",
			"properties": object{
				"activityDisplayName": "Disable account", "result": "success",
				"targetResources": []any{object{"type": "User", "userPrincipalName": "dave@example.com"}},
			},
		},
	}}), []signal.Subject{dave()}},
	{"Entra, no user", edited(entra, target, []any{}), []signal.Subject{{}}},
	{"Entra, two, one of them disabled", edited(entra, "detail/properties/activityDisplayName", "Update user",
		target, []any{
			object{"type": "User", "userPrincipalName": "erin@example.com", "modifiedProperties": []any{}},
			object{
				"type": "User", "userPrincipalName": "dave@example.com",
				"modifiedProperties": []any{
					object{
						"displayName": "AccountEnabled", "oldValue": "[\r\n  true\r\n]", "newValue": "[\r\n  false\r\n]",
					},
				},
			},
		}), []signal.Subject{dave()}},
	{
		"Microsoft Graph's webhook",
		edited(
			entra, "detail",
			object{
				"value": []any{
					object{"changeType": "deleted", "resource": "Users/u1", "resourceData": object{"id": "u1"}},
				},
			},
		),
		[]signal.Subject{{IDs: []string{"u1"}}},
	},
	{"risky user", edited("entra/confirmed-compromised.json"), []signal.Subject{dave(entraOID)}},
	{
		"risk detection", edited("entra/confirmed-compromised.json", "detail/properties/userId", "u1"),
		[]signal.Subject{dave("u1")},
	},

	{"Auth0", edited("auth0/user-deleted.json"), []signal.Subject{dave(auth0ID)}},
	{
		"Auth0, flat",
		edited("auth0/user-deleted.json", "detail", object{"type": "sdu", "user_name": "dave@example.com"}),
		[]signal.Subject{dave()},
	},
	{"Auth0, whom the API was asked about", edited("auth0/user-blocked.json"), []signal.Subject{dave(auth0ID)}},
	{
		"Auth0, the id alone", edited("auth0/user-blocked.json", "detail/data/details/response", nil),
		[]signal.Subject{{IDs: []string{auth0ID}}},
	},
	{
		"Auth0 event stream", edited("auth0/stream-user-deleted.json", "detail/data/object/email", "dave@example.com"),
		[]signal.Subject{dave(auth0ID)},
	},
	{
		"Auth0, an address that is not verified",
		edited("auth0/user-blocked.json", "detail/data/details/response/body/email_verified", false),
		[]signal.Subject{{IDs: []string{auth0ID}}},
	},
	{
		"Auth0, a name that anybody may choose", edited("auth0/user-deleted.json", "detail/data/user_name", "alice"),
		[]signal.Subject{{IDs: []string{auth0ID, "alice"}}},
	},
	{
		"Auth0 event stream, deleted while blocked",
		edited(
			"auth0/stream-user-deleted.json", "detail/data/object/email", "dave@example.com",
			"detail/data/object/blocked", true,
		),
		[]signal.Subject{dave(auth0ID)},
	},
	{
		"Cognito, a name that anybody may choose",
		edited("cognito/disable-user.json", "detail/requestParameters/username", "alice"),
		[]signal.Subject{{IDs: []string{"0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c77", "alice"}}},
	},
	{
		"Duo, in another case and decoded",
		edited("duo/user-disabled.json", "detail/description", object{"status": "disabled"}),
		[]signal.Subject{{Usernames: []string{"dave"}}},
	},
	{"Entra, the type in another case", edited(entra, target+"/0/type", "user"), []signal.Subject{dave(entraOID)}},
	{"EKS, an address behind a path", edited(eks, k8sUser, "team/dave@example.com"), []signal.Subject{{}}},
	{"EKS, half an address", edited(eks, k8sUser, "@"), []signal.Subject{{}}},
	{"role of the instance unknown", edited(ec2, "detail/service/resourceRole", absent), []signal.Subject{{}}},
	{
		"OneLogin, not the first and last name", edited("onelogin/user-deactivated.json"),
		[]signal.Subject{{IDs: []string{"92345678"}}},
	},
	{
		"OneLogin, numbers as texts",
		edited(
			"onelogin/user-deactivated.json", "detail/event_type_id", "15", "detail/user_id", "92345678",
			"detail/login_name", "dave@example.com",
		),
		[]signal.Subject{dave("92345678")},
	},
	{
		"SailPoint", edited("sailpoint/leaver.json"),
		[]signal.Subject{
			{Usernames: []string{"dave@example.com", "dave"}, IDs: []string{"2c9180a46faadee4016fb4e018c20639"}},
		},
	},
	{
		"SailPoint, deleted",
		edited(
			"sailpoint/leaver.json", "detail-type", "Identity Deleted", "detail/identity",
			object{"id": "i1", "name": "Dave Example"}, "detail/attributes", object{"email": "dave@example.com"},
		),
		[]signal.Subject{dave("i1")},
	},
}

var whomDirectoriesMean = []subjectTest{
	{
		"Identity Center", edited("identity-center/disable-user.json"),
		[]signal.Subject{
			{IDs: []string{"9067123456-0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c01"}, IdentityStore: "d-9067123456"},
		},
	},
	{
		"Identity Center, its own notification", edited("identity-center/user-updated.json"),
		[]signal.Subject{
			{IDs: []string{"9067123456-0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c02"}, IdentityStore: "d-9067123456"},
		},
	},
	{"Identity Center, two users", edited("identity-center/user-updated.json", "resources", []any{
		"arn:aws:identitystore:::user/0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c01",
		"arn:aws:identitystore:::user/0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c02",
		"arn:aws:identitystore:::user/0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c01"}),
		[]signal.Subject{{IDs: []string{"0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c01"}},
			{IDs: []string{"0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c02"}}}},
	{
		"Identity Center, no resources", edited("identity-center/user-updated.json", "resources", absent),
		[]signal.Subject{{}},
	},
	{"IAM, not who called", edited("iam/delete-user.json"), []signal.Subject{{Usernames: []string{"bob"}}}},
	{"directory", edited("directory-service/disable-user.json"), []signal.Subject{{Usernames: []string{"bob"}}}},
	{
		"directory, hidden",
		edited(
			"directory-service/disable-user.json", "detail/requestParameters",
			object{"SAMAccountName": "HIDDEN_DUE_TO_SECURITY_REASONS"},
		),
		[]signal.Subject{{}},
	},
	{
		"Cognito", edited("cognito/disable-user.json"),
		[]signal.Subject{{IDs: []string{"0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c77"}}},
	},
	{"call without parameters", edited("iam/delete-user.json", "detail/requestParameters", nil), []signal.Subject{{}}},

	{"Google Workspace", edited("google-workspace/suspend-user.json"), []signal.Subject{dave()}},
	{"Google Workspace, two events", edited("google-workspace/suspend-user.json", "detail/events", []any{
		object{"name": "CHANGE_PASSWORD"}, object{"name": "DELETE_USER", "parameters": []any{object{"name": "ORG_UNIT",
			"value": []any{}}, object{"name": "USER_EMAIL", "value": "dave@example.com"}}}}), []signal.Subject{dave()}},
	{
		"JumpCloud", edited("jumpcloud/user-suspended.json"),
		[]signal.Subject{{Usernames: []string{"dave"}, IDs: []string{"60a1b2c3d4e5f60718293a4b"}}},
	},
	{
		"JumpCloud, words for flags",
		edited(
			"jumpcloud/user-suspended.json", "detail/success", "true", "detail/changes",
			[]any{object{"field": "suspended", "from": "false", "to": "true"}},
		),
		[]signal.Subject{{Usernames: []string{"dave"}, IDs: []string{"60a1b2c3d4e5f60718293a4b"}}},
	},
	{"PingOne", edited("pingone/user-deleted.json"), []signal.Subject{dave("0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c88")}},
	{
		"PingOne, a group beside",
		edited(
			"pingone/user-deleted.json", "detail/resources",
			[]any{object{"type": "GROUP", "name": "vpn"}, object{"type": "USER", "name": "dave@example.com"}},
		),
		[]signal.Subject{dave()},
	},
	{"Duo", edited("duo/user-disabled.json"), []signal.Subject{{Usernames: []string{"dave"}}}},
	{
		"Duo, broken description",
		edited("duo/user-disabled.json", "detail/description", `{"status": "Disabled", "note": "he said "bye""}`),
		[]signal.Subject{{Usernames: []string{"dave"}}},
	},
	{"CyberArk", edited("cyberark/user-deleted.json"), []signal.Subject{dave("0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c99")}},
}
