// Package responder answers signals: it decides, finds the people's connections, ends them, sees that they ended and
// stay away, and gives one [Outcome] for each signal.
//
// It promises that nothing is ended before exemption and limit were checked on what was really found, that every signal
// gives an outcome whatever fails, and that the outcome claims no more than EC2 has shown.
package responder

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/vpn"
)

// Responder answers signals.
type Responder struct {
	VPN *vpn.VPN
	// Policy decides. Where it could not be read, PolicyError says why: nothing is ended then, and every outcome fails.
	Policy      *policy.Policy
	PolicyError error
	// Probe gives what else is in the way of being ready, for the self-test; nil for nothing.
	Probe func(context.Context) []error
	// KeepOut is the list of people who may not come back; nil where there is none.
	KeepOut keepOutList
	// PolicyHash is told in every outcome, see [Outcome].
	PolicyHash string
	// Mode is the mode of the installation; anything but Enforce is dry-run.
	Mode policy.Mode
	// Watch is how long to look for people who come back after their connections ended; 0 is not at all.
	Watch time.Duration
}

// Invocation is what is known about the moment at which signals arrived.
type Invocation struct {
	ReceivedAt time.Time
	// Account is the AWS account that the program runs in, for outcomes.
	Account string
}

const (
	// maxComebacks is how often somebody's new connections are ended before the outcome says that they keep coming back.
	maxComebacks = 3
	// firstLook is how soon after a request EC2 is asked what became of it, and slowestLook how seldom it is asked again.
	firstLook, slowestLook = 250 * time.Millisecond, 5 * time.Second
	// maxRelistings is how often endpoints that could not be listed are tried again within an invocation.
	maxRelistings = 2
)

// Respond takes signals from the policy's decision to one outcome each, in their order. It lists each endpoint once for all
// of them. When ctx is done it stops, and the outcomes say how far it came.
func (r *Responder) Respond(ctx context.Context, inv Invocation, signals []signal.Signal) []Outcome {
	ctx, cancel := forAnswer(ctx)
	defer cancel()

	cases := r.decide(inv, signals)
	changed := make(chan []access, 1)
	go func() { changed <- r.setAccess(ctx, cases) }()
	open := those(cases, (*Case).terminates)
	endpoints := r.endpoints(ctx, open)
	for i, a := range <-changed {
		cases[i].noteAccess(a)
	}
	if len(open) > 0 {
		r.search(ctx, endpoints, open)
		r.withdrawAll(ctx, open)
		r.seeThrough(ctx, endpoints, open)
		r.withdrawAll(ctx, open)
		r.explainReturns(ctx, open)
	}

	var outcomes []Outcome
	for _, c := range cases {
		if c.Signal.Kind == signal.SelfTest {
			outcomes = append(outcomes, r.selfTest(ctx, c))
		} else {
			outcomes = append(outcomes, c.conclude())
		}
	}
	return outcomes
}

// decide asks the policy about each signal. Without a policy nothing is terminated, and the outcomes say so.
func (r *Responder) decide(inv Invocation, signals []signal.Signal) []*Case {
	var cases []*Case
	for _, s := range signals {
		now := time.Now()
		d := policy.Decision{
			Action: policy.Notify, Mode: r.Mode, Names: []string{}, Reasons: []policy.Reason{policy.CannotBeRead()},
		}
		if r.PolicyError == nil {
			d = r.Policy.Decide(s, r.Mode, now)
		}
		c := newCase(inv, s, d, now)
		c.policyHash = r.PolicyHash
		if r.PolicyError != nil {
			c.problems = []Problem{{Code: PolicyUnreadable, Cause: r.PolicyError}}
		}
		cases = append(cases, c)
	}
	return cases
}

// endpoints returns the endpoints to search. If asking for them fails, or there are none, that is a problem of the cases
// that need to know.
func (r *Responder) endpoints(ctx context.Context, cases []*Case) []vpn.Endpoint {
	if len(cases) == 0 {
		return nil
	}
	part, cancel := forEndpoints(ctx)
	defer cancel()
	endpoints, err := r.VPN.Endpoints(part, slices.ContainsFunc(cases, (*Case).wantsAddress))
	if err == nil && len(endpoints) == 0 {
		err = vpn.ErrNoEndpoint
	}
	addresses := slices.ContainsFunc(endpoints, func(e vpn.Endpoint) bool { return e.KeepsClientIP })
	for _, c := range cases {
		if err != nil && (len(endpoints) == 0 || r.VPN.Discovers() || c.wantsAddress()) {
			c.problems = append(c.problems, unlisted(err))
		}
		c.noAddresses = c.wantsAddress() && !addresses
	}
	return endpoints
}

