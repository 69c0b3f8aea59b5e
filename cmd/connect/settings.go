package main

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"clientvpn-responder/internal/lambdaenv"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/policysource"
)

// settings is the environment. A setting that is wrong has its default, or is empty where there is none.
type settings struct {
	table      string
	policyFile string
	policyAt   policysource.Location // zero where the file is the policy
	taskRoot   string                // where Lambda unpacks the function
	message    string                // to a person who is denied
	allow      bool                  // the answer where it cannot be decided
	limit      time.Duration         // for one decision
}

const (
	defaultMessage = "You may not connect to this VPN at present. Please contact your IT service desk."
	defaultLimit   = 3 * time.Second
	// AWS denies after 30 seconds, which include a start of the function and the way there and back.
	longestLimit = 20 * time.Second
	// Source: AWS Client VPN administrator guide, connection authorization.
	longestMessage = 255 // characters
)

type setting = lambdaenv.Setting[settings]

// environment is what the function reads; doc/keepout.md has the same rows.
var environment = []setting{
	{
		Name: "AWS_REGION", Missing: "missing; Lambda sets it, elsewhere name the Region of the table",
		Parse: func(*settings, string) error { return nil }, // the SDK's configuration reads it
	},
	{
		Name: "LEDGER_TABLE", Doc: "DynamoDB table of people who may not connect", Absent: "nothing can be decided",
		Missing: "missing; name the DynamoDB table of people who may not connect",
		Parse:   lambdaenv.Text(func(s *settings) *string { return &s.table }, ledger.CheckName),
	},
	{
		Name: "POLICY_FILE", Doc: "path of the policy", Absent: "`policy.yaml` beside the binary",
		Parse: lambdaenv.Text(func(s *settings) *string { return &s.policyFile }),
	},
	{
		Name: "POLICY_SOURCE", Absent: "the file",
		Doc:   "where the policy is in S3, as `s3://bucket/policy.yaml`; until one is put there, the file holds",
		Parse: lambdaenv.Parsed(func(s *settings) *policysource.Location { return &s.policyAt }, policysource.ParseLocation),
	},
	{Name: "LAMBDA_TASK_ROOT", Parse: lambdaenv.Text(func(s *settings) *string { return &s.taskRoot })},
	{
		Name: "DENY_MESSAGE", Doc: "the message to people who may not connect, at most 255 characters",
		Absent: "to contact their IT service desk", Parse: parseMessage,
	},
	{Name: "ON_ERROR", Doc: "`allow` or `deny` if it cannot decide", Absent: "`allow`", Parse: parseOnError},
	{
		Name: "TIME_LIMIT", Absent: "`3s`",
		Doc:   "for one decision, tries and a newer policy included, as a Go duration up to `20s`",
		Parse: parseLimit,
	},
}

// readSettings reads the environment through getenv; program is the path of the binary. It returns every problem, each
// beginning with the variable's name.
func readSettings(getenv func(string) string, program string) (s settings, problems []string) {
	s = settings{message: defaultMessage, allow: true, limit: defaultLimit}
	problems = lambdaenv.Read(environment, getenv, &s)
	s.policyFile = policy.File(s.policyFile, s.taskRoot, program)
	return s, problems
}

func parseMessage(s *settings, message string) error {
	switch n := utf8.RuneCountInString(message); {
	case n > longestMessage:
		return fmt.Errorf("has %d characters, and a client is shown %d at most", n, longestMessage)
	case !utf8.ValidString(message) || strings.ContainsFunc(message, unicode.IsControl) ||
		strings.TrimSpace(message) == "":
		return fmt.Errorf("%q is not a line of text", message)
	}
	s.message = message
	return nil
}

func parseOnError(s *settings, value string) error {
	if value != "allow" && value != "deny" {
		return fmt.Errorf("%q is neither allow nor deny", value)
	}
	s.allow = value == "allow"
	return nil
}

func parseLimit(s *settings, value string) error {
	limit, err := time.ParseDuration(value)
	if err != nil || limit < 100*time.Millisecond || limit > longestLimit {
		return fmt.Errorf("%q is not a duration between 100ms and %s, like 3s", value, longestLimit)
	}
	s.limit = limit
	return nil
}
