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
	{"caep/event-type/session-revoked", SessionRevoked,
		"but not an ordinary logout, which some transmitters send as this"},
	{"caep/event-type/credential-change", CredentialChange, "only with change_type revoke or delete"},
	{"caep/event-type/device-compliance-change", DeviceComplianceChange,
		"only with current_status not-compliant, and about a user"},
	{"caep/event-type/risk-level-change", RiskLevelChange, "only with principal USER and current_level HIGH"},
	{"caep/event-type/token-claims-change", "", "does not say that access ends"},
	{"caep/event-type/assurance-level-change", "", "does not say that access ends"},
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

// securityEventToken is a decoded token (RFC 8417).
type securityEventToken struct {
	ISS    lenientString              `json:"iss"`
	JTI    requiredString             `json:"jti"`
	SubID  json.RawMessage            `json:"sub_id"`
	TOE    lenientString              `json:"toe"`
	Events map[string]json.RawMessage `json:"events"`
}

// parseSSF reads a decoded Security Event Token. Nothing here proves who signed it: the forwarder must have verified
// it.
func parseSSF(e event) ([]Signal, error) {
	var set securityEventToken
	if err := decode("detail", e.Detail, &set); err != nil {
		return nil, err
	}
	if len(set.Events) == 0 {
		return nil, unreadable("detail.events", "missing or empty; a Security Event Token has an event")
	}
	return parseRecords(slices.Sorted(maps.Keys(set.Events)), func(uri string) ([]Signal, error) {
		return set.parse(e, uri)
	})
}

// parse reads the token's event with the URI.
func (set securityEventToken) parse(e event, uri string) ([]Signal, error) {
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
	subject := ssfSubject(raw, e.issuer(requiredString(set.ISS)), 0)
	if kind == DeviceComplianceChange && subject.IsNobody() {
		return nil, e.unsupported("%s: about a device alone", eventType)
	}
	return []Signal{{
		ID: string(set.JTI), Kind: kind, Type: string(eventType), Reason: v.reason(),
		Time: firstTime(v.EventTimestamp.time(), set.TOE.time()), Subject: subject,
	}}, nil
}

// ordinaryLogout matches the reason that transmitters write when people end their own sessions.
var ordinaryLogout = lazy(`(?i)^user (logout|logged out|signed out|sign[- ]?out)\b`)

// saysLess says why an event of the kind does not mean what its type can mean; "" if it does.
func (v ssfEvent) saysLess(kind Kind) string {
	level, by := Fold(string(v.CurrentLevel)), Fold(string(v.InitiatingEntity))
	switch {
	case kind == SessionRevoked && (by == "user" || by == "" && ordinaryLogout().MatchString(v.reason())):
		return "an ordinary logout"
	case kind == CredentialChange && v.ChangeType != "revoke" && v.ChangeType != "delete":
		return "change_type is neither revoke nor delete"
	case kind == DeviceComplianceChange && v.CurrentStatus != "not-compliant":
		return "current_status is other than not-compliant"
	case kind == RiskLevelChange && level != "high":
		return "current_level is not HIGH"
	case kind == RiskLevelChange && v.Principal != "" && Fold(string(v.Principal)) != "user":
		return "principal is not USER"
	}
	return ""
}

// reason returns the reason for administrators, or else for users. Each is a text, or texts by language.
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
