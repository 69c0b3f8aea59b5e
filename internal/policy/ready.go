package policy

import (
	"bytes"
	"fmt"
	"slices"

	"clientvpn-responder/internal/identity"
)

// shippedMark is a comment in the policy that is shipped. With it, the placeholders in identity.domains make the
// self-test
// say not-ready: a company that is really called so can remove it.
const shippedMark = "# clientvpn-responder: as shipped"

// placeholders are the domains of the policy that is shipped, folded.
var placeholders = []string{"example.com", "example"}

func isShipped(data []byte) bool { return bytes.Contains(data, []byte(shippedMark)) }

// NotReady says what the operator has not yet done with the policy, for the self-test. It is empty if nothing is left.
func (p *Policy) NotReady() []string {
	var problems []string
	for _, domain := range p.book.Domains() {
		if p.shipped && slices.Contains(placeholders, identity.Fold(domain)) {
			problems = append(problems, fmt.Sprintf(
				"the policy still has the placeholder %s in identity.domains; replace it by your own domain", domain))
		}
	}
	return problems
}
