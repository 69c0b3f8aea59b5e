package signal_test

import (
	"testing"

	"clientvpn-responder/internal/signal"

	"github.com/google/go-cmp/cmp"
)

// TestMemberships: what a person lost or gained, as each provider says it.
func TestMemberships(t *testing.T) {
	const (
		group    = "9067123456-1b4f6a3e-0c1d-4e2f-8a9b-7c6d5e4f3a21"
		user     = "9067123456-0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c01"
		entraID  = "1b4f6a3e-0c1d-4e2f-8a9b-7c6d5e4f3a21"
		calls    = "identity-center/vpn-group-removed.json"
		assigned = "arn:aws:sso::111122223333:application/ssoins-0123456789abcdef/apl-0123456789abcdef"
	)
	of := func(what, id, name string, change signal.MembershipChange) signal.Membership {
		return signal.Membership{Of: what, ID: id, Name: name, Change: change}
	}
	all := func(m signal.Membership) signal.Membership { m.Everybody = true; return m }
	byGroup := all(of(signal.Account, "111122223333", "", signal.Removed))
	byGroup.Group = group
	reference := of(signal.Group, "", "", signal.Removed)
	reference.Reference = "9067123456-5d2c7b1a-3e4f-4a6b-9c8d-0e1f2a3b4c5d"
	call := func(source, name string, parameters object) input {
		return edited(calls, "source", "aws."+source, "detail/eventSource", source+".amazonaws.com", "detail/eventName", name,
			"detail/requestParameters", parameters)
	}
	for _, test := range []struct {
		name  string
		event input
		who   string
		want  signal.Membership
	}{
		{"Okta, a group", edited("okta/vpn-group-removed.json"), "alice@example.com",
			of(signal.Group, "00g2vpnEXAMPLEgroup2", "VPN users", signal.Removed)},
		{"Okta, back", edited("okta/vpn-group-added.json"), "alice@example.com",
			of(signal.Group, "00g2vpnEXAMPLEgroup2", "VPN users", signal.Added)},
		{"Okta, an application", edited("okta/vpn-app-removed.json"), "alice@example.com",
			of(signal.Application, "0oa1vpnEXAMPLEapp001", "AWS Client VPN", signal.Removed)},
		{"Okta, the group itself", edited("okta/vpn-group-deleted.json"), "nobody",
			all(of(signal.Group, "00g2vpnEXAMPLEgroup2", "VPN users", signal.Removed))},
		{"Entra", edited("entra/vpn-group-removed.json"), "dave@example.com",
			of(signal.Group, entraID, "VPN users", signal.Removed)},
		{"Entra, back", edited("entra/vpn-group-added.json"), "dave@example.com",
			of(signal.Group, entraID, "VPN users", signal.Added)},
		{"Google", edited("google-workspace/vpn-group-removed.json"), "dave@example.com",
			of(signal.Group, "", "vpn-users@example.com", signal.Removed)},
		{"Google, the group itself", edited("google-workspace/vpn-group-deleted.json"), "nobody",
			all(of(signal.Group, "", "vpn-users@example.com", signal.Removed))},
		{"Entra, the group itself", edited("entra/vpn-group-deleted.json"), "nobody",
			all(of(signal.Group, entraID, "VPN users", signal.Removed))},
		{"Entra, the group beside the user", edited("entra/vpn-group-removed.json",
			"detail/properties/targetResources/0/modifiedProperties", []any{}), "dave@example.com",
			of(signal.Group, entraID, "", signal.Removed)},
		{"Directory Service, the group itself", edited("directory-service/vpn-group-deleted.json"), "nobody",
			all(of(signal.Group, "", "vpn-users", signal.Removed))},
		{"Identity Center, the group itself", edited("identity-center/vpn-group-deleted.json"), "nobody",
			all(of(signal.Group, group, "", signal.Removed))},
		{"Identity Center's notification", edited("identity-center/vpn-group-deleted-notification.json"), "nobody",
			all(of(signal.Group, group, "", signal.Removed))},
		{"Identity Center, by the API", edited("identity-center/group-membership-created.json"), "id " + user,
			of(signal.Group, group, "", signal.Added)},
		{"PingOne", edited("pingone/vpn-group-removed.json"), "id 0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c88",
			of(signal.Group, "af26d367-a058-4f73-a697-ab18e3ab29a2", "VPN users", signal.Removed)},
		{"PingOne, without a path", edited("pingone/vpn-group-removed.json", "detail/resources/0/href", absent), "nobody",
			of(signal.Group, "", "VPN users", signal.Removed)},
		{"SailPoint, an account", edited("sailpoint/vpn-account-deleted.json"), "dave@example.com",
			of(signal.Application, "2c9180835d191a86015d28455b4b232a", "AWS Client VPN", signal.Removed)},
		{"SailPoint, disabled", edited("sailpoint/vpn-entitlement-removed.json", "detail/entitlementChanges", []any{},
			"detail/singleValueAttributeChanges", []any{
				object{"name": "IIQDisabled", "oldValue": "false", "newValue": "true"}}), "dave@example.com",
			of(signal.Application, "2c91808a78efc63e0178fb8624b248c5", "Active Directory", signal.Removed)},
		{"Directory Service", edited("directory-service/vpn-group-removed.json"), "bob",
			of(signal.Group, "", "vpn-users", signal.Removed)},
		{"Identity Center", edited(calls), "id " + user, of(signal.Group, group, "", signal.Removed)},
		{"Identity Center, back", edited("identity-center/vpn-group-added.json"), "id " + user,
			of(signal.Group, group, "", signal.Added)},
		{"Identity Center, a membership", edited("identity-center/group-membership-deleted.json"), "nobody", reference},
		{"Identity Center, hidden", call("identitystore-scim", "PatchGroup", object{"id": group}), "nobody",
			of(signal.Group, group, "", signal.Changed)},
		{"an application of Identity Center", call("sso", "DeleteApplicationAssignment", object{
			"applicationArn": assigned, "principalType": "USER", "principalId": user,
		}), "id " + user, of(signal.Application, assigned, "", signal.Removed)},
		{"a group's account", call("sso", "DeleteAccountAssignment", object{
			"targetId": "111122223333", "principalType": "GROUP", "principalId": group,
		}), "nobody", byGroup},
	} {
		signals, err := signal.Parse(test.event.event(t))
		if err != nil || len(signals) != 1 || signals[0].Kind != signal.TokenClaimsChange ||
			signals[0].Subject.String() != test.who {
			t.Errorf("%s: %+v, %v", test.name, signals, err)
			continue
		}
		if diff := cmp.Diff(test.want, *signals[0].Membership); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

// TestMembershipsOfNobody: a device in a group is no mover.
func TestMembershipsOfNobody(t *testing.T) {
	checkField(t, []fieldTest{
		{"a device", edited("entra/vpn-group-removed.json", "detail/properties/targetResources", []any{
			object{"type": "Device", "id": "d1"}, object{"type": "Group", "id": "g1"},
		}), "", "", "about no user"},
		{
			"it failed", edited("okta/vpn-group-removed.json", "detail/outcome/result", "FAILURE"), "", "",
			"did not happen",
		},
		{"it was refused", edited("directory-service/vpn-group-removed.json", "detail/errorCode", "AccessDenied"), "", "",
			"did not happen"},
	})
}
