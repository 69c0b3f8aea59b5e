package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/stack"

	"github.com/spf13/cobra"
)

func (t *tool) held() *cobra.Command {
	return &cobra.Command{
		Use: "held", Short: "Show what the brake holds, and since when", Args: cobra.NoArgs,
		Long: `Show whom the brake holds, by source. "release" lets the function go on, "drop"
leaves them connected.`,
		RunE: func(command *cobra.Command, _ []string) error {
			table, err := t.openLedger(command.Context(), "")
			if err != nil {
				return err
			}
			brakes, err := table.Brakes(command.Context())
			if err != nil {
				return stack.InOneSentence(err)
			}
			return t.printBrakes(brakes)
		},
	}
}

func (t *tool) printBrakes(brakes []ledger.Standing) error {
	encoder := json.NewEncoder(t.Out)
	holding := 0
	for _, b := range brakes {
		switch {
		case t.json:
			if err := encoder.Encode(b); err != nil {
				return fmt.Errorf("printing what is held: %w", err)
			}
		case !b.Since.IsZero():
			holding++
			since := b.Since.UTC().Format(time.DateTime + " UTC")
			t.Print("%s  %d events since %s", t.In(console.Yellow, console.Safe(b.Lane)), b.Events, since)
			t.Item("    ", console.Safe(strings.Join(b.Names, ", ")))
			t.Item("    next: ", fmt.Sprintf(`clientvpn release %s --reason "…", or "drop" in place of "release"`, b.Lane))
		}
	}
	if holding == 0 && !t.json {
		t.Print("The brake holds nobody.")
	}
	return nil
}
