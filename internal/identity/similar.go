package identity

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// BareName returns a name, folded, without the domain around it, and the domain: alice and example.com of
// alice@example.com, EXAMPLE\alice and EXAMPLE/alice alike. The domain is empty where there is none.
func BareName(s string) (name, domain string) {
	name = Fold(s)
	if i := strings.LastIndexAny(name, `\/`); i >= 0 {
		domain, name = name[:i], name[i+1:]
	}
	if before, after, found := strings.Cut(name, "@"); found {
		name, domain = before, after
	}
	return name, domain
}

// Skeleton returns what similar names have in common: the bare name without accents. Two names with one skeleton may be
// one person's, or not: nothing may be done on its strength.
func Skeleton(s string) string {
	name, _ := BareName(s)
	if isASCII(name) {
		return name
	}
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFKD.String(name))
}

// Similarity says how a name on a connection resembles a name that a search looks for.
type Similarity struct{ Connected, Sought string }

// String says it to a person, with what to add to the policy if both are one person's.
func (s Similarity) String() string {
	name, domain := BareName(s.Connected)
	bare, _ := BareName(s.Sought)
	words := "its user " + s.Connected + " is similar to " + s.Sought +
		"; if they are one person, add "
	switch {
	case strings.Contains(s.Connected, "/"):
		return words + "it to identity.aliases, as Client VPN has it with a slash: " + quote(s.Connected) + ": " + bare
	case domain != "" && name == bare:
		return words + domain + " to identity.domains"
	}
	return words + quote(s.Connected) + ": " + bare + " to identity.aliases"
}

func quote(s string) string { return `"` + s + `"` }
