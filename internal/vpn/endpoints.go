package vpn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"golang.org/x/sync/errgroup"
)

// Endpoint is a Client VPN endpoint.
type Endpoint struct {
	ID string
	// KeepsClientIP says that others see a client under its own address: endpoints on a transit gateway do, those on
	// subnets translate it. Source: AWS Client VPN administrator guide, "Transit gateway".
	KeepsClientIP bool
	// ConnectHandler is the ARN of the Lambda function that decides about each new connection. It is empty if there is
	// none, or if EC2 was not asked.
	ConnectHandler string
	// Name is the value of the tag Name, and Description what the operator wrote.
	Name, Description string
	// Authentication is how clients prove who they are. It is empty if EC2 was not asked.
	Authentication []Authentication
	// SessionTimeout is how long a session lasts at most; zero if EC2 was not asked.
	SessionTimeout time.Duration

	discovered bool
	account    *account
}

// Elsewhere reports whether the endpoint is in another account or Region than the program's own.
func (e Endpoint) Elsewhere() bool { return e.account != nil && e.account.where() != "" }

// DisplayName returns the tag Name, or else the description; empty if the endpoint has neither.
func (e Endpoint) DisplayName() string { return cmp.Or(e.Name, e.Description) }

// sessionEnd returns when a session is over by the session timeout; zero if that is not known.
func (e Endpoint) sessionEnd(established time.Time) time.Time {
	if e.SessionTimeout == 0 || established.IsZero() {
		return time.Time{}
	}
	return established.Add(e.SessionTimeout)
}

// maxAccounts is how many accounts are asked for their endpoints side by side. Each has limits of its own at EC2, and
// the answers are short.
const maxAccounts = 256

// ErrNoEndpoint says that there is nothing to guard.
var ErrNoEndpoint = errors.New("there is no Client VPN endpoint in this account and Region")

// Discovers reports whether EC2 is asked which endpoints there are.
func (v *VPN) Discovers() bool { return len(v.EndpointIDs) == 0 || len(v.accounts) > 1 }

// Endpoints returns the endpoints to search, without those that are being deleted. It asks EC2 only if none are
// configured, if they may be in several accounts, or if addresses matters: whether client addresses are kept. It
// returns what it found even with an error, which names the accounts that could not be asked.
func (v *VPN) Endpoints(ctx context.Context, addresses bool) ([]Endpoint, error) {
	if !v.Discovers() && !addresses {
		return v.configured(), nil
	}
	found := make([][]Endpoint, len(v.accounts))
	errs := make([]error, len(v.accounts))
	var group errgroup.Group
	group.SetLimit(maxAccounts)
	for i, a := range v.accounts {
		group.Go(func() error {
			found[i], errs[i] = a.endpoints(ctx)
			return nil
		})
	}
	_ = group.Wait() // errors are kept by account
	all := slices.Concat(found...)
	if len(v.EndpointIDs) == 0 {
		return all, errors.Join(errs...)
	}
	endpoints, missing := v.choose(all, errors.Join(errs...) == nil)
	return endpoints, errors.Join(append(errs, missing...)...)
}

// configured returns the configured endpoints as they are if EC2 is not asked about them.
func (v *VPN) configured() []Endpoint {
	var endpoints []Endpoint
	for _, id := range v.EndpointIDs {
		endpoints = append(endpoints, Endpoint{ID: id, account: v.accounts[0]})
	}
	return endpoints
}

// choose returns the configured endpoints with what EC2 says of them. It returns an error for each that is in none of
// several accounts, if all accounts have answered.
func (v *VPN) choose(all []Endpoint, complete bool) ([]Endpoint, []error) {
	var endpoints []Endpoint
	var missing []error
	for _, e := range v.configured() {
		i := slices.IndexFunc(all, func(other Endpoint) bool { return other.ID == e.ID })
		switch {
		case i >= 0:
			known := all[i]
			known.discovered = false // if it is gone later, the configuration is wrong
			endpoints = append(endpoints, known)
		case len(v.accounts) == 1:
			endpoints = append(endpoints, e)
		case complete:
			missing = append(missing, fmt.Errorf("%s is in none of the accounts and Regions", e.ID))
		}
	}
	return endpoints, missing
}

// endpoints returns the account's endpoints, without those that are being deleted.
func (a *account) endpoints(ctx context.Context) ([]Endpoint, error) {
	var endpoints []Endpoint
	input := &ec2.DescribeClientVpnEndpointsInput{MaxResults: aws.Int32(1000)}
	seen := tokens{}
	for {
		page, err := a.api.DescribeClientVpnEndpoints(ctx, input)
		if err != nil {
			err = permission(err, "ec2:DescribeClientVpnEndpoints", "*")
			return endpoints, fmt.Errorf("describing the endpoints%s: %w", a.where(), a.explainAssumeRole(err))
		}
		for _, e := range page.ClientVpnEndpoints {
			if !deleted(e) {
				endpoints = append(endpoints, a.endpoint(e))
			}
		}
		input.NextToken, err = seen.next(page.NextToken)
		if err != nil {
			return endpoints, fmt.Errorf("describing the endpoints%s: %w", a.where(), err)
		}
		if input.NextToken == nil {
			return endpoints, nil
		}
	}
}

func deleted(e types.ClientVpnEndpoint) bool {
	return e.Status != nil && (e.Status.Code == types.ClientVpnEndpointStatusCodeDeleting ||
		e.Status.Code == types.ClientVpnEndpointStatusCodeDeleted)
}

func (a *account) endpoint(e types.ClientVpnEndpoint) Endpoint {
	endpoint := Endpoint{
		ID:             aws.ToString(e.ClientVpnEndpointId),
		KeepsClientIP:  e.TransitGatewayConfiguration != nil,
		Name:           nameTag(e.Tags),
		Description:    aws.ToString(e.Description),
		Authentication: authentications(e.AuthenticationOptions),
		SessionTimeout: hours(e.SessionTimeoutHours),
		discovered:     true,
		account:        a,
	}
	if handler := e.ClientConnectOptions; handler != nil && aws.ToBool(handler.Enabled) {
		endpoint.ConnectHandler = aws.ToString(handler.LambdaFunctionArn)
	}
	return endpoint
}

// tokens are the page tokens seen so far.
type tokens map[string]bool

// next returns the token of the next page, nil if there is none. A token that repeats is an error: it would end in a
// circle, or skip the pages behind it.
func (seen tokens) next(token *string) (*string, error) {
	switch t := aws.ToString(token); {
	case t == "":
		return nil, nil //nolint:nilnil // no next page
	case seen[t]:
		return nil, errors.New("EC2 repeats a page token")
	default:
		seen[t] = true
		return token, nil
	}
}
