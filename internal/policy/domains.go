package policy

import (
	"slices"

	"clientvpn-responder/internal/identity"
)

// UnknownDomains returns the domains of names that identity.domains does not list, folded, each once. A name with an
// alias needs no domain.
func (p *Policy) UnknownDomains(names []identity.Name) []string {
	var unknown []string
	for _, n := range names {
		_, domain := identity.BareName(n.Value)
		_, left := identity.BareName(string(p.book.Person(n.Value)))
		listed := slices.ContainsFunc(p.book.Domains(), func(d string) bool { return identity.Fold(d) == domain })
		if domain != "" && left == domain && !listed && !slices.Contains(unknown, domain) {
			unknown = append(unknown, domain)
		}
	}
	return unknown
}
