package vpn

import (
	"context"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// maxListings is how many endpoints are listed side by side. A page of 1,000 connections takes some 0.6 MB while it is
// read. With 200 endpoints that leaves eight round trips from an event to the last request
// (TestTwoHundredTargetsInEightRoundTrips).
const maxListings = 128

// candidate is a connection that a target may want.
type candidate struct {
	connection Connection
	account    *account
	hits       []hit
}

// page is what a fetcher sends: candidates of one page of the listing, or all of the filter's.
type page struct {
	endpoint int // its index
	source   source
	rows     []candidate
	similar  []Similar
	looked   int      // rows that EC2 listed
	over     bool     // of this source there is no more
	requests []string // in the last page: of the first and the last request
	err      error    // in the last page: why the listing is incomplete
}

// source is where a page comes from.
type source uint8

const (
	listing source = iota
	filter         // EC2's filter by user name
)

// fetcher lists one endpoint, and asks EC2's filter if the listing has more than one page.
type fetcher struct {
	index     int
	endpoint  Endpoint
	matcher   *matcher
	usernames []string // for the filter

	running *sync.WaitGroup
	pages   chan<- page
}

// fetch lists the endpoints side by side and closes the channel after the last page. The receiver must receive all
// pages. After ctx is done they come soon.
func (v *VPN) fetch(ctx context.Context, endpoints []Endpoint, m *matcher) <-chan page {
	pages := make(chan page)
	slots := make(chan struct{}, maxListings)
	var running sync.WaitGroup
	usernames := m.likelyUsernames()
	for i, e := range endpoints {
		e.account = v.accountOf(e.account)
		f := fetcher{i, e, m, usernames, &running, pages}
		running.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			f.list(ctx)
		})
	}
	go func() {
		running.Wait()
		close(pages)
	}()
	return pages
}

// list sends the candidates page by page. If there is a second page, it asks the filter beside it.
func (f fetcher) list(ctx context.Context) {
	last := page{endpoint: f.index, source: listing, over: true}
	first := true
	for p, err := range (query{endpoint: f.endpoint, rows: f.matcher.rowFilter()}).pages(ctx) {
		if err != nil {
			last.err = err
			break
		}
		last.requests = firstAndLast(last.requests, p.requestID)
		if first && p.more() && len(f.usernames) > 0 && f.endpoint.knowsUsers() {
			f.running.Go(func() { f.filter(ctx) })
		}
		first = false
		one := page{endpoint: f.index, source: listing, looked: p.rows}
		one.rows, one.similar = f.candidates(p)
		f.pages <- one
	}
	f.pages <- last
}

// filter has EC2 look for the user names and sends its answer once, when it is complete. If EC2 does not answer, the
// listing will show the connections.
func (f fetcher) filter(ctx context.Context) {
	answer := page{endpoint: f.index, source: filter, over: true}
	for some := range slices.Chunk(f.usernames, maxFilterValues) {
		var requests []string
		by := &types.Filter{Name: aws.String("username"), Values: some}
		for p, err := range (query{endpoint: f.endpoint, filter: by}).pages(ctx) {
			if err != nil {
				answer.err = err
				break
			}
			requests = firstAndLast(requests, p.requestID)
			rows, _ := f.candidates(p)
			answer.rows = append(answer.rows, rows...)
		}
		answer.requests = append(answer.requests, requests...)
	}
	f.pages <- answer
}

// candidates returns the connections of the page that a target may want, and those under similar names.
func (f fetcher) candidates(p listPage) (all []candidate, similar []Similar) {
	for _, row := range p.connections {
		hits := f.matcher.match(row, f.endpoint)
		if len(hits) > 0 {
			a := f.endpoint.account
			c := a.connection(row, p.requestID)
			c.EndpointName = f.endpoint.DisplayName()
			c.SessionEndsAt = f.endpoint.sessionEnd(c.EstablishedAt)
			all = append(all, candidate{c, a, hits})
		}
		similar = append(similar, f.matcher.similarTo(row, hits)...)
	}
	return all, similar
}
