package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/signal"
)

// full uses everything that the language has.
const full = `version: 1
identity:
  domains: [example.com, EXAMPLE]
  aliases: {"okta:00u1a2b3c4": alice@example.com, "asmith": "alice"}
  issuers: [iam:111122223333]
  common_names: ["{user}.vpn.example.com"]
  session_roles: ["AWSReservedSSO_*"]
exempt: [breakglass@example.com, "svc-*"]
max_connections: 5
rules:
  - name: leavers
    when: {kinds: [account-disabled, account-purged]}
    then: terminate
    keep_out: forever
  - name: stolen-credentials
    when: {providers: [guardduty], types: ["*:IAMUser/*", "AttackSequence:*"], severity: {min: 7}, max_age: 24h}
    then: terminate
    mode: dry-run
    keep_out: 24h
  - name: low
    when: {providers: [guardduty], severity: {min: 1, max: 3.9}}
    then: ignore
default: notify
`

// oneRule returns a document with one rule that has these keys beside its name and action.
func oneRule(keys string) string {
	return "version: 1\nrules:\n  - {name: a, then: notify, " + keys + "}\n"
}

func mustParse(t *testing.T, document string) *Policy {
	t.Helper()
	p, err := Parse("policy.yaml", []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var eight = signal.Signal{
	ID: "1", Provider: "guardduty", Kind: signal.Finding, Type: "Impact:IAMUser/AnomalousBehavior", Severity: 8,
	Account: "111122223333", Time: now.Add(-time.Hour), Subject: signal.Subject{Usernames: []string{"alice"}},
}

var leaver = signal.Signal{
	ID: "2", Provider: "okta", Kind: signal.AccountDisabled, Type: "user.lifecycle.deactivate",
	Time: now, Subject: signal.Subject{Usernames: []string{"Alice@Example.com"}, IDs: []string{"00u1a2b3c4"}},
}

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func with(s signal.Signal, change func(*signal.Signal)) signal.Signal { change(&s); return s }

// ManyRules returns a policy of n rules, one for each team. Only the last fits alice.
func ManyRules(n int) []byte {
	var document strings.Builder
	document.WriteString(
		"version: 1\nidentity: {domains: [example.com, EXAMPLE], common_names: ['{user}.vpn.example.com']}\nrules:\n",
	)
	for i := range n - 1 {
		fmt.Fprintf(
			&document,
			"  - {name: rule-%d, when: {kinds: [finding, account-disabled], subjects: ['team-%d-*']}, then: terminate}\n", i,
			i,
		)
	}
	fmt.Fprintf(&document, "  - {name: rule-%d, when: {subjects: ['a*']}, then: terminate}\n", n-1)
	return []byte(document.String())
}
