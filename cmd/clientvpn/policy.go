package main

import (
	"context"
	"fmt"
	"time"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/report"

	"github.com/spf13/cobra"
)

// policy groups the commands for the deployed policy.
func (t *tool) policy() *cobra.Command {
	return group(&cobra.Command{
		Use: "policy", Short: "Compare your policy with what is deployed, and put it in its place",
		Long: `Compare your policy with the one that is deployed, and put it in its place. The
policy says who is cut off, and who never is (doc/policy.md).`,
	}, t.policyDiff(), t.policyPut())
}

// decided is a decision, as far as two are compared.
type decided struct {
	Rule   string `json:"rule"`
	Action string `json:"action"`
	Mode   string `json:"mode"`
	Gate   string `json:"gate,omitempty"`
}

func (d decided) String() string {
	words := d.Action
	if d.Rule != "" {
		words += " by " + d.Rule
	}
	if d.Gate != "" {
		words += ", held back: " + d.Gate
	}
	return words + " (" + d.Mode + ")"
}

// difference is a signal about which the two policies decide differently.
type difference struct {
	Who      string  `json:"who"`
	Type     string  `json:"type"`
	Provider string  `json:"provider"`
	ID       string  `json:"id"`
	Was      decided `json:"was"`
	Would    decided `json:"would"`
}

func (t *tool) policyDiff() *cobra.Command {
	since := back{"7d", 7 * 24 * time.Hour}
	command := &cobra.Command{
		Use: "diff [FILE]", Short: "Show who would be decided differently among the last events",
		Long: `Decide about the signals in the function's log by your policy, and show which
decisions differ from what the deployed policy decided. What the ledger or the
brake held back counts as the rule decided it. FILE is policy.yaml if absent.
The exit code is 1 if any differ.`,
		Example: "  clientvpn policy diff --since 30d",
		Args:    takes(0, 1),
		RunE: func(command *cobra.Command, files []string) error {
			file := policyFile
			if len(files) > 0 {
				file = files[0]
			}
			rules, err := policy.Load(file)
			if err != nil {
				return err
			}
			return t.diff(command.Context(), rules, since.Duration)
		},
	}
	command.Flags().Var(&since, "since", "how far back, such as 12h or 7d")
	return command
}

func (t *tool) diff(ctx context.Context, rules *policy.Policy, back time.Duration) error {
	s, err := t.open(ctx)
	if err != nil {
		return err
	}
	mode, err := modeOf(ctx, s)
	if err != nil {
		return err
	}
	progress := t.Progress("Reading the log", 0)
	all, err := outcomes(ctx, s, time.Now().Add(-back), "", report.Outcome.IsAboutSomebody)
	progress.Stop()
	if err != nil {
		return err
	}
	final := report.Final(all)
	differ := 0
	for _, l := range final {
		d, same := compare(rules, policy.Mode(mode), l.Outcome)
		if same {
			continue
		}
		differ++
		if err := t.printDifference(d); err != nil {
			return err
		}
	}
	if differ > 0 {
		return fmt.Errorf("%d of %d signals would be decided differently", differ, len(final))
	}
	if !t.json {
		t.Print("All %d signals would be decided as they were.", len(final))
	}
	return nil
}

// compare decides about a signal anew, as of the moment at which it arrived.
func compare(rules *policy.Policy, mode policy.Mode, o report.Outcome) (difference, bool) {
	anew := rules.Decide(o.Signal, mode, o.Timing.ReceivedAt)
	was := decided{o.Decision.Rule, o.Decision.Action, o.Decision.Mode, o.Decision.Gate}
	would := decided{anew.Rule, string(anew.Action), string(anew.Mode), string(anew.Gate)}
	if late := policy.Gate(was.Gate); late.IsLate() {
		was.Action, was.Gate = would.Action, would.Gate // the policy had let it through
	}
	d := difference{o.Signal.Subject.String(), o.Signal.Type, o.Signal.Provider, o.Signal.ID, was, would}
	return d, was == would
}

func (t *tool) printDifference(d difference) error {
	if t.json {
		return t.printJSON(d)
	}
	t.Print("%s  %s %s, event %s", t.In(console.Bold, safe(d.Who)), safe(d.Provider), safe(d.Type), safe(d.ID))
	t.Print("  was    %s", d.Was)
	t.Print("  would  %s", t.In(console.Yellow, d.Would.String()))
	return nil
}
