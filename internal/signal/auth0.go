package signal

import (
	"encoding/json"
	"net/url"
	"strings"
)

// auth0Events are types of Auth0's log stream, of what its Management API was asked ("sapi" and "sscim" tell that in their
// details), and of its event streams.
// Source: Auth0 documentation, "Log event type codes", the tenant log schema, "Event types".
var auth0Events = []meaning{
	{"sdu", AccountPurged, ""},
	{"sapi blocked: true", AccountDisabled, "PATCH /api/v2/users/{id}; data.user_id is the administrator and not read"},
	{"sapi blocked: false", AccountEnabled, ""},
	{"sapi delete user", AccountPurged, "DELETE /api/v2/users/{id}"},
	{"universal_logout_succeeded", SessionRevoked, "Universal Logout, sent by an identity provider"},
	{"sscim active: false", AccountDisabled, "a directory says so through SCIM"},
	{"sscim active: true", AccountEnabled, ""},
	{"sscim delete user", AccountPurged, "a directory says so through SCIM"},
	{"user.deleted", AccountPurged, "guarantees the user's id only"},
	{"user.updated blocked: true", AccountDisabled, "comes again with every later update, unless previous_object is there to compare"},
	{"user.updated blocked: false", AccountEnabled, "only where previous_object says that the user was blocked"},

	{"sapi", "", "something else was asked of the Management API"},
	{"sscim", "", "something else was asked through SCIM"},
	{"user.created", "", "a new user"},
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

type auth0Log struct {
	Type     requiredString  `json:"type"`
	LogID    requiredString  `json:"log_id"`
	Date     lenientString   `json:"date"`
	UserID   requiredString  `json:"user_id"`
	UserName requiredString  `json:"user_name"`
	Details  json.RawMessage `json:"details"`
	Object   json.RawMessage `json:"object"`
}

type auth0Request struct {
	Request struct {
		Method lenientString   `json:"method"`
		Path   lenientString   `json:"path"`
		Body   json.RawMessage `json:"body"`
	} `json:"request"`
	Response struct {
		StatusCode number          `json:"statusCode"`
		Body       json.RawMessage `json:"body"`
	} `json:"response"`
}

// parseAuth0 tells the log stream's events, {"log_id", "data": {"type": …}} or flat, from the event streams' CloudEvents,
// {"type": "user.…", "data": {"object": …}}.
func parseAuth0(e event) ([]Signal, error) {
	var outer struct {
		auth0Log
		Data json.RawMessage `json:"data"`
	}
	if err := decode("detail", e.Detail, &outer); err != nil {
		return nil, err
	}
	if strings.HasPrefix(string(outer.Type), "user.") {
		return parseAuth0Stream(e, outer.Type, outer.Data)
	}
	log, path := outer.auth0Log, "detail"
	if len(outer.Data) > 0 && string(outer.Data) != "null" {
		path = "detail.data"
		log = auth0Log{}
		if err := decode(path, outer.Data, &log); err != nil {
			return nil, err
		}
		if log.LogID == "" {
			log.LogID = outer.LogID
		}
	}
	if log.Type == "" {
		return nil, unreadable(path+".type", "missing; an Auth0 log event has one")
	}
	s := Signal{ID: string(log.LogID), Type: string(log.Type), Time: requiredString(log.Date).time()}
	eventType := log.Type
	if log.Type == "sapi" || log.Type == "sscim" {
		var request auth0Request
		if len(log.Details) > 0 {
			if err := decode(path+".details", log.Details, &request); err != nil {
				return nil, err
			}
		}
		eventType, s.Subject = request.meaning(log.Type)
	} else {
		s.Subject = auth0User{UserID: log.UserID, Username: log.UserName}.subject("")
	}
	var err error
	if s.Kind, err = e.kind(eventType); err != nil {
		return nil, err
	}
	return []Signal{s}, nil
}

// meaning gives what was asked about one user, and the user: the id in the path, and the e-mail address in the response.
func (r auth0Request) meaning(logType requiredString) (requiredString, Subject) {
	path, id := string(r.Request.Path), ""
	switch {
	case r.Response.StatusCode.set && r.Response.StatusCode.value >= 400:
		return logType, Subject{}
	case logType == "sapi":
		id = strings.TrimPrefix(path, "/api/v2/users/")
	case strings.Contains(path, "/Users/"):
		_, id, _ = strings.Cut(path, "/Users/")
	}
	id, _, _ = strings.Cut(id, "?")
	if id == path || id == "" || strings.Contains(id, "/") {
		return logType, Subject{}
	}
	if decoded, err := url.PathUnescape(id); err == nil {
		id = decoded
	}
	var answer auth0User
	// An answer that cannot be read names nobody else; the path has the id.
	_ = json.Unmarshal(r.Response.Body, &answer)
	subject := answer.subject(id)
	method := Fold(string(r.Request.Method))
	if method == "delete" {
		return logType + " delete user", subject
	}
	var body struct {
		Blocked *flag `json:"blocked"`
	}
	// A body that cannot be read says nothing about access.
	if json.Unmarshal(r.Request.Body, &body) != nil {
		body.Blocked = nil
	}
	switch {
	case logType == "sapi" && method == "patch" && body.Blocked != nil:
		return logType + " blocked: " + word(bool(*body.Blocked)), subject
	case logType == "sscim" && (method == "patch" || method == "put"):
		if active, said := scimActive(r.Request.Body); said {
			return logType + " active: " + word(active), subject
		}
	}
	return logType, Subject{}
}

func word(b bool) requiredString {
	if b {
		return "true"
	}
	return "false"
}

// scimActive reads what a SCIM request says about "active": as a member of the user, or in one of the operations of a patch,
// where some clients write "Replace" and "False".
// Source: RFC 7644, section 3.5.2.
func scimActive(raw json.RawMessage) (active, said bool) {
	type user struct {
		Active *flag `json:"active"`
	}
	var body struct {
		user
		Operations []struct {
			Op    requiredString  `json:"op"`
			Path  requiredString  `json:"path"`
			Value json.RawMessage `json:"value"`
		} `json:"Operations"`
	}
	if json.Unmarshal(raw, &body) != nil {
		return false, false
	}
	if body.Active != nil {
		return bool(*body.Active), true
	}
	for _, o := range body.Operations {
		if op := Fold(string(o.Op)); op != "replace" && op != "add" {
			continue
		}
		var value user
		var plain flag
		switch Fold(string(o.Path)) {
		case "active":
			if len(o.Value) > 0 && plain.UnmarshalJSON(o.Value) == nil {
				active, said = bool(plain), true
			}
		case "":
			if json.Unmarshal(o.Value, &value) == nil && value.Active != nil {
				active, said = bool(*value.Active), true
			}
		}
	}
	return active, said
}

// auth0User is a user in an event of an event stream.
type auth0User struct {
	UserID   requiredString `json:"user_id"`
	Email    requiredString `json:"email"`
	Username requiredString `json:"username"`
	UserName requiredString `json:"userName"`
	Verified *flag          `json:"email_verified"`
	Blocked  *flag          `json:"blocked"`
}

// subject gives the user's names. Whoever signs up with a tenant that is open to all chooses a user name and claims an
// address: a name counts if it is an address, and an address unless it is said not to be verified. The rest are ids.
func (u auth0User) subject(id string) Subject {
	if u.Verified != nil && !bool(*u.Verified) {
		u.Email = ""
	}
	s := Subject{Usernames: names(u.Email), IDs: names(requiredString(id), u.UserID)}
	for _, name := range names(u.Username, u.UserName) {
		s.add(name)
	}
	return s
}

// add takes a name that the person chose: an address is a name, anything else an id.
func (s *Subject) add(name string) {
	switch {
	case !strings.Contains(name, "@"):
		s.IDs = names(append(texts(s.IDs), requiredString(name))...)
	default:
		s.Usernames = names(append(texts(s.Usernames), requiredString(name))...)
	}
}

func parseAuth0Stream(e event, eventType requiredString, raw json.RawMessage) ([]Signal, error) {
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
	if len(raw) > 0 {
		if err := decode("detail.data", raw, &data); err != nil {
			return nil, err
		}
	}
	u := data.Object
	blocked := func(u *auth0User) bool { return u != nil && u.Blocked != nil && bool(*u.Blocked) }
	if before := blocked(data.Previous); eventType == "user.updated" && before != blocked(&u) {
		eventType += " blocked: " + word(!before)
	}
	kind, err := e.kind(eventType)
	if err != nil {
		return nil, err
	}
	typed, _, _ := strings.Cut(string(eventType), " ")
	return []Signal{{
		ID: string(meta.ID), Kind: kind, Type: typed, Time: requiredString(meta.Time).time(),
		Subject: u.subject(""),
	}}, nil
}
