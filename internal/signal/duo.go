package signal

import (
	"encoding/json"

	"clientvpn-responder/internal/lazyregexp"
)

// duoEvents are actions of Duo's administrator log, with the status that an action sets.
// Source: Duo Admin API, "Administrator logs".
var duoEvents = []meaning{
	{"user_update status: Disabled", AccountDisabled, ""},
	{"user_delete", AccountPurged, ""},
	{"user_pending_delete", AccountDisabled, "in the trash, for seven days; no captured event is known"},
	{"user_restore_from_pending_delete", AccountEnabled, "no captured event is known"},
	{"user_update status: Active", AccountEnabled, ""},
	{"user_update status: Bypass", "", "the person signs in without a second factor"},
	{"user_update", "", "another attribute"},
	{"user_create", AccountEnabled, anew},
	{"admin_lockout", "", "an administrator of Duo"},
}

// duoEntry is the part of an entry that is read. username is the administrator and not read; object is the user.
type duoEntry struct {
	ID           requiredString  `json:"event_id"`
	Action       requiredString  `json:"action"`
	Object       requiredString  `json:"object"`
	Host         lenientString   `json:"host"`
	Description  json.RawMessage `json:"description"`
	Timestamp    lenientString   `json:"timestamp"`
	ISOTimestamp lenientString   `json:"isotimestamp"`
}

func parseDuo(e event) ([]Signal, error) {
	var d duoEntry
	if err := decode("detail", e.Detail, &d); err != nil {
		return nil, err
	}
	if d.Action == "" {
		return nil, unreadable("detail.action", "missing; an entry of the administrator log has one")
	}
	kind, err := e.kind(d.meaning())
	if err != nil {
		return nil, err
	}
	return []Signal{{
		ID: string(d.ID), Kind: kind, Type: string(d.Action), Time: firstTime(d.ISOTimestamp.time(), d.Timestamp.time()),
		Subject: subjectOf(e.issuer(requiredString(d.Host)), login(d.Object)),
	}}, nil
}

// meaning returns the action, with the status that it sets if it sets one.
func (d duoEntry) meaning() requiredString {
	if d.Action != "user_update" {
		return d.Action
	}
	set := Fold(d.status())
	for _, status := range []requiredString{"Disabled", "Active", "Bypass"} {
		if set == Fold(string(status)) {
			return d.Action + " status: " + status
		}
	}
	return d.Action
}

// duoStatus finds the status in a description that is not JSON, as Duo's sometimes are not.
var duoStatus = lazyregexp.New(`"status"\s*:\s*"([^"\\]*)"`)

// status returns the status in the description.
func (d duoEntry) status() string {
	raw := unquote(d.Description)
	var description struct {
		Status requiredString `json:"status"`
	}
	if json.Unmarshal(raw, &description) == nil {
		return string(description.Status)
	}
	if found := duoStatus().FindAllSubmatch(raw, -1); len(found) == 1 {
		return string(found[0][1])
	}
	return ""
}
