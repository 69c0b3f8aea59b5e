package vpn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"clientvpn-responder/internal/vpn/ec2call"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"golang.org/x/sync/errgroup"
)

// maxByUsername is how many connections of a user one call ends at most.
// Source: EC2 API reference, TerminateClientVpnConnections.
const maxByUsername = 5

// request is one call of TerminateClientVpnConnections.
type request struct {
	username    string // by name if not empty, by id otherwise
	connections []*Connection
}

// Terminate asks EC2 to end the connections, with the fewest calls: two to five that carry the very same user name, on
// the same endpoint, by that name; all others each by its id. A call by name would also end connections in keep, so where
// one of them carries the name, ids are used. Those that are ending already are not asked again. With dryRun EC2 is
// asked only whether it would.
//
// The result of each request is written into its connections. Terminate returns connections that EC2 ended beside them,
// because they came up under the same user name in the meantime.
func (v *VPN) Terminate(ctx context.Context, end []Match, keep []*Connection, dryRun bool) []*Connection {
	var mu sync.Mutex
	var extra []*Connection
	end = slices.DeleteFunc(slices.Clone(end), func(m Match) bool {
		m.Would = dryRun && m.Current == Terminating
		return m.Current == Terminating
	})
	byEndpoint := map[string][]request{}
	for _, r := range plan(end, keep) {
		id := r.connections[0].EndpointID
		byEndpoint[id] = append(byEndpoint[id], r)
	}
	// Each endpoint has slots of its own: one that does not answer, or whose account is throttled, takes no other's.
	var endpoints errgroup.Group
	for _, requests := range byEndpoint {
		endpoints.Go(func() error {
			var group errgroup.Group
			group.SetLimit(8)
			for _, r := range requests {
				group.Go(func() error {
					more := v.request(ctx, r, dryRun)
					mu.Lock()
					defer mu.Unlock()
					extra = append(extra, more...)
					return nil
				})
			}
			return group.Wait()
		})
	}
	_ = endpoints.Wait() // errors are kept by connection
	return extra
}

func plan(end []Match, keep []*Connection) []request {
	type key struct{ endpoint, username string }
	byName := map[key][]*Connection{}
	for _, m := range end {
		// Whether EC2 reads * and ? in a user name is not documented.
		if m.byUsername && !strings.ContainsAny(m.Username, "*?") {
			k := key{m.EndpointID, m.Username}
			byName[k] = append(byName[k], m.Connection)
		}
	}
	for _, c := range keep {
		for k := range byName {
			// Whether EC2 reads case in a user name is not documented either.
			if k.endpoint == c.EndpointID && fold(k.username) == fold(c.Username) {
				delete(byName, k)
			}
		}
	}
	var requests []request
	for _, m := range end {
		k := key{m.EndpointID, m.Username}
		switch same := byName[k]; {
		case m.byUsername && len(same) > 1 && len(same) <= maxByUsername:
			if same[0] == m.Connection {
				requests = append(requests, request{username: m.Username, connections: same})
			}
		default:
			requests = append(requests, request{connections: []*Connection{m.Connection}})
		}
	}
	return requests
}

// gone are EC2's codes for what is not there any more: the user's connections, the connection, or the endpoint with all of them.
var gone = []string{"InvalidClientVpnConnection.UserNotFound", "InvalidClientVpnConnection.IdNotFound", "InvalidClientVpnEndpointId.NotFound"}

func (v *VPN) request(ctx context.Context, r request, dryRun bool) (extra []*Connection) {
	endpoint := r.connections[0].EndpointID
	input := &ec2.TerminateClientVpnConnectionsInput{ClientVpnEndpointId: &endpoint}
	how := ByConnectionID
	if r.username != "" {
		input.Username, how = &r.username, ByUsername
	} else {
		input.ConnectionId = &r.connections[0].ID
	}
	if dryRun {
		input.DryRun = aws.Bool(true)
	}
	for _, connection := range r.connections {
		connection.How, connection.Error, connection.Err, connection.Lost = how, "", nil, ""
	}
	if err := ctx.Err(); err != nil {
		for _, connection := range r.connections {
			connection.fail(fmt.Errorf("not asked to end: %w", err))
		}
		return nil
	}
	account := v.accountOf(r.connections[0].account)
	var sent ec2call.SentTracker
	output, err := account.api.TerminateClientVpnConnections(ctx, input, sent.Watch)
	now, id := time.Now().UTC(), ec2call.RequestID(output, err)
	for _, connection := range r.connections {
		connection.noteRequest(id)
	}
	var unanswered []*Connection
	switch c := ec2call.Code(err); {
	case err == nil:
		unanswered, extra = v.read(output, r, how, now)
		for _, connection := range extra {
			connection.noteRequest(id)
		}
	case dryRun && c == "DryRunOperation":
		for _, connection := range r.connections {
			connection.Would = true
		}
	case c == "ClientVpnTerminateConnectionsLimitExceeded" && r.username != "":
		unanswered = r.connections
	case !dryRun && slices.Contains(gone, c):
		// They are gone already, says EC2. Observe looks whether that is so.
		for _, connection := range r.connections {
			connection.RequestedAt, connection.denied = now, true
		}
	case !dryRun && !ec2call.Refused(err) && bool(sent):
		for _, connection := range r.connections {
			connection.RequestedAt, connection.Lost = now, fmt.Sprintf("no answer to terminating by %s: %v", how, err)
		}
	case errors.Is(err, ec2call.ErrNotSent):
		for _, connection := range r.connections {
			connection.Error = fmt.Sprintf("not asked to end%s: %v", account.where(), ec2call.ErrNotSent)
		}
	default:
		for _, connection := range r.connections {
			connection.Error = fmt.Sprintf("terminating by %s%s: %v", how, account.where(), permission(account.explainAssumeRole(err), "ec2:TerminateClientVpnConnections", endpoint))
		}
	}
	for _, connection := range unanswered {
		if r.username == "" {
			connection.fail(errors.New("terminating by connection-id: EC2 answered without the connection"))
			continue
		}
		extra = append(extra, v.request(ctx, request{connections: []*Connection{connection}}, dryRun)...)
	}
	return extra
}

