// Package responder answers signals: it decides, finds the people's connections, ends them, sees that they ended and
// stay away, and gives one [Outcome] for each signal.
//
// It promises that nothing is ended before exemption and limit were checked on what was really found, that every signal
// gives an outcome whatever fails, and that the outcome claims no more than EC2 has shown.
package responder

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
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

// caseFile is one signal on its way to an outcome.
type caseFile struct {
	Outcome

	target      vpn.Target
	policyError error
	problems    []string // why the outcome is incomplete
	endedBefore []time.Time
	noAddresses bool // asked for an address, and no endpoint keeps any

	considered  int              // connections that the listing under way led to so far and that might be ended
	unlisted    map[string]error // endpoints that no listing has shown to the end so far
	lastFailed  map[string]error // endpoints that the last listing did not show to the end
	relistings  int
	watchUntil  time.Time // zero while somebody is up
	watchedOut  bool      // they stayed away for as long as we look
	cutShort    bool      // the time was up before
	keepsComing bool

	list onList
}

// Respond answers all signals together, so that each endpoint is listed once for all of them, and returns their outcomes
// in the same order. When ctx is done it stops and tells how far it came.
func (r *Responder) Respond(ctx context.Context, inv Invocation, signals []signal.Signal) []Outcome {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute) // a bound where the caller has none
	defer cancel()

	cases := r.decide(inv, signals)
	listed := r.keepOut(ctx, cases)
	if open := those(cases, (*caseFile).toTerminate); len(open) > 0 {
		endpoints := r.endpoints(ctx, open)
		listed()
		r.search(ctx, endpoints, open)
		r.withdraw(ctx, open)
		r.seeThrough(ctx, endpoints, open)
		r.withdraw(ctx, open)
		r.explainReturns(ctx, open)
	}
	listed()

	var outcomes []Outcome
	for _, c := range cases {
		if c.Signal.Kind == signal.SelfTest {
			r.selfTest(ctx, c)
			outcomes = append(outcomes, c.Outcome)
			continue
		}
		for _, connection := range c.Connections {
			connection.Account = cmp.Or(connection.Account, inv.Account)
		}
		for _, s := range c.Spared {
			s.Account = cmp.Or(s.Account, inv.Account)
		}
		c.conclude()
		outcomes = append(outcomes, c.Outcome)
	}
	return outcomes
}

func (r *Responder) decide(inv Invocation, signals []signal.Signal) []*caseFile {
	var cases []*caseFile
	for _, s := range signals {
		c := &caseFile{policyError: r.PolicyError, Outcome: Outcome{
			SchemaVersion: SchemaVersion,
			Signal:        s,
			PolicyHash:    r.PolicyHash,
			Connections:   []*vpn.Connection{},
			Spared:        []Spared{},
		}}
		if c.policyError != nil {
			c.Decision = policy.Decision{
				Action: policy.Notify, Mode: r.Mode, Names: []string{}, Reasons: []policy.Reason{policy.CannotBeRead()},
			}
		} else {
			c.Decision = r.Policy.Decide(s, r.Mode, time.Now())
		}
		c.target = vpn.Target{
			Names: c.Decision.Names, CommonNames: c.Decision.CommonNames, LikelyUsernames: c.Decision.Spellings,
			ConnectionID: s.Subject.ConnectionID, ClientIP: s.Subject.ClientIP, At: s.Time,
		}
		c.Timing = Timing{EventAt: s.Time, ReceivedAt: inv.ReceivedAt.UTC(), DecidedAt: time.Now().UTC()}
		cases = append(cases, c)
	}
	return cases
}

// selfTest says whether a person could be cut off now, and what stands in the way.
func (r *Responder) selfTest(ctx context.Context, c *caseFile) {
	ctx, cancel := share(ctx, 2)
	defer cancel()
	endpoints, places, problems := r.VPN.Probe(ctx)
	if r.PolicyError != nil {
		problems = append(problems, r.PolicyError)
	}
	if r.Probe != nil {
		problems = append(problems, r.Probe(ctx)...)
	}
	problems = append(problems, r.probeKeepOut(ctx)...)
	o := &c.Outcome
	if len(problems) == 0 {
		o.Status = Ready
		o.Summary = fmt.Sprintf("Ready: %s of %s can be listed, and connections ended there.",
			plural(endpoints, "1 endpoint", fmt.Sprintf("%d endpoints", endpoints)), plural(places, "this account and Region", fmt.Sprintf("%d accounts and Regions", places)))
		return
	}
	for _, problem := range problems {
		c.problem(problem)
	}
	o.Status, o.Error = NotReady, strings.Join(c.problems, "; ")
	o.Summary = fmt.Sprintf("Not everybody can be cut off: %s.", brief(c.problems[0]))
	if more := len(problems) - 1; more > 0 {
		o.Summary += fmt.Sprintf(" And %s.", plural(more, "1 more problem", fmt.Sprintf("%d more problems", more)))
	}
}

