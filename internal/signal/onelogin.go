package signal

import "cmp"

// oneLoginEvents are event_type_ids of OneLogin's events.
// Source: OneLogin developer documentation, "Event types"; which of the numbers 531, 532 and 553 a lock through the API
// has, published material does not agree on.
var oneLoginEvents = []meaning{
	{"15", AccountDisabled, "user deactivated"},
	{"17", AccountPurged, "user deleted"},
	{"551", AccountDisabled, "user suspended through the API"},
	{"16", AccountEnabled, "user activated"},
	{"19", RiskLevelChange, "user locked, by failed sign-ins, which anybody can cause"},
	{"531", RiskLevelChange, "user locked through the API"},
	{"532", RiskLevelChange, "user locked through the API"},
	{"553", RiskLevelChange, "user locked through the API"},
	{"5", "", "somebody signed in"},
	{"6", "", "a failed sign-in"},
	{"11", "", "somebody changed a password"},
	{"12", "", "undoes a lock-out, not a deactivation"},
	{"13", AccountEnabled, anew},
	{"24", "", "a one-time password device was removed"},
	{"72", "", "a new privilege"},
	{"1400", "", "a second factor was used"},
	{"state", AccountDisabled,
		"any other event with the user's status, which a forwarder adds: one that the policy's leaver_states names; any " +
			"other is only reported"},
	{"state: active", AccountEnabled, "the same, from a status that the policy's leaver_states names"},
}

// oneLoginStatuses are OneLogin's words for the numbers of a user's status.
// Source: OneLogin developer documentation, "User resource".
var oneLoginStatuses = map[lenientString]lenientString{
	"0": "unactivated", "1": "active", "2": "suspended", "3": "locked", "4": "password expired",
	"5": "awaiting password reset", "7": "password pending", "8": "security questions required",
}

// oneLoginEvent is the part of an event that is read. user_name is the first and the last name, and no login;
// actor_user_id and actor_user_name are the administrator. OneLogin's events lack the user's status: a forwarder can
// add it.
type oneLoginEvent struct {
	UUID      requiredString `json:"uuid"`
	EventType requiredString `json:"event_type_id"`
	UserID    requiredString `json:"user_id"`
	LoginName requiredString `json:"login_name"`
	AccountID requiredString `json:"account_id"`
	Timestamp lenientString  `json:"event_timestamp"`
	Status    lenientString  `json:"user_status"`
	Plain     lenientString  `json:"status"`
	Before    lenientString  `json:"previous_user_status"`
}

func parseOneLogin(e event) ([]Signal, error) {
	var o oneLoginEvent
	if err := decode("detail", e.Detail, &o); err != nil {
		return nil, err
	}
	if o.EventType == "" {
		return nil, unreadable("detail.event_type_id", "missing; a OneLogin event has one")
	}
	word, state := o.meaning(e)
	meant, err := e.meaning(word)
	if err != nil {
		return nil, err
	}
	s := Signal{
		ID: string(o.UUID), Kind: meant.kind, Type: string(o.EventType), Reason: meant.note, Time: o.Timestamp.time(),
		Subject: subjectOf(e.issuer(cmp.Or(o.AccountID, e.partner())), login(o.LoginName), opaque(o.UserID)), State: state,
	}
	if state != nil {
		s.Reason = ""
	}
	return []Signal{s}, nil
}

// meaning returns the number of the event, or what the user's status means if the number says nothing of access.
func (o oneLoginEvent) meaning(e event) (requiredString, *StateChange) {
	spell := func(status lenientString) lenientString { return cmp.Or(oneLoginStatuses[status], status) }
	state := newState("user_status", spell(o.Before), spell(cmp.Or(o.Status, o.Plain)))
	if _, known := e.known(o.EventType); known || state == nil || state.To == "" {
		return o.EventType, nil
	}
	if state.isActive() {
		return "state: active", state
	}
	return "state", state
}
