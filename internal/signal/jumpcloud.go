package signal

import (
	"encoding/json"
)

// jumpCloudEvents are event_types of JumpCloud's Directory Insights, with the change that matters.
// Source: JumpCloud documentation, "Directory Insights event types". The shape of user_delete is taken to be that of
// user_update; no published record was found.
var jumpCloudEvents = []meaning{
	{"user_update suspended: true", AccountDisabled, "suspended from false to true"},
	{"user_update state: SUSPENDED", AccountDisabled, "state from ACTIVATED to SUSPENDED"},
	{"user_update suspended: false", AccountEnabled, ""},
	{"user_update state: ACTIVATED", AccountEnabled, ""},
	{"user_delete", AccountPurged, ""},
	{"user_update", "", "another attribute"},
	{"user_create", "", "a new user"},
	{"user_unlocked", "", "undoes a lock-out, not a suspension"},
	{"user_lockout", RiskLevelChange, "failed sign-ins, which anybody can cause"},
}

func parseJumpCloud(e event) ([]Signal, error) {
	// initiated_by is the administrator and not read.
	var j struct {
		ID        requiredString `json:"id"`
		EventType requiredString `json:"event_type"`
		Timestamp lenientString  `json:"timestamp"`
		Success   *flag          `json:"success"`
		Resource  struct {
			ID       requiredString `json:"id"`
			Username requiredString `json:"username"`
			Email    requiredString `json:"email"`
		} `json:"resource"`
		Changes []struct {
			Field lenientString   `json:"field"`
			From  json.RawMessage `json:"from"`
			To    json.RawMessage `json:"to"`
		} `json:"changes"`
	}
	if err := decode("detail", e.Detail, &j); err != nil {
		return nil, err
	}
	if j.EventType == "" {
		return nil, unreadable("detail.event_type", "missing; a Directory Insights event has one")
	}
	eventType := j.EventType
	if eventType == "user_update" {
		for _, c := range j.Changes {
			from, to := jsonWord(c.From), jsonWord(c.To)
			switch field := Fold(string(c.Field)); {
			case field == "suspended" && from != "true" && to == "true":
				eventType = "user_update suspended: true"
			case field == "state" && from != "suspended" && to == "suspended":
				eventType = "user_update state: SUSPENDED"
			case eventType != "user_update":
			case field == "suspended" && from == "true" && to == "false":
				eventType = "user_update suspended: false"
			case field == "state" && from == "suspended" && to == "activated":
				eventType = "user_update state: ACTIVATED"
			}
		}
	}
	kind, err := e.kind(eventType)
	switch {
	case err != nil:
		return nil, err
	case j.Success != nil && !bool(*j.Success):
		return nil, e.unsupported("%s did not succeed", j.EventType)
	}
	return []Signal{{
		ID: string(j.ID), Kind: kind, Type: string(j.EventType), Time: requiredString(j.Timestamp).time(),
		Subject: Subject{Usernames: names(j.Resource.Username, j.Resource.Email), IDs: names(j.Resource.ID)},
	}}, nil
}
