package responder_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
)

// TestReinstatement: a provider's lifts what a deprovisioning put there and never what a finding or a request did;
// somebody's request lifts whatever there is. The outcome says so, with who and why.
func TestReinstatement(t *testing.T) {
	for _, test := range []struct {
		name   string
		put    []func(signal.Subject) signal.Signal
		lift   func(signal.Subject) signal.Signal
		mode   policy.Mode
		status responder.Status
		lifted int
		kept   string
		says   string
	}{
		{
			"by the provider", []func(signal.Subject) signal.Signal{about}, enabled, "",
			responder.Notified, 1, "",
			"alice@example.com may connect again; " +
				"alice was kept out since 2000-01-01 00:00:00 UTC by okta, user.lifecycle.deactivate.",
		},
		{
			"by the provider, after a finding", []func(signal.Subject) signal.Signal{finding}, enabled, "",
			responder.Notified, 0, "alice finding 23h0m0s",
			"alice@example.com stays kept out until 2000-01-02 00:00:00 UTC " +
				"by guardduty, Exfiltration:IAMUser/X, which this does not lift.",
		},
		{
			"by the provider, after both", []func(signal.Subject) signal.Signal{about, finding}, enabled, "",
			responder.Notified, 1, "alice finding 23h0m0s", "stays kept out until",
		},
		{
			"by the provider, after a request", []func(signal.Subject) signal.Signal{requested}, enabled, "",
			responder.Notified, 0, "alice request forever", "stays kept out for ever by hr, Terminate Connections: left",
		},
		{
			"by request, after all", []func(signal.Subject) signal.Signal{about, finding, requested}, reinstated, "",
			responder.Notified, 3, "", "may connect again",
		},
		{"of somebody who is not on the list", nil, enabled, "", responder.Ignored, 0, "", "The policy ignores this."},
		{
			"in dry-run", []func(signal.Subject) signal.Signal{about}, enabled, policy.DryRun, responder.Notified, 1, "",
			"alice@example.com may connect again; alice was kept out since",
		},
		{
			"in dry-run, after a finding", []func(signal.Subject) signal.Signal{finding}, enabled, policy.DryRun,
			responder.Notified, 0, "alice finding 23h0m0s", "stays kept out",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			keepingPeopleOut(t, func(t *testing.T, c company) {
				for _, event := range test.put {
					respond(t, c.Responder, event(alice))
				}
				time.Sleep(time.Hour)
				if test.mode != "" {
					c.Mode = test.mode
				}
				for range 2 { // it may be delivered twice, and says the same
					o := respond(t, c.Responder, test.lift(alice))[0]
					if o.Status != test.status || len(o.Lifted) != test.lifted || !strings.Contains(o.Summary, test.says) ||
						strings.Count(
							o.Summary,
							"connect again",
						)+strings.Count(
							o.Summary,
							"kept out for",
						)+strings.Count(
							o.Summary,
							"kept out until",
						) > 1 {
						t.Errorf("%s: %s, lifted %+v", o.Status, o.Summary, o.Lifted)
					}
					if kept := c.kept(t); kept != test.kept || o.KeptOutUntil.IsZero() != (kept == "") {
						t.Errorf("kept out are %q; the outcome says until %v", kept, o.KeptOutUntil)
					}
					if test.mode == policy.DryRun {
						break
					}
				}
			})
		})
	}
}

// TestReinstatementUnderAnotherName: what one provider put on the list under one name, another lifts under another
// name of the same person, by the policy's identity.
func TestReinstatementUnderAnotherName(t *testing.T) {
	keepingPeopleOut(t, func(t *testing.T, c company) {
		for _, other := range []signal.Subject{{Usernames: []string{`EXAMPLE\Alice`}}, {IDs: []string{"00u1"}}} {
			respond(t, c.Responder, about(alice))
			time.Sleep(time.Minute)
			if o := respond(t, c.Responder, enabled(other))[0]; len(o.Lifted) != 1 || c.kept(t) != "" {
				t.Errorf("%s: %s", o.Status, o.Summary)
			}
			time.Sleep(time.Minute)
		}
	})
}