// endpoints gives those to look at. Where that fails, or there are none, it is a problem of the cases that need to know.
func (r *Responder) endpoints(ctx context.Context, cases []*caseFile) []vpn.Endpoint {
	part, cancel := share(ctx, 3)
	defer cancel()
	endpoints, err := r.VPN.Endpoints(part, slices.ContainsFunc(cases, (*caseFile).wantsAddress))
	if err == nil && len(endpoints) == 0 {
		err = vpn.ErrNoEndpoint
	}
	addresses := slices.ContainsFunc(endpoints, func(e vpn.Endpoint) bool { return e.KeepsClientIP })
	for _, c := range cases {
		if err != nil && (len(endpoints) == 0 || r.VPN.Discovers() || c.wantsAddress()) {
			c.problem(err)
		}
		c.noAddresses = c.wantsAddress() && !addresses
	}
	return endpoints
}

// search lists the endpoints once for all cases and has ended what may be, which can be while a long listing goes on. It
// returns the cases that had something to end.
func (r *Responder) search(ctx context.Context, endpoints []vpn.Endpoint, cases []*caseFile) []*caseFile {
	var busy []*caseFile
	part, cancel := context.WithTimeout(ctx, timeLeft(ctx)/2)
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
		c.Listings = append(c.Listings, found.RequestIDs...)
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
func (r *Responder) cutOff(ctx context.Context, cases []*caseFile, found [][]vpn.OldMatch) []*caseFile {
	end, keep := map[policy.Mode][]vpn.OldMatch{}, map[policy.Mode][]*vpn.Connection{}
	tried := map[*vpn.Connection]*vpn.Connection{}
	var busy []*caseFile
	for i, c := range cases {
		matches := r.screen(c, found[i])
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
			if c.known(m.ID) == nil {
				c.Connections = append(c.Connections, m.Connection)
			}
			// Two signals about one person lead to the same connection, which is asked to end once.
			if !slices.ContainsFunc(end[mode], func(other vpn.OldMatch) bool { return other.Connection == m.Connection }) {
				end[mode] = append(end[mode], m)
			}
		}
		for _, s := range c.Spared {
			keep[mode] = append(keep[mode], s.Connection)
		}
	}
	// EC2 takes only so many requests in a second, and those of a large batch take a while. Some time is left to look.
	left := timeLeft(ctx)
	part, cancel := context.WithTimeout(ctx, left-min(left/2, 10*time.Second))
	defer cancel()
	// A dry run that EC2 does not answer holds no termination up, and not for long what comes after it.
	var trying sync.WaitGroup
	trying.Go(func() {
		part, cancel := context.WithTimeout(ctx, left/4)
		defer cancel()
		r.VPN.OldTerminate(part, end[policy.DryRun], keep[policy.DryRun], true)
	})
	extra := r.VPN.OldTerminate(part, end[policy.Enforce], keep[policy.Enforce], false)
	trying.Wait()
	for _, c := range busy {
		if c.Decision.Mode == policy.Enforce {
			c.claim(extra)
		}
	}
	return busy
}

// screen leaves of the connections found those that may be ended. Those that the case knows already go, doubtful and
// exempt ones are spared, and above the limit all are.
func (r *Responder) screen(c *caseFile, found []vpn.OldMatch) []vpn.OldMatch {
	twoPeople := slices.ContainsFunc(found, func(m vpn.OldMatch) bool {
		return !r.Policy.SamePerson(m.Username, m.CommonName, found[0].Username, found[0].CommonName)
	})
	if c.wantsAddress() && (len(c.unlisted) > 0 || len(c.problems) > 0) {
		c.because(policy.DuringSearch, "the address may be held by another person on an endpoint that could not be listed")
		return nil
	}
	var matches []vpn.OldMatch
	for _, m := range found {
		known := c.known(m.ID)
		switch {
		case known != nil && known.Ended():
			known.Revive(m.Current)
			m.Connection = known
			matches = append(matches, m)
		case known != nil:
		case !c.actsOn(m.EndpointID):
			c.spare(m, Notified, "rule "+c.Decision.Rule+" does not act on "+m.EndpointID)
		case r.Policy.ExemptPlace(m.ID):
			c.spare(m, Exempt, m.ID+" is exempt")
		case r.Policy.ExemptPlace(m.EndpointID):
			c.spare(m, Exempt, m.EndpointID+" is exempt")
		case m.Doubt != "":
			c.spare(m, Ambiguous, m.Doubt)
		case r.Policy.Exempt(m.Username):
			c.spare(m, Exempt, m.Username+" is exempt")
		case r.Policy.ExemptCertificate(m.CommonName):
			c.spare(m, Exempt, m.CommonName+" is exempt")
		case c.wantsAddress() && twoPeople:
			c.spare(m, Ambiguous, "the address is held by two people, on two endpoints")
		default:
			matches = append(matches, m)
		}
	}
	c.considered += len(matches)
	if n := c.considered; n > r.Policy.MaxConnections {
		for _, m := range matches {
			c.spare(m, OverLimit, fmt.Sprintf("%d connections are more than max_connections, %d", n, r.Policy.MaxConnections))
		}
		return nil
	}
	return matches
}

