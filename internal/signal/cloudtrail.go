package signal

import (
	"encoding/json"
	"slices"
	"strings"
)

// cloudTrail is the detail-type of the API calls that CloudTrail saw.
const cloudTrail = "AWS API Call via CloudTrail"

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
	{"sso-directory RemoveMemberFromGroup", "", "which group carries the VPN is not known here; where it does, forward this in the custom form"},
	{"identitystore DeleteUser", AccountPurged, "the user can no longer be looked up"},
	{"identitystore UpdateUser", AccountDisabled, onlyIfDisabled},
	{"identitystore CreateUser", "", "a new user"},
	{"identitystore CreateGroupMembership", "", "somebody joined a group"},
	{"identitystore DeleteGroupMembership", "", "which group carries the VPN is not known here; where it does, forward this in the custom form"},
	{"identitystore-scim DeleteUser", AccountPurged, "the user can no longer be looked up"},
	{"identitystore-scim PatchUser", AccountDisabled, onlyIfDisabled},
	{"identitystore-scim PutUser", AccountDisabled, onlyIfDisabled},
	{"identitystore-scim CreateUser", "", "a new user"},
	{"identitystore-scim PatchGroup", "", "which group carries the VPN is not known here; where it does, forward this in the custom form"},
	{"User Deleted", AccountPurged, "the user can no longer be looked up"},
	{"User Updated", AccountDisabled, onlyIfDisabled},
	{"User Created", "", "a new user"},
	{"Group Created", "", "about a group"},
	{"Group Updated", "", "about a group"},
	{"Group Deleted", "", "about a group"},
}

const onlyIfDisabled = "only if the identity store says that the user is disabled: CloudTrail hides what changed"

// iamEvents are calls to IAM, which EventBridge has in us-east-1 only.
var iamEvents = []meaning{
	{"iam DeleteUser", AccountPurged, "counts where IAM user names are VPN user names"},
	{"iam CreateUser", "", "a new user"},
	{"iam DeleteLoginProfile", "", "takes the console's password away, and no more"},
	{"iam UpdateLoginProfile", "", "a new password"},
	{"iam DeleteAccessKey", "", "keys are deleted when they are rotated"},
	{"iam UpdateAccessKey", "", "keys are switched off when they are rotated"},
	{"iam DeactivateMFADevice", "", "a device was exchanged or lost"},
}

// directoryServiceEvents are calls to AWS Directory Service Data. What is changed with Active Directory's own tools does
// not reach CloudTrail. That eventSource is ds-data.amazonaws.com follows AWS's naming; no published record was found.
var directoryServiceEvents = []meaning{
	{"ds-data DisableUser", AccountDisabled, ""},
	{"ds-data DeleteUser", AccountPurged, ""},
	{"ds-data CreateUser", "", "a new user"},
	{"ds-data UpdateUser", "", "attributes, which do not say whether the user is disabled"},
	{"ds-data AddGroupMember", "", "somebody joined a group"},
	{"ds-data RemoveGroupMember", "", "which group carries the VPN is not known here; where it does, forward this in the custom form"},
}

// cognitoEvents are calls to Amazon Cognito user pools. CloudTrail hides the user name and gives the sub instead, as far as
// is known; no published record was found.
var cognitoEvents = []meaning{
	{"cognito-idp AdminDisableUser", AccountDisabled, ""},
	{"cognito-idp AdminDeleteUser", AccountPurged, ""},
	{"cognito-idp AdminUserGlobalSignOut", SessionRevoked, ""},
	{"cognito-idp AdminEnableUser", AccountEnabled, ""},
	{"cognito-idp AdminCreateUser", "", "a new user"},
	{"cognito-idp GlobalSignOut", "", "people sign themselves out"},
	{"cognito-idp RevokeToken", "", "one token of one application"},
}

// trail is what is used of a CloudTrail record. userIdentity is who made the call and is not read.
// Source: AWS CloudTrail user guide, "CloudTrail record contents".
type trail struct {
	EventID           requiredString  `json:"eventID"`
	EventSource       requiredString  `json:"eventSource"`
	EventName         requiredString  `json:"eventName"`
	EventTime         lenientString   `json:"eventTime"`
	AWSRegion         lenientString   `json:"awsRegion"`
	ErrorCode         requiredString  `json:"errorCode"`
	ErrorMessage      requiredString  `json:"errorMessage"`
	RequestParameters json.RawMessage `json:"requestParameters"`
	AdditionalData    struct {
		Sub requiredString `json:"sub"`
	} `json:"additionalEventData"`
}

