package signal

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// ssfEvents are event types of OpenID Shared Signals, without the prefix https://schemas.openid.net/secevent/.
// Source: OpenID CAEP 1.0, OpenID RISC 1.0, OpenID Shared Signals Framework 1.0.
var ssfEvents = []meaning{
	{"risc/event-type/account-disabled", AccountDisabled, "for any reason: hijacking, bulk-account"},
	{"risc/event-type/account-purged", AccountPurged, ""},
	{"risc/event-type/account-enabled", AccountEnabled, ""},
	{"risc/event-type/credential-compromise", CredentialCompromise, ""},
	{"risc/event-type/account-credential-change-required", AccountCredentialChangeRequired, ""},
	{"risc/event-type/sessions-revoked", SessionRevoked, "deprecated form of session-revoked"},
	{"caep/event-type/session-revoked", SessionRevoked, "but not an ordinary logout, which some transmitters send as this"},
	{"caep/event-type/credential-change", CredentialChange, "only with change_type revoke or delete"},
	{"caep/event-type/device-compliance-change", DeviceComplianceChange, "only with current_status not-compliant, and about a user"},
	{"caep/event-type/risk-level-change", RiskLevelChange, "only with principal USER and current_level HIGH"},
	{"caep/event-type/token-claims-change", "", "says nothing of access ending"},
	{"caep/event-type/assurance-level-change", "", "says nothing of access ending"},
	{"caep/event-type/session-established", "", "somebody signed in"},
	{"caep/event-type/session-presented", "", "somebody is signed in"},
	{"risc/event-type/identifier-changed", "", "a new address or number"},
	{"risc/event-type/identifier-recycled", "", "an address or number is another's now"},
	{"risc/event-type/opt-in", "", "about taking part in RISC"},
	{"risc/event-type/opt-out-initiated", "", "about taking part in RISC"},
	{"risc/event-type/opt-out-cancelled", "", "about taking part in RISC"},
	{"risc/event-type/opt-out-effective", "", "about taking part in RISC"},
	{"risc/event-type/recovery-activated", "", "somebody recovers an account"},
	{"risc/event-type/recovery-information-changed", "", "somebody's way to recover an account"},
	{"ssf/event-type/verification", "", "a test of the stream"},
	{"ssf/event-type/stream-updated", "", "about the stream"},
}

const secevent = "https://schemas.openid.net/secevent/"

// ssfEvent is the payload of one event of a Security Event Token.
type ssfEvent struct {
	Subject          json.RawMessage `json:"subject"`
	EventTimestamp   lenientString   `json:"event_timestamp"`
	InitiatingEntity lenientString   `json:"initiating_entity"`
	ReasonAdmin      json.RawMessage `json:"reason_admin"`
	ReasonUser       json.RawMessage `json:"reason_user"`
	Reason           lenientString   `json:"reason"`
	ChangeType       lenientString   `json:"change_type"`
	CurrentStatus    lenientString   `json:"current_status"`
	CurrentLevel     lenientString   `json:"current_level"`
	Principal        lenientString   `json:"principal"`
}

// parseSSF reads a decoded Security Event Token. Nothing here proves who signed it: whoever forwards tokens must have
// verified them.
func parseSSF(e event) ([]Signal, error) {
	var set struct {
		JTI    requiredString             `json:"jti"`
		SubID  json.RawMessage            `json:"sub_id"`
		TOE    lenientString              `json:"toe"`
		Events map[string]json.RawMessage `json:"events"`
	}
	if err := decode("detail", e.Detail, &set); err != nil {
		return nil, err
	}
	if len(set.Events) == 0 {
		return nil, unreadable("detail.events", "missing or empty; a Security Event Token has an event")
	}
	return parseRecords(slices.Sorted(maps.Keys(set.Events)), func(uri string) ([]Signal, error) {
		eventType := requiredString(strings.TrimPrefix(uri, secevent))
		kind, err := e.kind(eventType)
		if err != nil {
			return nil, err
		}
		var v ssfEvent
		if err := decode("detail.events", set.Events[uri], &v); err != nil {
			return nil, err
		}
		if why := v.saysLess(kind); why != "" {
			return nil, e.unsupported("%s: %s", eventType, why)
		}
		raw := set.SubID
		if len(raw) == 0 || string(raw) == "null" {
			raw = v.Subject
		}
		subject := ssfSubject(raw, 0)
		if kind == DeviceComplianceChange && subject.IsNobody() {
			return nil, e.unsupported("%s: about a device alone", eventType)
		}
		at := requiredString(v.EventTimestamp).time()
		if at.IsZero() {
			at = requiredString(set.TOE).time()
		}
		return []Signal{{
			ID: string(set.JTI), Kind: kind, Type: string(eventType), Reason: v.reason(), Time: at, Subject: subject,
		}}, nil
	})
}

