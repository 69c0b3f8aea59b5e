// Package directory looks up the names of people in AWS IAM Identity Center whom an event knows only by an id. That
// is their user id there, the id of a membership, or the id of the provider that makes its users by SCIM.
//
// It promises that a signal keeps its id and says what came of the lookup, so that a policy's aliases can still map
// it. A name that was found has the issuer of the id, so the policy decides about that issuer. Some events
// say only that an account changed. They close the account only if the store says that it is disabled, and open it only
// if the store says that it is enabled.
package directory

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/signal"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
)

// Directory asks one identity store. A nil Directory asks none.
type Directory struct {
	api api
	Store
}

// Store describes an identity store.
type Store struct {
	// ID is "d-…".
	ID string
	// Region is where it is, for events of other providers; empty for the program's own. Identity Center's own events
	// come from its Region.
	Region string
	// Provisioners are the providers whose ids it knows.
	Provisioners []Provisioner
}

// New returns the directory of an identity store.
func New(cfg aws.Config, s Store) *Directory { return &Directory{newStore(cfg), s} }

const (
	longest = 5 * time.Second // for all lookups of an invocation together
	atOnce  = 5
)

// Resolve adds names to the signals that have only an id of Identity Center or of a provisioner. It asks once for
// each user. The errors are in the order of the signals. An error is worth a retry: the store did not answer whether
// the account is disabled. Where it did not answer about names, the signal has the error.
func (d *Directory) Resolve(ctx context.Context, signals []signal.Signal) []error {
	ctx, cancel := context.WithTimeout(ctx, patience(ctx))
	defer cancel()
	slots := make(slots, atOnce)
	d.findMembers(ctx, slots, signals)
	answers := map[user]func() answer{}
	var wait sync.WaitGroup
	errs := make([]error, len(signals))
	for i := range signals {
		s := &signals[i]
		u, wanted := d.whom(s)
		if !wanted {
			continue
		}
		if answers[u] == nil {
			answers[u] = sync.OnceValue(func() (a answer) {
				slots.use(func() { a = d.ask(ctx, u) })
				return a
			})
		}
		answer := answers[u]
		wait.Go(func() { errs[i] = answer().apply(s) })
	}
	wait.Wait()
	return errs
}

// slots are the places for calls at a time.
type slots chan struct{}

func (s slots) use(call func()) {
	s <- struct{}{}
	defer func() { <-s }()
	call()
}

// patience is a quarter of the time left, so that a store that hangs leaves enough to act on the others.
func patience(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return min(longest, time.Until(deadline)/4)
	}
	return longest
}

// answer is what the store says about a user.
type answer struct {
	names  []identity.Name
	status status
	said   string // the result of the lookup, for people
	err    error  // why the answer is missing, if that may change
	// unasked says that there is no store to ask. The policy then blocks the termination and reports it.
	unasked bool
}

// user is a user of Identity Center, as an event names them. The store may be missing.
type user struct {
	id, region, store string
	// issuer and scim are set where the id is a provisioner's.
	issuer identity.Issuer
	scim   string
}

// String returns the id for people.
func (u user) String() string {
	if u.scim == "" {
		return u.id
	}
	return u.id + " of " + u.issuer.String()
}

// whyUnknown says why the store may not know the user.
func (u user) whyUnknown() string {
	if u.scim == "" {
		return "already deleted"
	}
	return "already deleted, or not made by " + u.scim
}

// whom returns the user whose names the signal lacks. It reports false if there is nobody to ask about.
func (d *Directory) whom(s *signal.Signal) (user, bool) {
	if s.Provider == signal.IdentityCenter {
		if len(s.Subject.IDs) == 0 {
			return user{}, false
		}
		return user{id: s.Subject.IDs[0], region: s.Region, store: s.Subject.IdentityStore}, true
	}
	if d == nil || len(s.Subject.Usernames) > 0 || s.Subject.Session != nil {
		return user{}, false
	}
	for _, n := range s.Subject.Names {
		for _, p := range d.Provisioners {
			if n.Form == identity.OpaqueID && p.Issuer.Covers(n.Issuer) {
				return user{id: n.Value, region: d.Region, issuer: n.Issuer, scim: p.SCIM}, true
			}
		}
	}
	return user{}, false
}

// cannotAsk says why the store cannot be asked; "" if it can.
func (d *Directory) cannotAsk(store string) string {
	switch {
	case d == nil:
		return "as IDENTITY_STORE_ID is not set"
	case store != "" && store != d.ID:
		return fmt.Sprintf("as the event is of %s and IDENTITY_STORE_ID is %s", store, d.ID)
	}
	return ""
}

// ask returns the names of a user.
func (d *Directory) ask(ctx context.Context, u user) answer {
	if why := d.cannotAsk(u.store); why != "" {
		return answer{unasked: true, said: "not asked for the user's names, " + why}
	}
	output, err := d.describe(ctx, u)
	var api smithy.APIError
	switch {
	case errors.As(err, &api) && api.ErrorCode() == notFound:
		return answer{said: fmt.Sprintf("%s knows no user %s: %s", d.ID, u, u.whyUnknown())}
	case errors.As(err, &api):
		return answer{said: fmt.Sprintf("%s could not be asked for user %s: %s", d.ID, u, api.ErrorCode()), err: err}
	case err != nil:
		return answer{said: fmt.Sprintf("%s did not answer in time about user %s", d.ID, u), err: err}
	}
	a := answer{status: output.UserStatus, said: fmt.Sprintf("%s was asked for the names of user %s", d.ID, u)}
	issuer := d.Issuer()
	if u.scim != "" {
		issuer = u.issuer
	}
	a.names = output.names(issuer)
	return a
}

// describe returns what the store knows about a user. It finds the user of a provisioner's id first.
func (d *Directory) describe(ctx context.Context, u user) (*describeUserOutput, error) {
	id := u.id
	if u.scim != "" {
		found, err := d.api.GetUserId(ctx, &getUserIDInput{
			IdentityStoreID: d.ID, AlternateIdentifier: alternate{externalID{u.scim, u.id}}, region: u.region,
		})
		if err != nil {
			return nil, err
		}
		id = found.UserID
	}
	return d.api.DescribeUser(ctx, &describeUserInput{IdentityStoreID: d.ID, UserID: id, region: u.region})
}

// apply completes the signal with the answer.
func (a answer) apply(s *signal.Signal) error {
	s.Lookup, s.Unanswered = a.said, a.unanswered()
	for _, name := range a.names {
		s.Subject.Add(name)
	}
	if !s.IfDisabled || a.unasked {
		return nil
	}
	switch {
	case a.status == disabled:
		s.IfDisabled = false
	case a.err != nil:
		return fmt.Errorf("asking whether a user is disabled, after %s: %w", s.Type, a.err)
	case a.status == enabled:
		// The change may have been the opening, which the event hides.
		s.Kind, s.IfDisabled = signal.AccountEnabled, false
	default:
		s.StoreSilent = true
	}
	return nil
}

// unanswered returns why the names are missing, if another try may find them. The store refuses some ids for ever.
func (a answer) unanswered() error {
	var refused smithy.APIError
	if errors.As(a.err, &refused) && refused.ErrorCode() == "ValidationException" {
		return nil
	}
	return a.err
}
