package vpn

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestSimilarNames: which names resemble alice@example.com's, and which do not.
func TestSimilarNames(t *testing.T) {
	l := newLikeness([]Target{{Names: []string{"alice", "alice@example.com"}}, {Names: []string{"bo@example.com"}}})
	for name, want := range map[string]string{
		"alice@partner.example": "[0]", `OTHER\alice`: "[0]", "OTHER/Alice": "[0]", "alíce": "[0]",
		"alic": "[0]", "alicee": "[0]", "alise@example.com": "[0]", "lice": "[0]", "malice": "[0]",
		"аlice":              "[0]",                          // Cyrillic
		"bo@partner.example": "[1]", "bob@example.com": "[]", // too short to differ
		"alcie": "[]", "alicia": "[]", "al": "[]", "": "[]", "-": "[]", "carol": "[]",
		strings.Repeat("a", 1000) + "@example.com": "[]", "alice.vpn.example.com": "[]",
	} {
		if got := fmt.Sprint(l.of(name)); got != want {
			t.Errorf("%q resembles %s, want %s", name, got, want)
		}
	}
}

// TestOneLetterApartIsWhatItSays compares the quick look-up with every pair.
func TestOneLetterApartIsWhatItSays(t *testing.T) {
	names := []string{"abc", "abd", "abcd", "xabc", "acb", "ab", "bcd", "жbc", "жbcd", "aabc", "aab", "aaa", "aaaa"}
	for _, a := range names {
		l := newLikeness([]Target{{Names: []string{a}}})
		for _, b := range names {
			want := len([]rune(a)) >= minSimilar && distance([]rune(a), []rune(b)) == 1
			if got := slices.Contains(slices.Collect(l.oneApart([]byte(b))), a); got != want {
				t.Errorf("%q and %q: one letter apart %t, want %t", a, b, got, want)
			}
		}
	}
}

// distance is how many letters must be put in, left out or replaced to make b of a.
func distance(a, b []rune) int {
	if len(a) == 0 || len(b) == 0 {
		return len(a) + len(b)
	}
	if a[0] == b[0] {
		return distance(a[1:], b[1:])
	}
	return 1 + min(distance(a[1:], b), distance(a, b[1:]), distance(a[1:], b[1:]))
}
