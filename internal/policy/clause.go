package policy

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"clientvpn-responder/internal/signal"
)

// clause is one question that a condition asks.
type clause struct {
	holds func(*facts) bool
	yes   func(*facts) string // the answer where it holds, in words
	// Otherwise the answer has three parts: the subject of the question, its value, and a part that is the same for
	// every signal.
	what     string
	value    func(*facts) string
	noBehind string
}

// no returns the answer where the clause does not hold, in words.
func (c *clause) no(f *facts) string { return c.what + c.value(f) + c.noBehind }

// facts is what clauses ask about a signal, worked out once for all rules.
type facts struct {
	*signal.Signal
	who      string // in words
	severity string
	ofType   string   // folded
	known    []string // every name, id and address of the subject
	// uncounted says that no name of the subject counts, so no pattern fits them.
	uncounted bool
	folded    []string // the same
	initials  string   // the first bytes of folded
}

// isKnownAs reports whether one of folded fits the pattern. The initials rule out most patterns at once.
func (f *facts) isKnownAs(pattern glob) bool {
	if pattern.begins != "" && !strings.Contains(f.initials, pattern.begins[:1]) {
		return false
	}
	return slices.ContainsFunc(f.folded, pattern.fitsFolded)
}

func newFacts(s *signal.Signal, names []string) *facts {
	f := &facts{
		Signal: s, who: s.Subject.String(), severity: decimal(s.Severity), ofType: signal.Fold(s.Type),
		known:     slices.Concat(names, s.Subject.IDs),
		uncounted: len(names) == 0 && (len(s.Subject.Usernames) > 0 || s.Subject.Session != nil),
	}
	for _, other := range []string{s.Subject.ConnectionID, s.Subject.ClientIP} {
		if other != "" {
			f.known = append(f.known, other)
		}
	}
	for _, text := range f.known {
		folded := signal.Fold(text)
		f.folded = append(f.folded, folded)
		f.initials += folded[:min(1, len(folded))]
	}
	return f
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// compile prepares the rule for deciding.
func (r *rule) compile() {
	r.clauses, r.skipped = r.When.compile(), "rule "+r.Name+" does not fit: "
}

// compile returns the clauses that are present. The age is not among them: a signal that is too old for its rule must
// not fall through to a later rule.
func (c *condition) compile() []clause {
	all := slices.Concat(
		among("provider", func(f *facts) string { return f.Provider }, c.Providers),
		among("kind", func(f *facts) string { return string(f.Kind) }, kindWords(c.Kinds)),
		c.typeClause(),
	)
	if c.Severity != nil {
		all = slices.Concat(all,
			bound(c.Severity.Min, func(a, b float64) bool { return a >= b }, "at least", "below"),
			bound(c.Severity.Max, func(a, b float64) bool { return a <= b }, "at most", "above"),
		)
	}
	return slices.Concat(all,
		among("account", func(f *facts) string { return f.Account }, c.Accounts),
		among("Region", func(f *facts) string { return f.Region }, c.Regions),
		c.subjectClause(),
	)
}

// among asks whether a value is in a list; an absent list asks nothing.
func among(what string, value func(*facts) string, list []string) []clause {
	if list == nil {
		return nil
	}
	return []clause{{
		holds:    func(f *facts) bool { return slices.Contains(list, value(f)) },
		yes:      func(f *facts) string { return what + " is " + value(f) },
		what:     what + " ",
		value:    func(f *facts) string { return cmp.Or(value(f), "unknown") },
		noBehind: " is not " + strings.Join(list, " or "),
	}}
}

// bound asks whether the severity is on one side of a limit; no limit asks nothing.
func bound(limit *float64, holds func(severity, limit float64) bool, yes, no string) []clause {
	if limit == nil {
		return nil
	}
	return []clause{{
		holds:    func(f *facts) bool { return holds(f.Severity, *limit) },
		yes:      func(f *facts) string { return "severity " + f.severity + " is " + yes + " " + decimal(*limit) },
		what:     "severity ",
		value:    func(f *facts) string { return f.severity },
		noBehind: " is " + no + " " + decimal(*limit),
	}}
}

func (c *condition) typeClause() []clause {
	if c.types == nil {
		return nil
	}
	fitting := func(f *facts) int {
		return slices.IndexFunc(c.types, func(g glob) bool { return g.fitsFolded(f.ofType) })
	}
	return []clause{{
		holds:    func(f *facts) bool { return fitting(f) >= 0 },
		yes:      func(f *facts) string { return "type " + f.Type + " fits " + c.Types[fitting(f)] },
		what:     "type ",
		value:    func(f *facts) string { return f.Type },
		noBehind: " fits none of " + strings.Join(c.Types, ", "),
	}}
}

// subjectClause asks whether a name of the subject fits. Nobody fits no pattern, not even everyone.
func (c *condition) subjectClause() []clause {
	if c.subjects == nil {
		return nil
	}
	fitting := func(f *facts) (name, pattern int) {
		for name, text := range f.folded {
			for pattern, g := range c.subjects {
				if g.fitsFolded(text) {
					return name, pattern
				}
			}
		}
		return -1, -1
	}
	return []clause{{
		holds: func(f *facts) bool { return slices.ContainsFunc(c.subjects, f.isKnownAs) },
		yes: func(f *facts) string {
			name, pattern := fitting(f)
			return "subject " + f.known[name] + " fits " + c.Subjects[pattern]
		},
		what: "subject ",
		value: func(f *facts) string {
			if f.uncounted {
				return f.who + " does not count, so it"
			}
			return f.who
		},
		noBehind: " fits none of " + strings.Join(c.Subjects, ", "),
	}}
}
