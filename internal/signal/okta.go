package signal

import "fmt"

// oktaKinds are the event types of Okta's System Log that end somebody's access.
// Source: Okta developer documentation, "Event types" catalogue.
var oktaKinds = map[text]Kind{
	"user.lifecycle.deactivate":       AccountDisabled,
	"user.lifecycle.suspend":          AccountDisabled,
	"user.lifecycle.delete.initiated": AccountPurged,
	"user.lifecycle.delete.completed": AccountPurged,
	"user.session.clear":              SessionRevoked,
}

// oktaEvent is what is used of a LogEvent. The actor is not read: it is the administrator, token or workflow that did
// it to the person, who is the target.
type oktaEvent struct {
	UUID           text  `json:"uuid"`
	EventType      text  `json:"eventType"`
	Published      loose `json:"published"`
	DisplayMessage loose `json:"displayMessage"`
	Outcome        struct {
		Result text `json:"result"`
	} `json:"outcome"`
	Target []struct {
		ID          text `json:"id"`
		Type        text `json:"type"`
		AlternateID text `json:"alternateId"`
	} `json:"target"`
}

func parseOkta(e event) ([]Signal, error) {
	var o oktaEvent
	if err := decode("detail", e.Detail, &o); err != nil {
		return nil, err
	}
	if o.EventType == "" {
		return nil, unreadable("detail.eventType", "missing; a System Log event has one")
	}
	kind, wanted := oktaKinds[o.EventType]
	switch {
	case !wanted:
		return nil, fmt.Errorf("%w: okta: eventType %q", ErrUnsupported, o.EventType)
	case o.Outcome.Result == "":
		return nil, unreadable("detail.outcome.result", "missing; it must say SUCCESS for %s to have happened", o.EventType)
	case o.Outcome.Result != "SUCCESS":
		return nil, fmt.Errorf("%w: okta: %s did not happen, its outcome is %q", ErrUnsupported, o.EventType, o.Outcome.Result)
	case o.UUID == "":
		return nil, unreadable("detail.uuid", "missing; a System Log event has one")
	}
	base := Signal{
		ID: string(o.UUID), Kind: kind, Type: string(o.EventType),
		Reason: string(o.DisplayMessage), Time: text(o.Published).time(),
	}
	var signals []Signal
	for _, targetType := range []text{"User", "AppUser"} {
		for _, t := range o.Target {
			if t.Type == targetType {
				s := base
				s.Subject = Subject{Usernames: names(t.AlternateID), IDs: names(t.ID)}
				signals = append(signals, s)
			}
		}
		if len(signals) > 0 {
			return signals, nil
		}
	}
	return []Signal{base}, nil
}
