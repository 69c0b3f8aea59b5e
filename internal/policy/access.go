package policy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"clientvpn-responder/internal/lazyregexp"
	"clientvpn-responder/internal/signal"
)

// accessDocument is the section "access": what carries the VPN, by provider and by what it is.
type accessDocument map[string]map[string][]string

// access knows which groups, applications and accounts carry the VPN: a person who loses one of them loses the VPN, and
// keeps the account. The zero access knows none.
type access map[carrier]map[string]bool // ids as written, and names folded

// carrier is a kind of thing that can carry the VPN: what it is, [signal.Group] and so on, at a provider.
type carrier struct{ provider, of string }

// accessSection is a section under access, with the pattern that its entries must have.
type accessSection struct {
	carrier
	entry func() *regexp.Regexp // nil for any id or name
	like  string
}

// accessSections lists what the section can say, by provider and word. Identity Center's events have ids only.
var accessSections = map[string]map[string]accessSection{
	"okta": {
		"groups": {carrier: carrier{"okta", signal.Group}},
		"apps":   {carrier: carrier{"okta", signal.Application}},
	},
	"entra": {
		"groups": {carrier: carrier{"entra", signal.Group}},
		"apps":   {carrier: carrier{"entra", signal.Application}},
	},
	signal.IdentityCenter: {
		"groups": {
			carrier{signal.IdentityCenter, signal.Group},
			lazyregexp.New(`^([0-9a-f]{10}-)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`),
			"the id of a group, like 9067123456-0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d",
		},
		"accounts": {
			carrier{signal.IdentityCenter, signal.Account}, accountID,
			"the id of an account, like 111122223333",
		},
		"apps": {
			carrier{signal.IdentityCenter, signal.Application},
			lazyregexp.New(`^arn:aws[a-z-]*:sso::[0-9]*:application/.+$`),
			"the ARN of an application, like arn:aws:sso::111122223333:application/ssoins-0123456789abcdef/apl-0123456789abcdef",
		},
	},
	"directory-service": {"groups": {carrier: carrier{"directory-service", signal.Group}}},
	"google":            {"groups": {carrier: carrier{"google-workspace", signal.Group}}},
	"pingone":           {"groups": {carrier: carrier{"pingone", signal.Group}}},
	"sailpoint": {
		"groups":  {carrier: carrier{"sailpoint", signal.Group}}, // entitlements
		"sources": {carrier: carrier{"sailpoint", signal.Application}},
	},
}

func newAccess(d accessDocument, c *checker) access {
	a := access{}
	for _, provider := range slices.Sorted(maps.Keys(d)) {
		sections, ok := accessSections[provider]
		if !ok {
			c.add("access."+provider, "must be one of %s", strings.Join(slices.Sorted(maps.Keys(accessSections)), ", "))
			continue
		}
		for _, word := range slices.Sorted(maps.Keys(d[provider])) {
			path := "access." + provider + "." + word
			section, ok := sections[word]
			if !ok {
				c.add(path, "must be one of %s", strings.Join(slices.Sorted(maps.Keys(sections)), ", "))
				continue
			}
			a.add(section, path, d[provider][word], c)
		}
	}
	return a
}

func (a access) add(section accessSection, path string, entries []string, c *checker) {
	for i, entry := range entries {
		entry = strings.TrimSpace(entry)
		switch {
		case signal.Name(entry) == "" || strings.ContainsAny(entry, "*?"):
			c.add(fmt.Sprintf("%s[%d]", path, i), "%q is neither an id nor a name", entry)
			continue
		case section.entry != nil && !section.entry().MatchString(entry):
			c.add(fmt.Sprintf("%s[%d]", path, i), "%q is not %s", entry, section.like)
			continue
		}
		if a[section.carrier] == nil {
			a[section.carrier] = map[string]bool{}
		}
		a[section.carrier][entry], a[section.carrier][signal.Fold(entry)] = true, true
	}
}

// carries reports whether the signal's group, application or account carries the VPN. One that the event does not name
// may, if the policy lists any of its kind.
func (a access) carries(s *signal.Signal) bool {
	m, listed := s.Membership, a[carrier{s.Provider, s.Membership.Of}]
	if m.ID == "" && m.Name == "" {
		return len(listed) > 0
	}
	return m.ID != "" && listed[m.ID] || m.Name != "" && listed[signal.Fold(m.Name)]
}

// mover decides about somebody who gained or lost a membership, as far as no rule is asked. It reports whether that is
// all.
func (d *Decision) mover(p *Policy, s *signal.Signal) bool {
	switch m := s.Membership; {
	case m == nil:
		return false
	case !p.access.carries(s):
		d.Action = Ignore
		d.because(NoRuleAsked, "%s of %s does not carry the VPN: the policy's access does not list it", m, s.Provider)
		return true
	case m.Change == signal.Added:
		d.Action = Ignore
		d.because(NoRuleAsked, "%s of %s carries the VPN, and being added to it takes nothing away", m, s.Provider)
		return true
	}
	d.because(Carrier, "%s of %s carries the VPN: the policy's access lists it", s.Membership, s.Provider)
	return false
}
