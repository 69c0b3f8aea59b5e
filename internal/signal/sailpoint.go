package signal

import (
	"slices"
	"strings"
)

// sailPointEvents are event triggers of SailPoint Identity Security Cloud. Their names on EventBridge are not
// published, so the parser looks for the trigger in the detail-type and in the event's _metadata.
// Source: SailPoint developer documentation, "Event triggers".
var sailPointEvents = []meaning{
	{"identity-deleted", AccountPurged, "can come hours late"},
	{"identity-attributes-changed cloudLifecycleState: inactive", AccountDisabled, "or terminated"},
	{"identity-attributes-changed cloudLifecycleState: active", AccountEnabled, "from inactive or terminated"},
	{"identity-attributes-changed", "", "another attribute or state"},
	{"identity-created", "", "a new identity"},
	{"account", "",
		"an account of some source: only you know which source carries the VPN; " +
			"forward a change of that one in the custom form"},
}

type sailPointChange struct {
	Attribute lenientString `json:"attribute"`
	OldValue  lenientString `json:"oldValue"`
	NewValue  lenientString `json:"newValue"`
}

// sailPointEvent is the part of an event that is read. The identity's name is for show and no login.
type sailPointEvent struct {
	Metadata struct {
		TriggerType  lenientString  `json:"triggerType"`
		TriggerID    lenientString  `json:"triggerId"`
		InvocationID requiredString `json:"invocationId"`
	} `json:"_metadata"`
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

func parseSailPoint(e event) ([]Signal, error) {
	var s sailPointEvent
	if err := decode("detail", e.Detail, &s); err != nil {
		return nil, err
	}
	trigger := s.trigger(string(e.DetailType))
	kind, err := e.kind(trigger)
	if err != nil {
		return nil, err
	}
	typed, _, _ := strings.Cut(string(trigger), " ")
	email, uid := requiredString(s.Attributes.Email), requiredString(s.Attributes.UID)
	return []Signal{{
		ID: string(s.Metadata.InvocationID), Kind: kind, Type: typed,
		Subject: subjectOf(e.issuer(e.partner()),
			address(s.Identity.Email), login(s.Identity.Alias), address(email), login(uid), opaque(s.Identity.ID)),
	}}, nil
}

var sailPointSeparators = replacer("-", "", "_", "", " ", "", ":", "")

// trigger returns the event trigger, with the change of state that matters.
func (s sailPointEvent) trigger(detailType string) requiredString {
	said := string(s.Metadata.TriggerType) + " " + string(s.Metadata.TriggerID) + " " + detailType
	switch words := sailPointSeparators().Replace(Fold(said)); {
	case strings.Contains(words, "identitydeleted"):
		return "identity-deleted"
	case strings.Contains(words, "identitycreated"):
		return "identity-created"
	case s.Account != nil:
		return "account"
	case len(s.Changes) > 0:
		trigger := requiredString("identity-attributes-changed")
		for _, c := range s.Changes {
			if state := c.state(); state != "" {
				trigger = "identity-attributes-changed cloudLifecycleState: " + state
			}
		}
		return trigger
	}
	return requiredString(clip(detailType, 100))
}

// state returns "inactive" or "active" if the change is one between them.
func (c sailPointChange) state() requiredString {
	gone := []string{"inactive", "terminated"}
	before, after := Fold(string(c.OldValue)), Fold(string(c.NewValue))
	switch {
	case Fold(string(c.Attribute)) != "cloudlifecyclestate":
	case slices.Contains(gone, after):
		return "inactive"
	case after == "active" && slices.Contains(gone, before):
		return "active"
	}
	return ""
}
