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
	"strconv"
	"strings"
	"sync"
	"time"

	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/vpn/ec2call"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"golang.org/x/sync/errgroup"
)

// api is what is used of EC2.
type api interface {
	DescribeClientVpnEndpoints(context.Context, *ec2.DescribeClientVpnEndpointsInput, ...func(*ec2.Options)) (*ec2.DescribeClientVpnEndpointsOutput, error)
	DescribeClientVpnConnections(context.Context, *ec2.DescribeClientVpnConnectionsInput, ...func(*ec2.Options)) (*ec2.DescribeClientVpnConnectionsOutput, error)
	TerminateClientVpnConnections(context.Context, *ec2.TerminateClientVpnConnectionsInput, ...func(*ec2.Options)) (*ec2.TerminateClientVpnConnectionsOutput, error)
}

// VPN is the Client VPN endpoints of one account in one Region, or of several.
type VPN struct {
	// EndpointIDs are the endpoints to guard; none stands for every one.
	EndpointIDs []string

	accounts []*account // the first is the program's own
}

// New gives the VPN of the account and Region that cfg leads to, and of others beside it. endpointIDs are the endpoints to
// guard, wherever they are; none stands for every endpoint.
func New(cfg aws.Config, endpointIDs []string, others ...Account) *VPN {
	v := &VPN{EndpointIDs: endpointIDs, accounts: []*account{{own: true, region: cfg.Region, api: ec2call.New(cfg)}}}
	for _, p := range others {
		v.accounts = append(v.accounts, newAccount(p))
	}
	return v
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
	// IngressBytes is what the client has sent, EgressBytes what it has received, when the connection was seen last.
	// Source: EC2 API reference, ClientVpnConnection.
	IngressBytes int64 `json:"ingress_bytes"`
	EgressBytes  int64 `json:"egress_bytes"`
	// RequestedAt and EndedAt are when EC2 answered the request to end it last, and when the end was seen.
	RequestedAt time.Time `json:"requested_at,omitzero"`
	EndedAt     time.Time `json:"ended_at,omitzero"`
	// RequestIDs are EC2's of the listing that showed the connection first, of the requests to end it, and of the look
	// that showed its end, as CloudTrail has them.
	RequestIDs []string `json:"request_ids,omitempty"`
	// Error is why the request could not be made or was refused.
	Error   string `json:"error,omitempty"`
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`

	// Err is the error that Error says.
	Err error `json:"-"`
	// Would is set by a dry run that EC2 would have carried out.
	Would bool `json:"-"`
	// Lost is why it is not known whether EC2 got the request; empty if it is.
	Lost string `json:"-"`

	denied   bool // EC2 said that there is no such connection
	misses   int  // answers of EC2 to a question for it that did not list it
	relisted bool // EC2 listed it again after that
	retried  bool // asked again by id, after denied or lost
	account  *account
}

// Ended reports whether EC2 has shown that the connection is no more.
func (c *Connection) Ended() bool { return c.Current == Terminated }

// Pending reports whether the connection was asked to end, by us or before us, and has neither ended nor failed to.
func (c *Connection) Pending() bool {
	return (!c.RequestedAt.IsZero() || c.Current == Terminating) && c.Error == "" && !c.Ended() && c.Current != FailedToTerminate
}

// Revive takes back that the connection ended: a listing shows it with status s. From now on only a row that says
// terminated counts as its end.
func (c *Connection) Revive(s Status) {
	c.Current, c.EndedAt, c.relisted = s, time.Time{}, true
}

// fail records why the request could not be made or was refused.
func (c *Connection) fail(err error) { c.Err, c.Error = err, err.Error() }

// noteRequest keeps the id of a request that says something about the connection.
func (c *Connection) noteRequest(id string) {
	if id != "" {
		c.RequestIDs = append(c.RequestIDs, id)
	}
}

// Target is whom to find: anybody under one of the names, or one connection, or the holder of an address. The zero
// Target finds nobody.
type Target struct {
	// Names are compared with user names and common names, CommonNames with common names alone; folded and whole.
	Names, CommonNames []string
	// Spellings are the user names as they are probably written, to ask EC2 for them directly, which is sensitive to case.
	Spellings    []string
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
	// ConnectHandler is the ARN of the Lambda function that is asked about each new connection; empty for none, or if EC2 was
	// not asked.
	ConnectHandler string

	discovered bool
	account    *account
}

// Elsewhere reports whether the endpoint is in another account or Region than the program's own.
func (e Endpoint) Elsewhere() bool { return e.account != nil && e.account.where() != "" }

// Discovers reports whether EC2 is asked which endpoints there are.
func (v *VPN) Discovers() bool { return len(v.EndpointIDs) == 0 || len(v.accounts) > 1 }

// Endpoints gives the endpoints to look at, without those that are being deleted. It asks EC2 only where none are given, or
// where they may be in several accounts, or where addresses matters: whether client addresses are kept. What could be found
// is returned even with an error, which names the accounts that could not be asked.
func (v *VPN) Endpoints(ctx context.Context, addresses bool) ([]Endpoint, error) {
	var given []Endpoint
	for _, id := range v.EndpointIDs {
		given = append(given, Endpoint{ID: id, account: v.accounts[0]})
	}
	if !v.Discovers() && !addresses {
		return given, nil
	}
	found := make([][]Endpoint, len(v.accounts))
	errs := make([]error, len(v.accounts))
	var group errgroup.Group
	group.SetLimit(8)
	for i, p := range v.accounts {
		group.Go(func() error {
			found[i], errs[i] = p.endpoints(ctx)
			return nil
		})
	}
	_ = group.Wait() // errors are kept by account
	err := errors.Join(errs...)
	all := slices.Concat(found...)
	if len(given) == 0 {
		return all, err
	}
	var endpoints []Endpoint
	for _, e := range given {
		i := slices.IndexFunc(all, func(other Endpoint) bool { return other.ID == e.ID })
		switch {
		case i >= 0:
			e.KeepsClientIP, e.ConnectHandler, e.account = all[i].KeepsClientIP, all[i].ConnectHandler, all[i].account
			endpoints = append(endpoints, e)
		case len(v.accounts) == 1:
			endpoints = append(endpoints, e)
		case err == nil:
			errs = append(errs, fmt.Errorf("%s is in none of the accounts and Regions", e.ID))
		}
	}
	return endpoints, errors.Join(errs...)
}

// allPages asks for one page after another. A token that repeats would end in a circle, or skip what is behind it.
func allPages(page func(token *string) (next *string, err error)) error {
	seen := map[string]bool{}
	var token *string
	for {
		next, err := page(token)
		switch {
		case err != nil:
			return err
		case aws.ToString(next) == "":
			return nil
		case seen[*next]:
			return errors.New("EC2 repeats a page token")
		}
		seen[*next] = true
		token = next
	}
}

// Found is what a listing of the endpoints gave, by target.
type Found struct {
	// Up are the connections that have not ended, in the order of the endpoints and then of their age.
	Up [][]Match
	// EndedAt are the ends of those that have, as far back as EC2 lists them: an hour.
	EndedAt [][]time.Time
	// Failed are the endpoints that could not be listed to the end, by id, with the error.
	Failed map[string]error
	// RequestIDs are EC2's of the listings; of one with several pages, of the first and the last.
	RequestIDs []string
}

// Find lists every endpoint once, side by side, and picks the connections of the targets. It holds only what it picks,
// however many connections there are. Endpoints that cannot be listed do not stop the others.
//
// An endpoint with more than one page of connections is also asked for the targets' spellings alone. Where that is known
// of all endpoints before they are listed to the end, early gets what was found until then, while the listings go on: every
// connection with one of the spellings, and of the endpoints that were listed to the end, all; but nothing for targets with an
// address. Find returns the rest. One endpoint that does not answer holds early up for some seconds only. early may be nil;
// it is also told when the listings are over.
func (v *VPN) Find(ctx context.Context, endpoints []Endpoint, targets []Target, early func(found Found, over <-chan struct{})) Found {
	wanted := newIndex(targets)
	if wanted.empty() {
		return newFound(len(targets))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	h := &hunt{
		vpn: v, wanted: wanted, endpoints: endpoints, catches: make([]catch, len(endpoints)),
		connections: map[string]*Connection{}, told: map[telling]bool{},
	}
	var asked, listed errgroup.Group // the filters, and the listings
	listed.SetLimit(32)
	var first sync.WaitGroup // of each endpoint, what early waits for
	first.Add(len(endpoints))
	spellings := wanted.spellings()
	over, answered := make(chan struct{}), make(chan struct{})
	go func() {
		for i, e := range endpoints {
			e.account = v.accountOf(e.account)
			known := sync.OnceFunc(first.Done)
			listed.Go(func() error {
				h.list(ctx, i, e, func() {
					// There is more than one page.
					if early != nil && len(spellings) > 0 {
						asked.Go(func() error {
							h.ask(ctx, i, e, spellings)
							known()
							return nil
						})
					}
				})
				known()
				return nil
			})
		}
		_ = listed.Wait() // errors are kept by endpoint
		close(over)
	}()
	go func() {
		first.Wait()
		close(answered)
	}()
	patience := time.NewTimer(maxPatience)
	defer patience.Stop()
	select {
	case <-over:
	case <-answered:
		h.tell(early, over)
	case <-patience.C:
		h.tell(early, over)
	}
	<-over
	cancel() // a filter that is still asked for finds nothing that was not listed
	_ = asked.Wait()
	<-answered
	return h.found()
}

// maxPatience is how long an endpoint is waited for before what the others have is acted on.
const maxPatience = 5 * time.Second

// hunt is one search for connections, on all endpoints.
type hunt struct {
	vpn       *VPN
	wanted    index
	endpoints []Endpoint

	mu          sync.Mutex
	catches     []catch                // by endpoint
	connections map[string]*Connection // that were gathered, by id
	told        map[telling]bool
}

// telling is a connection that a target was given.
type telling struct {
	target int
	id     string
}

// catch is what was found on one endpoint.
type catch struct {
	filtered, listed []row
	over             bool // the listing is, to the end or with err
	err              error
	requestIDs       []string
}

// row is a connection that a target may want.
type row struct {
	types.ClientVpnConnection

	requestID string
	hits      []hit
}

// pick gives the row if a target may want it.
func (h *hunt) pick(c types.ClientVpnConnection, e Endpoint, requestID string) []row {
	hits := h.wanted.hits(c, e)
	if len(hits) == 0 {
		return nil
	}
	return []row{{c, requestID, hits}}
}

// list lists the endpoint, and calls more when it turns out that there is a second page.
func (h *hunt) list(ctx context.Context, i int, e Endpoint, more func()) {
	pages, err := h.vpn.list(ctx, e, nil, h.wanted.rowFilter(), func(page *ec2.DescribeClientVpnConnectionsOutput, requestID string) {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, c := range page.Connections {
			h.catches[i].listed = append(h.catches[i].listed, h.pick(c, e, requestID)...)
		}
		if more != nil && aws.ToString(page.NextToken) != "" {
			more()
			more = nil
		}
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	c := &h.catches[i]
	c.over, c.err = true, err
	c.requestIDs = append(c.requestIDs, pages...)
}

// ask has EC2 look for the user names, in these spellings. If it cannot, the listing will show the connections.
func (h *hunt) ask(ctx context.Context, i int, e Endpoint, spellings []string) {
	for some := range slices.Chunk(spellings, maxFilterValues) {
		pages, _ := h.vpn.list(ctx, e, &types.Filter{Name: aws.String("username"), Values: some}, nil, func(page *ec2.DescribeClientVpnConnectionsOutput, requestID string) {
			h.mu.Lock()
			defer h.mu.Unlock()
			for _, c := range page.Connections {
				h.catches[i].filtered = append(h.catches[i].filtered, h.pick(c, e, requestID)...)
			}
		})
		h.mu.Lock()
		h.catches[i].requestIDs = append(h.catches[i].requestIDs, pages...)
		h.mu.Unlock()
	}
}

// tell has early act on the connections that were found so far, if there are any and listings go on. Of an endpoint that is
// still being listed only the answer to the filter counts, so that of a spelling all connections are known or none.
func (h *hunt) tell(early func(Found, <-chan struct{}), over <-chan struct{}) {
	h.mu.Lock()
	going := slices.ContainsFunc(h.catches, func(c catch) bool { return !c.over })
	h.mu.Unlock()
	if early == nil || !going {
		return
	}
	some := h.gather(func(c catch, t Target) []row {
		switch {
		case t.ClientIP != "":
			return nil
		case c.over && c.err == nil:
			return c.listed
		}
		return c.filtered
	})
	if slices.ContainsFunc(some.Up, func(matches []Match) bool { return len(matches) > 0 }) {
		early(some, over)
	}
}

// found gives everything that early was not told.
func (h *hunt) found() Found {
	return h.gather(func(c catch, _ Target) []row { return slices.Concat(c.filtered, c.listed) })
}

// gather puts together what was found on all endpoints for each target: each connection once, and none that it was given
// before.
func (h *hunt) gather(rows func(catch, Target) []row) Found {
	h.mu.Lock()
	defer h.mu.Unlock()
	found := newFound(len(h.wanted.targets))
	for i, c := range h.catches {
		for t, target := range h.wanted.targets {
			var up []Match
			for _, r := range rows(c, target) {
				k := slices.IndexFunc(r.hits, func(hit hit) bool { return hit.target == t })
				told := telling{t, aws.ToString(r.ConnectionId)}
				if k < 0 || h.told[told] {
					continue
				}
				h.told[told] = true
				connection := h.connections[told.id]
				if connection == nil {
					connection = h.vpn.accountOf(h.endpoints[i].account).connection(r.ClientVpnConnection)
					connection.noteRequest(r.requestID)
					h.connections[told.id] = connection
				}
				switch hit := r.hits[k]; {
				case !connection.Ended():
					up = append(up, Match{connection, hit.doubt, hit.byUsername})
				case hit.doubt == "":
					found.EndedAt[t] = append(found.EndedAt[t], readTime(r.ConnectionEndTime))
				}
			}
			slices.SortStableFunc(up, func(a, b Match) int { return a.EstablishedAt.Compare(b.EstablishedAt) })
			found.Up[t] = append(found.Up[t], up...)
		}
		found.RequestIDs = append(found.RequestIDs, c.requestIDs...)
		if c.err != nil {
			found.Failed[h.endpoints[i].ID] = c.err
		}
	}
	return found
}

func newFound(targets int) Found {
	return Found{Up: make([][]Match, targets), EndedAt: make([][]time.Time, targets), Failed: map[string]error{}}
}

// maxPage is how long a page is waited for, all attempts together. An endpoint that hangs is given up then; one that is
// large may take as long as there is time.
const maxPage = 20 * time.Second

// list calls each with every page of the endpoint's connections, or of those that pass the filter, and the id of the request
// that gave it. It returns the ids of the requests that gave the first and the last page: an endpoint may have hundreds.
// An endpoint that was discovered and is gone by now has no connection.
func (v *VPN) list(ctx context.Context, e Endpoint, only *types.Filter, rows *ec2call.RowFilter, each func(page *ec2.DescribeClientVpnConnectionsOutput, requestID string)) ([]string, error) {
	input := &ec2.DescribeClientVpnConnectionsInput{ClientVpnEndpointId: &e.ID, MaxResults: aws.Int32(1000)}
	if only != nil {
		input.Filters = []types.Filter{*only}
	}
	var options []func(*ec2.Options)
	if rows != nil {
		options = append(options, rows.Into)
	}
	var requestIDs []string
	err := allPages(func(token *string) (*string, error) {
		input.NextToken = token
		ctx, cancel := context.WithTimeout(ctx, maxPage)
		defer cancel()
		page, err := e.account.api.DescribeClientVpnConnections(ctx, input, options...)
		if err != nil {
			return nil, permission(err, "ec2:DescribeClientVpnConnections", e.ID)
		}
		id := ec2call.ResultID(page.ResultMetadata)
		if id != "" {
			requestIDs = append(requestIDs[:min(len(requestIDs), 1)], id)
		}
		each(page, id)
		return page.NextToken, nil
	})
	if err == nil || e.discovered && ec2call.Code(err) == "InvalidClientVpnEndpointId.NotFound" {
		return requestIDs, nil
	}
	return requestIDs, fmt.Errorf("describing connections of %s%s: %w", e.ID, e.account.where(), e.account.explainAssumeRole(err))
}

func (p *account) connection(c types.ClientVpnConnection) *Connection {
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
		IngressBytes:  readNumber(c.IngressBytes),
		EgressBytes:   readNumber(c.EgressBytes),
		Account:       p.id,
		Region:        p.region,
		account:       p,
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

// readNumber reads one of EC2's counts, which are texts; what is none is 0.
func readNumber(s *string) int64 {
	n, _ := strconv.ParseInt(aws.ToString(s), 10, 64)
	return n
}

// index leads from what a connection carries to the targets that want it.
type index struct {
	names       map[string][]int
	commonNames map[string][]int
	ids         map[string][]int
	addresses   map[netip.Addr][]int
	targets     []Target
}

type hit struct {
	target     int
	doubt      string
	byUsername bool
}

func newIndex(targets []Target) index {
	ix := index{map[string][]int{}, map[string][]int{}, map[string][]int{}, map[netip.Addr][]int{}, targets}
	for i, t := range targets {
		add := func(to map[string][]int, name string) {
			if folded := fold(name); folded != "" {
				to[folded] = append(to[folded], i)
			}
		}
		for _, name := range t.Names {
			add(ix.names, name)
			add(ix.commonNames, name)
		}
		for _, name := range t.CommonNames {
			add(ix.commonNames, name)
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

// spellings are those of all targets, each once.
func (ix index) spellings() []string {
	var all []string
	for _, t := range ix.targets {
		for _, spelling := range t.Spellings {
			// To ask for "" may list everybody, and to ask for * may too.
			if signal.Name(spelling) != "" && !strings.ContainsAny(spelling, "*?") && !slices.Contains(all, spelling) {
				all = append(all, spelling)
			}
		}
	}
	return all
}

// rowFilter is one for all that a row can be wanted for, or nil where that has many spellings, as an address has.
func (ix index) rowFilter() *ec2call.RowFilter {
	if len(ix.addresses) > 0 {
		return nil
	}
	wanted := map[string]bool{}
	for name := range ix.commonNames {
		wanted[name] = true
	}
	for id := range ix.ids {
		wanted[signal.Fold(id)] = true
	}
	return &ec2call.RowFilter{Wanted: wanted}
}

func (ix index) empty() bool { return len(ix.commonNames)+len(ix.ids)+len(ix.addresses) == 0 }

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
	for _, t := range ix.commonNames[commonName] {
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
			if at := readTime(c.ConnectionEstablishedTime); at.IsZero() || at.After(ix.targets[t].At) {
				h.doubt = fmt.Sprintf("it was established at %q, not before the event, so another person may have had the address then", aws.ToString(c.ConnectionEstablishedTime))
			}
			add(h)
		}
	}
	return hits
}

// Refused reports whether EC2 refused a request, so that asking again would change nothing.
func Refused(err error) bool { return ec2call.Refused(err) }
