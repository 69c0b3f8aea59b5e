package signal

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"clientvpn-responder/internal/identity"
)

// oktaEvents are event types of Okta's System Log.
// Source: Okta developer documentation, "Event types" catalogue.
var oktaEvents = []meaning{
	{"user.lifecycle.deactivate", AccountDisabled,
		"by an administrator, an API token, a workflow, or the directory or HR system that Okta follows"},
	{"user.lifecycle.suspend", AccountDisabled, "Okta also sends user.session.clear for the same request"},
	{"user.lifecycle.delete.initiated", AccountPurged, ""},
	{"user.lifecycle.delete.completed", AccountPurged, ""},
	{"user.session.clear", SessionRevoked, "an administrator cleared all of the person's sessions"},
	{"user.authentication.universal_logout", SessionRevoked, "Universal Logout"},
	{"user.authentication.universal_logout.scheduled", SessionRevoked, "Universal Logout, asked for by an administrator"},
	{"policy.entity_risk.action", RiskLevelChange, "only where the policy's action terminates sessions"},
	{"policy.auth_reevaluate.action", RiskLevelChange, "only where the policy's action terminates sessions"},
	{"policy.continuous_access.action", RiskLevelChange, "only where the policy's action terminates sessions"},
	{"user.risk.change", RiskLevelChange, "only where the level is HIGH"},
	{"user.risk.detect", RiskLevelChange, "only where the level is HIGH"},
	{"user.account.report_suspicious_activity_by_enduser", RiskLevelChange, "the person reports somebody else's doing"},
	{"security.breached_credential.detected", AccountCredentialChangeRequired, ""},
	{"user.account.lock", RiskLevelChange,
		"failed sign-ins, which anybody can cause; the person is the actor where there is no target"},
	{"user.account.lock.limit", RiskLevelChange, "failed sign-ins, which anybody can cause"},
	{"app.ad.api.user_import.account_locked", RiskLevelChange, "failed sign-ins, which anybody can cause"},

	{"user.lifecycle.activate", AccountEnabled, ""},
	{"user.lifecycle.reactivate", AccountEnabled, ""},
	{"user.lifecycle.unsuspend", AccountEnabled, ""},

	{"user.account.update_profile state", AccountDisabled,
		"changeDetails of an attribute such as status or employmentStatus: to a state that the policy's leaver_states " +
			"names; any other state is only reported; no captured event is known"},
	{"user.account.update_profile state: active", AccountEnabled, "from a state that the policy's leaver_states names"},
	{"user.account.update_profile", "", "another attribute"},
	{"user.lifecycle.create", AccountEnabled, anew},
	{"user.account.unlock", "", "undoes a lock-out, not a suspension"},
	{"user.account.unlock_by_admin", "", "undoes a lock-out, not a suspension"},
	{"user.session.start", "", "somebody signed in"},
	{"user.session.end", SessionRevoked,
		"only where the actor is the system or an administrator: an ordinary logout asks for nothing; " +
			"no captured event is known"},
	{"user.session.expire", "", "an ordinary end of a session"},
	{"security.threat.detected", "", "about an address, not a person"},
	{"security.events.provider.receive_event", "", "a receipt for a signal of another provider"},
	{"application.provision.user.deactivate", "", "Okta deactivated an account in an application"},

	{"group.user_membership.add", TokenClaimsChange, gained},
	{"group.user_membership.remove", TokenClaimsChange, lost},
	{"group.lifecycle.delete", TokenClaimsChange, lostByAll},
	{"group.application_assignment.remove", TokenClaimsChange, "everybody in the group lost the application"},
	{"application.user_membership.add", TokenClaimsChange, gained},
	{"application.user_membership.remove", TokenClaimsChange, lost},
	{"application.user_membership.deprovision", TokenClaimsChange, lost},
	{"application.user_membership.revoke", TokenClaimsChange, lost},
	{"application.lifecycle.deactivate", TokenClaimsChange, lostByAll},
	{"application.lifecycle.delete", TokenClaimsChange, lostByAll},
}

// oktaEvent is the part of a LogEvent that is read. The actor is the administrator, token or workflow that acted. The
// target is the person.
type oktaEvent struct {
	UUID           requiredString `json:"uuid"`
	EventType      requiredString `json:"eventType"`
	Published      lenientString  `json:"published"`
	DisplayMessage lenientString  `json:"displayMessage"`
	Outcome        struct {
		Result requiredString `json:"result"`
	} `json:"outcome"`
	Actor        lenient[oktaEntity] `json:"actor"`
	Target       []oktaEntity        `json:"target"`
	DebugContext lenient[oktaDebug]  `json:"debugContext"`
}

type oktaDebug struct {
	DebugData map[string]json.RawMessage `json:"debugData"`
}

type oktaEntity struct {
	ID          requiredString `json:"id"`
	Type        requiredString `json:"type"`
	AlternateID requiredString `json:"alternateId"`
	DisplayName lenientString  `json:"displayName"`

	ChangeDetails lenient[oktaChange] `json:"changeDetails"`
}

