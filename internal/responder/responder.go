// Package responder answers signals: it decides, finds the people's connections, ends them, sees that they ended and
// stay away, and gives one [Outcome] for each signal.
//
// It promises that nothing is ended before exemption and limit were checked on what was really found, that every signal
// gives an outcome whatever fails, and that the outcome claims no more than EC2 has shown.
package responder

import (
	"context"
	"fmt"
	"slices"
	"strings"
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

// maxComebacks is how often somebody's new connections are ended before the outcome says that they keep coming back.
const maxComebacks = 3

// caseFile is one signal on its way to an outcome.
type caseFile struct {
	Outcome

	target          vpn.Target
	policyError     error
	problems        []string // why the outcome is incomplete
	endedBefore     []time.Time
	noAddresses     bool // asked for an address, and no endpoint keeps any
	comebacks       int
	keepsComingBack bool
}

// Respond answers all signals together, so that each endpoint is listed once for all of them, and returns their outcomes
// in the same order. When ctx is done it stops and tells how far it came.
func (r *Responder) Respond(ctx context.Context, inv Invocation, signals []signal.Signal) []Outcome {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute) // a bound where the caller has none
	defer cancel()

	cases := r.decide(inv, signals)
	if open := those(cases, (*caseFile).toTerminate); len(open) > 0 {
		endpoints, err := r.VPN.Endpoints(ctx, slices.ContainsFunc(open, (*caseFile).wantsAddress))
		addresses := slices.ContainsFunc(endpoints, func(e vpn.Endpoint) bool { return e.KeepsClientIP })
		found := r.VPN.Find(ctx, endpoints, targets(open))
		for i, c := range open {
			c.problem(err)
			c.problem(found.Err)
			c.endedBefore = found.EndedAt[i]
			c.noAddresses = c.wantsAddress() && !addresses
		}
		r.cutOff(ctx, open, found.Up)
		r.keepAway(ctx, endpoints, open)
	}

	var outcomes []Outcome
	for _, c := range cases {
		for _, connection := range c.Connections {
			connection.Account = inv.Account
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
			Connections:   []*vpn.Connection{},
			Spared:        []Spared{},
		}}
		if c.policyError != nil {
			c.Decision = policy.Decision{
				Action: policy.Notify, Mode: r.Mode, Names: []string{}, Reasons: []string{"the policy cannot be read"},
			}
		} else {
			c.Decision = r.Policy.Decide(s, r.Mode, time.Now())
		}
		c.target = vpn.Target{
			Names: c.Decision.Names, ConnectionID: s.Subject.ConnectionID, ClientIP: s.Subject.ClientIP, At: s.Time,
		}
		c.Timing = Timing{EventAt: s.Time, ReceivedAt: inv.ReceivedAt.UTC(), DecidedAt: time.Now().UTC()}
		cases = append(cases, c)
	}
	return cases
}

// cutOff screens what was found for each case, asks EC2 to end what is left of it, and looks until it ended. It returns the
// cases that had something to end.
func (r *Responder) cutOff(ctx context.Context, cases []*caseFile, found [][]vpn.Match) []*caseFile {
	end, keep := map[policy.Mode][]vpn.Match{}, map[policy.Mode][]*vpn.Connection{}
	var busy []*caseFile
	for i, c := range cases {
		matches := r.screen(c, found[i])
		if len(matches) > 0 {
			busy = append(busy, c)
		}
		mode := c.Decision.Mode
		for _, m := range matches {
			c.Connections = append(c.Connections, m.Connection)
			// Two signals about one person lead to the same connection, which is asked to end once.
			if !slices.ContainsFunc(end[mode], func(other vpn.Match) bool { return other.Connection == m.Connection }) {
				end[mode] = append(end[mode], m)
			}
		}
		for _, s := range c.Spared {
			keep[mode] = append(keep[mode], s.Connection)
		}
	}
	r.VPN.Terminate(ctx, end[policy.DryRun], keep[policy.DryRun], true)
	extra := r.VPN.Terminate(ctx, end[policy.Enforce], keep[policy.Enforce], false)

	var asked []*vpn.Connection
	for _, c := range busy {
		if c.Decision.Mode == policy.Enforce {
			c.claim(extra)
			asked = append(asked, c.Connections...)
		}
	}
	if err := r.VPN.Observe(ctx, asked); err != nil {
		for _, c := range busy {
			c.because("not seen to the end: %v", err)
		}
	}
	return busy
}

