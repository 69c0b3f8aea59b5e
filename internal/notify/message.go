package notify

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/vpn"
)

// maxBody keeps body, subject and attributes together below SNS's 262,144 bytes.
// Source: Amazon SNS API reference, Publish.
const maxBody = 240 << 10

// maxSubject is the longest subject that SNS takes, in characters: "less than 100".
// Source: Amazon SNS API reference, Publish.
const maxSubject = 99

// document renders the outcome for machines.
func document(o responder.Outcome) (title, body string, err error) {
	_, raw, err := shorten(o)
	return subject(o), string(raw), err
}

// subject says the outcome in one line of at most 99 printable ASCII characters that begins with the status.
func subject(o responder.Outcome) string {
	line := fmt.Sprintf("%s: %s", o.Status, o.Signal.Subject)
	if n := len(o.Connections); n > 0 {
		line += ", " + count(n, "connection")
	}
	line = ascii(fmt.Sprintf("%s (%s %s)", line, o.Signal.Provider, o.Signal.Type))
	return line[:min(len(line), maxSubject)]
}

// shorten returns the outcome in a form that SNS accepts, and that form as JSON. If it is too long, shorten omits and
// counts connections, and then shortens reasons, names and listings, which are never that many.
func shorten(o responder.Outcome) (responder.Outcome, []byte, error) {
	all := len(o.Connections) + len(o.Spared)
	for keep := 500; ; keep /= 2 {
		o.Connections, o.Spared = first(keep, o.Connections), first(keep, o.Spared)
		o.Omitted = all - len(o.Connections) - len(o.Spared)
		if o.Omitted > 0 {
			o.Error = string(first(1000, []rune(o.Error))) // which has a part for each connection
		}
		if keep == 0 {
			o.Decision.Reasons, o.Decision.Names = first(50, o.Decision.Reasons), first(20, o.Decision.Names)
			o.Listings = first(100, o.Listings)
			o.Evidence = briefly(o.Evidence)
		}
		raw, err := json.Marshal(o)
		if err != nil {
			return o, nil, fmt.Errorf("rendering the outcome: %w", err)
		}
		if len(raw) <= maxBody || keep == 0 {
			return o, raw, nil
		}
	}
}

func first[T any](n int, list []T) []T { return list[:min(n, len(list))] }

// attribute is a message attribute, for the filter policies of subscriptions.
type attribute struct{ name, dataType, value string }

// attributes returns the outcome's message attributes. SNS accepts no empty one.
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

// ascii puts a question mark for every character that is not printable ASCII.
func ascii(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}

// count says how many there are of what one is called.
func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

func ended(o responder.Outcome) int {
	n := 0
	for _, c := range o.Connections {
		if c.Ended() {
			n++
		}
	}
	return n
}

// left returns the connections that were to end and may still be active. It omits spared ones: they may be somebody
// else's, and no message may ask to cut that person off.
func left(o responder.Outcome) []*vpn.Connection {
	var up []*vpn.Connection
	for _, c := range o.Connections {
		if !c.Ended() {
			up = append(up, c.Connection)
		}
	}
	return up
}