// read writes EC2's answer into the connections of the request.
func (v *VPN) read(output *ec2.TerminateClientVpnConnectionsOutput, r request, how How, now time.Time) (unanswered, extra []*Connection) {
	answered := map[string]bool{}
	for _, row := range output.ConnectionStatuses {
		id := aws.ToString(row.ConnectionId)
		answered[id] = true
		var connection *Connection
		if i := slices.IndexFunc(r.connections, func(c *Connection) bool { return c.ID == id }); i >= 0 {
			connection = r.connections[i]
		} else {
			p := v.accountOf(r.connections[0].account)
			connection = &Connection{EndpointID: r.connections[0].EndpointID, ID: id, Username: r.username, Account: p.id, Region: p.region, account: p}
			extra = append(extra, connection)
		}
		connection.How, connection.RequestedAt = how, now
		connection.Previous, connection.Current = statusOr(row.PreviousStatus, Active), statusOr(row.CurrentStatus, Terminating)
		if connection.Ended() {
			connection.EndedAt = now
		}
	}
	for _, connection := range r.connections {
		if !answered[connection.ID] {
			unanswered = append(unanswered, connection)
		}
	}
	return unanswered, extra
}

func statusOr(s *types.ClientVpnConnectionStatus, otherwise Status) Status {
	if s == nil || s.Code == "" {
		return otherwise
	}
	return Status(s.Code)
}

// Look asks EC2 once for those of the connections that are pending, and writes down what it shows. A connection that is
// shown active although EC2 knew nothing of it, or did not answer the request, is asked once more, by its id.
func (v *VPN) Look(ctx context.Context, connections []*Connection) error {
	pending := map[string][]*Connection{}
	for _, c := range connections {
		if c.Pending() && !slices.Contains(pending[c.EndpointID], c) {
			pending[c.EndpointID] = append(pending[c.EndpointID], c)
		}
	}
	var group errgroup.Group
	group.SetLimit(8)
	for endpoint, all := range pending {
		for chunk := range slices.Chunk(all, maxFilterValues) {
			group.Go(func() error { return v.look(ctx, endpoint, chunk) })
		}
	}
	return group.Wait()
}

// maxFilterValues is how many values EC2 takes in one filter.
// Source: EC2 API reference, "Filter".
const maxFilterValues = 200

// look asks EC2 for the connections by their ids and writes down what it shows.
func (v *VPN) look(ctx context.Context, endpointID string, connections []*Connection) error {
	var only []string
	for _, c := range connections {
		only = append(only, c.ID)
	}
	shown := map[string]types.ClientVpnConnection{}
	filter := &types.Filter{Name: aws.String("connection-id"), Values: only}
	pages, err := v.list(ctx, Endpoint{ID: endpointID, discovered: true, account: v.accountOf(connections[0].account)}, filter, nil, func(page *ec2.DescribeClientVpnConnectionsOutput, _ string) {
		for _, c := range page.Connections {
			shown[aws.ToString(c.ConnectionId)] = c
		}
	})
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	for _, c := range connections {
		row, ok := shown[c.ID]
		if ok {
			listed := v.accountOf(c.account).connection(row)
			c.IngressBytes, c.EgressBytes = listed.IngressBytes, listed.EgressBytes
			if c.EstablishedAt.IsZero() {
				c.CommonName, c.ClientIP, c.EstablishedAt = listed.CommonName, listed.ClientIP, listed.EstablishedAt
			}
		}
		switch {
		case !ok:
			// EC2 lists ended connections for an hour, so one that it does not list is not there. One empty answer may be
			// a lagging one, unless EC2 has said before that there is no such connection.
			c.misses++
			if !c.relisted && (c.misses > 1 || c.denied) {
				c.Current, c.EndedAt = Terminated, now
			}
		case currentStatus(row) == Terminated:
			c.Current, c.EndedAt = Terminated, now
		case (c.denied || c.Lost != "") && !c.retried && currentStatus(row) == Active:
			c.denied, c.retried = false, true
			v.request(ctx, request{connections: []*Connection{c}}, false)
		default:
			c.misses, c.Current = 0, currentStatus(row)
		}
		if c.Ended() {
			c.RequestIDs = append(c.RequestIDs, pages...)
		}
	}
	return nil
}
