package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"

	"github.com/google/go-cmp/cmp"
)

func TestDirectInvocation(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice@example.com"}, emulator.Client{Username: "bob@example.com"})
	f := start(t, cloud)
	got := outcomes(t, invoke(t, f, leaver("e1", "ALICE")))
	if len(got) != 1 || got[0].Status != "terminated" || got[0].Connections[0].PreviousStatus != "active" ||
		got[0].Connections[0].CurrentStatus != "terminated" {
		t.Errorf("%+v", got)
	}
	message := cloud.Published()[0]
	want := map[string]emulator.Attribute{
		"status":   {Type: "String", Value: "terminated"},
		"provider": {Type: "String", Value: "custom"},
		"kind":     {Type: "String", Value: "account-disabled"},
		"severity": {Type: "Number", Value: "0"},
		"mode":     {Type: "String", Value: "enforce"},
		"account":  {Type: "String", Value: "111122223333"},
	}
	if diff := cmp.Diff(want, message.Attributes); diff != "" || message.TopicARN != topic || message.Structure != "" {
		t.Errorf("%s %+v", diff, message)
	}
	answer := invoke(t, f, []byte(`{"id":"x","source":"aws.ec2","detail-type":"t","detail":{}}`))
	if string(answer.Payload) != `{"outcomes":[]}` {
		t.Errorf("an event that asks for nothing gave %s, %+v", answer.Payload, answer.Failure)
	}
	answer = invoke(t, f, []byte(`{"Records":[{"EventSource":"aws:sns","Sns":{}}]}`))
	if answer.Failure == nil || answer.Failure.Type != "UnreadableError" ||
		!strings.Contains(answer.Failure.Message, "Records[0].eventSource") {
		t.Errorf("%+v", answer)
	}
	answer = invoke(t, f, []byte(`{"hello":1}`))
	if answer.Failure == nil || answer.Failure.Type != "UnreadableError" ||
		!strings.Contains(answer.Failure.Message, "source: missing") {
		t.Errorf("%+v", answer)
	}
}

// TestDryRunIsTheDefault: with MODE absent nothing is ended, and it says so.
func TestDryRunIsTheDefault(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice"})
	got := outcomes(t, invoke(t, start(t, cloud, "MODE="), leaver("e1", "alice")))
	if got[0].Status != "would-terminate" || cloud.Connections()[0].Status != "active" ||
		!slices.Equal(published(t, cloud), []string{"would-terminate"}) {
		t.Errorf("%+v, %+v", got, cloud.Connections())
	}
}

// TestBatchFailsOnlyWhatFailed: poison, foreign, incomplete and good messages in one batch.
func TestBatchFailsOnlyWhatFailed(t *testing.T) {
	cloud := cloudWith(
		emulator.Client{Username: "alice"},
		emulator.Client{Username: "bob", FailToTerminate: true},
		emulator.Client{Username: "carol"},
	)
	f := start(t, cloud)
	foreign := []byte(`{"id":"x","source":"aws.ec2","detail-type":"t","detail":{}}`)
	answer := invoke(t, f, batch(leaver("e0", "alice"), []byte("{"), foreign,
		leaver("e3", "bob"), leaver("e4", "carol"), []byte(`null`)))
	want := `{"batchItemFailures":[{"itemIdentifier":"m1"},{"itemIdentifier":"m3"},{"itemIdentifier":"m5"}]}`
	if got := string(answer.Payload); got != want {
		t.Errorf("%s\n%s", got, f.Logs())
	}
	if got := published(t, cloud); !slices.Equal(got, []string{"partial", "terminated", "terminated"}) {
		t.Errorf("published %q", got)
	}
	if answer := invoke(t, f, batch(leaver("e9", "dave"))); string(answer.Payload) != `{"batchItemFailures":[]}` {
		t.Errorf("%s", answer.Payload)
	}
}

func TestIncompleteIsAnError(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice", FailToTerminate: true})
	answer := invoke(t, start(t, cloud), leaver("e1", "alice"))
	if answer.Failure == nil || answer.Failure.Type != "IncompleteError" ||
		!strings.Contains(answer.Failure.Message, "partial: 0 of 1 VPN connection") {
		t.Errorf("%+v", answer)
	}
	if got := published(t, cloud); !slices.Equal(got, []string{"partial"}) {
		t.Errorf("published %q", got)
	}
}

