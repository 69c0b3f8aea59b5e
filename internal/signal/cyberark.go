package signal

import "strings"

// cyberArkEvents are actions of CyberArk Identity's audit. Only "add-user" is published; the code assumes that
// the others have the same form.
var cyberArkEvents = []meaning{
	{"delete-user", AccountPurged, "by analogy with add-user; no published record was found"},
	{"remove-user", AccountPurged, "by analogy with add-user; no published record was found"},
	{"disable-user", AccountDisabled, "by analogy with add-user; no published record was found"},
	{"suspend-user", AccountDisabled, "by analogy with add-user; no published record was found"},
	{"enable-user", AccountEnabled, "by analogy with add-user; no published record was found"},
	{"lock-user", RiskLevelChange, "by analogy with add-user; no published record was found"},
	{"add-user", AccountEnabled, anew},
	{"delete-app", "", "an application"},
}

func parseCyberArk(e event) ([]Signal, error) {
	// username is the actor and not read.
	var c struct {
		UUID       requiredString `json:"uuid"`
		Action     requiredString `json:"action"`
		Timestamp  lenientString  `json:"timestamp"`
		Message    lenientString  `json:"message"`
		TenantID   lenientString  `json:"tenantId"`
		CustomData struct {
			UserName requiredString `json:"user_name"`
			UserID   requiredString `json:"user_id"`
		} `json:"customData"`
	}
	if err := decode("detail", e.Detail, &c); err != nil {
		return nil, err
	}
	if c.Action == "" {
		return nil, unreadable("detail.action", "missing; an audit event has one")
	}
	action := strings.NewReplacer(" ", "-", "_", "-").Replace(Fold(string(c.Action)))
	kind, err := e.kind(requiredString(action))
	if err != nil {
		return nil, err
	}
	return []Signal{{
		ID: string(c.UUID), Kind: kind, Type: string(c.Action), Reason: string(c.Message), Time: c.Timestamp.time(),
		Subject: subjectOf(e.issuer(requiredString(c.TenantID)), login(c.CustomData.UserName), opaque(c.CustomData.UserID)),
	}}, nil
}
