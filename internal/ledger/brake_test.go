package ledger_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/ledger"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
)

var limit = ledger.Limit{People: 3, Within: time.Hour}

// take returns the brake's answers about people, one letter each; an exclamation mark is for who has to announce it.
func take(t *testing.T, l *ledger.Table, lane string, people ...string) string {
	t.Helper()
	var asks []ledger.Ask
	for _, p := range people {
		asks = append(asks, ledger.Ask{People: []string{p}})
	}
	taken, err := l.Take(t.Context(), lane, asks, limit)
	if err != nil {
		t.Fatal(err)
	}
	return answers(taken)
}

func answers(taken []ledger.Taken) string {
	var all strings.Builder
	for _, a := range taken {
		all.WriteString(string(a.Grant[0]))
		if a.Announce {
			all.WriteString("!")
		}
	}
	return all.String()
}

// eachLedger runs a test against the table and against the process's memory.
func eachLedger(t *testing.T, test func(t *testing.T, l *ledger.Table)) {
	t.Run("in process", func(t *testing.T) { test(t, ledger.InProcess()) })
	everywhere(t, func(t *testing.T, cfg aws.Config) { test(t, ledger.New(cfg, table)) })
}

// TestBrakeHoldsMorePeopleThanItMay: distinct people count, and a batch that is too large passes not even in part.
func TestBrakeHoldsMorePeopleThanItMay(t *testing.T) {
	eachLedger(t, func(t *testing.T, l *ledger.Table) {
		for _, step := range []struct{ people, want string }{
			{"a b", "pp"},
			{"a", "p"},
			{"c d", "h!h"}, // c alone would fit
			{"e", "h"},     // until a person decides
			{"a b", "pp"},  // who is cut off already is no one new
		} {
			if got := take(t, l, "okta", strings.Fields(step.people)...); got != step.want {
				t.Errorf("%s: %s, want %s", step.people, got, step.want)
			}
		}
		if got := take(t, l, "guardduty", "e"); got != "p" {
			t.Errorf("another lane: %s", got)
		}
		standing, err := l.Standings(t.Context(), []string{"okta", "guardduty"})
		if err != nil || len(standing) != 2 {
			t.Fatal(standing, err)
		}
		if s := standing[0]; s.Lane != "okta" || s.Events != 3 || strings.Join(s.Names, "") != "cde" || s.Passed != 2 ||
			time.Since(s.Since) > time.Minute {
			t.Errorf("%+v", s)
		}
		if s := standing[1]; !s.Since.IsZero() || s.Events != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestBrakeWindowMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := standIn(t)
		l := ledger.New(cfg, table)
		var got strings.Builder
		for i := range 8 { // one person every 20 minutes
			got.WriteString(take(t, l, "okta", fmt.Sprint("person", i)))
			time.Sleep(20 * time.Minute)
		}
		got.WriteString(take(t, l, "okta", "x", "y"))
		if got.String() != "pppppppp"+"h!h" {
			t.Error(got.String())
		}
		time.Sleep(24 * time.Hour)
		if got := take(t, l, "okta", "z"); got != "h!" {
			t.Errorf("time alone released it: %s", got)
		}
	})
}

// TestBrakeIsAnnouncedOnce: by another one if the first never said that it did.
func TestBrakeIsAnnouncedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := standIn(t)
		l := ledger.New(cfg, table)
		people := strings.Fields("a b c d e")
		if got := take(t, l, "okta", people...) + take(t, l, "okta", people...); got != "h!hhhh"+"hhhhh" {
			t.Error(got)
		}
		time.Sleep(3 * time.Minute)
		if got := take(t, l, "okta", "f"); got != "h!" {
			t.Errorf("nobody announces it: %s", got)
		}
		if err := l.Announced(t.Context(), "okta", 11); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if got := take(t, l, "okta", "g"); got != "h" {
			t.Error(got)
		}
	})
}

// TestBrakeIsAnnouncedAgainAsItGrows: at once if it holds ten times as many as the last message said, and after ten
// minutes if it holds twice as many.
func TestBrakeIsAnnouncedAgainAsItGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := standIn(t)
		l := ledger.New(cfg, table)
		held := 0
		hold := func(n int) string {
			var people []string
			for range n {
				people = append(people, fmt.Sprint("person", held))
				held++
			}
			got := take(t, l, "okta", people...)
			if strings.Contains(got, "!") {
				if err := l.Announced(t.Context(), "okta", held); err != nil {
					t.Fatal(err)
				}
			}
			return strings.ReplaceAll(got, "h", "")
		}
		for i, step := range []struct {
			later time.Duration
			n     int
			want  string
		}{
			{0, 5, "!"}, {0, 44, ""}, {0, 1, "!"}, // 50 are ten times 5
			{time.Minute, 60, ""}, {time.Hour, 1, "!"}, // 111 are more than twice 50
			{time.Hour, 110, ""}, {0, 1, "!"}, {9 * time.Minute, 300, ""}, {time.Minute, 1, "!"},
		} {
			time.Sleep(step.later)
			if got := hold(step.n); got != step.want {
				t.Errorf("step %d, %d held: %q, want %q", i, held, got, step.want)
			}
		}
	})
}

