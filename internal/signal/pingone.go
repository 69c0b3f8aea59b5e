package signal

import (
	"cmp"
	"strings"

	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/lazyregexp"
)

// pingOneEvents are action types of PingOne's audit activities, with the change that matters.
// Source: PingOne platform documentation, "Audit activities".
var pingOneEvents = []meaning{
	{"USER.DELETED", AccountPurged, ""},
	{"USER.UPDATED enabled: false", AccountDisabled, "where the forwarder adds the user's enabled"},
	{"USER.UPDATED enabled: true", AccountEnabled, "where the forwarder adds the user's enabled"},
	{"USER.UPDATED enabled", AccountDisabled,
		"PingOne does not say whether the user was enabled or disabled: only reported"},
	{"USER.UPDATED state", AccountDisabled,
		"where the forwarder adds the user's status: one that the policy's leaver_states names; any other is only reported"},
	{"USER.LOCKED", RiskLevelChange, "failed sign-ins, which anybody can cause"},
	{"MEMBER_OF_GROUP.CREATED", TokenClaimsChange, gained},
	{"MEMBER_OF_GROUP.DELETED", TokenClaimsChange, lost},
	{"GROUP.DELETED", TokenClaimsChange, lostByAll + "; no captured event is known"},
	{"USER.UPDATED", "", "another attribute"},
	{"USER.UNLOCKED", "", "undoes a lock-out"},
	{"USER.CREATED", AccountEnabled, anew},
}

// pingOneActivity is the part of an audit activity that is read. actors did it and are not read.
type pingOneActivity struct {
	ID         requiredString `json:"id"`
	RecordedAt lenientString  `json:"recordedAt"`
	Action     struct {
		Type requiredString `json:"type"`
	} `json:"action"`
	Resources []pingOneResource `json:"resources"`
	Result    struct {
		Status      requiredString `json:"status"`
		Description lenientString  `json:"description"`
	} `json:"result"`
}

type pingOneResource struct {
	Type        requiredString `json:"type"`
	ID          requiredString `json:"id"`
	Name        requiredString `json:"name"`
	HREF        lenientString  `json:"href"`
	Environment struct {
		ID requiredString `json:"id"`
	} `json:"environment"`

	// PingOne's activities lack these. A forwarder can add them from the user itself.
	Enabled   *flag         `json:"enabled"`
	Status    lenientString `json:"status"`
	Lifecycle lenient[struct {
		Status lenientString `json:"status"`
	}] `json:"lifecycle"`
	Account lenient[struct {
		Status lenientString `json:"status"`
	}] `json:"account"`
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
	meant, state := p.meaning()
	kind, err := e.kind(meant)
	switch {
	case err != nil:
		return nil, err
	case status == "":
		return nil, unreadable("detail.result.status", "missing; it must say SUCCESS for %s to have happened", action)
	case Fold(string(status)) != "success":
		return nil, e.unsupported(action, "%s did not happen, its result is %q", action, clip(string(status), 40))
	}
	base := Signal{
		ID: string(p.ID), Kind: kind, Type: string(action), Reason: string(p.Result.Description), Time: p.RecordedAt.time(),
		State: state,
	}
	if kind == TokenClaimsChange {
		return p.memberships(e, base), nil
	}
	var users []Subject
	for _, r := range p.Resources {
		if r.Type == "USER" {
			users = append(users, r.user(e.issuer(r.Environment.ID)))
		}
	}
	return eachSubject(base, users), nil
}

func (r pingOneResource) user(issuer identity.Issuer) Subject {
	return subjectOf(issuer, login(r.Name), opaque(r.ID))
}

// pingOneEnabled begins PingOne's own words for a change of whether a user is enabled.
const pingOneEnabled = "updated enabled "

// meaning returns the action, with what changed about the user's access, and the change of state if it is one.
func (p pingOneActivity) meaning() (requiredString, *StateChange) {
	if p.Action.Type != "USER.UPDATED" {
		return p.Action.Type, nil
	}
	aboutEnabled := strings.HasPrefix(Fold(string(p.Result.Description)), pingOneEnabled)
	for _, r := range p.Resources {
		switch state := newState("status", "", r.status()); {
		case r.Type != "USER":
		case aboutEnabled && r.Enabled != nil:
			return p.Action.Type + " enabled: " + word(bool(*r.Enabled)), nil
		case state != nil && !state.isActive():
			return p.Action.Type + " state", state
		}
	}
	if aboutEnabled {
		return p.Action.Type + " enabled", &StateChange{Of: "enabled"}
	}
	return p.Action.Type, nil
}

func (r pingOneResource) status() lenientString {
	return cmp.Or(r.Status, r.Lifecycle.value.Status, r.Account.value.Status)
}

// pingOneMember matches the path of a membership, which names user and group. The resource's own id may be either's.
var pingOneMember = lazyregexp.New(`/users/([^/?]+)/memberOfGroups/([^/?]+)`)

// memberships returns a signal for each membership, or for a group that was deleted.
func (p pingOneActivity) memberships(e event, base Signal) (signals []Signal) {
	for _, r := range p.Resources {
		issuer, change := e.issuer(r.Environment.ID), Removed
		if p.Action.Type == "MEMBER_OF_GROUP.CREATED" {
			change = Added
		}
		switch {
		case r.Type == "GROUP" && p.Action.Type == "GROUP.DELETED":
			signals = append(signals, eachMembership(base, nil, []*Membership{everybody(Group, r.ID, r.Name)})...)
		case r.Type == "MEMBER_OF_GROUP":
			var people []Subject
			group := membership(Group, "", r.Name, change)
			if ids := pingOneMember().FindStringSubmatch(string(r.HREF)); ids != nil {
				people, group.ID = []Subject{subjectOf(issuer, opaque(requiredString(ids[1])))}, Name(ids[2])
			}
			signals = append(signals, eachMembership(base, people, []*Membership{group})...)
		}
	}
	if len(signals) == 0 {
		signals = eachMembership(base, nil, []*Membership{{Of: Group, Change: Changed}})
	}
	return signals
}
