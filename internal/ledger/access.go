package ledger

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// Cause says who put a person on the list, which decides who may take it off.
type Cause string

// The causes. A reinstatement of the same issuer lifts what a provider put there (Deprovisioning, Membership).
// Only our own form, or somebody by hand, lifts what GuardDuty (Finding) or our own form (Request) put there.
const (
	Deprovisioning Cause = "deprovisioning"
	Membership     Cause = "membership" // the person lost what carries the VPN; being added again lifts it
	Finding        Cause = "finding"
	Request        Cause = "request"
)

// Entry is why and until when one person is kept out, for one cause and by one issuer.
type Entry struct {
	// Person is the one folded name for all names of the person, as [policy.Policy.People] returns it.
	Person string `json:"person"`
	Cause  Cause  `json:"cause"`
	// Issuer is who says it, such as "okta:example"; Names are the person's names as the event has them.
	Issuer string   `json:"issuer,omitempty"`
	Names  []string `json:"names,omitempty"`
	// Known are all names, folded, by which the policy then knew the person, and CommonNames the certificates'.
	// Whatever the policy says by now, they are denied.
	Known       []string `json:"known_names,omitempty"`
	CommonNames []string `json:"common_names,omitempty"`
	// Reason is kept up to 1,000 bytes.
	Reason string `json:"reason"`
	// OutcomeID is the provider and the id of the signal, as the outcome has them.
	OutcomeID string `json:"outcome_id"`
	// By is who or what asked.
	By string `json:"by"`
	// Since is when the person was put on the list; zero is now.
	Since time.Time `json:"since"`
	// EventAt is when it happened, as the event says; zero is Since. A reinstatement lifts only what is older.
	EventAt time.Time `json:"event_at"`
	// Arrived is when the event was first received; zero is Since. It decides between events of one moment.
	Arrived time.Time `json:"arrived,omitzero"`
	// Until is the end; zero is for ever.
	Until time.Time `json:"until"`
}

// Holds reports whether the entry keeps anybody out at a time.
func (e Entry) Holds(now time.Time) bool { return e.Until.IsZero() || now.Before(e.Until) }

// Closing is the last event with which an issuer closed a person's account.
type Closing struct {
	Issuer    string    `json:"issuer"`
	Provider  string    `json:"provider"`
	OutcomeID string    `json:"outcome_id"`
	Kind      string    `json:"kind"`
	Reason    string    `json:"reason"`
	EventAt   time.Time `json:"event_at"`
	Arrived   time.Time `json:"arrived"`
}

// Lift is a reinstatement: an event of an issuer, our own form, or somebody by hand.
type Lift struct {
	Issuer string
	Causes []Cause // what it may lift
	// Issuers are those whose entries it may lift beside its own; AnyIssuer is every one.
	Issuers   []string
	AnyIssuer bool
	// Named limits it to entries about one of these names, folded, and then it leaves no mark. Empty is every entry.
	// The names in the event count, and with AnyIssuer all known names.
	Named []string
	// OutcomeID distinguishes a repeat of the reinstatement from another one of the same moment.
	OutcomeID  string
	By, Reason string
	At         time.Time // when it happened, as the event says; zero is now
	Arrived    time.Time // when it was first received; zero is now
}

// Covers reports whether the reinstatement may lift what an issuer did for a cause.
func (l Lift) Covers(cause Cause, issuer string) bool {
	if !slices.Contains(l.Causes, cause) {
		return false
	}
	return l.AnyIssuer || sameIssuer(issuer, l.Issuer) ||
		slices.ContainsFunc(l.Issuers, func(other string) bool { return sameIssuer(issuer, other) })
}

// sameIssuer reports whether two issuers may be one. Not every event of a provider says which tenant it is from, and an
// entry without an issuer may be anybody's.
func sameIssuer(a, b string) bool {
	providerA, withinA, _ := strings.Cut(a, ":")
	providerB, withinB, _ := strings.Cut(b, ":")
	return a == "" || providerA == providerB && (withinA == withinB || withinA == "" || withinB == "")
}

// Lifts reports whether the reinstatement takes the entry off the list.
func (l Lift) Lifts(e Entry) bool {
	return l.Covers(e.Cause, e.Issuer) && (len(l.Named) == 0 || e.isNamed(l.Named, l.AnyIssuer)) &&
		Later(l.At, l.Arrived, e.EventAt, e.Arrived)
}

// Later reports whether the first of two events holds: it happened later, or at the same moment and arrived later. Many
// sources date to the second, so a date without a fraction is the same moment as every time within that second.
func Later(at, arrived, otherAt, otherArrived time.Time) bool {
	if SameMoment(at, otherAt) {
		return arrived.After(otherArrived)
	}
	return at.After(otherAt)
}

// SameMoment reports whether the dates of two events leave their order open.
func SameMoment(a, b time.Time) bool {
	if a.Equal(b) {
		return true
	}
	whole := a.Nanosecond() == 0 || b.Nanosecond() == 0
	return whole && a.Truncate(time.Second).Equal(b.Truncate(time.Second))
}

// Access is what the ledger knows of one person.
type Access struct {
	Person   string
	Entries  []Entry   // the ones that hold now
	Closings []Closing // the last of each issuer
	openings []opening // the last of each issuer
	lifted   map[string]mark
}

// OpenedSince returns the reinstatement that came after an event of an issuer and takes it back.
func (a Access) OpenedSince(issuer string, cause Cause, at, arrived time.Time) (Lift, bool) {
	for _, o := range a.openings {
		if o.Covers(cause, issuer) && Later(o.At, o.Arrived, at, arrived) {
			return o.Lift, true
		}
	}
	return Lift{}, false
}

// LiftedByHand returns who lifted an entry of this very event, when, and whether anybody did.
func (a Access) LiftedByHand(outcomeID string) (by string, at time.Time, ok bool) {
	m, ok := a.lifted[outcomeID]
	return m.by, m.at, ok
}

// StillClosed returns the closings that no later reinstatement takes back.
func (a Access) StillClosed() []Closing {
	var closed []Closing
	for _, c := range a.Closings {
		if _, opened := a.OpenedSince(c.Issuer, Deprovisioning, c.EventAt, c.Arrived); !opened {
			closed = append(closed, c)
		}
	}
	return closed
}

// ErrLifted says that somebody was reinstated after what should keep the person out.
var ErrLifted = errors.New("reinstated since")

// Put keeps a person out, and returns the end that is then in force, of all entries together; zero is for ever. It
// never shortens what is there. The error is [ErrLifted] if the person was reinstated after e.EventAt, and DynamoDB's
// otherwise.
func (t *Table) Put(ctx context.Context, e Entry) (until time.Time, err error) {
	changed := t.setOne(ctx, Change{Person: e.Person, Put: &e})
	return changed.Until, changed.Err
}

// Lift takes a person off the list, for the causes and issuers that it covers and for what happened before it. It
// leaves a mark, so that an older event that arrives late does not put the person back. It returns what it lifted,
// the same when it is repeated.
func (t *Table) Lift(ctx context.Context, person string, l Lift) (lifted []Entry, err error) {
	changed := t.setOne(ctx, Change{Person: person, Lift: &l})
	return changed.Lifted, changed.Err
}

// Find returns the entries that hold now of people who may be on the list, by one consistent read.
func (t *Table) Find(ctx context.Context, people []string) ([]Entry, error) {
	known, err := t.people(ctx, people)
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, person := range slices.Sorted(slices.Values(people)) {
		all = append(all, known[person].Entries...)
		delete(known, person)
	}
	return all, nil
}
