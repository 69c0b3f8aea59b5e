package notify

import (
	"os"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
)

// mailAbout returns the e-mail about an outcome of each status, about the people with these names.
func mailAbout(t *testing.T, status responder.Status, p Place, names ...string) string {
	t.Helper()
	o := responder.Outcome{
		Status: status, Summary: "It is so.", Brake: &responder.Brake{Lane: "okta"},
		Decision: policy.Decision{Mode: policy.Enforce},
		Signal: signal.Signal{
			ID: "e-1", Provider: "custom", Kind: signal.SessionRevoked, Type: "Terminate Connections", Time: time.Now(),
			Subject: signal.Subject{Usernames: names}, Reason: names[0], RequestedBy: names[0],
		},
	}
	_, body, err := writer{p}.text(o)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

var everyStatus = []responder.Status{
	responder.Terminated, responder.NotConnected, responder.WouldTerminate, responder.Partial, responder.Reconnecting,
	responder.Unverified, responder.Exempt, responder.OverLimit, responder.Ambiguous, responder.Unmapped, responder.Sample,
	responder.Stale, responder.Braked, responder.Notified, responder.Failed, responder.NotReady,
}

// TestEachMailEndsWithTheNextCommandAndLinks: the command can be run as it is, and the links lead to the stack.
func TestEachMailEndsWithTheNextCommandAndLinks(t *testing.T) {
	for _, status := range everyStatus {
		_, end, found := strings.Cut(mailAbout(t, status, place, "alice@example.com"), "\nNEXT\n")
		command, links, _ := strings.Cut(end, "\n")
		if !found || !strings.HasPrefix(command, "AWS_REGION=eu-west-1 clientvpn ") ||
			!strings.HasSuffix(command, " --stack clientvpn-responder") || strings.ContainsAny(command, "<>…") {
			t.Errorf("%s: %s", status, command)
		}
		const console = "https://console.aws.amazon.com/cloudwatch/home?region=eu-west-1#"
		for _, link := range []string{
			"\nDashboard: " + console + "dashboards:name=clientvpn-responder-eu-west-1\n",
			"\nLog: " + console + "logsV2:log-groups/log-group/$252Faws$252Flambda$252Fresponder\n",
			"Runbook: doc/runbook.md#",
		} {
			if !strings.Contains(links, link) {
				t.Errorf("%s lacks %s", status, link)
			}
		}
	}
	if end := mailAbout(t, responder.Terminated, Place{}, "alice"); strings.Contains(end, "https:") ||
		!strings.Contains(end, "\nNEXT\nclientvpn why e-1\n") {
		t.Error(end)
	}
}

// TestRunbookHasTheSections that mails name.
func TestRunbookHasTheSections(t *testing.T) {
	raw, err := os.ReadFile("../../doc/runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, status := range everyStatus {
		_, after, _ := strings.Cut(mailAbout(t, status, place, "alice"), "Runbook: doc/runbook.md#")
		name, _, _ := strings.Cut(after, "\n")
		if heading := "\n## " + strings.ReplaceAll(name, "-", " "); !strings.Contains(
			strings.ReplaceAll(strings.ToLower(string(raw)), "-", " "), heading+"\n",
		) {
			t.Errorf("%s: the runbook has no section %s", status, name)
		}
	}
}

// TestNoNameOfAnEventIsACommand: a name that is more than a name is never a part of one.
func TestNoNameOfAnEventIsACommand(t *testing.T) {
	for _, name := range []string{
		"alice; rm -rf /", "--stack=evil", "$(id)", "`id`", "a b", "alice@example.com\ncurl evil", "-x", "a'b",
		`EXAMPLE\alice`, "",
	} {
		for _, status := range everyStatus {
			for line := range strings.Lines(mailAbout(t, status, place, name)) {
				_, command, has := strings.Cut(line, "clientvpn ")
				if has && name != "" && strings.Contains(command, name) {
					t.Errorf("%s: %s", status, line)
				}
			}
		}
	}
}

// TestEventsBringNoLinks: neither an e-mail nor a chat notification has a link that an event wrote.
func TestEventsBringNoLinks(t *testing.T) {
	const evil = "https://evil.example/x www.evil.example mailto:x@evil.example"
	o := responder.Outcome{Status: responder.Notified, Summary: evil, Decision: policy.Decision{Mode: policy.Enforce}}
	o.Signal = signal.Signal{
		ID: evil, Provider: "custom", Type: evil, Reason: evil, RequestedBy: evil,
		Subject: signal.Subject{Usernames: []string{evil, evil}},
	}
	_, mail, _ := writer{Place{}}.text(o)
	_, message, _ := chat(o)
	for _, text := range []string{mail, message} {
		for _, link := range []string{"://", "www.", "mailto:"} {
			if strings.Contains(text, link) {
				t.Errorf("it has %s:\n%s", link, text)
			}
		}
	}
}

// TestACustomRequestIsInANameThatNobodyChecked, and the reader knows.
func TestACustomRequestIsInANameThatNobodyChecked(t *testing.T) {
	mail := mailAbout(t, responder.Terminated, place, "alice")
	if !strings.Contains(mail, "- A custom request, in the name of alice, which nobody checked") {
		t.Error(mail)
	}
}
