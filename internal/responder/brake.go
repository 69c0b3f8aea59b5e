package responder

import (
	"context"
	"fmt"
	"strings"
	"time"

	"clientvpn-responder/internal/duration"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
)

// Brake is what the brake holds, in the outcome of a signal that it holds.
type Brake struct {
	// Lane is whose events it counts: a provider's, or findings.
	Lane  string    `json:"lane"`
	Since time.Time `json:"since,omitzero"`
	// Events is how many events it holds, People the first of the people whom they are about.
	Events int      `json:"events"`
	People []string `json:"people,omitempty"`
	// Passed is how many people were cut off in the window before, Limit how many may be, Within the window.
	Passed int    `json:"passed"`
	Limit  int    `json:"limit"`
	Within string `json:"within"`
	// Said is how many events the last message spoke of; 0 before the first.
	Said int `json:"said,omitempty"`
	// Announces marks the one outcome that is published for all.
	Announces bool `json:"announces,omitempty"`
}

// instances is how many functions run at a time at most, as template.yaml limits them. Where each has to count for
// itself, each may let through a part of the limit alone.
const instances = 4

// brake asks for all cases of a batch together whether so many people may be cut off, before anybody is.
func (r *Responder) brake(ctx context.Context, cases []*Case) {
	if r.Ledger == nil || r.PolicyError != nil || r.Policy.Brake.Off {
		return
	}
	byLane := map[string][]*Case{}
	for _, c := range cases {
		if c.terminates() && !c.dryRun() && !r.letsThrough(c) {
			byLane[c.Signal.Lane()] = append(byLane[c.Signal.Lane()], c)
		}
	}
	if len(byLane) == 0 {
		return
	}
	part, cancel := forRecall(ctx)
	defer cancel()
	limit := ledger.Limit{People: r.limit(part), Within: r.Policy.Brake.Within}
	for lane, waiting := range byLane {
		r.take(part, lane, waiting, limit)
	}
}

// limit is how many people may be cut off in the window. How many are connected is the last sweep's word.
func (r *Responder) limit(ctx context.Context) int {
	if r.Policy.Brake.Share == 0 {
		return r.Policy.Brake.People
	}
	connected, err := r.Ledger.Connected(ctx)
	if err != nil {
		connected = 0
	}
	return r.Policy.Brake.Limit(connected)
}

// letsThrough reports whether the brake does not count the case, and adds the reason to it.
func (r *Responder) letsThrough(c *Case) bool {
	if ruling := c.released; ruling != nil {
		c.addReasons(policy.Because(policy.Braked, "the brake held it; %s released it at %s: %s",
			ruling.By, ruling.At.UTC().Format(time.RFC3339), ruling.Reason))
		return true
	}
	if m, announced := r.Policy.Brake.Announces(c.Signal.Provider, now()); announced {
		c.addReasons(
			policy.Because(policy.Braked, "the policy announces a mass until %s: %s", m.Until.Format(time.RFC3339), m.Reason),
		)
		return true
	}
	return false
}

// take asks one lane's brake. While the table does not answer, a finding passes, and closings are counted in the
// process.
func (r *Responder) take(ctx context.Context, lane string, cases []*Case, limit ledger.Limit) {
	var asks []ledger.Ask
	for _, c := range cases {
		asks = append(asks, c.ask())
	}
	taken, err := r.Ledger.Take(ctx, lane, asks, limit)
	if err != nil {
		taken, limit = r.takeAlone(ctx, lane, cases, limit)
	}
	for i, c := range cases {
		if i < len(taken) {
			c.noteTaken(taken[i], lane, limit)
		}
	}
}

// takeAlone decides without the table. It returns nothing if everybody passes.
func (r *Responder) takeAlone(
	ctx context.Context,
	lane string,
	cases []*Case,
	limit ledger.Limit,
) ([]ledger.Taken, ledger.Limit) {
	limit.People = max(1, limit.People/instances)
	words := fmt.Sprintf(
		"the ledger did not answer, so the brake counts in this process alone, up to %d people",
		limit.People,
	)
	if cases[0].Signal.Kind == signal.Finding {
		words = "the ledger did not answer, so the brake did not count this finding"
	}
	var asks []ledger.Ask
	for _, c := range cases {
		c.addReasons(policy.Because(policy.Braked, "%s", words))
		asks = append(asks, c.ask())
	}
	if cases[0].Signal.Kind == signal.Finding || r.Alone == nil {
		return nil, limit
	}
	taken, err := r.Alone.Take(ctx, lane, asks, limit)
	if err != nil {
		return nil, limit
	}
	return taken, limit
}

// ask is what the brake counts of the case. A connection or an address counts like a person.
func (c *Case) ask() ledger.Ask {
	people := c.Decision.Persons
	if len(people) == 0 {
		people = []string{strings.ToLower(c.Signal.Subject.String())}
	}
	return ledger.Ask{People: people, HeldAt: c.before.HeldAt}
}

// noteTaken notes the brake's answer.
func (c *Case) noteTaken(t ledger.Taken, lane string, limit ledger.Limit) {
	switch t.Grant {
	case ledger.Released:
		c.addReasons(policy.Because(policy.Braked, "the brake held events of %s; %s released them at %s: %s",
			lane, t.Ruling.By, t.Ruling.At.UTC().Format(time.RFC3339), t.Ruling.Reason))
	case ledger.Dropped:
		c.Decision.Block(policy.GateDropped, "the brake held it, and %s dropped it at %s: %s",
			t.Ruling.By, t.Ruling.At.UTC().Format(time.RFC3339), t.Ruling.Reason)
	case ledger.Held:
		s := t.Standing
		c.braked = &Brake{
			Lane: lane, Since: s.Since.UTC(), Events: s.Events, People: s.Names, Passed: s.Passed, Limit: limit.People,
			Within: duration.Short(limit.Within), Said: s.Said, Announces: t.Announce,
		}
		c.Decision.Block(
			policy.GateBrake,
			"more than %d people would be cut off within %s by events of %s",
			limit.People,
			duration.Short(limit.Within),
			lane,
		)
	}
}

// heldBack says what the brake holds. Only one outcome is published, so it speaks for all.
func heldBack(f *facts) string {
	b := f.braked
	if !b.Announces {
		return fmt.Sprintf(
			"%s was not cut off: the brake holds the events of %s since %s UTC.",
			f.who,
			b.Lane,
			b.Since.Format(time.DateTime),
		)
	}
	before := ""
	if b.Said > 0 {
		before = fmt.Sprintf(" (%d when the last message said so)", b.Said)
	}
	return fmt.Sprintf(
		"The brake holds %s of %s%s, about %s: with them more than %d people would be cut off within %s; %d already were. "+
			"They wait until somebody releases or drops them; more may follow.",
		plural(
			b.Events,
			"1 event",
			fmt.Sprintf("%d events", b.Events),
		),
		b.Lane,
		before,
		someOf(b.People),
		b.Limit,
		b.Within,
		b.Passed,
	)
}

// someOf names the first few of many.
func someOf(people []string) string {
	const most = 10
	if len(people) <= most {
		return strings.Join(people, ", ")
	}
	others := fmt.Sprintf("%d others", len(people)-most)
	if len(people) >= ledger.MostNames {
		others = "at least " + others // the ledger keeps no more names
	}
	return strings.Join(people[:most], ", ") + " and " + others
}
