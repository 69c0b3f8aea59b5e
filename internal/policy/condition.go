package policy

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"clientvpn-responder/internal/signal"
)

// condition is what a rule asks of a signal. A clause that is absent asks nothing; one that is present and empty is
// refused, because empty must never mean everyone.
type condition struct {
	Providers []string      `yaml:"providers"`
	Kinds     []signal.Kind `yaml:"kinds"`
	Types     []string      `yaml:"types"`
	Severity  *bounds       `yaml:"severity"`
	Accounts  []string      `yaml:"accounts"`
	Regions   []string      `yaml:"regions"`
	Subjects  []string      `yaml:"subjects"`
	MaxAge    string        `yaml:"max_age"`

	types, subjects []glob
	maxAge          time.Duration // read from MaxAge
}

type bounds struct {
	Min *float64 `yaml:"min"`
	Max *float64 `yaml:"max"`
}

// everyone is the word that a pattern for every person must be written as.
const everyone = "everyone"

var (
	accountID  = regexp.MustCompile(`^[0-9]{12}$`)
	regionName = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)
)

func (c *condition) check(report *checker, path string, id identity) {
	at := func(key string, i int) string { return fmt.Sprintf("%s.%s[%d]", path, key, i) }
	notEmpty(report, path+".providers", c.Providers)
	for i, p := range c.Providers {
		oneOf(report, at("providers", i), p, signal.Providers()...)
	}
	notEmpty(report, path+".kinds", c.Kinds)
	for i, k := range c.Kinds {
		oneOf(report, at("kinds", i), k, signal.Kinds()...)
	}
	notEmpty(report, path+".types", c.Types)
	for i, t := range c.Types {
		if strings.TrimSpace(t) == "" {
			report.add(at("types", i), "is empty; name a type, or * for every one")
		}
		c.types = append(c.types, newGlob(t))
	}
	if b := c.Severity; b != nil {
		switch {
		case b.Min == nil && b.Max == nil:
			report.add(path+".severity", "needs min, max or both")
		case b.Min != nil && !(*b.Min >= 0 && *b.Min <= 10): // NaN is outside, too
			report.add(path+".severity.min", "%v is outside GuardDuty's scale, 0 to 10", *b.Min)
		case b.Max != nil && !(*b.Max >= 0 && *b.Max <= 10):
			report.add(path+".severity.max", "%v is outside GuardDuty's scale, 0 to 10", *b.Max)
		case b.Min != nil && b.Max != nil && *b.Min > *b.Max:
			report.add(path+".severity", "min %v is above max %v, so no signal fits", *b.Min, *b.Max)
		}
	}
	notEmpty(report, path+".accounts", c.Accounts)
	for i, a := range c.Accounts {
		if !accountID.MatchString(a) {
			report.add(at("accounts", i), "%q is not an account id of twelve digits", a)
		}
	}
	notEmpty(report, path+".regions", c.Regions)
	for i, r := range c.Regions {
		if !regionName.MatchString(r) {
			report.add(at("regions", i), "%q is not a Region like eu-west-1", r)
		}
	}
	notEmpty(report, path+".subjects", c.Subjects)
	for i, s := range c.Subjects {
		c.subjects = append(c.subjects, personGlob(report, at("subjects", i), s, id))
	}
	if c.MaxAge != "" {
		var err error
		if c.maxAge, err = time.ParseDuration(c.MaxAge); err != nil || c.maxAge <= 0 {
			report.add(path+".max_age", "%q is not a duration like 24h or 90m", c.MaxAge)
		}
	}
}

// personGlob reads a pattern for people, and refuses one that every person fits without saying so.
func personGlob(report *checker, path, pattern string, id identity) glob {
	pattern = strings.TrimSpace(pattern)
	switch {
	case signal.Fold(pattern) == everyone:
		return newGlob("*")
	case pattern == "":
		report.add(path, "is empty; name a person")
	case id.fitsAll(newGlob(pattern)):
		report.add(path, "%q fits everyone; if that is meant, write %s", pattern, everyone)
	}
	return newGlob(pattern)
}

func notEmpty[T any](report *checker, path string, list []T) {
	if list != nil && len(list) == 0 {
		report.add(path, "is empty, so no signal fits; remove the line or name something")
	}
}

// clause is one question that a condition asks.
type clause struct {
	holds func(*facts) bool
	yes   func(*facts) string // the answer where it holds, in words
	// The answer where it does not is what was asked about, its value, and what is the same for every signal.
	what     string
	value    func(*facts) string
	noBehind string
}

// facts is what clauses ask about a signal, worked out once for all rules.
type facts struct {
	*signal.Signal
	who      string
	severity string
	ofType   []rune   // folded
	known    []string // every text that stands for the subject
	folded   [][]rune // the same
}

