package emulator

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/identitystore/document"
	"github.com/aws/aws-sdk-go-v2/service/identitystore/types"
)

// TestIdentityStore: users are found by id, external id, user name and address.
func TestIdentityStore(t *testing.T) {
	const id, store = "9067123456-0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c01", "d-9067123456"
	c := &Cloud{}
	c.AddUser(User{
		ID: id, UserName: "dave", Email: "dave@example.com",
		ExternalIDs: []ExternalID{{"https://scim.example.com", "00u1a2b3c4"}},
	})
	api := identitystore.NewFromConfig(serveCloud(t, c))
	describe := func() (*identitystore.DescribeUserOutput, error) {
		return api.DescribeUser(
			t.Context(),
			&identitystore.DescribeUserInput{IdentityStoreId: aws.String(store), UserId: aws.String(id)},
		)
	}
	u, err := describe()
	if err != nil || *u.UserName != "dave" || *u.Emails[0].Value != "dave@example.com" ||
		u.UserStatus != types.UserStatusEnabled ||
		*u.ExternalIds[0].Id != "00u1a2b3c4" ||
		*u.ExternalIds[0].Issuer != "https://scim.example.com" {
		t.Fatalf("%v, %+v", err, u)
	}
	external := func(issuer, id string) types.AlternateIdentifier {
		return &types.AlternateIdentifierMemberExternalId{Value: types.ExternalId{Issuer: &issuer, Id: &id}}
	}
	attribute := func(path, value string) types.AlternateIdentifier {
		return &types.AlternateIdentifierMemberUniqueAttribute{Value: types.UniqueAttribute{
			AttributePath: &path, AttributeValue: document.NewLazyDocument(value),
		}}
	}
	for _, test := range []struct {
		store string
		by    types.AlternateIdentifier
		found bool
	}{
		{store, external("https://scim.example.com", "00u1a2b3c4"), true},
		{store, external("https://scim.example.org", "00u1a2b3c4"), false},
		{store, external("https://scim.example.com", "00U1A2B3C4"), false},
		{store, attribute("userName", "Dave"), true},
		{store, attribute("emails.value", "dave@example.com"), true},
		{store, attribute("userName", ""), false},
		{store, attribute("displayName", "dave"), false},
		{"d-0000000000", attribute("userName", "dave"), false},
	} {
		out, err := api.GetUserId(
			t.Context(),
			&identitystore.GetUserIdInput{IdentityStoreId: &test.store, AlternateIdentifier: test.by},
		)
		if _, missing := errors.AsType[*types.ResourceNotFoundException](
			err,
		); missing == test.found ||
			err == nil && *out.UserId != id {
			t.Errorf("%+v: %+v, %v", test.by, out, err)
		}
	}
	_, err = api.GetUserId(
		t.Context(),
		&identitystore.GetUserIdInput{IdentityStoreId: aws.String(store), AlternateIdentifier: &types.UnknownUnionMember{}},
	)
	if err == nil {
		t.Error("no identifier is accepted")
	}
}

// TestIdentityStoreKnowsMemberships: by their id, until they are deleted.
func TestIdentityStoreKnowsMemberships(t *testing.T) {
	const (
		id    = "9067123456-5d2c7b1a-3e4f-4a6b-9c8d-0e1f2a3b4c5d"
		group = "9067123456-1b4f6a3e-0c1d-4e2f-8a9b-7c6d5e4f3a21"
		user  = "9067123456-0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c01"
	)
	c := &Cloud{}
	c.AddMembership(Membership{ID: id, GroupID: group, UserID: user})
	api := identitystore.NewFromConfig(serveCloud(t, c))
	describe := func(id string) (*identitystore.DescribeGroupMembershipOutput, error) {
		return api.DescribeGroupMembership(t.Context(), &identitystore.DescribeGroupMembershipInput{
			IdentityStoreId: aws.String("d-9067123456"), MembershipId: &id,
		})
	}
	m, err := describe(id)
	if err != nil || *m.GroupId != group || m.MemberId.(*types.MemberIdMemberUserId).Value != user {
		t.Errorf("%v, %+v", err, m)
	}
	_, err = describe("no id")
	wantCode(t, err, "ValidationException", 400)
	c.RemoveMembership(id)
	_, err = describe(id)
	wantCode(t, err, "ResourceNotFoundException", 400)
}

// TestIdentityStoreSuffers: a status may be missing, a user gone, and the store throttles, hangs or denies.
func TestIdentityStoreSuffers(t *testing.T) {
	const id = "9067123456-0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c01"
	c := &Cloud{Limits: map[string]Limit{"DescribeUser": {2, 0}}}
	c.AddUser(User{ID: id, UserName: "dave", NoStatus: true})
	api := identitystore.NewFromConfig(serveCloud(t, c))
	describe := func() (*identitystore.DescribeUserOutput, error) {
		return api.DescribeUser(
			t.Context(),
			&identitystore.DescribeUserInput{IdentityStoreId: aws.String("d-9067123456"), UserId: aws.String(id)},
		)
	}
	if u, err := describe(); err != nil || u.UserStatus != "" {
		t.Errorf("%v, %+v", err, u)
	}
	c.RemoveUser(id)
	_, err := describe()
	wantCode(t, err, "ResourceNotFoundException", 400)
	_, err = describe()
	wantCode(t, err, "ThrottlingException", 400)
	c.Limits = nil
	c.Deny("identitystore:DescribeUser", id)
	_, err = describe()
	wantCode(t, err, "AccessDeniedException", 403)
	c.Inject(Fault{Action: "DescribeUser", Delay: time.Millisecond, Drop: true})
	if _, err := describe(); err == nil {
		t.Error("it answers")
	}
}
