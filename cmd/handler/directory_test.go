package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"clientvpn-responder/internal/emulator"
)

// TestIdentityStoreIsAsked: Identity Center's events have a user id and nothing else, and hide what SCIM changed.
func TestIdentityStoreIsAsked(t *testing.T) {
	const (
		store = "d-9067123456"
		dave  = "9067123456-0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c01"
	)
	read := func(file string) []byte {
		raw, err := os.ReadFile(filepath.Join("../../events", file))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	disable, patch := read("identity-center/disable-user.json"), read("identity-center/scim-deactivate.json")
	graph := read("entra/graph-user-deleted-provisioned.json")
	for name, test := range map[string]struct {
		event    []byte
		env      string
		scim     string
		disabled bool
		denied   bool
		want     []string // statuses
		failed   bool
	}{
		"disabled by name":       {event: disable, env: store, want: []string{"terminated"}},
		"nobody is asked":        {event: disable, want: []string{"unmapped"}},
		"may not ask":            {event: disable, env: store, denied: true, failed: true},
		"patch, disabled":        {event: patch, env: store, disabled: true, want: []string{"terminated"}},
		"patch, enabled":         {event: patch, env: store}, // which is an opening, and lifts nothing
		"patch, nobody is asked": {event: patch, want: []string{"notified"}},
		"patch, may not ask":     {event: patch, env: store, denied: true, failed: true},
		"Entra's id":             {event: graph, env: store, scim: "entra=https://scim.test", want: []string{"terminated"}},
		"Entra's id, another's":  {event: graph, env: store, scim: "entra=https://other.test", want: []string{"unmapped"}},
		"Entra's id, unasked":    {event: graph, env: store, want: []string{"unmapped"}},
	} {
		cloud := cloudWith(emulator.Client{Username: "dave@example.com"})
		cloud.AddUser(emulator.User{
			ID: dave, UserName: "dave", Email: "dave@example.com", Disabled: test.disabled, ExternalIDs: []emulator.ExternalID{
				{Issuer: "https://scim.test", ID: "6f0c2f1e-8d7b-4a57-9c36-5b1f5d9a2e77"},
			},
		})
		if test.denied {
			cloud.Deny("identitystore:DescribeUser", "")
		}
		f := start(t, cloud, "IDENTITY_STORE_ID="+test.env, "SCIM_ISSUERS="+test.scim)
		answer := invoke(t, f, batch(test.event, leaver("e1", "nobody"))) // beside it, another is answered
		var failures struct {
			BatchItemFailures []struct{ ItemIdentifier string }
		}
		if err := json.Unmarshal(answer.Payload, &failures); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, status := range published(t, cloud) {
			if status != "not-connected" {
				got = append(got, status)
			}
		}
		if !slices.Equal(got, test.want) || (len(failures.BatchItemFailures) == 1) != test.failed {
			t.Errorf("%s: published %q, %s\n%s", name, got, answer.Payload, f.Logs())
		}
		if len(test.want) == 0 && !test.denied && !strings.Contains(logs(f), "PatchUser") {
			t.Errorf("%s: the log says nothing of it:\n%s", name, f.Logs())
		}
		if test.denied && !strings.Contains(logs(f), "AccessDeniedException") {
			t.Errorf("%s: the log does not say what is missing:\n%s", name, f.Logs())
		}
	}
}

// TestMoversOfAMembershipAreLookedUp: the deletion of a membership names only its id. A member whom the identity store
// still knows is cut off. Of any other, the outcome says what to do.
func TestMoversOfAMembershipAreLookedUp(t *testing.T) {
	const (
		store, id = "d-9067123456", "9067123456-5d2c7b1a-3e4f-4a6b-9c8d-0e1f2a3b4c5d"
		dave      = "9067123456-0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c01"
		carries   = "9067123456-1b4f6a3e-0c1d-4e2f-8a9b-7c6d5e4f3a21"
		other     = "9067123456-1b4f6a3e-0c1d-4e2f-8a9b-7c6d5e4f3a22"
	)
	raw, err := os.ReadFile("../../events/identity-center/group-membership-deleted.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		group string // "" for a membership that the store forgot
		want  []string
	}{
		"the VPN's group": {carries, []string{"terminated"}},
		"another group":   {other, nil},
		"forgotten":       {"", []string{"unmapped"}},
	} {
		cloud := cloudWith(emulator.Client{Username: "dave@example.com"})
		cloud.AddUser(emulator.User{ID: dave, UserName: "dave", Email: "dave@example.com"})
		if test.group != "" {
			cloud.AddMembership(emulator.Membership{ID: id, GroupID: test.group, UserID: dave})
		}
		f := start(t, cloud, "IDENTITY_STORE_ID="+store, "POLICY_FILE="+moversPolicy(t, carries))
		invoke(t, f, batch(raw))
		if got := published(t, cloud); !slices.Equal(got, test.want) {
			t.Errorf("%s: published %q\n%s", name, got, f.Logs())
		}
		if test.group == "" && !strings.Contains(logs(f), "look in CloudTrail whom CreateGroupMembership added") {
			t.Errorf("%s: nothing says what to do\n%s", name, f.Logs())
		}
	}
}

// moversPolicy writes a policy in which a group of Identity Center carries the VPN.
func moversPolicy(t *testing.T, group string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "policy.yaml")
	text := "version: 1\nidentity: {domains: [example.com]}\naccess: {identity-center: {groups: [" + group + "]}}\n" +
		"rules:\n  - {name: movers, when: {kinds: [token-claims-change]}, then: terminate}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestIdentityStoreOfAnotherAccount: the role is assumed with the external id, and the self-test asks through it. It
// names a role that may not be assumed.
func TestIdentityStoreOfAnotherAccount(t *testing.T) {
	disable, err := os.ReadFile("../../events/identity-center/disable-user.json")
	if err != nil {
		t.Fatal(err)
	}
	g := newGroup()
	management := &emulator.Cloud{Account: "444455556666"} // in the Region of the event
	management.AddUser(emulator.User{
		ID: "9067123456-0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c01", UserName: "dave", Email: "dave@example.com",
	})
	g.Others = []*emulator.Cloud{management}
	g.Home.Connect(emulator.Client{EndpointID: endpoint, Username: "dave@example.com"})
	store := []string{"IDENTITY_STORE_ID=d-9067123456", "EXTERNAL_ID=" + external, "WATCH=0"}
	f := start(t, g, append(store, "IDENTITY_STORE_ROLE="+otherRole)...)
	got := outcomes(t, invoke(t, f, disable))[0]
	if got.Status != "terminated" || !slices.Equal(g.Assumed(), []string{otherRole}) {
		t.Errorf("%+v, assumed %q\n%s", got, g.Assumed(), f.Logs())
	}
	if got := outcomes(t, invoke(t, f, []byte(selfTest)))[0]; got.Status != "ready" {
		t.Errorf("%+v", got)
	}
	f = start(t, g, append(store, "IDENTITY_STORE_ROLE="+closedRole)...)
	got = outcomes(t, invoke(t, f, []byte(selfTest)))[0]
	log := logs(f)
	if got.Status != "not-ready" || !strings.Contains(log, "identity store") || !strings.Contains(log, closedRole) {
		t.Errorf("%+v\n%s", got, log)
	}
}
