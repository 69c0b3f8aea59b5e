package responder

import (
	"cmp"
	"slices"
	"time"

	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/vpn"
)

const (
	// maxReconnections is how often a person's new connections are terminated before the outcome says that they keep
	// coming back.
	maxReconnections = 3
	// firstVerify is how soon after a request EC2 is asked whether the connection has ended. Each further time comes
	// half as late again, up to slowestVerify.
	firstVerify, slowestVerify = 250 * time.Millisecond, 5 * time.Second
	// maxRetries is how often endpoints that could not be listed are listed again within an invocation.
	maxRetries = 2
)

// Case is one signal on its way to an outcome. Nothing here talks to anybody or reads the clock.
type Case struct {
	Signal   signal.Signal
	Decision policy.Decision

	timing     Timing
	account    string // the program's own, for outcomes
	policyHash string
	// policyProblem says why a newer policy is not in force.
	policyProblem string
	target        vpn.Target
	problems      []Problem

	state       State
	connections []*vpn.Tracked // to terminate
	spared      []Spared
	verifying   pace // while Ending

	listing     progress // of a search for the case
	began       time.Time
	searching   pace
	searches    int              // that are over
	names       []string         // that tell people apart, of connections in this search that only the limit can spare
	found       int              // connections found in this search that may be terminated
	firstFound  int              // the search that first showed one, counted from 1; 0 for none
	gaps        map[string]error // endpoints that no search has shown completely
	lastFailed  map[string]error // endpoints that the last search did not show completely
	listings    []string
	evidence    Evidence
	endedBefore []time.Time
	noAddresses bool // the target is an address, and no endpoint keeps client addresses

	watch         watch
	watchFor      time.Duration // zero turns watching off
	deadline      time.Time     // of the watch, while Watching
	reconnections int

	arrived  time.Time      // when the event first arrived, as far as that is known
	signsIn  []string       // endpoints where a person signs in anew for each connection
	lifts    []string       // whose closings a reinstatement lifts beside its issuer's
	released *ledger.Ruling // by a person, from the brake
	before   ledger.Event   // what became of the event before
	memory   recollection
	// objection is what the ledger said against the event during the watch.
	objection objection
	off       ledger.Switch // the off switch
	braked    *Brake        // what the brake holds; nil if it does not hold this

	access access
	letIn  string // why nothing denied a person who is kept out
}

// recollection says whether the ledger was there to ask.
type recollection uint8

const (
	unasked recollection = iota
	recalled
	forgotten // it did not answer
)

// progress says whether something is under way.
type progress uint8

const (
	idle progress = iota
	running
)

// pace says when to ask again: at a time, and then less and less often.
type pace struct {
	every time.Duration
	at    time.Time
}

func newPace(every time.Duration, now time.Time) pace { return pace{every, now.Add(every)} }

// slower returns the next pace: a pause that is half as long again, and at most slowest.
func (p pace) slower(slowest time.Duration, now time.Time) pace {
	return newPace(min(p.every*3/2, slowest), now)
}

// newCase returns the case of a signal that the policy has decided about.
func newCase(inv Invocation, s signal.Signal, d policy.Decision, now time.Time) *Case {
	return &Case{
		Signal: s, Decision: d, account: inv.Account, arrived: inv.ReceivedAt,
		timing: Timing{EventAt: s.Time, ReceivedAt: inv.ReceivedAt.UTC(), DecidedAt: now.UTC()},
		target: vpn.Target{
			Names: d.Names, CommonNames: d.CommonNames, LikelyUsernames: d.Spellings,
			ConnectionID: s.Subject.ConnectionID, ClientIP: s.Subject.ClientIP, At: cmp.Or(s.Subject.SeenAt, s.Time),
		},
	}
}

func (c *Case) dryRun() bool       { return c.Decision.Mode != policy.Enforce }
func (c *Case) terminates() bool   { return c.Decision.Action == policy.Terminate }
func (c *Case) isAside() bool      { return c.Signal.IsAboutNobody() }
func (c *Case) wantsAddress() bool { return c.target.ClientIP != "" }

// isBlind reports whether a person may be connected where no search has looked.
func (c *Case) isBlind() bool { return len(c.gaps) > 0 || len(c.problems) > 0 }

// actsOn reports whether the rule that decided terminates connections on the endpoint.
func (c *Case) actsOn(endpointID string) bool {
	return len(c.Decision.Endpoints) == 0 || slices.Contains(c.Decision.Endpoints, endpointID)
}

// happened returns when the event happened, or when it was received if it does not say.
func (c *Case) happened() time.Time {
	at, sent := c.Signal.Time, c.Signal.SentAt
	switch {
	case at.IsZero():
		return c.timing.ReceivedAt
	case at.After(c.timing.ReceivedAt) && !sent.IsZero() && sent.Before(at):
		return sent // the sender's clock is wrong
	}
	return at
}

// isOpen reports whether a connection was to be terminated and what became of it is open.
func (c *Case) isOpen() bool {
	return slices.ContainsFunc(c.connections, func(t *vpn.Tracked) bool {
		if c.dryRun() {
			return t.How == "" && (t.Fate == vpn.FateFound || t.Fate == vpn.FateAsked)
		}
		return t.Fate == vpn.FateFound || t.Pending()
	})
}

// pending returns the connections that EC2 was asked to terminate and has not shown to have ended.
func (c *Case) pending() []*vpn.Tracked {
	var some []*vpn.Tracked
	for _, t := range c.connections {
		if !c.dryRun() && t.Pending() {
			some = append(some, t)
		}
	}
	return some
}

// mayListAgain reports whether a further search may show an endpoint that was not shown completely.
func (c *Case) mayListAgain() bool {
	for _, err := range c.gaps {
		if !vpn.Refused(err) && c.searches <= maxRetries {
			return true
		}
	}
	return false
}

// wantsVerify returns when EC2 is next to be asked whether the connections have ended, and false if none is to end.
func (c *Case) wantsVerify() (time.Time, bool) { return c.verifying.at, len(c.pending()) > 0 }

// overLimit reports whether the limit spared connections, and nothing was terminated in the watch before that.
func (c *Case) overLimit() bool {
	return c.reconnections == 0 && slices.ContainsFunc(c.spared, func(s Spared) bool { return s.why == OverLimit })
}

// met reports whether the case has met the connection before, to terminate or to spare it. If it is to be terminated,
// met returns what is tracked of it.
func (c *Case) met(id string) (*vpn.Tracked, bool) {
	for _, t := range c.connections {
		if t.ID == id {
			return t, true
		}
	}
	return nil, slices.ContainsFunc(c.spared, func(s Spared) bool { return s.ID == id })
}

// used reports whether one of the case's connections was on the endpoint.
func (c *Case) used(endpointID string) bool {
	return slices.ContainsFunc(c.connections, func(t *vpn.Tracked) bool { return t.EndpointID == endpointID })
}

// addReasons adds reasons, each once.
func (c *Case) addReasons(reasons ...policy.Reason) {
	for _, reason := range reasons {
		if !slices.Contains(c.Decision.Reasons, reason) {
			c.Decision.Reasons = append(c.Decision.Reasons, reason)
		}
	}
}
