package signal

import (
	"cmp"
	"encoding/json"
	"strings"

	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/lazyregexp"
)

// auth0Events are types of Auth0's log stream and of its event streams. "sapi" and "sscim" are requests to the
// Management API and to SCIM, whose details say what was asked.
// Source: Auth0 documentation, "Log event type codes", the tenant log schema, "Event types".
var auth0Events = []meaning{
	{"sdu", AccountPurged, ""},
	{"sapi blocked: true", AccountDisabled,
		"PATCH /api/v2/users/{id}; data.user_id is the administrator and not read"},
	{"sapi blocked: false", AccountEnabled, ""},
	{"sapi delete user", AccountPurged, "DELETE /api/v2/users/{id}"},
	{"sapi delete sessions", SessionRevoked, "DELETE /api/v2/users/{id}/sessions; no captured event is known"},
	{"sapi delete refresh-tokens", SessionRevoked, "DELETE /api/v2/users/{id}/refresh-tokens; no captured event is known"},
	{"sapi revoke-access", SessionRevoked,
		"POST /api/v2/users/{id}/revoke-access, of all sessions; no captured event is known"},
	{"universal_logout_succeeded", SessionRevoked, "Universal Logout, sent by an identity provider"},
	{"sscim active: false", AccountDisabled, "a directory says so through SCIM"},
	{"sscim active: true", AccountEnabled, ""},
	{"sscim delete user", AccountPurged, "a directory says so through SCIM"},
	{"user.deleted", AccountPurged, "guarantees the user's id only"},
	{"user.updated blocked: true", AccountDisabled,
		"comes again with every later update, unless previous_object is there to compare"},
	{"user.updated blocked: false", AccountEnabled,
		"only where previous_object says that the user was blocked"},

	{"sapi", "", "something else was asked of the Management API"},
	{"sscim", "", "something else was asked through SCIM"},
	{"user.created", AccountEnabled, anew},
	{"user.updated", "", "something else about the user changed"},
	{"limit_wc", "", "failed sign-ins, which anybody can cause"},
	{"limit_mu", "", "about an address"},
	{"limit_sul", "", "too many sign-ins"},
	{"pwd_leak", "", "an attempt with a leaked password"},
	{"signup_pwd_leak", "", "an attempt with a leaked password"},
	{"fu", "", "a failed attempt"},
	{"fp", "", "a failed attempt"},
	{"fdu", "", "a failed attempt to delete a user"},
	{"universal_logout_failed", "", "a failed attempt"},
	{"slo", "", "an ordinary logout"},
	{"s", "", "somebody signed in"},
	{"ss", "", "somebody signed up"},
	{"sv", "", "an address was verified"},
	{"scp", "", "people change their passwords"},
	{"ublkdu", "", "undoes a lock-out"},
}

// auth0Log is an event of the log stream.
type auth0Log struct {
	Type       requiredString  `json:"type"`
	LogID      requiredString  `json:"log_id"`
	Date       lenientString   `json:"date"`
	UserID     requiredString  `json:"user_id"`
	UserName   requiredString  `json:"user_name"`
	Details    json.RawMessage `json:"details"`
	Connection lenientString   `json:"connection"`
	TenantName lenientString   `json:"tenant_name"`
	A0Tenant   lenientString   `json:"a0tenant"`
	Object     json.RawMessage `json:"object"`
}

// parseAuth0 reads the log stream's events, {"log_id", "data": {"type": …}} or flat, and the event streams'
// CloudEvents, {"type": "user.…", "data": {"object": …}}.
func parseAuth0(e event) ([]Signal, error) {
	var outer struct {
		auth0Log
		Data json.RawMessage `json:"data"`
	}
	if err := decode("detail", e.Detail, &outer); err != nil {
		return nil, err
	}
	if strings.HasPrefix(string(outer.Type), "user.") {
		return parseAuth0Stream(e, outer.auth0Log, outer.Data)
	}
	if len(outer.Data) == 0 || string(outer.Data) == "null" {
		return outer.auth0Log.parse(e, "detail")
	}
	var log auth0Log
	if err := decode("detail.data", outer.Data, &log); err != nil {
		return nil, err
	}
	log.LogID = cmp.Or(log.LogID, outer.LogID)
	return log.parse(e, "detail.data")
}

