package signal

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"clientvpn-responder/internal/identity"
)

// auth0Request is what was asked of the Management API or SCIM, and the answer.
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

// meaning returns what the request says about one user, and the user: the id in the path, and the address in the
// response.
func (r auth0Request) meaning(logType requiredString, tenant identity.Issuer) (requiredString, Subject) {
	id, part := r.userID(logType)
	if id == "" || r.Response.StatusCode.set && r.Response.StatusCode.value >= 400 {
		return logType, Subject{}
	}
	// An answer that cannot be read names nobody else; the path has the id.
	var user auth0User
	_ = json.Unmarshal(r.Response.Body, &user)
	subject := user.subject(tenant, id)
	var body struct {
		Blocked *flag `json:"blocked"`
	}
	switch method := Fold(string(r.Request.Method)); {
	case part != "":
		return logType + r.revokes(method, part), subject
	case method == "delete":
		return logType + " delete user", subject
	case logType == "sapi" && method == "patch":
		// A body that cannot be read says nothing about access.
		if json.Unmarshal(unquote(r.Request.Body), &body) == nil && body.Blocked != nil {
			return logType + " blocked: " + word(bool(*body.Blocked)), subject
		}
	case logType == "sscim" && (method == "patch" || method == "put"):
		if active, said := scimActive(unquote(r.Request.Body)); said {
			return logType + " active: " + word(active), subject
		}
	}
	return logType, Subject{}
}

// revokes returns what a request about a part of a user revokes: all of the sessions, or all of the refresh tokens.
func (r auth0Request) revokes(method, part string) requiredString {
	var body struct {
		SessionID requiredString `json:"session_id"`
	}
	switch {
	case method == "delete" && (part == "sessions" || part == "refresh-tokens"):
		return " delete " + requiredString(part)
	case method != "post" || part != "revoke-access":
		return ""
	case len(r.Request.Body) > 0 && json.Unmarshal(r.Request.Body, &body) != nil || body.SessionID != "":
		return ""
	}
	return " revoke-access"
}

// userID returns the user's id from the request's path, and the part of the user behind it, if any. The id is "" if the
// request is not about one user.
func (r auth0Request) userID(logType requiredString) (id, part string) {
	path, _, _ := strings.Cut(string(r.Request.Path), "?")
	rest, ok := strings.CutPrefix(path, "/api/v2/users/")
	if logType != "sapi" {
		_, rest, ok = strings.Cut(path, "/Users/")
	}
	id, part, _ = strings.Cut(rest, "/")
	if !ok || strings.Contains(part, "/") || part != "" && logType != "sapi" {
		return "", ""
	}
	if decoded, err := url.PathUnescape(id); err == nil {
		id = decoded
	}
	return id, part
}

func word(b bool) requiredString { return requiredString(strconv.FormatBool(b)) }

// scimActive reads what a SCIM request says about "active". It is a member of the user, or in an operation of a
// patch. Some clients write "Replace" and "False" there.
// Source: RFC 7644, section 3.5.2.
func scimActive(raw json.RawMessage) (active, said bool) {
	var body struct {
		scimUser
		Operations []scimOperation `json:"Operations"`
	}
	if json.Unmarshal(raw, &body) != nil {
		return false, false
	}
	if body.Active != nil {
		return bool(*body.Active), true
	}
	for _, o := range body.Operations {
		if value, ok := o.active(); ok {
			active, said = value, true
		}
	}
	return active, said
}

type scimUser struct {
	Active *flag `json:"active"`
}

type scimOperation struct {
	Op    requiredString  `json:"op"`
	Path  requiredString  `json:"path"`
	Value json.RawMessage `json:"value"`
}

// active returns what the operation sets "active" to, if it does.
func (o scimOperation) active() (active, said bool) {
	if op := Fold(string(o.Op)); op != "replace" && op != "add" {
		return false, false
	}
	switch Fold(string(o.Path)) {
	case "active":
		var plain flag
		if len(o.Value) > 0 && plain.UnmarshalJSON(o.Value) == nil {
			return bool(plain), true
		}
	case "":
		var value scimUser
		if json.Unmarshal(o.Value, &value) == nil && value.Active != nil {
			return bool(*value.Active), true
		}
	}
	return false, false
}
