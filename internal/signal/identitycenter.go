package signal

import (
	"cmp"
	"encoding/json"
	"strings"

	"clientvpn-responder/internal/lazyregexp"
)

// identityCenterEvents are calls to IAM Identity Center's directory, as eventSource's first word and eventName, and the
// directory's own notifications, by detail-type. Only calls that change users have been captured; the parameters of
// changes of groups and of assignments are those of the API.
// Source: IAM Identity Center user guide, "Logging SCIM with CloudTrail", "Event notifications"; Identity Store API;
// IAM Identity Center API.
var identityCenterEvents = []meaning{
	{"sso-directory DisableUser", AccountDisabled, ""},
	{"sso-directory DeleteUser", AccountPurged, "the user can no longer be looked up"},
	{"sso-directory EnableUser", AccountEnabled, ""},
	{"sso-directory UpdateUser", "", "attributes; disabling is a call of its own"},
	{"sso-directory CreateUser", AccountEnabled, anew},
	{"sso-directory AddMemberToGroup", TokenClaimsChange, gained},
	{"sso-directory RemoveMemberFromGroup", TokenClaimsChange, lost},
	{"sso-directory DeleteGroup", TokenClaimsChange, lostByAll},
	{"identitystore DeleteUser", AccountPurged, "the user can no longer be looked up"},
	{"identitystore UpdateUser", AccountDisabled, onlyIfDisabled},
	{"identitystore CreateUser", AccountEnabled, anew},
	{"identitystore CreateGroupMembership", TokenClaimsChange, gained},
	{"identitystore DeleteGroupMembership", TokenClaimsChange,
		"names the membership only, and the function looks up the member; the outcome reports a membership that the " +
			"identity store no longer knows"},
	{"identitystore DeleteGroup", TokenClaimsChange, lostByAll},
	{"identitystore-scim DeleteUser", AccountPurged, "the user can no longer be looked up"},
	{"identitystore-scim PatchUser", AccountDisabled, onlyIfDisabled},
	{"identitystore-scim PutUser", AccountDisabled, onlyIfDisabled},
	{"identitystore-scim CreateUser", AccountEnabled, anew},
	{"identitystore-scim PatchGroup", TokenClaimsChange,
		"CloudTrail hides who was added or removed: only reported, where the policy's access lists the group"},
	{"identitystore-scim DeleteGroup", TokenClaimsChange, lostByAll},
	{"sso CreateAccountAssignment", TokenClaimsChange, gained},
	{"sso DeleteAccountAssignment", TokenClaimsChange, "of a user: " + lost + "; of a group: everybody in it"},
	{"sso CreateApplicationAssignment", TokenClaimsChange, gained},
	{"sso DeleteApplicationAssignment", TokenClaimsChange, "of a user: " + lost + "; of a group: everybody in it"},
	{"User Deleted", AccountPurged, "the user can no longer be looked up"},
	{"User Updated", AccountDisabled, onlyIfDisabled},
	{"User Created", AccountEnabled, anew},
	{"Group Created", "", "about a group"},
	{"Group Updated", "", "about a group"},
	{"Group Deleted", TokenClaimsChange, lostByAll},
}

const onlyIfDisabled = "only if the identity store says that the user is disabled: CloudTrail hides the change"

// identityCenterCall is the parameters that name a user or a group by an id in the identity store.
type identityCenterCall struct {
	IdentityStoreID requiredString  `json:"identityStoreId"`
	UserID          requiredString  `json:"userId"`
	GroupID         requiredString  `json:"groupId"`
	MembershipID    requiredString  `json:"membershipId"`
	MemberID        json.RawMessage `json:"memberId"`
	ID              requiredString  `json:"id"`
	HTTPBody        json.RawMessage `json:"httpBody"`
	TargetID        requiredString  `json:"targetId"`
	ApplicationARN  requiredString  `json:"applicationArn"`
	PrincipalType   requiredString  `json:"principalType"`
	PrincipalID     requiredString  `json:"principalId"`
}

func parseIdentityCenter(e event) ([]Signal, error) {
	if e.DetailType != cloudTrail {
		return parseIdentityStoreNotification(e)
	}
	var p identityCenterCall
	return parseTrail(e, &p, func(s *Signal, t trail) error {
		user := []rawName{opaque(p.UserID), opaque(p.ID)}
		if t.EventName == "CreateUser" {
			user = created(t.ResponseElements)
		}
		if s.Kind == TokenClaimsChange {
			user = []rawName{opaque(p.member())}
			s.Membership = p.membership(t.EventName)
		}
		s.Subject = subjectOf(e.issuer(p.IdentityStoreID), user...)
		if len(s.Subject.IDs) > 0 || s.Membership != nil && s.Membership.Reference != "" {
			s.Subject.IdentityStore = Name(string(p.IdentityStoreID))
		}
		switch t.EventName {
		case "UpdateUser", "PatchUser", "PutUser":
			active, said := p.active()
			if said && active {
				return e.unsupported(t.EventName, "%s leaves the user active", t.EventName)
			}
			s.IfDisabled = !said
		}
		return nil
	})
}

