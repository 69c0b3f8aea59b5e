package signal

import "fmt"

// googleWorkspaceEvents are names of events in the admin activity reports of Google Workspace.
// Source: Google Workspace Admin SDK, Reports API, "Admin user settings activity events".
var googleWorkspaceEvents = []meaning{
	{"SUSPEND_USER", AccountDisabled, ""},
	{"ARCHIVE_USER", AccountDisabled, "archived users cannot sign in"},
	{"DELETE_USER", AccountPurged, ""},
	{"UNSUSPEND_USER", AccountEnabled, ""},
	{"UNARCHIVE_USER", AccountEnabled, ""},
	{"UNDELETE_USER", AccountEnabled, ""},
	{"account_disabled_generic", RiskLevelChange, "Google suspended the account by itself"},
	{"account_disabled_hijacked", RiskLevelChange, "Google suspended the account by itself"},
	{"account_disabled_password_leak", RiskLevelChange, "Google suspended the account by itself"},
	{"account_disabled_spamming", RiskLevelChange, "Google suspended the account by itself"},
	{"account_disabled_spamming_through_relay", RiskLevelChange, "Google suspended the account by itself"},
	{"suspicious_login", "", "a sign-in that looked unusual"},
	{"CREATE_USER", "", "a new user"},
	{"CHANGE_PASSWORD", "", "an administrator set a password"},
}

func parseGoogleWorkspace(e event) ([]Signal, error) {
	// actor is the administrator and not read.
	var activity struct {
		ID struct {
			Time      lenientString  `json:"time"`
			Qualifier requiredString `json:"uniqueQualifier"`
			Customer  lenientString  `json:"customerId"`
		} `json:"id"`
		Events []googleEvent `json:"events"`
	}
	if err := decode("detail", e.Detail, &activity); err != nil {
		return nil, err
	}
	if len(activity.Events) == 0 {
		return nil, unreadable("detail.events", "missing or empty; an activity lists its events")
	}
	i := -1
	at, issuer := activity.ID.Time.time(), e.issuer(requiredString(activity.ID.Customer))
	return parseRecords(activity.Events, func(g googleEvent) ([]Signal, error) {
		i++
		if g.Name == "" {
			return nil, unreadable(fmt.Sprintf("detail.events[%d].name", i), "missing")
		}
		kind, err := e.kind(g.Name)
		return []Signal{{
			ID: string(activity.ID.Qualifier), Kind: kind, Type: string(g.Name), Time: at,
			Subject: subjectOf(issuer, upn(g.parameter("USER_EMAIL")), upn(g.parameter("affected_email_address"))),
		}}, err
	})
}

type googleEvent struct {
	Name       requiredString `json:"name"`
	Parameters []struct {
		Name  lenientString `json:"name"`
		Value lenientString `json:"value"`
	} `json:"parameters"`
}

func (g googleEvent) parameter(name lenientString) requiredString {
	for _, p := range g.Parameters {
		if p.Name == name {
			return requiredString(p.Value)
		}
	}
	return ""
}
