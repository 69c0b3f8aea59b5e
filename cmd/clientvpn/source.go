package main

import (
	"context"
	"errors"
	"fmt"

	"clientvpn-responder/internal/stack"

	"github.com/spf13/cobra"
)

// change is what becomes of the off switch and of the function's event source, and what to say about it.
type change struct {
	enabled bool
	words   string // with a place for the event source's state
}

func (t *tool) stop() *cobra.Command {
	c := change{false, `Everything is switched off: from the next event on nobody is cut off or denied. ` +
		`Events wait in the queue, for at most four days (%s). "clientvpn start" lets everything go on.`}
	return &cobra.Command{
		Use: "stop", Short: "Stop everything within seconds; events wait in the queue", Args: takes(0, 0),
		Long: `Stop the deployed functions, without a deployment. The off switch is thrown
first: from the next event on nobody is cut off, and the client connect
handler denies nobody. Then events wait in the queue, for at most four days. It
does not stop a termination that has begun. "start" lets everything go on.`,
		Example: "  clientvpn stop",
		RunE:    func(command *cobra.Command, _ []string) error { return t.apply(command.Context(), c) },
	}
}

func (t *tool) start() *cobra.Command {
	c := change{true, `Everything is switched on, and the function goes on with the events that wait (%s). ` +
		`"clientvpn ready" tests it.`}
	return &cobra.Command{
		Use: "start", Short: "Let everything go on, with the events that wait", Args: takes(0, 0),
		Long: `Let everything go on after "stop" or the stack's output StopCommand. The
function goes on with the events that wait in the queue. It does not act on what
it only reported meanwhile.`,
		Example: "  clientvpn start",
		RunE:    func(command *cobra.Command, _ []string) error { return t.apply(command.Context(), c) },
	}
}

// apply sets the off switch, and then the function's event source. Either is worth having alone.
func (t *tool) apply(ctx context.Context, c change) error {
	s, err := t.open(ctx)
	if err != nil {
		return err
	}
	list, err := ledgerOf(s)
	if err != nil {
		return err
	}
	set := list.SwitchOff
	if c.enabled {
		set = list.SwitchOn
	}
	switched := set(ctx, asker())
	state, err := s.Switch(ctx, c.enabled)
	switch {
	case switched != nil:
		return errors.Join(stack.InOneSentence(switched), err)
	case err != nil:
		return err
	case !t.json:
		t.Item("", fmt.Sprintf(c.words, state))
		return nil
	}
	return t.printJSON(map[string]any{"enabled": c.enabled, "state": state})
}
