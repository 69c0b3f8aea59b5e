package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"
)

// handlerTime is how long a client connect handler may take: 30 seconds, and no setting changes it (Client VPN Administrator
// Guide, connection authorization).
const handlerTime = 30 * time.Second

// Refusal is a connection that was not established.
type Refusal struct {
	Client
	At time.Time
	// Reason is that of the connection log (Client VPN Administrator Guide, connection logging): client-connect-failed for who was
	// denied, client-connect-handler-timed-out, -other-execution-error or -invalid-response for a handler that failed.
	Reason string
	// Message is what the client is shown.
	Message string
	// Err is what was wrong with the handler; nil for who was denied.
	Err error
}

// Attempt lets a client connect now as in reality: where there is a [Cloud.ConnectHandler], it has to allow it. It panics like
// [Cloud.Connect].
func (c *Cloud) Attempt(k Client) (connectionID string, established bool) {
	c.enter()
	defer c.mu.Unlock()
	c.check(k)
	at := k.Since
	if at.IsZero() {
		at = time.Now()
	}
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

// enter locks the state as it is by now. It waits for a connect handler that was asked and has not answered.
func (c *Cloud) enter() {
	c.mu.Lock()
	if c.answered.L == nil {
		c.answered.L = &c.mu
	}
	for c.asking {
		c.answered.Wait()
	}
	c.advance()
}

// asks reports whether the endpoint has a client connect handler.
func (c *Cloud) asks(e *endpoint) bool { return c.ConnectHandler != nil && !e.NoConnectHandler }

// admit establishes a connection if the handler, asked without holding the state, allows it.
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

// ask has the handler decide; nil allows. Whatever is wrong with the handler or its answer denies.
func (c *Cloud) ask(k Client) *Refusal {
	const shown = "Error establishing connection. Please contact your administrator."
	request, err := json.Marshal(connectRequest{
		ConnectionID: k.ID, EndpointID: k.EndpointID, CommonName: k.CommonName, Username: k.Username, Platform: "linux", PlatformVersion: "6.8",
		PublicIP: "203.0.113.7", OpenVPNVersion: "2.6.12", ClientVersion: "5.3.0", Groups: []string{}, SchemaVersion: "v3",
	})
	if err != nil {
		panic(err) // it is ours, and encodes
	}
	ctx, cancel := context.WithTimeout(context.Background(), handlerTime)
	defer cancel()
	answer, err := c.ConnectHandler(ctx, request)
	switch {
	case ctx.Err() != nil:
		return &Refusal{Reason: "client-connect-handler-timed-out", Message: shown, Err: ctx.Err()}
	case err != nil:
		return &Refusal{Reason: "client-connect-handler-other-execution-error", Message: shown, Err: err}
	}
	allow, message, err := readAnswer(answer)
	switch {
	case err != nil:
		return &Refusal{Reason: "client-connect-handler-invalid-response", Message: shown, Err: err}
	case allow:
		return nil
	case message == "":
		message = shown
	}
	return &Refusal{Reason: "client-connect-failed", Message: message}
}

// readAnswer holds an answer against schema v2 and v3, which ask for the same members. That other members are let pass, and that
// of the versions any is, is not documented by AWS.
func readAnswer(raw []byte) (allow bool, message string, err error) {
	var answer struct {
		Allow    *bool     `json:"allow"`
		Message  *string   `json:"error-msg-on-denied-connection"`
		Statuses *[]string `json:"posture-compliance-statuses"`
		Version  *string   `json:"schema-version"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return false, "", fmt.Errorf("reading the handler's answer: %w", err)
	}
	switch {
	case answer.Allow == nil || answer.Message == nil || answer.Statuses == nil || answer.Version == nil:
		return false, "", errors.New("the handler's answer lacks a member")
	case *answer.Version != "v2" && *answer.Version != "v3":
		return false, "", fmt.Errorf("the handler's answer is of version %q", *answer.Version)
	case utf8.RuneCountInString(*answer.Message) > 255:
		return false, "", errors.New("the message for denied connections has more than 255 characters")
	case len(*answer.Statuses) > 10 || slices.ContainsFunc(*answer.Statuses, func(s string) bool { return utf8.RuneCountInString(s) > 255 }):
		return false, "", errors.New("more than 10 posture statuses, or one of more than 255 characters")
	}
	return *answer.Allow, *answer.Message, nil
}
