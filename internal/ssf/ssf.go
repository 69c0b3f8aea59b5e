// Package ssf manages a stream at a transmitter of Shared Signals, for the operator's tool.
//
// It promises to send the token to addresses of the transmitter's own host only. It receives no events: a door does.
// Source: OpenID Shared Signals Framework 1.0, "Transmitter Configuration Metadata" and "Event Stream Management".
package ssf

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Push is the delivery method of RFC 8935.
const Push = "urn:ietf:rfc:8935"

// Events are those that a receiver asks for: they can mean that somebody must lose access, or gets it back.
var Events = []string{
	"https://schemas.openid.net/secevent/caep/event-type/session-revoked",
	"https://schemas.openid.net/secevent/caep/event-type/credential-change",
	"https://schemas.openid.net/secevent/caep/event-type/device-compliance-change",
	"https://schemas.openid.net/secevent/caep/event-type/risk-level-change",
	"https://schemas.openid.net/secevent/risc/event-type/account-disabled",
	"https://schemas.openid.net/secevent/risc/event-type/account-enabled",
	"https://schemas.openid.net/secevent/risc/event-type/account-purged",
	"https://schemas.openid.net/secevent/risc/event-type/credential-compromise",
}

// Transmitter is the metadata of a transmitter.
type Transmitter struct {
	Issuer        string `json:"issuer"`
	Keys          string `json:"jwks_uri"`
	Configuration string `json:"configuration_endpoint"`
	Status        string `json:"status_endpoint"`
	Verification  string `json:"verification_endpoint"`

	client *http.Client
	token  string
	host   string
}

// Stream is a stream as the transmitter describes it.
type Stream struct {
	ID        string          `json:"stream_id"`
	Issuer    string          `json:"iss"`
	Audience  json.RawMessage `json:"aud"`
	Delivered []string        `json:"events_delivered"`
}

// Audiences returns the "aud" of the stream's tokens, which is a text or a list.
func (s Stream) Audiences() []string {
	var one string
	if json.Unmarshal(s.Audience, &one) == nil {
		return []string{one}
	}
	var several []string
	_ = json.Unmarshal(s.Audience, &several) // anything else names nobody
	return several
}

// Discover reads the metadata of the transmitter with this issuer. The token is for its management.
func Discover(ctx context.Context, client *http.Client, issuer, token string) (*Transmitter, error) {
	u, err := url.Parse(strings.TrimSuffix(issuer, "/"))
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%q is not the URL of a transmitter", issuer)
	}
	const known = "/.well-known/ssf-configuration"
	t := &Transmitter{client: client, host: u.Host}
	// The specification puts it before the path. Some transmitters put it behind.
	for _, path := range []string{known + u.Path, u.Path + known} {
		address := *u
		address.Path = path
		if err = t.call(ctx, http.MethodGet, address.String(), nil, t); err == nil {
			t.token = token
			return t, nil
		}
	}
	return nil, fmt.Errorf("reading the transmitter's configuration: %w", err)
}

// Create creates a stream that pushes to the endpoint.
func (t *Transmitter) Create(ctx context.Context, endpoint string, events []string) (Stream, error) {
	var s Stream
	err := t.call(ctx, http.MethodPost, t.Configuration, map[string]any{
		"delivery":         map[string]string{"method": Push, "endpoint_url": endpoint},
		"events_requested": events, "description": "AWS Client VPN responder",
	}, &s)
	return s, wrap("creating the stream", err)
}

// State returns the status of a stream, "enabled", "paused" or "disabled", and the transmitter's reason.
func (t *Transmitter) State(ctx context.Context, id string) (status, reason string, err error) {
	var s struct{ Status, Reason string }
	err = t.call(ctx, http.MethodGet, withID(t.Status, id), nil, &s)
	return s.Status, s.Reason, wrap("reading the status of the stream", err)
}

// Verify has the transmitter send a verification event with a text.
func (t *Transmitter) Verify(ctx context.Context, id, state string) error {
	body := map[string]string{"stream_id": id, "state": state}
	return wrap("asking for a verification event", t.call(ctx, http.MethodPost, t.Verification, body, nil))
}

// Delete deletes a stream.
func (t *Transmitter) Delete(ctx context.Context, id string) error {
	return wrap("deleting the stream", t.call(ctx, http.MethodDelete, withID(t.Configuration, id), nil, nil))
}

func withID(address, id string) string { return address + "?" + url.Values{"stream_id": {id}}.Encode() }

func wrap(doing string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// call sends a request, and reads the answer into out unless that is nil.
func (t *Transmitter) call(ctx context.Context, method, address string, in, out any) error {
	if u, err := url.Parse(address); err != nil || u.Host != t.host {
		return fmt.Errorf("the transmitter names the address %q, which is not on %s", address, t.host)
	}
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, address, &body)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if t.token != "" {
		request.Header.Set("Authorization", "Bearer "+t.token)
	}
	response, err := t.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("%s: %s", response.Status, bytes.TrimSpace(raw[:min(len(raw), 500)]))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(raw, out)
}
