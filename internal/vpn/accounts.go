package vpn

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"clientvpn-responder/internal/vpn/ec2call"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"
)

// Account is another account or Region in which there are endpoints.
type Account struct {
	// Account is the account's id, empty for the program's own. Role is the ARN of the role that is assumed to act there.
	Account, Role string
	Region        string
	// Config leads there: it has the Region, and the credentials of the role.
	Config aws.Config
}

// account is an account and Region with the client that leads there.
type account struct {
	id, role, region string // id is empty for the program's own account

	own bool // the program's own account and Region
	api api
}

func newAccount(a Account) *account {
	return &account{id: a.Account, role: a.Role, region: a.Region, api: ec2call.New(a.Config)}
}

// nobodys is an id that no connection has: what EC2 is asked about in a dry run that is about the permission alone.
const nobodys = "cvpn-connection-00000000000000000"

// Probe finds out whether connections could be ended now, and ends none: it lists the endpoints, and on each asks for a page of
// connections and, with DryRun, for a termination. It returns how many endpoints and accounts there are, and what stands in
// the way.
func (v *VPN) Probe(ctx context.Context) (endpoints, accounts int, problems []error) {
	all, err := v.Endpoints(ctx, true)
	if err != nil {
		problems = append(problems, err)
	}
	if len(all) == 0 && err == nil {
		problems = append(problems, ErrNoEndpoint)
	}
	errs := make([]error, 2*len(all))
	var group errgroup.Group
	group.SetLimit(8)
	for i, e := range all {
		p := v.accountOf(e.account)
		group.Go(func() error {
			_, err := p.api.DescribeClientVpnConnections(ctx, &ec2.DescribeClientVpnConnectionsInput{ClientVpnEndpointId: &e.ID, MaxResults: aws.Int32(5)})
			if err != nil {
				errs[2*i] = fmt.Errorf("describing connections of %s%s: %w", e.ID, p.where(), permission(p.explainAssumeRole(err), "ec2:DescribeClientVpnConnections", e.ID))
			}
			return nil
		})
		group.Go(func() error {
			_, err := p.api.TerminateClientVpnConnections(ctx, &ec2.TerminateClientVpnConnectionsInput{
				ClientVpnEndpointId: &e.ID, ConnectionId: aws.String(nobodys), DryRun: aws.Bool(true),
			})
			switch c := ec2call.Code(err); {
			case c == "DryRunOperation":
			case err == nil:
				errs[2*i+1] = fmt.Errorf("terminating on %s%s: EC2 did not take the dry run for one", e.ID, p.where())
			default:
				errs[2*i+1] = fmt.Errorf("terminating on %s%s: %w", e.ID, p.where(), permission(p.explainAssumeRole(err), "ec2:TerminateClientVpnConnections", e.ID))
			}
			return nil
		})
	}
	_ = group.Wait() // errors are kept by endpoint
	for _, err := range errs {
		if err != nil {
			problems = append(problems, err)
		}
	}
	return len(all), len(v.accounts), problems
}

// ErrNoEndpoint says that there is nothing to guard.
var ErrNoEndpoint = errors.New("there is no Client VPN endpoint in this account and Region")

// accountOf gives the program's own account for none.
func (v *VPN) accountOf(p *account) *account { return cmp.Or(p, v.accounts[0]) }

// where names the account for errors, where it is not the program's own.
func (p *account) where() string {
	switch {
	case p.id != "":
		return " in account " + p.id + ", " + p.region
	case !p.own:
		return " in " + p.region
	}
	return ""
}

// explainAssumeRole says that the role could not be assumed, where that is what kept a call from being made.
func (p *account) explainAssumeRole(err error) error {
	var operation *smithy.OperationError
	for at := err; errors.As(at, &operation); at = operation.Err {
		if operation.Service() == "STS" {
			return fmt.Errorf("assuming %s, for which sts:AssumeRole must be allowed here and by the role: %w", p.role, err)
		}
	}
	return err
}

// endpoints lists those of the account, without those that are being deleted.
func (p *account) endpoints(ctx context.Context) ([]Endpoint, error) {
	var endpoints []Endpoint
	err := allPages(func(token *string) (*string, error) {
		page, err := p.api.DescribeClientVpnEndpoints(ctx, &ec2.DescribeClientVpnEndpointsInput{MaxResults: aws.Int32(1000), NextToken: token})
		if err != nil {
			return nil, permission(err, "ec2:DescribeClientVpnEndpoints", "*")
		}
		for _, e := range page.ClientVpnEndpoints {
			if e.Status != nil && (e.Status.Code == types.ClientVpnEndpointStatusCodeDeleting || e.Status.Code == types.ClientVpnEndpointStatusCodeDeleted) {
				continue
			}
			endpoint := Endpoint{ID: aws.ToString(e.ClientVpnEndpointId), KeepsClientIP: e.TransitGatewayConfiguration != nil, discovered: true, account: p}
			if handler := e.ClientConnectOptions; handler != nil && aws.ToBool(handler.Enabled) {
				endpoint.ConnectHandler = aws.ToString(handler.LambdaFunctionArn)
			}
			endpoints = append(endpoints, endpoint)
		}
		return page.NextToken, nil
	})
	if err != nil {
		return endpoints, fmt.Errorf("describing the endpoints%s: %w", p.where(), p.explainAssumeRole(err))
	}
	return endpoints, nil
}
