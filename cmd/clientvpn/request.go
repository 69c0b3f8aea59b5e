package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/console"

	"github.com/spf13/cobra"
)

// request is an event of our own form, which a person sends through the function: the same gates and the same record.
type request struct {
	detailType string
	reason, by string
	kind       string
	people     []string
	source     string // of a ruling
}

// event returns the request as EventBridge would deliver it.
func (r request) event(now time.Time) ([]byte, error) {
	detail := map[string]any{"reason": r.reason, "requested_by": r.by}
	if len(r.people) > 0 {
		detail["usernames"] = r.people
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

// done are the statuses with which nothing is left to do.
var done = []string{"terminated", "not-connected", "notified", "ready"}

// send passes the request to the deployed function and prints the outcomes. It fails unless all is done.
func (t *tool) send(ctx context.Context, r request) error {
	s, err := openStack(ctx, t.stackName())
	if err != nil {
		return err
	}
	event, err := r.event(time.Now())
	if err != nil {
		return err
	}
	progress := t.Progress("Waiting for the outcome", 0)
	answer, err := s.invoke(ctx, event)
	progress.Stop()
	if err != nil {
		return err
	}
	if t.json {
		t.Print("%s", answer.raw)
	}
	undone := 0
	for _, o := range answer.outcomes {
		if !t.json {
			t.printOutcome(o)
		}
		if !slices.Contains(done, o.Status) {
			undone++
		}
	}
	if undone > 0 {
		return fmt.Errorf("%d of %d outcomes are not what was asked for", undone, len(answer.outcomes))
	}
	return nil
}

func (t *tool) printOutcome(o outcome) {
	style := console.Green
	if o.Status != "terminated" && o.Status != "ready" {
		style = console.Yellow
	}
	t.Item(t.In(style, strings.ToUpper(o.Status))+"  ", console.Safe(o.Summary))
	for _, c := range o.Connections {
		t.Item("  ", fmt.Sprintf("%s of %s on %s: %s", c.ConnectionID, c.who(), c.EndpointID, c.CurrentStatus))
	}
	for _, c := range o.Spared {
		t.Item("  ", fmt.Sprintf("spared %s of %s: %s", c.ConnectionID, c.who(), safe(c.Reason)))
	}
	if len(o.Decision.Reasons) > 0 {
		t.Item("  because ", console.Safe(strings.Join(o.Decision.Reasons, "; ")))
	}
}

// who returns the user name, or the certificate where there is none.
func (c connection) who() string {
	if c.Username != "" {
		return safe(c.Username)
	}
	return "certificate " + safe(c.CommonName)
}
