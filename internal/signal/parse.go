package signal

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// IdentityCenter is the provider whose events know people by their user ids in an identity store only.
const IdentityCenter = "identity-center"

// Custom is the provider of our own form, in which people ask.
const Custom = "custom"

// provider is one source of events. Several may have the same name: ways on which one provider's events arrive.
type provider struct {
	name       string
	source     string // one that ends in "/" is a prefix
	detailType string // "" for any
	known      []meaning
	parse      func(event) ([]Signal, error)
}

// meaning is what one of a provider's event types is taken for: a row of doc/events.md.
type meaning struct {
	eventType string
	kind      Kind   // "" asks for nothing
	note      string // for people
}

// providers is the whole list of what is understood: a new provider is a file of this package and a row here.
var providers = []provider{
	{"guardduty", "aws.guardduty", "", guardDutyEvents, parseGuardDuty},
	{"guardduty", "aws.securityhub", "", securityHubEvents, parseSecurityHub},
	{"okta", "aws.partner/okta.com/", "SystemLog", oktaEvents, parseOkta},
	{"entra", "custom.entra", "", entraEvents, parseEntra},
	{"entra", "custom.microsoftgraph", "", entraEvents, parseEntra},
	{"auth0", "aws.partner/auth0.com/", "", auth0Events, parseAuth0},
	{"onelogin", "aws.partner/onelogin.com/", "", oneLoginEvents, parseOneLogin},
	{"sailpoint", "aws.partner/sailpoint.com/", "", sailPointEvents, parseSailPoint},
	{IdentityCenter, "aws.sso-directory", cloudTrail, identityCenterEvents, parseIdentityCenter},
	{IdentityCenter, "aws.identitystore-scim", cloudTrail, identityCenterEvents, parseIdentityCenter},
	{IdentityCenter, "aws.identitystore", "", identityCenterEvents, parseIdentityCenter},
	{"iam", "aws.iam", cloudTrail, iamEvents, parseUserCall},
	{"directory-service", "aws.ds-data", cloudTrail, directoryServiceEvents, parseUserCall},
	{"cognito", "aws.cognito-idp", cloudTrail, cognitoEvents, parseUserCall},
	{"google-workspace", "custom.googleworkspace", "", googleWorkspaceEvents, parseGoogleWorkspace},
	{"jumpcloud", "custom.jumpcloud", "", jumpCloudEvents, parseJumpCloud},
	{"pingone", "custom.pingone", "", pingOneEvents, parsePingOne},
	{"duo", "custom.duo", "", duoEvents, parseDuo},
	{"cyberark", "custom.cyberark", "", cyberArkEvents, parseCyberArk},
	{"ssf", "custom.ssf", "Security Event Token", ssfEvents, parseSSF},
	{Custom, "clientvpn-responder", "", customEvents, parseCustom},
}

// Providers lists the names that [Signal.Provider] can have.
func Providers() []string {
	var names []string
	for _, p := range providers {
		if !slices.Contains(names, p.name) {
			names = append(names, p.name)
		}
	}
	return names
}

// event is the envelope that EventBridge delivers.
// Source: Amazon EventBridge user guide, "Event structure reference".
type event struct {
	ID         requiredString  `json:"id"`
	DetailType requiredString  `json:"detail-type"`
	Source     requiredString  `json:"source"`
	Account    requiredString  `json:"account"`
	Time       requiredString  `json:"time"`
	Region     requiredString  `json:"region"`
	Resources  json.RawMessage `json:"resources"`
	Detail     json.RawMessage `json:"detail"`

	provider provider
}

// meaning gives what the provider's event type is taken for, or an error that wraps [ErrUnsupported] where that is nothing.
func (e event) meaning(eventType requiredString) (meaning, error) {
	for _, m := range e.provider.known {
		switch {
		case m.eventType != string(eventType):
		case m.kind == "":
			return m, e.unsupported("%s: %s", m.eventType, m.note)
		default:
			return m, nil
		}
	}
	return meaning{}, e.unsupported("%q is none of its event types that tell of somebody's access", clip(string(eventType), 100))
}

func (e event) kind(eventType requiredString) (Kind, error) {
	m, err := e.meaning(eventType)
	return m.kind, err
}

func (e event) unsupported(format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", ErrUnsupported, e.provider.name, fmt.Sprintf(format, args...))
}

// parseRecords parses the records of a list. One that asks for nothing does not matter beside one that does.
func parseRecords[T any](records []T, parse func(T) ([]Signal, error)) ([]Signal, error) {
	var all []Signal
	var nothing error
	for _, r := range records {
		signals, err := parse(r)
		switch {
		case errors.Is(err, ErrUnsupported):
			nothing = cmp.Or(nothing, err)
		case err != nil:
			return nil, err
		default:
			all = append(all, signals...)
		}
	}
	if len(all) > 0 {
		return all, nil
	}
	return nil, nothing
}

// Parse reads one EventBridge event and gives a signal for each person it is about, at least one if the error is nil.
// A signal may be about nobody: the event wanted something done, and names no person. The error wraps
// [ErrUnsupported] for an event that asks for nothing, and is an [*UnreadableError] for one that cannot be read.
func Parse(raw []byte) ([]Signal, error) {
	var e event
	if err := decode("", raw, &e); err != nil {
		return nil, err
	}
	switch {
	case e.Source == "":
		return nil, unreadable("source", "missing; pass the whole EventBridge event, not only its detail")
	case e.DetailType == "":
		return nil, unreadable("detail-type", "missing; pass the whole EventBridge event, not only its detail")
	}
	for _, p := range providers {
		if string(e.Source) != p.source && (!strings.HasSuffix(p.source, "/") || !strings.HasPrefix(string(e.Source), p.source)) {
			continue
		}
		e.provider = p
		if p.detailType != "" && string(e.DetailType) != p.detailType {
			return nil, e.unsupported("detail-type %q", clip(string(e.DetailType), 100))
		}
		if d := bytes.TrimSpace(e.Detail); len(d) == 0 || d[0] != '{' {
			return nil, unreadable("detail", "must be an object")
		}
		signals, err := p.parse(e)
		if err != nil {
			return nil, err
		}
		for i := range signals {
			if err := e.complete(&signals[i]); err != nil {
				return nil, err
			}
		}
		return signals, nil
	}
	return nil, fmt.Errorf("%w: source %q", ErrUnsupported, clip(string(e.Source), 100))
}

