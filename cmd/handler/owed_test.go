package main

import (
	"slices"
	"strings"
	"testing"

	"clientvpn-responder/internal/emulator"
)

// TestOwedMessageIsPublishedOnceByWhicheverInstanceComesNext: SNS fails for one instance, and the event comes again to
// another, and once more to the first.
func TestOwedMessageIsPublishedOnceByWhicheverInstanceComesNext(t *testing.T) {
	for _, failing := range []string{topic, text} {
		cloud := cloudWith(emulator.Client{Username: "alice"})
		cloud.AddTable("ledger", "id")
		cloud.Inject(emulator.Fault{
			Action: "Publish", EndpointID: failing, Times: 1, Code: "AuthorizationError", Status: 403,
		})
		env := []string{"LEDGER_TABLE=ledger", "MESSAGE_TOPIC_ARN=" + text}
		one, another := start(t, cloud, env...), start(t, cloud, env...)
		event := batch(leaver("e1", "alice"))
		if answer := invoke(t, one, event); !strings.Contains(string(answer.Payload), "m0") {
			t.Fatalf("SNS failed, and the event did not: %s", answer.Payload)
		}
		for _, f := range []*emulator.Function{another, one, another} {
			if answer := invoke(t, f, event); string(answer.Payload) != `{"batchItemFailures":[]}` {
				t.Errorf("%s\n%s", answer.Payload, f.Logs())
			}
		}
		got := map[string][]string{}
		for _, m := range cloud.Published() {
			got[m.TopicARN] = append(got[m.TopicARN], m.Attributes["status"].Value)
		}
		for _, to := range []string{topic, text} {
			if !slices.Equal(got[to], []string{"terminated"}) {
				t.Errorf("%s failed, and %s got %q", failing, to, got[to])
			}
		}
	}
}

// TestIncompleteOutcomeIsNoAnswer: EC2 refuses at first, and the person hangs up. The next delivery is no repeat, so
// its outcome is published.
func TestIncompleteOutcomeIsNoAnswer(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice"})
	cloud.AddTable("ledger", "id")
	cloud.Inject(emulator.Fault{
		Action: "TerminateClientVpnConnections", Code: "UnauthorizedOperation", Status: 403, Times: 1,
	})
	f := start(t, cloud, "LEDGER_TABLE=ledger", "WATCH=0")
	event := batch(leaver("e1", "alice"))
	invoke(t, f, event)
	for _, c := range cloud.Connections() {
		cloud.Disconnect(c.ID)
	}
	invoke(t, f, event)
	invoke(t, f, event)
	if got := strings.Join(published(t, cloud), " "); got != "failed not-connected" {
		t.Errorf("published %q\n%s", got, f.Logs())
	}
}
