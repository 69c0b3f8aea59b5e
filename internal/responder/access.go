package responder

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/vpn"
)

// keepOutList is what is used of a [ledger.Table].
type keepOutList interface {
	SetAccess(context.Context, []ledger.Change) []ledger.Changed
	Named(context.Context, []string) ([]string, error)
	List(context.Context) ([]ledger.Entry, error)
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

// accessOf does what one case asks of the list, and has the ledger remember who closed or opened whose account.
func (r *Responder) accessOf(ctx context.Context, c *Case) access {
	denies := c.Decision.KeepOut != ""
	switch {
	case r.PolicyError != nil:
		return access{}
	case c.Decision.Reinstates:
		return r.reinstate(ctx, c)
	case c.dryRun() || !c.terminates():
		reasons := append(r.keepOutIsOff(denies), r.noteClosings(ctx, c)...)
		return access{asked: r.KeepOut != nil && (denies || c.Signal.Opens()), reasons: reasons}
	case denies && r.KeepOut != nil:
		return r.deny(ctx, c)
	}
	return access{reasons: append(r.keepOutIsOff(denies), r.noteClosings(ctx, c)...)}
}

func (r *Responder) keepOutIsOff(denies bool) []policy.Reason {
	if r.KeepOut != nil || !denies {
		return nil
	}
	return []policy.Reason{policy.Because(policy.Access, "keep-out is off, as LEDGER_TABLE is not set")}
}

// deny writes the entries of a case.
func (r *Responder) deny(ctx context.Context, c *Case) access {
	a := access{asked: true}
	for _, person := range c.Decision.People {
		e := c.entry(person)
		changed := r.KeepOut.SetAccess(ctx, []ledger.Change{{Person: person, Put: &e, Close: c.closing()}})[0]
		switch {
		case errors.Is(changed.Err, ledger.ErrLifted):
			a.reasons = append(a.reasons,
				policy.Because(policy.Access, "%s is not kept out, as a reinstatement came after this event", person))
		case changed.Err != nil:
			a.problem("keeping out "+person, changed.Err)
		default:
			a.entries = append(a.entries, e)
			if end := orForever(changed.Until); a.until.IsZero() || end.Before(a.until) {
				a.until = end
			}
		}
	}
	return a
}

// noteClosings has the ledger remember that an account was closed, where nobody is kept out.
func (r *Responder) noteClosings(ctx context.Context, c *Case) (reasons []policy.Reason) {
	closing := c.closing()
	if closing == nil || r.Ledger == nil || c.memory == forgotten {
		return nil
	}
	var changes []ledger.Change
	for _, person := range c.Decision.Persons {
		changes = append(changes, ledger.Change{Person: person, Close: closing})
	}
	for i, changed := range r.Ledger.SetAccess(ctx, changes) {
		if changed.Err != nil {
			reasons = append(reasons, policy.Because(
				policy.Recalled,
				"the ledger did not record that the account of %s was closed: %s",
				changes[i].Person,
				Problem{Cause: changed.Err}.Brief(),
			))
		}
	}
	return reasons
}

// reinstate lifts what keeps the people of a case out, in every mode: to keep somebody out longer is no caution.
func (r *Responder) reinstate(ctx context.Context, c *Case) access {
	lift := c.lift()
	var changes []ledger.Change
	for _, person := range c.Decision.People {
		changes = append(changes, ledger.Change{Person: person, Lift: &lift})
	}
	if r.KeepOut == nil {
		if r.Ledger != nil {
			r.Ledger.SetAccess(ctx, changes) // an older event that arrives later must know of it
		}
		return access{}
	}
	a := access{asked: true}
	changes = append(changes, r.liftElsewhere(ctx, c, &a)...)
	for i, changed := range r.KeepOut.SetAccess(ctx, changes) {
		if changed.Err != nil {
			a.problem("letting in "+changes[i].Person, changed.Err)
		}
		for _, e := range changed.Lifted {
			a.lifted = append(a.lifted, Lifted{e.Person, e.Cause, e.Reason, e.OutcomeID, e.By, e.Since.UTC()})
		}
		a.still = append(a.still, changed.Still...)
	}
	if len(a.still) > 0 {
		slices.SortStableFunc(a.still, func(a, b ledger.Entry) int { return orForever(b.Until).Compare(orForever(a.Until)) })
		a.until = orForever(a.still[0].Until)
	}
	return a
}

// liftElsewhere returns the changes that lift entries about the case's names under other people. The policy at that
// time may have known these names as others'.
func (r *Responder) liftElsewhere(ctx context.Context, c *Case, a *access) []ledger.Change {
	names := c.namesKnown()
	people, err := r.KeepOut.Named(ctx, names)
	if err != nil {
		a.problem("looking for entries of "+strings.Join(c.Decision.People, ", "), err)
	}
	lift := c.lift()
	lift.Named = names
	var changes []ledger.Change
	for _, person := range people {
		if !slices.Contains(c.Decision.People, person) {
			changes = append(changes, ledger.Change{Person: person, Lift: &lift})
		}
	}
	return changes
}

// problem records why the list is not as it should be.
func (a *access) problem(doing string, err error) {
	a.problems = append(a.problems, Problem{Code: AccessNotSet, Doing: doing, Cause: err})
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