// TestReinstatementAfterAnEditOfIdentity: an entry that an alias led to has no orphan. When the alias is gone, the
// same provider's reinstatement under the same name lifts the entry, and leaves the person's others.
func TestReinstatementAfterAnEditOfIdentity(t *testing.T) {
	keepingPeopleOut(t, func(t *testing.T, c company) {
		own, byAlias := about(alice), about(alice)
		own.ID, byAlias.ID, byAlias.Subject = "own", "by alias", signal.Subject{Usernames: []string{"asmith@example.com"}}
		own.Provider, byAlias.Provider = "entra", "okta"
		c.Policy = parsed(t, strings.Replace(keepingOut, "aliases: {", "aliases: {asmith: alice, ", 1))
		respond(t, c.Responder, own, byAlias)
		time.Sleep(time.Minute)
		c.Policy = parsed(t, keepingOut)
		opened := enabled(byAlias.Subject)
		opened.Provider = "okta"
		o := respond(t, c.Responder, opened)[0]
		if len(o.Lifted) != 1 || o.Lifted[0].OutcomeID != "okta by alias" || o.Lifted[0].Person != "alice" {
			t.Errorf("%s: %s, lifted %+v", o.Status, o.Summary, o.Lifted)
		}
		entries, err := c.list.List(t.Context())
		if err != nil || len(entries) != 1 || entries[0].OutcomeID != "entra own" {
			t.Errorf("%+v, %v", entries, err)
		}
	})
}

// TestOrderOfEventsIsTheirTimes: events may arrive in another order than they happened in.
func TestOrderOfEventsIsTheirTimes(t *testing.T) {
	keepingPeopleOut(t, func(t *testing.T, c company) {
		c.connect("alice")
		disabledAt := about(alice)
		time.Sleep(time.Minute)
		enabledAt := enabled(alice)
		time.Sleep(time.Minute)

		respond(t, c.Responder, enabledAt)
		o := respond(t, c.Responder, disabledAt)[0]
		if o.Status != responder.Terminated || !o.KeptOutUntil.IsZero() || strings.Contains(o.Summary, "kept out") ||
			!slices.Contains(
				policy.Words(o.Decision.Reasons),
				"alice is not kept out, as a reinstatement came after this event",
			) {
			t.Errorf("%s: %s\n%q", o.Status, o.Summary, o.Decision.Reasons)
		}
		if kept := c.kept(t); kept != "" {
			t.Errorf("an old event put %q back", kept)
		}

		disabledAgain := about(alice)
		respond(t, c.Responder, disabledAgain)
		o = respond(t, c.Responder, changed(enabledAt, func(s *signal.Signal) { s.ID = "3" }))[0]
		if kept := c.kept(
			t,
		); kept != "alice deprovisioning forever" || o.Status != responder.Notified ||
			!strings.Contains(o.Summary, "stays kept out for ever") {
			t.Errorf("an old reinstatement: %s: %s; kept out are %q", o.Status, o.Summary, kept)
		}

		time.Sleep(time.Minute)
		both := respond(t, c.Responder, enabled(alice), disabledAgain)
		if kept := c.kept(t); kept != "" || both[0].Status != responder.Notified {
			t.Errorf("together: %s: %s; kept out are %q", both[0].Status, both[0].Summary, kept)
		}
	})
}

