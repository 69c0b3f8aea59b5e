package signal

import (
	"cmp"
	"encoding/json"
	"strings"
)

// entraMemberships says what an activity of the audit log does to memberships.
var entraMemberships = map[string]struct {
	of        string
	change    MembershipChange
	everybody bool
}{
	"Add member to group":                   {Group, Added, false},
	"Remove member from group":              {Group, Removed, false},
	"Delete group":                          {Group, Removed, true},
	"Hard Delete group":                     {Group, Removed, true},
	"Add app role assignment grant to user": {Application, Added, false},
	"Remove app role assignment from user":  {Application, Removed, false},
	"Remove app role assignment from group": {Application, Removed, true},
}

// memberships returns the group or the application of an activity about members, and nil for any other activity. The
// group is a target of its own, or is in the modified properties of the user.
func (p entraProperties) memberships() *Membership {
	activity := strings.TrimSpace(string(cmp.Or(p.Activity, p.OperationName)))
	about, ok := entraMemberships[activity]
	if !ok {
		return nil
	}
	targetType, property := "group", "Group."
	if about.of == Application {
		targetType, property = "serviceprincipal", "ServicePrincipal."
	}
	m := membership(about.of, "", "", about.change)
	m.Everybody = about.everybody
	for _, t := range p.TargetResources {
		if Fold(string(t.Type)) == targetType {
			m.ID = cmp.Or(m.ID, Name(string(t.ID)))
			m.Name = cmp.Or(m.Name, Name(string(t.DisplayName)))
		}
		for _, modified := range t.ModifiedProperties {
			switch string(modified.DisplayName) {
			case property + "ObjectID":
				m.ID = cmp.Or(m.ID, modified.text())
			case property + "DisplayName":
				m.Name = cmp.Or(m.Name, modified.text())
			}
		}
	}
	return m
}

// text returns the value of a property that is a name. It is a JSON text inside a string: before the change where
// somebody was removed, and after it where somebody was added.
func (p entraProperty) text() string {
	for _, raw := range []json.RawMessage{p.NewValue, p.OldValue} {
		var s string
		if json.Unmarshal(unquote(raw), &s) == nil && Name(s) != "" {
			return Name(s)
		}
	}
	return ""
}
