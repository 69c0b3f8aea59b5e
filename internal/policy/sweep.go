package policy

import (
	"fmt"
	"slices"

	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/signal"
)

// Holders returns the people who may be connected with a user name and a certificate's common name, exempt or not. The
// last one is the likeliest: a template of identity.common_names reads it in the certificate.
func (p *Policy) Holders(username, commonName string) []string {
	return words(p.book.OfConnection(username, commonName))
}

// IsExempt reports whether the policy never cuts off the connection's person.
func (p *Policy) IsExempt(username, commonName string) bool {
	return p.exempt.all || p.exemptConnection(username, commonName)
}

// PersonOf returns the person of an issuer's names, as if an event had them. It is empty if the policy counts none of
// them, or if they are two people's.
func (p *Policy) PersonOf(names []identity.Name) string {
	who := p.book.Resolve(names, "")
	if len(who.People) != 1 || who.Conflict != nil {
		return ""
	}
	return string(who.People[0])
}

// Unfindable says why no event that names the person of a connection leads to the connection; it is empty if one does.
func (p *Policy) Unfindable(username, commonName string) string {
	holders := p.Holders(username, commonName)
	switch {
	case len(holders) == 0:
		return "it has neither a user name nor a certificate's common name"
	case signal.Name(username) != "" || len(holders) > 1 || !p.book.HasTemplates():
		return ""
	case holders[0] != signal.Fold(commonName):
		return "" // a domain or an alias reads it
	case slices.ContainsFunc(p.book.Domains(), func(d string) bool { return signal.Fold(d) == domainOf(commonName) }):
		return ""
	}
	return fmt.Sprintf("no template of identity.common_names reads %q; only an event with this very name leads to it",
		commonName)
}

func domainOf(name string) string {
	_, domain := identity.BareName(name)
	return domain
}
