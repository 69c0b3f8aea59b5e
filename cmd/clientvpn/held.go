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
		Use: "held", Short: "Show what the brake holds, and since when", Args: takes(0, 0),
		Long: `Show whom the brake holds, by source. The brake holds events if more people
would be cut off within a time than the policy allows. "release" lets the
function go on with them, "drop" leaves the people connected.`,
		Example: "  clientvpn held",
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
