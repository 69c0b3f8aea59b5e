package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/trial"
)

const deactivation = "64c3ff73-68ea-40be-8d26-308cdb13f776" // of events/okta/user-deactivate.json

func read(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// has fails the test unless the text has all the words.
func has(t *testing.T, text string, words ...string) {
	t.Helper()
	flat := strings.Join(strings.Fields(text), " ")
	for _, w := range words {
		if !strings.Contains(flat, w) {
			t.Errorf("it lacks %q:\n%s", w, text)
		}
	}
}

// TestWhoNeedsNoPolicyAtHand: elsewhere it reads the one that is deployed.
func TestWhoNeedsNoPolicyAtHand(t *testing.T) {
	withStack(t)
	if code, _, beside := clientvpn(t, "policy", "put", trial.Demonstration, "--cases", "none"); code != exitDone {
		t.Fatal(beside)
	}
	t.Chdir(t.TempDir())
	var out, beside strings.Builder
	c := console.Plain(&out)
	c.Err = &beside
	code := run(t.Context(), []string{"who", "alice@example.com"}, c)
	if code != exitDone || !strings.HasPrefix(out.String(), "alice") {
		t.Errorf("%d %s%s", code, &out, &beside)
	}
}

// TestStatusShowsEverythingThatNeedsAPerson, and what to do next.
func TestStatusShowsEverythingThatNeedsAPerson(t *testing.T) {
	d := withStack(t, "KEEP_OUT=off")
	d.send(t, "okta/user-deactivate.json")
	code, out, beside := clientvpn(t, "status")
	if code != exitDone {
		t.Errorf("%d %s", code, beside)
	}
	has(t, out, "READY clientvpn-responder in eu-west-1, mode enforce", "Ready: 3 endpoints", "policy sha256:",
		"office carries people of the SAML provider", "plant carries people of the directory",
		"field carries holders of certificates", "okta, heard 0.", "0 waiting, 0 dead letters", "alarms 0 of 1")
	d.Send("dead", "{}")
	d.alarm, d.stopped = "ALARM", true
	code, out, beside = clientvpn(t, "status")
	if code != exitDiffers || !strings.Contains(beside, "3 things need a person") {
		t.Errorf("%d %s", code, beside)
	}
	has(t, out, "NEEDS A PERSON", "1 dead letter. Next: clientvpn dead", "Next: clientvpn start",
		"Alarm clientvpn-responder-dead-letters: An event was not answered.")
	code, out, _ = clientvpn(t, "status", "--json")
	var known state
	if err := json.Unmarshal([]byte(out), &known); err != nil || code != exitDiffers || known.DeadLetters != 1 ||
		len(known.Endpoints) != 3 || known.SelfTest.Status != "ready" {
		t.Errorf("%v %d %+v", err, code, known)
	}
}

// TestWhoIsConnected: by person, under all names, with the way in which each connection would end.
func TestWhoIsConnected(t *testing.T) {
	withStack(t)
	policy := "--policy=" + trial.Demonstration
	code, out, beside := clientvpn(t, "who", policy)
	if code != exitDone {
		t.Errorf("%d %s", code, beside)
	}
	has(t, out, "8 people, 11 connections", "breakglass@example.com, exempt: never cut off",
		"as certificate carol.vpn.example.com on field (cvpn-endpoint-0a1b2c3d4e5f60003)", "from 10.30.0.10")
	_, out, _ = clientvpn(t, "who", "alice@example.com", policy)
	has(t, out, "1 person, 4 connections", "as alice on plant",
		"would be terminated by username", "would be terminated by connection-id")
	if strings.Contains(out, "malice") {
		t.Error(out)
	}
	_, out, _ = clientvpn(t, "who", "--json", "nobody", policy)
	if out != "" {
		t.Error(out)
	}
}

// TestWouldChangesNothing: it says what would be done, and nothing is; no message goes to people.
func TestWouldChangesNothing(t *testing.T) {
	d := withStack(t)
	code, out, beside := clientvpn(t, "would", "alice@example.com")
	if code != exitDone || !strings.HasPrefix(out, "WOULD-TERMINATE  ") {
		t.Errorf("%d %s%s", code, out, beside)
	}
	has(t, out, "4 VPN connections of alice@example.com", "on office (cvpn-endpoint-0a1b2c3d4e5f60001)",
		"the request only asks what would be done")
	for _, c := range d.Connections() {
		if !c.EndedAt.IsZero() {
			t.Errorf("%s has ended", c.ID)
		}
	}
	for _, m := range d.Published() {
		if !strings.HasSuffix(m.TopicARN, "outcomes") {
			t.Errorf("%s to %s", m.Subject, m.TopicARN)
		}
	}
	code, out, _ = clientvpn(t, "would", "breakglass@example.com", "--kind", "account-disabled")
	if code != exitDiffers || !strings.HasPrefix(out, "EXEMPT  ") {
		t.Errorf("%d %s", code, out)
	}
}

// TestWhyIsATimeline from the ledger and the log, by event and by name.
func TestWhyIsATimeline(t *testing.T) {
	d := withStack(t)
	d.send(t, "okta/user-deactivate.json")
	for _, what := range []string{deactivation, "alice@example.com", "alice"} {
		code, out, beside := clientvpn(t, "why", what)
		if code != exitDone {
			t.Errorf("%s: %d %s", what, code, beside)
		}
		has(t, out, "okta reports user.lifecycle.deactivate about alice@example.com", "The function receives the event.",
			"rule leavers, terminate", "EC2 answers the request to terminate cvpn-connection-", "as terminated.",
			"TERMINATED: ", "because rule leavers decides terminate")
	}
	code, _, beside := clientvpn(t, "why", "joanna")
	if code != exitDiffers || !strings.Contains(beside, "neither the ledger nor the log knows joanna") {
		t.Errorf("%d %s", code, beside)
	}
	_, out, _ := clientvpn(t, "why", deactivation, "--json")
	if !json.Valid([]byte(out)) || !strings.Contains(out, `"status":"terminated"`) {
		t.Error(out)
	}
}

// TestReportIsOneFile about an event, and about a week.
func TestReportIsOneFile(t *testing.T) {
	d := withStack(t)
	d.send(t, "okta/user-deactivate.json")
	d.send(t, "okta/user-deactivate-exempt.json")
	d.send(t, "guardduty/iam-user.json")
	page := filepath.Join(t.TempDir(), "page.html")
	code, out, beside := clientvpn(t, "report", deactivation, "-o", page)
	if code != exitDone || !strings.Contains(out, page+"  1 outcome") {
		t.Errorf("%d %s%s", code, out, beside)
	}
	has(t, read(t, page), "TERMINATED alice@example.com", "What is left to do", "office", "active → terminated")
	_, out, _ = clientvpn(t, "report", "--since", "7d", "-o", "-")
	has(t, out, "3 signals", "breakglass is exempt", "guardduty", "Half of ")
	if loads := regexp.MustCompile(`(?i)(src|href|url\()\s*=?\s*["']?http`).FindString(out); loads != "" {
		t.Errorf("the page loads something: %s", loads)
	}
	if code, _, _ := clientvpn(t, "report"); code != exitUsage {
		t.Error(code)
	}
	_, _, beside = clientvpn(t, "report", "--since", "soon")
	if !strings.Contains(beside, "7d") {
		t.Error(beside)
	}
}

// TestDeadLettersAndRedrive: what is dead is shown with what its event says, and goes back into the queue.
func TestDeadLettersAndRedrive(t *testing.T) {
	d := withStack(t)
	if code, out, _ := clientvpn(t, "dead"); code != exitDone || out != "There are no dead letters.\n" {
		t.Error(out)
	}
	d.Send("dead", read(t, filepath.Join(root, "events/okta/user-deactivate.json")))
	d.Send("dead", "not JSON")
	code, out, beside := clientvpn(t, "dead")
	if code != exitDiffers || !strings.Contains(beside, "2 dead letters; when the cause is gone: clientvpn redrive") {
		t.Errorf("%d %s", code, beside)
	}
	has(t, out, "okta: user.lifecycle.deactivate about alice@example.com, event "+deactivation,
		"event: invalid character")
	code, out, beside = clientvpn(t, "redrive")
	if code != exitDone || out != "2 events are back in the queue (COMPLETED).\n" || len(d.Queued("events")) != 2 {
		t.Errorf("%d %s%s", code, out, beside)
	}
	_, out, _ = clientvpn(t, "redrive", "--json")
	if out != `{"status":"COMPLETED","moved":0,"to_move":0}`+"\n" {
		t.Error(out)
	}
}

// TestPolicyDiffNamesWhoIsDecidedDifferently among the events in the log.
func TestPolicyDiffNamesWhoIsDecidedDifferently(t *testing.T) {
	d := withStack(t)
	d.send(t, "okta/user-deactivate.json")
	d.send(t, "guardduty/iam-user.json")
	code, out, beside := clientvpn(t, "policy", "diff", trial.Demonstration)
	if code != exitDone || out != "All 2 signals would be decided as they were.\n" {
		t.Errorf("%d %s%s", code, out, beside)
	}
	changed := filepath.Join(t.TempDir(), "policy.yaml")
	text := strings.Replace(read(t, trial.Demonstration), "exempt: [", `exempt: ["alice@example.com", `, 1)
	if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, beside = clientvpn(t, "policy", "diff", changed)
	if code != exitDiffers || !strings.Contains(beside, "1 of 2 signals would be decided differently") {
		t.Errorf("%d %s", code, beside)
	}
	has(t, out, "alice@example.com okta user.lifecycle.deactivate", "was terminate by leavers (enforce)",
		"would notify by leavers, held back: exempt (enforce)")
}

// TestPolicyIsPutOnlyIfItIsSound: a mistake and a case that differs are refused, with the line.
func TestPolicyIsPutOnlyIfItIsSound(t *testing.T) {
	withStack(t)
	folder := t.TempDir()
	file, cases := filepath.Join(folder, "policy.yaml"), filepath.Join(folder, "cases")
	save := func(name, text string) {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	save(file, "version: 1\nexcempt: []\n")
	code, _, beside := clientvpn(t, "policy", "put", file, "--cases", cases)
	if code != exitDiffers || !strings.Contains(beside, `policy.yaml:2:1: unknown field "excempt"`) {
		t.Errorf("%d %s", code, beside)
	}
	save(file, "version: 1\nidentity: {aliases_file: aliases.csv}\nrules: []\n")
	save(filepath.Join(folder, "aliases.csv"), "issuer,name,person\n,al,alice\n")
	save(filepath.Join(cases, "one.yaml"), "- {name: x, event: {source: y, detail-type: z}, error: unreadable}\n")
	code, _, beside = clientvpn(t, "policy", "put", file, "--cases", cases)
	if code != exitDiffers || !strings.Contains(beside, "not put: ") {
		t.Errorf("%d %s", code, beside)
	}
	save(filepath.Join(cases, "one.yaml"), "- {name: x, event: {source: y, detail-type: z}, error: unsupported}\n")
	for range 2 { // the second replaces the first
		code, out, beside := clientvpn(t, "policy", "put", file, "--cases", cases)
		if code != exitDone {
			t.Errorf("%d %s", code, beside)
		}
		has(t, out, "is put (sha256:")
	}
}

// TestTheOnlyStackIsFound without a name; of several, one has to be chosen.
func TestTheOnlyStackIsFound(t *testing.T) {
	d := withStack(t)
	d.stacks = []string{"vpn-guard"}
	if code, _, beside := clientvpn(t, "held"); code != exitDone {
		t.Errorf("%d %s", code, beside)
	}
	d.stacks = []string{"vpn-guard", "vpn-guard-2"}
	want := "clientvpn: eu-west-1 has several stacks of this project; choose one with --stack: vpn-guard, vpn-guard-2\n"
	if code, _, beside := clientvpn(t, "held"); code != exitAWS || beside != want {
		t.Errorf("%d %s", code, beside)
	}
	if code, _, beside := clientvpn(t, "held", "--stack", "vpn-guard-2"); code != exitDone {
		t.Errorf("%d %s", code, beside)
	}
	d.stacks = nil
	code, _, beside := clientvpn(t, "held")
	if code != exitAWS || !strings.Contains(beside, "there is no stack of this project in eu-west-1") {
		t.Errorf("%d %s", code, beside)
	}
}

// TestTheWayToAWSIsOneSentence: no Region, no credentials, nobody who answers; without a word of the SDK.
func TestTheWayToAWSIsOneSentence(t *testing.T) {
	withStack(t)
	for _, test := range []struct{ name, value, want string }{
		{"AWS_REGION", "", "there is no Region; set AWS_REGION to the stack's"},
		{"AWS_ACCESS_KEY_ID", "", `there are no AWS credentials; use "aws sso login", or name a profile with AWS_PROFILE`},
		{"AWS_ENDPOINT_URL", "http://127.0.0.1:1", "AWS does not answer; check the network, and AWS_ENDPOINT_URL if it is " +
			"set (DescribeStacks of CloudFormation)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			t.Setenv("AWS_MAX_ATTEMPTS", "1")
			t.Setenv("HOME", t.TempDir())
			t.Setenv(test.name, test.value)
			code, _, beside := clientvpn(t, "status")
			if code != exitAWS || beside != "clientvpn: "+test.want+"\n" {
				t.Errorf("%d %s", code, beside)
			}
		})
	}
}