// parse reads the log event at the JSON path.
func (log auth0Log) parse(e event, path string) ([]Signal, error) {
	if log.Type == "" {
		return nil, unreadable(path+".type", "missing; an Auth0 log event has one")
	}
	tenant := log.tenant(e)
	user := auth0User{UserID: log.UserID, Username: log.UserName, Connection: log.Connection}
	eventType, subject := log.Type, user.subject(tenant, "")
	if log.Type == "sapi" || log.Type == "sscim" {
		var request auth0Request
		if err := decodeOptional(path+".details", log.Details, &request); err != nil {
			return nil, err
		}
		eventType, subject = request.meaning(log.Type, tenant)
	}
	kind, err := e.kind(eventType)
	if err != nil {
		return nil, err
	}
	return []Signal{{
		ID: string(log.LogID), Kind: kind, Type: string(log.Type), Time: log.Date.time(), Subject: subject,
	}}, nil
}

// parseAuth0Stream reads a CloudEvent of an event stream.
func parseAuth0Stream(e event, log auth0Log, raw json.RawMessage) ([]Signal, error) {
	var meta struct {
		ID   requiredString `json:"id"`
		Time lenientString  `json:"time"`
	}
	if err := decode("detail", e.Detail, &meta); err != nil {
		return nil, err
	}
	var data struct {
		Object   auth0User  `json:"object"`
		Previous *auth0User `json:"previous_object"`
	}
	if err := decodeOptional("detail.data", raw, &data); err != nil {
		return nil, err
	}
	eventType := log.Type
	meant := eventType
	if before := data.Previous.isBlocked(); eventType == "user.updated" && before != data.Object.isBlocked() {
		meant += " blocked: " + word(!before)
	}
	kind, err := e.kind(meant)
	if err != nil {
		return nil, err
	}
	return []Signal{{
		ID: string(meta.ID), Kind: kind, Type: string(eventType), Time: meta.Time.time(),
		Subject: data.Object.subject(log.tenant(e), ""),
	}}, nil
}

// auth0User is a user in an event of an event stream.
type auth0User struct {
	UserID     requiredString `json:"user_id"`
	Email      requiredString `json:"email"`
	Username   requiredString `json:"username"`
	UserName   requiredString `json:"userName"`
	Verified   *flag          `json:"email_verified"`
	Blocked    *flag          `json:"blocked"`
	Connection lenientString  `json:"connection"`
	Identities []struct {
		Connection lenientString `json:"connection"`
	} `json:"identities"`
}

func (u *auth0User) isBlocked() bool { return u != nil && u.Blocked != nil && bool(*u.Blocked) }

// subject returns the user's names. In a tenant that is open to all, anyone who signs up chooses a user name and claims
// an address. So a user name counts only if it is an address, and an address only if nothing says that it is
// unverified. Other names are ids.
func (u auth0User) subject(tenant identity.Issuer, id string) Subject {
	issuer := tenant
	if connection := Name(string(u.connection())); connection != "" {
		issuer.Within += "/" + connection
	}
	email := address(u.Email)
	switch {
	case u.Verified == nil:
	case bool(*u.Verified):
		email.form = identity.VerifiedAddress
	default:
		email.value = ""
	}
	return subjectOf(issuer,
		email, opaque(requiredString(id)), opaque(u.UserID), chosen(u.Username), chosen(u.UserName))
}

// connection returns the connection of the user's first identity, which is the one that signed up.
func (u auth0User) connection() lenientString {
	if len(u.Identities) > 0 {
		return u.Identities[0].Connection
	}
	return u.Connection
}

// auth0Source matches the part of a partner event source that Auth0 adds to the tenant's name.
var auth0Source = lazyregexp.New(`-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// tenant is the issuer, as the record or else the partner event source names it.
func (log auth0Log) tenant(e event) identity.Issuer {
	source := auth0Source().ReplaceAllString(string(e.partner()), "")
	return e.issuer(cmp.Or(requiredString(log.TenantName), requiredString(log.A0Tenant), requiredString(source)))
}
