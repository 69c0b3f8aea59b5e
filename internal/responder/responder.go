// Package responder cuts people off. For each signal it asks the policy, searches for the person's connections,
// terminates them, verifies that they ended, watches for reconnections, and returns one [Outcome].
//
// It promises to terminate nothing before it has checked exemption and limit on the connections found. Every signal has
// an outcome whatever fails, and the outcome claims only what EC2 has shown.
//
// To audit it, read the rules; they know no network and no clock:
//   - screen.go: which connections may be terminated, and which are spared;
//   - states.go: when termination is requested, and what happens at the deadline (doc/states.md);
//   - verdict.go: when an outcome says terminated, and when anything else;
//   - executor.go: the only function that calls [vpn.VPN.Terminate].
package responder

import (
	"context"
	"iter"
	"slices"
	"time"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/sweep"
	"clientvpn-responder/internal/vpn"
)

// Responder answers signals.
type Responder struct {
	VPN *vpn.VPN
	// Policy decides. If it could not be read, PolicyError says why: nothing is terminated, and every outcome fails.
	Policy      *policy.Policy
	PolicyError error
	// Probe returns further problems for the self-test; nil if there is nothing else to test.
	Probe func(context.Context) []error
	// KeepOut is the list of people who may not reconnect; nil turns keep-out off.
	KeepOut keepOutList
	// Ledger remembers across invocations; nil remembers nothing. Alone counts for the brake while Ledger does not
	// answer.
	Ledger, Alone memory
	// Held is the queue of the events that the brake holds; nil where there is none.
	Held heldQueue
	// PolicyProblem says why a newer policy is not in force; nil if this is the newest.
	PolicyProblem error
	// TargetsProblem says why a newer list of other accounts and Regions is not in force; nil if this is the newest.
	TargetsProblem error
	// PolicyHash is a field of every outcome, see [Outcome].
	PolicyHash string
	// Mode is the mode of the installation; anything but Enforce is dry-run.
	Mode policy.Mode
	// Watch is how long to watch for reconnections after the last connection ended. Zero turns watching off.
	Watch time.Duration
}

// Invocation says when and where signals arrived.
type Invocation struct {
	ReceivedAt time.Time
	// Account is the AWS account that the program runs in, for outcomes.
	Account string
	// Arrivals say of each signal how it came in; it may be shorter than the signals.
	Arrivals []Arrival
	// Swept is what the sweep has seen, for a signal that asks for one; nil if there was none.
	Swept *sweep.Report
}

// Respond takes signals from the policy's decision to one outcome each. It yields each outcome with its signal's index
// as soon as the case is settled. A search lists each endpoint once for all cases. When ctx is done, Respond begins
// nothing new, and the outcomes say how far it came. The caller must return from each outcome at once: until it does,
// nobody is watched.
func (r *Responder) Respond(ctx context.Context, inv Invocation, signals []signal.Signal) iter.Seq2[int, Outcome] {
	return func(yield func(int, Outcome) bool) {
		ctx, cancel := forAnswer(ctx)
		defer cancel()

		// 1. Decide. Nothing has been asked of AWS yet.
		cs := r.decide(inv, signals, now())

		// 2. Recall what is remembered of the events and the people, and ask the brake. Each may hold a case.
		r.recall(ctx, cs)
		r.brake(ctx, cs)

		// 3. Set access, before anybody is searched for, and ask which endpoints there are.
		endpoints := r.prepare(ctx, cs)

		// 4. Pursue: search, terminate, verify, watch (states.go). Report each case as soon as it is settled.
		for i := range r.pursue(ctx, endpoints, newCases(r.Policy, cs)) {
			if !cs[i].isAside() && !yield(i, cs[i].conclude()) {
				return
			}
		}

		// 5. Self-tests and rulings wait until the people are dealt with.
		for i, c := range cs {
			if c.isAside() && !yield(i, r.aside(ctx, c, inv.Swept)) {
				return
			}
		}
	}
}

// aside answers a signal that is about nobody's access.
func (r *Responder) aside(ctx context.Context, c *Case, swept *sweep.Report) Outcome {
	switch {
	case c.Signal.Kind.IsRuling():
		return r.ruling(ctx, c)
	case c.Signal.Kind == signal.Sweep:
		return r.swept(c, swept)
	}
	return r.selfTest(ctx, c)
}

// prepare sets access and asks for the endpoints side by side, and notes both in the cases.
func (r *Responder) prepare(ctx context.Context, cs []*Case) []vpn.Endpoint {
	changed := make(chan []access, 1)
	go func() { changed <- r.setAccess(ctx, cs) }()
	var terminating []*Case
	for _, c := range cs {
		if c.terminates() {
			terminating = append(terminating, c)
		}
	}
	endpoints := r.endpointsFor(ctx, terminating)
	for i, a := range <-changed {
		cs[i].noteAccess(a)
	}
	return endpoints
}

// decide asks the policy about each signal. Without a policy nothing is terminated, and the outcomes say so.
func (r *Responder) decide(inv Invocation, signals []signal.Signal, now time.Time) []*Case {
	var cs []*Case
	for i, s := range signals {
		d := policy.Decision{
			Action: policy.Notify, Mode: r.Mode, Names: []string{}, Reasons: []policy.Reason{policy.CannotBeRead()},
		}
		switch {
		case s.Kind.IsRuling():
			d = decideRuling(r.Mode)
		case r.PolicyError == nil:
			d = r.Policy.Decide(s, r.Mode, now)
		}
		c := newCase(inv, s, d, now)
		if r.Policy != nil {
			c.lifts = r.Policy.Lifts(c.issuer())
		}
		c.policyHash, c.watchFor = r.PolicyHash, r.Watch
		r.noteNotNewest(c)
		if i < len(inv.Arrivals) {
			c.note(inv.Arrivals[i])
		}
		if r.PolicyError != nil {
			c.problems = []Problem{{Code: PolicyUnreadable, Cause: r.PolicyError}}
		} else {
			unknown := r.Policy.UnknownDomains(d.Counted)
			c.evidence.UnknownDomains = unknown[:min(len(unknown), maxUnknownDomains)]
		}
		cs = append(cs, c)
	}
	return cs
}

// noteNotNewest says in the outcome that a newer policy or list of targets is not in force.
func (r *Responder) noteNotNewest(c *Case) {
	if r.PolicyProblem != nil {
		c.policyProblem = r.PolicyProblem.Error()
		c.addReasons(policy.Because(policy.NotNewest, "the newest policy cannot be used: %v", r.PolicyProblem))
	}
	if r.TargetsProblem != nil {
		c.addReasons(policy.Because(policy.NotNewest, "%s: %v", noTargets, r.TargetsProblem))
	}
}

// noTargets begins the problem of a list of targets that is not in force.
const noTargets = "the newest list of targets cannot be used"

// endpointsFor returns the endpoints to search. If asking for them fails, or there are none, that is a problem of the
// cases that need to know.
func (r *Responder) endpointsFor(ctx context.Context, cases []*Case) []vpn.Endpoint {
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
		c.signsIn = signsIn(endpoints)
	}
	return endpoints
}
