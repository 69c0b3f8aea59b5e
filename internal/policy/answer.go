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
				a.Fails = append(a.Fails, c.no(f))
			}
		}
		all = append(all, a)
	}
	return all
}

// first returns the first rule that fits, and adds why each rule before it does not. It returns nil if none fits.
func (d *Decision) first(p *Policy, f *facts) *rule {
	n := 0
	for n < len(p.rules) && !p.rules[n].fits(f) {
		n++
	}
	d.Reasons = slices.Grow(d.Reasons, n+4) // room for what is to follow
	for i := range p.rules[:n] {
		d.Reasons = append(d.Reasons, Reason{Kind: RuleSkipped, misfit: misfit{&p.rules[i], f}})
	}
	if n == len(p.rules) {
		return nil
	}
	return &p.rules[n]
}

// fits reports whether every clause of the rule holds.
func (r *rule) fits(f *facts) bool {
	for i := range r.clauses {
		if !r.clauses[i].holds(f) {
			return false
		}
	}
	return true
}

// misfit is why a rule does not fit a signal. A policy may have hundreds of rules, so only String makes the words.
type misfit struct {
	rule  *rule
	facts *facts
}

// String names every clause that does not hold.
func (m misfit) String() string {
	var fails []string
	for i := range m.rule.clauses {
		if c := &m.rule.clauses[i]; !c.holds(m.facts) {
			fails = append(fails, c.no(m.facts))
		}
	}
	return m.rule.skipped + strings.Join(fails, "; ")
}
