package responder_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
)

// leavers returns signals about so many people, all of them connected.
func leavers(c company, from, n int) (signals []signal.Signal) {
	for i := from; i < from+n; i++ {
		name := fmt.Sprintf("person%d", i)
		c.connect(name)
		signals = append(
			signals,
			changed(about(signal.Subject{Usernames: []string{name}}), func(s *signal.Signal) { s.ID = name }),
		)
	}
	return signals
}

func statuses(outcomes []responder.Outcome) string {
	counts := map[responder.Status]int{}
	for _, o := range outcomes {
		counts[o.Status]++
	}
	var all []string
	for status, n := range counts {
		all = append(all, fmt.Sprintf("%d %s", n, status))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// TestMassIsHeldAndAnnouncedOnce: 300 people are deactivated by an import that went wrong. Nobody beyond the limit is
// cut off, and one outcome speaks for all.
func TestMassIsHeldAndAnnouncedOnce(t *testing.T) {
	remembering(t, func(t *testing.T, c company) {
		var outcomes []responder.Outcome
		for batch := range slices.Chunk(leavers(c, 0, 300), 10) {
			outcomes = append(outcomes, respond(t, c.Responder, batch...)...)
		}
		if got := statuses(outcomes); got != "20 terminated, 280 held" || c.up() != 280 {
			t.Errorf("%s, %d are up", got, c.up())
		}
		var announced []responder.Outcome
		for _, o := range outcomes {
			if o.Status == responder.Braked && o.Brake.Announces {
				announced = append(announced, o)
			}
			if o.Incomplete() {
				t.Errorf("%s is tried again", o.Status)
			}
		}
		if len(announced) != 1 {
			t.Fatalf("%d announce it", len(announced))
		}
		for _, word := range []string{
			"The brake holds 10 events of okta, about person20, ",
			"more than 25 people", "within 1h", "20 already were",
		} {
			if !strings.Contains(announced[0].Summary, word) {
				t.Errorf("%q lacks %q", announced[0].Summary, word)
			}
		}
		if len(strings.Split(c.kept(t), ", ")) != 20 {
			t.Errorf("kept out are %s", c.kept(t))
		}
	})
}

// TestGrowingMassIsAnnouncedAgain: with how many events are held by then, and how many were at the last message.
func TestGrowingMassIsAnnouncedAgain(t *testing.T) {
	remembering(t, func(t *testing.T, c company) {
		first := respond(t, c.Responder, leavers(c, 0, 30)...)[0]
		if err := c.list.Announced(t.Context(), "okta", first.Brake.Events); err != nil {
			t.Fatal(err)
		}
		time.Sleep(11 * time.Minute)
		outcomes := respond(t, c.Responder, leavers(c, 30, 270)...)
		for n, o := range outcomes {
			if o.Brake.Announces != (n == 0) {
				t.Errorf("the outcome %d announces: %t", n, o.Brake.Announces)
			}
		}
		says(t, outcomes[0], responder.Braked,
			"The brake holds 300 events of okta (30 when the last message said so), about person0, ")
		says(t, outcomes[0], responder.Braked, " and at least 190 others: with them more than 25 people")
	})
}

// TestStormOfOneSourceHoldsNoOther: findings have a brake of their own.
func TestStormOfOneSourceHoldsNoOther(t *testing.T) {
	remembering(t, func(t *testing.T, c company) {
		storm := leavers(c, 0, 26)
		for i := range storm {
			storm[i] = changed(finding(storm[i].Subject), func(s *signal.Signal) { s.ID = fmt.Sprint(i) })
		}
		if got := statuses(respond(t, c.Responder, storm...)); got != "26 held" {
			t.Error(got)
		}
		if got := statuses(respond(t, c.Responder, leavers(c, 100, 25)...)); got != "25 terminated" {
			t.Error(got)
		}
	})
}

// TestReleasedPeopleAreCutOff: and nobody who was enabled meanwhile. Dropped people are not.
func TestReleasedPeopleAreCutOff(t *testing.T) {
	remembering(t, func(t *testing.T, c company) {
		signals := leavers(c, 0, 30)
		respond(t, c.Responder, signals...)
		if c.up() != 30 {
			t.Fatal(c.up())
		}
		time.Sleep(time.Hour)
		respond(t, c.Responder, changed(enabled(signals[7].Subject), func(s *signal.Signal) { s.ID = "back" }))
		released := time.Now()
		inv := responder.Invocation{ReceivedAt: released}
		for range signals {
			inv.Arrivals = append(inv.Arrivals, responder.Arrival{
				At: released.Add(
					-time.Hour,
				),
				Released: &responder.Ruling{Release: true, At: released, By: "carol", Reason: "they leave"},
			})
		}
		outcomes := make([]responder.Outcome, len(signals))
		for i, o := range c.Respond(t.Context(), inv, signals) {
			outcomes[i] = o
		}
		if got := statuses(
			outcomes,
		); got != "1 stale, 29 terminated" || outcomes[7].Status != responder.Stale ||
			c.up() != 1 {
			t.Errorf("%s, %d are up", got, c.up())
		}
		says(t, outcomes[0], responder.Terminated, "carol released it")
	})
}

// TestAnnouncedMassGoesStraightThrough: while it lasts.
func TestAnnouncedMassGoesStraightThrough(t *testing.T) {
	for _, test := range []struct {
		brake, want string
	}{
		{"off", "60 terminated"},
		{"{people: 3}", "60 held"},
		{"{announced: [{from: 2000-01-01T00:00:00Z, until: 2000-01-01T02:00:00Z, reason: interns}]}", "60 terminated"},
		{"{announced: [{from: 2000-01-01T00:00:00Z, until: 2000-01-01T02:00:00Z, source: duo, reason: interns}]}", "60 held"},
		{"{announced: [{from: 2000-01-01T01:00:00Z, until: 2000-01-01T02:00:00Z, reason: interns}]}", "60 held"},
	} {
		remembering(t, func(t *testing.T, c company) {
			p, err := policy.Parse("policy.yaml", []byte(keepingOut+"brake: "+test.brake+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			c.Policy = p
			if got := statuses(respond(t, c.Responder, leavers(c, 0, 60)...)); got != test.want {
				t.Errorf("%s: %s, want %s", test.brake, got, test.want)
			}
		})
	}
}

// TestFindingPassesAndMassHoldsWithoutTheTable: while it does not answer, an instance counts for itself alone.
func TestFindingPassesAndMassHoldsWithoutTheTable(t *testing.T) {
	remembering(t, func(t *testing.T, c company) {
		c.KeepOut = nil
		c.Inject(emulator.Fault{Action: "UpdateItem", Code: "InternalServerError"})
		storm := leavers(c, 0, 30)
		for i := range storm {
			storm[i] = changed(finding(storm[i].Subject), func(s *signal.Signal) { s.ID = fmt.Sprint(i) })
		}
		outcomes := respond(t, c.Responder, storm...)
		if got := statuses(outcomes); got != "30 terminated" {
			t.Error(got)
		}
		says(t, outcomes[0], responder.Terminated, "the brake did not count this finding")
		if got := statuses(respond(t, c.Responder, leavers(c, 100, 6)...)); got != "6 terminated" {
			t.Error(got)
		}
		if got := statuses(respond(t, c.Responder, leavers(c, 200, 2)...)); got != "2 held" {
			t.Error(got)
		}
	})
}

// TestDryRunTakesNothingFromTheBrake.
func TestDryRunTakesNothingFromTheBrake(t *testing.T) {
	remembering(t, func(t *testing.T, c company) {
		c.Mode = policy.DryRun
		if got := statuses(respond(t, c.Responder, leavers(c, 0, 60)...)); got != "60 would-terminate" {
			t.Error(got)
		}
		c.Mode = policy.Enforce
		if got := statuses(respond(t, c.Responder, leavers(c, 100, 25)...)); got != "25 terminated" {
			t.Error(got)
		}
	})
}
