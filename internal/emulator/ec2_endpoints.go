package emulator

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

type tagItem struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

// An item has the ones that apply to it, and no empty elements for the others.
type (
	directory struct {
		ID string `xml:"directoryId"`
	}
	provider struct {
		ARN         string `xml:"samlProviderArn"`
		SelfService string `xml:"selfServiceSamlProviderArn,omitempty"`
	}
	root struct {
		Chain string `xml:"clientRootCertificateChain"`
	}
	transitGateway struct {
		ID string `xml:"transitGatewayId"`
	}
)

type authenticationItem struct {
	Directory *directory `xml:"activeDirectory"`
	Provider  *provider  `xml:"federatedAuthentication"`
	Root      *root      `xml:"mutualAuthentication"`
	Type      string     `xml:"type"`
}

type endpointItem struct {
	Authentication items[authenticationItem] `xml:"authenticationOptions"`
	CIDR           string                    `xml:"clientCidrBlock"`
	Connect        connectOptions            `xml:"clientConnectOptions"`
	ID             string                    `xml:"clientVpnEndpointId"`
	Logged         bool                      `xml:"connectionLogOptions>Enabled"`
	Created        string                    `xml:"creationTime"`
	Description    string                    `xml:"description,omitempty"`
	DNSName        string                    `xml:"dnsName"`
	PortalURL      string                    `xml:"selfServicePortalUrl,omitempty"`
	SessionHours   int                       `xml:"sessionTimeoutHours"`
	SplitTunnel    bool                      `xml:"splitTunnel"`
	Status         status                    `xml:"status"`
	Tags           items[tagItem]            `xml:"tagSet"`
	TransitGateway *transitGateway           `xml:"transitGatewayConfiguration"`
	Transport      string                    `xml:"transportProtocol"`
	VPC            string                    `xml:"vpcId,omitempty"`
	Port           int                       `xml:"vpnPort"`
	Protocol       string                    `xml:"vpnProtocol"`
}

type connectOptions struct {
	Enabled bool    `xml:"enabled"`
	Handler string  `xml:"lambdaFunctionArn,omitempty"`
	Status  *status `xml:"status"`
}

type describeEndpointsResponse struct {
	XMLName   xml.Name
	Items     items[endpointItem] `xml:"clientVpnEndpoint"`
	NextToken string              `xml:"nextToken,omitempty"`
	RequestID string              `xml:"requestId"`
}

const transport = "udp"

func (c *Cloud) describeEndpoints(form url.Values, requestID string) (any, *refusal) {
	ids := list(form, "ClientVpnEndpointId")
	for _, id := range ids {
		if c.byID[id] == nil {
			return nil, noEndpoint(id)
		}
	}
	if refused := dryRun(form); refused != nil {
		return nil, refused
	}
	// AWS does not document the filter tag:key for this action, though EC2 has it for tagged resources in general.
	filters, refused := filtersOf(form, func(name string) bool {
		return name == "endpoint-id" || name == "transport-protocol" || strings.HasPrefix(name, "tag:")
	})
	if refused != nil {
		return nil, refused
	}
	matching := listing[*endpoint]{
		scope: fmt.Sprint(ids, filters), things: c.endpoints,
		seq: func(e *endpoint) int { return e.seq },
		keep: func(e *endpoint) bool {
			return (len(ids) == 0 || slices.Contains(ids, e.ID)) && matches(filters, e.filterValue)
		},
	}
	page, token, refused := matching.page(form, c.PageSize)
	if refused != nil {
		return nil, refused
	}
	answer := describeEndpointsResponse{
		XMLName:   xml.Name{Space: ec2Space, Local: "DescribeClientVpnEndpointsResponse"},
		NextToken: token, RequestID: requestID,
	}
	for _, e := range page {
		answer.Items.Item = append(answer.Items.Item, c.item(e))
	}
	return answer, nil
}

func (e *endpoint) filterValue(name string) string {
	switch name {
	case "endpoint-id":
		return e.ID
	case "transport-protocol":
		return transport
	}
	return e.Tags[strings.TrimPrefix(name, "tag:")]
}

// item describes an endpoint as EC2 does.
func (c *Cloud) item(e *endpoint) endpointItem {
	item := endpointItem{
		CIDR: e.network.String() + "/12", ID: e.ID, Created: e.created.UTC().Format("2006-01-02T15:04:05"),
		Description: e.Description, DNSName: fmt.Sprintf("*.%s.prod.clientvpn.%s.amazonaws.com", e.ID, c.region()),
		SessionHours: cmp.Or(e.SessionHours, 24), Status: status{Code: e.Status}, Transport: transport, Port: 443,
		Protocol: "openvpn",
	}
	if c.asks(e) {
		item.Connect = connectOptions{true, c.arn("lambda", "function:AWSClientVPN-handler"), &status{Code: "applied"}}
	}
	if e.SelfServiceProvider != "" {
		item.PortalURL = "https://self-service.clientvpn.amazonaws.com/endpoints/" + e.ID
	}
	if e.TransitGateway == "" {
		item.VPC = "vpc-" + digest("vpc", 0)[:17]
	} else {
		item.TransitGateway = &transitGateway{e.TransitGateway}
	}
	for _, kind := range e.Authentication {
		item.Authentication.Item = append(item.Authentication.Item, c.authentication(e, kind))
	}
	for _, key := range slices.Sorted(maps.Keys(e.Tags)) {
		item.Tags.Item = append(item.Tags.Item, tagItem{key, e.Tags[key]})
	}
	return item
}

func (c *Cloud) authentication(e *endpoint, kind string) authenticationItem {
	option := authenticationItem{Type: kind}
	switch kind {
	case "certificate-authentication":
		option.Root = &root{cmp.Or(e.RootCertificate, c.arn("acm", "certificate/"+uuid("root", 0)))}
	case "directory-service-authentication":
		option.Directory = &directory{cmp.Or(e.Directory, "d-"+digest("directory", 0)[:10])}
	case "federated-authentication":
		arn := "arn:" + partition(c.region()) + ":iam::" + c.account() + ":saml-provider/clientvpn"
		option.Provider = &provider{cmp.Or(e.SAMLProvider, arn), e.SelfServiceProvider}
	}
	return option
}
