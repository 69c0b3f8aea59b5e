package signal

import (
	"cmp"

	"clientvpn-responder/internal/identity"
)

// sailPointAccountEvent is the part of an event about an account of a source that is read. The names of an account are
// the source's and not read.
// Source: SailPoint developer documentation, "Account Deleted", "Account Updated", "Native Change Account Deleted"; the
// flat members are those of the older "Source Account Deleted".
type sailPointAccountEvent struct {
	Account *sailPointAccount `json:"account"`
	Source  struct {
		ID   requiredString `json:"id"`
		Name lenientString  `json:"name"`
	} `json:"source"`
	SourceID     requiredString               `json:"sourceId"`
	SourceName   lenientString                `json:"sourceName"`
	IdentityID   requiredString               `json:"identityId"`
	Single       []sailPointAttribute         `json:"singleValueAttributeChanges"`
	Entitlements []sailPointEntitlementChange `json:"entitlementChanges"`
}

// sailPointAccount says whether the identity beside it is a person's. SailPoint makes up the identity of an account
// that is not correlated.
type sailPointAccount struct {
	Correlated *flag `json:"correlated"`
	IsMachine  flag  `json:"isMachine"`
}

// isPersons reports whether the account is known as a person's.
func (a *sailPointAccount) isPersons() bool {
	return a == nil || !bool(a.IsMachine) && (a.Correlated == nil || bool(*a.Correlated))
}

type sailPointAttribute struct {
	Name     lenientString `json:"name"`
	OldValue lenientString `json:"oldValue"`
	NewValue lenientString `json:"newValue"`
}

type sailPointEntitlementChange struct {
	Added   []sailPointEntitlement `json:"added"`
	Removed []sailPointEntitlement `json:"removed"`
}

type sailPointEntitlement struct {
	ID    requiredString `json:"id"`
	Name  lenientString  `json:"name"`
	Value lenientString  `json:"value"`
}

// holder returns the person who has the account, if it is a person's.
func (s sailPointAccountEvent) holder(issuer identity.Issuer, alias, email, id requiredString) []Subject {
	if !s.Account.isPersons() {
		return nil
	}
	person := subjectOf(issuer, address(email), login(alias), opaque(cmp.Or(id, s.IdentityID)))
	if person.IsNobody() {
		return nil
	}
	return []Subject{person}
}

// memberships returns what the holder of the account lost or gained: the source, and entitlements of it.
func (s sailPointAccountEvent) memberships(trigger requiredString) (changed []*Membership) {
	source := func(change MembershipChange) *Membership {
		return membership(
			Application, cmp.Or(s.Source.ID, s.SourceID), requiredString(cmp.Or(s.Source.Name, s.SourceName)), change,
		)
	}
	switch trigger {
	case "account-deleted":
		changed = append(changed, source(Removed))
	case "account-created":
		changed = append(changed, source(Added))
	}
	for _, a := range s.Single {
		switch was, is := Fold(string(a.OldValue)), Fold(string(a.NewValue)); {
		case trigger != "account-updated" || Fold(string(a.Name)) != "iiqdisabled":
		case is == "true" && was != "true":
			changed = append(changed, source(Removed))
		case is == "false" && was != "false":
			changed = append(changed, source(Added))
		}
	}
	for _, c := range s.Entitlements {
		for _, lost := range c.Removed {
			changed = append(changed, lost.membership(Removed))
		}
		for _, gained := range c.Added {
			changed = append(changed, gained.membership(Added))
		}
	}
	return changed
}

func (e sailPointEntitlement) membership(change MembershipChange) *Membership {
	return membership(Group, e.ID, requiredString(cmp.Or(e.Name, e.Value)), change)
}
