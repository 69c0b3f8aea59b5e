package responder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/vpn"
)

// keepOutList is what is used of a [ledger.Table].
type keepOutList interface {
	Put(context.Context, ledger.Entry) (until time.Time, err error)
	Withdraw(context.Context, ledger.Entry) error
	Lift(ctx context.Context, person string, l ledger.Lift) ([]ledger.Entry, error)
	Find(ctx context.Context, people []string) ([]ledger.Entry, error)
	Probe(context.Context) error
}

// Forever is how an outcome says that a person is kept out without an end: a time that every program can read and
// compare.
var Forever = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// Lifted is what kept a person out until a reinstatement.
type Lifted struct {
	Person    string       `json:"person"`
	Cause     ledger.Cause `json:"cause"`
	Reason    string       `json:"reason,omitempty"`
	OutcomeID string       `json:"outcome_id,omitempty"`
	By        string       `json:"by,omitempty"`
	Since     time.Time    `json:"since"`
}

// access is a case's part in the keep-out list, and what became of it.
type access struct {
	asked    bool           // the list takes part in the case
	entries  []ledger.Entry // what the list took of it
	until    time.Time      // when the person may connect again, Forever for never; zero if not kept out
	lifted   []Lifted       // what the case reinstates
	still    []ledger.Entry // what keeps a person out whom the case reinstates
	problems []Problem      // why the list is not as it should be
	reasons  []policy.Reason
}

// accessSlots is how many people are written side by side.
const accessSlots = 16

// setAccess writes into the keep-out list who may not come back, and lifts the entries of people who may. It returns
// one result for each case. It must finish before the search starts: anyone who connects after it is denied, and
// anyone who connected before it is found.
func (r *Responder) setAccess(ctx context.Context, cases []*Case) []access {
	ctx, cancel := forAccess(ctx)
	defer cancel()
	results := make([]access, len(cases))
	slots := make(chan struct{}, accessSlots)
	var group sync.WaitGroup
	for i, c := range cases {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			results[i] = r.accessOf(ctx, c)
		})
	}
	group.Wait()
	return results
}

// accessOf does what one case asks of the list.
func (r *Responder) accessOf(ctx context.Context, c *Case) access {
	switch denies := c.Decision.KeepOut != ""; {
	case r.PolicyError != nil:
		return access{}
	case r.KeepOut == nil && denies:
		return access{reasons: []policy.Reason{
			policy.Because(policy.Access, "keep-out is off, as LEDGER_TABLE is not set"),
		}}
	case r.KeepOut == nil:
		return access{}
	case denies && c.dryRun():
		return access{asked: true} // and that is all
	case c.Signal.Opens():
		return r.reinstate(ctx, c)
	case denies:
		return r.deny(ctx, c)
	}
	return access{}
}

// deny writes the entries of a case.
func (r *Responder) deny(ctx context.Context, c *Case) access {
	a := access{asked: true}
	for _, person := range c.Decision.People {
		e := c.entry(person)
		until, err := r.KeepOut.Put(ctx, e)
		switch {
		case errors.Is(err, ledger.ErrLifted):
			a.reasons = append(a.reasons,
				policy.Because(policy.Access, "%s is not kept out, as a reinstatement came after this event", person))
		case err != nil:
			a.problem("keeping out "+person, err)
		default:
			a.entries = append(a.entries, e)
			if end := orForever(until); a.until.IsZero() || end.Before(a.until) {
				a.until = end
			}
		}
	}
	return a
}

