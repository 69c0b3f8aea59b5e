package signal

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
	{"RESET_SIGNIN_COOKIES", SessionRevoked, "an administrator signed the person out everywhere"},
	{"ADD_GROUP_MEMBER", TokenClaimsChange, gained},
	{"REMOVE_GROUP_MEMBER", TokenClaimsChange, lost},
	{"DELETE_GROUP", TokenClaimsChange, lostByAll},
	{"suspicious_login", "", "a sign-in that looked unusual"},
	{"CREATE_USER", AccountEnabled, anew},
	{"CHANGE_PASSWORD", "", "an administrator set a password"},
}

func parseGoogleWorkspace(e event) ([]Signal, error) {
	var activity googleActivity
	if err := decode("detail", e.Detail, &activity); err != nil {
		return nil, err
	}
	if len(activity.Message.Data) > 0 || activity.ProtoPayload != nil {
		if err := activity.readLog(); err != nil {
			return nil, err
		}
	}
	if len(activity.Events) == 0 {
		return nil, unreadable("detail.events", "missing or empty; an activity lists its events")
	}
	at, issuer := activity.ID.Time.time(), e.issuer(requiredString(activity.ID.Customer))
	return parseRecords(activity.Events, func(i int, g googleEvent) ([]Signal, error) {
		if g.Name == "" {
			return nil, unreadable(element("detail.events", i)+".name", "missing")
		}
		kind, err := e.kind(g.Name)
		if err != nil {
			return nil, err
		}
		return []Signal{{
			ID: string(activity.ID.Qualifier), Kind: kind, Type: string(g.Name), Time: at, Membership: g.membership(),
			Subject: subjectOf(issuer, upn(g.parameter("USER_EMAIL")), upn(g.parameter("affected_email_address"))),
		}}, nil
	})
}

// googleActivity is an activity of the Reports API. Its actor is the administrator and not read. The other members are
// those of the same activity as Cloud Logging sends it.
type googleActivity struct {
	ID struct {
		Time      lenientString  `json:"time"`
		Qualifier requiredString `json:"uniqueQualifier"`
		Customer  lenientString  `json:"customerId"`
	} `json:"id"`
	Events []googleEvent `json:"events"`

	Message      pubSubMessage  `json:"message"`
	ProtoPayload *googleAudit   `json:"protoPayload"`
	InsertID     requiredString `json:"insertId"`
	Timestamp    lenientString  `json:"timestamp"`
}

type googleEvent struct {
	Name       requiredString    `json:"name"`
	Parameters []googleParameter `json:"parameters"`
}

type googleParameter struct {
	Name  lenientString `json:"name"`
	Value lenientString `json:"value"`
}

// membership returns the group of an event about members.
func (g googleEvent) membership() *Membership {
	group := g.parameter("GROUP_EMAIL")
	switch g.Name {
	case "ADD_GROUP_MEMBER":
		return membership(Group, "", group, Added)
	case "REMOVE_GROUP_MEMBER":
		return membership(Group, "", group, Removed)
	case "DELETE_GROUP":
		return everybody(Group, "", group)
	}
	return nil
}

func (g googleEvent) parameter(name lenientString) requiredString {
	for _, p := range g.Parameters {
		if p.Name == name {
			return requiredString(p.Value)
		}
	}
	return ""
}
