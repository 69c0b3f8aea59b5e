package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/stack"

	"github.com/spf13/cobra"
)

// keepOut groups the commands for the keep-out list.
func (t *tool) keepOut() *cobra.Command {
	var table string
	keepOut := group(&cobra.Command{
		Use: "keep-out", Short: "List who may not connect, and lift entries",
		Long: `List the people who may not connect, or lift entries without the function: both
read and write the stack's table with your credentials. Only lift changes it.`,
	}, t.list(&table), t.lift(&table))
	keepOut.PersistentFlags().StringVar(&table, "table", os.Getenv("LEDGER_TABLE"),
		"the `name` of the table, if not the stack's; $LEDGER_TABLE if absent")
	return keepOut
}

func (t *tool) list(table *string) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List who may not connect, since when, until when and why", Args: takes(0, 0),
		Long: `List the people on the keep-out list, whom the client connect handler denies:
since when, until when, by whom and why.`,
		Example: "  clientvpn keep-out list",
		RunE: func(command *cobra.Command, _ []string) error {
			list, err := t.openLedger(command.Context(), *table)
			if err != nil {
				return err
			}
			entries, err := list.List(command.Context())
			if err != nil {
				return stack.InOneSentence(err)
			}
			return t.printEntries(entries)
		},
	}
}

// lifting is what somebody asks to be lifted, and why.
type lifting struct{ policy, reason, by string }

func (t *tool) lift(table *string) *cobra.Command {
	var r lifting
	command := &cobra.Command{
		Use: "lift PERSON…", Short: "Take people off the list without the function", Args: takes(1, anyNumber),
		Long: `Take people off the list, whatever put them there, by a change of the table. Use
it where the function does not run. Otherwise use "clientvpn lift", which passes
through the function and sends the usual mail.

A person may be named as the list does, or by any name that the policy knows as
theirs. Who lifted an entry and why stays in the table. The exit code is 1 if a
person is not on the list.`,
		Example: `  clientvpn keep-out lift --reason "false alarm" alice@example.com`,
		RunE: func(command *cobra.Command, people []string) error {
			rules, err := t.rules(command.Context(), r.policy)
			if err != nil {
				return err
			}
			list, err := t.openLedger(command.Context(), *table)
			if err != nil {
				return err
			}
			for _, name := range people {
				if err := t.liftOne(command.Context(), list, rules, name, r); err != nil {
					return err
				}
			}
			return nil
		},
		PreRunE: func(*cobra.Command, []string) error {
			if strings.TrimSpace(r.reason) == "" || r.by == "" {
				t.started = false
				return errors.New("say why with --reason and who with --by; both stay in the table")
			}
			return nil
		},
	}
	command.Flags().StringVar(&r.policy, "policy", "", whoseNames)
	command.Flags().StringVar(&r.reason, "reason", "", "why, in `words`; they stay in the table")
	command.Flags().StringVar(&r.by, "by", asker(), "who asks, by `name`; your login name if absent")
	return command
}

// liftOne takes one person off the list.
func (t *tool) liftOne(ctx context.Context, list *ledger.Table, rules *policy.Policy, name string, r lifting) error {
	lifts, err := liftsOf(ctx, list, rules, name)
	if err != nil {
		return stack.InOneSentence(err)
	}
	if len(lifts) == 0 {
		return fmt.Errorf("%s is not on the list", name)
	}
	causes := []ledger.Cause{ledger.Deprovisioning, ledger.Membership, ledger.Finding, ledger.Request}
	for _, person := range slices.Sorted(maps.Keys(lifts)) {
		lift := lifts[person]
		lift.Causes, lift.By, lift.Reason, lift.At = causes, r.by, r.reason, time.Now()
		lifted, err := list.Lift(ctx, person, lift)
		if err != nil {
			return stack.InOneSentence(err)
		}
		if t.json {
			err = t.printEntries(lifted)
		} else {
			t.printLifted(lifted)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// liftsOf returns what to lift, by person. It is every entry of the people that the name leads to by the policy. Under
// people that the name led to when an entry was made, it is the entries about the name.
func liftsOf(
	ctx context.Context, list *ledger.Table, rules *policy.Policy, name string,
) (map[string]ledger.Lift, error) {
	names := []string{identity.Fold(name)}
	named, err := list.Named(ctx, names)
	if err != nil {
		return nil, err
	}
	entries, err := list.Find(ctx, append(rules.People(name, ""), name))
	if err != nil {
		return nil, err
	}
	lifts := map[string]ledger.Lift{}
	for _, person := range named {
		lifts[person] = ledger.Lift{Named: names}
	}
	for _, e := range entries {
		lifts[e.Person] = ledger.Lift{}
	}
	return lifts, nil
}

func (t *tool) printLifted(lifted []ledger.Entry) {
	for _, e := range lifted {
		t.Item("", fmt.Sprintf("%s may connect again: lifted the entry of %s from %s, %s",
			safe(e.Person), safe(e.By), e.Since.UTC().Format(time.DateTime+" UTC"), safe(e.Reason)))
	}
}

// printEntries prints entries, whose words come from outside.
func (t *tool) printEntries(entries []ledger.Entry) error {
	encoder := json.NewEncoder(t.Out)
	for _, e := range entries {
		if t.json {
			if err := encoder.Encode(e); err != nil {
				return fmt.Errorf("printing the list: %w", err)
			}
			continue
		}
		until := "forever"
		if !e.Until.IsZero() {
			until = "until " + e.Until.UTC().Format(time.DateTime+" UTC")
		}
		t.Print("%s  %s, %s", t.In(console.Bold, safe(e.Person)), safe(string(e.Cause)), until)
		since := e.Since.UTC().Format(time.DateTime + " UTC")
		t.Item("    ", fmt.Sprintf("since %s by %s: %s", since, safe(e.By), safe(e.Reason)))
	}
	if len(entries) == 0 && !t.json {
		t.Print("Nobody is on the list.")
	}
	return nil
}

func safe(words string) string { return cmp.Or(console.Safe(words), "-") }