// TestRulingsDecideAboutWhatIsHeld: all or some, and nothing that is held later.
func TestRulingsDecideAboutWhatIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := standIn(t)
		l := ledger.New(cfg, table)
		take(t, l, "okta", strings.Fields("a b c d e")...)
		held := time.Now()
		again := func(heldAt time.Time, people ...string) string {
			var asks []ledger.Ask
			for _, p := range people {
				asks = append(asks, ledger.Ask{People: []string{p}, HeldAt: heldAt})
			}
			taken, err := l.Take(t.Context(), "okta", asks, limit)
			if err != nil {
				t.Fatal(err)
			}
			return answers(taken)
		}
		rule := func(release bool, until time.Duration, people ...string) ledger.Standing {
			time.Sleep(time.Minute)
			r := ledger.Ruling{Release: release, At: time.Now(), By: "carol", Reason: "an import went wrong", People: people}
			if until > 0 {
				r.Until = r.At.Add(until)
			}
			standing, err := l.Rule(t.Context(), "okta", r)
			if err != nil {
				t.Fatal(err)
			}
			return standing
		}
		if got := again(held, "a", "b"); got != "hh" {
			t.Errorf("before anybody decided: %s", got)
		}
		rule(true, 0, "a")
		rule(false, 0, "b")
		if got := again(held, "a", "b", "c") + take(t, l, "okta", "f"); got != "rdh"+"h" {
			t.Errorf("some: %s", got)
		}
		if s := rule(true, 30*time.Minute); s.Events != 4 || cmp.Diff(strings.Fields("c d e f"), s.Names) != "" {
			t.Errorf("%+v", s)
		}
		got := again(held, "a", "b", "c", "d") + take(t, l, "okta", strings.Fields("u v w x y z")...)
		if got != "rdrr"+"rrrrrr" { // b was dropped, so the brake did not hold it any more
			t.Errorf("all, and those who are on their way: %s", got)
		}
		time.Sleep(time.Hour)
		if got := take(t, l, "okta", strings.Fields("1 2 3 4")...); got != "h!hhh" {
			t.Errorf("later: %s", got)
		}
		rule(false, 0)
		if got := again(time.Now().Add(-time.Minute), "1", "2") + take(t, l, "okta", "5"); got != "dd"+"p" {
			t.Errorf("dropped: %s", got)
		}
		brakes, err := l.Brakes(t.Context())
		if err != nil || len(brakes) != 1 || len(brakes[0].Rulings) != 4 || brakes[0].Rulings[3].By != "carol" ||
			brakes[0].Rulings[3].Reason != "an import went wrong" {
			t.Errorf("on record is %+v: %v", brakes, err)
		}
	})
}

// TestBrakeHoldsForEveryInstance: several at once never let more people through than one would.
func TestBrakeHoldsForEveryInstance(t *testing.T) {
	_, cfg := standIn(t)
	var instances sync.WaitGroup
	var mu sync.Mutex
	passed, announced := 0, 0
	for i := range 6 {
		instances.Go(func() {
			got := take(t, ledger.New(cfg, table), "okta", fmt.Sprint("person", i))
			mu.Lock()
			defer mu.Unlock()
			passed += strings.Count(got, "p")
			announced += strings.Count(got, "!")
		})
	}
	instances.Wait()
	if passed != limit.People || announced != 1 {
		t.Errorf("%d passed, %d announce it", passed, announced)
	}
}

// TestBrakeOfTwentyThousandFits: the item stays small, however many are held and however long their names are.
func TestBrakeOfTwentyThousandFits(t *testing.T) {
	_, cfg := standIn(t)
	l := ledger.New(cfg, table)
	var asks []ledger.Ask
	for i := range 20_000 {
		asks = append(asks, ledger.Ask{People: []string{fmt.Sprintf("%01000d", i)}})
	}
	taken, err := l.Take(t.Context(), "okta", asks[:1000], ledger.Limit{People: 1000, Within: time.Hour})
	if err != nil || taken[999].Grant != ledger.Passed {
		t.Fatal(err)
	}
	taken, err = l.Take(t.Context(), "okta", asks[1000:], ledger.Limit{People: 1000, Within: time.Hour})
	if err != nil || taken[18_999].Standing.Events != 19_000 {
		t.Error(err, taken[18_999].Standing.Events)
	}
}
