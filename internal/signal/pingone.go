package signal

// pingOneEvents are action types of PingOne's audit activities.
// Source: PingOne platform documentation, "Audit activities".
var pingOneEvents = []meaning{
	{"USER.DELETED", AccountPurged, ""},
	{"USER.LOCKED", RiskLevelChange, "failed sign-ins, which anybody can cause"},
	{"USER.UNLOCKED", "", "undoes a lock-out"},
	{"USER.CREATED", "", "a new user"},
	{"USER.UPDATED", "",
		"does not say whether the user was enabled or disabled; forward such a change in the custom form"},
	{"MEMBER_OF_GROUP.CREATED", "", "names the group and not the person; forward it in the custom form"},
	{"MEMBER_OF_GROUP.DELETED", "", "names the group and not the person; forward it in the custom form"},
}

// pingOneActivity is the part of an audit activity that is read. actors did it and are not read.
type pingOneActivity struct {
	ID         requiredString `json:"id"`
	RecordedAt lenientString  `json:"recordedAt"`
	Action     struct {
		Type requiredString `json:"type"`
	} `json:"action"`
	Resources []struct {
		Type        requiredString `json:"type"`
		ID          requiredString `json:"id"`
		Name        requiredString `json:"name"`
		Environment struct {
			ID requiredString `json:"id"`
		} `json:"environment"`
	} `json:"resources"`
	Result struct {
		Status      requiredString `json:"status"`
		Description lenientString  `json:"description"`
	} `json:"result"`
}

func parsePingOne(e event) ([]Signal, error) {
	var p pingOneActivity
	if err := decode("detail", e.Detail, &p); err != nil {
		return nil, err
	}
	action, status := p.Action.Type, p.Result.Status
	if action == "" {
		return nil, unreadable("detail.action.type", "missing; an audit activity has one")
	}
	kind, err := e.kind(action)
	switch {
	case err != nil:
		return nil, err
	case status == "":
		return nil, unreadable("detail.result.status", "missing; it must say SUCCESS for %s to have happened", action)
	case Fold(string(status)) != "success":
		return nil, e.unsupported(action, "%s did not happen, its result is %q", action, clip(string(status), 40))
	}
	var users []Subject
	for _, r := range p.Resources {
		if r.Type == "USER" {
			users = append(users, subjectOf(e.issuer(r.Environment.ID), login(r.Name), opaque(r.ID)))
		}
	}
	base := Signal{
		ID: string(p.ID), Kind: kind, Type: string(action), Reason: string(p.Result.Description), Time: p.RecordedAt.time(),
	}
	return eachSubject(base, users), nil
}
