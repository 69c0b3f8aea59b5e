package responder_test

import (
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
)

var bob = signal.Subject{Usernames: []string{"bob@example.com"}}

// elsewhere runs another instance of the function, which gets other events of the same company, after a while. What it
// returns waits until that instance has ended.
func (c company) elsewhere(t *testing.T, after time.Duration, then func(c company)) (wait func()) {
	t.Helper()
	other := *c.Responder
	done := make(chan struct{})
	go func() {
		defer close(done)
		time.Sleep(after)
		then(company{c.Cloud, &other, c.list})
	}()
	t.Cleanup(func() { <-done })
	return func() { <-done }
}

// TestReinstatedDuringTheWatchIsNotCutOff: another instance gets the opening while the first one watches. The person
// connects again, and the listing at the end of WATCH finds them.
func TestReinstatedDuringTheWatchIsNotCutOff(t *testing.T) {
	for _, test := range []struct {
		name   string
		before []string // who is connected when the event comes
		after  time.Duration
		status responder.Status
		words  string
	}{
		{"was cut off, and is back", []string{"alice"}, 5 * time.Second, responder.Terminated, "left alone, as "},
		{"was not connected, at 3 s", nil, 1500 * time.Millisecond, responder.Stale, "Nobody was cut off: 1 "},
		{"was not connected, at the end", nil, 5 * time.Second, responder.Stale, "Nobody was cut off: 1 "},
	} {
		t.Run(test.name, func(t *testing.T) {
			remembering(t, func(t *testing.T, c company) {
				c.connect(test.before...)
				c.elsewhere(t, test.after, func(other company) {
					respond(t, other.Responder, enabled(alice))
					c.connect("alice")
				})
				o := respond(t, c.Responder, about(alice))[0]
				says(t, o, test.status, test.words)
				says(t, o, test.status, "okta reinstated alice later, at ")
				if c.up() != 1 || len(o.Spared) != 1 || o.Spared[0].Gate != policy.GateReinstated {
					t.Errorf("%d up, %d spared", c.up(), len(o.Spared))
				}
				if c.kept(t) != "" || !o.KeptOutUntil.IsZero() || strings.Contains(o.Summary, "kept out") {
					t.Errorf("kept out %q until %v: %s", c.kept(t), o.KeptOutUntil, o.Summary)
				}
			})
		})
	}
}

// TestLiftedByHandDuringTheWatchIsNotCutOff: somebody lifts a finding's entry by our own form, in another instance.
func TestLiftedByHandDuringTheWatchIsNotCutOff(t *testing.T) {
	remembering(t, func(t *testing.T, c company) {
		c.connect("alice")
		c.elsewhere(t, 5*time.Second, func(other company) {
			respond(t, other.Responder, reinstated(alice))
			c.connect("alice")
		})
		o := respond(t, c.Responder, finding(alice))[0]
		says(t, o, responder.Terminated, "left alone, as helpdesk lifted what this event had asked for")
		if c.up() != 1 {
			t.Errorf("%d up", c.up())
		}
	})
}

// TestAnotherIssuersOpeningDuringTheWatchSparesNobody: Duo does not take back what Okta closed. Nobody else's opening
// spares alice either, and who is not reinstated is cut off beside a person who is.
func TestAnotherIssuersOpeningDuringTheWatchSparesNobody(t *testing.T) {
	remembering(t, func(t *testing.T, c company) {
		c.connect("alice", "bob")
		c.elsewhere(t, 5*time.Second, func(other company) {
			respond(t, other.Responder,
				changed(enabled(alice), func(s *signal.Signal) { s.Provider = "duo" }), enabled(bob))
			c.connect("alice", "bob")
		})
		outcomes := respond(t, c.Responder, about(alice), about(bob))
		if o := outcomes[0]; o.Status != responder.Terminated || len(o.Spared) != 0 || len(o.Connections) != 2 {
			t.Errorf("%s: %s", o.Status, o.Summary)
		}
		if o := outcomes[1]; len(o.Spared) != 1 || len(o.Connections) != 1 || c.up() != 1 {
			t.Errorf("%s: %s, %d up", o.Status, o.Summary, c.up())
		}
	})
}

// TestLedgerThatHangsHoldsNoWatchUp: the person who is back is cut off a moment later, and the outcome says what is not
// known. Nobody asked about anybody else of the batch, so their outcomes do not say it.
func TestLedgerThatHangsHoldsNoWatchUp(t *testing.T) {
	remembering(t, func(t *testing.T, c company) {
		c.KeepOut = nil
		c.connect("alice")
		var back time.Time
		wait := c.elsewhere(t, 5*time.Second, func(company) {
			c.Inject(emulator.Fault{Action: "BatchGetItem", Delay: time.Hour})
			c.connect("alice")
			back = time.Now()
		})
		const silent = "the ledger did not answer during the watch"
		outcomes := respond(t, c.Responder, about(alice), about(bob))
		wait()
		o := outcomes[0]
		says(t, o, responder.Terminated, silent)
		if words := strings.Join(policy.Words(outcomes[1].Decision.Reasons), "; "); strings.Contains(words, silent) {
			t.Error(words)
		}
		if took := o.Timing.RequestedAt.Sub(back); c.up() != 0 || took > 5*time.Second {
			t.Errorf("%d up, cut off after %s", c.up(), took)
		}
	})
}

// TestWatchAsksTheLedgerOnlyAboutSomebody: a watch in which nobody is back reads nothing, and one read is for the whole
// batch. A connection that was left alone before is nobody new.
func TestWatchAsksTheLedgerOnlyAboutSomebody(t *testing.T) {
	for back, want := range map[bool]int{false: 0, true: 1} {
		remembering(t, func(t *testing.T, c company) {
			c.KeepOut = nil
			c.connect("alice", "bob", "alice@ad.example.com")
			var reads int
			wait := c.elsewhere(t, 5*time.Second, func(company) {
				reads = actions(c.Cloud)["BatchGetItem"]
				if back {
					c.connect("alice", "bob")
				}
			})
			respond(t, c.Responder, about(alice), about(bob))
			wait()
			if got := actions(c.Cloud)["BatchGetItem"] - reads; got != want {
				t.Errorf("back %t: %d reads, want %d", back, got, want)
			}
		})
	}
}
