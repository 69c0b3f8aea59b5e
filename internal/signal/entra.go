package signal

import (
	"encoding/json"
	"slices"
	"strings"
)

// entraEvents are activities of Microsoft Entra ID's audit log, states of its Identity Protection, and Microsoft Graph's
// change notifications. No partner source brings them to EventBridge: the customer's forwarder does.
// Source: Microsoft Entra documentation, "Audit log activities", "Microsoft Graph API change notifications". That "Disable
// account" and "Hard Delete user" are written so is common knowledge; no published record was found.
var entraEvents = []meaning{
	{"Disable account", AccountDisabled, ""},
	{"Update user AccountEnabled: false", AccountDisabled, "modifiedProperties say AccountEnabled from true to false"},
	{"Delete user", AccountPurged, "the object id before the deleted user's principal name is taken off"},
	{"Hard Delete user", AccountPurged, "the object id before the deleted user's principal name is taken off"},
	{"Update StsRefreshTokenValidFrom Timestamp", SessionRevoked, "tokens revoked by an administrator"},
	{"Update StsRefreshTokenValidFrom Timestamp by the user", CredentialChange, "the person did it, or changed the password"},
	{"riskState confirmedCompromised", CredentialCompromise, ""},
	{"riskState atRisk, riskLevel high", RiskLevelChange, ""},
	{"Microsoft.Graph.UserDeleted", AccountPurged, "the object id only; sent where the user is deleted for good"},
	{"Enable account", AccountEnabled, ""},
	{"Restore user", AccountEnabled, ""},
	{"Update user AccountEnabled: true", AccountEnabled, ""},

	{"Update user", "", "another property; directory synchronisation does this all the time"},
	{"Add user", "", "a new user"},
	{"Change user password", "", "a new password"},
	{"Update device", "", "about a device"},
	{"riskState", "", "not confirmed, and not at high risk, or no longer"},
	{"Microsoft.Graph.UserUpdated", "", "does not say what changed, and is sent for new users too; forward the audit log"},
}

// entraRecord is what is used of the audit log's and Identity Protection's records, in the diagnostic settings' form, with
// properties inside an envelope, and in Microsoft Graph's, without; and of change notifications, as CloudEvents or as they
// are posted. A notification's clientState is a secret and is not read.
type entraRecord struct {
	entraProperties
	Properties *entraProperties  `json:"properties"`
	Records    []json.RawMessage `json:"records"` // as Event Hubs deliver
	Value      []json.RawMessage `json:"value"`   // as Microsoft Graph posts
	Category   lenientString     `json:"category"`
	Type       lenientString     `json:"type"`
	Data       json.RawMessage   `json:"data"`
	ChangeType lenientString     `json:"changeType"`
	Resource   lenientString     `json:"resource"`
	ResourceID struct {
		ID requiredString `json:"id"`
	} `json:"resourceData"`
	Time lenientString `json:"time"`
}

type entraProperties struct {
	ID                lenientString  `json:"id"`
	OperationName     lenientString  `json:"operationName"`
	Activity          lenientString  `json:"activityDisplayName"`
	ActivityDateTime  lenientString  `json:"activityDateTime"`
	Result            lenientString  `json:"result"`
	RiskState         lenientString  `json:"riskState"`
	RiskLevel         lenientString  `json:"riskLevel"`
	RiskDetail        lenientString  `json:"riskDetail"`
	RiskUpdated       lenientString  `json:"riskLastUpdatedDateTime"`
	IsDeleted         flag           `json:"isDeleted"`
	UserID            requiredString `json:"userId"`
	UserPrincipalName requiredString `json:"userPrincipalName"`
	InitiatedBy       struct {
		User struct {
			ID lenientString `json:"id"`
		} `json:"user"`
	} `json:"initiatedBy"`
	TargetResources []entraTarget `json:"targetResources"`
}

type entraTarget struct {
	Type               lenientString  `json:"type"`
	ID                 requiredString `json:"id"`
	UserPrincipalName  requiredString `json:"userPrincipalName"`
	ModifiedProperties []struct {
		DisplayName lenientString   `json:"displayName"`
		OldValue    json.RawMessage `json:"oldValue"`
		NewValue    json.RawMessage `json:"newValue"`
	} `json:"modifiedProperties"`
}

func parseEntra(e event) ([]Signal, error) { return parseEntraRecord(e, "detail", e.Detail, 0) }