// complete fills in what the envelope knows where the provider's own record says nothing.
func (e event) complete(s *Signal) error {
	s.Provider = e.provider.name
	if s.ID == "" {
		s.ID = string(e.ID)
	}
	if s.ID == "" {
		return unreadable("id", "missing; EventBridge gives every event one, and repeats are known by it")
	}
	s.EventID = string(e.ID)
	s.ID, s.EventID, s.ARN = clip(s.ID, 300), clip(s.EventID, 300), clip(s.ARN, 300)
	s.Type, s.Reason = clip(s.Type, 300), clip(s.Reason, 500)
	if s.Time.IsZero() {
		s.Time = e.Time.time()
	}
	if s.Account == "" {
		s.Account = string(e.Account)
	}
	if s.Region == "" {
		s.Region = string(e.Region)
	}
	return nil
}

func unreadable(field, format string, args ...any) error {
	return &UnreadableError{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// decode unmarshals what stands at the JSON path parent, and names the field that does not fit.
func decode(parent string, raw []byte, v any) error {
	err := json.Unmarshal(raw, v)
	if err == nil {
		return nil
	}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return unreadable(cmp.Or(strings.Trim(parent+"."+wrong.Field, "."), "event"), "must not be a JSON %s", wrong.Value)
	}
	return unreadable(cmp.Or(parent, "event"), "%v", err)
}

// requiredString is a string, or a number where a provider or a forwarder writes one; null is "".
type requiredString string

func (t *requiredString) UnmarshalJSON(raw []byte) error {
	switch raw[0] {
	case '"':
		return json.Unmarshal(raw, (*string)(t))
	case 'n':
		*t = ""
	case '{', '[', 't', 'f':
		return wrongType(raw)
	default:
		*t = requiredString(raw) // the digits as they stand: ids are longer than a float64 is exact
	}
	return nil
}

// lenientString is a text that is only told, such as a title: where it is no text there is none, which is no reason to miss a
// person.
type lenientString requiredString

func (l *lenientString) UnmarshalJSON(raw []byte) error {
	var t requiredString
	if t.UnmarshalJSON(raw) == nil {
		*l = lenientString(t)
	}
	return nil
}

// timeLayouts are the ways in which providers are known to write times; those without a zone are UTC.
var timeLayouts = []string{
	time.RFC3339, "2006-01-02T15:04:05.999Z0700", "2006-01-02T15:04:05.999", "2006-01-02 15:04:05.999",
	"2006-01-02 15:04:05.999 UTC", "1/2/2006 3:04:05 PM",
}

// time reads a timestamp in one of timeLayouts, or in seconds or milliseconds since 1970; a text that is none of them
// is the zero time.
func (t requiredString) time() time.Time {
	for _, layout := range timeLayouts {
		if at, err := time.Parse(layout, string(t)); err == nil {
			return at.UTC()
		}
	}
	// Of any day from 1980 to 2200, the milliseconds are more than 3e11 and the seconds less than 1e10.
	switch since, err := strconv.ParseFloat(string(t), 64); {
	case err != nil || since < 3e8 || since > 1e13:
		return time.Time{}
	case since < 1e10:
		return time.UnixMilli(int64(since * 1000)).UTC()
	case since > 3e11:
		return time.UnixMilli(int64(since)).UTC()
	}
	return time.Time{}
}

// flag is a boolean, or the word for one.
type flag bool

func (f *flag) UnmarshalJSON(raw []byte) error {
	switch string(bytes.ToLower(bytes.Trim(raw, `"`))) {
	case "true", "1":
		*f = true
	case "false", "null", "", "0":
		*f = false
	default:
		return wrongType(raw)
	}
	return nil
}

// number is a JSON number, or the digits of one in a string; null and absent are not set.
type number struct {
	value float64
	set   bool
}

func (n *number) UnmarshalJSON(raw []byte) error {
	digits := bytes.Trim(raw, `"`)
	if string(digits) == "null" {
		return nil
	}
	// JSON's numbers only: ParseFloat would take "Infinity" and "0x1p3" as well.
	value, err := strconv.ParseFloat(string(digits), 64)
	if err != nil || !json.Valid(digits) {
		return wrongType(raw)
	}
	*n = number{value, true}
	return nil
}

// wrongType is the error for which encoding/json fills in the field.
func wrongType(raw []byte) error {
	value := "value like " + clip(string(raw), 40)
	switch raw[0] {
	case '{':
		value = "object"
	case '[':
		value = "array"
	}
	return &json.UnmarshalTypeError{Value: value, Type: reflect.TypeFor[string]()}
}

// clip shortens s to at most n runes.
func clip(s string, n int) string {
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return s
}

// names gives those of the candidates that can be a name, each once.
func names(candidates ...requiredString) []string {
	var found []string
	for _, c := range candidates {
		if name := Name(string(c)); name != "" && !slices.Contains(found, name) {
			found = append(found, name)
		}
	}
	return found
}

// lazy compiles a pattern when it is asked for first. All of them together would take a twentieth of the start of a function, and
// the connect handler needs none.
func lazy(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}
