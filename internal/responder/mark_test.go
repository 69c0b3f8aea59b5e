package responder_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
)

// TestReinstatementIsRememberedWithoutKeepOut: the ledger knows of it, so an older closing that arrives later cuts
// nobody off.
func TestReinstatementIsRememberedWithoutKeepOut(t *testing.T) {
	remembering(t, func(t *testing.T, c company) {
		c.KeepOut = nil
		c.connect("alice")
		closed := about(alice)
		time.Sleep(time.Minute)
		respond(t, c.Responder, enabled(alice))
		time.Sleep(time.Minute)
		says(t, respond(t, c.Responder, closed)[0], responder.Stale, "okta reinstated alice later")
		if c.up() != 1 {
			t.Errorf("%d up", c.up())
		}
	})
}

// TestReinstatementByHandLeavesOtherPeopleOut: an alias once led from asmith to alice. Without the alias, a
// reinstatement of asmith lifts the entry about asmith, and leaves alice out.
func TestReinstatementByHandLeavesOtherPeopleOut(t *testing.T) {
	keepingPeopleOut(t, func(t *testing.T, c company) {
		asmith := signal.Subject{Usernames: []string{"asmith@example.com"}}
		respond(t, c.Responder, changed(about(alice), func(s *signal.Signal) { s.Provider = "entra" }))
		c.Policy = parsed(t, strings.Replace(keepingOut, "aliases: {", "aliases: {asmith: alice, ", 1))
		respond(t, c.Responder, about(asmith))
		time.Sleep(time.Minute)
		c.Policy = parsed(t, keepingOut)
		o := respond(t, c.Responder, reinstated(asmith))[0]
		if len(o.Lifted) != 1 || o.Lifted[0].By != "okta" || c.kept(t) != "alice deprovisioning forever" {
			t.Errorf("%s, lifted %+v; kept out are %q", o.Summary, o.Lifted, c.kept(t))
		}
	})
}

// TestReinstatementIsIncompleteIfOtherNamesCannotBeRead: an entry about the person may be under another one.
func TestReinstatementIsIncompleteIfOtherNamesCannotBeRead(t *testing.T) {
	keepingPeopleOut(t, func(t *testing.T, c company) {
		respond(t, c.Responder, about(alice))
		time.Sleep(time.Minute)
		c.Deny("dynamodb:BatchGetItem", "")
		o := respond(t, c.Responder, enabled(alice))[0]
		if o.Status != responder.Failed || !o.Incomplete() || !strings.Contains(o.Error, "looking for entries of alice") {
			t.Errorf("%s: %s: %s", o.Status, o.Summary, o.Error)
		}
	})
}

// TestAnotherIssuersOpeningInTheBatchCancelsNothing: Duo does not take back what Okta closed, and Okta no finding.
func TestAnotherIssuersOpeningInTheBatchCancelsNothing(t *testing.T) {
	for _, closing := range []func(signal.Subject) signal.Signal{about, finding} {
		remembering(t, func(t *testing.T, c company) {
			c.connect("alice")
			closed := closing(alice)
			time.Sleep(time.Minute)
			opened := enabled(alice)
			if closed.Kind == signal.AccountDisabled {
				opened.Provider = "duo"
			}
			if o := respond(t, c.Responder, closed, opened)[0]; o.Status != responder.Terminated || c.up() != 0 {
				t.Errorf("%s: %s: %s", closed.Kind, o.Status, o.Summary)
			}
		})
	}
}

// TestLoginOfPerhapsAnotherKeepsNobodyOut: the event says that jsmith is John Smith, and the policy makes jsmith Jane's
// address. The entry is about John alone.
func TestLoginOfPerhapsAnotherKeepsNobodyOut(t *testing.T) {
	signals := smiths(t)
	remembering(t, func(t *testing.T, c company) {
		signals[0].Time = time.Now()
		respond(t, c.Responder, signals[0])
		entries, err := c.list.List(t.Context())
		if err != nil || len(entries) != 1 || entries[0].Person != "john.smith" {
			t.Fatalf("%+v, %v", entries, err)
		}
		for _, name := range slices.Concat(entries[0].Names, entries[0].Known, entries[0].CommonNames) {
			if strings.Contains(name, "jsmith") {
				t.Errorf("the entry has %s", name)
			}
		}
	})
}

// smiths returns the signals of an event about John Smith, with the login jsmith. By the policy, jsmith is Jane.
func smiths(t *testing.T) []signal.Signal {
	t.Helper()
	raw, err := os.ReadFile("../../events/jumpcloud/user-suspended.json")
	if err != nil {
		t.Fatal(err)
	}
	const login, both = `"username": "dave"`, `"username": "jsmith", "email": "john.smith@example.com"`
	body := strings.Replace(string(raw), login, both, 1)
	signals, err := signal.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return signals
}

// TestLoginOfPerhapsAnotherThatConnectsLaterIsSpared: John was cut off, and jsmith may be Jane.
func TestLoginOfPerhapsAnotherThatConnectsLaterIsSpared(t *testing.T) {
	signals := smiths(t)
	remembering(t, func(t *testing.T, c company) {
		signals[0].Time = time.Now()
		c.connect("john.smith@example.com")
		c.elsewhere(t, 5*time.Second, func(other company) { other.connect("jsmith") })
		o := respond(t, c.Responder, signals[0])[0]
		if len(o.Connections) != 1 || len(o.Spared) != 1 || c.up() != 1 {
			t.Errorf("%s: %s; %d up", o.Status, o.Summary, c.up())
		}
	})
}
