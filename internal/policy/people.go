package policy

import (
	"slices"

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
	// Person is the person of that time, and Names are the names in the event.
	Person string
	Names  []string
	// Known are the names, folded, by which the policy of that time knew the person, and CommonNames the certificates'.
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
