package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/user"
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

// cutOff is the type of a request that asks to cut people off.
const cutOff = "Terminate Connections"

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
	command.Flags().StringVar(&r.reason, "reason", "", "why, in `words`; they go on record")
	command.Flags().StringVar(&r.by, "by", asker(), "who asks, by `name`; your login name if absent")
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
	r := request{detailType: cutOff}
	command := t.asks(&cobra.Command{
		Use: "cut NAME…", Short: "Cut people off, and wait for the outcome",
		Long: `Ask the deployed function to cut people off from the VPN, and wait for the
outcomes. The policy decides as about every event: exemptions, the limit and
dry-run hold. "would" shows beforehand what it does. The exit code is 1 if
anybody may still be connected.`,
		Example: `  clientvpn cut alice@example.com --reason "laptop stolen"
  clientvpn cut alice bob --kind account-disabled --reason "left the company"`,
		Args: takes(1, anyNumber),
		RunE: func(command *cobra.Command, people []string) error {
			r.people = people
			return t.send(command.Context(), r)
		},
	}, &r)
	command.Flags().StringVar(&r.kind, "kind", "session-revoked", "the `kind` of event, which chooses the rule")
	return command
}

// would asks what cut would do. It changes nothing, and people get no message.
func (t *tool) would() *cobra.Command {
	r := request{detailType: cutOff, reason: "asks what would be done", dryRun: true}
	command := &cobra.Command{
		Use: "would NAME…", Short: "Show what cutting people off would do; nothing is done",
		Long: `Ask the deployed function what "cut" would do. It searches as in earnest, and
asks EC2 whether it would terminate. Nothing is terminated, and nobody gets a
mail. The exit code is 1 if "cut" would leave anybody connected.`,
		Example: "  clientvpn would alice@example.com",
		Args:    takes(1, anyNumber),
		RunE: func(command *cobra.Command, people []string) error {
			r.people, r.by = people, asker()
			return t.send(command.Context(), r)
		},
	}
	command.Flags().StringVar(&r.kind, "kind", "session-revoked", "the `kind` of event, which chooses the rule")
	return command
}

func (t *tool) reinstate() *cobra.Command {
	r := request{detailType: "Reinstate"}
	return t.asks(&cobra.Command{
		Use: "lift NAME…", Short: "Take people off the keep-out list, and wait for the outcome",
		Long: `Ask the deployed function to take people off the keep-out list, whatever put
them there, and wait for the outcomes. They go on record and to your mailbox,
like those of every event. "clientvpn keep-out lift" does without the function.
The exit code is 1 if a person may still be kept out.`,
		Example: `  clientvpn lift alice@example.com --reason "laptop found"`,
		Args:    takes(1, anyNumber),
		RunE: func(command *cobra.Command, people []string) error {
			r.people = people
			return t.send(command.Context(), r)
		},
	}, &r)
}

// ruling is a person's decision about what the brake holds.
func (t *tool) ruling(use, detailType, short, example string) *cobra.Command {
	r := request{detailType: detailType}
	command := t.asks(&cobra.Command{
		Use: use + " SOURCE", Short: short, Args: takes(1, 1),
		Long: short + `.
SOURCE is as "clientvpn held" shows it: a provider such as okta, findings, or
all. The brake holds events if more people would be cut off within a time than
the policy allows. The exit code is 1 if not all could be done.`,
		Example: example,
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
		Use: "ready", Short: "Test the deployed function without terminating anything", Args: takes(0, 0),
		Long: `Ask the deployed function for a self-test, and wait for it. The function lists
every endpoint, asks EC2 whether it would terminate a connection there, and
looks at its topics, policy and keep-out list. Nothing is terminated. The exit
code is 1 if somebody could not be cut off now.`,
		Example: "  clientvpn ready",
		RunE: func(command *cobra.Command, _ []string) error {
			return t.send(command.Context(), request{detailType: "Self Test", reason: "self-test", by: asker()})
		},
	}
}

// asker returns the login name of the person at this machine; empty if nothing says it.
func asker() string {
	if name := os.Getenv("USER"); name != "" {
		return name
	}
	if person, err := user.Current(); err == nil {
		return person.Username
	}
	return ""
}
