package directory

import (
	"context"
	"fmt"
	"iter"
	"time"

	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/signal"
)

// User is a user of the store.
type User struct {
	ID    string
	Names []identity.Name
	// Enabled and Disabled are what the store says. Neither is set where it says nothing.
	Enabled, Disabled bool
}

// Page is a page of the store's users.
type Page struct {
	Users []User
	Next  string // where the next page begins; empty after the last
}

// pause keeps Users below ten calls a second: all callers of an identity store share 20.
// Source: IAM Identity Center user guide, "IAM Identity Center quotas".
const pause = 100 * time.Millisecond

// Issuer returns the issuer of the store's names; the zero Issuer if there is no store.
func (d *Directory) Issuer() identity.Issuer {
	if d == nil {
		return identity.Issuer{}
	}
	return identity.Issuer{Provider: identity.IdentityCenter, Within: d.ID}
}

// Users yields the store's users page by page, from where an earlier Page says; "" is the beginning. After an
// error there is no further page.
func (d *Directory) Users(ctx context.Context, from string) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		for {
			out, err := d.api.ListUsers(ctx, &listUsersInput{d.ID, from, mostUsers, d.Region})
			if err != nil {
				yield(Page{}, fmt.Errorf("listing the users of %s: %w", d.ID, err))
				return
			}
			from = out.NextToken
			if !yield(d.page(*out), nil) || from == "" {
				return
			}
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				yield(Page{}, fmt.Errorf("listing the users of %s: %w", d.ID, ctx.Err()))
				return
			}
		}
	}
}

func (d *Directory) page(out listUsersOutput) Page {
	p := Page{Next: out.NextToken}
	for _, u := range out.Users {
		p.Users = append(p.Users, User{
			ID: u.UserID, Names: u.names(d.Issuer()), Enabled: u.UserStatus == enabled, Disabled: u.UserStatus == disabled,
		})
	}
	return p
}

// names returns the user's names, the addresses first.
func (u description) names(store identity.Issuer) []identity.Name {
	var all []identity.Name
	for _, email := range u.Emails {
		all = append(all, identity.Name{Issuer: store, Form: identity.Address, Value: email.Value})
	}
	return append(all, signal.Login(store, u.UserName))
}

// nobody is an id that no user has.
const nobody = "00000000-0000-0000-0000-000000000000"

// Probe finds out whether the store can be asked about a user and for its users.
func (d *Directory) Probe(ctx context.Context) (problems []error) {
	if d == nil {
		return nil
	}
	if a := d.ask(ctx, user{id: nobody, region: d.Region}); a.err != nil {
		problems = append(problems, fmt.Errorf("identity store: %s: %w", a.said, a.err))
	}
	if _, err := d.api.ListUsers(ctx, &listUsersInput{d.ID, "", 1, d.Region}); err != nil {
		problems = append(problems, fmt.Errorf("listing the users of %s, for the sweep: %w", d.ID, err))
	}
	return problems
}
