package policy

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/duration"
	"clientvpn-responder/internal/identity"
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
	// Names are the folded names to look for, as user names and common names, each whole; CommonNames those that count
	// only as a certificate's.
	Names       []string `json:"names"`
	CommonNames []string `json:"common_names,omitempty"`
	// Literal are those of Names that may be another person's: they count only where no other of Names is connected.
	Literal []string `json:"-"`
	// Counted are the event's names that the policy treats as a person's, with their issuers.
	Counted []identity.Name `json:"-"`
	// Spellings are the names in the cases in which they are probably written, the likeliest first.
	Spellings []string `json:"-"`
	// Endpoints are those on which the rule acts; none for every one.
	Endpoints []string `json:"endpoints,omitempty"`
	// Bound are the endpoints on which the policy has the issuers' people; none for every one.
	Bound []string `json:"-"`
	// KeepOut is for how long People may not come back; empty for not at all.
	KeepOut KeepOut `json:"keep_out,omitempty"`
	// Reinstates says that People may come back: the signal takes back what put them out.
	Reinstates bool `json:"reinstates,omitempty"`
	// People are whom KeepOut or Reinstates is about, each under one folded name.
	People []string `json:"people,omitempty"`
	// Persons are all people whom the signal is about, under the same names.
	Persons []string `json:"-"`
	// MaxAge is the max_age of the rule that decided; 0 for none.
	MaxAge time.Duration `json:"-"`
	// Reasons tell, in order, why each earlier rule did not decide, why this one did, and what else mattered.
	Reasons []Reason `json:"reasons"`
}

// Decide applies the first rule that fits the signal. environment is the mode of the whole installation, now the time
// of the decision. A sample or archived finding, and a signal about nobody, is never decided Terminate.
func (p *Policy) Decide(s signal.Signal, environment Mode, now time.Time) Decision {
	d := Decision{Names: []string{}}
	if s.Kind == signal.SelfTest || s.Kind == signal.Sweep {
		d.aboutNobody(s.Kind, environment)
		return d
	}
	q := question{Signal: &s, policy: p, who: p.resolve(&s), now: now}
	if s.Kind == signal.SourceInterrupted {
		d.Action = Notify
		d.because(NoRuleAsked, "events of %s may be missing, which is about nobody, so no rule is asked", s.Provider)
	} else if !d.mover(p, &s) {
		q.rule = d.choose(p, newFacts(&s, q.who.Names))
	}
	d.limit(&q, environment)
	d.name(&q)
	switch terminates := d.Action == Terminate; {
	case terminates && d.block(terminationGates, &q):
		d.Action = Notify
	case q.Opens():
		// Without people, the reasons say why already. A termination has passed all gates, and these among them.
		if q.returns() && len(q.who.People) > 0 && (terminates || !d.block(reinstatementGates, &q)) {
			d.reinstate(words(q.who.People))
		}
	case terminates:
		d.keepOut(&q)
	}
	return d
}

// aboutNobody decides about a signal that asks no rule.
func (d *Decision) aboutNobody(kind signal.Kind, environment Mode) {
	d.Action, d.Mode = Notify, DryRun
	if environment == Enforce {
		d.Mode = Enforce
	}
	d.because(NoRuleAsked, "a %s is about nobody, so no rule is asked", kind)
}

// choose takes rule and action from the first rule that fits, or the action from the default. It returns the rule.
func (d *Decision) choose(p *Policy, f *facts) *rule {
	decided := d.first(p, f)
	if decided == nil {
		d.Action = cmp.Or(p.fallback, Ignore)
		d.because(Defaulted, "no rule fits, so the default decides: %s", d.Action)
		return nil
	}
	d.Rule, d.Action, d.MaxAge = decided.Name, decided.Then, decided.When.maxAge
	fits := []string{}
	for _, c := range decided.clauses {
		fits = append(fits, c.yes(f))
	}
	why := cmp.Or(strings.Join(fits, "; "), "it has no conditions")
	d.because(RuleDecided, "rule %s decides %s: %s", d.Rule, d.Action, why)
	return decided
}

// limit sets the mode, and the endpoints that are acted on.
func (d *Decision) limit(q *question, environment Mode) {
	d.Mode = environment
	switch {
	case environment != Enforce:
		d.Mode = DryRun
		d.because(OnlyDryRun, "mode dry-run: MODE is not enforce")
	case q.DryRun:
		d.Mode = DryRun
		d.because(OnlyDryRun, "mode dry-run: the request only asks what would be done")
	case q.rule != nil && q.rule.Mode == DryRun:
		d.Mode = DryRun
		d.because(OnlyDryRun, "mode dry-run: rule %s only watches", q.rule.Name)
	}
	if q.rule != nil && len(q.rule.Endpoints) > 0 {
		d.because(Limited, "rule %s acts on %s only", q.rule.Name, strings.Join(q.rule.Endpoints, ", "))
	}
	if bound, isBound := q.policy.book.Endpoints(q.who.Counted); isBound {
		d.because(
			Limited, "identity.endpoints has the people of %s on %s only", issuers(q.who.Counted), strings.Join(bound, ", "),
		)
	}
	d.Endpoints, _ = q.endpoints()
	d.Bound, _ = q.policy.book.Endpoints(q.who.Counted)
}

func issuers(names []identity.Name) string {
	var all []string
	for _, n := range names {
		if s := n.Issuer.String(); !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return strings.Join(all, ", ")
}

// name sets the names to look for, and says how the event's names led to them.
func (d *Decision) name(q *question) {
	book := &q.policy.book
	d.Names, d.Persons = append(d.Names, q.who.Names...), words(q.who.People)
	d.Literal, d.Counted = q.who.Literal, q.who.Counted
	d.CommonNames = book.CommonNames(slices.DeleteFunc(slices.Clone(q.who.Names), func(name string) bool {
		return slices.Contains(q.who.Literal, name)
	}))
	if d.Action == Terminate {
		var given []string
		for _, n := range q.who.Counted {
			given = append(given, n.Value)
		}
		d.Spellings = book.Likely(given, q.who.Names)
	}
	for _, note := range q.who.Notes {
		d.because(NameMapped, "%s", note)
	}
	if q.datedByEnvelope() {
		d.because(Recalled, "the event is dated %s after EventBridge got it; the time of its envelope counts",
			duration.Short(q.Time.Sub(q.SentAt).Round(time.Second)))
	}
	if q.Lookup != "" {
		d.because(StoreAsked, "identity store: %s", q.Lookup)
	}
	if q.TenantLookup != "" {
		d.because(StoreAsked, "Microsoft Graph: %s", q.TenantLookup)
	}
}

// resolve returns the people of the signal's names.
func (p *Policy) resolve(s *signal.Signal) identity.Resolution {
	role := ""
	if s.Subject.Session != nil {
		role = s.Subject.Session.Role
	}
	return p.book.Resolve(s.AllNames(), role)
}

func words(people []identity.Person) []string {
	var all []string
	for _, person := range people {
		all = append(all, string(person))
	}
	return all
}