// created returns the id of the user whom a call made. An answer that cannot be read names nobody.
func created(answer json.RawMessage) []rawName {
	var made struct {
		UserID requiredString `json:"userId"`
		ID     requiredString `json:"id"`
		User   struct {
			UserID requiredString `json:"userId"`
		} `json:"user"`
	}
	_ = json.Unmarshal(answer, &made)
	return []rawName{opaque(cmp.Or(made.UserID, made.User.UserID, made.ID))}
}

// membership returns what the call changed: a group, or the assignment of an account or an application.
func (p identityCenterCall) membership(call requiredString) *Membership {
	change := Removed
	if strings.HasPrefix(string(call), "Create") || strings.HasPrefix(string(call), "Add") {
		change = Added
	}
	m := membership(Group, p.GroupID, "", change)
	switch call {
	case "DeleteGroupMembership":
		m.Reference = Name(string(p.MembershipID))
	case "PatchGroup":
		m = membership(Group, p.ID, "", Changed)
	case "DeleteGroup":
		m = everybody(Group, cmp.Or(p.GroupID, p.ID), "")
	case "CreateAccountAssignment", "DeleteAccountAssignment":
		m = membership(Account, p.TargetID, "", change)
	case "CreateApplicationAssignment", "DeleteApplicationAssignment":
		m = membership(Application, p.ApplicationARN, "", change)
	}
	if p.PrincipalType == "GROUP" {
		m.Everybody, m.Group = true, Name(string(p.PrincipalID))
	}
	return m
}

// member returns the id of the user who was added, removed or assigned. It is an object in the Identity Store API.
func (p identityCenterCall) member() requiredString {
	if p.PrincipalType == "USER" {
		return p.PrincipalID
	}
	var user struct {
		UserID requiredString `json:"userId"`
	}
	var id requiredString
	if json.Unmarshal(p.MemberID, &user) == nil {
		return user.UserID
	}
	_ = json.Unmarshal(p.MemberID, &id) // one that cannot be read names nobody
	return id
}

// active returns what the call sets "active" to. CloudTrail usually hides it.
func (p identityCenterCall) active() (active, said bool) {
	var body struct {
		Active json.RawMessage `json:"active"`
	}
	_ = json.Unmarshal(p.HTTPBody, &body) // a body that is hidden as a whole says nothing
	var value flag
	if len(body.Active) == 0 || string(body.Active) == "null" || value.UnmarshalJSON(body.Active) != nil {
		return false, false
	}
	return bool(value), true
}

var (
	// identityUser and identityGroup match the id of a user or a group in an ARN of the identity store. An id is a UUID,
	// with or without the store's ten digits before it.
	identityUser  = lazyregexp.New(`user/` + storeID + `$`)
	identityGroup = lazyregexp.New(`group/` + storeID + `$`)
	identityStore = lazyregexp.New(`identitystore/(d-[0-9a-f]{10})(?:/|$)`)
)

const storeID = `((?:[0-9a-f]{10}-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})`

// parseIdentityStoreNotification reads the directory's own events. AWS documents only the ARNs in the envelope's
// resources.
func parseIdentityStoreNotification(e event) ([]Signal, error) {
	kind, err := e.kind(e.DetailType)
	if err != nil {
		return nil, err
	}
	if err := e.checkDetail(); err != nil {
		return nil, err
	}
	var resources []requiredString
	if err := decodeOptional("resources", e.Resources, &resources); err != nil {
		return nil, err
	}
	base := Signal{
		ID: string(e.ID), Kind: kind, Type: string(e.DetailType), IfDisabled: e.DetailType == "User Updated",
	}
	if kind == TokenClaimsChange {
		return eachMembership(base, nil, groupsOf(resources)), nil
	}
	return eachSubject(base, usersOf(e, resources)), nil
}

// usersOf returns the users among the resources.
func usersOf(e event, resources []requiredString) (users subjects) {
	var store string
	for _, arn := range resources {
		if m := identityStore().FindStringSubmatch(string(arn)); m != nil {
			store = m[1]
		}
	}
	for _, arn := range resources {
		if m := identityUser().FindStringSubmatch(string(arn)); m != nil {
			user := subjectOf(e.issuer(requiredString(store)), opaque(requiredString(m[1])))
			user.IdentityStore = store
			users.add(user)
		}
	}
	return users
}

// groupsOf returns the deleted groups among the resources, or one that nothing names.
func groupsOf(resources []requiredString) (groups []*Membership) {
	for _, arn := range resources {
		if m := identityGroup().FindStringSubmatch(string(arn)); m != nil {
			groups = append(groups, everybody(Group, requiredString(m[1]), ""))
		}
	}
	if len(groups) == 0 {
		groups = append(groups, everybody(Group, "", ""))
	}
	return groups
}
