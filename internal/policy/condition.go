package policy

import (
	"fmt"
	"slices"
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
	MaxAge    string        `yaml:"max_age"`

	maxAge time.Duration // read from MaxAge
}

type bounds struct {
	Min *float64 `yaml:"min"`
	Max *float64 `yaml:"max"`
}

func (c *condition) check(report *checker, path string) {
	notEmpty(report, path+".providers", c.Providers)
	for i, p := range c.Providers {
		oneOf(report, fmt.Sprintf("%s.providers[%d]", path, i), p, signal.Providers()...)
	}
	notEmpty(report, path+".kinds", c.Kinds)
	for i, k := range c.Kinds {
		oneOf(report, fmt.Sprintf("%s.kinds[%d]", path, i), k, signal.Kinds()...)
	}
	notEmpty(report, path+".types", c.Types)
	for i, t := range c.Types {
		if strings.TrimSpace(t) == "" {
			report.add(fmt.Sprintf("%s.types[%d]", path, i), "is empty; name a type, or * for every one")
		}
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
	if c.MaxAge != "" {
		var err error
		if c.maxAge, err = time.ParseDuration(c.MaxAge); err != nil || c.maxAge <= 0 {
			report.add(path+".max_age", "%q is not a duration like 24h or 90m", c.MaxAge)
		}
	}
}

func notEmpty[T any](report *checker, path string, list []T) {
	if list != nil && len(list) == 0 {
		report.add(path, "is empty, so no signal fits; remove the line or name something")
	}
}

// clause is one question that a condition asks, with its answer in words.
type clause struct {
	holds bool
	words string
}

// clauses gives the answer to every clause that is present. The age is not among them: a signal that is too old for
// the rule that is meant for it must not fall through to a later one.
func (c condition) clauses(s signal.Signal) []clause {
	var all []clause
	if c.Providers != nil {
		all = append(all, in("provider", s.Provider, c.Providers))
	}
	if c.Kinds != nil {
		all = append(all, in("kind", s.Kind, c.Kinds))
	}
	if c.Types != nil {
		fits := slices.IndexFunc(c.Types, func(pattern string) bool { return glob(pattern, s.Type) })
		if fits >= 0 {
			all = append(all, clause{true, fmt.Sprintf("type %s fits %s", s.Type, c.Types[fits])})
		} else {
			all = append(all, clause{false, fmt.Sprintf("type %s fits none of %s", s.Type, strings.Join(c.Types, ", "))})
		}
	}
	if b := c.Severity; b != nil {
		if b.Min != nil {
			all = append(all, compare(s.Severity >= *b.Min, s.Severity, "at least", "below", *b.Min))
		}
		if b.Max != nil {
			all = append(all, compare(s.Severity <= *b.Max, s.Severity, "at most", "above", *b.Max))
		}
	}
	return all
}

func in[T ~string](what string, value T, list []T) clause {
	if slices.Contains(list, value) {
		return clause{true, fmt.Sprintf("%s is %s", what, value)}
	}
	var words []string
	for _, l := range list {
		words = append(words, string(l))
	}
	return clause{false, fmt.Sprintf("%s %s is not %s", what, value, strings.Join(words, " or "))}
}

func compare(holds bool, value float64, yes, no string, bound float64) clause {
	word := no
	if holds {
		word = yes
	}
	return clause{holds, fmt.Sprintf("severity %v is %s %v", value, word, bound)}
}

// tooOld reports whether the signal is older than the rule allows, or has no time to tell by.
func (c condition) tooOld(s signal.Signal, now time.Time) (string, bool) {
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

// glob reports whether all of s fits pattern, in any case.
func glob(pattern, s string) bool { return globExact(signal.Fold(pattern), signal.Fold(s)) }

// globExact reports whether all of s fits pattern; * stands for any run of characters, ? for any one.
func globExact(pattern, s string) bool {
	p, t := []rune(pattern), []rune(s)
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

func isGlob(s string) bool { return strings.ContainsAny(s, "*?") }