func parseEntraRecord(e event, path string, raw json.RawMessage, depth int) ([]Signal, error) {
	var r entraRecord
	if err := decode(path, raw, &r); err != nil {
		return nil, err
	}
	list := slices.Concat(r.Records, r.Value)
	if len(list) > 0 && depth == 0 {
		return parseRecords(list, func(raw json.RawMessage) ([]Signal, error) { return parseEntraRecord(e, path+".records", raw, 1) })
	}
	if strings.HasPrefix(string(r.Type), "Microsoft.Graph.") || r.ChangeType != "" {
		return parseGraphNotification(e, r)
	}
	p := r.entraProperties
	if r.Properties != nil {
		p = *r.Properties
		if p.OperationName == "" {
			p.OperationName = r.OperationName
		}
	}
	if p.RiskState != "" && (r.Category == "" || riskCategory().MatchString(string(r.Category))) {
		return parseEntraRisk(e, r, p)
	}
	activity := lenientString(strings.TrimSpace(string(p.Activity)))
	if activity == "" {
		activity = p.OperationName
	}
	if activity == "" {
		return nil, unreadable(path+".activityDisplayName", "missing; forward records of the audit log, of risky users, or change notifications as they are")
	}
	base := Signal{ID: string(p.ID), Type: string(activity), Time: requiredString(p.ActivityDateTime).time()}
	if base.Time.IsZero() {
		base.Time = requiredString(r.Time).time()
	}
	about := func(meant requiredString, s Subject) ([]Signal, error) {
		kind, err := e.kind(meant)
		switch {
		case err != nil:
			return nil, err
		case p.Result == "":
			return nil, unreadable(path+".result", "missing; it must say success for %q to have happened", activity)
		case Fold(string(p.Result)) != "success":
			return nil, e.unsupported("%q did not happen, its result is %q", activity, clip(string(p.Result), 40))
		}
		one := base
		one.Kind, one.Subject = kind, s
		return []Signal{one}, nil
	}
	users := slices.DeleteFunc(p.TargetResources, func(t entraTarget) bool { return Fold(string(t.Type)) != "user" })
	if len(users) == 0 {
		return about(requiredString(activity), Subject{})
	}
	return parseRecords(users, func(t entraTarget) ([]Signal, error) {
		s := Subject{Usernames: names(liveName(t.UserPrincipalName, t.ID)), IDs: names(t.ID)}
		return about(t.meaning(requiredString(activity), requiredString(p.InitiatedBy.User.ID)), s)
	})
}

// meaning tells activities apart that have one name.
func (t entraTarget) meaning(activity, actor requiredString) requiredString {
	switch activity {
	case "Update user":
		for _, m := range t.ModifiedProperties {
			before, after := jsonWord(m.OldValue), jsonWord(m.NewValue)
			switch {
			case m.DisplayName != "AccountEnabled":
			case strings.Contains(after, "false") && !strings.Contains(before, "false"):
				return activity + " AccountEnabled: false"
			case strings.Contains(after, "true") && !strings.Contains(before, "true"):
				return activity + " AccountEnabled: true"
			}
		}
	case "Update StsRefreshTokenValidFrom Timestamp":
		if t.ID != "" && strings.EqualFold(string(t.ID), string(actor)) {
			return activity + " by the user"
		}
	}
	return activity
}

// riskCategory are the categories of Identity Protection that are about users; a sign-in has a risk state as well.
var riskCategory = lazy(`^(RiskyUsers|UserRiskEvents)$`)

// graphUser matches a user's resource, and not what belongs to one, such as a message.
var graphUser = lazy(`^users(/[^/]+|\('[^']+'\))$`)

// liveName takes off what Entra puts before the principal name of a deleted user: the object id without its hyphens.
func liveName(upn, id requiredString) requiredString {
	prefix := strings.ReplaceAll(string(id), "-", "")
	if len(prefix) == 32 && len(upn) > 32 && strings.EqualFold(string(upn[:32]), prefix) {
		return upn[32:]
	}
	return upn
}

func parseEntraRisk(e event, r entraRecord, p entraProperties) ([]Signal, error) {
	meant := requiredString("riskState")
	switch state, level := Fold(string(p.RiskState)), Fold(string(p.RiskLevel)); {
	case bool(p.IsDeleted):
	case state == "confirmedcompromised":
		meant = "riskState confirmedCompromised"
	case state == "atrisk" && level == "high":
		meant = "riskState atRisk, riskLevel high"
	}
	kind, err := e.kind(meant)
	if err != nil {
		return nil, err
	}
	s := Signal{ID: string(p.ID), Kind: kind, Type: string(meant), Reason: string(p.RiskDetail), Time: requiredString(p.RiskUpdated).time()}
	if s.Time.IsZero() {
		s.Time = requiredString(r.Time).time()
	}
	// A risky user's id is the user's, a detection's is its own.
	id := p.UserID
	if id == "" {
		id = requiredString(p.ID)
	}
	s.Subject = Subject{Usernames: names(p.UserPrincipalName), IDs: names(id)}
	return []Signal{s}, nil
}

func parseGraphNotification(e event, r entraRecord) ([]Signal, error) {
	at, id := requiredString(r.Time).time(), string(r.ID)
	if len(r.Data) > 0 {
		notification := entraRecord{}
		if err := decode("detail.data", r.Data, &notification); err != nil {
			return nil, err
		}
		r = notification
	}
	resource := Fold(string(r.Resource))
	meant := requiredString("")
	switch change := Fold(string(r.ChangeType)); {
	case !graphUser().MatchString(resource):
		return nil, e.unsupported("a notification about %q, which is no user", clip(string(r.Resource), 100))
	case change == "deleted":
		meant = "Microsoft.Graph.UserDeleted"
	default:
		meant = "Microsoft.Graph.UserUpdated"
	}
	kind, err := e.kind(meant)
	if err != nil {
		return nil, err
	}
	user := r.ResourceID.ID
	if user == "" {
		_, path, _ := strings.Cut(string(r.Resource), "/")
		user = requiredString(path)
	}
	return []Signal{{ID: id, Kind: kind, Type: string(meant), Time: at, Subject: Subject{IDs: names(user)}}}, nil
}