// seeThrough looks until everything that was asked to end has ended, whether the people come back, and into endpoints that
// could not be listed. Those who are back are cut off again, and the watch over them begins anew, until they have come
// back too often. Nobody waits for another: who is away is watched while others are still ending.
func (r *Responder) seeThrough(ctx context.Context, endpoints []vpn.Endpoint, cases []*caseFile) {
	const lastMoment = 300 * time.Millisecond
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
		toList := those(cases, (*caseFile).wantsListing)
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
					c.Reconnections++
					c.keepsComing = c.Reconnections >= maxComebacks
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
func (r *Responder) look(ctx context.Context, cases []*caseFile) {
	part, cancel := share(ctx, 3)
	defer cancel()
	if err := r.VPN.Look(part, pending(cases)); err != nil {
		for _, c := range cases {
			if len(c.pending()) > 0 {
				c.because(policy.DuringVerify, "looking whether the connections have ended: %s", brief(oneLine(err)))
			}
		}
	}
}

func pending(cases []*caseFile) []*vpn.Connection {
	var all []*vpn.Connection
	for _, c := range cases {
		all = append(all, c.pending()...)
	}
	return all
}

func (c *caseFile) toTerminate() bool  { return c.Decision.Action == policy.Terminate }
func (c *caseFile) wantsAddress() bool { return c.target.ClientIP != "" }

// actsOn reports whether the rule that decided ends connections on the endpoint.
func (c *caseFile) actsOn(endpointID string) bool {
	return len(c.Decision.Endpoints) == 0 || slices.Contains(c.Decision.Endpoints, endpointID)
}

// pending are the connections that are to end in earnest and have not.
func (c *caseFile) pending() []*vpn.Connection {
	if c.dryRun() {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(c.Connections), func(connection *vpn.Connection) bool { return !connection.Pending() })
}

// isAway reports whether the case is about a person whose connections have all ended and who may come back. A connection
// or an address that was asked for alone says nothing about the same person's others.
func (c *caseFile) isAway() bool {
	return !c.dryRun() && len(c.target.Names) > 0 && len(c.Connections) > 0 && !c.keepsComing &&
		!slices.ContainsFunc(c.Connections, func(connection *vpn.Connection) bool { return !connection.Ended() })
}

// isBack reports whether the newest connection came up since the event was received. One that is older was there all the
// time, on an endpoint that could not be listed before.
func (c *caseFile) isBack() bool {
	newest := c.Connections[len(c.Connections)-1]
	return !newest.EstablishedAt.Before(c.Timing.ReceivedAt.Truncate(time.Second)) // EC2 tells whole seconds
}

// wantsListing reports whether another listing may tell more: of endpoints that EC2 did not show, or of who is back.
func (c *caseFile) wantsListing() bool {
	for _, err := range c.unlisted {
		if !vpn.Refused(err) && c.relistings < maxRelistings {
			return true
		}
	}
	return c.isAway() && !c.watchedOut
}

func (c *caseFile) timeIsUp() {
	if c.isAway() && !c.watchedOut {
		c.cutShort = true
		c.keepsComing = c.Reconnections > 0
	}
}

func (c *caseFile) known(id string) *vpn.Connection {
	for _, connection := range c.Connections {
		if connection.ID == id {
			return connection
		}
	}
	for _, spared := range c.Spared {
		if spared.ID == id {
			return spared.Connection
		}
	}
	return nil
}

func (c *caseFile) spare(m vpn.OldMatch, why Status, reason string) {
	c.Spared = append(c.Spared, Spared{Connection: m.Connection, Reason: reason, why: why})
}

// claim takes over those of the connections that EC2 ended under a user name of the case.
func (c *caseFile) claim(extra []*vpn.Connection) {
	for _, e := range extra {
		if c.known(e.ID) == nil && slices.ContainsFunc(c.Connections, func(listed *vpn.Connection) bool {
			return listed.EndpointID == e.EndpointID && listed.Username == e.Username
		}) {
			c.Connections = append(c.Connections, e)
		}
	}
}

// problem records why the outcome is incomplete.
func (c *caseFile) problem(err error) { c.problems = append(c.problems, oneLine(err)) }

// because adds a reason, once.
func (c *caseFile) because(kind policy.ReasonKind, format string, args ...any) {
	if reason := policy.Because(kind, format, args...); !slices.Contains(c.Decision.Reasons, reason) {
		c.Decision.Reasons = append(c.Decision.Reasons, reason)
	}
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

func those(cases []*caseFile, are func(*caseFile) bool) []*caseFile {
	return slices.DeleteFunc(slices.Clone(cases), func(c *caseFile) bool { return !are(c) })
}

func targets(cases []*caseFile) []vpn.Target {
	var all []vpn.Target
	for _, c := range cases {
		all = append(all, c.target)
	}
	return all
}

// share gives one of so many parts of the time that ctx has left, or of a minute if that is less: what hangs must leave time
// to act on the others, and to look.
func share(ctx context.Context, parts int) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, min(time.Minute, timeLeft(ctx))/time.Duration(parts))
}

// timeLeft is that until the deadline of ctx, which Respond sees to that it has.
func timeLeft(ctx context.Context) time.Duration {
	deadline, _ := ctx.Deadline()
	return time.Until(deadline)
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
