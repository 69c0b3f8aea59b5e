package signal

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
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

// parseEntraActivity reads a record of the audit log.
func parseEntraActivity(e event, path string, r entraRecord) ([]Signal, error) {
	p := r.properties()
	activity := cmp.Or(lenientString(strings.TrimSpace(string(p.Activity))), p.OperationName)
	if activity == "" {
		return nil, unreadable(path+".activityDisplayName",
			"missing; forward records of the audit log, of risky users, or change notifications as they are")
	}
	base := Signal{
		ID: string(p.ID), Type: string(activity), Time: firstTime(p.ActivityDateTime.time(), r.Time.time()),
	}
	about := func(meant requiredString, s Subject) ([]Signal, error) {
		kind, err := e.kind(meant)
		switch {
		case err != nil:
			return nil, err
		case p.Result == "":
			return nil, unreadable(path+".result", "missing; it must say success for %q to have happened", activity)
		case Fold(string(p.Result)) != "success":
			return nil, e.unsupported(meant, "%q did not happen, its result is %q", activity, clip(string(p.Result), 40))
		}
		one := base
		one.Kind, one.Subject = kind, s
		if kind == TokenClaimsChange {
			one.Membership = p.membership()
		}
		return []Signal{one}, nil
	}
	users := slices.DeleteFunc(p.TargetResources, func(t entraTarget) bool { return Fold(string(t.Type)) != "user" })
	if m := p.membership(); len(users) == 0 && m != nil && !m.Everybody {
		return nil, e.unsupported(requiredString(activity), "%s: about no user", activity)
	}
	if len(users) == 0 {
		return about(requiredString(activity), Subject{})
	}
	actor := requiredString(p.InitiatedBy.value.User.ID)
	return parseRecords(users, func(_ int, t entraTarget) ([]Signal, error) {
		s := subjectOf(r.issuer(e), upn(liveName(t.UserPrincipalName, t.ID)), opaque(t.ID))
		return about(t.meaning(requiredString(activity), actor), s)
	})
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

// liveName removes the prefix that Entra adds to the principal name of a deleted user: the object id without hyphens.
func liveName(upn, id requiredString) requiredString {
	prefix := strings.ReplaceAll(string(id), "-", "")
	if len(prefix) == 32 && len(upn) > 32 && strings.EqualFold(string(upn[:32]), prefix) {
		return upn[32:]
	}
	return upn
}
