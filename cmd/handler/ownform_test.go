package main

import (
	"encoding/json"
	"strings"
	"testing"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/held"
)

// TestOwnFormClosesOnlyWhereAllowed: an event from the bus that says an account is closed goes back, in any spelling,
// and so ends in the dead letters. The operator's tool, which invokes the function, and events that a person released
// get through; so does a termination of another kind.
func TestOwnFormClosesOnlyWhereAllowed(t *testing.T) {
	closing := leaver("e1", "alice")
	const plain, other = `"kind":"account-disabled"`, `"K-IND":" account-purged "`
	spelled := []byte(strings.Replace(string(leaver("e2", "alice")), plain, other, 1))
	session := []byte(strings.Replace(string(leaver("e3", "alice")), "account-disabled", "session-revoked", 1))
	released := []byte(`{"Records":[{"messageId":"m0","eventSource":"aws:sqs","body":` + quote(leaver("e4", "alice")) +
		`,"messageAttributes":{"` + held.ReleaseAttribute + `":{"dataType":"String","stringValue":` +
		quote([]byte("custom\n2026-11-20T10:00:00Z\ncarol\nthey leave")) + `}}}]}`)
	for _, test := range []struct {
		name    string
		payload []byte
		setting string
		refused bool
	}{
		{"from the bus", batch(closing), "no", true},
		{"in another spelling", batch(spelled), "no", true},
		{"where it is allowed", batch(closing), "yes", false},
		{"of another kind", batch(session), "no", false},
		{"by the operator's tool", closing, "no", false},
		{"after a release", released, "no", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			cloud := cloudWith(emulator.Client{Username: "alice"})
			f := start(t, cloud, "OWN_FORM_CLOSES="+test.setting, "WATCH=0")
			answer := invoke(t, f, test.payload)
			refused := strings.Contains(string(answer.Payload), `"itemIdentifier":"m0"`)
			if answer.Failure != nil || refused != test.refused || (up(cloud) == 1) != test.refused {
				t.Errorf("%s, %d up\n%s", answer.Payload, up(cloud), f.Logs())
			}
			if log := logs(f); strings.Contains(log, `set the parameter OwnFormCloses`) != test.refused {
				t.Error(log)
			}
		})
	}
}

// quote returns the text as a JSON string.
func quote(text []byte) string {
	raw, _ := json.Marshal(string(text))
	return string(raw)
}
