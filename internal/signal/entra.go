package signal

import (
	"cmp"
	"encoding/json"
	"strings"

	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/lazyregexp"
)

// entraEvents are activities of Microsoft Entra ID's audit log, states of its Identity Protection, and Microsoft
// Graph's change notifications. No partner source brings them to EventBridge: the customer's forwarder does.
// Source: Microsoft Entra documentation, "Audit log activities", "Microsoft Graph API change notifications". The names
// "Disable account" and "Hard Delete user" are common knowledge; no published record was found.
var entraEvents = []meaning{
	{"Disable account", AccountDisabled, ""},
	{"Update user AccountEnabled: false", AccountDisabled,
		"modifiedProperties say AccountEnabled from true to false"},
	{"Delete user", AccountPurged, "the parser removes the object id before the deleted user's principal name"},
	{"Hard Delete user", AccountPurged, "only where no object id is before the principal name"},
	{"Update StsRefreshTokenValidFrom Timestamp", SessionRevoked, "tokens revoked by an administrator"},
	{"Update StsRefreshTokenValidFrom Timestamp by the user", CredentialChange,
		"the person did it, or changed the password"},
	{"riskState confirmedCompromised", CredentialCompromise, ""},
	{"ConfirmAccountCompromised", CredentialCompromise, "the same, in the audit log"},
	{"Confirm user compromised", CredentialCompromise, "the same, in the audit log; no captured record is known"},
	{"Add member to group", TokenClaimsChange, gained},
	{"Remove member from group", TokenClaimsChange, lost},
	{"Delete group", TokenClaimsChange, lostByAll},
	{"Hard Delete group", TokenClaimsChange, lostByAll},
	{"Add app role assignment grant to user", TokenClaimsChange, gained},
	{"Remove app role assignment from user", TokenClaimsChange, lost},
	{"Remove app role assignment from group", TokenClaimsChange, "everybody in the group lost the application"},
	{"riskState atRisk, riskLevel high", RiskLevelChange, ""},
	{"Microsoft.Graph.UserDeleted", AccountPurged, "the object id only; sent where the user is deleted for good"},
	{"Enable account", AccountEnabled, ""},
	{"Restore user", AccountEnabled, ""},
	{"Update user AccountEnabled: true", AccountEnabled, ""},

	{"DismissUser", "", "an administrator dismissed the risk"},
	{"ConfirmAccountSafe", "", "an administrator confirmed that the account is safe"},
	{"service principal", "", "a program, and no person"},
	{"metric", "", "a metric of Azure Monitor, and no record"},
	{"Update user", "", "another property; directory synchronisation does this all the time"},
	{"Add user", AccountEnabled, anew},
	{"Hard Delete user of a deleted user", "",
		"30 days after the deletion, which closed the account; the name may be somebody else's by now"},
	{"Change user password", "", "a new password"},
	{"Update device", "", "about a device"},
	{"riskState", "", "not confirmed, and not at high risk, or no longer"},
	{"Microsoft.Graph.UserUpdated", "",
		"does not say what changed, and is sent for new users too; forward the audit log"},
}

// entraRecord is the part of a record that is read. Diagnostic settings put the properties of the audit log and of
// Identity Protection into an envelope; Microsoft Graph does not. Change notifications come as CloudEvents or as they
// are posted. A notification's clientState is a secret and is not read.
type entraRecord struct {
	entraProperties
	Properties *entraProperties  `json:"properties"`
	Records    []json.RawMessage `json:"records"` // as Event Hubs deliver
	Value      []json.RawMessage `json:"value"`   // as Microsoft Graph posts
	Category   lenientString     `json:"category"`
	MetricName lenientString     `json:"metricName"`
	Lifecycle  lenientString     `json:"lifecycleEvent"`
	Type       lenientString     `json:"type"`
	EventType  lenientString     `json:"eventType"`
	Data       json.RawMessage   `json:"data"`
	ChangeType lenientString     `json:"changeType"`
	Resource   lenientString     `json:"resource"`
	ResourceID struct {
		ID requiredString `json:"id"`
	} `json:"resourceData"`
	Time     lenientString `json:"time"`
	TenantID lenientString `json:"tenantId"`
	OData    lenientString `json:"@odata.type"`
	// Unreadable is why the poll could not read a record, which is beside it.
	Unreadable lenientString `json:"unreadable"`
}

type entraProperties struct {
	ID                lenientString       `json:"id"`
	OperationName     lenientString       `json:"operationName"`
	Activity          lenientString       `json:"activityDisplayName"`
	ActivityDateTime  lenientString       `json:"activityDateTime"`
	Result            lenientString       `json:"result"`
	RiskState         lenientString       `json:"riskState"`
	RiskLevel         lenientString       `json:"riskLevel"`
	RiskDetail        lenientString       `json:"riskDetail"`
	RiskUpdated       lenientString       `json:"riskLastUpdatedDateTime"`
	IsDeleted         flag                `json:"isDeleted"`
	UserID            requiredString      `json:"userId"`
	UserPrincipalName requiredString      `json:"userPrincipalName"`
	ServicePrincipal  lenientString       `json:"servicePrincipalId"`
	InitiatedBy       lenient[entraActor] `json:"initiatedBy"`
	TargetResources   []entraTarget       `json:"targetResources"`
}

