package door

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Event is an event in EventBridge's envelope, as the responder reads it.
// Source: Amazon EventBridge user guide, "Event structure reference".
type Event struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       time.Time       `json:"time"`
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Door       string          `json:"door"` // for a person who looks at a dead letter
	Detail     json.RawMessage `json:"detail"`
}

// NewEvent returns an event that came in by a door. The id follows from the content and from what makes two equal
// contents two events, so that a repeat is known as one.
func NewEvent(e Event, apart string, at time.Time) Event {
	h := sha256.Sum256(slices.Concat([]byte(e.Door+"\n"+apart+"\n"), e.Detail))
	e.ID = fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
	e.Version, e.Resources, e.Time = "0", []string{}, at.UTC().Truncate(time.Second)
	return e
}

const (
	securityEventSource = "custom.ssf"
	securityEventType   = "Security Event Token"
	// logoutEvent is the type of the event that is made of a request of Universal Logout. The request has none.
	logoutEvent = "global-token-revocation"
)

// signals reads a Security Event Token: its payload is the record. The issuer that was verified takes the place of
// whatever a reader could find under that name, in any spelling.
func (p *Passed) signals(c claims, payload []byte) Reason {
	var set map[string]json.RawMessage
	var events map[string]json.RawMessage
	if json.Unmarshal(payload, &set) != nil || json.Unmarshal(set["events"], &events) != nil || len(events) == 0 {
		return BadBody
	}
	maps.DeleteFunc(set, func(name string, _ json.RawMessage) bool { return strings.EqualFold(name, "iss") })
	issuer, err := json.Marshal(c.Issuer)
	if err != nil {
		return BadBody
	}
	set["iss"] = issuer
	if payload, err = json.Marshal(set); err != nil {
		return BadBody
	}
	p.Event = Event{Source: securityEventSource, DetailType: securityEventType, Detail: payload}
	return ""
}

// logout reads a request of Universal Logout. The token does not sign the body, so it is good for one body only.
func (p *Passed) logout(c claims, r Request) Reason {
	var body struct {
		SubID json.RawMessage `json:"sub_id"`
	}
	if json.Unmarshal(r.Body, &body) != nil || !isObject(body.SubID) {
		return BadBody
	}
	if why := checkSubject(body.SubID); why != "" {
		return why
	}
	members := map[string]any{
		"iss": c.Issuer, "jti": c.ID, "iat": c.IssuedAt, "aud": c.Audience, "sub_id": body.SubID,
		"events": map[string]any{logoutEvent: struct{}{}},
	}
	if p.Door.SAMLProvider != "" {
		members["saml_provider"] = p.Door.SAMLProvider // whose endpoints alone the policy may act on
	}
	detail, err := json.Marshal(members)
	if err != nil {
		return BadBody
	}
	p.Once = c.Issuer + "\n" + c.ID
	p.Body = fmt.Sprintf("%x", sha256.Sum256(r.Body))
	p.Event = Event{Source: securityEventSource, DetailType: securityEventType, Detail: detail}
	return ""
}

// subjects are the formats that can name a person, with the members that must be texts.
// Source: RFC 9493, section 3.
var subjects = map[string][]string{
	"email": {"email"}, "iss_sub": {"iss", "sub"}, "opaque": {"id"}, "account": {"uri"}, "aliases": nil, "complex": nil,
}

// checkSubject reports what is wrong with a subject identifier.
func checkSubject(raw json.RawMessage) Reason {
	var members map[string]json.RawMessage
	var format string
	if json.Unmarshal(raw, &members) != nil || json.Unmarshal(members["format"], &format) != nil {
		return BadBody
	}
	texts, known := subjects[format]
	if !known {
		return NoPerson
	}
	for _, name := range texts {
		var text string
		if json.Unmarshal(members[name], &text) != nil || text == "" {
			return BadBody
		}
	}
	return ""
}

// record takes the body of a signed webhook as it is: the provider's parser reads it.
func (p *Passed) record(r Request) Reason {
	if !json.Valid(r.Body) || !isObject(r.Body) {
		return BadBody
	}
	p.Event = Event{Source: p.Door.Source, DetailType: "Signed Webhook", Detail: r.Body}
	return ""
}

func isObject(raw []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) }
