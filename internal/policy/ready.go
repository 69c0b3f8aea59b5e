package policy

import (
	"fmt"
	"slices"
	"strings"

	"clientvpn-responder/internal/identity"
)

// reserved are domains that belong to nobody, folded. The last is the Windows domain of the policy that is shipped.
// Source: RFC 2606, "Reserved Top Level DNS Names".
var reserved = []string{"example.com", "example.net", "example.org", "example"}

// NotReady says what the operator has not yet done with the policy, for the self-test. It is empty if nothing is left.
func (p *Policy) NotReady() []string {
	var problems []string
	for _, domain := range p.book.Domains() {
		if !p.demo && isReserved(identity.Fold(domain)) {
			problems = append(problems, fmt.Sprintf(
				"the policy still has the placeholder %s in identity.domains; replace it by your own domain", domain))
		}
	}
	return problems
}

// isReserved reports whether nobody's people can be in the domain.
func isReserved(domain string) bool {
	return slices.ContainsFunc(reserved, func(r string) bool { return domain == r || strings.HasSuffix(domain, "."+r) })
}
