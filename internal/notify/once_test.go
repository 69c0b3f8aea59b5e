package notify

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"clientvpn-responder/internal/responder"
)

// mailOf returns the e-mail of a golden, with its subject.
func mailOf(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	mail, _, _ := strings.Cut(string(raw), "── chat ──")
	return mail
}

// TestTheLongestMailsAreHalfAsLong as they were when they were found too long to read at night.
func TestTheLongestMailsAreHalfAsLong(t *testing.T) {
	for name, before := range map[string]int{
		"reconnecting": 2537, "reconnecting-kept-out": 2701, "over-limit-by-far": 5508,
	} {
		if now := len(mailOf(t, name)); 2*now > before {
			t.Errorf("%s has %d bytes, and had %d", name, now, before)
		}
	}
}

// TestMailsSayEachReasonOnce: an error, a permission, and why something was left alone or held back.
func TestMailsSayEachReasonOnce(t *testing.T) {
	for name, words := range map[string]string{
		"failed-missing-permission":         "ec2:TerminateClientVpnConnections",
		"failed-missing-permission-to-look": "ec2:DescribeClientVpnEndpoints",
		"failed-not-kept-out":               "dynamodb:UpdateItem",
		"failed-policy":                     "the policy cannot be read",
		"failed":                            "InternalError",
		"not-ready":                         "ec2:TerminateClientVpnConnections",
		"partial":                           "EC2 says failed-to-terminate",
		"over-limit":                        "4 different names",
		"exempt":                            "breakglass is exempt",
		"exempt-on-the-connection":          "breakglass is exempt",
		"ambiguous":                         "its user is bob",
		"ambiguous-two-people":              "id 00u2 is carol, but",
		"sample":                            "the finding is a sample",
		"stale":                             "the event is 48h9s old",
		"unmapped-role-session":             "can choose it",
		"terminated-and-one-left-alone":     "its user is bob",
	} {
		if n := strings.Count(mailOf(t, name), words); n != 1 {
			t.Errorf("%s says %q %d times", name, words, n)
		}
	}
}

// TestAPersonKnownByAnAliasHasTheirName, beside the id that is all that the event has.
func TestAPersonKnownByAnAliasHasTheirName(t *testing.T) {
	for _, words := range []string{
		"1. Done: dave (id auth0|6a1b2c3d4e5f60718293a4b5) has no active connection left.",
		"WHO\ndave (id auth0|6a1b2c3d4e5f60718293a4b5).\n",
	} {
		if mail := mailOf(t, "terminated-known-by-alias"); !strings.Contains(mail, words) {
			t.Errorf("%q is not in\n%s", words, mail)
		}
	}
}

// TestWhoIsWokenStopsEverythingByOneCommand: with the tool, and below it the same with nothing but the AWS CLI.
func TestWhoIsWokenStopsEverythingByOneCommand(t *testing.T) {
	const lines = "\nTo stop everything within seconds: " +
		"AWS_REGION=eu-west-1 clientvpn stop --stack clientvpn-responder\n" +
		"The same without the tool: aws dynamodb put-item "
	for _, status := range acted {
		if mail := mailAbout(t, status, place, "alice"); !strings.Contains(mail, lines) {
			t.Errorf("%s:\n%s", status, mail)
		}
	}
	if mail := mailAbout(t, responder.Reconnecting, place, "alice"); strings.Contains(mail, "To stop everything") {
		t.Error("who reconnects must be cut off: ", mail)
	}
}
