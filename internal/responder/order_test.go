package responder_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
)

// remembering is a company whose responder has a ledger.
func remembering(t *testing.T, test func(t *testing.T, c company)) {
	keepingPeopleOut(t, func(t *testing.T, c company) {
		c.Responder.Ledger, c.Alone = c.list, ledger.InProcess()
		test(t, c)
	})
}

// dated returns the signal as of another time.
func dated(s signal.Signal, at time.Time) signal.Signal {
	s.Time = at
	return s
}

// up counts the connections that are up.
func (c company) up() int {
	n := 0
	for _, connection := range c.Connections() {
		if connection.Status == "active" {
			n++
		}
	}
	return n
}

// says reports an outcome that is not as it should be.
func says(t *testing.T, o responder.Outcome, status responder.Status, words string) {
	t.Helper()
	if o.Status != status || !strings.Contains(o.Summary+strings.Join(policy.Words(o.Decision.Reasons), "; "), words) {
		t.Errorf("%s: %s\n%s", o.Status, o.Summary, strings.Join(policy.Words(o.Decision.Reasons), "; "))
	}
}

// TestLaterOpeningCancelsAClosing: disabled at 0:00, enabled at 1:00, and the first event comes at 2:00, or both come
// in one batch.
func TestLaterOpeningCancelsAClosing(t *testing.T) {
	remembering(t, func(t *testing.T, c company) {
		start := time.Now()
		time.Sleep(2 * time.Hour)
		c.connect("alice")
		respond(t, c.Responder, dated(enabled(alice), start.Add(time.Hour)))
		says(t, respond(t, c.Responder, dated(about(alice), start))[0], responder.Stale, "okta reinstated alice later")
		if c.up() != 1 || c.kept(t) != "" {
			t.Errorf("%d up, kept out %q", c.up(), c.kept(t))
		}
	})
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		remembering(t, func(t *testing.T, c company) {
			start := time.Now()
			time.Sleep(2 * time.Hour)
			c.connect("alice")
			both := []signal.Signal{dated(about(alice), start), dated(enabled(alice), start.Add(time.Hour))}
			outcomes := respond(t, c.Responder, both[order[0]], both[order[1]])
			says(t, outcomes[slices.Index(order, 0)], responder.Stale, "okta reinstated alice later")
			if c.up() != 1 || c.kept(t) != "" {
				t.Errorf("%d up, kept out %q", c.up(), c.kept(t))
			}
		})
	}
}

// TestOfTheSameSecondTheLaterArrivalHolds: and it says so.
func TestOfTheSameSecondTheLaterArrivalHolds(t *testing.T) {
	for _, closingLast := range []bool{false, true} {
		for _, together := range []bool{false, true} {
			remembering(t, func(t *testing.T, c company) {
				c.connect("alice")
				second := time.Now().Truncate(time.Second)
				events := []signal.Signal{dated(about(alice), second), dated(enabled(alice), second)}
				if closingLast {
					slices.Reverse(events)
				}
				var outcomes []responder.Outcome
				if together {
					outcomes = respond(t, c.Responder, events...)
				} else {
					outcomes = respond(t, c.Responder, events[0])
					time.Sleep(time.Second)
					outcomes = append(outcomes, respond(t, c.Responder, events[1])...)
				}
				if out := c.kept(t) != ""; out != closingLast {
					t.Errorf("closing last %t, together %t: kept out %q: %s", closingLast, together, c.kept(t), outcomes[1].Summary)
				}
				if together && !closingLast {
					says(t, outcomes[0], responder.Stale, "at the same moment, and that event arrived later")
				}
			})
		}
	}
}

// TestOpeningLiftsOnlyWhatItsIssuerClosed: Google's or Duo's opening does not let in whom Okta closed. Our own form
// does.
func TestOpeningLiftsOnlyWhatItsIssuerClosed(t *testing.T) {
	remembering(t, func(t *testing.T, c company) {
		respond(t, c.Responder, about(alice))
		time.Sleep(time.Hour)
		for _, provider := range []string{"google-workspace", "duo"} {
			other := changed(enabled(alice), func(s *signal.Signal) { s.Provider = provider })
			says(t, respond(t, c.Responder, other)[0], responder.Notified, "stays kept out for ever by okta")
			if c.kept(t) == "" {
				t.Errorf("%s lets in whom Okta closed", provider)
			}
		}
		if respond(t, c.Responder, reinstated(alice)); c.kept(t) != "" {
			t.Error("our own form does not let in")
		}
	})
}

// TestLiftedFindingIsNotDoneAgain: a human lifts a finding's keep-out, and GuardDuty updates the same finding.
func TestLiftedFindingIsNotDoneAgain(t *testing.T) {
	remembering(t, func(t *testing.T, c company) {
		respond(t, c.Responder, finding(alice))
		time.Sleep(time.Hour)
		respond(t, c.Responder, reinstated(alice))
		c.connect("alice")
		time.Sleep(6 * time.Hour)
		says(
			t,
			respond(t, c.Responder, finding(alice))[0],
			responder.Notified,
			"helpdesk lifted what this event had asked for",
		)
		if c.up() != 1 || c.kept(t) != "" {
			t.Errorf("%d up, kept out %q", c.up(), c.kept(t))
		}
		another := changed(finding(alice), func(s *signal.Signal) { s.ID = "another" })
		if respond(t, c.Responder, another); c.up() != 0 || c.kept(t) == "" {
			t.Error("another finding does nothing")
		}
	})
}

// TestReplaysAreReportedAndNotDone: unless our own form asks. So are events that are older than any queue keeps.
func TestReplaysAreReportedAndNotDone(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*signal.Signal)
		status responder.Status
	}{
		{"a replay", func(s *signal.Signal) { s.Replay = "november" }, responder.Stale},
		{"of seventeen days ago", func(s *signal.Signal) { s.Time = s.Time.Add(-17 * 24 * time.Hour) }, responder.Stale},
		{"of fifteen days ago", func(s *signal.Signal) { s.Time = s.Time.Add(-15 * 24 * time.Hour) }, responder.Terminated},
		{
			"our own form, replayed", func(s *signal.Signal) { s.Replay, s.Provider = "november", signal.Custom },
			responder.Terminated,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			remembering(t, func(t *testing.T, c company) {
				c.connect("alice")
				o := respond(t, c.Responder, changed(about(alice), test.change))[0]
				if o.Status != test.status || c.up() != 0 && test.status == responder.Terminated ||
					c.up() != 1 && test.status == responder.Stale {
					t.Errorf("%s: %s", o.Status, o.Summary)
				}
				if kept := c.kept(t) != ""; kept != (test.status == responder.Terminated) {
					t.Errorf("kept out %q", c.kept(t))
				}
			})
		})
	}
}

// TestLedgerThatHangsHoldsNobodyUp: longer than a moment. The outcome says what is not known.
func TestLedgerThatHangsHoldsNobodyUp(t *testing.T) {
	for _, action := range []string{"BatchGetItem", "UpdateItem"} {
		remembering(t, func(t *testing.T, c company) {
			c.KeepOut = nil
			c.connect("alice")
			c.Inject(emulator.Fault{Action: action, Delay: time.Hour})
			o := respond(t, c.Responder, about(alice))[0]
			says(t, o, responder.Terminated, "the ledger did not ")
			if took := o.Timing.RequestedAt.Sub(o.Timing.ReceivedAt); took > 6*time.Second {
				t.Errorf("%s: cut off after %s", action, took)
			}
		})
	}
}
