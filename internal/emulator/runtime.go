package emulator

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

func (f *Function) api() http.Handler {
	mux := http.NewServeMux()
	const base = "/2018-06-01/runtime/"
	mux.HandleFunc("GET "+base+"invocation/next", f.serveNext)
	mux.HandleFunc("POST "+base+"invocation/{id}/response", f.serveAnswer)
	mux.HandleFunc("POST "+base+"invocation/{id}/error", f.serveAnswer)
	mux.HandleFunc("POST "+base+"init/error", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAnswer))
		select {
		case <-f.ready:
			transition(w, "InitError")
		default:
			fmt.Fprintf((*logWriter)(f), "init error: %s\n", body)
			reply(w, http.StatusAccepted, map[string]string{"status": "OK"})
		}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-f.begun
		f.sampleRSS()
		mux.ServeHTTP(w, r)
	})
}

func reply(w http.ResponseWriter, status int, body map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // an error means that the process has gone
}

// The shapes of errors are those of Lambda's Runtime Interface Emulator.
func transition(w http.ResponseWriter, to string) {
	reply(w, http.StatusForbidden, map[string]string{"errorType": "InvalidStateTransition",
		"errorMessage": "Transition to " + to + " is not allowed."})
}

func (f *Function) serveNext(w http.ResponseWriter, r *http.Request) {
	if f.busy() {
		transition(w, "Ready")
		return
	}
	select {
	case inv := <-f.work:
		f.mu.Lock()
		f.current = inv
		f.mu.Unlock()
		f.serveInvocation(w, inv)
	case <-r.Context().Done():
	}
}

// busy notes the first request for work, and reports whether an invocation is still without an answer.
func (f *Function) busy() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.ready:
	default:
		f.toReady = time.Since(f.started)
		close(f.ready)
	}
	return f.current != nil && !f.current.answered
}

func (f *Function) serveInvocation(w http.ResponseWriter, inv *invocation) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", f.arn)
	trace := digest("trace "+inv.id, 0)
	h.Set("Lambda-Runtime-Trace-Id",
		fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", time.Now().Unix(), trace[:24], trace[24:40]))
	w.Write(inv.payload) // an error means that the process has gone
}

func (f *Function) serveAnswer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAnswer))
	var tooLarge *http.MaxBytesError
	f.mu.Lock()
	defer f.mu.Unlock()
	inv := f.current
	switch {
	case inv == nil || r.PathValue("id") != inv.id:
		reply(w, http.StatusBadRequest, map[string]string{
			"errorType": "InvalidRequestID", "errorMessage": "Invalid request ID"})
	case inv.answered:
		transition(w, "InvocationResponse")
	case errors.As(err, &tooLarge):
		message := fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxAnswer)
		inv.take(Answer{Failure: &Failure{"Function.ResponseSizeTooLarge", message}})
		reply(w, http.StatusRequestEntityTooLarge, map[string]string{
			"errorType": "RequestEntityTooLarge", "errorMessage": message})
	case err != nil: // the process has gone
	default:
		inv.take(answerOf(r, body))
		reply(w, http.StatusAccepted, map[string]string{"status": "OK"})
	}
}

// answerOf returns what the function posted: a response or an error.
func answerOf(r *http.Request, body []byte) Answer {
	if !strings.HasSuffix(r.URL.Path, "/error") {
		return Answer{Payload: body}
	}
	var posted struct{ ErrorType, ErrorMessage string }
	if json.Unmarshal(body, &posted) != nil {
		posted.ErrorMessage = string(body)
	}
	kind := cmp.Or(posted.ErrorType, r.Header.Get("Lambda-Runtime-Function-Error-Type"))
	return Answer{Payload: body, Failure: &Failure{kind, posted.ErrorMessage}}
}

func (inv *invocation) take(a Answer) {
	inv.answered = true
	inv.answer <- a
}