// reinstate lifts what keeps the people of a case out. In a dry-run it only finds out what it would lift.
func (r *Responder) reinstate(ctx context.Context, c *Case) access {
	a := access{asked: true}
	lift := c.lift()
	var lifted []ledger.Entry
	if !c.dryRun() {
		for _, person := range c.Decision.People {
			entries, err := r.KeepOut.Lift(ctx, person, lift)
			if err != nil {
				a.problem("letting in "+person, err)
			}
			lifted = append(lifted, entries...)
		}
	}
	found, err := r.KeepOut.Find(ctx, c.Decision.People)
	if err != nil && len(a.problems) == 0 {
		a.problem(fmt.Sprintf("looking for what else keeps %s out", c.Signal.Subject), err)
	}
	for _, e := range found {
		if c.dryRun() && lift.Lifts(e) {
			lifted = append(lifted, e)
		} else {
			a.still = append(a.still, e)
		}
	}
	for _, e := range lifted {
		a.lifted = append(a.lifted, Lifted{e.Person, e.Cause, e.Reason, e.OutcomeID, e.By, e.Since.UTC()})
	}
	if len(a.still) > 0 {
		slices.SortStableFunc(a.still, func(a, b ledger.Entry) int { return orForever(b.Until).Compare(orForever(a.Until)) })
		a.until = orForever(a.still[0].Until)
	}
	return a
}

// withdraw takes the entries of a case off the list again: so many share the name that nothing is done. It returns what
// the list is then.
func (r *Responder) withdraw(ctx context.Context, a access) access {
	ctx, cancel := forAccess(ctx)
	defer cancel()
	for _, e := range a.entries {
		if err := r.KeepOut.Withdraw(ctx, e); err != nil {
			a.problem(fmt.Sprintf("taking %s off the list again", e.Person), err)
			continue
		}
		a.reasons = append(a.reasons,
			policy.Because(policy.Access, "%s is not kept out, as so many share the name", e.Person))
	}
	a.entries, a.until = nil, time.Time{}
	return a
}

// problem records why the list is not as it should be.
func (a *access) problem(doing string, err error) {
	a.problems = append(a.problems, Problem{Code: AccessNotSet, Doing: doing, Cause: err})
}

// entry is what the case writes into the list about a person.
func (c *Case) entry(person string) ledger.Entry {
	s := c.Signal
	return ledger.Entry{
		Person: person, Cause: cause(s), Reason: why(s), OutcomeID: s.Provider + " " + s.ID, By: by(s),
		Since: c.timing.DecidedAt, EventAt: c.happened(), Until: c.Decision.KeepOut.Until(c.timing.DecidedAt),
	}
}

// lift is what the case lifts: what events like it put there, or everything if a person asks for it in our own form.
func (c *Case) lift() ledger.Lift {
	l := ledger.Lift{
		Causes: []ledger.Cause{cause(c.Signal)}, By: by(c.Signal), Reason: why(c.Signal), At: c.happened(),
	}
	if c.Signal.Provider == signal.Custom {
		l.Causes = []ledger.Cause{ledger.Deprovisioning, ledger.Membership, ledger.Finding, ledger.Request}
	}
	return l
}

// cause returns the cause of an entry, which decides who may lift it. Re-enabling an account lifts only what disabling
// it caused. It does not lift a GuardDuty finding or a request made by a person.
func cause(s signal.Signal) ledger.Cause {
	switch {
	case s.Provider == signal.Custom:
		return ledger.Request
	case s.Membership != nil:
		return ledger.Membership
	case s.Kind == signal.AccountDisabled, s.Kind == signal.AccountPurged, s.Kind == signal.AccountEnabled:
		return ledger.Deprovisioning
	}
	return ledger.Finding
}

func by(s signal.Signal) string {
	if s.RequestedBy != "" {
		return s.RequestedBy
	}
	return s.Provider
}

func why(s signal.Signal) string {
	if s.Reason != "" {
		return s.Type + ": " + s.Reason
	}
	return s.Type
}

// explainReturn returns why a person on the list could still reconnect. Either an endpoint that they used has no client
// connect handler, or the handler allowed them. err is the error of asking for the endpoints.
func (c *Case) explainReturn(endpoints []vpn.Endpoint, err error) string {
	var without []string
	for _, e := range endpoints {
		if e.ConnectHandler == "" && c.used(e.ID) {
			without = append(without, e.ID)
		}
	}
	switch {
	case err != nil:
		return "it is not known whether a client connect handler is attached"
	case len(without) > 0:
		return "no client connect handler is attached to " + strings.Join(without, ", ")
	}
	return "the client connect handler lets them in, as its log says"
}

// orForever returns the end of an entry, which is [Forever] where it has none.
func orForever(end time.Time) time.Time {
	if end.IsZero() {
		return Forever
	}
	return end.UTC()
}
