package policy

import (
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
	// Gate says what held a termination back, so that Action is Notify; empty where nothing did.
	Gate Gate `json:"gate,omitempty"`
	// Names are the folded names under which connections are looked for, as user names and common names, each whole;
	// CommonNames those that count only as a certificate's.
	Names       []string `json:"names"`
	CommonNames []string `json:"common_names,omitempty"`
	// Reasons tell, in order, why each earlier rule did not decide, why this one did, and what else mattered.
	Reasons []string `json:"reasons"`
}

// Gate is a condition that stops a termination whatever the rules say.
type Gate string

// The gates, in the order in which they are asked.
const (
	GateSample    Gate = "sample"    // the finding is a sample
	GateArchived  Gate = "archived"  // somebody put the finding aside
	GateNotYet    Gate = "not-yet"   // the signal takes effect later
	GateUnasked   Gate = "unasked"   // it depends on what the identity store says, which was not asked
	GateStale     Gate = "stale"     // older than the rule's max_age
	GateUnmapped  Gate = "unmapped"  // nobody is named
	GateAmbiguous Gate = "ambiguous" // two people are named
	GateExempt    Gate = "exempt"    // the person is never cut off
)

// HeldBack begins the reason that a gate gives.
const HeldBack = "held back: "

// Decide applies the first rule that fits the signal. environment is the mode of the whole installation, now the time
// of the decision. A sample or archived finding, and a signal about nobody, is never decided Terminate.
func (p *Policy) Decide(s signal.Signal, environment Mode, now time.Time) Decision {
	d := Decision{Action: p.fallback, Mode: environment, Names: []string{}, Reasons: []string{}}
	if d.Action == "" {
		d.Action = Ignore
	}
	because := func(format string, args ...any) { d.Reasons = append(d.Reasons, fmt.Sprintf(format, args...)) }

	var decided *rule
	for i := range p.rules {
		r := &p.rules[i]
		fits, fails := r.answers(s)
		if len(fails) > 0 {
			because("rule %s does not fit: %s", r.Name, strings.Join(fails, "; "))
			continue
		}
		decided = r
		d.Rule, d.Action = r.Name, r.Then
		if len(fits) == 0 {
			fits = []string{"it asks nothing"}
		}
		because("rule %s decides %s: %s", r.Name, r.Then, strings.Join(fits, "; "))
		break
	}
	if decided == nil {
		because("no rule fits, so the default decides: %s", d.Action)
	}
	switch {
	case environment != Enforce:
		d.Mode = DryRun
		because("mode dry-run: MODE is not enforce")
	case decided != nil && decided.Mode == DryRun:
		d.Mode = DryRun
		because("mode dry-run: rule %s only watches", decided.Name)
	}

	names, notes, ambiguous := p.identity.resolve(s.Subject)
	d.Names = append(d.Names, names...)
	d.CommonNames = p.identity.templated(names)
	d.Reasons = append(d.Reasons, notes...)
	if s.Lookup != "" {
		because("identity store: %s", s.Lookup)
	}
	if d.Action != Terminate {
		return d
	}
	hold := func(gate Gate, format string, args ...any) {
		if d.Gate == "" {
			d.Gate, d.Action = gate, Notify
			because(HeldBack+format, args...)
		}
	}
	if s.Sample {
		hold(GateSample, "the finding is a sample")
	}
	if s.Archived {
		hold(GateArchived, "the finding is archived")
	}
	if s.EffectiveAt.After(now) {
		hold(GateNotYet, "it takes effect at %s; send it again then", s.EffectiveAt.Format(time.RFC3339))
	}
	if s.IfDisabled {
		hold(GateUnasked, "the event says only that the account changed, and the identity store was not asked whether it is disabled")
	}
	if decided != nil {
		if words, old := decided.When.tooOld(s, now); old {
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
		hold(GateAmbiguous, "two people: %s", ambiguous)
	}
	for _, name := range names {
		if p.Exempt(name) {
			hold(GateExempt, "%s is exempt", name)
		}
	}
	return d
}

// answers splits the rule's clauses into those that hold for s and those that do not, in words.
func (r *rule) answers(s signal.Signal) (fits, fails []string) {
	for _, c := range r.When.clauses(s) {
		if c.holds {
			fits = append(fits, c.words)
		} else {
			fails = append(fails, c.words)
		}
	}
	return fits, fails
}
