package policy

import (
	"fmt"
	"slices"
	"strings"

	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/signal"
)

// checkType reports a pattern for types that no signal can have.
func (c *condition) checkType(report *checker, path, pattern string) {
	if strings.TrimSpace(pattern) == "" {
		report.add(path, "is empty; name a type, or * for every one")
		return
	}
	all := signal.Providers()
	providers := c.Providers
	if providers == nil {
		providers = all
	}
	if slices.Contains(providers, identity.OneLogin) && strings.Trim(pattern, "0123456789*?") == "" {
		return // its types are numbers, and any may have the user's state
	}
	if slices.ContainsFunc(c.Providers, func(p string) bool { return !slices.Contains(all, p) }) {
		return // that mistake is reported already
	}
	asks, idle, open := typesFor(newGlob(pattern), providers)
	finding, purpose := findingPurpose(pattern)
	switch {
	case asks:
	case idle != "":
		report.add(path, "%q fits %q, which asks for nothing, so no signal has it; remove it", pattern, idle)
	case open && finding && isPurpose(purpose): // AWS may add the type
	case open && finding:
		if suggestion := didYouMean(purpose, signal.Purposes()); suggestion != "" {
			report.add(path, "%q fits no type of finding: GuardDuty has no %s%s", pattern, purpose, suggestion)
		}
	default:
		report.add(path, "%q fits no type that %s%s", pattern, sent(c.Providers), typeMeant(pattern, providers))
	}
}

// typesFor reports whether a pattern fits a type of the providers that asks for something. idle is a type that it fits
// and that asks for nothing. open says that AWS adds to the types.
func typesFor(g glob, providers []string) (asks bool, idle string, open bool) {
	for _, p := range providers {
		for word, asks := range signal.Types(p) {
			switch {
			case !g.mayFit(word) || !g.fits(word):
			case asks:
				return true, "", false
			case idle == "":
				idle = word
			}
		}
		open = open || signal.MoreTypes(p)
	}
	return false, idle, open
}

// typeMeant suggests the type, or the beginning of types, that a pattern probably means.
func typeMeant(pattern string, providers []string) string {
	if len(pattern) < 4 {
		return "" // everything is similar
	}
	before, ends := strings.CutSuffix(pattern, "*")
	var known []string
	for _, p := range providers {
		for word, asks := range signal.Types(p) {
			switch {
			case !asks:
			case ends && !isGlob(before):
				known = append(known, beginnings(word)...)
			default:
				known = append(known, word)
			}
		}
	}
	return didYouMean(pattern, known)
}

// beginnings returns a pattern for each part of a type.
func beginnings(word string) (all []string) {
	for i, r := range word {
		if strings.ContainsRune("._- ", r) {
			all = append(all, word[:i+1]+"*")
		}
	}
	return all
}

// findingPurpose reports whether a finding's type may fit the pattern, and returns the purpose that it begins with;
// empty if the pattern leaves that open. Finding types are like Stealth:IAMUser/PasswordPolicyChange, and AWS adds to
// them.
func findingPurpose(pattern string) (may bool, purpose string) {
	i := strings.IndexAny(pattern, "*?:")
	if i < 0 {
		return false, ""
	}
	letter := func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
	head := pattern[:i]
	if strings.ContainsFunc(head, func(r rune) bool { return !letter(r) }) {
		return false, ""
	}
	if pattern[i] != ':' {
		return true, ""
	}
	return true, head
}

func isPurpose(word string) bool {
	return slices.ContainsFunc(signal.Purposes(), func(p string) bool { return strings.EqualFold(p, word) })
}

func sent(providers []string) string {
	if len(providers) == 0 {
		return "any provider sends"
	}
	return fmt.Sprintf("%s sends", strings.Join(providers, " or "))
}
