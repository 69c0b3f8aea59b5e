package policy

import (
	"fmt"
	"slices"

	"clientvpn-responder/internal/identity"
)

// placeholders are the domains of the policy that is shipped, folded.
var placeholders = []string{"example.com", "example"}

// NotReady says what the operator has not yet done with the policy, for the self-test. It is empty if nothing is left.
func (p *Policy) NotReady() []string {
	var problems []string
	for _, domain := range p.book.Domains() {
		if slices.Contains(placeholders, identity.Fold(domain)) {
			problems = append(
				problems,
				fmt.Sprintf("the policy still has the placeholder %s in identity.domains; replace it by your own domain", domain),
			)
		}
	}
	return problems
}
