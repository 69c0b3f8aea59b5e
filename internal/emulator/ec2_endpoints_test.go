package emulator

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// endpointIDs lists endpoints, without what their ids have in common.
func (a vpnAPI) endpointIDs(t *testing.T, in *ec2.DescribeClientVpnEndpointsInput) (string, error) {
	t.Helper()
	out, err := a.DescribeClientVpnEndpoints(t.Context(), in)
	if err != nil {
		return "", err
	}
	var ids []string
	for _, e := range out.ClientVpnEndpoints {
		ids = append(ids, strings.TrimPrefix(*e.ClientVpnEndpointId, "cvpn-endpoint-0123456789abcdef"))
	}
	return strings.Join(ids, " "), nil
}

func TestDescribeEndpoints(t *testing.T) {
	c := &Cloud{}
	api := newVPNAPI(serveCloud(t, c))
	for _, test := range []struct {
		ids           []string
		filter, value string
		want          string
	}{
		{nil, "", "", "0 1"},
		{[]string{endpointB}, "", "", "1"},
		{nil, "endpoint-id", endpointA, "0"},
		{nil, "transport-protocol", "udp", "0 1"},
		{nil, "transport-protocol", "tcp", ""},
		{nil, "tag:team", "net", "0"},
		{nil, "tag:team", "Net", ""},
	} {
		in := &ec2.DescribeClientVpnEndpointsInput{ClientVpnEndpointIds: test.ids}
		if test.filter != "" {
			in.Filters = filters{filterBy(test.filter, test.value)}
		}
		if got, err := api.endpointIDs(t, in); err != nil || got != test.want {
			t.Errorf("%+v: %q, %v", test, got, err)
		}
	}
	_, err := api.endpointIDs(
		t,
		&ec2.DescribeClientVpnEndpointsInput{ClientVpnEndpointIds: []string{endpointA, "cvpn-endpoint-0"}},
	)
	wantCode(t, err, "InvalidClientVpnEndpointId.NotFound", 400)
	if !strings.Contains(fmt.Sprint(err), "Endpoint cvpn-endpoint-0 does not exist") {
		t.Error(err)
	}
	_, err = api.endpointIDs(t, &ec2.DescribeClientVpnEndpointsInput{Filters: filters{filterBy("colour", "red")}})
	wantCode(t, err, "InvalidFilter", 400)
	_, err = api.endpointIDs(t, &ec2.DescribeClientVpnEndpointsInput{DryRun: aws.Bool(true)})
	wantCode(t, err, "DryRunOperation", 412)
}

func TestEndpointRows(t *testing.T) {
	all, err := newVPNAPI(serveCloud(t, &Cloud{})).endpoints(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a, b := all[0], all[1]
	option := a.AuthenticationOptions[0]
	if *a.Description != "staff" || a.Status.Code != "available" || len(a.Tags) != 2 || *a.Tags[0].Key != "env" ||
		a.VpcId == nil || a.TransitGatewayConfiguration != nil || a.ConnectionLogOptions == nil ||
		option.Type != types.ClientVpnAuthenticationTypeFederatedAuthentication ||
		option.FederatedAuthentication.SamlProviderArn == nil || option.MutualAuthentication != nil ||
		*a.DnsName != "*."+endpointA+".prod.clientvpn.eu-west-1.amazonaws.com" {
		t.Errorf("%+v", a)
	}
	if b.Description != nil || b.Status.Code != "pending-associate" || b.VpcId != nil ||
		len(b.AuthenticationOptions) != 2 ||
		*b.TransitGatewayConfiguration.TransitGatewayId != "tgw-0123456789abcdef0" {
		t.Errorf("%+v", b)
	}
}

// TestEndpointAuthentication: an endpoint says by whom its users are known, and how long their sessions last.
func TestEndpointAuthentication(t *testing.T) {
	const saml, portal = "arn:aws:iam::111122223333:saml-provider/okta", "arn:aws:iam::111122223333:saml-provider/portal"
	const certificate = "arn:aws:acm:eu-west-1:111122223333:certificate/root"
	c := &Cloud{}
	c.AddEndpoint(Endpoint{
		ID:                  endpointA,
		SAMLProvider:        saml,
		SelfServiceProvider: portal,
		Directory:           "d-9067000000",
		RootCertificate:     certificate,
		SessionHours:        8,
		Tags:                map[string]string{"Name": "staff"},
		Authentication: []string{
			"certificate-authentication", "directory-service-authentication", "federated-authentication",
		},
	})
	all, err := bubbleAPI(t, c).endpoints(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e, o := all[0], all[0].AuthenticationOptions
	if *o[0].MutualAuthentication.ClientRootCertificateChain != certificate ||
		*o[1].ActiveDirectory.DirectoryId != "d-9067000000" ||
		*o[2].FederatedAuthentication.SamlProviderArn != saml ||
		*o[2].FederatedAuthentication.SelfServiceSamlProviderArn != portal ||
		*e.SessionTimeoutHours != 8 || *e.SelfServicePortalUrl == "" || *e.Tags[0].Key != "Name" ||
		*e.Tags[0].Value != "staff" {
		t.Errorf("%+v", e)
	}
}

func TestEndpointPages(t *testing.T) {
	c := &Cloud{}
	api := newVPNAPI(serveCloud(t, c))
	for i := range 7 {
		c.AddEndpoint(Endpoint{ID: fmt.Sprintf("cvpn-endpoint-%017x", i)})
	}
	pages, count := 0, 0
	in := &ec2.DescribeClientVpnEndpointsInput{MaxResults: aws.Int32(5)}
	for p := ec2.NewDescribeClientVpnEndpointsPaginator(api, in); p.HasMorePages(); pages++ {
		out, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		count += len(out.ClientVpnEndpoints)
	}
	if pages != 2 || count != 9 {
		t.Errorf("%d endpoints in %d pages", count, pages)
	}
	c.AddEndpoint(Endpoint{ID: endpointB, Description: "new"})
	if all, err := api.endpoints(t.Context()); err != nil || len(all) != 9 || *all[1].Description != "new" {
		t.Error("an endpoint added again is not replaced", err)
	}
}
