package policy

import (
	"fmt"
	"strings"

	"clientvpn-responder/internal/signal"
)

// glob is a pattern for whole texts: * is any run of characters, ? is any one.
type glob struct {
	folded, exact []rune
}

func newGlob(pattern string) glob { return glob{[]rune(signal.Fold(pattern)), []rune(pattern)} }

// fits reports whether all of s fits, in any case.
func (g glob) fits(s string) bool { return match(g.folded, []rune(signal.Fold(s)), fitsRune) }

// fitsExactly reports the same in the very case.
func (g glob) fitsExactly(s string) bool { return match(g.exact, []rune(s), fitsRune) }

// covers reports whether every text that fits narrow also fits g. A star in g swallows anything in narrow, and a
// question mark anything but a star.
func (g glob) covers(narrow glob) bool {
	return match(g.folded, narrow.folded, func(p, r rune) bool { return p == r || p == '?' && r != '*' })
}

func fitsRune(p, r rune) bool { return p == r || p == '?' }

func match(pattern, text []rune, fits func(p, r rune) bool) bool {
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(text) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, mark = i, j
			i++
		case i < len(pattern) && fits(pattern[i], text[j]):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(pattern) && pattern[i] == '*' {
		i++
	}
	return i == len(pattern)
}

func isGlob(s string) bool { return strings.ContainsAny(s, "*?") }

// notRegular refuses what is a regular expression where a pattern is meant: it would fit nobody.
func notRegular(pattern string) error {
	begins, ends := strings.HasPrefix(pattern, "^"), strings.HasSuffix(pattern, "$")
	class := strings.Contains(pattern, "[") && strings.Contains(pattern, "]")
	group := strings.Contains(pattern, "(") && strings.Contains(pattern, ")") && strings.ContainsAny(pattern, "|*+?")
	if !begins && !ends && !class && !group {
		return nil
	}
	return fmt.Errorf(
		"%q is a regular expression; only * (any characters) and ? (any one) mean something in a pattern", pattern,
	)
}