// parseTrail reads the record and says what the call means; complete adds whom it is about, once the parameters are read.
func parseTrail(e event, parameters any, complete func(*Signal, trail) error) ([]Signal, error) {
	var t trail
	if err := decode("detail", e.Detail, &t); err != nil {
		return nil, err
	}
	if t.EventName == "" {
		return nil, unreadable("detail.eventName", "missing; a CloudTrail record has one")
	}
	service, _, _ := strings.Cut(string(t.EventSource), ".")
	kind, err := e.kind(requiredString(service) + " " + t.EventName)
	switch {
	case err != nil:
		return nil, err
	case t.ErrorCode != "" || t.ErrorMessage != "":
		return nil, e.unsupported("%s did not happen: %s", t.EventName, clip(string(t.ErrorCode+" "+t.ErrorMessage), 100))
	}
	if len(t.RequestParameters) > 0 {
		if err := decode("detail.requestParameters", t.RequestParameters, parameters); err != nil {
			return nil, err
		}
	}
	s := Signal{
		ID: string(t.EventID), Kind: kind, Type: string(t.EventName), Time: requiredString(t.EventTime).time(), Region: string(t.AWSRegion),
	}
	if err := complete(&s, t); err != nil {
		return nil, err
	}
	return []Signal{s}, nil
}

// callParameters are those that name a user by a name.
type callParameters struct {
	UserName       requiredString `json:"userName"` // IAM's, and Cognito's "username"
	SAMAccountName requiredString `json:"SAMAccountName"`
}

// parseUserCall reads the calls of IAM, Directory Service Data and Cognito.
func parseUserCall(e event) ([]Signal, error) {
	var p callParameters
	return parseTrail(e, &p, func(s *Signal, t trail) error {
		s.Subject = Subject{Usernames: names(p.SAMAccountName), IDs: names(t.AdditionalData.Sub)}
		if e.Source != "aws.cognito-idp" {
			s.Subject.Usernames = names(p.UserName, p.SAMAccountName)
		} else if name := Name(string(p.UserName)); name != "" {
			s.Subject.add(name) // pools can be open to everybody, too
		}
		return nil
	})
}

func parseIdentityCenter(e event) ([]Signal, error) {
	if e.DetailType != cloudTrail {
		return parseIdentityStoreNotification(e)
	}
	var p struct {
		IdentityStoreID requiredString  `json:"identityStoreId"`
		UserID          requiredString  `json:"userId"`
		ID              requiredString  `json:"id"`
		HTTPBody        json.RawMessage `json:"httpBody"`
	}
	return parseTrail(e, &p, func(s *Signal, t trail) error {
		s.Subject = Subject{IDs: names(p.UserID, p.ID)}
		if len(s.Subject.IDs) > 0 {
			s.Subject.IdentityStore = Name(string(p.IdentityStoreID))
		}
		switch t.EventName {
		case "UpdateUser", "PatchUser", "PutUser":
			var active flag
			var body struct {
				Active json.RawMessage `json:"active"`
			}
			_ = json.Unmarshal(p.HTTPBody, &body) // hidden as a whole, it says nothing
			switch raw := body.Active; {
			case len(raw) == 0 || string(raw) == "null" || active.UnmarshalJSON(raw) != nil:
				s.IfDisabled = true
			case bool(active):
				return e.unsupported("%s leaves the user active", t.EventName)
			}
		}
		return nil
	})
}

// identityUser matches the id of a user in an ARN of the identity store: a UUID, with or without the store's ten digits
// before it.
var (
	identityUser  = lazy(`user/((?:[0-9a-f]{10}-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)
	identityStore = lazy(`identitystore/(d-[0-9a-f]{10})(?:/|$)`)
)

// parseIdentityStoreNotification reads the directory's own events, of which only the ARNs in the envelope's resources are
// documented.
func parseIdentityStoreNotification(e event) ([]Signal, error) {
	kind, err := e.kind(e.DetailType)
	if err != nil {
		return nil, err
	}
	var resources []requiredString
	if len(e.Resources) > 0 {
		if err := decode("resources", e.Resources, &resources); err != nil {
			return nil, err
		}
	}
	base := Signal{ID: string(e.ID), Kind: kind, Type: string(e.DetailType), IfDisabled: e.DetailType == "User Updated"}
	var store string
	for _, arn := range resources {
		if m := identityStore().FindStringSubmatch(string(arn)); m != nil {
			store = m[1]
		}
	}
	var signals []Signal
	var seen []string
	for _, arn := range resources {
		if m := identityUser().FindStringSubmatch(string(arn)); m != nil && !slices.Contains(seen, m[1]) {
			seen = append(seen, m[1])
			s := base
			s.Subject = Subject{IDs: []string{m[1]}, IdentityStore: store}
			signals = append(signals, s)
		}
	}
	if len(signals) == 0 {
		return []Signal{base}, nil
	}
	return signals, nil
}