// screen leaves of the connections found those that may be ended. Those that the case knows already go, doubtful and
// exempt ones are spared, and above the limit all are.
func (r *Responder) screen(c *caseFile, found []vpn.Match) []vpn.Match {
	var matches []vpn.Match
	for _, m := range found {
		switch {
		case c.knows(m.Connection):
		case m.Doubt != "":
			c.spare(m, Ambiguous, m.Doubt)
		case r.Policy.Exempt(m.Username):
			c.spare(m, Exempt, m.Username+" is exempt")
		case r.Policy.Exempt(m.CommonName):
			c.spare(m, Exempt, m.CommonName+" is exempt")
		default:
			matches = append(matches, m)
		}
	}
	hold := func(status Status, reason string) []vpn.Match {
		for _, m := range matches {
			c.spare(m, status, reason)
		}
		return nil
	}
	if c.wantsAddress() && slices.ContainsFunc(matches, func(m vpn.Match) bool {
		return signal.Fold(m.Username) != signal.Fold(matches[0].Username) || signal.Fold(m.CommonName) != signal.Fold(matches[0].CommonName)
	}) {
		return hold(Ambiguous, "the address is held by two people, on two endpoints")
	}
	if n := len(matches); n > r.Policy.MaxConnections {
		return hold(OverLimit, fmt.Sprintf("%d connections are more than max_connections, %d", n, r.Policy.MaxConnections))
	}
	return matches
}

// keepAway looks whether the people who were cut off come back, and ends their new connections too. Each time somebody is
// back the watch begins anew, until they have come back too often.
func (r *Responder) keepAway(ctx context.Context, endpoints []vpn.Endpoint, cases []*caseFile) {
	first := min(max(r.Watch/10, 250*time.Millisecond), time.Second)
	watched := those(cases, (*caseFile).isAway)
	until, wait := time.Now().Add(r.Watch), first
	for len(watched) > 0 && time.Now().Before(until) {
		if !pause(ctx, min(wait, time.Until(until))) {
			for _, c := range watched {
				c.because("the time was up before the watch for a reconnection was over")
				c.keepsComingBack = c.comebacks > 0
			}
			return
		}
		started := time.Now()
		found := r.VPN.Find(ctx, endpoints, targets(watched))
		if found.Err != nil {
			for _, c := range watched {
				c.because("watching for a reconnection: %s", oneLine(found.Err))
			}
		}
		// A listing that takes long is not asked for without pause.
		wait = max(wait*3/2, 2*time.Since(started))
		for _, c := range r.cutOff(ctx, watched, found.Up) {
			c.comebacks++
			c.keepsComingBack = c.comebacks >= maxComebacks
			until, wait = time.Now().Add(r.Watch), first
		}
		watched = those(watched, (*caseFile).isAway)
	}
}

func (c *caseFile) toTerminate() bool  { return c.Decision.Action == policy.Terminate }
func (c *caseFile) wantsAddress() bool { return c.target.ClientIP != "" }

// isAway reports whether the case is about a person whose connections have all ended and who may come back. A connection
// or an address that was asked for alone says nothing about the same person's others.
func (c *caseFile) isAway() bool {
	return c.Decision.Mode == policy.Enforce && len(c.target.Names) > 0 && len(c.Connections) > 0 && !c.keepsComingBack &&
		!slices.ContainsFunc(c.Connections, func(connection *vpn.Connection) bool { return !connection.Ended() })
}

func (c *caseFile) knows(connection *vpn.Connection) bool {
	return slices.ContainsFunc(c.Connections, func(known *vpn.Connection) bool { return known.ID == connection.ID }) ||
		slices.ContainsFunc(c.Spared, func(known Spared) bool { return known.ID == connection.ID })
}

func (c *caseFile) spare(m vpn.Match, why Status, reason string) {
	c.Spared = append(c.Spared, Spared{Connection: m.Connection, Reason: reason, why: why})
}

// claim takes over those of the connections that EC2 ended under a user name of the case.
func (c *caseFile) claim(extra []*vpn.Connection) {
	for _, e := range extra {
		if !c.knows(e) && slices.ContainsFunc(c.Connections, func(listed *vpn.Connection) bool {
			return listed.EndpointID == e.EndpointID && listed.Username == e.Username
		}) {
			c.Connections = append(c.Connections, e)
		}
	}
}

func (c *caseFile) problem(err error) {
	if err != nil {
		c.problems = append(c.problems, oneLine(err))
	}
}

func (c *caseFile) because(format string, args ...any) {
	c.Decision.Reasons = append(c.Decision.Reasons, fmt.Sprintf(format, args...))
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

// pause waits for d and reports whether ctx lasted that long.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
