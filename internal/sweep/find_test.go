package sweep_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/directory"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/sweep"
)

// closed is a sweeper where zoe is connected, whose account Okta closed a while ago.
func closed(t *testing.T, ago time.Duration) (*sweep.Sweeper, *ledger.Table) {
	t.Helper()
	s, list := company(t, nil, "zoe@example.com"), ledger.InProcess()
	s.Store, s.Ledger = (*directory.Directory)(nil), list
	at := time.Now().Add(-ago)
	if changed := list.SetAccess(t.Context(), []ledger.Change{{Person: "zoe", Close: &ledger.Closing{
		Issuer: "okta:acme", Provider: "okta", OutcomeID: "okta 1", Kind: "account-disabled", EventAt: at, Arrived: at,
	}}}); changed[0].Err != nil {
		t.Fatal(changed[0].Err)
	}
	return s, list
}

// TestClosingIsFoundAfterAWhile: its own event may be in work elsewhere.
func TestClosingIsFoundAfterAWhile(t *testing.T) {
	for ago, want := range map[time.Duration]int{4 * time.Minute: 0, 6 * time.Minute: 1} {
		synctest.Test(t, func(t *testing.T) {
			s, _ := closed(t, ago)
			if r := s.Run(t.Context(), "111122223333", "eu-west-1"); len(r.Found) != want || r.Closed != want {
				t.Errorf("after %s: %d found: %v", ago, len(r.Found), r.Problems)
			}
		})
	}
}

// TestWhoIsUpAgainIsFoundAgain: an answer that cut nobody off is good for a day, and one that did is not. Nobody is
// found whom the brake holds.
func TestWhoIsUpAgainIsFoundAgain(t *testing.T) {
	for name, test := range map[string]struct {
		ago     time.Duration // since the answer; 0 for none
		settled bool
		status  string
		found   int
	}{
		"reported in a dry-run":     {ago: 23 * time.Hour, status: "would-terminate"},
		"reported a day ago":        {ago: 25 * time.Hour, status: "would-terminate", found: 1},
		"cut off, and up again":     {ago: time.Hour, settled: true, status: "terminated", found: 1},
		"not answered":              {status: "failed", found: 1},
		"held":                      {status: "held"},
		"held, and a message of it": {ago: 30 * time.Hour, status: "held"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, list := closed(t, 48*time.Hour)
			first := s.Run(t.Context(), "111122223333", "eu-west-1")
			if len(first.Found) != 1 {
				t.Fatalf("%+v", first)
			}
			e := ledger.Event{
				Key:    ledger.EventKey{Provider: signal.SweepProvider, ID: first.Found[0].ID, Subject: "zoe"},
				Status: test.status, Settled: test.settled,
			}
			if test.ago > 0 {
				e.AnsweredAt = time.Now().Add(-test.ago)
			}
			if err := list.Note(t.Context(), []ledger.Event{e}); err != nil {
				t.Fatal(err)
			}
			r := s.Run(t.Context(), "111122223333", "eu-west-1")
			if r.Closed != 1 || len(r.Found) != test.found || r.Answered != 1-test.found {
				t.Errorf("%s: %d found, %d answered", name, len(r.Found), r.Answered)
			}
		})
	}
}

var errForgotten = errors.New("the table does not answer")

// forgetful is a ledger that knows nothing of people.
type forgetful struct{ *ledger.Table }

func (f forgetful) Recall(ctx context.Context, q ledger.Query) (ledger.Recalled, error) {
	if len(q.People) > 0 {
		return ledger.Recalled{}, errForgotten
	}
	return f.Table.Recall(ctx, q)
}

// TestSilentLedgerIsNoOpenAccount: the report says that the closings are not known.
func TestSilentLedgerIsNoOpenAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, list := closed(t, time.Hour)
		s.Ledger = forgetful{list}
		r := s.Run(t.Context(), "111122223333", "eu-west-1")
		if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Error(), errForgotten.Error()) {
			t.Errorf("%v", r.Problems)
		}
	})
}
