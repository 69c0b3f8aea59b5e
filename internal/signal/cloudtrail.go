package signal

import (
	"cmp"
	"encoding/json"
	"strings"

	"clientvpn-responder/internal/identity"
)

// cloudTrail is the detail-type of the API calls that CloudTrail saw.
const cloudTrail = "AWS API Call via CloudTrail"

// iamEvents are calls to IAM, which EventBridge has in us-east-1 only.
var iamEvents = []meaning{
	{"iam DeleteUser", AccountPurged, "counts where IAM user names are VPN user names"},
	{"iam CreateUser", AccountEnabled, anew},
	{"iam DeleteLoginProfile", "", "removes the console's password, and nothing else"},
	{"iam UpdateLoginProfile", "", "a new password"},
	{"iam DeleteAccessKey", "", "rotation deletes keys"},
	{"iam UpdateAccessKey", "", "rotation switches keys off"},
	{"iam DeactivateMFADevice", "", "somebody exchanged or lost a device"},
}

// directoryServiceEvents are calls to AWS Directory Service Data. Changes that Active Directory's own tools make do not
// reach CloudTrail. The eventSource ds-data.amazonaws.com follows AWS's naming; no published record was found.
var directoryServiceEvents = []meaning{
	{"ds-data DisableUser", AccountDisabled, ""},
	{"ds-data DeleteUser", AccountPurged, ""},
	{"ds-data CreateUser", AccountEnabled, anew},
	{"ds-data UpdateUser", "", "attributes, which do not say whether the user is disabled"},
	{"ds-data AddGroupMember", TokenClaimsChange, gained},
	{"ds-data RemoveGroupMember", TokenClaimsChange, lost},
	{"ds-data DeleteGroup", TokenClaimsChange, lostByAll},
}

// cognitoEvents are calls to Amazon Cognito user pools. As far as is known, CloudTrail hides the user name and has the
// sub instead; no published record was found.
var cognitoEvents = []meaning{
	{"cognito-idp AdminDisableUser", AccountDisabled, ""},
	{"cognito-idp AdminDeleteUser", AccountPurged, ""},
	{"cognito-idp AdminUserGlobalSignOut", SessionRevoked, ""},
	{"cognito-idp AdminEnableUser", AccountEnabled, ""},
	{"cognito-idp AdminCreateUser", AccountEnabled, anew},
	{"cognito-idp GlobalSignOut", "", "people sign themselves out"},
	{"cognito-idp RevokeToken", "", "one token of one application"},
}

// trail is the part of a CloudTrail record that is read. userIdentity made the call and is not read.
// Source: AWS CloudTrail user guide, "CloudTrail record contents".
type trail struct {
	EventID            requiredString  `json:"eventID"`
	EventSource        requiredString  `json:"eventSource"`
	EventName          requiredString  `json:"eventName"`
	EventTime          lenientString   `json:"eventTime"`
	AWSRegion          lenientString   `json:"awsRegion"`
	RecipientAccountID requiredString  `json:"recipientAccountId"`
	ErrorCode          requiredString  `json:"errorCode"`
	ErrorMessage       requiredString  `json:"errorMessage"`
	RequestParameters  json.RawMessage `json:"requestParameters"`
	ResponseElements   json.RawMessage `json:"responseElements"`
	AdditionalData     struct {
		Sub requiredString `json:"sub"`
	} `json:"additionalEventData"`
}

// parseTrail reads the record and what the call means. complete adds whom it is about, once the parameters are read.
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
		why := clip(string(t.ErrorCode+" "+t.ErrorMessage), 100)
		return nil, e.unsupported(t.EventName, "%s did not happen: %s", t.EventName, why)
	}
	if err := decodeOptional("detail.requestParameters", t.RequestParameters, parameters); err != nil {
		return nil, err
	}
	s := Signal{
		ID: string(t.EventID), Kind: kind, Type: string(t.EventName), Time: t.EventTime.time(), Region: string(t.AWSRegion),
	}
	if err := complete(&s, t); err != nil {
		return nil, err
	}
	return []Signal{s}, nil
}

// callParameters are the parameters that name a user by a name, and say where the name is unique.
type callParameters struct {
	DirectoryID    requiredString `json:"DirectoryId"`
	UserPoolID     requiredString `json:"userPoolId"`
	UserName       requiredString `json:"userName"` // IAM's, and Cognito's "username"
	SAMAccountName requiredString `json:"SAMAccountName"`
	GroupName      requiredString `json:"GroupName"`
	MemberName     requiredString `json:"MemberName"`
}

// ofDirectory completes the signal of a call to Directory Service Data.
func (p callParameters) ofDirectory(s *Signal, directory identity.Issuer, call requiredString) {
	name := p.SAMAccountName
	switch call {
	case "AddGroupMember":
		name, s.Membership = p.MemberName, membership(Group, "", p.GroupName, Added)
	case "RemoveGroupMember":
		name, s.Membership = p.MemberName, membership(Group, "", p.GroupName, Removed)
	case "DeleteGroup":
		name, s.Membership = "", everybody(Group, "", p.SAMAccountName)
	}
	s.Subject = subjectOf(directory, rawName{form: identity.SAMAccount, value: name})
}

// parseUserCall reads the calls of IAM, Directory Service Data and Cognito.
func parseUserCall(e event) ([]Signal, error) {
	var p callParameters
	return parseTrail(e, &p, func(s *Signal, t trail) error {
		switch e.provider.name {
		case identity.DirectoryService:
			p.ofDirectory(s, e.issuer(p.DirectoryID), t.EventName)
		case identity.Cognito: // a pool can be open to all, too
			s.Subject = subjectOf(e.issuer(p.UserPoolID), opaque(t.AdditionalData.Sub), chosen(p.UserName))
		default:
			account := cmp.Or(t.RecipientAccountID, e.Account)
			s.Subject = subjectOf(iamOf(account), rawName{form: identity.Login, value: p.UserName})
		}
		return nil
	})
}
