package signal

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"clientvpn-responder/internal/lazyregexp"
)

type entraTarget struct {
	Type               lenientString   `json:"type"`
	DisplayName        lenientString   `json:"displayName"`
	ID                 requiredString  `json:"id"`
	UserPrincipalName  requiredString  `json:"userPrincipalName"`
	ModifiedProperties []entraProperty `json:"modifiedProperties"`
}

type entraProperty struct {
	DisplayName lenientString   `json:"displayName"`
	OldValue    json.RawMessage `json:"oldValue"`
	NewValue    json.RawMessage `json:"newValue"`
}

// entraActivity is a record of the audit log.
type entraActivity struct {
	entraProperties
	event      event
	path       string
	name       requiredString
	membership *Membership
	base       Signal
}

// parseEntraActivity reads a record of the audit log.
func parseEntraActivity(e event, path string, r entraRecord) ([]Signal, error) {
	a := entraActivity{entraProperties: r.properties(), event: e, path: path}
	a.name = requiredString(cmp.Or(lenientString(strings.TrimSpace(string(a.Activity))), a.OperationName))
	if a.name == "" {
		return nil, unreadable(path+".activityDisplayName",
			"missing; forward records of the audit log, of risky users, or change notifications as they are")
	}
	a.membership = a.memberships()
	a.base = Signal{
		ID: string(a.ID), Type: string(a.name), Time: firstTime(a.ActivityDateTime.time(), r.Time.time()),
		Membership: a.membership,
	}
	users := a.users()
	switch {
	case len(users) == 0 && a.isAboutNoUser():
		return nil, e.unsupported(a.name, "%s: about no user", a.name)
	case len(users) == 0:
		return a.about(a.name, Subject{})
	}
	actor := requiredString(a.InitiatedBy.value.User.ID)
	return parseRecords(users, func(_ int, t entraTarget) ([]Signal, error) {
		name := t.UserPrincipalName
		if strings.Contains(string(a.name), "Delete") {
			name = liveName(name, t.ID)
		}
		s := subjectOf(r.issuer(e), upn(name), opaque(t.ID))
		if name != t.UserPrincipalName && a.name == "Hard Delete user" {
			return a.about(a.name+" of a deleted user", s)
		}
		return a.about(t.meaning(a.name, actor), s)
	})
}

// users returns the targets that are users.
func (a entraActivity) users() (users []entraTarget) {
	for _, t := range a.TargetResources {
		if Fold(string(t.Type)) == "user" {
			users = append(users, t)
		}
	}
	return users
}

// isAboutNoUser reports whether the activity is about other things, such as a service principal or a device. A group
// that everybody lost is about its members.
func (a entraActivity) isAboutNoUser() bool {
	if a.membership != nil {
		return !a.membership.Everybody
	}
	return len(a.TargetResources) > 0 && !slices.ContainsFunc(a.TargetResources, func(t entraTarget) bool {
		return !slices.Contains(entraThings, Fold(string(t.Type)))
	})
}

// entraThings are the types of targets that are no people.
var entraThings = []string{"serviceprincipal", "application", "device", "group", "policy", "role", "directory"}

// about returns the signal of what the activity means for one person, or nobody.
func (a entraActivity) about(meant requiredString, s Subject) ([]Signal, error) {
	kind, err := a.event.kind(meant)
	switch {
	case err != nil:
		return nil, err
	case a.Result == "":
		return nil, unreadable(a.path+".result", "missing; it must say success for %q to have happened", a.name)
	case Fold(string(a.Result)) != "success":
		return nil, a.event.unsupported(meant, "%q did not happen, its result is %q", a.name, clip(string(a.Result), 40))
	}
	one := a.base
	one.Kind, one.Subject = kind, s
	return []Signal{one}, nil
}

// meaning returns the activity, with what tells apart activities of the same name.
func (t entraTarget) meaning(activity, actor requiredString) requiredString {
	switch activity {
	case "Update user":
		for _, m := range t.ModifiedProperties {
			if enabled, said := m.accountEnabled(); said {
				return activity + " AccountEnabled: " + word(enabled)
			}
		}
	case "Update StsRefreshTokenValidFrom Timestamp":
		if t.ID != "" && strings.EqualFold(string(t.ID), string(actor)) {
			return activity + " by the user"
		}
	}
	return activity
}

// accountEnabled returns what the property sets AccountEnabled to, if it changes that. Values are JSON in a string.
func (p entraProperty) accountEnabled() (enabled, said bool) {
	before, after := jsonWord(p.OldValue), jsonWord(p.NewValue)
	switch {
	case p.DisplayName != "AccountEnabled":
	case strings.Contains(after, "false") && !strings.Contains(before, "false"):
		return false, true
	case strings.Contains(after, "true") && !strings.Contains(before, "true"):
		return true, true
	}
	return false, false
}

// liveName removes the prefix that Entra adds to the principal name of a deleted user: the object id without hyphens. A
// record without the id may have any 32 digits there.
func liveName(upn, id requiredString) requiredString {
	if len(upn) <= 32 {
		return upn
	}
	prefix := string(upn[:32])
	if strings.EqualFold(prefix, strings.ReplaceAll(string(id), "-", "")) || id == "" && objectID().MatchString(prefix) {
		return upn[32:]
	}
	return upn
}

var objectID = lazyregexp.New(`^[0-9a-fA-F]{32}$`)
