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

// Holds reports whether an entry of the keep-out list is about the person who connects with a user name and a
// certificate's common name. person is the entry's person, and names are the names in the event. What the policy says
// by now counts beside what it said then, so that a change of it lets nobody in.
func (p *Policy) Holds(person string, names []string, username, commonName string) bool {
	now := p.book.OfConnection(username, commonName)
	for _, who := range now {
		if string(who) == person {
			return true
		}
	}
	for _, name := range names {
		if slices.Contains(now, p.book.Person(name)) {
			return true
		}
	}
	return false
}
