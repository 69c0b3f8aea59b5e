package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/duration"
	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/lazyregexp"
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
	accountID  = lazyregexp.New(`^[0-9]{12}$`)
	regionName = lazyregexp.New(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)
)

// check reports what means nothing, and compiles the patterns.
func (c *condition) check(report *checker, path string, book *identity.Book) {
	at := func(key string, i int) string { return fmt.Sprintf("%s.%s[%d]", path, key, i) }
	c.checkEmpty(report, path)
	for i, p := range c.Providers {
		oneOf(report, at("providers", i), p, signal.Providers()...)
	}
	for i, k := range c.Kinds {
		oneOf(report, at("kinds", i), k, signal.Kinds()...)
	}
	for i, t := range c.Types {
		c.checkType(report, at("types", i), t)
		c.types = append(c.types, newGlob(t))
	}
	c.Severity.check(report, path+".severity")
	allMatch(report, path+".accounts", c.Accounts, accountID, "%q is not an account id of twelve digits")
	allMatch(report, path+".regions", c.Regions, regionName, "%q is not a Region like eu-west-1")
	for i, s := range c.Subjects {
		c.subjects = append(c.subjects, personGlob(report, at("subjects", i), s, book))
	}
	if c.MaxAge != "" {
		var err error
		if c.maxAge, err = time.ParseDuration(c.MaxAge); err != nil || c.maxAge <= 0 {
			report.add(path+".max_age", "%q is not a duration like 24h or 90m%s", c.MaxAge, inHours(c.MaxAge))
		}
	}
}

// checkEmpty refuses lists without an entry, because empty must never mean everyone.
func (c *condition) checkEmpty(report *checker, path string) {
	for _, list := range []struct {
		key   string
		empty bool
	}{
		{"providers", c.Providers != nil && len(c.Providers) == 0},
		{"kinds", c.Kinds != nil && len(c.Kinds) == 0},
		{"types", c.Types != nil && len(c.Types) == 0},
		{"accounts", c.Accounts != nil && len(c.Accounts) == 0},
		{"regions", c.Regions != nil && len(c.Regions) == 0},
		{"subjects", c.Subjects != nil && len(c.Subjects) == 0},
	} {
		if list.empty {
			report.add(path+"."+list.key, "is empty, so no signal fits; remove the line or name something")
		}
	}
}

// allMatch reports the words of a list that do not match.
func allMatch(report *checker, path string, words []string, form func() *regexp.Regexp, problem string) {
	for i, word := range words {
		if !form().MatchString(word) {
			report.add(fmt.Sprintf("%s[%d]", path, i), problem, word)
		}
	}
}

func (b *bounds) check(report *checker, path string) {
	outside := func(limit *float64) bool { return limit != nil && !(*limit >= 0 && *limit <= 10) } // NaN is outside, too
	switch {
	case b == nil:
	case b.Min == nil && b.Max == nil:
		report.add(path, "needs min, max or both")
	case outside(b.Min):
		report.add(path+".min", "%v is outside GuardDuty's scale, 0 to 10", *b.Min)
	case outside(b.Max):
		report.add(path+".max", "%v is outside GuardDuty's scale, 0 to 10", *b.Max)
	case b.Min != nil && b.Max != nil && *b.Min > *b.Max:
		report.add(path, "min %v is above max %v, so no signal fits", *b.Min, *b.Max)
	}
}

// covers reports whether every signal that fits d fits c for certain, clause by clause.
func (c *condition) covers(d *condition) bool {
	everyType := slices.ContainsFunc(c.types, func(g glob) bool { return strings.Trim(g.folded, "*") == "" })
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

// span returns the bounds, or the whole scale if there are none.
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

// tooOld says that the signal is older than the rule allows, or has no time to tell by; "" if it is neither.
func (c *condition) tooOld(q *question) string {
	age := q.now.Sub(q.Time)
	switch {
	case c.maxAge == 0:
	case q.Time.IsZero():
		return "the event has no readable time, and the rule takes none older than " + duration.Short(c.maxAge)
	case age > c.maxAge:
		return fmt.Sprintf("the event is %s old, and the rule takes none older than %s",
			duration.Short(age.Round(time.Second)), duration.Short(c.maxAge))
	}
	return ""
}
