package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// request is an event of our own form, which a person sends through the function: the same gates and the same record.
type request struct {
	detailType string
	reason, by string
	kind       string
	people     []string
	source     string // of a ruling
	dryRun     bool   // only ask
}

// event returns the request as EventBridge would deliver it.
func (r request) event(now time.Time) ([]byte, error) {
	detail := map[string]any{"reason": r.reason, "requested_by": r.by}
	if len(r.people) > 0 {
		detail["usernames"] = r.people
	}
	if r.dryRun {
		detail["dry_run"] = true
	}
	for key, value := range map[string]string{"kind": r.kind, "source": r.source} {
		if value != "" {
			detail[key] = value
		}
	}
	event, err := json.Marshal(map[string]any{
		"version": "0", "id": "clientvpn-" + strings.ToLower(rand.Text()), "source": "clientvpn-responder",
		"detail-type": r.detailType, "time": now.UTC().Format(time.RFC3339), "resources": []string{}, "detail": detail,
	})
	if err != nil {
		return nil, fmt.Errorf("writing the request: %w", err)
	}
	return event, nil
}

// asks adds the flags of a request, and refuses one without a reason.
func (t *tool) asks(command *cobra.Command, r *request) *cobra.Command {
	command.Flags().StringVar(&r.reason, "reason", "", "why; it goes on record")
	command.Flags().StringVar(&r.by, "by", os.Getenv("USER"), "who asks; USER if absent")
	command.PreRunE = func(*cobra.Command, []string) error {
		if strings.TrimSpace(r.reason) == "" || r.by == "" {
			t.started = false
			return errors.New("say why with --reason and who with --by; both go on record")
		}
		return nil
	}
	return command
}

func (t *tool) cut() *cobra.Command {
	r := request{detailType: "Terminate Connections"}
	command := t.asks(&cobra.Command{
		Use: "cut NAME…", Short: "Cut people off, and wait for the outcome",
		Long: `Ask the deployed function to cut people off, and wait for the outcomes. The
policy decides as about every event: exemptions, the limit and dry-run hold.`,
		Example: `  clientvpn cut alice@example.com --reason "laptop stolen"`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, people []string) error {
			r.people = people
			return t.send(command.Context(), r)
		},
	}, &r)
	command.Flags().StringVar(&r.kind, "kind", "session-revoked", "the kind, which chooses the rule")
	return command
}

// would asks what cut would do. It changes nothing, and people get no message.
func (t *tool) would() *cobra.Command {
	r := request{detailType: "Terminate Connections", reason: "asks what would be done", dryRun: true}
	command := &cobra.Command{
		Use: "would NAME…", Short: "Show what cutting people off would do; nothing is done",
		Long: `Ask the deployed function what "cut" would do. It searches as in earnest, and
asks EC2 whether it would terminate. Nothing is terminated, and nobody gets a
mail.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, people []string) error {
			r.people, r.by = people, os.Getenv("USER")
			return t.send(command.Context(), r)
		},
	}
	command.Flags().StringVar(&r.kind, "kind", "session-revoked", "the kind, which chooses the rule")
	return command
}

func (t *tool) reinstate() *cobra.Command {
	r := request{detailType: "Reinstate"}
	return t.asks(&cobra.Command{
		Use: "lift NAME…", Short: "Let people in again, and wait for the outcome",
		Long: `Ask the deployed function to lift every entry of people on the keep-out list,
whatever its cause, and wait for the outcomes.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, people []string) error {
			r.people = people
			return t.send(command.Context(), r)
		},
	}, &r)
}

// ruling is a person's decision about what the brake holds.
func (t *tool) ruling(use, detailType, short string) *cobra.Command {
	r := request{detailType: detailType}
	command := t.asks(&cobra.Command{
		Use: use + " SOURCE", Short: short, Args: cobra.ExactArgs(1),
		Long: short + `.
SOURCE is a provider such as okta, findings, or all.`,
		RunE: func(command *cobra.Command, source []string) error {
			r.source = source[0]
			return t.send(command.Context(), r)
		},
	}, &r)
	command.Flags().StringArrayVar(&r.people, "user", nil, "only this `name`'s events; may be given several times")
	return command
}

func (t *tool) ready() *cobra.Command {
	return &cobra.Command{
		Use: "ready", Short: "Test the deployed function without terminating anything", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return t.send(command.Context(), request{detailType: "Self Test", reason: "self-test", by: os.Getenv("USER")})
		},
	}
}
