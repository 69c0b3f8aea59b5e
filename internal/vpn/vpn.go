// Package vpn finds people's AWS Client VPN connections and ends them.
//
// It promises to look everywhere (every endpoint, every page, user names and common names, any case) and to match
// exactly: a name is the whole name, and an empty [Target] finds nobody. What EC2 answers to a request is only that, an
// answer: a connection counts as ended when EC2 lists it as terminated, or lists it no more.
package vpn

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"clientvpn-responder/internal/signal"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"
)

// api is what is used of EC2.
type api interface {
	DescribeClientVpnEndpoints(context.Context, *ec2.DescribeClientVpnEndpointsInput, ...func(*ec2.Options)) (*ec2.DescribeClientVpnEndpointsOutput, error)
	DescribeClientVpnConnections(context.Context, *ec2.DescribeClientVpnConnectionsInput, ...func(*ec2.Options)) (*ec2.DescribeClientVpnConnectionsOutput, error)
	TerminateClientVpnConnections(context.Context, *ec2.TerminateClientVpnConnectionsInput, ...func(*ec2.Options)) (*ec2.TerminateClientVpnConnectionsOutput, error)
}

// VPN is the Client VPN endpoints of one account in one Region.
type VPN struct {
	// EndpointIDs are the endpoints to guard; none stands for every endpoint of the Region.
	EndpointIDs []string

	api    api
	region string
}

// New gives the VPN of the account and Region that cfg leads to.
func New(cfg aws.Config, endpointIDs []string) *VPN {
	return &VPN{EndpointIDs: endpointIDs, api: ec2.NewFromConfig(cfg), region: cfg.Region}
}

// Status is the state of a connection, in EC2's words.
type Status string

// The statuses. Source: EC2 API reference, ClientVpnConnectionStatus.
const (
	Active            Status = "active"
	Terminating       Status = "terminating"
	Terminated        Status = "terminated"
	FailedToTerminate Status = "failed-to-terminate"
)

// How says by what a connection was asked to end.
type How string

// The ways to ask.
const (
	ByUsername     How = "username"
	ByConnectionID How = "connection-id"
)

