package signal

import "strings"

// sailPointEvents are event triggers of SailPoint Identity Security Cloud. Their names on EventBridge are not
// published, so the parser looks for the trigger in the detail-type and in the event's _metadata.
// Source: SailPoint developer documentation, "Event triggers".
var sailPointEvents = []meaning{
	{"identity-deleted", AccountPurged, "can come hours late"},
	{"identity-attributes-changed cloudLifecycleState", AccountDisabled,
		"or another attribute such as employmentStatus: to a state that the policy's leaver_states names; any other state " +
			"is only reported"},
	{"identity-attributes-changed cloudLifecycleState: active", AccountEnabled,
		"from a state that the policy's leaver_states names"},
	{"account-deleted", TokenClaimsChange, "an account of a source, or its entitlements: " + lost},
	{"account-updated", TokenClaimsChange, "disabled on a source, or an entitlement removed: " + lost},
	{"account-created", TokenClaimsChange, gained},
	{"identity-attributes-changed", "", "another attribute"},
	{"identity-created", "", "a new identity"},
	{"account", "", "another event of an account"},
}

// sailPointChange is a change of an attribute.
type sailPointChange struct {
	Attribute lenientString `json:"attribute"`
	OldValue  lenientString `json:"oldValue"`
	NewValue  lenientString `json:"newValue"`
}

// sailPointEvent is the part of an event that is read. The identity's name is for show and no login.
type sailPointEvent struct {
	Metadata lenient[sailPointMetadata] `json:"_metadata"`
	Event    lenient[sailPointType]     `json:"event"`
	Kind     lenientString              `json:"eventType"`
	Identity struct {
		ID    requiredString `json:"id"`
		Alias requiredString `json:"alias"`
		Email requiredString `json:"email"`
	} `json:"identity"`
	Attributes struct {
		Email lenientString `json:"email"`
		UID   lenientString `json:"uid"`
	} `json:"attributes"`
	Changes []sailPointChange `json:"changes"`

	sailPointAccountEvent
}

type sailPointType struct {
	Type lenientString `json:"type"`
}

type sailPointMetadata struct {
	TriggerType  lenientString `json:"triggerType"`
	TriggerID    lenientString `json:"triggerId"`
	InvocationID lenientString `json:"invocationId"`
}

func parseSailPoint(e event) ([]Signal, error) {
	var s sailPointEvent
	if err := decode("detail", e.Detail, &s); err != nil {
		return nil, err
	}
	trigger, state := s.trigger(string(e.DetailType))
	kind, err := e.kind(trigger)
	if err != nil {
		return nil, err
	}
	typed, _, _ := strings.Cut(string(trigger), " ")
	base := Signal{ID: string(s.Metadata.value.InvocationID), Kind: kind, Type: typed, State: state}
	issuer := e.issuer(e.partner())
	if kind == TokenClaimsChange {
		changed := s.memberships(trigger)
		if len(changed) == 0 {
			return nil, e.unsupported(trigger, "%s: neither disabled nor an entitlement", trigger)
		}
		return eachMembership(base, s.holder(issuer, s.Identity.Alias, s.Identity.Email, s.Identity.ID), changed), nil
	}
	email, uid := requiredString(s.Attributes.Email), requiredString(s.Attributes.UID)
	base.Subject = subjectOf(issuer,
		address(s.Identity.Email), login(s.Identity.Alias), address(email), login(uid), opaque(s.Identity.ID))
	return []Signal{base}, nil
}

// sailPointTriggers are the triggers, as their names begin or as a word in them, and what the code calls them.
var sailPointTriggers = []struct{ word, trigger string }{
	{"identitydeleted", "identity-deleted"},
	{"identitycreated", "identity-created"},
	{"accountdeleted", "account-deleted"},
	{"accountcreated", "account-created"},
	{"accountupdated", "account-updated"},
}

// trigger returns the event trigger, with the change of state that matters.
func (s sailPointEvent) trigger(detailType string) (requiredString, *StateChange) {
	m := s.Metadata.value
	said := strings.Join([]string{
		string(m.TriggerType), string(m.TriggerID), string(s.Event.value.Type), string(s.Kind), detailType,
	}, " ")
	said = attributeSeparators().Replace(Fold(said))
	for _, t := range sailPointTriggers {
		if strings.Contains(said, t.word) && !strings.Contains(said, "machine") {
			return requiredString(t.trigger), nil
		}
	}
	switch {
	case s.Account != nil:
		return "account", nil
	case len(s.Changes) == 0:
		return requiredString(clip(detailType, 100)), nil
	}
	const trigger = "identity-attributes-changed"
	state := s.state()
	switch {
	case state == nil:
		return trigger, nil
	case state.isActive():
		return trigger + " cloudLifecycleState: active", state
	}
	return trigger + " cloudLifecycleState", state
}

// state returns the last change of a state. The states are the customer's own words.
func (s sailPointEvent) state() (last *StateChange) {
	for _, c := range s.Changes {
		if change := newState(c.Attribute, c.OldValue, c.NewValue); change != nil && isState(c.Attribute) {
			last = change
		}
	}
	return last
}
