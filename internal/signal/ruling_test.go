package signal_test

import (
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/signal"

	"github.com/google/go-cmp/cmp"
)

// TestSentAtIsTheEnvelopes: whatever the provider's own record says. A replay says so.
func TestSentAtIsTheEnvelopes(t *testing.T) {
	signals, err := signal.Parse(event(t, okta, "time", "2026-11-20T10:00:00Z", "detail/published",
		"2026-11-20T10:06:00.000Z", "replay-name", "november"))
	if err != nil {
		t.Fatal(err)
	}
	s := signals[0]
	if sent := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC); !s.SentAt.Equal(sent) ||
		!s.Time.Equal(sent.Add(6*time.Minute)) || s.Replay != "november" {
		t.Errorf("%+v", s)
	}
}

// TestRulingsNameWhoDecides: and what about. They are about nobody's access.
func TestRulingsNameWhoDecides(t *testing.T) {
	ruling := func(detailType string, detail map[string]any) ([]signal.Signal, error) {
		return signal.Parse(event(t, custom, "detail-type", detailType, "detail", detail))
	}
	good := map[string]any{"source": "okta", "requested_by": "carol", "reason": "the import was right"}
	signals, err := ruling("Release Held", good)
	if err != nil || len(signals) != 1 {
		t.Fatal(signals, err)
	}
	if s := signals[0]; s.Kind != signal.ReleaseHeld || s.RequestedBy != "carol" ||
		s.Reason != "the import was right" || !s.Subject.IsNobody() ||
		cmp.Diff(&signal.Scope{Source: "okta"}, s.Scope) != "" {
		t.Errorf("%+v", s)
	}
	signals, err = ruling("Drop Held", map[string]any{"source": "all", "usernames": []string{"alice",
		"bob@example.com"}, "requestedBy": "carol", "reason": "r"})
	if err != nil || signals[0].Kind != signal.DropHeld || cmp.Diff(&signal.Scope{Source: "all",
		People: []string{"alice", "bob@example.com"}}, signals[0].Scope) != "" {
		t.Errorf("%+v %v", signals, err)
	}
	for change, want := range map[string]string{"requested_by": "detail.requested_by", "reason": "detail.reason",
		"source": "detail.source"} {
		detail := map[string]any{}
		for k, v := range good {
			if k != change {
				detail[k] = v
			}
		}
		if _, err := ruling("Release Held", detail); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("without %s: %v", change, err)
		}
	}
	for _, extra := range []string{"client_ip", "kind", "effective_at"} {
		detail := map[string]any{extra: "10.0.0.1"}
		for k, v := range good {
			detail[k] = v
		}
		if _, err := ruling("Release Held", detail); err == nil {
			t.Errorf("%s does not matter", extra)
		}
	}
}

// TestFindingsHaveALaneOfTheirOwn: they share it, whichever provider reports them.
func TestFindingsHaveALaneOfTheirOwn(t *testing.T) {
	for want, s := range map[string]signal.Signal{
		"findings": {Provider: "securityhub", Kind: signal.Finding}, "okta": {Provider: "okta", Kind: signal.AccountDisabled},
	} {
		if got := s.Lane(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if got := (signal.Scope{Source: "all"}).Lanes(); len(got) != len(signal.Providers())+1 {
		t.Error(got)
	}
	if got := (signal.Scope{Source: "oktta"}).Lanes(); len(got) != 0 {
		t.Error(got)
	}
}
