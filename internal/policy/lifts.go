package policy

import (
	"fmt"
	"maps"
	"slices"

	"clientvpn-responder/internal/identity"
)

// lifts says whose closings an issuer's opening lifts beside its own.
type lifts map[identity.Issuer][]string

// newLifts checks the section "lifts".
func newLifts(d map[string][]string, c *checker) lifts {
	l := lifts{}
	for _, opens := range slices.Sorted(maps.Keys(d)) {
		path := "lifts." + opens
		if !identity.Known(identity.ReadIssuer(opens).Provider) {
			c.add(path, "%q is not an issuer, like okta or okta:acme", opens)
		}
		for i, closed := range d[opens] {
			if !identity.Known(identity.ReadIssuer(closed).Provider) {
				c.add(fmt.Sprintf("%s[%d]", path, i), "%q is not an issuer, like okta or okta:acme", closed)
			}
		}
		l[identity.ReadIssuer(opens)] = d[opens]
	}
	return l
}

// Lifts returns the issuers whose closings an opening by the issuer lifts, beside its own.
func (p *Policy) Lifts(issuer string) []string {
	var all []string
	for opens, closed := range p.lifts {
		if opens.Covers(identity.ReadIssuer(issuer)) {
			all = append(all, closed...)
		}
	}
	slices.Sort(all)
	return all
}
