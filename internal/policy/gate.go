package policy

import (
	"fmt"
	"slices"
	"time"

	"clientvpn-responder/internal/duration"
	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/signal"
)

// Gate is a condition that blocks a termination, or a reinstatement, whatever the rules say.
type Gate string

// The gates, in the order in which they are asked.
const (
	GateSample    Gate = "sample"    // the finding is a sample
	GateArchived  Gate = "archived"  // somebody put the finding aside
	GateNotYet    Gate = "not-yet"   // the signal takes effect later
	GateFuture    Gate = "future"    // dated later than now
	GateUnclear   Gate = "unclear"   // the event leaves open what happened
	GateUnasked   Gate = "unasked"   // it depends on what the identity store says, which was not asked
	GateStale     Gate = "stale"     // older than the rule's max_age
	GateUnmapped  Gate = "unmapped"  // nobody is named
	GateExempt    Gate = "exempt"    // the person is never cut off
	GateAmbiguous Gate = "ambiguous" // two people are named
)

// clockSkew is how much later than now an event may be dated.
const clockSkew = 5 * time.Minute

// question is what the gates look at.
type question struct {
	*signal.Signal

	policy *Policy
	rule   *rule // the one that decided; nil for the default
	who    identity.Resolution
	now    time.Time
}

// gate is a row of a table of gates. says is asked only where holds is true; its words go behind "held back:".
type gate struct {
	gate  Gate
	holds func(*question) bool
	says  func(*question) string
}

// terminationGates block a termination. The first that holds is reported.
var terminationGates = []gate{
	{GateSample, func(q *question) bool { return q.Sample }, says("the finding is a sample")},
	{GateArchived, func(q *question) bool { return q.Archived }, says("the finding is archived")},
	notYet,
	future,
	{
		GateFuture, func(q *question) bool { return q.Subject.SeenAt.Sub(q.now) > clockSkew },
		says("the address is said to be seen in the future; so it is not known who held it"),
	},
	{GateUnclear, (*question).isUnclear, (*question).unclear},
	{
		GateUnasked, func(q *question) bool { return q.IfDisabled },
		(*question).undecided,
	},
	{
		GateStale, func(q *question) bool { return q.rule != nil && q.rule.When.tooOld(q) != "" },
		func(q *question) string { return q.rule.When.tooOld(q) },
	},
	{GateUnmapped, (*question).isAboutEverybody, (*question).everybody},
	{GateUnmapped, func(q *question) bool { return q.Subject.IsNobody() }, (*question).nobody},
	{GateUnmapped, (*question).leadsToNobody, (*question).unmapped},
	{
		GateUnmapped, (*question).connectsElsewhere,
		says("the rule acts only on endpoints where identity.endpoints has no people of this issuer"),
	},
	{GateUnmapped, (*question).isUnbound, (*question).unbound},
	{GateExempt, func(q *question) bool { return q.policy.exempt.all }, says("everyone is exempt")},
	{
		GateExempt, func(q *question) bool { return q.exempt() != "" },
		func(q *question) string { return q.exempt() + " is exempt" },
	},
	ambiguous,
}

// reinstatementGates block a reinstatement that no rule terminates on.
var reinstatementGates = []gate{notYet, future, ambiguous}

var (
	notYet = gate{
		GateNotYet, func(q *question) bool { return q.EffectiveAt.After(q.now) },
		func(q *question) string {
			return "it takes effect at " + q.EffectiveAt.Format(time.RFC3339) + "; send it again then"
		},
	}
	future = gate{
		GateFuture, func(q *question) bool { return q.Time.Sub(q.now) > clockSkew && !q.datedByEnvelope() },
		func(q *question) string {
			return fmt.Sprintf(
				"the event is dated %s in the future; the sender's clock or the event is wrong",
				duration.Short(q.Time.Sub(q.now).Round(time.Second)),
			)
		},
	}
	ambiguous = gate{
		GateAmbiguous, func(q *question) bool { return q.who.Conflict != nil },
		func(q *question) string { return "two people: " + q.who.Conflict.Text },
	}
)

// datedByEnvelope reports whether a closing is dated later than now, and EventBridge had the event before now. The time
// of the envelope counts then: a wrong clock must not keep an account open.
func (q *question) datedByEnvelope() bool {
	return q.Kind.Closes() && q.Time.Sub(q.now) > clockSkew && !q.SentAt.IsZero() && q.SentAt.Sub(q.now) <= clockSkew
}

func says(words string) func(*question) string { return func(*question) string { return words } }

// undecided says why it is not known whether the account is disabled.
func (q *question) undecided() string {
	const changed = "the event says only that the account changed, and "
	if q.StoreSilent {
		return changed + "it is not known whether it is disabled: " + q.Lookup
	}
	return changed + "the identity store was not asked whether it is disabled"
}

// isAboutEverybody reports whether all members of a group lost what carries the VPN.
func (q *question) isAboutEverybody() bool { return q.Membership != nil && q.Membership.Everybody }

// everybody says that the event names none of the members, and what to do.
func (q *question) everybody() string {
	return fmt.Sprintf("everybody in %s lost it, and the event names nobody; look up who was in it, and ask for all of "+
		"them in one request with usernames", q.Membership)
}

// nobody says that the event names nobody, what the identity store answered, and what to do.
func (q *question) nobody() string {
	if q.Membership == nil || q.Membership.Reference == "" {
		return "the event names nobody"
	}
	words := fmt.Sprintf("the event names nobody, only the membership %s of a group", q.Membership.Reference)
	if q.Lookup != "" {
		words += "; identity store " + q.Lookup
	}
	return words + "; look in CloudTrail whom CreateGroupMembership added with this membershipId"
}

// leadsToNobody reports whether the policy maps no name of the subject to a person.
func (q *question) leadsToNobody() bool {
	return len(q.who.Names) == 0 && q.Subject.ConnectionID == "" && q.Subject.ClientIP == ""
}

// unmapped says why the names are nobody's, with the line to add to the policy.
func (q *question) unmapped() string {
	for _, note := range q.who.Notes {
		if note.Kind == identity.NotCounted || note.Kind == identity.SessionUntrusted {
			return note.String()
		}
	}
	words := fmt.Sprintf("nobody is known as %s", q.Subject)
	if q.Lookup != "" {
		words += "; identity store " + q.Lookup
	}
	if q.TenantLookup != "" {
		words += "; Microsoft Graph " + q.TenantLookup
	}
	return words
}

// connectsElsewhere reports whether the rule acts only where the issuers' people do not connect.
func (q *question) connectsElsewhere() bool {
	_, nowhere := q.endpoints()
	return nowhere
}

// exempt returns the connection, name or id under which the policy exempts the subject, and "" if it does not. A
// search asks about a name that may be another person's when it finds one.
func (q *question) exempt() string {
	if q.policy.ExemptPlace(q.Subject.ConnectionID) {
		return q.Subject.ConnectionID
	}
	for _, name := range slices.Concat(q.who.Names, q.Subject.IDs) {
		if q.policy.Exempt(name) && !slices.Contains(q.who.Literal, name) {
			return name
		}
	}
	return ""
}

// block records the first gate that holds. It reports whether one does.
func (d *Decision) block(gates []gate, q *question) bool {
	i := slices.IndexFunc(gates, func(g gate) bool { return g.holds(q) })
	if i < 0 {
		return false
	}
	d.Gate = gates[i].gate
	d.because(Blocked, "%s", gates[i].says(q))
	return true
}
