package signal

import (
	"slices"
	"strings"
)

// sailPointEvents are event triggers of SailPoint Identity Security Cloud. How EventBridge names them is not published, so
// the trigger is looked for in the detail-type and in the event's _metadata.
// Source: SailPoint developer documentation, "Event triggers".
var sailPointEvents = []meaning{
	{"identity-deleted", AccountPurged, "can come hours late"},
	{"identity-attributes-changed cloudLifecycleState: inactive", AccountDisabled, "or terminated"},
	{"identity-attributes-changed cloudLifecycleState: active", AccountEnabled, "from inactive or terminated"},
	{"identity-attributes-changed", "", "another attribute or state"},
	{"identity-created", "", "a new identity"},
	{"account", "", "an account of some source: which source carries the VPN is not known here; where it does, forward this in the custom form"},
}

type sailPointChange struct {
	Attribute lenientString `json:"attribute"`
	OldValue  lenientString `json:"oldValue"`
	NewValue  lenientString `json:"newValue"`
}

func parseSailPoint(e event) ([]Signal, error) {
	var s struct {
		Metadata struct {
			TriggerType  lenientString  `json:"triggerType"`
			TriggerID    lenientString  `json:"triggerId"`
			InvocationID requiredString `json:"invocationId"`
		} `json:"_metadata"`
		// The identity's name is for show and no login.
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
	if err := decode("detail", e.Detail, &s); err != nil {
		return nil, err
	}
	trigger := requiredString("")
	words := strings.NewReplacer("-", "", "_", "", " ", "", ":", "").Replace(Fold(string(s.Metadata.TriggerType) + " " + string(s.Metadata.TriggerID) + " " + string(e.DetailType)))
	switch {
	case strings.Contains(words, "identitydeleted"):
		trigger = "identity-deleted"
	case strings.Contains(words, "identitycreated"):
		trigger = "identity-created"
	case s.Account != nil:
		trigger = "account"
	case len(s.Changes) > 0:
		trigger = "identity-attributes-changed"
		gone := []string{"inactive", "terminated"}
		for _, c := range s.Changes {
			if Fold(string(c.Attribute)) != "cloudlifecyclestate" {
				continue
			}
			before, after := Fold(string(c.OldValue)), Fold(string(c.NewValue))
			switch {
			case slices.Contains(gone, after):
				trigger = "identity-attributes-changed cloudLifecycleState: inactive"
			case after == "active" && slices.Contains(gone, before):
				trigger = "identity-attributes-changed cloudLifecycleState: active"
			}
		}
	default:
		trigger = requiredString(clip(string(e.DetailType), 100))
	}
	kind, err := e.kind(trigger)
	if err != nil {
		return nil, err
	}
	typed, _, _ := strings.Cut(string(trigger), " ")
	return []Signal{{
		ID: string(s.Metadata.InvocationID), Kind: kind, Type: typed,
		Subject: Subject{
			Usernames: names(s.Identity.Email, s.Identity.Alias, requiredString(s.Attributes.Email), requiredString(s.Attributes.UID)),
			IDs:       names(s.Identity.ID),
		},
	}}, nil
}
