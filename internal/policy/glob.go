package policy

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"clientvpn-responder/internal/signal"
)

// glob is a pattern for whole texts: * is any run of characters, ? is any one.
type glob struct {
	folded, exact string
	begins        string // what every folded text that fits begins with
}

func newGlob(pattern string) glob {
	g := glob{folded: signal.Fold(pattern), exact: pattern}
	g.begins = g.folded
	if i := strings.IndexAny(g.folded, "*?"); i >= 0 {
		g.begins = g.folded[:i]
	}
	return g
}

// mayFit reports, quickly, whether a text in ASCII begins as one that fits.
func (g glob) mayFit(s string) bool {
	return len(s) >= len(g.begins) && strings.EqualFold(s[:len(g.begins)], g.begins)
}

// fits reports whether all of s fits, in any case.
func (g glob) fits(s string) bool { return g.fitsFolded(signal.Fold(s)) }

// fitsFolded reports the same of a text that is folded.
func (g glob) fitsFolded(s string) bool {
	return strings.HasPrefix(s, g.begins) && match(g.folded, s, false)
}

// fitsExactly reports the same in the very case.
func (g glob) fitsExactly(s string) bool { return match(g.exact, s, false) }

// covers reports whether every text that fits narrow also fits g. A star in g swallows anything in narrow, and a
// question mark anything but a star.
func (g glob) covers(narrow glob) bool { return match(g.folded, narrow.folded, true) }

// match reports whether all of a text fits the pattern. If stars, the text is a pattern too, and only a star
// fits its stars.
func match(pattern, text string, stars bool) bool {
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(text) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, mark = i, j
			i++
		case i < len(pattern) && pattern[i] == '?' && (!stars || text[j] != '*'):
			i, j = i+1, j+width(text[j:])
		case i < len(pattern) && pattern[i] == text[j]:
			i, j = i+1, j+1
		case star >= 0:
			mark += width(text[mark:])
			i, j = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[i:], "*") == ""
}

// width is the number of bytes of the first character.
func width(text string) int {
	_, n := utf8.DecodeRuneInString(text)
	return n
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
