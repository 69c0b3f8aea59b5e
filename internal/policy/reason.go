package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Reason is one step that led to a decision. The program reads Kind; people read [Reason.String]. The rule and the gate
// that decided are the decision's. Reasons are comparable with ==, those of skipped rules only within one decision.
type Reason struct {
	Kind ReasonKind
	// Text is the sentence without a full stop. It is empty in a RuleSkipped reason of Decide, whose String makes it.
	Text string

	misfit misfit // of a RuleSkipped reason
}

// ReasonKind says what a reason is about. Who acts on a decision may add kinds of its own.
type ReasonKind string

// The kinds of reasons, in the order in which a decision lists them.
const (
	NoRuleAsked  ReasonKind = "no-rule-asked"  // a self-test
	Unreadable   ReasonKind = "unreadable"     // the policy cannot be read
	Carrier      ReasonKind = "carrier"        // the group or application that carries the VPN
	RuleSkipped  ReasonKind = "rule-skipped"   // a rule before the one that decided, and why it does not fit
	RuleDecided  ReasonKind = "rule-decided"   // the rule that decided, and why it fits
	Defaulted    ReasonKind = "defaulted"      // no rule fits
	OnlyDryRun   ReasonKind = "only-dry-run"   // why the mode is dry-run
	Limited      ReasonKind = "limited"        // the endpoints that the rule acts on
	NameMapped   ReasonKind = "name-mapped"    // how a name in the event led to a person, or why it did not
	StoreAsked   ReasonKind = "store-asked"    // what the identity store answered
	Blocked      ReasonKind = "blocked"        // the gate that blocked the signal
	KeptOut      ReasonKind = "kept-out"       // who is kept out, or why nobody is
	Reinstated   ReasonKind = "reinstated"     // who may connect again
	Carries      ReasonKind = "carries"        // whom an endpoint can carry, for a self-test
	DuringSearch ReasonKind = "during-search"  // what the search found in the way
	DuringVerify ReasonKind = "during-verify"  // what verifying found in the way
	Access       ReasonKind = "keep-out-entry" // what became of the keep-out entry
	SwitchedOff  ReasonKind = "switched-off"   // a person has switched everything off
	NotNewest    ReasonKind = "not-newest"     // why a newer policy is not in force
)

// heldBack begins the text of a Blocked reason.
const heldBack = "held back: "

// Because returns a reason of a kind. Its text is made as [fmt.Sprintf] does.
func Because(kind ReasonKind, format string, args ...any) Reason {
	return Reason{Kind: kind, Text: fmt.Sprintf(format, args...)}
}

// CannotBeRead returns the only reason of a decision that was made without a policy.
func CannotBeRead() Reason { return Because(Unreadable, "the policy cannot be read") }

// String returns the sentence for people.
func (r Reason) String() string {
	switch {
	case r.Kind == Blocked:
		return heldBack + r.Text
	case r.misfit.rule != nil:
		return r.misfit.String()
	}
	return r.Text
}

// MarshalText returns what String returns, so that JSON holds the sentence alone.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what MarshalText wrote. The kind is lost, except of a Blocked reason.
func (r *Reason) UnmarshalText(text []byte) error {
	*r = Reason{Text: string(text)}
	if words, ok := strings.CutPrefix(r.Text, heldBack); ok {
		*r = Reason{Kind: Blocked, Text: words}
	}
	return nil
}

// Blocked returns why a gate blocked the signal, without the words "held back". It reports false where no gate did.
func (d *Decision) Blocked() (string, bool) {
	i := slices.IndexFunc(d.Reasons, func(r Reason) bool { return r.Kind == Blocked })
	if i < 0 {
		return "", false
	}
	return d.Reasons[i].Text, true
}

// EachOnce returns the reasons without those that the line of the gate repeats.
func (d *Decision) EachOnce() []Reason {
	blocked, isBlocked := d.Blocked()
	return slices.DeleteFunc(slices.Clone(d.Reasons), func(r Reason) bool {
		return isBlocked && r.Kind != Blocked && r.Text == blocked
	})
}

// Explains reports whether the decision has a reason of the kind.
func (d *Decision) Explains(kind ReasonKind) bool {
	return slices.ContainsFunc(d.Reasons, func(r Reason) bool { return r.Kind == kind })
}

// because adds a reason.
func (d *Decision) because(kind ReasonKind, format string, args ...any) {
	d.Reasons = append(d.Reasons, Because(kind, format, args...))
}

// Words returns the sentences of reasons, for people.
func Words(reasons []Reason) []string {
	words := make([]string, len(reasons))
	for i, r := range reasons {
		words[i] = r.String()
	}
	return words
}
