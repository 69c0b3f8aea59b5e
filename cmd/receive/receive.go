package main

import (
	"context"
	"encoding/base64"
	"log/slog"
	"strings"
	"time"

	"clientvpn-responder/internal/door"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/metric"

	"github.com/aws/aws-lambda-go/events"
)

// handler answers requests to the function's URL.
type handler struct {
	log    *slog.Logger
	gate   *door.Gate
	queue  *door.Queue
	ledger *ledger.Table
}

// onceFor is how long a token that is good once is remembered: longer than any is valid.
const onceFor = time.Hour

// handle answers one request. A refusal is an answer, and no error of the function.
func (h *handler) handle(ctx context.Context, e events.LambdaFunctionURLRequest) (response, error) {
	passed, refused := h.pass(ctx, e)
	if refused != nil {
		h.report(ctx, e, refused.Door, refused)
		return respond(refused.Answer()), nil
	}
	h.heard(ctx, passed.Door)
	h.report(ctx, e, passed.Door, nil)
	return respond(passed.Answer()), nil
}

// pass verifies a request and stores its event.
func (h *handler) pass(ctx context.Context, e events.LambdaFunctionURLRequest) (door.Passed, *door.Refusal) {
	passed, refused := h.gate.Enter(ctx, request(e))
	if refused != nil {
		return passed, refused
	}
	refuse := func(why door.Reason, cause error) (door.Passed, *door.Refusal) {
		return door.Passed{}, &door.Refusal{Door: passed.Door, Why: why, Cause: cause}
	}
	if passed.Once != "" {
		only, err := h.ledger.Once(ctx, passed.Once, passed.Body, time.Now().Add(onceFor))
		switch {
		case err != nil:
			return refuse(door.NoQueue, err)
		case !only:
			return refuse(door.Replayed, nil)
		}
	}
	if err := h.queue.Send(ctx, passed.Event); err != nil {
		return refuse(door.NoQueue, err)
	}
	return passed, nil
}

// heard notes that the door's issuer is not silent. An event that is stored is accepted, whatever becomes of the note.
func (h *handler) heard(ctx context.Context, d *door.Door) {
	silence, err := time.ParseDuration(d.Silence)
	if err != nil {
		return // the door may be silent
	}
	if err := h.ledger.HeardAtDoor(ctx, d.Path, time.Now(), silence); err != nil {
		h.log.Warn("the ledger does not know that a door was heard", "door", d.Path, "error", err.Error())
	}
}

// request returns what arrived. A body that is no base64 is empty, and so no door accepts it.
func request(e events.LambdaFunctionURLRequest) door.Request {
	r := door.Request{
		Method: e.RequestContext.HTTP.Method, Host: e.RequestContext.DomainName, Path: e.RawPath,
		Header: map[string]string{}, Body: []byte(e.Body), At: time.Now(),
	}
	for name, value := range e.Headers {
		r.Header[strings.ToLower(name)] = value
	}
	if e.IsBase64Encoded {
		r.Body, _ = base64.StdEncoding.DecodeString(e.Body)
	}
	return r
}

// response is what Lambda turns into HTTP.
type response = events.LambdaFunctionURLResponse

func respond(a door.Answer) response {
	return response{StatusCode: a.Status, Headers: a.Header, Body: a.Body}
}

// verdict is the word for an answer, in log and metrics.
type verdict string

const (
	accepted    verdict = "accepted"
	refused     verdict = "refused"
	unavailable verdict = "unavailable" // the sender may try again
)

// report logs the request and counts it. It logs no token, no name, and no path that no door has.
func (h *handler) report(
	ctx context.Context, e events.LambdaFunctionURLRequest, d *door.Door, r *door.Refusal,
) {
	v, level, path := accepted, slog.LevelInfo, ""
	if d != nil {
		path = d.Path
	}
	line := []slog.Attr{slog.String("door", path), slog.String("client_ip", e.RequestContext.HTTP.SourceIP)}
	if r != nil {
		v, level = refused, slog.LevelWarn
		if r.Temporary() {
			v = unavailable
		}
		line = append(line, slog.String("why", string(r.Why)))
		if r.Cause != nil {
			level = slog.LevelError
			line = append(line, slog.String("error", r.Cause.Error()))
		}
	}
	line = append(line, slog.String("Verdict", string(v)))
	h.log.LogAttrs(ctx, level, "door", append(line, metric.Doors.Attrs(slog.Int("DoorRequests", 1))...)...)
}
