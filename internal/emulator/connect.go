package emulator

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"
)

// handlerTime is how long a client connect handler may take. No setting changes it.
// Source: Client VPN Administrator Guide, connection authorization.
const handlerTime = 30 * time.Second

// Refusal is a connection that was not established.
type Refusal struct {
	Client
	At time.Time
	// Reason is that of the connection log: client-connect-failed for a connection that the handler denied,
	// client-connect-handler-timed-out, -other-execution-error or -invalid-response for a handler that failed.
	// Source: Client VPN Administrator Guide, connection logging.
	Reason string
	// Message is what the client shows.
	Message string
	// Err is what was wrong with the handler; nil if it denied.
	Err error
}

// Attempt lets a client connect now as it does on AWS: if there is a [Cloud.ConnectHandler], it must allow the
// connection. It panics like [Cloud.Connect].
func (c *Cloud) Attempt(k Client) (connectionID string, established bool) {
	c.enter()
	defer c.mu.Unlock()
	c.check(k)
	at := k.since()
	link := c.admit(k, at)
	if link == nil {
		c.reconnect(k, at)
		return "", false
	}
	return link.id, true
}

// Refused returns the connections that were not established, in order.
func (c *Cloud) Refused() []Refusal {
	c.enter()
	defer c.mu.Unlock()
	return slices.Clone(c.refused)
}

// asks reports whether the endpoint has a client connect handler.
func (c *Cloud) asks(e *endpoint) bool { return c.ConnectHandler != nil && !e.NoConnectHandler }

// admit establishes a connection if the handler allows it. It does not hold the state while the handler runs.
func (c *Cloud) admit(k Client, at time.Time) *conn {
	if !c.asks(c.byID[k.EndpointID]) {
		return c.establish(k, at)
	}
	if k.ID == "" {
		k.ID = connectionID(c.next())
	}
	c.asking = true
	c.mu.Unlock()
	refusal := c.ask(k)
	c.mu.Lock()
	c.asking = false
	c.answered.Broadcast()
	if refusal == nil {
		return c.establish(k, at)
	}
	refusal.Client, refusal.At = k, at
	c.refused = append(c.refused, *refusal)
	return nil
}

// connectRequest is that of schema v3 (Client VPN Administrator Guide, connection authorization).
type connectRequest struct {
	ConnectionID    string   `json:"connection-id"`
	EndpointID      string   `json:"endpoint-id"`
	CommonName      string   `json:"common-name"`
	Username        string   `json:"username"`
	Platform        string   `json:"platform"`
	PlatformVersion string   `json:"platform-version"`
	PublicIP        string   `json:"public-ip"`
	OpenVPNVersion  string   `json:"client-openvpn-version"`
	ClientVersion   string   `json:"aws-client-version"`
	Groups          []string `json:"groups"`
	SchemaVersion   string   `json:"schema-version"`
}

// shown is the message for a denial without one of the handler's.
const shown = "Error establishing connection. Please contact your administrator."

// ask lets the handler decide; nil allows. A failure of the handler, or a bad answer, denies.
func (c *Cloud) ask(k Client) *Refusal {
	request, err := json.Marshal(connectRequest{
		ConnectionID: k.ID, EndpointID: k.EndpointID, CommonName: k.CommonName, Username: k.Username,
		Platform: "linux", PlatformVersion: "6.8", PublicIP: "203.0.113.7", OpenVPNVersion: "2.6.12",
		ClientVersion: "5.3.0", Groups: []string{}, SchemaVersion: "v3",
	})
	if err != nil {
		panic(err) // it is ours, and encodes
	}
	ctx, cancel := context.WithTimeout(context.Background(), handlerTime)
	defer cancel()
	raw, err := c.ConnectHandler(ctx, request)
	switch {
	case ctx.Err() != nil:
		return &Refusal{Reason: "client-connect-handler-timed-out", Message: shown, Err: ctx.Err()}
	case err != nil:
		return &Refusal{Reason: "client-connect-handler-other-execution-error", Message: shown, Err: err}
	}
	var a connectAnswer
	if err = json.Unmarshal(raw, &a); err != nil {
		err = fmt.Errorf("reading the handler's answer: %w", err)
	} else {
		err = a.check()
	}
	switch {
	case err != nil:
		return &Refusal{Reason: "client-connect-handler-invalid-response", Message: shown, Err: err}
	case *a.Allow:
		return nil
	}
	return &Refusal{Reason: "client-connect-failed", Message: cmp.Or(*a.Message, shown)}
}

// connectAnswer is that of schema v2 and v3, which require the same members. AWS does not document whether other
// members may be there, and whether any version may be answered to any.
type connectAnswer struct {
	Allow    *bool     `json:"allow"`
	Message  *string   `json:"error-msg-on-denied-connection"`
	Statuses *[]string `json:"posture-compliance-statuses"`
	Version  *string   `json:"schema-version"`
}

func (a *connectAnswer) check() error {
	tooLong := func(s string) bool { return utf8.RuneCountInString(s) > 255 }
	switch {
	case a.Allow == nil || a.Message == nil || a.Statuses == nil || a.Version == nil:
		return errors.New("the handler's answer lacks a member")
	case *a.Version != "v2" && *a.Version != "v3":
		return fmt.Errorf("the handler's answer is of version %q", *a.Version)
	case tooLong(*a.Message):
		return errors.New("the message for denied connections has more than 255 characters")
	case len(*a.Statuses) > 10 || slices.ContainsFunc(*a.Statuses, tooLong):
		return errors.New("more than 10 posture statuses, or one of more than 255 characters")
	}
	return nil
}
