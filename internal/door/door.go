// Package door verifies what identity providers send over HTTPS, and turns it into events for the queue.
//
// It promises that nothing passes without a signature of the door's issuer. It verifies before it parses, and an answer
// says nothing about people. It decides nothing: an event is a hint, and the policy judges it. The package knows no EC2
// and no policy.
package door

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Kind is what a door accepts.
type Kind string

// The kinds of doors.
const (
	// Logout accepts Okta's Universal Logout.
	// Source: draft-parecki-oauth-global-token-revocation-06.
	Logout Kind = "universal-logout"
	// Signals accepts Security Event Tokens that a Shared Signals transmitter pushes.
	// Source: RFC 8417, RFC 8935, OpenID Shared Signals Framework 1.0.
	Signals Kind = "shared-signals"
	// Signed accepts a provider's own record under a bearer token, which does not sign the record.
	Signed Kind = "signed-webhook"
)

// Door is one way in: a path, and the issuer whose tokens open it.
type Door struct {
	Path    string `json:"path"`
	Accepts Kind   `json:"accepts"`
	Issuer  string `json:"issuer"`
	// Audience is the token's "aud"; empty for the URL of the request, without its query.
	Audience string `json:"audience"`
	// Subject is the token's "sub"; empty for any, which a signed webhook may not have.
	Subject string `json:"subject"`
	// Keys is the URL of the issuer's keys, a JWKS. SAMLProvider is the ARN of the SAML provider in IAM whose signing
	// certificates are the keys. A door has one of the two.
	Keys         string `json:"keys"`
	SAMLProvider string `json:"saml_provider"`
	// Silence is a Go duration: if the door hears nothing for so long, the self-test says so. Empty is never.
	Silence string `json:"silence"`
	// Source is the EventBridge source under which a signed webhook's record is parsed, such as custom.entra.
	Source string `json:"source"`
}

// Request is what arrived at the doors.
type Request struct {
	Method, Host, Path string
	Header             map[string]string // by lower-case name
	Body               []byte
	At                 time.Time
}

// url returns the address that the sender used, without its query.
func (r Request) url() string { return "https://" + r.Host + r.Path }

// mediaType returns the type of the body, in lower case and without parameters.
func (r Request) mediaType() string {
	name, _, _ := strings.Cut(r.Header["content-type"], ";")
	return strings.ToLower(strings.TrimSpace(name))
}

// MaxBody is how long a body may be, in bytes.
const MaxBody = 256 << 10

// Passed is a request that passed its door.
type Passed struct {
	Door *Door
	// Once, if it is not empty, identifies a token that is good for one body only, whose hash is Body.
	Once, Body string
	Event      Event
}

// Gate is all doors of a function. It is not for several goroutines: Lambda sends one request at a time.
type Gate struct{ entries []entry }

// entry is a door with the keys that open it.
type entry struct {
	Door
	keys keySet
}

// NewGate returns the gate of doors. It fetches keys through the transport, and certificates from IAM.
func NewGate(doors []Door, transport http.RoundTripper, cfg aws.Config) *Gate {
	g := &Gate{}
	for _, d := range doors {
		var keys keySet = newRemoteKeys(d.Keys, transport)
		if d.SAMLProvider != "" {
			keys = &samlKeys{cfg: cfg, arn: d.SAMLProvider}
		}
		g.entries = append(g.entries, entry{d, keys})
	}
	return g
}

// Enter lets a request pass, or returns why not.
func (g *Gate) Enter(ctx context.Context, r Request) (Passed, *Refusal) {
	doors := g.at(r.Path)
	if len(doors) == 0 {
		return Passed{}, refuse(nil, NoDoor)
	}
	first := &doors[0].Door // all doors of a path are of one kind
	switch {
	case r.Method != http.MethodPost:
		return Passed{}, refuse(first, WrongMethod)
	case len(r.Body) > MaxBody:
		return Passed{}, refuse(first, TooLarge)
	case !first.Accepts.takes(r.mediaType()):
		return Passed{}, refuse(first, WrongMediaType)
	}
	t, why := readToken(first.Accepts, r)
	if why != "" {
		return Passed{}, refuse(first, why)
	}
	for i := range doors {
		if doors[i].Issuer != t.issuer {
			continue
		}
		return doors[i].enter(ctx, r, t)
	}
	return Passed{}, refuse(first, UnknownIssuer)
}

// at returns the doors of a path.
func (g *Gate) at(path string) (doors []*entry) {
	for i := range g.entries {
		if g.entries[i].Path == path {
			doors = append(doors, &g.entries[i])
		}
	}
	return doors
}

// enter verifies the token with the door's keys, and only then reads what it says.
func (e *entry) enter(ctx context.Context, r Request, t token) (Passed, *Refusal) {
	payload, why, cause := e.keys.verify(ctx, t)
	if why != "" {
		return Passed{}, &Refusal{&e.Door, why, cause}
	}
	c, why := readClaims(payload)
	if why == "" {
		why = c.check(&e.Door, r)
	}
	if why != "" {
		return Passed{}, refuse(&e.Door, why)
	}
	p := Passed{Door: &e.Door}
	switch e.Accepts {
	case Logout:
		why = p.logout(c, r)
	case Signals:
		why = p.signals(c, payload)
	default:
		why = p.record(r)
	}
	if why != "" {
		return Passed{}, refuse(&e.Door, why)
	}
	p.Event.Door = e.Path
	p.Event = NewEvent(p.Event, e.Issuer, r.At)
	return p, nil
}
