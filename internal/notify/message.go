package notify

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"clientvpn-responder/internal/responder"
)

// maxBody keeps body, subject and attributes together below SNS's 262,144 bytes.
// Source: Amazon SNS API reference, Publish.
const maxBody = 240 << 10

// maxSubject is the longest subject that SNS takes, in characters: "less than 100".
// Source: Amazon SNS API reference, Publish.
const maxSubject = 99

// subject says the outcome in one line of at most 99 printable ASCII characters that begins with the status.
func subject(o responder.Outcome) string {
	line := fmt.Sprintf("%s: %s", o.Status, o.Signal.Subject)
	switch n := len(o.Connections); n {
	case 0:
	case 1:
		line += ", 1 connection"
	default:
		line += fmt.Sprintf(", %d connections", n)
	}
	line += fmt.Sprintf(" (%s %s)", o.Signal.Provider, o.Signal.Type)
	line = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, line)
	return line[:min(len(line), maxSubject)]
}

// body is the outcome as JSON. Where it would be too long for SNS, connections are left out and counted, and then reasons
// and names, which are never that many.
func body(o responder.Outcome) (string, error) {
	all := len(o.Connections) + len(o.Spared)
	for keep := 500; ; keep /= 2 {
		o.Connections, o.Spared = first(keep, o.Connections), first(keep, o.Spared)
		o.Omitted = all - len(o.Connections) - len(o.Spared)
		if o.Omitted > 0 {
			o.Error = string(first(1000, []rune(o.Error))) // which has a part for each connection
		}
		if keep == 0 {
			o.Decision.Reasons, o.Decision.Names = first(50, o.Decision.Reasons), first(20, o.Decision.Names)
		}
		raw, err := json.Marshal(o)
		if err != nil {
			return "", fmt.Errorf("rendering the outcome: %w", err)
		}
		if len(raw) <= maxBody || keep == 0 {
			return string(raw), nil
		}
	}
}

func first[T any](n int, list []T) []T { return list[:min(n, len(list))] }

// attribute is a message attribute, for the filter policies of subscriptions.
type attribute struct{ name, dataType, value string }

// attributes are those of the outcome; SNS takes none that is empty.
func attributes(o responder.Outcome) []attribute {
	var set []attribute
	for _, a := range []attribute{
		{"status", "String", string(o.Status)},
		{"provider", "String", o.Signal.Provider},
		{"kind", "String", string(o.Signal.Kind)},
		{"severity", "Number", strconv.FormatFloat(o.Signal.Severity, 'f', -1, 64)},
		{"mode", "String", string(o.Decision.Mode)},
		{"account", "String", o.Signal.Account},
	} {
		if a.value != "" {
			set = append(set, a)
		}
	}
	return set
}