// withdrawAll takes the entries of people off the keep-out list whom the limit protects.
func (r *Responder) withdrawAll(ctx context.Context, cases []*Case) {
	for _, c := range cases {
		if c.overLimit() && len(c.access.entries) > 0 {
			c.noteAccess(r.withdraw(ctx, c.access))
		}
	}
}

// explainReturns finds out why people on the keep-out list could still reconnect.
func (r *Responder) explainReturns(ctx context.Context, cases []*Case) {
	returned := those(cases, func(c *Case) bool { return c.keepsComing && len(c.access.entries) > 0 })
	if len(returned) == 0 {
		return
	}
	part, cancel := forAccess(ctx)
	defer cancel()
	endpoints, err := r.VPN.Endpoints(part, true)
	for _, c := range returned {
		c.letIn = c.explainReturn(endpoints, err)
	}
}

// search lists the endpoints once for all cases and has ended what may be, which can be while a long listing goes on. It
// returns the cases that had something to end.
func (r *Responder) search(ctx context.Context, endpoints []vpn.Endpoint, cases []*Case) []*Case {
	var busy []*Case
	part, cancel := forSearch(ctx)
	defer cancel()
	found := r.VPN.Find(part, endpoints, targets(cases), func(early vpn.Found, over <-chan struct{}) {
		busy = r.cutOff(ctx, cases, early.Up)
		for every := firstLook; len(pending(busy)) > 0; every = min(every*3/2, slowestLook) {
			select {
			case <-over:
				return
			case <-time.After(every):
				r.look(ctx, busy)
			}
		}
	})
	for i, c := range cases {
		c.lastFailed = maps.Clone(found.Failed)
		// Where the rule does not act, nobody is missed; but there an address may be another person's.
		maps.DeleteFunc(c.lastFailed, func(id string, _ error) bool { return !c.actsOn(id) && !c.wantsAddress() })
		if c.unlisted == nil {
			c.unlisted, c.endedBefore = maps.Clone(c.lastFailed), found.EndedAt[i]
		} else {
			c.relistings++
		}
		if c.wantsAddress() {
			c.unlisted = maps.Clone(c.lastFailed) // nothing is done about what some of the endpoints show
		}
		maps.DeleteFunc(c.unlisted, func(id string, _ error) bool { return found.Failed[id] == nil })
		c.listings = append(c.listings, found.RequestIDs...)
	}
	for _, c := range r.cutOff(ctx, cases, found.Up) {
		if !slices.Contains(busy, c) {
			busy = append(busy, c)
		}
	}
	for _, c := range cases {
		c.considered = 0
	}
	return busy
}

// cutOff screens what was found for each case and asks EC2 to end what is left of it. It returns the cases that had
// something to end.
func (r *Responder) cutOff(ctx context.Context, cases []*Case, found [][]vpn.OldMatch) []*Case {
	end, keep := map[policy.Mode][]vpn.OldMatch{}, map[policy.Mode][]*vpn.Connection{}
	tried := map[*vpn.Connection]*vpn.Connection{}
	var busy []*Case
	for i, c := range cases {
		screened := Screen(r.Policy, c, found[i])
		matches := c.noteScreened(screened)
		if len(matches) > 0 {
			busy = append(busy, c)
		}
		mode := c.Decision.Mode
		for _, m := range matches {
			if mode == policy.DryRun {
				// Another signal about the same person may end it in earnest; what was tried stays told as tried.
				if tried[m.Connection] == nil {
					copied := *m.Connection
					tried[m.Connection] = &copied
				}
				m.Connection = tried[m.Connection]
			}
			if !slices.Contains(c.connections, m.Connection) {
				c.connections = append(c.connections, m.Connection)
			}
			// Two signals about one person lead to the same connection, which is asked to end once.
			if !slices.ContainsFunc(end[mode], func(other vpn.OldMatch) bool { return other.Connection == m.Connection }) {
				end[mode] = append(end[mode], m)
			}
		}
		for _, s := range c.spared {
			keep[mode] = append(keep[mode], s.Connection)
		}
	}
	// EC2 takes only so many requests in a second, and those of a large batch take a while. Some time is left to look.
	part, cancel := forTerminations(ctx)
	defer cancel()
	// A dry run that EC2 does not answer holds no termination up, and not for long what comes after it.
	var trying sync.WaitGroup
	trying.Go(func() {
		part, cancel := forDryRun(ctx)
		defer cancel()
		r.VPN.OldTerminate(part, end[policy.DryRun], keep[policy.DryRun], true)
	})
	extra := r.VPN.OldTerminate(part, end[policy.Enforce], keep[policy.Enforce], false)
	trying.Wait()
	for _, c := range busy {
		if c.Decision.Mode == policy.Enforce {
			c.adopt(extra)
		}
	}
	return busy
}