// TestReinstatementIsHeldBack by what makes it doubtful when or whom it means.
func TestReinstatementIsHeldBack(t *testing.T) {
	for _, test := range []struct {
		change func(*signal.Signal)
		status responder.Status
		says   string
	}{
		{
			func(s *signal.Signal) { s.EffectiveAt = time.Now().Add(time.Hour) }, responder.Notified,
			"Nobody was reinstated: it takes effect at",
		},
		{
			func(s *signal.Signal) { s.Time = time.Now().Add(time.Hour) }, responder.Stale,
			"Nobody was reinstated: the event is dated",
		},
		{
			func(s *signal.Signal) { s.Subject = signal.Subject{Usernames: []string{"bob", "alice"}} }, responder.Ambiguous,
			"Nobody was reinstated: two people",
		},
	} {
		keepingPeopleOut(t, func(t *testing.T, c company) {
			respond(t, c.Responder, about(alice), about(signal.Subject{Usernames: []string{"bob"}}))
			time.Sleep(time.Minute)
			s := changed(reinstated(alice), test.change)
			if o := respond(t, c.Responder, s)[0]; o.Status != test.status || !strings.HasPrefix(o.Summary, test.says) ||
				o.Lifted != nil {
				t.Errorf("%s: %s", o.Status, o.Summary)
			}
			if kept := c.kept(t); kept != "alice deprovisioning forever, bob deprovisioning forever" {
				t.Errorf("kept out are %q", kept)
			}
			// Where nobody is kept out, no outcome says anything.
			c.KeepOut = nil
			if o := respond(t, c.Responder, s)[0]; o.Status != responder.Ignored {
				t.Errorf("%s: %s", o.Status, o.Summary)
			}
		})
	}
}

// TestReinstatementThatCannotBeDoneIsTriedAgain.
func TestReinstatementThatCannotBeDoneIsTriedAgain(t *testing.T) {
	for _, mode := range []policy.Mode{policy.Enforce, policy.DryRun} {
		keepingPeopleOut(t, func(t *testing.T, c company) {
			respond(t, c.Responder, about(alice))
			time.Sleep(time.Minute)
			c.Deny("dynamodb:UpdateItem", "")
			c.Mode = mode
			o := respond(t, c.Responder, enabled(alice))[0]
			if o.Status != responder.Failed || !o.Incomplete() ||
				!strings.HasPrefix(o.Summary, "It is not known whether alice@example.com may connect again: ") ||
				!strings.Contains(o.Error, "missing permission dynamodb:UpdateItem on table/keepout") {
				t.Errorf("%s: %s: %s\n%s", mode, o.Status, o.Summary, o.Error)
			}
		})
	}
}

// TestAnyOrderOfEventsLeavesTheSameList: who is kept out in the end, and for which cause, depends on the times of the
// events alone. Order, batches and repeats change nothing.
func TestAnyOrderOfEventsLeavesTheSameList(t *testing.T) {
	kinds := []func(signal.Subject) signal.Signal{about, finding, requested, enabled, reinstated}
	causes := []string{"deprovisioning", "finding", "request"} // of the first three
	for seed := range 150 {
		random := rand.New(rand.NewPCG(uint64(seed), 0))
		keepingPeopleOut(t, func(t *testing.T, c company) {
			var events []signal.Signal
			var told []string
			held := map[string]bool{}
			for i := range 2 + random.IntN(6) {
				kind := random.IntN(len(kinds))
				s := changed(kinds[kind](alice), func(s *signal.Signal) { s.ID = fmt.Sprint(i) })
				events = append(events, s)
				told = append(told, s.Type)
				switch {
				case kind < len(causes):
					held[causes[kind]] = true
				case s.Provider == signal.Custom:
					clear(held)
				default:
					delete(held, "deprovisioning")
				}
				time.Sleep(time.Minute)
			}
			for range random.IntN(3) {
				events = append(events, events[random.IntN(len(events))])
			}
			random.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
			for batch := range slices.Chunk(events, 1+random.IntN(3)) {
				respond(t, c.Responder, batch...)
			}
			var got []string
			entries, err := c.list.List(t.Context())
			for _, e := range entries {
				got = append(got, string(e.Cause))
			}
			if want := slices.Sorted(maps.Keys(held)); err != nil || !slices.Equal(got, want) {
				t.Errorf("seed %d: %q left %q, not %q: %v", seed, told, got, want, err)
			}
		})
	}
}
