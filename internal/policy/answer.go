package policy

import (
	"slices"
	"strings"

	"clientvpn-responder/internal/signal"
)

// Answer is what one rule says to a signal.
type Answer struct {
	Rule string
	Then Action
	// Fits are the clauses that hold, Fails those that do not, in words. The rule fits if none fails.
	Fits, Fails []string
}

// Answers returns what each rule says to the signal, in their order, also the rules behind the one that decides.
func (p *Policy) Answers(s signal.Signal) []Answer {
	f := newFacts(&s, p.resolve(&s).Names)
	var all []Answer
	for i := range p.rules {
		r := &p.rules[i]
		a := Answer{Rule: r.Name, Then: r.Then}
		for _, c := range r.clauses {
			if c.holds(f) {
				a.Fits = append(a.Fits, c.yes(f))
			} else {
				a.Fails = append(a.Fails, c.what+c.value(f)+c.noBehind)
			}
		}
		all = append(all, a)
	}
	return all
}

// first returns the first rule that fits, and adds why each rule before it does not. It returns nil if none fits. A
// policy may have hundreds of rules, so all texts are parts of one.
func (d *Decision) first(p *Policy, f *facts) *rule {
	var all strings.Builder
	ends := make([]int, 0, len(p.rules))
	var decided *rule
	for i := range p.rules {
		if p.rules[i].decides(f, &all) {
			decided = &p.rules[i]
			break
		}
		if i == 0 {
			all.Grow(len(p.rules) * all.Len() * 9 / 8) // the others' texts are about as long
		}
		ends = append(ends, all.Len())
	}
	text, start := all.String(), 0
	d.Reasons = slices.Grow(d.Reasons, len(ends)+4) // room for what is to follow
	for i, end := range ends {
		d.Reasons = append(d.Reasons, Reason{Kind: RuleSkipped, Rule: p.rules[i].Name, Text: text[start:end]})
		start = end
	}
	return decided
}

// decides reports whether the rule fits. If it does not, it writes why.
func (r *rule) decides(f *facts, text *strings.Builder) bool {
	fits := true
	for i := range r.clauses {
		c := &r.clauses[i]
		if c.holds(f) {
			continue
		}
		if fits {
			text.WriteString(r.skipped)
		} else {
			text.WriteString("; ")
		}
		text.WriteString(c.what)
		text.WriteString(c.value(f))
		text.WriteString(c.noBehind)
		fits = false
	}
	return fits
}
