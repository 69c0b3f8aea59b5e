package vpn

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"golang.org/x/sync/errgroup"
)

// Shown is what a listing shows of one connection.
type Shown struct {
	ConnectionID string
	// Listed says whether EC2 lists the connection. If it does, Row is EC2's row.
	Listed bool
	Row    Connection
	// At is when EC2 answered.
	At time.Time
	// Requests are EC2's request ids of the listing.
	Requests []string
	// Again is EC2's answer to a second request, if Verify sent one.
	Again *Answer
}

// Verify asks EC2 once what became of the connections that are pending, and returns what it shows. It changes none of
// them. If EC2 lists a connection as active that it did not know or did not answer about, Verify sends one more
// request, by its id. The error is the first of an endpoint that could not be listed; the others are shown.
func (v *VPN) Verify(ctx context.Context, connections []Tracked) ([]Shown, error) {
	chunks := pendingChunks(connections)
	shown := make([][]Shown, len(chunks))
	errs := make([]error, len(chunks))
	var group errgroup.Group
	group.SetLimit(maxListings)
	for i, chunk := range chunks {
		group.Go(func() error {
			shown[i], errs[i] = v.verify(ctx, chunk)
			return nil
		})
	}
	_ = group.Wait() // errors are kept by chunk
	return slices.Concat(shown...), cmp.Or(errs...)
}

// pendingChunks returns the pending connections by endpoint, each once, no more together than EC2 takes in one filter.
func pendingChunks(connections []Tracked) [][]Tracked {
	byEndpoint := map[string][]Tracked{}
	seen := map[string]bool{}
	var endpoints []string
	for _, t := range connections {
		if !t.Pending() || seen[t.ID] {
			continue
		}
		seen[t.ID] = true
		if byEndpoint[t.EndpointID] == nil {
			endpoints = append(endpoints, t.EndpointID)
		}
		byEndpoint[t.EndpointID] = append(byEndpoint[t.EndpointID], t)
	}
	var chunks [][]Tracked
	for _, id := range endpoints {
		chunks = slices.AppendSeq(chunks, slices.Chunk(byEndpoint[id], maxFilterValues))
	}
	return chunks
}

// verify asks EC2 for connections of one endpoint by their ids. An endpoint that is gone took its connections along.
func (v *VPN) verify(ctx context.Context, connections []Tracked) ([]Shown, error) {
	var ids, requests []string
	for _, t := range connections {
		ids = append(ids, t.ID)
	}
	a := v.accountOf(connections[0].account)
	endpoint := Endpoint{ID: connections[0].EndpointID, discovered: true, account: a}
	filter := &types.Filter{Name: aws.String("connection-id"), Values: ids}
	rows := map[string]Connection{}
	var at time.Time
	for page, err := range (query{endpoint: endpoint, filter: filter}).pages(ctx) {
		if err != nil {
			return nil, err
		}
		at, requests = page.at, firstAndLast(requests, page.requestID)
		for _, row := range page.connections {
			rows[aws.ToString(row.ConnectionId)] = a.connection(row, "")
		}
	}
	var all []Shown
	for _, t := range connections {
		s := Shown{ConnectionID: t.ID, At: at, Requests: requests}
		if s.Row, s.Listed = rows[t.ID]; s.Listed {
			s.Again = v.askAgain(ctx, t, s.Row.Current)
		}
		all = append(all, s)
	}
	return all, nil
}

// askAgain sends the second request if one is due.
func (v *VPN) askAgain(ctx context.Context, t Tracked, listed Status) *Answer {
	if !t.asksAgain(listed) {
		return nil
	}
	for _, answer := range v.ask(ctx, request{connections: []Tracked{t}}, false) {
		if answer.ConnectionID == t.ID {
			return &answer
		}
	}
	return nil
}