// TestOutcomePublishedAfterTimeout: the time for the work is used up, and the report leaves all the same.
func TestOutcomePublishedAfterTimeout(t *testing.T) {
	for _, test := range []struct {
		name, status string
		client       emulator.Client
		fault        emulator.Fault
	}{
		{
			"the connection never ends", "unverified",
			emulator.Client{Username: "alice", Stuck: true}, emulator.Fault{Action: "none"},
		},
		{
			"EC2 does not answer", "failed",
			emulator.Client{Username: "alice"},
			emulator.Fault{Action: "DescribeClientVpnConnections", Delay: time.Hour},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			cloud := cloudWith(test.client)
			cloud.Inject(test.fault)
			f := start(t, cloud)
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			answer, err := f.Invoke(ctx, leaver("e1", "alice"))
			if err != nil || answer.Failure == nil || answer.Failure.Type != "IncompleteError" {
				t.Errorf("%+v, %v", answer, err)
			}
			if got := published(t, cloud); !slices.Equal(got, []string{test.status}) {
				t.Errorf("published %q", got)
			}
		})
	}
}

// TestHungSNSFailsTheMessages: the answer is there before Lambda ends the function, and names what goes back to the
// queue.
func TestHungSNSFailsTheMessages(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice"})
	cloud.Inject(emulator.Fault{Action: "Publish", Delay: time.Hour})
	f := start(t, cloud)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	answer, err := f.Invoke(ctx, batch(leaver("e1", "alice")))
	if err != nil || string(answer.Payload) != `{"batchItemFailures":[{"itemIdentifier":"m0"}]}` {
		t.Errorf("%s, %v", answer.Payload, err)
	}
	if log := logs(f); !strings.Contains(log, `"published":false,"unpublished":["outcome"]`) ||
		!strings.Contains(log, `"outcome":{"schema_version":1,"status":"terminated"`) {
		t.Errorf("the outcome is not in the log:\n%s", f.Logs())
	}
}

// TestFailedPublishFailsTheEvent, which is then tried again: the repeat ends nothing twice, and the message comes then.
func TestFailedPublishFailsTheEvent(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice"})
	cloud.Inject(emulator.Fault{Action: "Publish", Times: 1, Code: "AuthorizationError", Status: 403})
	f := start(t, cloud)
	answer := invoke(t, f, leaver("e1", "alice"))
	if answer.Failure == nil || answer.Failure.Type != "IncompleteError" ||
		!strings.Contains(answer.Failure.Message, "publishing the outcome for alice") {
		t.Errorf("%+v", answer)
	}
	got := outcomes(t, invoke(t, f, leaver("e1", "alice")))
	if got[0].Status != "not-connected" || !slices.Equal(published(t, cloud), []string{"terminated"}) {
		t.Errorf("%+v, published %q", got, published(t, cloud))
	}
	if log := logs(f); !strings.Contains(log, `"published":false,"unpublished":["outcome"]`) ||
		!strings.Contains(log, `"outcome":{"schema_version":1,"status":"terminated"`) {
		t.Errorf("the outcome is not in the log:\n%s", f.Logs())
	}
}

// TestRepeatIsQuiet: the same event again ends nothing, says so, and sends no second message.
func TestRepeatIsQuiet(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice"})
	f := start(t, cloud)
	invoke(t, f, leaver("e1", "alice"))
	got := outcomes(t, invoke(t, f, leaver("e1", "alice")))
	if got[0].Status != "not-connected" || !strings.Contains(got[0].Summary, "This event was reported before.") {
		t.Errorf("%+v", got)
	}
	terminations := 0
	for _, c := range cloud.Calls() {
		if c.Action == "TerminateClientVpnConnections" {
			terminations++
		}
	}
	if p := published(t, cloud); !slices.Equal(p, []string{"terminated"}) || terminations != 1 {
		t.Errorf("published %q, %d terminations", p, terminations)
	}
	// Another event about the same person is news.
	invoke(t, f, leaver("e2", "alice"))
	if p := published(t, cloud); !slices.Equal(p, []string{"not-connected", "terminated"}) {
		t.Errorf("published %q", p)
	}
}

// TestIncompleteIsNoRepeat: the second delivery reports all that was not done at the first.
func TestIncompleteIsNoRepeat(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice", FailToTerminate: true})
	f := start(t, cloud)
	invoke(t, f, leaver("e1", "alice"))
	cloud.Disconnect(cloud.Connections()[0].ID)
	invoke(t, f, leaver("e1", "alice"))
	if got := published(t, cloud); !slices.Equal(got, []string{"not-connected", "partial"}) {
		t.Errorf("published %q", got)
	}
}

