package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"clientvpn-responder/internal/signal"
)

// TestPollSendsWhatTheParserReads: each record of the audit log among the examples means the same when the poll sends
// it. A record that asks for nothing is left out.
func TestPollSendsWhatTheParserReads(t *testing.T) {
	files, err := filepath.Glob("../../events/entra/*.json")
	if err != nil {
		t.Fatal(err)
	}
	meant := 0
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, activity := range alike {
			meant += sentAs(t, file, []byte(strings.ReplaceAll(string(body), activity[0], activity[1])))
		}
	}
	if meant < 30 {
		t.Errorf("%d signals in %q", meant, files)
	}
}

// alike are pairs of activities: an example has a record of the first, and the second has the same form.
var alike = [][2]string{
	{"Delete user", "Delete user"}, {"Delete user", "Add user"}, {"Delete user", "Restore user"},
	{"Delete user", "Hard Delete user"}, {"Disable account", "Update user"}, {"Delete user", "ConfirmAccountCompromised"},
	{"Delete user", "Confirm user compromised"}, {"Delete user", "Confirm compromised"},
	{"Remove member from group", "Remove app role assignment from user"}, {"Delete group", "Hard Delete group"},
	{"Add member to group", "Add app role assignment grant to user"},
}

// sentAs has the poll send an event's record, and returns how many signals it has.
func sentAs(t *testing.T, file string, body []byte) int {
	t.Helper()
	var event struct {
		Type   string `json:"detail-type"`
		Detail struct{ Properties json.RawMessage }
	}
	if err := json.Unmarshal(body, &event); err != nil || event.Detail.Properties == nil || event.Type != "AuditLogs" {
		return 0 // of another form
	}
	want := meaningOf(body)
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.must(t)
		s.graph.AddRawRecord("audits", string(event.Detail.Properties))
		s.must(t)
		var got []string
		for _, m := range s.cloud.Queued(queue)[1:] {
			got = append(got, meaningOf([]byte(m.Body))...)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
	})
	return len(want)
}

// meaningOf returns the kinds and the names of an event's signals.
func meaningOf(body []byte) (all []string) {
	signals, _ := signal.Parse(body) // what is not supported has none
	for _, s := range signals {
		all = append(all, string(s.Kind)+" "+strings.Join(s.Subject.Usernames, ","))
	}
	return all
}
