package main

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"clientvpn-responder/internal/keepout"
	"clientvpn-responder/internal/policy"
)

// settings is the environment. What is wrong in it has its default, or is empty where there is none.
type settings struct {
	table      string
	policyFile string
	message    string        // for who is denied
	allow      bool          // who is let in where it cannot be decided
	limit      time.Duration // for one decision
}

const (
	defaultMessage = "You may not connect to this VPN at present. Please contact your IT service desk."
	defaultLimit   = 3 * time.Second
	// AWS denies after 30 seconds, of which a start and the way there and back take their part.
	longestLimit = 20 * time.Second
	// Source: AWS Client VPN administrator guide, connection authorization.
	longestMessage = 255 // characters
)

// readSettings reads the environment through getenv; program is the path of the binary. A variable that is empty counts as
// absent. Each problem begins with the variable's name.
func readSettings(getenv func(string) string, program string) (s settings, problems []string) {
	s = settings{message: defaultMessage, allow: true, limit: defaultLimit}
	wrong := func(name, format string, args ...any) {
		problems = append(problems, name+": "+fmt.Sprintf(format, args...))
	}

	if getenv("AWS_REGION") == "" {
		wrong("AWS_REGION", "missing; Lambda sets it, elsewhere name the Region of the table")
	}
	switch name := getenv("KEEPOUT_TABLE"); {
	case name == "":
		wrong("KEEPOUT_TABLE", "missing; name the DynamoDB table of people who may not connect")
	case !keepout.ValidName(name):
		wrong("KEEPOUT_TABLE", "%q is not the name of a DynamoDB table: 3 to 255 letters, digits and the signs _.-", name)
	default:
		s.table = name
	}
	s.policyFile = policy.File(getenv("POLICY_FILE"), getenv("LAMBDA_TASK_ROOT"), program)
	switch message := getenv("DENY_MESSAGE"); {
	case message == "":
	case utf8.RuneCountInString(message) > longestMessage:
		wrong("DENY_MESSAGE", "has %d characters, and a client is shown %d at most", utf8.RuneCountInString(message), longestMessage)
	case !utf8.ValidString(message) || strings.ContainsFunc(message, unicode.IsControl) || strings.TrimSpace(message) == "":
		wrong("DENY_MESSAGE", "%q is not a line of text", message)
	default:
		s.message = message
	}
	switch onError := getenv("ON_ERROR"); onError {
	case "", "allow":
	case "deny":
		s.allow = false
	default:
		wrong("ON_ERROR", "%q is neither allow nor deny", onError)
	}
	if value := getenv("TIME_LIMIT"); value != "" {
		limit, err := time.ParseDuration(value)
		if err != nil || limit < 100*time.Millisecond || limit > longestLimit {
			wrong("TIME_LIMIT", "%q is not a duration between 100ms and %s, like 3s", value, longestLimit)
		} else {
			s.limit = limit
		}
	}
	return s, problems
}
