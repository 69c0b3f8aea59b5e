package notify

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/schema"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/vpn"
)

func outcome(connections int) responder.Outcome {
	o := responder.Outcome{
		SchemaVersion: 1,
		Status:        responder.Terminated,
		Summary:       "ended",
		Signal: signal.Signal{
			ID:       "1",
			Provider: "okta",
			Kind:     signal.AccountDisabled,
			Type:     "user.lifecycle.deactivate",
			Subject:  signal.Subject{Usernames: []string{"alice@example.com"}},
		},
		Decision: policy.Decision{
			Rule:    "leavers",
			Action:  policy.Terminate,
			Mode:    policy.Enforce,
			Names:   []string{"alice"},
			Reasons: []policy.Reason{{Text: "because"}},
		},
		Timing:      responder.Timing{ReceivedAt: time.Unix(0, 0), DecidedAt: time.Unix(0, 0), EndedAt: time.Unix(1, 0)},
		Connections: []responder.Connection{},
		Spared:      []responder.Spared{},
	}
	if connections == 0 {
		o.Status = responder.NotConnected
	}
	for i := range connections {
		c := &vpn.Connection{
			EndpointID: "cvpn-endpoint-1",
			ID:         fmt.Sprint("cvpn-connection-", i),
			Username:   "alice@example.com",
			Previous:   vpn.Active,
			Current:    vpn.Terminated,
			EndedAt:    time.Unix(1, 0),
		}
		o.Connections = append(o.Connections, responder.Connection{Connection: c, Fate: vpn.FateEnded})
		o.Spared = append(o.Spared, responder.Spared{Connection: c, Reason: "exempt"})
	}
	o.Error = strings.Repeat("cvpn-connection: something failed; ", connections)
	return o
}

// TestMessageFitsAtAnyNumberOfConnections: below SNS's 262,144 bytes, still JSON, and it says how many are left out.
func TestMessageFitsAtAnyNumberOfConnections(t *testing.T) {
	for _, n := range []int{0, 1, 500, 5_000, 126_000} {
		o := outcome(n)
		title, text, err := document(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Check([]byte(text)); err != nil {
			t.Error(err)
		}
		size := len(text) + len(title)
		for _, a := range attributes(o) {
			size += len(a.name) + len(a.dataType) + len(a.value)
		}
		var got struct {
			Status      string
			Omitted     int
			Connections []any
			Spared      []any
		}
		if err := json.Unmarshal([]byte(text), &got); err != nil || size >= 262_144 {
			t.Fatalf("%d connections: %d bytes, %v", n, size, err)
		}
		if got.Omitted+len(got.Connections)+len(got.Spared) != 2*n || got.Status != string(o.Status) {
			t.Errorf("%d connections: %d omitted, %d and %d told", n, got.Omitted, len(got.Connections), len(got.Spared))
		}
		if len(o.Connections) != n || len(o.Decision.Names) != 1 {
			t.Error("the outcome itself was shortened")
		}
	}
}

func TestSubjectIsWhatSNSTakes(t *testing.T) {
	for name, want := range map[string]string{
		"alice@example.com":        "terminated: alice@example.com, 2 connections (okta user.lifecycle.deactivate)",
		"émile\u202e😀":             "terminated: ?mile??, 2 connections (okta user.lifecycle.deactivate)",
		"a\nSubject: b":            "terminated: a?Subject: b, 2 connections (okta user.lifecycle.deactivate)",
		strings.Repeat("long", 99): "terminated: " + strings.Repeat("long", 21) + "lon",
	} {
		o := outcome(2)
		o.Signal.Subject.Usernames[0] = name
		got := subject(o)
		if got != want || len(got) > 99 ||
			strings.ContainsFunc(got, func(r rune) bool { return r > unicode.MaxASCII || unicode.IsControl(r) }) {
			t.Errorf("%q: %q, %d characters", name, got, len(got))
		}
	}
}

// TestNoEmptyAttribute: SNS refuses a message with one.
func TestNoEmptyAttribute(t *testing.T) {
	for _, a := range attributes(responder.Outcome{}) {
		if a.value == "" {
			t.Errorf("%s is empty", a.name)
		}
	}
}

func TestSubjectCountsConnections(t *testing.T) {
	if got := subject(outcome(1)); got != "terminated: alice@example.com, 1 connection (okta user.lifecycle.deactivate)" {
		t.Error(got)
	}
	if got := subject(outcome(0)); got != "not-connected: alice@example.com (okta user.lifecycle.deactivate)" {
		t.Error(got)
	}
}

func TestMessageFitsWhateverIsLong(t *testing.T) {
	for length := 1; length < 400; length += 10 { // some of them lie between maxBody and SNS's limit
		o := outcome(500)
		for _, c := range o.Connections {
			c.CommonName = strings.Repeat("x", length)
		}
		if _, text, err := shorten(o); err != nil || len(text) > maxBody || maxBody > 262_144-1000 {
			t.Fatalf("common names of %d: %d bytes, %v", length, len(text), err)
		}
	}
	o := outcome(1)
	o.Decision.Reasons = slices.Repeat([]policy.Reason{{Text: strings.Repeat("because ", 100)}}, 1000)
	o.Decision.Names = slices.Repeat([]string{strings.Repeat("n", 1000)}, 1000)
	o.Listings = slices.Repeat([]string{"1f3e7c1e-0000-4000-8000-000000000000"}, 10_000)
	if _, text, err := shorten(o); err != nil || len(text) > maxBody {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}
