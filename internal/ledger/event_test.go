package ledger_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/ledger"

	"github.com/google/go-cmp/cmp"
)

func note(t *testing.T, l *ledger.Table, events ...ledger.Event) {
	t.Helper()
	if err := l.Note(t.Context(), events); err != nil {
		t.Fatal(err)
	}
}

func recall(t *testing.T, l *ledger.Table, q ledger.Query) ledger.Recalled {
	t.Helper()
	known, err := l.Recall(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return known
}

// TestWhatBecameOfAnEventIsRemembered: of each person that it is about, across repeats.
func TestWhatBecameOfAnEventIsRemembered(t *testing.T) {
	eachLedger(t, func(t *testing.T, l *ledger.Table) {
		alice := ledger.EventKey{Provider: "googleworkspace", ID: "1#2", Subject: "alice@example.com"}
		bob := ledger.EventKey{Provider: "googleworkspace", ID: "1#2", Subject: "bob@example.com"}
		long := ledger.EventKey{Provider: "custom", ID: strings.Repeat("x", 4000)}
		first := ledger.Event{
			Key: alice, FirstReceived: ago(time.Hour), AnsweredAt: ago(59 * time.Minute), EventAt: ago(2 * time.Hour),
			Status: "terminated", Summary: "1 VPN connection of alice ended.",
			Rule: "leavers", Kind: "account-disabled", Type: "SUSPEND_USER",
			People: []string{"alice"}, Ended: 1, Settled: true,
		}
		note(t, l, first, ledger.Event{
			Key: bob, FirstReceived: ago(time.Hour), Status: "held",
			Lane: "googleworkspace", HeldAt: ago(time.Hour), Owed: `{"status":"held"}`,
		}, ledger.Event{Key: long, FirstReceived: ago(time.Minute), Status: "not-connected"})
		note(t, l, ledger.Event{
			Key: alice, FirstReceived: ago(time.Minute), AnsweredAt: in(0),
			Status: "not-connected", Summary: "nobody", Settled: true,
		})
		known := recall(t, l, ledger.Query{
			Events: []ledger.EventKey{alice, bob, long, {Provider: "okta", ID: "1#2"}},
			People: []string{"alice"},
		})
		if len(known.Events) != 3 || len(known.People) != 0 {
			t.Errorf("%+v", known)
		}
		want := first
		want.Rule, want.Kind, want.Type, want.People, want.EventAt = "", "", "", nil, time.Time{} // the repeat's
		if diff := cmp.Diff(want, known.Events[alice]); diff != "" {
			t.Error(diff)
		}
		if b := known.Events[bob]; b.Lane != "googleworkspace" || b.Owed != `{"status":"held"}` ||
			!b.AnsweredAt.IsZero() || !b.HeldAt.Equal(ago(time.Hour)) && time.Since(b.HeldAt) < 0 {
			t.Errorf("%+v", b)
		}
		all, err := l.Events(t.Context())
		if err != nil || len(all) != 3 {
			t.Error(all, err)
		}
	})
}

// TestLongNameHidesNobodyElse: DynamoDB refuses to be asked for a longer id than it can have, and all others with it. A
// name of 1,024 bytes can be longer in its normal form.
func TestLongNameHidesNobodyElse(t *testing.T) {
	eachLedger(t, func(t *testing.T, l *ledger.Table) {
		entry := ledger.Entry{Person: "alice", Cause: ledger.Request, Until: in(time.Hour)}
		if _, err := l.Put(t.Context(), entry); err != nil {
			t.Fatal(err)
		}
		long := identity.Fold(strings.Repeat("\ufdfa", 341))
		known := recall(t, l, ledger.Query{People: []string{long, "alice"}, Names: []string{long}})
		if len(known.People["alice"].Entries) != 1 {
			t.Errorf("%+v", known)
		}
		if found, err := l.Find(t.Context(), []string{long, "alice"}); len(found) != 1 || err != nil {
			t.Error(found, err)
		}
	})
}

// TestClosingsAndOpeningsAreByIssuer: an opening takes back what its own issuer closed, or whom it may, and nothing
// newer.
func TestClosingsAndOpeningsAreByIssuer(t *testing.T) {
	eachLedger(t, func(t *testing.T, l *ledger.Table) {
		nine := ago(3 * time.Hour)
		ten, eleven := nine.Add(time.Hour), nine.Add(2*time.Hour)
		closing := func(issuer string, at time.Time) ledger.Change {
			return ledger.Change{
				Person: "alice",
				Close:  &ledger.Closing{Issuer: issuer, Provider: issuer, EventAt: at, Arrived: at},
			}
		}
		opening := func(issuer string, at time.Time, others ...string) ledger.Change {
			return ledger.Change{Person: "alice", Lift: &ledger.Lift{
				Issuer: issuer, Issuers: others, Causes: []ledger.Cause{ledger.Deprovisioning},
				At: at, Arrived: at, OutcomeID: issuer + at.String(),
			}}
		}
		closed := func() string {
			var who []string
			for _, c := range recall(t, l, ledger.Query{People: []string{"alice"}}).People["alice"].StillClosed() {
				who = append(who, c.Issuer)
			}
			return strings.Join(who, " ")
		}
		for _, step := range []struct {
			change ledger.Change
			want   string
		}{
			{closing("okta", nine), "okta"},
			{closing("duo", nine), "duo okta"},
			{opening("google", ten), "duo okta"},
			{opening("duo", ten), "okta"},
			{closing("duo", nine), "okta"}, // late
			{closing("duo", eleven), "duo okta"},
			{opening("sailpoint", eleven, "okta"), "duo"},
			{opening("duo", ten.Add(time.Minute)), "duo"},
		} {
			for _, c := range l.SetAccess(t.Context(), []ledger.Change{step.change}) {
				if c.Err != nil {
					t.Fatal(c.Err)
				}
			}
			if got := closed(); got != step.want {
				t.Errorf("%+v: closed by %q, want %q", step.change, got, step.want)
			}
		}
	})
}

// TestOfOneMomentTheLaterArrivalHolds: many sources date to the second.
func TestOfOneMomentTheLaterArrivalHolds(t *testing.T) {
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	fine := at.Add(400 * time.Millisecond)
	for _, test := range []struct {
		a, arrivedA, b, arrivedB time.Time
		later                    bool
	}{
		{at, at.Add(2), at, at.Add(1), true},
		{at, at.Add(1), at, at.Add(2), false},
		{at, at.Add(2), fine, at.Add(1), true}, // a second without a fraction
		{fine, at.Add(1), at, at.Add(2), false},
		{fine.Add(time.Millisecond), at.Add(1), fine, at.Add(2), true}, // both have one
		{at.Add(time.Second), at.Add(1), at, at.Add(2), true},
	} {
		if got := ledger.Later(test.a, test.arrivedA, test.b, test.arrivedB); got != test.later {
			t.Errorf("%+v: %t", test, got)
		}
	}
}

// TestWhatSomebodyLiftedStaysLifted: another update of the same finding does not put the person back, a new finding
// does.
func TestWhatSomebodyLiftedStaysLifted(t *testing.T) {
	eachLedger(t, func(t *testing.T, l *ledger.Table) {
		finding := ledger.Entry{
			Person: "alice", Cause: ledger.Finding, Issuer: "guardduty", OutcomeID: "guardduty 1",
			EventAt: ago(time.Hour),
		}
		put(t, l, finding)
		lift := ledger.Lift{
			Issuer: "custom", AnyIssuer: true, Causes: []ledger.Cause{ledger.Finding},
			By: "carol", At: ago(time.Minute),
		}
		if _, err := l.Lift(t.Context(), "alice", lift); err != nil {
			t.Fatal(err)
		}
		finding.EventAt, finding.Since = in(0), in(0)
		if _, err := l.Put(t.Context(), finding); err == nil {
			t.Error("put back by an update")
		}
		person := recall(t, l, ledger.Query{People: []string{"alice"}}).People["alice"]
		if by, at, ok := person.LiftedByHand("guardduty 1"); !ok || by != "carol" || !at.Equal(lift.At) {
			t.Error(by, at, ok)
		}
		finding.OutcomeID = "guardduty 2"
		put(t, l, finding)
	})
}

// TestSilenceIsMeasuredByHabit: a source that speaks every day is silent after some, one that speaks once a month is
// not.
func TestSilenceIsMeasuredByHabit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := standIn(t)
		l := ledger.New(cfg, table)
		hear := func(name string) {
			if err := l.Heard(t.Context(), []string{name, name}, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		silent := func() string {
			var names []string
			sources, err := l.Sources(t.Context(), []string{"okta", "duo", "entra", "never"})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range sources {
				if s.Silent(time.Now()) {
					names = append(names, s.Name)
				}
			}
			return strings.Join(names, " ")
		}
		hear("duo")
		for range 30 {
			hear("okta")
			time.Sleep(24 * time.Hour)
		}
		hear("duo")
		hear("okta")
		hear("entra") // once, so nobody knows what is usual
		if got := silent(); got != "" {
			t.Error(got)
		}
		time.Sleep(49 * time.Hour)
		if got := silent(); got != "okta" {
			t.Errorf("silent: %q", got)
		}
		time.Sleep(60 * 24 * time.Hour)
		if got := silent(); got != "duo okta" {
			t.Errorf("silent: %q", got)
		}
	})
}
