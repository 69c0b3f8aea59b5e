package vpn

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// maxRequests is how many requests are sent to an endpoint side by side.
const maxRequests = 8

// Said is what EC2 said to a request to terminate a connection.
type Said uint8

// What EC2 can say.
const (
	Accepted         Said = iota // the connection is to end
	WouldAccept                  // dry-run: it would have been
	NoSuchConnection             // EC2 knows no such connection, user or endpoint
	NoAnswer                     // EC2 got the request; nobody knows what it did
	NotAccepted                  // EC2 refused the request, or it was not sent
)

// Answer is what became of a request to terminate one connection.
type Answer struct {
	// ConnectionID is the connection's.
	ConnectionID string
	Said         Said
	// How is empty if no request was needed.
	How How
	// At is when EC2 answered, or when the last attempt was given up.
	At time.Time
	// Previous and Current are EC2's, of Accepted. Message is what EC2 says beside Current.
	Previous, Current Status
	Message           string
	RequestIDs        []string
	// Err is why, of NoAnswer and NotAccepted.
	Err error
	// Beside is set for a connection that came up under the same user name in the meantime: EC2 terminated it beside the
	// ones requested. [TrackBeside] begins to track it. One that is known already needs no attention.
	Beside *Match
}

// TrackBeside begins to track a connection that EC2 terminated beside those it was asked for.
func TrackBeside(a Answer) *Tracked {
	t := Track(*a.Beside)
	t.Answered(a)
	return t
}

// Terminate asks EC2 to terminate the connections, with the fewest calls (see [plan]). It changes none of them: it
// returns an answer for each, and for those that EC2 terminated beside them. Connections that are terminating already
// are not asked for again, and have no answer. keep are connections that must not be terminated along by user name.
// With dryRun it asks EC2 only whether it would.
func (v *VPN) Terminate(ctx context.Context, end []Tracked, keep []Connection, dryRun bool) []Answer {
	var answers []Answer
	end = slices.Clone(end)
	for _, t := range end {
		if t.Current == Terminating && dryRun {
			answers = append(answers, Answer{ConnectionID: t.ID, Said: WouldAccept})
		}
	}
	asked := slices.DeleteFunc(end, func(t Tracked) bool { return t.Current == Terminating })
	requests := plan(asked, keep)
	for _, some := range v.send(ctx, requests, dryRun) {
		for _, a := range some {
			askedFor := slices.ContainsFunc(asked, func(t Tracked) bool { return t.ID == a.ConnectionID })
			if a.Beside == nil || !askedFor {
				answers = append(answers, a)
			}
		}
	}
	return answers
}

// send sends the requests and returns the answers to each. Each endpoint has slots of its own: an endpoint that does
// not answer, or whose account is throttled, takes no slot from another.
func (v *VPN) send(ctx context.Context, requests []request, dryRun bool) [][]Answer {
	byEndpoint := map[string][]int{}
	for i, r := range requests {
		id := r.connections[0].EndpointID
		byEndpoint[id] = append(byEndpoint[id], i)
	}
	answers := make([][]Answer, len(requests))
	var endpoints errgroup.Group
	for _, indexes := range byEndpoint {
		endpoints.Go(func() error {
			var group errgroup.Group
			group.SetLimit(maxRequests)
			for _, i := range indexes {
				group.Go(func() error {
					answers[i] = v.ask(ctx, requests[i], dryRun)
					return nil
				})
			}
			return group.Wait()
		})
	}
	_ = endpoints.Wait() // errors are in the answers
	return answers
}
