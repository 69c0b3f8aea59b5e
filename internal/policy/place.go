package policy

import (
	"fmt"
	"slices"

	"clientvpn-responder/internal/identity"
)

// endpoints returns the endpoints that the rule acts on and the issuers' people use; none for every one. nowhere says
// that there is none that both have.
func (q *question) endpoints() (both []string, nowhere bool) {
	bound, isBound := q.policy.book.Endpoints(q.who.Counted)
	if q.rule == nil || len(q.rule.Endpoints) == 0 {
		return bound, false
	}
	if !isBound {
		return q.rule.Endpoints, false
	}
	for _, id := range q.rule.Endpoints {
		if slices.Contains(bound, id) {
			both = append(both, id)
		}
	}
	return both, len(both) == 0
}

// isUnbound reports whether a SAML provider's certificate signed the request, and the policy does not say which
// endpoints use it. Its assertions let people in there, and nowhere else.
func (q *question) isUnbound() bool {
	_, isBound := q.policy.book.Endpoints(q.who.Counted)
	return q.SAMLProvider != "" && !isBound
}

// unbound says what to add to the policy.
func (q *question) unbound() string {
	return fmt.Sprintf("its signer is %s; list the endpoints that use that provider in identity.endpoints, under %s",
		q.SAMLProvider, issuers(q.who.Counted))
}

// WhyNotOn says why the decision does not act on an endpoint.
func (d *Decision) WhyNotOn(endpointID string) string {
	if len(d.Bound) > 0 && !slices.Contains(d.Bound, endpointID) {
		return "identity.endpoints does not have the people of " + issuers(d.Counted) + " on " + endpointID
	}
	return "rule " + d.Rule + " does not act on " + endpointID
}

// IsLiteral reports whether a connection has one of the decision's Literal names.
func (d *Decision) IsLiteral(username, commonName string) bool {
	name := identity.Clean(username)
	if name == "" {
		name = commonName
	}
	return slices.Contains(d.Literal, identity.Fold(name))
}