// Connection is one connection of a client to an endpoint, and what became of it.
type Connection struct {
	EndpointID    string    `json:"endpoint_id"`
	ID            string    `json:"connection_id"`
	Username      string    `json:"username,omitempty"`
	CommonName    string    `json:"common_name,omitempty"`
	ClientIP      string    `json:"client_ip,omitempty"`
	EstablishedAt time.Time `json:"established_at,omitzero"`
	// Previous is the status before the request, Current the one seen last.
	Previous Status `json:"previous_status"`
	Current  Status `json:"current_status"`
	How      How    `json:"how,omitempty"`
	// Error is why the request could not be made or was refused.
	Error   string `json:"error,omitempty"`
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`

	// Would is set by a dry run that EC2 would have carried out.
	Would bool `json:"-"`
	// RequestedAt and EndedAt are when EC2 answered the request, and when the end was seen.
	RequestedAt time.Time `json:"-"`
	EndedAt     time.Time `json:"-"`

	denied  bool // EC2 said that there is no such connection
	misses  int  // complete answers of EC2 that did not list it
	retried bool // asked again by id after denied
}

// Ended reports whether EC2 has shown that the connection is no more.
func (c *Connection) Ended() bool { return c.Current == Terminated }

// Target is whom to find: anybody under one of the names, or one connection, or the holder of an address. The zero
// Target finds nobody.
type Target struct {
	// Names are compared with user names and common names, folded and whole.
	Names        []string
	ConnectionID string
	// ClientIP counts only on endpoints that keep it as a source address. At is when it was the person's: a connection
	// established later is somebody else's turn with the address.
	ClientIP string
	At       time.Time
}

// Match is a connection that a target led to.
type Match struct {
	*Connection
	// Doubt says why it may be another person's, so that it must not be ended; empty if there is none.
	Doubt string

	byUsername bool // it carries one of the target's names as its user name
}

// Endpoint is a Client VPN endpoint.
type Endpoint struct {
	ID string
	// KeepsClientIP says that others see a client under its own address: endpoints on a transit gateway do, those on
	// subnets translate it. Source: AWS Client VPN administrator guide, "Transit gateway".
	KeepsClientIP bool

	discovered bool
}

// Endpoints gives the endpoints to look at, without those that are being deleted. It asks EC2 only where none are given,
// or where addresses matters: whether client addresses are kept. Given endpoints are returned even with an error.
func (v *VPN) Endpoints(ctx context.Context, addresses bool) ([]Endpoint, error) {
	var endpoints []Endpoint
	for _, id := range v.EndpointIDs {
		endpoints = append(endpoints, Endpoint{ID: id})
	}
	if len(endpoints) > 0 && !addresses {
		return endpoints, nil
	}
	pages := ec2.NewDescribeClientVpnEndpointsPaginator(v.api, &ec2.DescribeClientVpnEndpointsInput{MaxResults: aws.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return endpoints, fmt.Errorf("describing the endpoints: %w", permission(err, "ec2:DescribeClientVpnEndpoints", "*"))
		}
		for _, e := range page.ClientVpnEndpoints {
			found := Endpoint{ID: aws.ToString(e.ClientVpnEndpointId), KeepsClientIP: e.TransitGatewayConfiguration != nil, discovered: true}
			if len(v.EndpointIDs) > 0 {
				if i := slices.Index(v.EndpointIDs, found.ID); i >= 0 {
					endpoints[i].KeepsClientIP = found.KeepsClientIP
				}
				continue
			}
			if e.Status != nil && (e.Status.Code == types.ClientVpnEndpointStatusCodeDeleting || e.Status.Code == types.ClientVpnEndpointStatusCodeDeleted) {
				continue
			}
			endpoints = append(endpoints, found)
		}
	}
	return endpoints, nil
}

// Found is what a listing of the endpoints gave, by target.
type Found struct {
	// Up are the connections that have not ended.
	Up [][]Match
	// EndedAt are the ends of those that have, as far back as EC2 lists them: an hour.
	EndedAt [][]time.Time
	// Err joins the errors of the endpoints that could not be listed to the end.
	Err error
}

// Find lists every endpoint once, side by side, and picks the connections of the targets. It holds only what it picks,
// however many connections there are. Endpoints that cannot be listed do not stop the others.
func (v *VPN) Find(ctx context.Context, endpoints []Endpoint, targets []Target) Found {
	found := Found{Up: make([][]Match, len(targets)), EndedAt: make([][]time.Time, len(targets))}
	wanted := newIndex(targets)
	if wanted.empty() {
		return found
	}
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(8)
	errs := make([]error, len(endpoints))
	for i, e := range endpoints {
		group.Go(func() error {
			errs[i] = v.list(ctx, e, nil, func(c types.ClientVpnConnection) {
				hits := wanted.hits(c, e)
				if len(hits) == 0 {
					return
				}
				mu.Lock()
				defer mu.Unlock()
				connection := v.connection(c)
				for _, h := range hits {
					if !connection.Ended() {
						found.Up[h.target] = append(found.Up[h.target], Match{connection, h.doubt, h.byUsername})
					} else if h.doubt == "" {
						found.EndedAt[h.target] = append(found.EndedAt[h.target], readTime(c.ConnectionEndTime))
					}
				}
			})
			return nil
		})
	}
	_ = group.Wait() // errors are kept by endpoint
	found.Err = errors.Join(errs...)
	for _, matches := range found.Up {
		slices.SortStableFunc(matches, func(a, b Match) int {
			if c := slices.Index(ids(endpoints), a.EndpointID) - slices.Index(ids(endpoints), b.EndpointID); c != 0 {
				return c
			}
			return a.EstablishedAt.Compare(b.EstablishedAt)
		})
	}
	return found
}

func ids(endpoints []Endpoint) []string {
	var all []string
	for _, e := range endpoints {
		all = append(all, e.ID)
	}
	return all
}

// list calls each for every connection of the endpoint, or only for those with the given ids. An endpoint that was
// discovered and is gone by now has none.
func (v *VPN) list(ctx context.Context, e Endpoint, only []string, each func(types.ClientVpnConnection)) error {
	input := &ec2.DescribeClientVpnConnectionsInput{ClientVpnEndpointId: &e.ID, MaxResults: aws.Int32(1000)}
	if only != nil {
		input.Filters = []types.Filter{{Name: aws.String("connection-id"), Values: only}}
	}
	pages := ec2.NewDescribeClientVpnConnectionsPaginator(v.api, input, func(o *ec2.DescribeClientVpnConnectionsPaginatorOptions) {
		o.StopOnDuplicateToken = true
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if e.discovered && code(err) == "InvalidClientVpnEndpointId.NotFound" {
			return nil
		}
		if err != nil {
			return fmt.Errorf("describing connections of %s: %w", e.ID, permission(err, "ec2:DescribeClientVpnConnections", e.ID))
		}
		for _, c := range page.Connections {
			each(c)
		}
	}
	return nil
}

func (v *VPN) connection(c types.ClientVpnConnection) *Connection {
	status := currentStatus(c)
	return &Connection{
		EndpointID:    aws.ToString(c.ClientVpnEndpointId),
		ID:            aws.ToString(c.ConnectionId),
		Username:      aws.ToString(c.Username),
		CommonName:    aws.ToString(c.CommonName),
		ClientIP:      aws.ToString(c.ClientIp),
		EstablishedAt: readTime(c.ConnectionEstablishedTime),
		Previous:      status,
		Current:       status,
		Region:        v.region,
	}
}

// currentStatus takes a connection without a status for active: it is better looked at twice than not at all.
func currentStatus(c types.ClientVpnConnection) Status {
	if c.Status == nil || c.Status.Code == "" {
		return Active
	}
	return Status(c.Status.Code)
}

// readTime reads EC2's "2019-08-12 07:57:14", which is UTC; what is not a time ("-" while active) is the zero time.
func readTime(s *string) time.Time {
	at, err := time.Parse(time.DateTime, aws.ToString(s))
	if err != nil {
		return time.Time{}
	}
	return at
}

// index leads from what a connection carries to the targets that want it.
type index struct {
	names     map[string][]int
	ids       map[string][]int
	addresses map[netip.Addr][]int
	targets   []Target
}

type hit struct {
	target     int
	doubt      string
	byUsername bool
}

func newIndex(targets []Target) index {
	ix := index{map[string][]int{}, map[string][]int{}, map[netip.Addr][]int{}, targets}
	for i, t := range targets {
		for _, name := range t.Names {
			if folded := fold(name); folded != "" && !slices.Contains(ix.names[folded], i) {
				ix.names[folded] = append(ix.names[folded], i)
			}
		}
		if t.ConnectionID != "" {
			ix.ids[t.ConnectionID] = append(ix.ids[t.ConnectionID], i)
		}
		if ip, err := netip.ParseAddr(t.ClientIP); err == nil {
			ix.addresses[ip.Unmap()] = append(ix.addresses[ip.Unmap()], i)
		}
	}
	return ix
}

func (ix index) empty() bool { return len(ix.names)+len(ix.ids)+len(ix.addresses) == 0 }

// fold gives the spelling for comparison, "" for what is nobody's name.
func fold(name string) string { return signal.Fold(signal.Name(name)) }

func (ix index) hits(c types.ClientVpnConnection, e Endpoint) []hit {
	var hits []hit
	add := func(h hit) {
		if !slices.ContainsFunc(hits, func(other hit) bool { return other.target == h.target }) {
			hits = append(hits, h)
		}
	}
	username, commonName := fold(aws.ToString(c.Username)), fold(aws.ToString(c.CommonName))
	for _, t := range ix.names[username] {
		add(hit{target: t, byUsername: true})
	}
	for _, t := range ix.ids[aws.ToString(c.ConnectionId)] {
		add(hit{target: t})
	}
	for _, t := range ix.names[commonName] {
		h := hit{target: t}
		if username != "" {
			// With a certificate and a user together, the certificate may be the device's.
			h.doubt = fmt.Sprintf("its user is %s; only its certificate is %s", aws.ToString(c.Username), aws.ToString(c.CommonName))
		}
		add(h)
	}
	if !e.KeepsClientIP {
		return hits
	}
	for _, address := range []*string{c.ClientIp, c.ClientIpv6Address} {
		ip, err := netip.ParseAddr(aws.ToString(address))
		if err != nil {
			continue
		}
		for _, t := range ix.addresses[ip.Unmap()] {
			h := hit{target: t}
			if at := readTime(c.ConnectionEstablishedTime); at.After(ix.targets[t].At) {
				h.doubt = fmt.Sprintf("it was established at %s, after the event, so another person may have had the address then", at.Format(time.DateTime))
			}
			add(h)
		}
	}
	return hits
}

// code is EC2's error code, "" for any other error.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// permission names the permission that is missing, where that is what the error says.
func permission(err error, action, endpointID string) error {
	if code(err) != "UnauthorizedOperation" {
		return err
	}
	return fmt.Errorf("missing permission %s on client-vpn-endpoint/%s: %w", action, endpointID, err)
}
