package signal

// pingOneEvents are action types of PingOne's audit activities.
// Source: PingOne platform documentation, "Audit activities".
var pingOneEvents = []meaning{
	{"USER.DELETED", AccountPurged, ""},
	{"USER.LOCKED", RiskLevelChange, "failed sign-ins, which anybody can cause"},
	{"USER.UNLOCKED", "", "undoes a lock-out"},
	{"USER.CREATED", "", "a new user"},
	{"USER.UPDATED", "", "does not say whether the user was enabled or disabled; forward that in the custom form"},
	{"MEMBER_OF_GROUP.CREATED", "", "somebody joined a group"},
	{"MEMBER_OF_GROUP.DELETED", "", "which group carries the VPN is not known here; where it does, forward this in the custom form"},
}

func parsePingOne(e event) ([]Signal, error) {
	// actors is who did it and not read.
	var p struct {
		ID         requiredString `json:"id"`
		RecordedAt lenientString  `json:"recordedAt"`
		Action     struct {
			Type requiredString `json:"type"`
		} `json:"action"`
		Resources []struct {
			Type requiredString `json:"type"`
			ID   requiredString `json:"id"`
			Name requiredString `json:"name"`
		} `json:"resources"`
		Result struct {
			Status      requiredString `json:"status"`
			Description lenientString  `json:"description"`
		} `json:"result"`
	}
	if err := decode("detail", e.Detail, &p); err != nil {
		return nil, err
	}
	if p.Action.Type == "" {
		return nil, unreadable("detail.action.type", "missing; an audit activity has one")
	}
	kind, err := e.kind(p.Action.Type)
	switch {
	case err != nil:
		return nil, err
	case p.Result.Status == "":
		return nil, unreadable("detail.result.status", "missing; it must say SUCCESS for %s to have happened", p.Action.Type)
	case Fold(string(p.Result.Status)) != "success":
		return nil, e.unsupported("%s did not happen, its result is %q", p.Action.Type, clip(string(p.Result.Status), 40))
	}
	base := Signal{ID: string(p.ID), Kind: kind, Type: string(p.Action.Type), Reason: string(p.Result.Description), Time: requiredString(p.RecordedAt).time()}
	var signals []Signal
	for _, r := range p.Resources {
		if r.Type == "USER" {
			s := base
			s.Subject = Subject{Usernames: names(r.Name), IDs: names(r.ID)}
			signals = append(signals, s)
		}
	}
	if len(signals) == 0 {
		return []Signal{base}, nil
	}
	return signals, nil
}
