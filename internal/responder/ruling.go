package responder

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/held"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
)

// heldQueue is what is used of a [held.Queue].
type heldQueue interface {
	Release(ctx context.Context, s held.Selector, r held.Release) (int, error)
	Drop(ctx context.Context, s held.Selector) (int, error)
}

// ruling records a person's decision about what the brake holds, and carries it out. A repeat does no harm.
func (r *Responder) ruling(ctx context.Context, c *Case) Outcome {
	ctx, cancel := forRuling(ctx)
	defer cancel()
	o, s := c.outcome(), c.Signal
	lanes := s.Scope.Lanes()
	if len(lanes) == 0 || r.Ledger == nil {
		o.Status = Unmapped
		o.Summary = fmt.Sprintf("Nothing was %s: no events of %q are held.", done(s.Kind), s.Scope.Source)
		return o
	}
	people := r.peopleOf(s.Scope.People)
	decided := ledger.Ruling{
		Release: s.Kind == signal.ReleaseHeld, At: now().UTC(), By: by(s), Reason: s.Reason, People: people,
	}
	if decided.Release && len(people) == 0 && r.Policy != nil {
		decided.Until = decided.At.Add(r.Policy.Brake.Within) // events that are still on their way pass, too
	}
	standing, err := r.rule(ctx, lanes, decided)
	if err != nil {
		return failedRuling(o, s, err)
	}
	moved, err := r.carryOut(ctx, s, people, decided)
	if err != nil {
		return failedRuling(o, s, err)
	}
	o.Status = Notified
	o.Summary = fmt.Sprintf("%s %s %s of %s, about %s: %s. The brake held %s.", decided.By, done(s.Kind),
		plural(moved, "1 event", fmt.Sprintf("%d events", moved)), s.Scope.Source, whose(people), s.Reason,
		plural(standing, "1 event", fmt.Sprintf("%d events", standing)))
	if r.Held == nil {
		o.Summary += " There is no queue for held events: put the dead letters back into the queue."
	}
	return o
}

// rule records the decision in every lane that it is about, and returns how many events they held.
func (r *Responder) rule(ctx context.Context, lanes []string, decided ledger.Ruling) (events int, err error) {
	holding, err := r.Ledger.Standings(ctx, lanes)
	if err != nil {
		return 0, err
	}
	for _, s := range holding {
		if s.Since.IsZero() && len(lanes) > 1 {
			continue // of all lanes, only those that hold somebody
		}
		standing, err := r.Ledger.Rule(ctx, s.Lane, decided)
		if err != nil {
			return events, err
		}
		events += standing.Events
	}
	return events, nil
}

// carryOut moves or deletes the events in the queue.
func (r *Responder) carryOut(
	ctx context.Context,
	s signal.Signal,
	people []string,
	decided ledger.Ruling,
) (int, error) {
	if r.Held == nil {
		return 0, nil
	}
	lanes := s.Scope.Lanes()
	selector := held.Selector{People: people}
	if len(lanes) == 1 {
		selector.Lane = lanes[0]
	}
	if !decided.Release {
		return r.Held.Drop(ctx, selector)
	}
	return r.Held.Release(ctx, selector, held.Release{
		Lane: s.Scope.Source, At: decided.At, By: decided.By, Reason: decided.Reason,
	})
}

func failedRuling(o Outcome, s signal.Signal, err error) Outcome {
	o.Problems = []Problem{{Code: RulingFailed, Doing: "ruling about the events of " + s.Scope.Source, Cause: err}}
	o.Status, o.Error = Failed, inFull(o.Problems)
	o.Summary = fmt.Sprintf("Not all was %s: %s.", done(s.Kind), o.Problems[0].Brief())
	return o
}

func done(kind signal.Kind) string {
	if kind == signal.ReleaseHeld {
		return "released"
	}
	return "dropped"
}

func whose(people []string) string {
	if len(people) == 0 {
		return "everybody"
	}
	return someOf(people)
}

// peopleOf returns the people of names as a person writes them, exempt or not.
func (r *Responder) peopleOf(names []string) []string {
	var people []string
	for _, name := range names {
		known := []string(nil)
		if r.Policy != nil {
			known = r.Policy.People(name, "")
		}
		if len(known) == 0 {
			known = []string{strings.ToLower(name)}
		}
		people = append(people, known...)
	}
	slices.Sort(people)
	return slices.Compact(people)
}

// decideRuling is the decision about a ruling, which asks no rule.
func decideRuling(mode policy.Mode) policy.Decision {
	return policy.Decision{Action: policy.Notify, Mode: mode, Names: []string{}, Reasons: []policy.Reason{
		policy.Because(policy.NoRuleAsked, "a ruling is about the brake, so no rule is asked"),
	}}
}

// forRuling bounds a ruling. Twenty thousand events take a while.
func forRuling(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, max(time.Second, timeLeft(ctx)-lastMoment))
}
