package ssf_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"clientvpn-responder/internal/ssf"
)

// transmitter is a transmitter with one stream, whose metadata is before or behind the path.
func transmitter(t *testing.T, metadata string) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("GET "+metadata, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the token is sent before the transmitter is known")
		}
		fmt.Fprintf(w, `{"issuer": "%s/acme", "jwks_uri": "%[1]s/jwks", "configuration_endpoint": "%[1]s/streams",
			"status_endpoint": "%[1]s/status", "verification_endpoint": "%[1]s/verify"}`, server.URL)
	})
	authorized := func(serve http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer secret" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			serve(w, r)
		}
	}
	mux.HandleFunc("POST /streams", authorized(func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Delivery map[string]string
			Events   []string `json:"events_requested"`
		}
		if json.NewDecoder(r.Body).Decode(&asked) != nil || asked.Delivery["method"] != ssf.Push || len(asked.Events) == 0 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"stream_id": "s 1", "iss": "x", "aud": ["vpn/1"], "events_delivered": [%q]}`, asked.Events[0])
	}))
	mux.HandleFunc("GET /status", authorized(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"stream_id": %q, "status": "paused", "reason": "on request"}`, r.URL.Query().Get("stream_id"))
	}))
	for _, pattern := range []string{"POST /verify", "DELETE /streams"} {
		mux.HandleFunc(pattern, authorized(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
		}))
	}
	return server
}

// TestStreamsAreManaged: created, looked at, verified and deleted, wherever the metadata is.
func TestStreamsAreManaged(t *testing.T) {
	for _, metadata := range []string{"/.well-known/ssf-configuration/acme", "/acme/.well-known/ssf-configuration"} {
		server := transmitter(t, metadata)
		tr, err := ssf.Discover(t.Context(), server.Client(), server.URL+"/acme", "secret")
		if err != nil || tr.Keys != server.URL+"/jwks" {
			t.Fatalf("%+v %v", tr, err)
		}
		s, err := tr.Create(t.Context(), "https://door.example.com/ssf", ssf.Events)
		if err != nil || s.ID != "s 1" || !slices.Equal(s.Audiences(), []string{"vpn/1"}) || len(s.Delivered) != 1 {
			t.Errorf("%+v %v", s, err)
		}
		if status, reason, err := tr.State(t.Context(), s.ID); err != nil || status != "paused" || reason != "on request" {
			t.Errorf("%s %s %v", status, reason, err)
		}
		if err := tr.Verify(t.Context(), s.ID, "hello"); err != nil {
			t.Error(err)
		}
		if err := tr.Delete(t.Context(), s.ID); err != nil {
			t.Error(err)
		}
	}
}

// TestTokenStaysWithTheTransmitter: metadata that leads elsewhere gets no token, and a refusal is reported.
func TestTokenStaysWithTheTransmitter(t *testing.T) {
	server := transmitter(t, "/acme/.well-known/ssf-configuration")
	tr, err := ssf.Discover(t.Context(), server.Client(), server.URL+"/acme", "wrong")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := tr.State(t.Context(), "1"); err == nil || !strings.Contains(err.Error(), "401") {
		t.Error(err)
	}
	tr.Status = "https://evil.example/status"
	if _, _, err := tr.State(t.Context(), "1"); err == nil || !strings.Contains(err.Error(), "is not on") {
		t.Error(err)
	}
	if _, err := ssf.Discover(t.Context(), server.Client(), "acme", ""); err == nil {
		t.Error("a transmitter without a host")
	}
}
