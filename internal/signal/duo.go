package signal

import (
	"encoding/json"
)

// duoEvents are actions of Duo's administrator log, with the status that a user is given.
// Source: Duo Admin API, "Administrator logs".
var duoEvents = []meaning{
	{"user_update status: Disabled", AccountDisabled, ""},
	{"user_delete", AccountPurged, ""},
	{"user_update status: Active", AccountEnabled, ""},
	{"user_update status: Bypass", "", "the person signs in without a second factor"},
	{"user_update", "", "another attribute"},
	{"user_create", "", "a new user"},
	{"admin_lockout", "", "an administrator of Duo"},
}

// duoStatus finds the status in a description that is no JSON, as Duo's sometimes are not.
var duoStatus = lazy(`"status"\s*:\s*"([^"\\]*)"`)

func parseDuo(e event) ([]Signal, error) {
	// username is the administrator and not read; object is the user.
	var d struct {
		ID           requiredString  `json:"event_id"`
		Action       requiredString  `json:"action"`
		Object       requiredString  `json:"object"`
		Description  json.RawMessage `json:"description"`
		Timestamp    lenientString   `json:"timestamp"`
		ISOTimestamp lenientString   `json:"isotimestamp"`
	}
	if err := decode("detail", e.Detail, &d); err != nil {
		return nil, err
	}
	if d.Action == "" {
		return nil, unreadable("detail.action", "missing; an entry of the administrator log has one")
	}
	action := d.Action
	if action == "user_update" {
		var description struct {
			Status requiredString `json:"status"`
		}
		raw := []byte(d.Description)
		var inner string
		if json.Unmarshal(raw, &inner) == nil {
			raw = []byte(inner)
		}
		if json.Unmarshal(raw, &description) != nil {
			description.Status = ""
			if found := duoStatus().FindAllSubmatch(raw, -1); len(found) == 1 {
				description.Status = requiredString(found[0][1])
			}
		}
		if description.Status != "" {
			for _, status := range []requiredString{"Disabled", "Active", "Bypass"} {
				if Fold(string(description.Status)) == Fold(string(status)) {
					action = "user_update status: " + status
				}
			}
		}
	}
	kind, err := e.kind(action)
	if err != nil {
		return nil, err
	}
	at := requiredString(d.ISOTimestamp).time()
	if at.IsZero() {
		at = requiredString(d.Timestamp).time()
	}
	return []Signal{{ID: string(d.ID), Kind: kind, Type: string(d.Action), Time: at, Subject: Subject{Usernames: names(d.Object)}}}, nil
}
