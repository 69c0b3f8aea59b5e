package vpn

import (
	"context"
	"iter"
	"slices"
	"time"
)

// maxPatience is how long to wait for an endpoint before the others' matches are yielded.
const maxPatience = 5 * time.Second

// Batch is what a search yields.
type Batch struct {
	// Matches are connections that have not ended: of each target in the order of the endpoints, and then of their age.
	Matches []Match
	// Last marks the last batch. The fields below are set in it alone.
	Last bool
	// EndedBefore are connections of the targets that have ended, as far back as EC2 lists them: an hour.
	EndedBefore []EndedBefore
	// Failed are the endpoints that could not be listed to the end, by id, with the error.
	Failed map[string]error
	// Looked is how many connections EC2 listed, of everybody, by endpoint; an endpoint in Failed is not among them.
	Looked map[string]int
	// Similar are connections under names that resemble a target's: for each target the first few.
	Similar []Similar
	// Requests are EC2's request ids of the listings; of one with several pages, of the first and the last.
	Requests []string
}

// EndedBefore is a connection that had ended when the search found it, at At. Target is the target's index.
type EndedBefore struct {
	Target     int
	At         time.Time
	Connection Connection
}

// Search lists every endpoint once, side by side, and yields the targets' connections in at most two batches. It
// terminates nobody. No match is in both batches. It holds only matches, however many connections there are. An
// endpoint that cannot be listed does not stop the others.
//
// The first batch comes early, while listings go on. It holds the connections on the endpoints listed so far. On
// endpoints with more than one page, it holds those that EC2's filter finds under the targets' likely user names. It
// comes as soon as every endpoint has answered one way or the other, or after five seconds. Targets with an address
// wait for the last batch.
//
// While the caller handles a batch, the search waits, so the caller should return at once.
func (v *VPN) Search(ctx context.Context, endpoints []Endpoint, targets []Target) iter.Seq[Batch] {
	return func(yield func(Batch) bool) {
		s := newSearch(endpoints, targets)
		if s.matcher.empty() {
			yield(Batch{Last: true, Failed: map[string]error{}, Looked: map[string]int{}})
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		pages := v.fetch(ctx, endpoints, s.matcher)
		defer func() {
			cancel()
			for range pages { // no goroutine outlives the search
			}
		}()
		if early := s.receive(pages); len(early.Matches) > 0 && !yield(early) {
			return
		}
		s.receive(pages)
		cancel() // the filter cannot find what no listing has shown
		for p := range pages {
			s.add(p)
		}
		yield(s.rest())
	}
}

// search is the state of one search. One goroutine owns it.
type search struct {
	matcher   *matcher
	endpoints []Endpoint
	results   []endpointResult // by endpoint
	patience  patience
	yielded   map[targetConnection]bool
}

// patience says whether the search still waits for every endpoint before it yields the first batch.
type patience uint8

const (
	waiting patience = iota
	over             // some endpoint has not answered for too long
	spent            // the first batch was yielded, or there was nothing to yield
)

// endpointResult is what is known of one endpoint.
type endpointResult struct {
	progress         progress
	filtered, listed []candidate // filtered is the filter's complete answer, or empty
	similar          []Similar
	looked           int   // rows of the listing
	err              error // why the listing is incomplete
	requests         []string
}

// progress says how far an endpoint is.
type progress uint8

const (
	unanswered progress = iota // neither the filter nor the listing is over
	answered                   // the filter is over, the listing is not
	allListed                  // the listing is over, to the end or with an error
)

// targetConnection is a connection and the target that received it.
type targetConnection struct {
	target int
	id     string
}

// receive takes in pages until the first batch is due, and returns it. Otherwise it takes in pages until every listing
// is over, and returns an empty batch.
func (s *search) receive(pages <-chan page) Batch {
	timer := time.NewTimer(maxPatience)
	defer timer.Stop()
	for !s.listed() {
		select {
		case p := <-pages:
			s.add(p)
		case <-timer.C:
			s.patience = max(s.patience, over)
		}
		if early, ok := s.early(); ok {
			return early
		}
	}
	return Batch{}
}

func newSearch(endpoints []Endpoint, targets []Target) *search {
	return &search{
		matcher:   newMatcher(targets),
		endpoints: endpoints,
		results:   make([]endpointResult, len(endpoints)),
		yielded:   map[targetConnection]bool{},
	}
}

// add takes in a page.
func (s *search) add(p page) {
	r := &s.results[p.endpoint]
	r.requests = append(r.requests, p.requests...)
	switch {
	case p.source == listing:
		r.listed = append(r.listed, p.rows...)
		r.looked += p.looked
		r.similar = firstSimilar(append(r.similar, p.similar...))
		if p.over {
			r.progress, r.err = allListed, p.err
		}
	case p.err == nil:
		r.filtered = p.rows
		r.progress = max(r.progress, answered)
	default:
		r.progress = max(r.progress, answered)
	}
}

// listed reports whether every listing is over.
func (s *search) listed() bool { return s.reached(allListed) }

func (s *search) reached(p progress) bool {
	return !slices.ContainsFunc(s.results, func(r endpointResult) bool { return r.progress < p })
}

// early returns the first batch, once: the matches found so far, if there are any and listings go on. For an endpoint
// still being listed it uses only the filter's complete answer: the limit must see all connections of a user name or
// none.
func (s *search) early() (Batch, bool) {
	if s.patience == spent || s.patience == waiting && !s.reached(answered) || s.listed() {
		return Batch{}, false
	}
	s.patience = spent
	var b Batch
	for _, r := range s.results {
		rows := r.filtered
		if r.progress == allListed && r.err == nil {
			rows = r.listed
		}
		s.take(&b, rows, false)
	}
	return b, len(b.Matches) > 0
}

// rest returns the last batch: everything that the first one did not hold.
func (s *search) rest() Batch {
	b := Batch{Last: true, Failed: map[string]error{}, Looked: map[string]int{}}
	for i, r := range s.results {
		s.take(&b, slices.Concat(r.filtered, r.listed), true)
		b.Requests = append(b.Requests, r.requests...)
		b.Similar = append(b.Similar, r.similar...)
		if r.err != nil {
			b.Failed[s.endpoints[i].ID] = r.err
			continue
		}
		b.Looked[s.endpoints[i].ID] = r.looked
	}
	b.Similar = firstSimilar(b.Similar)
	return b
}

// take adds to the batch what one endpoint shows the targets for the first time, the oldest connection first. Without
// all, targets with an address and ended connections wait for the last batch.
func (s *search) take(b *Batch, rows []candidate, all bool) {
	var matches []Match
	for _, row := range rows {
		ended := row.connection.Ended()
		for _, h := range row.hits {
			wait := !all && (ended || s.matcher.targets[h.target].ClientIP != "")
			switch {
			case wait || !s.first(h.target, row.connection.ID):
			case !ended:
				matches = append(matches, Match{h.target, row.connection, h.doubt, h.byUsername, row.account})
			case h.doubt == nil:
				b.EndedBefore = append(b.EndedBefore, EndedBefore{h.target, row.connection.EndedAt, row.connection})
			}
		}
	}
	slices.SortStableFunc(matches, func(a, b Match) int { return a.EstablishedAt.Compare(b.EstablishedAt) })
	b.Matches = append(b.Matches, matches...)
}

// first reports whether the connection is new to the target, and remembers it.
func (s *search) first(target int, id string) bool {
	key := targetConnection{target, id}
	seen := s.yielded[key]
	s.yielded[key] = true
	return !seen
}
