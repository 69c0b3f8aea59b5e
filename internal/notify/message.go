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
	if n := len(o.Connections); n > 0 {
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

// body is the outcome as JSON. Where it would be too long for SNS, connections are left out and counted.
func body(o responder.Outcome) (string, error) {
	for {
		raw, err := json.Marshal(o)
		if err != nil {
			return "", fmt.Errorf("rendering the outcome: %w", err)
		}
		if len(raw) <= maxBody {
			return string(raw), nil
		}
		connections, spared := len(o.Connections)/2, len(o.Spared)/2
		if left := len(o.Connections) + len(o.Spared); left > 0 {
			o.Omitted += left - connections - spared
			o.Connections, o.Spared = o.Connections[:connections], o.Spared[:spared]
			continue
		}
		// What is long now is the error, which has a line for each connection, or the reasons.
		o.Error = o.Error[:min(len(o.Error), 1000)]
		o.Decision.Reasons = o.Decision.Reasons[:len(o.Decision.Reasons)/2]
		o.Decision.Names = o.Decision.Names[:len(o.Decision.Names)/2]
	}
}

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