// entraActor is the administrator or the application that acted. Only whether it is the person is read.
type entraActor struct {
	User struct {
		ID lenientString `json:"id"`
	} `json:"user"`
}

func parseEntra(e event) ([]Signal, error) { return parseEntraRecord(e, "detail", e.Detail, 0) }

func parseEntraRecord(e event, path string, raw json.RawMessage, depth int) ([]Signal, error) {
	var r entraRecord
	if err := decode(path, raw, &r); err != nil {
		return nil, err
	}
	if r.Unreadable != "" {
		return nil, unreadable(path+".record", "Microsoft Graph's %s", clip(string(r.Unreadable), 300))
	}
	list, name := r.list()
	if len(list) > 0 && depth == 0 {
		return parseRecords(list, func(i int, raw json.RawMessage) ([]Signal, error) {
			return parseEntraRecord(e, element(path+name, i), raw, 1)
		})
	}
	if r.MetricName != "" {
		_, err := e.kind("metric")
		return nil, err
	}
	if notice, ok := r.notice(); ok {
		return parseEntraNotice(e, r, notice)
	}
	if strings.HasPrefix(string(r.Type), "Microsoft.Graph.") || r.ChangeType != "" {
		return parseGraphNotification(e, path, r)
	}
	if strings.HasPrefix(string(r.OData), "#microsoft.graph.") {
		return parseEntraChange(e, path, raw, r.issuer(e))
	}
	if serviceCategory().MatchString(string(r.Category)) || r.properties().ServicePrincipal != "" {
		_, err := e.kind("service principal")
		return nil, err
	}
	if p := r.properties(); p.RiskState != "" && (r.Category == "" || riskCategory().MatchString(string(r.Category))) {
		return parseEntraRisk(e, r)
	}
	return parseEntraActivity(e, path, r)
}

// list returns the records of a post that has several, and the name of their field.
func (r entraRecord) list() ([]json.RawMessage, string) {
	if len(r.Records) > 0 {
		return r.Records, ".records"
	}
	return r.Value, ".value"
}

// issuer is the tenant, where the record says which.
func (r entraRecord) issuer(e event) identity.Issuer { return e.issuer(requiredString(r.TenantID)) }

// properties returns the record's own part, without its envelope.
func (r entraRecord) properties() entraProperties {
	if r.Properties == nil {
		return r.entraProperties
	}
	p := *r.Properties
	p.OperationName = cmp.Or(p.OperationName, r.OperationName)
	return p
}

// serviceCategory matches the categories of logs about service principals and managed identities.
var serviceCategory = lazyregexp.New(`ServicePrincipal|ManagedIdentity`)

// riskCategory matches the categories of Identity Protection that are about users. A sign-in has a risk state, too.
var riskCategory = lazyregexp.New(`^(RiskyUsers|UserRiskEvents)$`)

func parseEntraRisk(e event, r entraRecord) ([]Signal, error) {
	p := r.properties()
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
	// A risky user's id is the user's; a detection's id is its own.
	id := cmp.Or(p.UserID, requiredString(p.ID))
	return []Signal{{
		ID: string(p.ID), Kind: kind, Type: string(meant), Reason: string(p.RiskDetail),
		Time:    firstTime(p.RiskUpdated.time(), r.Time.time()),
		Subject: subjectOf(r.issuer(e), upn(p.UserPrincipalName), opaque(id)),
	}}, nil
}

// graphUser matches a user's resource, but not one that belongs to a user, such as a message.
var graphUser = lazyregexp.New(`^users(/[^/]+|\('[^']+'\))$`)

func parseGraphNotification(e event, path string, r entraRecord) ([]Signal, error) {
	at, id, tenant := r.Time.time(), string(r.ID), r.TenantID
	if len(r.Data) > 0 {
		var notification entraRecord
		if err := decode(path+".data", r.Data, &notification); err != nil {
			return nil, err
		}
		r = notification
		r.TenantID = cmp.Or(r.TenantID, tenant)
	}
	if !graphUser().MatchString(Fold(string(r.Resource))) {
		return nil, e.unsupported("notification", "a notification about %q, which is no user", clip(string(r.Resource), 100))
	}
	meant := requiredString("Microsoft.Graph.UserUpdated")
	if Fold(string(r.ChangeType)) == "deleted" {
		meant = "Microsoft.Graph.UserDeleted"
	}
	kind, err := e.kind(meant)
	if err != nil {
		return nil, err
	}
	_, resource, _ := strings.Cut(string(r.Resource), "/")
	user := cmp.Or(r.ResourceID.ID, requiredString(resource))
	return []Signal{{
		ID: id, Kind: kind, Type: string(meant), Time: at, Subject: subjectOf(r.issuer(e), opaque(user)),
	}}, nil
}
