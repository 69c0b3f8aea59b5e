package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Moment is a step on an event's way.
type Moment struct {
	At   time.Time
	What string
	// After is how long after the event it was; empty where that is not known.
	After string
	// Bad marks what went wrong.
	Bad bool
}

// Timeline returns the steps of all deliveries of one event, in the order of time.
func Timeline(all []Logged) []Moment {
	var steps []Moment
	seen := map[Moment]bool{}
	var from time.Time
	add := func(at time.Time, bad bool, format string, args ...any) {
		m := Moment{At: at.UTC(), What: fmt.Sprintf(format, args...), After: after(from, at), Bad: bad}
		if !at.IsZero() && !seen[m] {
			seen[m] = true
			steps = append(steps, m)
		}
	}
	for _, l := range all {
		o := &l.Outcome
		from = o.Timing.EventAt
		add(o.Timing.EventAt, false, "%s", o.reported())
		add(o.Timing.ReceivedAt, false, "The function receives the event.")
		add(o.Timing.DecidedAt, false, "The policy decides about %s: %s.", o.Signal.Subject, o.decided())
		for _, c := range o.Connections {
			add(c.RequestedAt, false, "EC2 answers the request to terminate %s of %s on %s.", c.ConnectionID, c.Who(), c.Where())
			add(c.EndSeenAt, false, "EC2 lists %s of %s as terminated.", c.ConnectionID, c.Who())
		}
		add(l.Time, o.NeedsPerson(), "%s: %s", strings.ToUpper(o.Status), o.Summary)
		if len(l.Unpublished) > 0 {
			add(l.Time, true, "Not published yet: the %s.", strings.Join(l.Unpublished, " and the "))
		}
	}
	slices.SortStableFunc(steps, func(a, b Moment) int { return a.At.Compare(b.At) })
	return steps
}

// after says how long after the event it was.
func after(event, at time.Time) string {
	if d := at.Sub(event); !event.IsZero() && d > 0 {
		return "+" + Span(d)
	}
	return ""
}

// reported says who reported what.
func (o *Outcome) reported() string {
	s := &o.Signal
	if s.Provider == "custom" {
		by := "somebody without a name"
		if s.RequestedBy != "" {
			by = s.RequestedBy + ", which nobody checked"
		}
		return fmt.Sprintf("A custom request about %s, in the name of %s%s.", s.Subject, by, quoted(s.Reason))
	}
	return fmt.Sprintf("%s reports %s about %s%s.", s.Provider, s.Type, s.Subject, quoted(s.Reason))
}

func quoted(reason string) string {
	if reason == "" {
		return ""
	}
	return fmt.Sprintf(": “%s”", strings.TrimRight(reason, ". "))
}

// decided says which rule decided what, and what held it back.
func (o *Outcome) decided() string {
	words := "no rule fits, so the default holds"
	if o.Decision.Rule != "" {
		words = "rule " + o.Decision.Rule
	}
	words += ", " + o.Decision.Action
	if o.Decision.Mode == "dry-run" {
		words += " in dry-run"
	}
	if o.Decision.Gate != "" {
		words += ", held back by the gate " + o.Decision.Gate
	}
	return words
}

// Span returns a duration as people write it: 0.4 s, 12 s, 3 min 5 s, 2 h, 2 h 10 min, 3 days.
func Span(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return strings.TrimSuffix(fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60), " 0 s")
	case d < 48*time.Hour:
		return strings.TrimSuffix(fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60), " 0 min")
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
