package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"clientvpn-responder/internal/console"
)

// TestStreamIsCreatedWithItsDoor: the tool prints what the parameter Doors needs.
func TestStreamIsCreatedWithItsDoor(t *testing.T) {
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			fmt.Fprint(w, `{"stream_id": "s1", "aud": "vpn/1", "events_delivered": ["x"]}`)
			return
		}
		fmt.Fprintf(w, `{"issuer": %q, "jwks_uri": "%[1]s/jwks", "configuration_endpoint": "%[1]s/streams"}`, server.URL)
	}))
	t.Cleanup(server.Close)
	create := func(token string) (int, string) {
		t.Setenv(tokenVariable, token)
		var out, err bytes.Buffer
		arguments := []string{"ssf", "create", server.URL, "https://door.example.com/ssf"}
		code := run(t.Context(), arguments, &console.Console{Out: &out, Err: &err})
		return code, out.String() + err.String()
	}
	if code, said := create(""); code != exitDiffers || !strings.Contains(said, "SSF_TOKEN is not set") {
		t.Errorf("%d %s", code, said)
	}
	want := fmt.Sprintf(`{"accepts":"shared-signals","audience":"vpn/1","issuer":%q,"keys":"%[1]s/jwks","path":"/ssf"}`,
		server.URL)
	code, said := create("secret")
	if code != exitDone || !strings.Contains(said, want) || strings.Contains(said, "secret") {
		t.Errorf("%d %s", code, said)
	}
}