// ordinaryLogout matches the reason that transmitters give where people ended their sessions themselves.
var ordinaryLogout = lazy(`(?i)^user (logout|logged out|signed out|sign[- ]?out)\b`)

// saysLess says why an event of the kind does not mean what its type can mean; "" if it does.
func (v ssfEvent) saysLess(kind Kind) string {
	level := Fold(string(v.CurrentLevel))
	switch {
	case kind == SessionRevoked && (Fold(string(v.InitiatingEntity)) == "user" || v.InitiatingEntity == "" && ordinaryLogout().MatchString(v.reason())):
		return "an ordinary logout"
	case kind == CredentialChange && v.ChangeType != "revoke" && v.ChangeType != "delete":
		return "change_type is neither revoke nor delete"
	case kind == DeviceComplianceChange && v.CurrentStatus != "not-compliant":
		return "current_status is not not-compliant"
	case kind == RiskLevelChange && level != "high":
		return "current_level is not HIGH"
	case kind == RiskLevelChange && v.Principal != "" && Fold(string(v.Principal)) != "user":
		return "principal is not USER"
	}
	return ""
}

// reason gives the reason for administrators, or else for users; each is a text, or texts by language.
func (v ssfEvent) reason() string {
	for _, raw := range []json.RawMessage{v.ReasonAdmin, v.ReasonUser} {
		var byLanguage map[string]lenientString
		var plain lenientString
		if json.Unmarshal(raw, &byLanguage) == nil && len(byLanguage) > 0 {
			if english, ok := byLanguage["en"]; ok {
				return string(english)
			}
			return string(byLanguage[slices.Min(slices.Collect(maps.Keys(byLanguage)))])
		}
		if json.Unmarshal(raw, &plain) == nil && plain != "" {
			return string(plain)
		}
	}
	return string(v.Reason)
}

// maxIdentifiers is how many names of one person are read; nobody has as many.
const maxIdentifiers = 50

// ssfSubject reads a subject identifier. What is no user, such as a device, a session or a tenant, names nobody.
// Source: RFC 9493; Shared Signals Framework 1.0, "Complex subjects"; earlier drafts wrote subject_type.
func ssfSubject(raw json.RawMessage, depth int) Subject {
	var id struct {
		Format      lenientString     `json:"format"`
		SubjectType lenientString     `json:"subject_type"`
		Email       lenientString     `json:"email"`
		Sub         lenientString     `json:"sub"`
		ID          lenientString     `json:"id"`
		URI         lenientString     `json:"uri"`
		URL         lenientString     `json:"url"`
		PhoneNumber lenientString     `json:"phone_number"`
		User        json.RawMessage   `json:"user"`
		Identifiers []json.RawMessage `json:"identifiers"`
	}
	if depth > 3 || json.Unmarshal(raw, &id) != nil {
		return Subject{}
	}
	format := strings.ReplaceAll(Fold(string(id.Format)), "-", "_")
	if format == "" {
		format = strings.ReplaceAll(Fold(string(id.SubjectType)), "-", "_")
	}
	var s Subject
	add := func(other Subject) {
		s.Usernames = names(append(asRequired(s.Usernames), asRequired(other.Usernames)...)...)
		s.IDs = names(append(asRequired(s.IDs), asRequired(other.IDs)...)...)
	}
	switch format {
	case "complex":
		return ssfSubject(id.User, depth+1)
	case "aliases":
		for _, identifier := range id.Identifiers[:min(len(id.Identifiers), maxIdentifiers)] {
			add(ssfSubject(identifier, depth+1))
		}
		return s
	case "email", "iss_sub", "opaque", "account", "phone_number", "phone", "did", "uri", "id_token_claims", "":
	default:
		return Subject{} // of a session or a token
	}
	if format == "" && len(id.User) > 0 {
		return ssfSubject(id.User, depth+1)
	}
	account, isAccount := strings.CutPrefix(string(id.URI), "acct:")
	if !isAccount {
		account = ""
		add(Subject{IDs: names(requiredString(id.URI))})
	}
	add(Subject{Usernames: names(requiredString(id.Email), requiredString(account)), IDs: names(requiredString(id.ID), requiredString(id.URL), requiredString(id.PhoneNumber))})
	if strings.Contains(string(id.Sub), "@") {
		add(Subject{Usernames: names(requiredString(id.Sub))})
	} else {
		add(Subject{IDs: names(requiredString(id.Sub))})
	}
	return s
}

// asRequired converts words for names.
func asRequired(words []string) []requiredString {
	var all []requiredString
	for _, w := range words {
		all = append(all, requiredString(w))
	}
	return all
}
