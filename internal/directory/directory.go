// Package directory looks up the names of people whom an event knows only by their user id in AWS IAM Identity
// Center.
//
// It promises that a signal keeps its id and says what came of the lookup, so that a policy's aliases can still map
// it. It also promises that an event which says only that an account changed goes on only if the account is disabled.
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
	api   api
	store string
}

// New returns the directory of an identity store, "d-…". It asks the store in the Region of the event, because Identity
// Center's events come from its own Region.
func New(cfg aws.Config, store string) *Directory {
	return &Directory{newStore(cfg), store}
}

const (
	longest = 5 * time.Second // for all lookups of an invocation together
	atOnce  = 5
)

// Resolve adds names to the signals that have only an id of Identity Center. It asks once for each user. The errors
// are in the order of the signals: nil; one that wraps [signal.ErrUnsupported] if the signal asks for nothing after
// all; or another if the store did not say, which is worth a retry.
func (d *Directory) Resolve(ctx context.Context, signals []signal.Signal) []error {
	ctx, cancel := context.WithTimeout(ctx, patience(ctx))
	defer cancel()
	answers := map[user]func() answer{}
	var wait sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	errs := make([]error, len(signals))
	for i := range signals {
		s := &signals[i]
		if s.Provider != signal.IdentityCenter || len(s.Subject.IDs) == 0 {
			continue
		}
		u := user{s.Subject.IDs[0], s.Region, s.Subject.IdentityStore}
		if answers[u] == nil {
			answers[u] = sync.OnceValue(func() answer {
				slots <- struct{}{}
				defer func() { <-slots }()
				return d.ask(ctx, u)
			})
		}
		answer := answers[u]
		wait.Go(func() { errs[i] = answer().apply(s) })
	}
	wait.Wait()
	return errs
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
type user struct{ id, region, store string }

func (d *Directory) ask(ctx context.Context, u user) answer {
	switch {
	case d == nil:
		return answer{unasked: true, said: "not asked for the user's names, as IDENTITY_STORE_ID is not set"}
	case u.store != "" && u.store != d.store:
		return answer{unasked: true, said: fmt.Sprintf(
			"not asked for the user's names, as the event is of %s and IDENTITY_STORE_ID is %s", u.store, d.store)}
	}
	output, err := d.api.DescribeUser(ctx, &describeUserInput{IdentityStoreID: d.store, UserID: u.id, region: u.region})
	var api smithy.APIError
	switch {
	case errors.As(err, &api) && api.ErrorCode() == notFound:
		return answer{said: fmt.Sprintf("%s knows no user %s: already deleted", d.store, u.id)}
	case errors.As(err, &api):
		return answer{said: fmt.Sprintf("%s could not be asked for user %s: %s", d.store, u.id, api.ErrorCode()), err: err}
	case err != nil:
		return answer{said: fmt.Sprintf("%s did not answer in time about user %s", d.store, u.id), err: err}
	}
	a := answer{status: output.UserStatus, said: fmt.Sprintf("%s was asked for the names of user %s", d.store, u.id)}
	issuer := identity.Issuer{Provider: identity.IdentityCenter, Within: d.store}
	for _, email := range output.Emails {
		a.names = append(a.names, identity.Name{Issuer: issuer, Form: identity.Address, Value: email.Value})
	}
	a.names = append(a.names, signal.Login(issuer, output.UserName))
	return a
}

// apply completes the signal with the answer.
func (a answer) apply(s *signal.Signal) error {
	s.Lookup = a.said
	for _, name := range a.names {
		s.Subject.Add(name)
	}
	if !s.IfDisabled || a.unasked {
		return nil
	}
	switch {
	case a.status == disabled:
		s.IfDisabled = false
		return nil
	case a.err != nil:
		return fmt.Errorf("asking whether a user is disabled, after %s: %w", s.Type, a.err)
	case a.status == enabled:
		return fmt.Errorf("%w: %s: %s: the user is enabled", signal.ErrUnsupported, s.Provider, s.Type)
	}
	return fmt.Errorf("%w: %s: %s: %s", signal.ErrUnsupported, s.Provider, s.Type, a.said)
}
