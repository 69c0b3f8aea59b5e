package identity

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxName is the longest name that Client VPN accepts from a SAML NameID, in bytes.
// Source: AWS Client VPN administrator guide, federated authentication.
const maxName = 1024

// Clean returns s without surrounding white space if it can be somebody's name, and "" otherwise. It is nobody's if it
// is a placeholder: empty, "-", "NA", "None", "unknown", "*", "<…>", or what GuardDuty's samples and CloudTrail write
// for a name. It is nobody's either if it is longer than 1024 bytes, or contains control characters or broken UTF-8.
func Clean(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > maxName || !utf8.ValidString(s) || strings.ContainsRune(s, utf8.RuneError) ||
		strings.ContainsFunc(s, unicode.IsControl) {
		return ""
	}
	folded := Fold(s)
	if placeholders[folded] || strings.Trim(folded, "*?") == "" || strings.HasPrefix(folded, "generatedfinding") ||
		strings.HasPrefix(folded, "<") && strings.HasSuffix(folded, ">") {
		return ""
	}
	return s
}

// placeholders are the words, folded, that products write where there is no name. Client VPN writes "NA" in its logs
// for a connection without a user. A person with that bare name would match all such connections. With a domain, such
// as na@example.com, it is a name.
var placeholders = map[string]bool{
	"": true, "-": true, "na": true, "n/a": true, "none": true, "null": true, "nil": true, "undefined": true,
	"unknown": true, "anonymized": true, "hidden_due_to_security_reasons": true,
}

// Fold returns the normal form under which names compare: lower case, in Unicode's NFKC. So NFD, full-width letters
// and ligatures are the same as the plain letters. It drops characters that nobody sees, such as a soft hyphen, a
// zero-width space or a byte order mark. It drops white space around the name, and dots at its end. Otherwise a
// letter outside ASCII never becomes one inside, since the Kelvin sign must not make one person of two.
// Source: Unicode Standard Annex 15, "Unicode Normalization Forms".
func Fold(s string) string {
	if isASCII(s) {
		return trim(strings.ToLower(s))
	}
	s = strings.Map(visible, s)
	s = compose(s)
	s = strings.Map(lower, s)
	return trim(compose(s)) // a lower-case letter may have a composed form that the capital has not
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// visible drops the characters that change nothing that a reader sees.
func visible(r rune) rune {
	if r >= utf8.RuneSelf && unicode.In(
		r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector,
	) {
		return -1
	}
	return r
}

// kelvin is the one letter whose canonical form is another letter of ASCII. Nobody types it for a k.
const kelvin = "\u212a"

// compose returns s in NFKC, except that the Kelvin sign stays.
func compose(s string) string {
	if !strings.Contains(s, kelvin) {
		return norm.NFKC.String(s)
	}
	parts := strings.Split(s, kelvin)
	for i, part := range parts {
		parts[i] = norm.NFKC.String(part)
	}
	return strings.Join(parts, kelvin)
}

// lower returns the lower case of r, unless that is a letter of ASCII and r is not.
func lower(r rune) rune {
	if l := unicode.ToLower(r); r < utf8.RuneSelf || l >= utf8.RuneSelf {
		return l
	}
	return r
}

// trim removes white space around s, and dots and white space at its end.
func trim(s string) string {
	return strings.TrimRightFunc(strings.TrimSpace(s), func(r rune) bool { return r == '.' || unicode.IsSpace(r) })
}
