package vpn

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"clientvpn-responder/internal/vpn/ec2call"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"golang.org/x/sync/errgroup"
)

// noConnection is an id that no connection has. A dry run about the permission alone asks for it.
const noConnection = "cvpn-connection-00000000000000000"

// Probe finds out whether connections could be terminated now, and terminates none. It lists the endpoints, and asks
// each for a page of connections and, with DryRun, for a termination. It returns how many endpoints and accounts there
// are, and every problem.
func (v *VPN) Probe(ctx context.Context) (endpoints, accounts int, problems []error) {
	all, err := v.Endpoints(ctx, true)
	if len(all) == 0 && err == nil {
		err = ErrNoEndpoint
	}
	errs := make([]error, 2*len(all))
	var group errgroup.Group
	group.SetLimit(8)
	for i, e := range all {
		a := v.accountOf(e.account)
		group.Go(func() error {
			errs[2*i] = a.probeListing(ctx, e.ID)
			return nil
		})
		group.Go(func() error {
			errs[2*i+1] = a.probeTermination(ctx, e.ID)
			return nil
		})
	}
	_ = group.Wait() // errors are kept by endpoint
	problems = slices.DeleteFunc(append([]error{err}, errs...), func(err error) bool { return err == nil })
	return len(all), len(v.accounts), problems
}

func (a *account) probeListing(ctx context.Context, endpointID string) error {
	input := &ec2.DescribeClientVpnConnectionsInput{ClientVpnEndpointId: &endpointID, MaxResults: aws.Int32(5)}
	if _, err := a.api.DescribeClientVpnConnections(ctx, input); err != nil {
		return a.explainListing(err, endpointID)
	}
	return nil
}

func (a *account) probeTermination(ctx context.Context, endpointID string) error {
	_, err := a.api.TerminateClientVpnConnections(ctx, &ec2.TerminateClientVpnConnectionsInput{
		ClientVpnEndpointId: &endpointID, ConnectionId: aws.String(noConnection), DryRun: aws.Bool(true),
	})
	switch {
	case ec2call.Code(err) == "DryRunOperation":
		return nil
	case err == nil:
		err = errors.New("EC2 did not take the dry run for one")
	default:
		err = permission(a.explainAssumeRole(err), "ec2:TerminateClientVpnConnections", endpointID)
	}
	return fmt.Errorf("terminating on %s%s: %w", endpointID, a.where(), err)
}