// TestIgnoredIsNotPublished, and answered all the same.
func TestIgnoredIsNotPublished(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice"})
	event := strings.Replace(string(leaver("e1", "alice")), "account-disabled", "account-enabled", 1)
	got := outcomes(t, invoke(t, start(t, cloud), []byte(event)))
	if len(got) != 1 || got[0].Status != "ignored" || len(cloud.Published()) != 0 {
		t.Errorf("%+v, published %q", got, published(t, cloud))
	}
}

// TestSelfTestLooksForEveryTopic: with every topic there it is ready, and machines hear of it; without the topic for
// e-mail it says so to all that are left.
func TestSelfTestLooksForEveryTopic(t *testing.T) {
	event, err := os.ReadFile("../../events/custom/self-test.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, missing := range []string{"", text} {
		cloud := cloudWith(emulator.Client{Username: "alice"})
		cloud.NoTopics = []string{missing}
		if missing != "" {
			cloud.Inject(emulator.Fault{Action: "Publish", EndpointID: missing, Code: "NotFound", Status: 404})
		}
		f := start(t, cloud, "MESSAGE_TOPIC_ARN="+text, "CHAT_TOPIC_ARN="+chat)
		answer := invoke(t, f, event)
		want := []string{"ready"}
		if missing != "" {
			want = []string{"not-ready"}
		}
		if got := published(t, cloud); !slices.Equal(got, want) || (answer.Failure != nil) != (missing != "") {
			t.Errorf("without %q: published %q, %+v\n%s", missing, got, answer, f.Logs())
		}
		for _, m := range cloud.Published() {
			if missing != "" && !strings.Contains(m.Body, "looking for the topic "+text) {
				t.Errorf("%s: %s", m.TopicARN, m.Body)
			}
		}
	}
}

// TestUnreadablePolicyStopsTheActionNotTheMessage.
func TestUnreadablePolicyStopsTheActionNotTheMessage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte("version: 1\nexcempt: [alice]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, policyFile := range []string{file, file + ".absent"} {
		cloud := cloudWith(emulator.Client{Username: "alice"})
		f := start(t, cloud, "POLICY_FILE="+policyFile)
		answer := invoke(t, f, leaver("e1", "alice"))
		if answer.Failure == nil || answer.Failure.Type != "IncompleteError" {
			t.Errorf("%+v", answer)
		}
		if !slices.Equal(published(t, cloud), []string{"failed"}) || cloud.Connections()[0].Status != "active" ||
			!strings.Contains(cloud.Published()[0].Body, policyFile) {
			t.Errorf("%+v %+v", cloud.Published(), cloud.Connections())
		}
		if !strings.Contains(logs(f), "POLICY_FILE: ") {
			t.Errorf("the log does not name POLICY_FILE:\n%s", f.Logs())
		}
	}
}

// TestLogsAreJSONWithTheRequest: one line for each outcome.
func TestLogsAreJSONWithTheRequest(t *testing.T) {
	f := start(t, cloudWith(emulator.Client{Username: "alice"}))
	invoke(t, f, batch(leaver("e1", "alice"), leaver("e2", "bob")))
	lines := 0
	for line := range strings.Lines(logs(f)) {
		var entry struct {
			Timestamp time.Time
			Level     string
			Message   string
			RequestID string `json:"requestId"`
			Outcome   struct{ Status string }
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("%v: %s", err, line)
		}
		if entry.Message == "outcome" {
			lines++
			if entry.RequestID == "" || entry.Level == "" || entry.Timestamp.IsZero() || entry.Outcome.Status == "" {
				t.Errorf("%s", line)
			}
		}
	}
	if lines != 2 {
		t.Errorf("%d lines for 2 outcomes:\n%s", lines, f.Logs())
	}
}

// TestAllThatIsIncompleteIsNamed, and for an event about two people each has an outcome and a message.
func TestAllThatIsIncompleteIsNamed(t *testing.T) {
	cloud := cloudWith(
		emulator.Client{Username: "alice", FailToTerminate: true},
		emulator.Client{Username: "bob", FailToTerminate: true},
	)
	event := strings.Replace(string(leaver("e1", "alice")), `"username":"alice"`, `"usernames":["alice","bob","carol"]`, 1)
	answer := invoke(t, start(t, cloud), []byte(event))
	if answer.Failure == nil || !strings.Contains(answer.Failure.Message, "of alice") ||
		!strings.Contains(answer.Failure.Message, "of bob") {
		t.Errorf("%+v", answer)
	}
	if got := published(t, cloud); !slices.Equal(got, []string{"not-connected", "partial", "partial"}) {
		t.Errorf("published %q", got)
	}
	if !strings.Contains(cloud.Published()[0].Body, `"account":"111122223333"`) {
		t.Error("no account")
	}
}
