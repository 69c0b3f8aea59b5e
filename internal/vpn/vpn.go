// Package vpn finds people's AWS Client VPN connections, terminates them, and verifies that they ended.
//
// It promises to look everywhere: every endpoint, every page, user names and common names, any case. It promises to
// match exactly: a name is the whole name, and an empty [Target] finds nobody. EC2's answer to a request proves no end.
// A connection counts as ended when EC2 lists it as terminated, or lists it no more.
package vpn

import (
	"context"

	"clientvpn-responder/internal/vpn/ec2call"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// api is what is used of EC2.
type api interface {
	DescribeClientVpnEndpoints(context.Context, *ec2.DescribeClientVpnEndpointsInput,
		...func(*ec2.Options)) (*ec2.DescribeClientVpnEndpointsOutput, error)
	DescribeClientVpnConnections(context.Context, *ec2.DescribeClientVpnConnectionsInput,
		...func(*ec2.Options)) (*ec2.DescribeClientVpnConnectionsOutput, error)
	TerminateClientVpnConnections(context.Context, *ec2.TerminateClientVpnConnectionsInput,
		...func(*ec2.Options)) (*ec2.TerminateClientVpnConnectionsOutput, error)
}

// VPN is the Client VPN endpoints of one account in one Region, or of several.
type VPN struct {
	// EndpointIDs are the endpoints to guard. None means every endpoint.
	EndpointIDs []string

	accounts []*account // the first is the program's own
}

// New returns the VPN of the account and Region that cfg is for, and of others beside it. endpointIDs are the
// endpoints to guard, in whichever account they are; none means every endpoint.
func New(cfg aws.Config, endpointIDs []string, others ...Account) *VPN {
	own := &account{own: true, region: cfg.Region, api: ec2call.New(cfg)}
	v := &VPN{EndpointIDs: endpointIDs, accounts: []*account{own}}
	for _, a := range others {
		v.accounts = append(v.accounts, newAccount(a))
	}
	return v
}

// Refused reports whether EC2 refused a request, so that asking again would change nothing.
func Refused(err error) bool { return ec2call.Refused(err) }
