package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/report"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/stack"

	"github.com/spf13/cobra"
)

// keptInLog is for how long back the log is read where the ledger does not know when an event came.
const keptInLog = 30 * 24 * time.Hour

func (t *tool) why() *cobra.Command {
	var since back
	command := &cobra.Command{
		Use: "why EVENT|NAME", Short: "Show what became of an event or a person, as a timeline",
		Long: `Show what became of an event, or of everything about a person, as a timeline. It
reads the ledger, a table that remembers events for 45 days, and the function's
log. EVENT is the provider's own id or EventBridge's, as every mail has it. The
exit code is 1 if nothing is known of it.`,
		Example: `  clientvpn why 64c3ff73-68ea-40be-8d26-308cdb13f776
  clientvpn why alice@example.com --since 7d`,
		Args: takes(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			found, err := t.lookup(command.Context(), args[0], since)
			if err != nil {
				return err
			}
			return t.printWhy(found, args[0])
		},
	}
	command.Flags().Var(&since, "since",
		"how far back, such as 12h or 7d; if absent, from the event on, or 30d if the ledger does not know it")
	return command
}

// found is what is known of an event or a person.
type found struct {
	logged []report.Logged
	noted  []ledger.Event // that the log does not have any more
}

// lookup finds an event or a person in the ledger and the log.
func (t *tool) lookup(ctx context.Context, what string, since back) (found, error) {
	s, err := t.open(ctx)
	if err != nil {
		return found{}, err
	}
	table, err := ledgerOf(s)
	if err != nil {
		return found{}, err
	}
	progress := t.Progress("Reading the ledger and the log", 0)
	defer progress.Stop()
	noted, err := table.Events(ctx)
	if err != nil {
		return found{}, stack.InOneSentence(err)
	}
	noted = slices.DeleteFunc(noted, func(e ledger.Event) bool { return e.Key.ID != what && !isAbout(e, what) })
	from := beginning(since, noted)
	id := ""
	if !slices.ContainsFunc(noted, func(e ledger.Event) bool { return e.Key.ID != what }) && looksLikeID(what) {
		id = what // so that the log has to return only these lines
	}
	f := found{noted: noted}
	f.logged, err = outcomes(ctx, s, from, id, func(o report.Outcome) bool { return o.IsEvent(what) || o.About(what) })
	f.noted = slices.DeleteFunc(f.noted, f.has)
	return f, err
}

// looksLikeID reports whether it is rather an event's id than a person's name.
func looksLikeID(what string) bool {
	return len(what) >= 16 && !strings.ContainsAny(what, `@\ `) && strings.ContainsAny(what, "0123456789")
}

func isAbout(e ledger.Event, name string) bool {
	folded := signal.Fold(name)
	return signal.Fold(e.Key.Subject) == folded ||
		slices.ContainsFunc(e.People, func(p string) bool { return signal.Fold(p) == folded })
}

// beginning returns from when on the log is read.
func beginning(since back, noted []ledger.Event) time.Time {
	switch {
	case since.written != "":
		return time.Now().Add(-since.Duration)
	case len(noted) > 0:
		return noted[0].FirstReceived.Add(-time.Hour) // they are in the order of their arrival
	}
	return time.Now().Add(-keptInLog)
}

// outcomes reads the log's outcomes that are wanted.
func outcomes(
	ctx context.Context, s *stack.Stack, from time.Time, id string, wanted func(report.Outcome) bool,
) ([]report.Logged, error) {
	var all []report.Logged
	for lines, err := range s.Outcomes(ctx, from, time.Now(), id) {
		if err != nil {
			return nil, err
		}
		for _, line := range lines {
			if l, ok := report.ReadLog(line); ok && wanted(l.Outcome) {
				all = append(all, l)
			}
		}
	}
	return all, nil
}

// has reports whether the log still has the event.
func (f found) has(e ledger.Event) bool {
	return slices.ContainsFunc(f.logged, func(l report.Logged) bool {
		return l.Outcome.Signal.Provider == e.Key.Provider && l.Outcome.Signal.ID == e.Key.ID
	})
}

func (t *tool) printWhy(f found, what string) error {
	if len(f.logged)+len(f.noted) == 0 {
		return errors.New("neither the ledger nor the log knows " + console.Safe(what) +
			"; --since looks further back, and clientvpn dead shows events that could not be read")
	}
	if t.json {
		return t.printWhyJSON(f)
	}
	for _, e := range f.noted {
		t.Print("%s %s  %s", t.In(console.Bold, safe(e.Key.Subject)), safe(e.Type), safe(e.Key.ID))
		t.Item("  "+e.FirstReceived.UTC().Format(time.DateTime)+"  ",
			console.Safe(strings.ToUpper(e.Status)+": "+e.Summary+" (The log has no more of it.)"))
	}
	for _, event := range byEvent(f.logged) {
		s := &event[0].Outcome.Signal
		t.Print("%s %s %s  %s", t.In(console.Bold, safe(s.Subject.String())), safe(s.Provider), safe(s.Type), safe(s.ID))
		for _, m := range report.Timeline(event) {
			t.Item(fmt.Sprintf("  %s %-10s ", m.At.Format(time.DateTime), m.After), console.Safe(m.What))
		}
		for _, l := range report.Final(event) {
			for _, reason := range l.Outcome.Reasons() {
				t.Item("  because ", console.Safe(reason.String()))
			}
			for i, step := range l.Outcome.LeftToDo {
				t.Item(fmt.Sprintf("  %d. ", i+1), console.Safe(step))
			}
		}
	}
	return nil
}

func (t *tool) printWhyJSON(f found) error {
	for _, e := range f.noted {
		if err := t.printJSON(map[string]any{"event": e, "key": e.Key}); err != nil {
			return err
		}
	}
	for _, l := range f.logged {
		if err := t.printJSON(l); err != nil {
			return err
		}
	}
	return nil
}

// byEvent groups outcomes by their event, in the order in which the events came.
func byEvent(all []report.Logged) (events [][]report.Logged) {
	at := map[string]int{}
	for _, l := range all {
		key := l.Outcome.Signal.Provider + "\x00" + l.Outcome.Signal.ID
		i, seen := at[key]
		if !seen {
			i, at[key] = len(events), len(events)
			events = append(events, nil)
		}
		events[i] = append(events[i], l)
	}
	return events
}
