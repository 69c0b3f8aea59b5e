package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"clientvpn-responder/internal/report"
	"clientvpn-responder/internal/trial"
)

// TestStopAndStart set the off switch and the event source, and say what is next.
func TestStopAndStart(t *testing.T) {
	d := withStack(t)
	code, out, beside := clientvpn(t, "stop")
	if code != exitDone || !d.stopped || !strings.HasPrefix(out, "Everything is switched off: ") ||
		!strings.Contains(strings.Join(strings.Fields(out), " "), "four days (Disabling).") {
		t.Errorf("%d %s%s", code, out, beside)
	}
	code, out, _ = clientvpn(t, "cut", "alice@example.com", "--kind", "account-disabled", "--reason", "a try")
	if code != exitDiffers || !strings.HasPrefix(out, "WOULD-TERMINATE  ") {
		t.Errorf("%d %s", code, out)
	}
	code, out, beside = clientvpn(t, "start", "--json")
	if code != exitDone || d.stopped || out != `{"enabled":true,"state":"Enabling"}`+"\n" {
		t.Errorf("%d %s%s", code, out, beside)
	}
	if _, out, _ = clientvpn(t, "cut", "alice@example.com", "--reason", "a try"); !strings.HasPrefix(out, "TERMINATED  ") {
		t.Error(out)
	}
}

// TestCutAndLiftThroughTheFunction: with the same gates and the same record as every event.
func TestCutAndLiftThroughTheFunction(t *testing.T) {
	d := withStack(t)
	cut := []string{"cut", "alice@example.com", "--kind", "account-disabled", "--reason", "laptop stolen"}
	code, out, beside := clientvpn(t, cut...)
	if code != exitDone || !strings.HasPrefix(out, "TERMINATED  5 VPN connections of alice@example.com ended.") {
		t.Fatalf("%d %s%s", code, out, beside)
	}
	for _, c := range d.Connections() {
		if strings.EqualFold(c.Username, "alice@example.com") && c.EndedAt.IsZero() {
			t.Errorf("%s is up", c.ID)
		}
	}
	_, out, _ = clientvpn(t, "keep-out", "list")
	if !strings.HasPrefix(out, "alice  ") || !strings.Contains(out, "laptop stolen") {
		t.Error(out)
	}
	code, out, beside = clientvpn(t, "lift", "alice@example.com", "--reason", "laptop found")
	if code != exitDone || !strings.HasPrefix(out, "NOTIFIED  alice@example.com may connect again") {
		t.Errorf("%d %s%s", code, out, beside)
	}
	_, out, _ = clientvpn(t, "keep-out", "list")
	if out != "Nobody is on the list.\n" {
		t.Error(out)
	}
}

// TestCutHoldsWhatThePolicyHolds: an exempt person is not cut off, and the exit code says so.
func TestCutHoldsWhatThePolicyHolds(t *testing.T) {
	withStack(t)
	code, out, beside := clientvpn(t, "cut", "breakglass@example.com", "--kind", "account-disabled", "--reason", "a try")
	if code != exitDiffers || !strings.HasPrefix(out, "EXEMPT  ") || !strings.Contains(beside, "not what was asked for") {
		t.Errorf("%d %s%s", code, out, beside)
	}
	// A rule that only notifies leaves everybody connected.
	code, out, beside = clientvpn(t, "cut", "alice@example.com", "--kind", "risk-level-change", "--reason", "a try")
	if code != exitDiffers || !strings.HasPrefix(out, "NOTIFIED  ") {
		t.Errorf("%d %s%s", code, out, beside)
	}
	code, out, beside = clientvpn(t, "cut", "frank@example.com", "--json", "--reason", "a try")
	var answer struct{ Outcomes []report.Outcome }
	err := json.Unmarshal([]byte(out), &answer)
	if err != nil || code != exitDone || answer.Outcomes[0].Status != "not-connected" {
		t.Errorf("%d %v %s%s", code, err, out, beside)
	}
}

func TestReady(t *testing.T) {
	withStack(t, "LEDGER_TABLE=") // the company's endpoints have no client connect handler here
	code, out, beside := clientvpn(t, "ready")
	if code != exitDone || !strings.HasPrefix(out, "READY  ") {
		t.Errorf("%d %s%s", code, out, beside)
	}
}

// TestHeldAndReleased: what the brake holds is shown with the next command, and goes on once a person releases it.
func TestHeldAndReleased(t *testing.T) {
	policy := filepath.Join(t.TempDir(), "policy.yaml")
	raw, err := os.ReadFile(filepath.Join(root, trial.Demonstration))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(policy, append(raw, "\nbrake: {people: 1, within: 1h}\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	d := withStack(t, "POLICY_FILE="+policy)
	if _, out, beside := clientvpn(t, "held"); out != "The brake holds nobody.\n" {
		t.Error(out, beside)
	}
	for _, file := range []string{"okta/user-deactivate.json", "okta/user-suspend.json"} {
		event, err := os.ReadFile("events/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.function.Invoke(t.Context(), trial.MoveToNow(event)); err != nil {
			t.Fatal(err)
		}
	}
	code, out, beside := clientvpn(t, "held")
	if code != exitDone || !strings.HasPrefix(out, "okta  ") || !strings.Contains(out, "clientvpn release okta") {
		t.Fatalf("%d %s%s", code, out, beside)
	}
	code, out, beside = clientvpn(t, "release", "okta", "--reason", "they did leave")
	if code != exitDone {
		t.Errorf("%d %s%s", code, out, beside)
	}
	if _, out, _ := clientvpn(t, "held"); out != "The brake holds nobody.\n" {
		t.Error(out)
	}
}

// TestTheWrongStackIsOneSentence with the remedy.
func TestTheWrongStackIsOneSentence(t *testing.T) {
	withStack(t)
	code, _, beside := clientvpn(t, "ready", "--stack", "another")
	want := "clientvpn: there is no stack another in eu-west-1; name it with --stack, and its Region with AWS_REGION\n"
	if code != exitAWS || beside != want {
		t.Errorf("%d %s", code, beside)
	}
	code, _, beside = clientvpn(t, "cut", "alice")
	if code != exitUsage || !strings.Contains(beside, "say why with --reason") {
		t.Errorf("%d %s", code, beside)
	}
}

// TestWhoAsksIsOnRecord also where the environment has no USER, as in a container.
func TestWhoAsksIsOnRecord(t *testing.T) {
	t.Setenv("USER", "ops")
	if name := asker(); name != "ops" {
		t.Error(name)
	}
	t.Setenv("USER", "")
	if asker() == "" {
		t.Error("the system knows whose process this is")
	}
}