// seeThrough looks until everything that was asked to end has ended, whether the people come back, and into endpoints that
// could not be listed. Those who are back are cut off again, and the watch over them begins anew, until they have come
// back too often. Nobody waits for another: who is away is watched while others are still ending.
func (r *Responder) seeThrough(ctx context.Context, endpoints []vpn.Endpoint, cases []*Case) {
	firstListing := min(max(r.Watch/10, 250*time.Millisecond), time.Second)
	lookEvery, listEvery := firstLook, firstListing
	nextLook, nextListing := time.Now().Add(lookEvery), time.Now().Add(listEvery)
	for {
		for _, c := range cases {
			if c.isAway() && c.watchUntil.IsZero() {
				c.watchUntil = time.Now().Add(r.Watch)
				c.watchedOut = r.Watch <= 0
				listEvery = firstListing
				nextListing = time.Now().Add(listEvery)
			}
		}
		toList := those(cases, (*Case).wantsListing)
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) > lastMoment {
			nextLook = earliest(nextLook, deadline.Add(-lastMoment))
		}
		var look, listing time.Time // when they are due; zero for not at all
		if len(pending(cases)) > 0 {
			look = nextLook
		}
		if len(toList) > 0 {
			listing = nextListing
			for _, c := range toList {
				listing = earliest(listing, c.watchUntil)
			}
		}
		if look.IsZero() && listing.IsZero() {
			return
		}
		if !pause(ctx, time.Until(earliest(look, listing))) {
			for _, c := range cases {
				c.timeIsUp()
			}
			return
		}
		started := time.Now()
		if !look.IsZero() && !started.Before(look) {
			r.look(ctx, cases)
			lookEvery = min(lookEvery*3/2, slowestLook)
			nextLook = time.Now().Add(lookEvery)
		}
		if !listing.IsZero() && !started.Before(listing) {
			for _, c := range r.search(ctx, endpoints, toList) {
				if c.isBack() {
					c.reconnections++
					c.keepsComing = c.reconnections >= maxComebacks
				}
				c.watchUntil = time.Time{}
				lookEvery = firstLook
				nextLook = time.Now().Add(lookEvery)
			}
			for _, c := range toList {
				c.watchedOut = !c.watchUntil.IsZero() && !started.Before(c.watchUntil)
			}
			// A listing that takes long is not asked for without pause.
			listEvery = max(listEvery*3/2, 2*time.Since(started))
			nextListing = time.Now().Add(listEvery)
		}
	}
}

// look asks EC2 once what became of the connections that are to end.
func (r *Responder) look(ctx context.Context, cases []*Case) {
	part, cancel := forVerify(ctx)
	defer cancel()
	if err := r.VPN.Look(part, pending(cases)); err != nil {
		for _, c := range cases {
			if len(c.pending()) > 0 {
				c.addReasons(policy.Because(policy.DuringVerify, "looking whether the connections have ended: %s", Problem{Cause: err}.Brief()))
			}
		}
	}
}

func pending(cases []*Case) []*vpn.Connection {
	var all []*vpn.Connection
	for _, c := range cases {
		all = append(all, c.pending()...)
	}
	return all
}

func those(cases []*Case, are func(*Case) bool) []*Case {
	return slices.DeleteFunc(slices.Clone(cases), func(c *Case) bool { return !are(c) })
}

func targets(cases []*Case) []vpn.Target {
	var all []vpn.Target
	for _, c := range cases {
		all = append(all, c.target)
	}
	return all
}

// earliest is the earlier of two times, of which the zero time is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// pause waits for d and reports whether ctx lasted that long.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return ctx.Err() == nil
	}
}
