package main

import (
	"encoding/json"
	"strings"
	"testing"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/held"
	"clientvpn-responder/internal/ledger"
)

// TestOwnFormClosesOnlyWhereAllowed: an event from the bus that says an account is closed goes back, in any spelling,
// and so ends in the dead letters. The operator's tool, which invokes the function, and events that a person released
// get through; so does a termination of another kind.
func TestOwnFormClosesOnlyWhereAllowed(t *testing.T) {
	closing := leaver("e1", "alice")
	const plain, other = `"kind":"account-disabled"`, `"K-IND":" account-purged "`
	spelled := []byte(strings.Replace(string(leaver("e2", "alice")), plain, other, 1))
	taken := []byte(strings.Replace(string(leaver("e5", "alice")), "account-disabled", "token-claims-change", 1))
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
		{"of the VPN alone", batch(taken), "no", true},
		{"where it is allowed", batch(closing), "yes", false},
		{"of another kind", batch(session), "no", false},
		{"from the provider itself", batch(eventFile(t, "okta/user-deactivate.json")), "no", false},
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

// TestSenderDoesNotReinstate: the bus's policy keeps the detail-type Reinstate for operators. A sender's request to
// terminate lifts nothing by its kind, whether closings are allowed or not. Without the setting, any kind may come.
func TestSenderDoesNotReinstate(t *testing.T) {
	for _, setting := range []string{"", "no", "yes"} {
		cloud := cloudWith(emulator.Client{Username: "alice"})
		cloud.AddTable("keepout", "id")
		f := start(t, cloud, "LEDGER_TABLE=keepout", "OWN_FORM_CLOSES="+setting, "WATCH=0")
		invoke(t, f, leaver("e1", "alice"))
		for _, detailType := range []string{"Terminate Connections", "Reinstate"} {
			opening := strings.Replace(string(leaver("e-"+detailType, "alice")), "account-disabled", "account-enabled", 1)
			opening = strings.Replace(opening, "Terminate Connections", detailType, 1)
			answer := invoke(t, f, batch([]byte(opening)))
			refused := strings.Contains(string(answer.Payload), `"itemIdentifier":"m0"`)
			if kept := keptOut(t, cloud); refused != (setting != "" && detailType != "Reinstate") || kept != refused {
				t.Errorf("%s with OWN_FORM_CLOSES=%s: %s, kept out %t\n%s", detailType, setting, answer.Payload, kept, f.Logs())
			}
		}
	}
}

// keptOut reports whether somebody is on the keep-out list.
func keptOut(t *testing.T, cloud *emulator.Cloud) bool {
	t.Helper()
	url, stop, err := emulator.Serve(cloud)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	entries, err := ledger.New(tableConfig(url), "keepout").List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(entries) > 0
}

// quote returns the text as a JSON string.
func quote(text []byte) string {
	raw, _ := json.Marshal(string(text))
	return string(raw)
}
