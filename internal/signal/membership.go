package signal

import "cmp"

// Membership is a group, an application or an account that a person gained or lost. The policy says which of them carry
// the VPN.
type Membership struct {
	// Of is what the membership is of: "group", "application" or "account".
	Of string `json:"of"`
	// ID and Name are the group's, as in the event. One of them may be empty.
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
	// Group is the group whose assignment it was, where everybody in a group lost it.
	Group string `json:"group,omitempty"`
	// Reference is the provider's id of the membership itself, where the event names neither person nor group.
	Reference string `json:"reference,omitempty"`
	// Change says what happened.
	Change MembershipChange `json:"change"`
	// Everybody means that all members lost it, such as by the deletion of the group. The event does not name them.
	Everybody bool `json:"everybody,omitempty"`
}

// MembershipChange says what happened to a membership.
type MembershipChange string

// The changes of a membership.
const (
	Removed MembershipChange = "removed"
	Added   MembershipChange = "added"
	// Changed means that the event hides whether somebody was added or removed.
	Changed MembershipChange = "changed"
)

// Groups, applications and accounts, for [Membership.Of].
const (
	Group       = "group"
	Application = "application"
	Account     = "account"
)

// String returns the membership for people, such as "group VPN users (00g1)".
func (m Membership) String() string {
	name := cmp.Or(m.Name, m.ID, "without a name")
	if m.Name != "" && m.ID != "" && m.ID != m.Name {
		name += " (" + m.ID + ")"
	}
	return m.Of + " " + name
}

// membership returns the change with the id and the name of the group, cleaned as names are.
func membership(of string, id, name requiredString, change MembershipChange) *Membership {
	return &Membership{Of: of, ID: Name(string(id)), Name: Name(string(name)), Change: change}
}

// everybody returns the membership that all members lost.
func everybody(of string, id, name requiredString) *Membership {
	m := membership(of, id, name, Removed)
	m.Everybody = true
	return m
}

// eachMembership returns a signal for each person and membership. A membership that everybody lost is about nobody.
func eachMembership(base Signal, people []Subject, memberships []*Membership) []Signal {
	var signals []Signal
	for _, m := range memberships {
		one := base
		one.Membership = m
		if m.Everybody {
			people = nil
		}
		signals = append(signals, eachSubject(one, people)...)
	}
	return signals
}

// The notes on changes of memberships.
const (
	lost      = "only where the policy's access lists it"
	gained    = "only where the policy's access lists it; lifts what losing it caused"
	lostByAll = "everybody in it lost it; the event names nobody"
)
