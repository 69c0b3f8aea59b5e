package directory

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/awsjson"
	"clientvpn-responder/internal/entra"
	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/signal"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Tenant asks about the users of a Microsoft Entra tenant. It asks the poll, which holds the credential of Microsoft's.
// A nil Tenant asks nobody.
type Tenant struct {
	functions *awsjson.Functions
	id, poll  string
}

// NewTenant returns the directory of a tenant whose poll is a function with this name.
func NewTenant(cfg aws.Config, id, poll string) *Tenant {
	return &Tenant{awsjson.NewFunctions(cfg), strings.ToLower(id), poll}
}

// Issuer returns the issuer of the tenant's names; the zero Issuer if there is no tenant.
func (t *Tenant) Issuer() identity.Issuer {
	if t == nil {
		return identity.Issuer{}
	}
	return identity.Issuer{Provider: identity.Entra, Within: t.id}
}

// ask has the poll answer a question.
func (t *Tenant) ask(ctx context.Context, q entra.Question) (entra.Answer, error) {
	var answer entra.Answer
	err := t.functions.Invoke(ctx, t.poll, entra.Request{Question: &q}, &answer)
	return answer, err
}

// Resolve adds principal names to the signals that have only an object id of the tenant, and that nobody else could
// name. It asks once for all of them. Where Graph did not answer, the signal has the error.
func (t *Tenant) Resolve(ctx context.Context, signals []signal.Signal) {
	wanted := map[string][]*signal.Signal{} // by object id
	var ids []string
	for i := range signals {
		if id := t.unnamed(&signals[i]).Value; id != "" {
			wanted[id] = append(wanted[id], &signals[i])
			ids = append(ids, id)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, patience(ctx))
	defer cancel()
	slices.Sort(ids)
	for chunk := range slices.Chunk(slices.Compact(ids), entra.MostIDs) {
		answer, err := t.ask(ctx, entra.Question{IDs: chunk})
		for _, id := range chunk {
			for _, s := range wanted[id] {
				t.complete(s, answer.Users, err)
			}
		}
	}
}

// unnamed returns the object id of a signal that has no other name; the zero Name if it has one, or is of elsewhere. An
// object id is unique, so Graph finds one without a tenant only if it is of this one.
func (t *Tenant) unnamed(s *signal.Signal) identity.Name {
	if t == nil || len(s.Subject.Usernames) > 0 || s.Subject.Session != nil {
		return identity.Name{}
	}
	for _, n := range s.Subject.Names {
		if n.Form == identity.OpaqueID && n.Issuer.Provider == identity.Entra &&
			(n.Issuer.Within == "" || strings.EqualFold(n.Issuer.Within, t.id)) {
			return n
		}
	}
	return identity.Name{}
}

// complete adds what Graph answered to a signal.
func (t *Tenant) complete(s *signal.Signal, users []entra.User, err error) {
	id := t.unnamed(s)
	if err != nil {
		s.TenantLookup = fmt.Sprintf("could not be asked for user %s: %s", id.Value, err)
		s.Unanswered = errors.Join(s.Unanswered, err)
		return
	}
	i := slices.IndexFunc(users, func(u entra.User) bool { return strings.EqualFold(u.ID, id.Value) })
	if i < 0 || users[i].Name == "" {
		s.TenantLookup = fmt.Sprintf("knows no user %s: deleted for good, or of another tenant", id.Value)
		return
	}
	s.TenantLookup, s.Unanswered = "was asked for the name of user "+id.Value, nil
	s.Subject.Add(identity.Name{Issuer: id.Issuer, Form: identity.UPN, Value: liveName(users[i])})
}

// liveName returns the name that a user had before Entra put the id in front of it.
func liveName(u entra.User) string {
	id := strings.ReplaceAll(u.ID, "-", "")
	if u.Deleted && len(u.Name) > len(id) && strings.EqualFold(u.Name[:len(id)], id) {
		return u.Name[len(id):]
	}
	return u.Name
}

// Users yields the tenant's users page by page, as [Directory.Users] does.
func (t *Tenant) Users(ctx context.Context, from string) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		for {
			answer, err := t.ask(ctx, entra.Question{From: from})
			if err != nil {
				yield(Page{}, fmt.Errorf("listing the users of tenant %s: %w", t.id, err))
				return
			}
			from = answer.Next
			if !yield(t.page(answer), nil) || from == "" {
				return
			}
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				yield(Page{}, fmt.Errorf("listing the users of tenant %s: %w", t.id, ctx.Err()))
				return
			}
		}
	}
}

func (t *Tenant) page(answer entra.Answer) Page {
	p := Page{Next: answer.Next}
	for _, u := range answer.Users {
		name := identity.Name{Issuer: t.Issuer(), Form: identity.UPN, Value: u.Name}
		said := u.Enabled != nil
		p.Users = append(p.Users, User{
			ID: u.ID, Names: []identity.Name{name}, Enabled: said && *u.Enabled, Disabled: said && !*u.Enabled,
		})
	}
	return p
}

// Probe finds out whether the poll can be asked about a user.
func (t *Tenant) Probe(ctx context.Context) (problems []error) {
	if t == nil {
		return nil
	}
	if _, err := t.ask(ctx, entra.Question{IDs: []string{nobody}}); err != nil {
		problems = append(problems, fmt.Errorf("asking the poll of Microsoft Graph about a user: %w", err))
	}
	return problems
}