// subject returns the person. The alternateId of an application user is the name of an account in an application, such
// as "admin". It is a person's if it is an address, or if the event is about the application itself, such as the VPN.
func (t oktaEntity) subject(issuer identity.Issuer, aboutApplication bool) Subject {
	if t.Type == "AppUser" && !aboutApplication && !strings.Contains(string(t.AlternateID), "@") {
		return subjectOf(issuer, opaque(t.AlternateID), opaque(t.ID))
	}
	return subjectOf(issuer, login(t.AlternateID), opaque(t.ID))
}

func parseOkta(e event) ([]Signal, error) {
	if hook, ok := readOktaHook(e.Detail); ok {
		return hook.parse(e)
	}
	return parseOktaEvent(e, "detail", e.Detail, e.issuer(e.partner()))
}

// parseOktaEvent reads the LogEvent at the JSON path.
func parseOktaEvent(e event, path string, raw json.RawMessage, org identity.Issuer) ([]Signal, error) {
	var o oktaEvent
	if err := decode(path, raw, &o); err != nil {
		return nil, err
	}
	if o.EventType == "" {
		return nil, unreadable(path+".eventType", "missing; a System Log event has one")
	}
	state := o.state()
	kind, err := e.kind(o.meaning(state))
	if err != nil {
		return nil, err
	}
	if o.EventType == "user.session.end" && !o.isByAnother() {
		return nil, e.unsupported(o.EventType, "%s: an ordinary logout", o.EventType)
	}
	if err := o.happened(e, path, kind); err != nil {
		return nil, err
	}
	if o.UUID == "" {
		return nil, unreadable(path+".uuid", "missing; a System Log event has one")
	}
	switch {
	case strings.HasPrefix(string(o.EventType), "policy.") && !o.terminatesSessions():
		return nil, e.unsupported(o.EventType, "%s: the policy's action terminates no session", o.EventType)
	case strings.HasPrefix(string(o.EventType), "user.risk.") && !o.isHighRisk():
		return nil, e.unsupported(o.EventType, "%s: the risk is not HIGH", o.EventType)
	}
	base := Signal{
		ID: string(o.UUID), Kind: kind, Type: string(o.EventType), Reason: string(o.DisplayMessage), Time: o.Published.time(),
		State: state,
	}
	people := o.subjects(org)
	if kind == TokenClaimsChange {
		return eachMembership(base, people, o.memberships()), nil
	}
	return eachSubject(base, people), nil
}

// isByAnother reports whether the event names a person other than the actor.
func (o oktaEvent) isByAnother() bool {
	actor := o.Actor.value
	return actor.ID != "" && slices.ContainsFunc(o.Target, func(t oktaEntity) bool {
		return t.Type == "User" && t.ID != "" && t.ID != actor.ID && t.AlternateID != actor.AlternateID
	})
}

// memberships returns the groups that the event is about, or else the applications.
func (o oktaEvent) memberships() []*Membership {
	of, targetType := Group, requiredString("UserGroup")
	if strings.Contains(string(o.EventType), "application") {
		of, targetType = Application, "AppInstance"
	}
	var all []*Membership
	for _, t := range o.Target {
		if t.Type != targetType {
			continue
		}
		name := requiredString(cmp.Or(t.DisplayName, lenientString(t.AlternateID)))
		switch {
		case strings.HasSuffix(string(o.EventType), "membership.add"):
			all = append(all, membership(of, t.ID, name, Added))
		case strings.Contains(string(o.EventType), "user_membership"):
			all = append(all, membership(of, t.ID, name, Removed))
		default:
			all = append(all, everybody(of, t.ID, name))
		}
	}
	if len(all) == 0 {
		all = append(all, &Membership{Of: of, Change: Changed})
	}
	return all
}

// happened returns an error unless the outcome is SUCCESS, for events that give or take access.
func (o oktaEvent) happened(e event, path string, kind Kind) error {
	switch kind {
	case AccountDisabled, AccountPurged, AccountEnabled, SessionRevoked, TokenClaimsChange:
	default:
		return nil
	}
	switch o.Outcome.Result {
	case "SUCCESS":
		return nil
	case "":
		return unreadable(path+".outcome.result", "missing; it must say SUCCESS for %s to have happened", o.EventType)
	}
	return e.unsupported(o.EventType,
		"%s did not happen, its outcome is %q", o.EventType, clip(string(o.Outcome.Result), 40))
}

// subjects returns the targets that are users, or else those that are application users.
func (o oktaEvent) subjects(issuer identity.Issuer) []Subject {
	for _, targetType := range []requiredString{"User", "AppUser"} {
		var users []Subject
		for _, t := range o.Target {
			if t.Type == targetType {
				users = append(users, t.subject(issuer, strings.HasPrefix(string(o.EventType), "application.")))
			}
		}
		if len(users) > 0 {
			return users
		}
	}
	// A person who locks an account by failed sign-ins acts under its name; no administrator takes part. The same holds
	// for a person who reports suspicious activity.
	switch o.EventType {
	case "user.account.lock", "user.account.report_suspicious_activity_by_enduser":
		if actor := o.Actor.value; actor.Type == "User" {
			return []Subject{actor.subject(issuer, false)}
		}
	}
	return nil
}
