package signal

import "encoding/json"

// identityCenterEvents are calls to IAM Identity Center's directory, as eventSource's first word and eventName, and the
// directory's own notifications, by detail-type.
// Source: IAM Identity Center user guide, "Logging SCIM with CloudTrail", "Event notifications"; Identity Store API.
var identityCenterEvents = []meaning{
	{"sso-directory DisableUser", AccountDisabled, ""},
	{"sso-directory DeleteUser", AccountPurged, "the user can no longer be looked up"},
	{"sso-directory EnableUser", AccountEnabled, ""},
	{"sso-directory UpdateUser", "", "attributes; disabling is a call of its own"},
	{"sso-directory CreateUser", "", "a new user"},
	{"sso-directory AddMemberToGroup", "", "somebody joined a group"},
	{"sso-directory RemoveMemberFromGroup", "", whichGroup},
	{"identitystore DeleteUser", AccountPurged, "the user can no longer be looked up"},
	{"identitystore UpdateUser", AccountDisabled, onlyIfDisabled},
	{"identitystore CreateUser", "", "a new user"},
	{"identitystore CreateGroupMembership", "", "somebody joined a group"},
	{"identitystore DeleteGroupMembership", "", whichGroup},
	{"identitystore-scim DeleteUser", AccountPurged, "the user can no longer be looked up"},
	{"identitystore-scim PatchUser", AccountDisabled, onlyIfDisabled},
	{"identitystore-scim PutUser", AccountDisabled, onlyIfDisabled},
	{"identitystore-scim CreateUser", "", "a new user"},
	{"identitystore-scim PatchGroup", "", whichGroup},
	{"User Deleted", AccountPurged, "the user can no longer be looked up"},
	{"User Updated", AccountDisabled, onlyIfDisabled},
	{"User Created", "", "a new user"},
	{"Group Created", "", "about a group"},
	{"Group Updated", "", "about a group"},
	{"Group Deleted", "", "about a group"},
}

// whichGroup is the note on changes of groups.
const whichGroup = "only you know which group carries the VPN; forward a change of that one in the custom form"

const onlyIfDisabled = "only if the identity store says that the user is disabled: CloudTrail hides the change"

// identityCenterCall is the parameters that name a user by an id in the identity store.
type identityCenterCall struct {
	IdentityStoreID requiredString  `json:"identityStoreId"`
	UserID          requiredString  `json:"userId"`
	ID              requiredString  `json:"id"`
	HTTPBody        json.RawMessage `json:"httpBody"`
}

func parseIdentityCenter(e event) ([]Signal, error) {
	if e.DetailType != cloudTrail {
		return parseIdentityStoreNotification(e)
	}
	var p identityCenterCall
	return parseTrail(e, &p, func(s *Signal, t trail) error {
		s.Subject = subjectOf(e.issuer(p.IdentityStoreID), opaque(p.UserID), opaque(p.ID))
		if len(s.Subject.IDs) > 0 {
			s.Subject.IdentityStore = Name(string(p.IdentityStoreID))
		}
		switch t.EventName {
		case "UpdateUser", "PatchUser", "PutUser":
			active, said := p.active()
			if said && active {
				return e.unsupported("%s leaves the user active", t.EventName)
			}
			s.IfDisabled = !said
		}
		return nil
	})
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
	// identityUser matches the id of a user in an ARN of the identity store: a UUID, with or without the store's ten
	// digits before it.
	identityUser  = lazy(`user/((?:[0-9a-f]{10}-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)
	identityStore = lazy(`identitystore/(d-[0-9a-f]{10})(?:/|$)`)
)

// parseIdentityStoreNotification reads the directory's own events. AWS documents only the ARNs in the envelope's
// resources.
func parseIdentityStoreNotification(e event) ([]Signal, error) {
	kind, err := e.kind(e.DetailType)
	if err != nil {
		return nil, err
	}
	var resources []requiredString
	if err := decodeOptional("resources", e.Resources, &resources); err != nil {
		return nil, err
	}
	var store string
	for _, arn := range resources {
		if m := identityStore().FindStringSubmatch(string(arn)); m != nil {
			store = m[1]
		}
	}
	var users subjects
	for _, arn := range resources {
		if m := identityUser().FindStringSubmatch(string(arn)); m != nil {
			user := subjectOf(e.issuer(requiredString(store)), opaque(requiredString(m[1])))
			user.IdentityStore = store
			users.add(user)
		}
	}
	base := Signal{
		ID: string(e.ID), Kind: kind, Type: string(e.DetailType), IfDisabled: e.DetailType == "User Updated",
	}
	return eachSubject(base, users), nil
}
