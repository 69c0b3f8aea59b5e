package directory

import (
	"context"

	"clientvpn-responder/internal/awsjson"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// api is what is used of the identity store.
// Source: Identity Store API reference.
type api interface {
	DescribeUser(context.Context, *describeUserInput) (*describeUserOutput, error)
	GetUserId(context.Context, *getUserIDInput) (*getUserIDOutput, error) //nolint:revive // as AWS has it
	ListUsers(context.Context, *listUsersInput) (*listUsersOutput, error)
	DescribeGroupMembership(context.Context, *describeMembershipInput) (*describeMembershipOutput, error)
}

type describeMembershipInput struct {
	IdentityStoreID string `json:"IdentityStoreId"`
	MembershipID    string `json:"MembershipId"`
	region          string // to ask in, as with describeUserInput
}

type describeMembershipOutput struct {
	GroupID  string `json:"GroupId"`
	MemberID struct {
		UserID string `json:"UserId"`
	} `json:"MemberId"`
}

type describeUserInput struct {
	IdentityStoreID string `json:"IdentityStoreId"`
	UserID          string `json:"UserId"`
	region          string // to ask in; empty for the configuration's
}

// description is what the store says about a user.
type description struct {
	UserID     string `json:"UserId"`
	UserName   string
	Emails     []struct{ Value string }
	UserStatus status
}

// getUserIDInput names a user by the id of the identity provider that made the user.
type getUserIDInput struct {
	IdentityStoreID     string    `json:"IdentityStoreId"`
	AlternateIdentifier alternate `json:"AlternateIdentifier"`
	region              string
}

type alternate struct {
	ExternalID externalID `json:"ExternalId"`
}

type externalID struct {
	Issuer string
	ID     string `json:"Id"`
}

type getUserIDOutput struct {
	UserID string `json:"UserId"`
}

type describeUserOutput struct{ description }

// mostUsers is the most that a page of users holds.
const mostUsers = 100

type listUsersInput struct {
	IdentityStoreID string `json:"IdentityStoreId"`
	NextToken       string `json:",omitempty"`
	MaxResults      int
	region          string
}

type listUsersOutput struct {
	Users     []description
	NextToken string
}

// status is the store's word for whether a user may sign in. It may be missing.
type status string

const (
	enabled  status = "ENABLED"
	disabled status = "DISABLED"
)

// notFound is the code for a user or a membership that the store does not know.
const notFound = "ResourceNotFoundException"

// store asks over the network.
type store struct{ client *awsjson.Client }

func newStore(cfg aws.Config) store {
	return store{awsjson.New(cfg, awsjson.Service{
		ID: "identitystore", Name: "identitystore", Target: "AWSIdentityStore", Version: "1.1",
	})}
}

// DescribeUser returns what the store knows about a user.
func (s store) DescribeUser(ctx context.Context, in *describeUserInput) (*describeUserOutput, error) {
	var out describeUserOutput
	err := s.client.In(in.region).Call(ctx, "DescribeUser", in, &out)
	return &out, err
}

// GetUserId returns the user who has an external id.
//
//nolint:revive // as AWS has it
func (s store) GetUserId(ctx context.Context, in *getUserIDInput) (*getUserIDOutput, error) {
	var out getUserIDOutput
	err := s.client.In(in.region).Call(ctx, "GetUserId", in, &out)
	return &out, err
}

// ListUsers returns a page of the store's users.
func (s store) ListUsers(ctx context.Context, in *listUsersInput) (*listUsersOutput, error) {
	var out listUsersOutput
	err := s.client.In(in.region).Call(ctx, "ListUsers", in, &out)
	return &out, err
}

// DescribeGroupMembership returns the group and the member of a membership.
func (s store) DescribeGroupMembership(
	ctx context.Context, in *describeMembershipInput,
) (*describeMembershipOutput, error) {
	var out describeMembershipOutput
	err := s.client.In(in.region).Call(ctx, "DescribeGroupMembership", in, &out)
	return &out, err
}
