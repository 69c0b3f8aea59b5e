package policy

import (
	"fmt"
	"slices"
	"strings"

	"clientvpn-responder/internal/identity"
)

// People returns the people who connect with a user name and a certificate's common name, as in [Decision].People.
// The certificate counts only where there is no user name. Nobody has none. An exempt person has none either, since
// no decision keeps such a person out. The exemption of a certificate counts only where there is no user name: a
// certificate does not open what a name closes.
func (p *Policy) People(username, commonName string) []string {
	if p.exempt.all || p.exemptConnection(username, commonName) {
		return nil
	}
	return words(p.book.OfConnection(username, commonName))
}

// Keys returns the keys under which the keep-out list may have an entry about one of [Policy.People]. Some are the
// keys that another policy would make of the same name. [Policy.Holds] says which entries are about them.
func (p *Policy) Keys(username, commonName string) []string {
	if len(p.People(username, commonName)) == 0 {
		return nil
	}
	return p.book.Keys(username, commonName)
}

func (p *Policy) exemptConnection(username, commonName string) bool {
	if p.book.Person(username) != "" {
		return p.Exempt(username)
	}
	return p.ExemptCertificate(commonName)
}

// HoldsOn reports whether an entry of the keep-out list holds on an endpoint: whether the issuer's people connect
// there.
func (p *Policy) HoldsOn(issuer, endpointID string) bool {
	endpoints, bound := p.book.Endpoints([]identity.Name{{Issuer: identity.ReadIssuer(issuer)}})
	return !bound || slices.Contains(endpoints, endpointID)
}

// Listed is what an entry of the keep-out list says about its person.
type Listed struct {
	// Person is the person as the policy then knew them, and Names are the names in the event.
	Person string
	Names  []string
	// Known are the names, folded, by which the policy then knew the person, and CommonNames the certificates'.
	Known, CommonNames []string
}

// Holds reports whether an entry of the keep-out list is about the person who connects with a user name and a
// certificate's common name. What the policy says by now counts beside what it said then, so that a change of it lets
// nobody in.
func (p *Policy) Holds(l Listed, username, commonName string) bool {
	now := p.book.OfConnection(username, commonName)
	if slices.Contains(words(now), l.Person) || slices.ContainsFunc(l.Names, func(name string) bool {
		return slices.Contains(now, p.book.Person(name))
	}) {
		return true
	}
	if user := identity.Fold(identity.Clean(username)); user != "" {
		return slices.Contains(l.Known, user)
	}
	certificate := identity.Fold(identity.Clean(commonName))
	return certificate != "" && (slices.Contains(l.Known, certificate) || slices.Contains(l.CommonNames, certificate))
}

// Edited says what this policy makes of an entry that an earlier one wrote. It is empty if that is the same.
func (p *Policy) Edited(l Listed) string {
	for _, name := range l.Names {
		if !slices.Contains(l.Known, identity.Fold(name)) {
			continue // an id, or a name from before names were kept
		}
		if p.Exempt(name) {
			return fmt.Sprintf("the keep-out list has %s, whom the policy exempts by now, so nothing denies %s", l.Person, name)
		}
		if now := p.book.Person(name); string(now) != l.Person {
			return fmt.Sprintf("the keep-out list has %s for an event about %s, whom identity makes %s by now; both are denied",
				l.Person, name, now)
		}
	}
	return ""
}

// BoundOn says which issuers' people connect on an endpoint, to go behind its description. It is empty if
// identity.endpoints binds none.
func (p *Policy) BoundOn(endpointID string) string {
	on, elsewhere := p.book.BoundOn(endpointID)
	switch {
	case len(on) > 0:
		return "; identity.endpoints has people of " + join(on) + " here"
	case len(elsewhere) > 0:
		return "; identity.endpoints has people of " + join(elsewhere) + " elsewhere only"
	}
	return ""
}

func join(issuers []identity.Issuer) string {
	var all []string
	for _, i := range issuers {
		all = append(all, i.String())
	}
	return strings.Join(all, ", ")
}

// NamesOf returns the name, folded, of a client that connects with a user name and a certificate's common name. The
// keep-out list may have an entry about it under a person whom this policy does not know.
func NamesOf(username, commonName string) []string {
	for _, name := range []string{username, commonName} {
		if folded := identity.Fold(identity.Clean(name)); folded != "" {
			return []string{folded}
		}
	}
	return nil
}