func newFacts(s *signal.Signal, names []string) *facts {
	f := &facts{
		Signal: s, who: s.Subject.String(), severity: decimal(s.Severity), ofType: []rune(signal.Fold(s.Type)),
		known: slices.Concat(names, s.Subject.IDs),
	}
	for _, other := range []string{s.Subject.ConnectionID, s.Subject.ClientIP} {
		if other != "" {
			f.known = append(f.known, other)
		}
	}
	for _, text := range f.known {
		f.folded = append(f.folded, []rune(signal.Fold(text)))
	}
	return f
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// compile gives the clauses that are present. The age is not among them: a signal that is too old for the rule that is
// meant for it must not fall through to a later one.
func (c *condition) compile() []clause {
	var all []clause
	among := func(what string, value func(*facts) string, list []string) {
		if list == nil {
			return
		}
		all = append(all, clause{
			holds:    func(f *facts) bool { return slices.Contains(list, value(f)) },
			yes:      func(f *facts) string { return what + " is " + value(f) },
			what:     what + " ",
			value:    func(f *facts) string { return cmp.Or(value(f), "unknown") },
			noBehind: " is not " + strings.Join(list, " or "),
		})
	}
	among("provider", func(f *facts) string { return f.Provider }, c.Providers)
	among("kind", func(f *facts) string { return string(f.Kind) }, kindWords(c.Kinds))
	if c.types != nil {
		fitting := func(f *facts) int {
			return slices.IndexFunc(c.types, func(g glob) bool { return match(g.folded, f.ofType, fitsRune) })
		}
		all = append(all, clause{
			holds:    func(f *facts) bool { return fitting(f) >= 0 },
			yes:      func(f *facts) string { return "type " + f.Type + " fits " + c.Types[fitting(f)] },
			what:     "type ",
			value:    func(f *facts) string { return f.Type },
			noBehind: " fits none of " + strings.Join(c.Types, ", "),
		})
	}
	bound := func(limit *float64, holds func(a, b float64) bool, yes, no string) {
		if limit == nil {
			return
		}
		all = append(all, clause{
			holds:    func(f *facts) bool { return holds(f.Severity, *limit) },
			yes:      func(f *facts) string { return "severity " + f.severity + " is " + yes + " " + decimal(*limit) },
			what:     "severity ",
			value:    func(f *facts) string { return f.severity },
			noBehind: " is " + no + " " + decimal(*limit),
		})
	}
	if c.Severity != nil {
		bound(c.Severity.Min, func(a, b float64) bool { return a >= b }, "at least", "below")
		bound(c.Severity.Max, func(a, b float64) bool { return a <= b }, "at most", "above")
	}
	among("account", func(f *facts) string { return f.Account }, c.Accounts)
	among("Region", func(f *facts) string { return f.Region }, c.Regions)
	if c.subjects != nil {
		fitting := func(f *facts) (name, pattern int) {
			for name, text := range f.folded {
				for pattern, g := range c.subjects {
					if match(g.folded, text, fitsRune) {
						return name, pattern
					}
				}
			}
			return -1, -1 // nobody fits nothing, not even everyone
		}
		all = append(all, clause{
			holds: func(f *facts) bool { name, _ := fitting(f); return name >= 0 },
			yes: func(f *facts) string {
				name, pattern := fitting(f)
				return "subject " + f.known[name] + " fits " + c.Subjects[pattern]
			},
			what:     "subject ",
			value:    func(f *facts) string { return f.who },
			noBehind: " fits none of " + strings.Join(c.Subjects, ", "),
		})
	}
	return all
}

func join[T ~string](list []T, between string) string {
	var all strings.Builder
	for i, word := range list {
		if i > 0 {
			all.WriteString(between)
		}
		all.WriteString(string(word))
	}
	return all.String()
}

// covers reports whether every signal that fits d fits c for certain, clause by clause.
func (c *condition) covers(d *condition) bool {
	everyType := slices.ContainsFunc(c.types, func(g glob) bool { return strings.Trim(string(g.folded), "*") == "" })
	low, high := c.Severity.span()
	dLow, dHigh := d.Severity.span()
	return within(c.Providers, d.Providers, equal) && within(c.Kinds, d.Kinds, equal) && low <= dLow && dHigh <= high &&
		within(c.Accounts, d.Accounts, equal) && within(c.Regions, d.Regions, equal) &&
		(everyType || within(c.types, d.types, glob.covers)) && within(c.subjects, d.subjects, glob.covers)
}

// within reports whether each of narrow is covered by one of wide, where an absent list is everything.
func within[T any](wide, narrow []T, covers func(wide, narrow T) bool) bool {
	if wide == nil || narrow == nil {
		return wide == nil
	}
	return !slices.ContainsFunc(narrow, func(n T) bool {
		return !slices.ContainsFunc(wide, func(w T) bool { return covers(w, n) })
	})
}

func equal[T comparable](a, b T) bool { return a == b }

func kindWords(kinds []signal.Kind) []string {
	if kinds == nil {
		return nil
	}
	words := []string{}
	for _, k := range kinds {
		words = append(words, string(k))
	}
	return words
}

// span gives the bounds, or where there are none those of the scale.
func (b *bounds) span() (low, high float64) {
	low, high = 0, 10
	if b != nil && b.Min != nil {
		low = *b.Min
	}
	if b != nil && b.Max != nil {
		high = *b.Max
	}
	return low, high
}

// tooOld reports whether the signal is older than the rule allows, or has no time to tell by.
func (c *condition) tooOld(s *signal.Signal, now time.Time) (string, bool) {
	limit := c.maxAge
	switch {
	case limit == 0:
		return "", false
	case s.Time.IsZero():
		return fmt.Sprintf("the event has no readable time, and the rule takes none older than %v", limit), true
	case now.Sub(s.Time) > limit:
		return fmt.Sprintf("the event is %v old, and the rule takes none older than %v", now.Sub(s.Time).Round(time.Second), limit), true
	}
	return "", false
}

// glob is a pattern for whole texts: * stands for any run of characters, ? for any one.
type glob struct {
	folded, exact []rune
}

func newGlob(pattern string) glob { return glob{[]rune(signal.Fold(pattern)), []rune(pattern)} }

// fits reports whether all of s fits, in any case.
func (g glob) fits(s string) bool { return match(g.folded, []rune(signal.Fold(s)), fitsRune) }

// fitsExactly reports the same in the very case.
func (g glob) fitsExactly(s string) bool { return match(g.exact, []rune(s), fitsRune) }

// covers reports whether whatever fits narrow fits g for certain: g's stars swallow anything that narrow is made of, and
// its question marks anything but stars.
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
