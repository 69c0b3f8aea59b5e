package signal

import (
	"encoding/json"

	"clientvpn-responder/internal/identity"
)

// entraChanges are what Microsoft Graph's delta queries return: how a user or a group is now, and not what happened.
// Source: Microsoft Graph REST API v1.0 reference, user: delta, group: delta.
var entraChanges = []meaning{
	{"user delta accountEnabled: false", AccountDisabled, "the account is disabled now"},
	{"user delta @removed", AccountPurged, "deleted; Microsoft Graph leaves out the name, and the poll asks for it"},
	{"group delta member @removed", TokenClaimsChange, lost},
	{"user delta", "", "another property, or an account that is enabled"},
	{"group delta", "", "nobody has left the group"},
}

// entraChange is the part of a changed user, member or group that is read.
type entraChange struct {
	OData             lenientString   `json:"@odata.type"`
	ID                requiredString  `json:"id"`
	DisplayName       lenientString   `json:"displayName"`
	UserPrincipalName requiredString  `json:"userPrincipalName"`
	AccountEnabled    *flag           `json:"accountEnabled"`
	Removed           json.RawMessage `json:"@removed"`
	Members           []entraChange   `json:"members@delta"`
}

// parseEntraChange reads a user or a group of a delta query. An account that is enabled opens nothing: another property
// may have changed.
func parseEntraChange(e event, path string, raw json.RawMessage, tenant identity.Issuer) ([]Signal, error) {
	var c entraChange
	if err := decode(path, raw, &c); err != nil {
		return nil, err
	}
	if c.OData == "#microsoft.graph.group" {
		return c.lostMembers(e, tenant)
	}
	meant := requiredString("user delta")
	switch {
	case c.OData != "#microsoft.graph.user":
		return nil, e.unsupported(requiredString(c.OData), "a change of %q, which is no user", clip(string(c.OData), 100))
	case len(c.Removed) > 0:
		meant = "user delta @removed"
	case c.AccountEnabled != nil && !bool(*c.AccountEnabled):
		meant = "user delta accountEnabled: false"
	}
	kind, err := e.kind(meant)
	if err != nil {
		return nil, err
	}
	return []Signal{{Kind: kind, Type: string(meant), Subject: c.subject(tenant)}}, nil
}

func (c entraChange) subject(tenant identity.Issuer) Subject {
	return subjectOf(tenant, upn(liveName(c.UserPrincipalName, c.ID)), opaque(c.ID))
}

// lostMembers returns a signal for each user who is no longer a member of the group.
func (c entraChange) lostMembers(e event, tenant identity.Issuer) ([]Signal, error) {
	const left = "group delta member @removed"
	var signals []Signal
	for _, member := range c.Members {
		if len(member.Removed) == 0 || member.OData != "" && member.OData != "#microsoft.graph.user" {
			continue
		}
		kind, err := e.kind(left)
		if err != nil {
			return nil, err
		}
		signals = append(signals, Signal{
			Kind: kind, Type: left, Subject: member.subject(tenant),
			Membership: membership(Group, c.ID, requiredString(c.DisplayName), Removed),
		})
	}
	if len(signals) == 0 {
		_, err := e.kind("group delta")
		return nil, err
	}
	return signals, nil
}
