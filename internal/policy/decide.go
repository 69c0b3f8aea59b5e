package policy

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"clientvpn-responder/internal/signal"
)

// Decision is what is to be done about a signal, and why.
type Decision struct {
	// Rule is the name of the rule that decided; empty where none fits and the default holds.
	Rule   string `json:"rule"`
	Action Action `json:"action"`
	// Mode is the stricter of the environment's and the rule's.
	Mode Mode `json:"mode"`
	// Gate says what held a termination back, so that Action is Notify, or a reinstatement; empty where nothing did.
	Gate Gate `json:"gate,omitempty"`
	// Names are the folded names under which connections are looked for, as user names and common names, each whole;
	// CommonNames those that count only as a certificate's.
	Names       []string `json:"names"`
	CommonNames []string `json:"common_names,omitempty"`
	// Spellings are the names in the cases in which they are probably written, the likeliest first.
	Spellings []string `json:"-"`
	// Endpoints are those on which the rule acts; none for every one.
	Endpoints []string `json:"endpoints,omitempty"`
	// KeepOut is for how long People may not come back; empty for not at all.
	KeepOut KeepOut `json:"keep_out,omitempty"`
	// Reinstates says that People may come back: the signal takes back what put them out.
	Reinstates bool `json:"reinstates,omitempty"`
	// People are whom KeepOut or Reinstates is about, each under the one folded name that stands for all of theirs.
	People []string `json:"people,omitempty"`
	// Reasons tell, in order, why each earlier rule did not decide, why this one did, and what else mattered.
	Reasons []Reason `json:"reasons"`
}

// Answer is what one rule says to a signal.
type Answer struct {
	Rule string
	Then Action
	// Fits are the clauses that hold, Fails those that do not, in words. The rule fits if none fails.
	Fits, Fails []string
}

// Answers gives what each rule says to the signal, in their order, also those behind the one that decides.
func (p *Policy) Answers(s signal.Signal) []Answer {
	f := newFacts(&s, p.identity.resolve(s.Subject).names)
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

// first gives the first rule that fits, nil for none, and why each one before it does not.
func (p *Policy) first(f *facts) (decided *rule, reasons []Reason) {
	reasons = make([]Reason, 0, len(p.rules)+4) // room for what is to follow
	for i := range p.rules {
		r, why := &p.rules[i], ""
		for _, c := range r.clauses {
			switch {
			case c.holds(f):
			case why == "":
				why = "rule " + r.Name + " does not fit: " + c.what + c.value(f) + c.noBehind
			default:
				why += "; " + c.what + c.value(f) + c.noBehind
			}
		}
		if why == "" {
			return r, reasons
		}
		reasons = append(reasons, Reason{Kind: RuleSkipped, Rule: r.Name, Text: why})
	}
	return nil, reasons
}

// Decide applies the first rule that fits the signal. environment is the mode of the whole installation, now the time
// of the decision. A sample or archived finding, and a signal about nobody, is never decided Terminate.
func (p *Policy) Decide(s signal.Signal, environment Mode, now time.Time) Decision {
	d := Decision{Names: []string{}}
	if s.Kind == signal.SelfTest {
		d.selfTest(environment)
		return d
	}
	q := question{Signal: &s, policy: p, who: p.identity.resolve(s.Subject), now: now}
	q.rule = d.choose(p, newFacts(&s, q.who.names))
	d.limit(q.rule, environment)
	d.name(p, &q)
	switch terminates := d.Action == Terminate; {
	case terminates && d.block(terminationGates, &q):
		d.Action = Notify
	case s.Kind == signal.AccountEnabled:
		// Without people, the reasons say why already. A termination has passed all gates, and these among them.
		if len(q.who.people) > 0 && (terminates || !d.block(reinstatementGates, &q)) {
			d.reinstate(q.who.people)
		}
	case terminates:
		d.keepOut(q.rule, q.who.people)
	}
	return d
}

// selfTest decides about the one signal that asks no rule.
func (d *Decision) selfTest(environment Mode) {
	d.Action, d.Mode = Notify, DryRun
	if environment == Enforce {
		d.Mode = Enforce
	}
	d.because(NoRuleAsked, "a self-test is about nobody, so no rule is asked")
}

// choose takes rule and action from the first rule that fits, or the action from the default. It returns the rule.
func (d *Decision) choose(p *Policy, f *facts) *rule {
	decided, skipped := p.first(f)
	d.Reasons = skipped
	if decided == nil {
		d.Action = cmp.Or(p.fallback, Ignore)
		d.because(Defaulted, "no rule fits, so the default decides: %s", d.Action)
		return nil
	}
	d.Rule, d.Action = decided.Name, decided.Then
	fits := []string{}
	for _, c := range decided.clauses {
		fits = append(fits, c.yes(f))
	}
	d.Reasons = append(d.Reasons, Reason{Kind: RuleDecided, Rule: d.Rule, Text: fmt.Sprintf(
		"rule %s decides %s: %s", d.Rule, d.Action, cmp.Or(strings.Join(fits, "; "), "it asks nothing"),
	)})
	return decided
}

// limit sets the mode, and the endpoints that the rule acts on.
func (d *Decision) limit(decided *rule, environment Mode) {
	d.Mode = environment
	switch {
	case environment != Enforce:
		d.Mode = DryRun
		d.because(OnlyDryRun, "mode dry-run: MODE is not enforce")
	case decided != nil && decided.Mode == DryRun:
		d.Mode = DryRun
		d.because(OnlyDryRun, "mode dry-run: rule %s only watches", decided.Name)
	}
	if decided != nil && len(decided.Endpoints) > 0 {
		d.Endpoints = decided.Endpoints
		d.because(Limited, "rule %s acts on %s only", decided.Name, strings.Join(decided.Endpoints, ", "))
	}
}

// name sets the names to look for, and says how the event's names led to them.
func (d *Decision) name(p *Policy, q *question) {
	d.Names = append(d.Names, q.who.names...)
	d.CommonNames = p.identity.templated(q.who.names)
	if d.Action == Terminate {
		d.Spellings = p.identity.cased(q.Subject, q.who.names)
	}
	for _, note := range q.who.notes {
		d.because(NameMapped, "%s", note)
	}
	if q.Lookup != "" {
		d.because(StoreAsked, "identity store: %s", q.Lookup)
	}
}
