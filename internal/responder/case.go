package responder

import (
	"slices"
	"time"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/vpn"
)

// Case is one signal on its way to an outcome. Nothing here talks to anybody.
type Case struct {
	Signal   signal.Signal
	Decision policy.Decision

	timing     Timing
	account    string // the program's own, for outcomes
	policyHash string
	target     vpn.Target
	problems   []Problem

	connections []*vpn.Connection // to terminate
	spared      []Spared
	endedBefore []time.Time
	listings    []string
	noAddresses bool // an address is looked for, and no endpoint keeps any

	access access
	letIn  string // why nobody turned away a person who is kept out

	considered    int              // connections found so far in this search, for the limit
	unlisted      map[string]error // endpoints that no search has shown completely
	lastFailed    map[string]error // endpoints that the last search did not show completely
	relistings    int
	watchUntil    time.Time // zero while a connection is up
	watchedOut    bool      // they stayed away for the whole watch
	cutShort      bool      // the time was up before the end of the watch
	keepsComing   bool
	reconnections int
}

// newCase returns the case of a signal that the policy has decided about.
func newCase(inv Invocation, s signal.Signal, d policy.Decision, now time.Time) *Case {
	return &Case{
		Signal: s, Decision: d, account: inv.Account,
		timing: Timing{EventAt: s.Time, ReceivedAt: inv.ReceivedAt.UTC(), DecidedAt: now.UTC()},
		target: vpn.Target{
			Names: d.Names, CommonNames: d.CommonNames, LikelyUsernames: d.Spellings,
			ConnectionID: s.Subject.ConnectionID, ClientIP: s.Subject.ClientIP, At: s.Time,
		},
	}
}

func (c *Case) dryRun() bool       { return c.Decision.Mode != policy.Enforce }
func (c *Case) terminates() bool   { return c.Decision.Action == policy.Terminate }
func (c *Case) wantsAddress() bool { return c.target.ClientIP != "" }

// isBlind reports whether a person may be connected where no search has looked.
func (c *Case) isBlind() bool { return len(c.unlisted) > 0 || len(c.problems) > 0 }

// actsOn reports whether the rule that decided terminates connections on the endpoint.
func (c *Case) actsOn(endpointID string) bool {
	return len(c.Decision.Endpoints) == 0 || slices.Contains(c.Decision.Endpoints, endpointID)
}

// happened returns when the event happened, or when it was received if it does not say.
func (c *Case) happened() time.Time {
	if c.Signal.Time.IsZero() {
		return c.timing.ReceivedAt
	}
	return c.Signal.Time
}

// pending returns the connections that are to end in earnest and have not.
func (c *Case) pending() []*vpn.Connection {
	if c.dryRun() {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(c.connections), func(connection *vpn.Connection) bool { return !connection.Pending() })
}

// isAway reports whether the case is about a person whose connections have all ended and who may come back. A connection
// or an address that was asked for alone says nothing about the same person's others.
func (c *Case) isAway() bool {
	return !c.dryRun() && len(c.target.Names) > 0 && len(c.connections) > 0 && !c.keepsComing &&
		!slices.ContainsFunc(c.connections, func(connection *vpn.Connection) bool { return !connection.Ended() })
}

// isBack reports whether the newest connection came up since the event was received. One that is older was there all the
// time, on an endpoint that could not be listed before.
func (c *Case) isBack() bool {
	newest := c.connections[len(c.connections)-1]
	return !newest.EstablishedAt.Before(c.timing.ReceivedAt.Truncate(time.Second)) // EC2 tells whole seconds
}

// wantsListing reports whether another search may show more: endpoints that EC2 did not show, or a person who is back.
func (c *Case) wantsListing() bool {
	for _, err := range c.unlisted {
		if !vpn.Refused(err) && c.relistings < maxRelistings {
			return true
		}
	}
	return c.isAway() && !c.watchedOut
}

func (c *Case) timeIsUp() {
	if c.isAway() && !c.watchedOut {
		c.cutShort = true
		c.keepsComing = c.reconnections > 0
	}
}

// overLimit reports whether the limit spared connections, and nothing was terminated in the watch before that.
func (c *Case) overLimit() bool {
	return c.reconnections == 0 && slices.ContainsFunc(c.spared, func(s Spared) bool { return s.why == OverLimit })
}

// connection returns the connection with that id if the case has met it before, to terminate or to spare it.
func (c *Case) connection(id string) (*vpn.Connection, bool) {
	for _, connection := range c.connections {
		if connection.ID == id {
			return connection, true
		}
	}
	for _, spared := range c.spared {
		if spared.ID == id {
			return spared.Connection, true
		}
	}
	return nil, false
}

// used reports whether one of the case's connections was on the endpoint.
func (c *Case) used(endpointID string) bool {
	return slices.ContainsFunc(c.connections, func(connection *vpn.Connection) bool { return connection.EndpointID == endpointID })
}

// adopt adds connections that EC2 terminated by user name although no search had shown them.
func (c *Case) adopt(terminated []*vpn.Connection) {
	for _, t := range terminated {
		_, met := c.connection(t.ID)
		if !met && slices.ContainsFunc(c.connections, func(listed *vpn.Connection) bool {
			return listed.EndpointID == t.EndpointID && listed.Username == t.Username
		}) {
			c.connections = append(c.connections, t)
		}
	}
}

// noteAccess records what became of the case's part in the keep-out list.
func (c *Case) noteAccess(a access) {
	c.addReasons(a.reasons...)
	a.reasons = nil
	c.access = a
}

// addReasons adds reasons, each once.
func (c *Case) addReasons(reasons ...policy.Reason) {
	for _, reason := range reasons {
		if !slices.Contains(c.Decision.Reasons, reason) {
			c.Decision.Reasons = append(c.Decision.Reasons, reason)
		}
	}
}

// noteScreened records what Screen returned, and returns the connections to terminate.
func (c *Case) noteScreened(s Screened) []vpn.OldMatch {
	c.addReasons(s.Reasons...)
	c.spared = append(c.spared, s.Spare...)
	c.considered += s.considered
	for i, m := range s.Terminate {
		if known, met := c.connection(m.ID); met {
			known.Revive(m.Current)
			s.Terminate[i].Connection = known
		}
	}
	return s.Terminate
}
