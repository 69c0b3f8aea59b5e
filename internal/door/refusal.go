package door

import (
	"encoding/json"
	"net/http"
)

// Reason is why a door refuses a request: for the log, never for the sender.
type Reason string

// The reasons.
const (
	NoDoor         Reason = "no door has this path"
	WrongMethod    Reason = "the method is not POST"
	TooLarge       Reason = "the body is too large"
	WrongMediaType Reason = "the content type is another"
	NoToken        Reason = "there is no token"
	BadToken       Reason = "the token cannot be read"
	WrongType      Reason = "the token is of another type"
	WrongAlgorithm Reason = "the algorithm of the signature is not allowed"
	UnknownIssuer  Reason = "no door of this path has this issuer"
	BadSignature   Reason = "no key of the issuer made the signature"
	WrongAudience  Reason = "the token is for another audience"
	WrongTime      Reason = "the token is not valid at this time"
	WrongSubject   Reason = "the token is about another sender"
	NoTokenID      Reason = "the token has no jti"
	Replayed       Reason = "the token was used with another body"
	BadBody        Reason = "the body cannot be read"
	NoPerson       Reason = "the subject is of a kind that is no person"
	TooSoon        Reason = "the keys were fetched a moment ago"
	NoKeys         Reason = "the keys could not be fetched"
	NoQueue        Reason = "the event could not be stored"
)

// answers are the answers to each reason: the status, and for Shared Signals its status and error code.
// Source: draft-parecki-oauth-global-token-revocation-06, "Error response"; RFC 8935, section 2.4.
var answers = map[Reason]struct {
	status, signals int
	code            string
}{
	NoDoor:         {http.StatusNotFound, http.StatusNotFound, ""},
	WrongMethod:    {http.StatusMethodNotAllowed, http.StatusMethodNotAllowed, ""},
	TooLarge:       {http.StatusRequestEntityTooLarge, http.StatusRequestEntityTooLarge, "invalid_request"},
	WrongMediaType: {http.StatusUnsupportedMediaType, http.StatusUnsupportedMediaType, "invalid_request"},
	NoToken:        {http.StatusUnauthorized, http.StatusBadRequest, "invalid_request"},
	BadToken:       {http.StatusUnauthorized, http.StatusBadRequest, "invalid_request"},
	WrongType:      {http.StatusUnauthorized, http.StatusBadRequest, "invalid_request"},
	WrongAlgorithm: {http.StatusUnauthorized, http.StatusBadRequest, "invalid_key"},
	UnknownIssuer:  {http.StatusUnauthorized, http.StatusBadRequest, "invalid_issuer"},
	BadSignature:   {http.StatusUnauthorized, http.StatusBadRequest, "invalid_key"},
	WrongAudience:  {http.StatusUnauthorized, http.StatusBadRequest, "invalid_audience"},
	WrongTime:      {http.StatusUnauthorized, http.StatusBadRequest, "invalid_request"},
	WrongSubject:   {http.StatusForbidden, http.StatusBadRequest, "access_denied"},
	NoTokenID:      {http.StatusUnauthorized, http.StatusBadRequest, "invalid_request"},
	Replayed:       {http.StatusUnauthorized, http.StatusBadRequest, "invalid_request"},
	BadBody:        {http.StatusBadRequest, http.StatusBadRequest, "invalid_request"},
	NoPerson:       {http.StatusUnprocessableEntity, http.StatusBadRequest, "invalid_request"},
	TooSoon:        {http.StatusTooManyRequests, http.StatusTooManyRequests, ""},
	NoKeys:         {http.StatusServiceUnavailable, http.StatusServiceUnavailable, ""},
	NoQueue:        {http.StatusServiceUnavailable, http.StatusServiceUnavailable, ""},
}

// descriptions say what each code of RFC 8935 means. They are the same whatever was sent.
var descriptions = map[string]string{
	"invalid_request":  "The request or the token does not have the form that this receiver accepts.",
	"invalid_key":      "The key or the algorithm of the signature is not acceptable.",
	"invalid_issuer":   "The issuer is not recognized.",
	"invalid_audience": "The audience is another.",
	"access_denied":    "The transmitter may not send this token.",
}

// Refusal is a request that does not pass.
type Refusal struct {
	Door *Door // nil where no door has the path
	Why  Reason
	// Cause is what a service answered where it kept the request from passing, for the log alone; nil elsewhere.
	Cause error
}

func refuse(d *Door, why Reason) *Refusal { return &Refusal{Door: d, Why: why} }

// Temporary reports whether the same request may pass later.
func (r *Refusal) Temporary() bool { return r.Why == TooSoon || r.Why == NoKeys || r.Why == NoQueue }

// Answer is a response to the sender.
type Answer struct {
	Status int
	Header map[string]string
	Body   string
}

// Answer returns the response to a refusal. It depends on the reason alone.
func (r *Refusal) Answer() Answer {
	a := answers[r.Why]
	signals := r.Door != nil && r.Door.Accepts == Signals
	answer := Answer{Status: a.status, Header: map[string]string{"Cache-Control": "no-store"}}
	if signals {
		answer.Status = a.signals
	}
	switch {
	case signals && a.code != "":
		body, _ := json.Marshal(map[string]string{"err": a.code, "description": descriptions[a.code]}) // always encodes
		answer.Body = string(body)
		answer.Header["Content-Type"] = "application/json"
		answer.Header["Content-Language"] = "en"
	case answer.Status == http.StatusUnauthorized && r.Why == NoToken:
		answer.Header["WWW-Authenticate"] = "Bearer"
	case answer.Status == http.StatusUnauthorized:
		answer.Header["WWW-Authenticate"] = `Bearer error="invalid_token"`
	case answer.Status == http.StatusMethodNotAllowed:
		answer.Header["Allow"] = http.MethodPost
	case r.Temporary():
		answer.Header["Retry-After"] = "60"
	}
	return answer
}

// Answer returns the response to a request that passed, once its event is stored.
func (p Passed) Answer() Answer {
	status := http.StatusNoContent
	if p.Door.Accepts == Signals {
		status = http.StatusAccepted
	}
	return Answer{Status: status, Header: map[string]string{"Cache-Control": "no-store"}}
}
