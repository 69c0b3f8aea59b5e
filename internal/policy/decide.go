package policy

import (
	"cmp"
	"fmt"
	"slices"
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

// Gate is a condition that stops a termination, or a reinstatement, whatever the rules say.
type Gate string

// The gates, in the order in which they are asked.
const (
	GateSample    Gate = "sample"    // the finding is a sample
	GateArchived  Gate = "archived"  // somebody put the finding aside
	GateNotYet    Gate = "not-yet"   // the signal takes effect later
	GateFuture    Gate = "future"    // dated later than now
	GateUnasked   Gate = "unasked"   // it depends on what the identity store says, which was not asked
	GateStale     Gate = "stale"     // older than the rule's max_age
	GateUnmapped  Gate = "unmapped"  // nobody is named
	GateAmbiguous Gate = "ambiguous" // two people are named
	GateExempt    Gate = "exempt"    // the person is never cut off
)

// clockSkew is how much later than now an event may be dated.
const clockSkew = 5 * time.Minute

// Answer is what one rule says to a signal.
type Answer struct {
	Rule string
	Then Action
	// Fits are the clauses that hold, Fails those that do not, in words. The rule fits if none fails.
	Fits, Fails []string
}

// Answers gives what each rule says to the signal, in their order, also those behind the one that decides.
func (p *Policy) Answers(s signal.Signal) []Answer {
	_, names, _, _ := p.identity.resolve(s.Subject)
	f := newFacts(&s, names)
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
	d := Decision{Action: p.fallback, Mode: environment, Names: []string{}, Reasons: []Reason{}}
	if d.Action == "" {
		d.Action = Ignore
	}
	if s.Kind == signal.SelfTest {
		d.Action = Notify
		d.because(NoRuleAsked, "a self-test is about nobody, so no rule is asked")
		if environment != Enforce {
			d.Mode = DryRun
		}
		return d
	}
	people, names, notes, ambiguous := p.identity.resolve(s.Subject)
	f := newFacts(&s, names)
	var decided *rule
	decided, d.Reasons = p.first(f)
	if decided == nil {
		d.because(Defaulted, "no rule fits, so the default decides: %s", d.Action)
	} else {
		d.Rule, d.Action = decided.Name, decided.Then
		fits := []string{}
		for _, c := range decided.clauses {
			fits = append(fits, c.yes(f))
		}
		d.Reasons = append(d.Reasons, Reason{Kind: RuleDecided, Rule: d.Rule, Text: fmt.Sprintf(
			"rule %s decides %s: %s", d.Rule, d.Action, cmp.Or(strings.Join(fits, "; "), "it asks nothing"),
		)})
	}
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
	d.Names = append(d.Names, names...)
	d.CommonNames = p.identity.templated(names)
	for _, note := range notes {
		d.because(NameMapped, "%s", note)
	}
	if s.Lookup != "" {
		d.because(StoreAsked, "identity store: %s", s.Lookup)
	}
	people = named(people)
	if ambiguous != "" {
		ambiguous = "two people: " + ambiguous
	}
	if d.Action != Terminate {
		if s.Kind == signal.AccountEnabled {
			d.reinstate(&s, people, ambiguous, now)
		}
		return d
	}
	d.Spellings = p.identity.cased(s.Subject, names)
	hold := func(gate Gate, format string, args ...any) {
		if d.Gate == "" {
			d.Gate, d.Action = gate, Notify
			d.Reasons = append(d.Reasons, Reason{Kind: Blocked, Gate: gate, Text: fmt.Sprintf(format, args...)})
		}
	}
	if s.Sample {
		hold(GateSample, "the finding is a sample")
	}
	if s.Archived {
		hold(GateArchived, "the finding is archived")
	}
	if gate, words := untimely(&s, now); gate != "" {
		hold(gate, "%s", words)
	}
	if s.IfDisabled {
		hold(GateUnasked, "the event says only that the account changed, and the identity store was not asked whether it is disabled")
	}
	if decided != nil {
		if words, old := decided.When.tooOld(&s, now); old {
			hold(GateStale, "%s", words)
		}
	}
	switch {
	case s.Subject.IsNobody():
		hold(GateUnmapped, "the event names nobody")
	case len(names) == 0 && s.Subject.ConnectionID == "" && s.Subject.ClientIP == "":
		words := fmt.Sprintf("nobody is known as %s", s.Subject)
		if s.Lookup != "" {
			words += "; identity store " + s.Lookup
		}
		hold(GateUnmapped, "%s", words)
	}
	if ambiguous != "" {
		hold(GateAmbiguous, "%s", ambiguous)
	}
	if p.exempt.all {
		hold(GateExempt, "everyone is exempt")
	}
	if p.ExemptPlace(s.Subject.ConnectionID) {
		hold(GateExempt, "%s is exempt", s.Subject.ConnectionID)
	}
	for _, name := range slices.Concat(names, s.Subject.IDs) {
		if p.Exempt(name) {
			hold(GateExempt, "%s is exempt", name)
		}
	}
	switch {
	case d.Action != Terminate:
	case s.Kind == signal.AccountEnabled:
		d.reinstate(&s, people, ambiguous, now)
	default:
		d.keepOut(decided, people)
	}
	return d
}

// untimely gives the gate that holds back a signal for a time to come, and why; none if it is for now.
func untimely(s *signal.Signal, now time.Time) (Gate, string) {
	switch ahead := s.Time.Sub(now); {
	case s.EffectiveAt.After(now):
		return GateNotYet, "it takes effect at " + s.EffectiveAt.Format(time.RFC3339) + "; send it again then"
	case ahead > clockSkew:
		return GateFuture, fmt.Sprintf("the event is dated %v in the future; the sender's clock or the event is wrong", ahead.Round(time.Second))
	}
	return "", ""
}
