package signal

import "encoding/json"

// jumpCloudEvents are event_types of JumpCloud's Directory Insights, with the change that matters.
// Source: JumpCloud documentation, "Directory Insights event types". The code assumes that
// user_delete has the shape of user_update; no published record was found.
var jumpCloudEvents = []meaning{
	{"user_update suspended: true", AccountDisabled, "suspended from false to true"},
	{"user_update state: SUSPENDED", AccountDisabled, "state from ACTIVATED to SUSPENDED"},
	{"user_update suspended: false", AccountEnabled, ""},
	{"user_update state: ACTIVATED", AccountEnabled, ""},
	{"user_delete", AccountPurged, ""},
	{"user_update", "", "another attribute"},
	{"user_create", AccountEnabled, anew},
	{"user_unlocked", "", "undoes a lock-out, not a suspension"},
	{"user_lockout", RiskLevelChange, "failed sign-ins, which anybody can cause"},
}

// jumpCloudEvent is the part of an event that is read. initiated_by is the administrator and not read.
type jumpCloudEvent struct {
	ID           requiredString `json:"id"`
	EventType    requiredString `json:"event_type"`
	Timestamp    lenientString  `json:"timestamp"`
	Organization lenientString  `json:"organization"`
	Success      *flag          `json:"success"`
	Resource     struct {
		ID       requiredString `json:"id"`
		Username requiredString `json:"username"`
		Email    requiredString `json:"email"`
	} `json:"resource"`
	Changes []jumpCloudChange `json:"changes"`
}

type jumpCloudChange struct {
	Field lenientString   `json:"field"`
	From  json.RawMessage `json:"from"`
	To    json.RawMessage `json:"to"`
}

func parseJumpCloud(e event) ([]Signal, error) {
	var j jumpCloudEvent
	if err := decode("detail", e.Detail, &j); err != nil {
		return nil, err
	}
	if j.EventType == "" {
		return nil, unreadable("detail.event_type", "missing; a Directory Insights event has one")
	}
	kind, err := e.kind(j.meaning())
	switch {
	case err != nil:
		return nil, err
	case j.Success != nil && !bool(*j.Success):
		return nil, e.unsupported(j.EventType, "%s did not succeed", j.EventType)
	}
	return []Signal{{
		ID: string(j.ID), Kind: kind, Type: string(j.EventType), Time: j.Timestamp.time(),
		Subject: subjectOf(e.issuer(requiredString(j.Organization)),
			login(j.Resource.Username), address(j.Resource.Email), opaque(j.Resource.ID)),
	}}, nil
}

// meaning returns the event type, with the change that matters. A change that removes access wins over one that
// grants it.
func (j jumpCloudEvent) meaning() requiredString {
	meant := j.EventType
	if meant != "user_update" {
		return meant
	}
	for _, c := range j.Changes {
		switch change, closes := c.meaning(); {
		case closes:
			meant = j.EventType + " " + change
		case change != "" && meant == j.EventType:
			meant += " " + change
		}
	}
	return meant
}

// meaning returns what the change says about access, and whether it takes access away.
func (c jumpCloudChange) meaning() (change requiredString, closes bool) {
	from, to := jsonWord(c.From), jsonWord(c.To)
	switch field := Fold(string(c.Field)); {
	case field == "suspended" && from != "true" && to == "true":
		return "suspended: true", true
	case field == "state" && from != "suspended" && to == "suspended":
		return "state: SUSPENDED", true
	case field == "suspended" && from == "true" && to == "false":
		return "suspended: false", false
	case field == "state" && from == "suspended" && to == "activated":
		return "state: ACTIVATED", false
	}
	return "", false
}
