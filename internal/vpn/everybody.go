package vpn

import (
	"context"
	"iter"
	"slices"
	"sync"
)

// Everybody lists all endpoints side by side and yields every connection that has not ended, in no order. For an
// endpoint that cannot be listed to the end it yields the error, beside a connection that has the endpoint's id alone.
func (v *VPN) Everybody(ctx context.Context, endpoints []Endpoint) iter.Seq2[Connection, error] {
	return func(yield func(Connection, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		pages := v.listAll(ctx, endpoints)
		defer func() {
			cancel()
			for range pages { // no goroutine outlives the listing
			}
		}()
		for p := range pages {
			if !p.each(yield) {
				return
			}
		}
	}
}

// pageOf is a page of one endpoint's connections, or the error that ended its listing.
type pageOf struct {
	listPage

	endpoint Endpoint
	err      error
}

// each yields the page's connections that have not ended, or its error. It reports whether to go on.
func (p pageOf) each(yield func(Connection, error) bool) bool {
	if p.err != nil && !yield(Connection{EndpointID: p.endpoint.ID}, p.err) {
		return false
	}
	for _, row := range p.connections {
		c := p.endpoint.account.connection(row, "")
		if !c.Ended() && !yield(c, nil) {
			return false
		}
	}
	return true
}

// listAll sends the pages of all endpoints, and closes the channel after the last.
func (v *VPN) listAll(ctx context.Context, endpoints []Endpoint) <-chan pageOf {
	pages := make(chan pageOf)
	slots := make(chan struct{}, maxListings)
	var running sync.WaitGroup
	for _, e := range endpoints {
		e.account = v.accountOf(e.account)
		running.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			for p, err := range (query{endpoint: e}).pages(ctx) {
				pages <- pageOf{p, e, err}
			}
		})
	}
	go func() {
		running.Wait()
		close(pages)
	}()
	return pages
}

// Unguarded returns the ids of endpoints that exist in the program's accounts and that its configuration leaves out.
func (v *VPN) Unguarded(ctx context.Context) ([]string, error) {
	if len(v.EndpointIDs) == 0 {
		return nil, nil
	}
	everywhere := VPN{accounts: v.accounts}
	all, err := everywhere.Endpoints(ctx, true)
	var left []string
	for _, e := range all {
		if !slices.Contains(v.EndpointIDs, e.ID) {
			left = append(left, e.ID)
		}
	}
	slices.Sort(left)
	return left, err
}
