package emulator

import (
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// TestAccounts: the signature leads to an account and a Region, an assumed role's to the role's.
func TestAccounts(t *testing.T) {
	const role = "arn:aws:iam::444455556666:role/path/member"
	home, other := &Cloud{}, &Cloud{Account: "444455556666", Region: "us-east-1"}
	home.AddEndpoint(Endpoint{ID: endpointA})
	other.AddEndpoint(Endpoint{ID: endpointB})
	accounts := &Accounts{Home: home, Others: []*Cloud{other}, Roles: map[string]string{role: "two"}}
	url, stop, err := Serve(accounts)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	cfg := config(url, &http.Client{Transport: settled{http.DefaultTransport}})
	endpoints := func(cfg aws.Config, region string) (ids []string, err error) {
		cfg = cfg.Copy()
		cfg.Region = region
		all, err := newVPNAPI(cfg).endpoints(t.Context())
		for _, e := range all {
			ids = append(ids, *e.ClientVpnEndpointId)
		}
		return ids, err
	}
	assume := func(role, externalID string) aws.Config {
		assumed := cfg.Copy()
		with := func(o *stscreds.AssumeRoleOptions) { o.ExternalID = &externalID }
		assumed.Credentials = stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), role, with)
		return assumed
	}
	for _, test := range []struct {
		cfg    aws.Config
		region string
		want   []string
	}{
		{cfg, "eu-west-1", []string{endpointA}},
		{cfg, "us-east-1", nil},
		{assume(role, "two"), "us-east-1", []string{endpointB}},
		{assume(role, "two"), "eu-west-1", nil},
	} {
		if got, err := endpoints(test.cfg, test.region); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, %v", test.region, got, err)
		}
	}
	for _, refused := range []aws.Config{assume(role, "three"), assume("arn:aws:iam::444455556666:role/other", "two")} {
		_, err := endpoints(refused, "us-east-1")
		if api, ok := errors.AsType[smithy.APIError](err); !ok || api.ErrorCode() != "AccessDenied" {
			t.Error(err)
		}
	}
	if got := accounts.Assumed(); !slices.Equal(got, []string{role, role}) {
		t.Errorf("%q", got)
	}
}
