package signal

import (
	"strings"
)

// sailPointEvents are event triggers of SailPoint Identity Security Cloud. Their names on EventBridge are not
// published, so the parser looks for the trigger in the detail-type and in the event's _metadata.
// Source: SailPoint developer documentation, "Event triggers".
var sailPointEvents = []meaning{
	{"identity-deleted", AccountPurged, "can come hours late"},
	{"identity-attributes-changed cloudLifecycleState", AccountDisabled,
		"to a state that the policy's leaver_states names; any other state is only reported"},
	{"identity-attributes-changed cloudLifecycleState: active", AccountEnabled,
		"from a state that the policy's leaver_states names"},
	{"identity-attributes-changed", "", "another attribute"},
	{"identity-created", "", "a new identity"},
	{"account", "",
		"an account of some source: only you know which source carries the VPN; " +
			"send such a change in the custom form"},
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
	Identity struct {
		ID    requiredString `json:"id"`
		Alias requiredString `json:"alias"`
		Email requiredString `json:"email"`
	} `json:"identity"`
	Attributes struct {
		Email lenientString `json:"email"`
		UID   lenientString `json:"uid"`
	} `json:"attributes"`
	Account any               `json:"account"`
	Changes []sailPointChange `json:"changes"`
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
	email, uid := requiredString(s.Attributes.Email), requiredString(s.Attributes.UID)
	return []Signal{{
		ID: string(s.Metadata.value.InvocationID), Kind: kind, Type: typed, State: state,
		Subject: subjectOf(e.issuer(e.partner()),
			address(s.Identity.Email), login(s.Identity.Alias), address(email), login(uid), opaque(s.Identity.ID)),
	}}, nil
}

var sailPointSeparators = replacer("-", "", "_", "", " ", "", ":", "")

// trigger returns the event trigger, with the change of state that matters.
func (s sailPointEvent) trigger(detailType string) (requiredString, *StateChange) {
	m := s.Metadata.value
	said := string(m.TriggerType) + " " + string(m.TriggerID) + " " + detailType
	switch words := sailPointSeparators().Replace(Fold(said)); {
	case strings.Contains(words, "identitydeleted"):
		return "identity-deleted", nil
	case strings.Contains(words, "identitycreated"):
		return "identity-created", nil
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
	case Fold(state.To) == "active":
		return trigger + " cloudLifecycleState: active", state
	}
	return trigger + " cloudLifecycleState", state
}

// state returns the last change of the lifecycle state. The states are the customer's own words.
func (s sailPointEvent) state() *StateChange {
	var state *StateChange
	for _, c := range s.Changes {
		from, to := strings.TrimSpace(string(c.OldValue)), strings.TrimSpace(string(c.NewValue))
		if Fold(string(c.Attribute)) == "cloudlifecyclestate" && to != "" && Fold(from) != Fold(to) {
			state = &StateChange{From: clip(from, 100), To: clip(to, 100)}
		}
	}
	return state
}
