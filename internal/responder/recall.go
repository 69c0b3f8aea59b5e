package responder

import (
	"context"
	"slices"
	"time"

	"clientvpn-responder/internal/duration"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
)

// memory is what is used of a [ledger.Table] beside the keep-out list.
type memory interface {
	Recall(ctx context.Context, q ledger.Query) (ledger.Recalled, error)
	Take(ctx context.Context, lane string, asks []ledger.Ask, limit ledger.Limit) ([]ledger.Taken, error)
	SetAccess(ctx context.Context, changes []ledger.Change) []ledger.Changed
	Connected(ctx context.Context) (int, error)
	Sources(ctx context.Context, names []string) ([]ledger.Source, error)
	Standings(ctx context.Context, lanes []string) ([]ledger.Standing, error)
	Rule(ctx context.Context, lane string, r ledger.Ruling) (ledger.Standing, error)
}

// Arrival is how one signal came in.
type Arrival struct {
	// At is when its event first arrived; zero is the time of the invocation.
	At time.Time
	// Released is set where a person released the event from the brake; nil otherwise.
	Released *ledger.Ruling
}

// note notes how the case's event came in.
func (c *Case) note(a Arrival) {
	c.released = a.Released
	if !a.At.IsZero() && a.At.Before(c.arrived) {
		c.arrived = a.At
	}
}

// recall asks the ledger what is known of the events and of the people, and blocks cases that are out of date.
func (r *Responder) recall(ctx context.Context, cases []*Case) {
	now := now()
	for i, c := range cases {
		c.arrived = c.arrived.Add(time.Duration(i)) // of one batch the later record arrived later
		c.checkAge(now)
	}
	if r.Ledger == nil || len(cases) == 0 {
		supersede(cases)
		return
	}
	part, cancel := forRecall(ctx)
	defer cancel()
	known, err := r.Ledger.Recall(part, query(cases))
	for _, c := range cases {
		c.noteRecalled(known, err)
		c.noteSwitch(known.Switch)
	}
	supersede(cases)
}

// query returns what the cases need to know. A signal about nobody needs nothing.
func query(cases []*Case) (q ledger.Query) {
	for _, c := range cases {
		if c.isAside() {
			continue
		}
		q.Events = append(q.Events, c.eventKey())
		q.People = append(q.People, c.Decision.Persons...)
	}
	return q
}

// eventKey is the case's place in the ledger.
func (c *Case) eventKey() ledger.EventKey { return EventKey(c.Signal) }

// EventKey returns a signal's place in the ledger.
func EventKey(s signal.Signal) ledger.EventKey {
	return ledger.EventKey{Provider: s.Provider, ID: s.ID, Subject: s.Subject.String()}
}

// outcomeID names the event in the keep-out list.
func outcomeID(s signal.Signal) string { return s.Provider + " " + s.ID }

// issuer returns who says it, as the ledger keeps it: the issuer of the names that count, or the provider.
func (c *Case) issuer() string {
	for _, n := range slices.Concat(c.Decision.Counted, c.Signal.Subject.Names) {
		if n.Issuer.Provider != "" {
			return n.Issuer.String()
		}
	}
	return c.Signal.Provider
}

// checkAge blocks an event that is replayed, or older than any that still waits somewhere. Our own form may ask for it,
// and the sweep says what is still true.
func (c *Case) checkAge(now time.Time) {
	s := c.Signal
	age := now.Sub(c.happened())
	switch {
	case s.Provider == signal.Custom || s.Provider == signal.SweepProvider:
	case s.Replay != "":
		c.Decision.Block(
			policy.GateReplay,
			"it comes from the replay %q of an archive; to act on it, send our own form",
			s.Replay,
		)
	case age > policy.GreatestAge && c.Decision.MaxAge < age:
		c.Decision.Block(
			policy.GateStale,
			"the event is %s old, more than any that can still wait in a queue",
			duration.Short(age.Round(time.Hour)),
		)
	}
}

// noteRecalled notes what the ledger knows of the case, and blocks it if a person or a later event has taken it back.
// An error blocks nothing: a table that does not answer holds no cut-off up.
func (c *Case) noteRecalled(known ledger.Recalled, err error) {
	if err != nil {
		if c.terminates() {
			c.addReasons(policy.Because(
				policy.Recalled,
				"the ledger did not answer, so it is not known whether anybody was reinstated since, whether this was done "+
					"before, or whether everything is switched off",
			))
			c.memory = forgotten
		}
		return
	}
	c.before = known.Events[c.eventKey()]
	if first := c.before.FirstReceived; !first.IsZero() && first.Before(c.arrived) {
		c.arrived = first
	}
	for _, o := range c.objections(known) {
		c.Decision.Block(o.gate, "%s", o.words)
	}
}

// noteSwitch makes the case a dry-run if a person has switched everything off. A table that does not answer switches
// nothing off.
func (c *Case) noteSwitch(s ledger.Switch) {
	c.off = s
	if !s.Off {
		return
	}
	c.Decision.Mode = policy.DryRun
	if c.terminates() {
		c.addReasons(policy.Because(policy.SwitchedOff, "%s, so this is a dry-run", s))
	}
}

// supersede blocks cases that a reinstatement of the same batch takes back. The table has not heard of it yet.
func supersede(cases []*Case) {
	for _, opening := range cases {
		if !opening.Signal.Opens() || !opening.Decision.Reinstates {
			continue
		}
		lift := opening.lift()
		for _, c := range cases {
			person, shared := c.shares(opening)
			if shared && lift.Covers(cause(c.Signal), c.issuer()) &&
				ledger.Later(lift.At, lift.Arrived, c.happened(), c.arrived) {
				o := c.reinstatedBy(person, lift)
				c.Decision.Block(o.gate, "%s", o.words)
			}
		}
	}
}

// shares returns a person whom both cases are about.
func (c *Case) shares(other *Case) (string, bool) {
	for _, person := range c.Decision.Persons {
		for _, p := range other.Decision.Persons {
			if p == person {
				return person, true
			}
		}
	}
	return "", false
}

// Ruling is a person's decision about what the brake holds.
type Ruling = ledger.Ruling
