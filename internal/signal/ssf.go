package signal

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"clientvpn-responder/internal/lazyregexp"
)

// ssfEvents are event types of OpenID Shared Signals, without the prefix https://schemas.openid.net/secevent/.
// Source: OpenID CAEP 1.0, OpenID RISC 1.0, OpenID Shared Signals Framework 1.0.
var ssfEvents = []meaning{
	{"risc/event-type/account-disabled", AccountDisabled, "for any reason: hijacking, bulk-account"},
	{"risc/event-type/account-purged", AccountPurged, ""},
	{"risc/event-type/account-enabled", AccountEnabled, ""},
	{"risc/event-type/credential-compromise", CredentialCompromise, ""},
	{"risc/event-type/account-credential-change-required", AccountCredentialChangeRequired, ""},
	{"risc/event-type/sessions-revoked", SessionRevoked, "deprecated form of session-revoked, which Google sends"},
	{"oauth/event-type/tokens-revoked", SessionRevoked, "Google: all of the person's tokens; no captured token is known"},
	{"caep/event-type/session-revoked", SessionRevoked,
		"but not an ordinary logout, which some transmitters send as this"},
	{"global-token-revocation", SessionRevoked,
		"Universal Logout, as the door writes it; the issuer signs the person out everywhere"},
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
	{"oauth/event-type/token-revoked", "", "one token of one application"},
	{"ssf/event-type/stream-updated status: paused", SourceInterrupted, "the transmitter paused the stream"},
	{"ssf/event-type/stream-updated status: disabled", SourceInterrupted, "the transmitter disabled the stream"},
	{"ssf/event-type/stream-updated", "", "a routine notice: the stream is enabled"},
	{"ssf/event-type/verification", "", "a routine notice: a test of the stream"},
}

// secevent matches the prefix of OpenID's event URIs. Some transmitters write http.
var secevent = lazyregexp.New(`^https?://schemas\.openid\.net/secevent/`)

// ssfEvent is the payload of one event of a Security Event Token.
type ssfEvent struct {
	Subject          json.RawMessage `json:"subject"`
	EventTimestamp   lenientString   `json:"event_timestamp"`
	OccurredAt       lenientString   `json:"occurred_at"`
	InitiatingEntity lenientString   `json:"initiating_entity"`
	ReasonAdmin      json.RawMessage `json:"reason_admin"`
	ReasonUser       json.RawMessage `json:"reason_user"`
	Reason           lenientString   `json:"reason"`
	ChangeType       lenientString   `json:"change_type"`
	CurrentStatus    lenientString   `json:"current_status"`
	CurrentLevel     lenientString   `json:"current_level"`
	Principal        lenientString   `json:"principal"`
	Status           lenientString   `json:"status"`
}

// securityEventToken is a decoded token (RFC 8417).
type securityEventToken struct {
	ISS        lenientString              `json:"iss"`
	JTI        requiredString             `json:"jti"`
	SubID      json.RawMessage            `json:"sub_id"`
	Sub        lenientString              `json:"sub"`
	IAT        lenientString              `json:"iat"`
	TOE        lenientString              `json:"toe"`
	OccurredAt lenientString              `json:"occurred_at"`
	Events     map[string]json.RawMessage `json:"events"`
	// SAMLProvider is the provider in IAM whose certificate signed the request, as the door says.
	SAMLProvider lenientString `json:"saml_provider"`
}

// parseSSF reads a decoded Security Event Token. Nothing here proves who signed it: the forwarder must have verified
// it.
func parseSSF(e event) ([]Signal, error) {
	var set securityEventToken
	if err := decode("detail", snakeKeys(e.Detail), &set); err != nil {
		return nil, err
	}
	if len(set.Events) == 0 {
		return nil, unreadable("detail.events", "missing or empty; a Security Event Token has an event")
	}
	return parseRecords(slices.Sorted(maps.Keys(set.Events)), func(_ int, uri string) ([]Signal, error) {
		return set.parse(e, uri)
	})
}

// parse reads the token's event with the URI.
func (set securityEventToken) parse(e event, uri string) ([]Signal, error) {
	eventType := requiredString(strings.TrimSuffix(secevent().ReplaceAllString(uri, ""), "/"))
	var v ssfEvent
	if err := decode("detail.events."+uri, snakeKeys(set.Events[uri]), &v); err != nil {
		return nil, err
	}
	kind, err := e.kind(v.meaning(eventType))
	switch {
	case err != nil && strings.HasPrefix(string(eventType), "ssf/"):
		return nil, e.routine(eventType, err)
	case err != nil:
		return nil, err
	}
	id := set.subject(v)
	if why := v.saysLess(kind, id.allSessions()); why != "" {
		return nil, e.unsupported(eventType, "%s: %s", eventType, why)
	}
	subject := Subject{}
	if kind != SourceInterrupted {
		subject = id.subject(e.issuer(requiredString(set.ISS)), 0)
	}
	if kind == DeviceComplianceChange && subject.IsNobody() {
		return nil, e.unsupported(eventType, "%s: about a device alone", eventType)
	}
	times := []lenientString{v.EventTimestamp, v.OccurredAt, set.TOE, set.OccurredAt, set.IAT}
	s := Signal{ID: string(set.JTI), Kind: kind, Type: string(eventType), Reason: v.reason(), Subject: subject}
	s.SAMLProvider = string(set.SAMLProvider)
	for _, t := range times {
		s.Time = firstTime(s.Time, t.time())
	}
	return []Signal{s}, nil
}

// meaning returns the event type, with the status of a stream that sends nothing.
func (v ssfEvent) meaning(eventType requiredString) requiredString {
	status := Fold(string(v.Status))
	if eventType == "ssf/event-type/stream-updated" && (status == "paused" || status == "disabled") {
		return eventType + " status: " + requiredString(status)
	}
	return eventType
}

// subject returns the identifier of the token's subject: the token's own, the event's in earlier drafts, or the claim
// "sub" of a plain token.
func (set securityEventToken) subject(v ssfEvent) ssfSubjectID {
	for _, raw := range []json.RawMessage{set.SubID, v.Subject} {
		if len(raw) > 0 && string(raw) != "null" {
			return readSubjectID(raw)
		}
	}
	return ssfSubjectID{Format: "iss_sub", Sub: set.Sub}
}

// ordinaryLogout matches the whole reason that transmitters write when people end their own sessions. "User logged out
// by administrator" is another reason.
var ordinaryLogout = lazyregexp.New(`(?i)^user (logout|logged out|signed out|sign[- ]?out)( from okta)?\.?$`)

// saysLess says why an event of the kind means less than its type can mean, or "". A logout of all sessions is an
// administrator's doing, even if the event says that the user initiated it.
func (v ssfEvent) saysLess(kind Kind, allSessions bool) string {
	level, by := Fold(string(v.CurrentLevel)), Fold(string(v.InitiatingEntity))
	logout := by == "user" || by == "" && ordinaryLogout().MatchString(v.reason())
	switch {
	case kind == SessionRevoked && logout && !allSessions:
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
