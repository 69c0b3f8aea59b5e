package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
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
		Use: "stop", Short: "Stop everything within seconds; events wait in the queue", Args: cobra.NoArgs,
		Long: `Stop the deployed functions, without a deployment. The off switch is thrown
first: from the next event on nobody is cut off, and the client connect
handler denies nobody. Then events wait in the queue, for at most four days.
It does not stop a termination that has begun.`,
		RunE: func(command *cobra.Command, _ []string) error { return t.apply(command.Context(), c) },
	}
}

func (t *tool) start() *cobra.Command {
	c := change{true, `Everything is switched on, and the function goes on with the events that wait (%s). ` +
		`"clientvpn ready" tests it.`}
	return &cobra.Command{
		Use: "start", Short: "Let everything go on, with the events that wait", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return t.apply(command.Context(), c) },
	}
}

// apply sets the off switch, and then the function's event source. Either is worth having alone.
func (t *tool) apply(ctx context.Context, c change) error {
	list, err := t.openLedger(ctx, "")
	if err != nil {
		return err
	}
	set := list.SwitchOff
	if c.enabled {
		set = list.SwitchOn
	}
	switched := set(ctx, os.Getenv("USER"))
	state, err := t.changeSource(ctx, c.enabled)
	switch {
	case switched != nil:
		return errors.Join(inOneSentence(switched), err)
	case err != nil:
		return err
	case !t.json:
		t.Item("", fmt.Sprintf(c.words, state))
		return nil
	}
	line, err := json.Marshal(map[string]any{"enabled": c.enabled, "state": state})
	if err != nil {
		return fmt.Errorf("printing the state: %w", err)
	}
	t.Print("%s", line)
	return nil
}

// changeSource switches the function's event source on or off, and returns its state.
func (t *tool) changeSource(ctx context.Context, enabled bool) (string, error) {
	s, err := openStack(ctx, t.stackName())
	if err != nil {
		return "", err
	}
	source, err := s.source(ctx)
	if err != nil {
		return "", err
	}
	input := &lambda.UpdateEventSourceMappingInput{UUID: source.UUID, Enabled: &enabled}
	changed, err := lambda.NewFromConfig(s.cfg).UpdateEventSourceMapping(ctx, input)
	if err != nil {
		return "", inOneSentence(err)
	}
	return aws.ToString(changed.State), nil
}

// source returns the function's only event source, which is its queue.
func (s *stack) source(ctx context.Context) (types.EventSourceMappingConfiguration, error) {
	var none types.EventSourceMappingConfiguration
	name, err := s.output("FunctionName")
	if err != nil {
		return none, err
	}
	input := &lambda.ListEventSourceMappingsInput{FunctionName: &name}
	found, err := lambda.NewFromConfig(s.cfg).ListEventSourceMappings(ctx, input)
	if err != nil {
		return none, inOneSentence(err)
	}
	if n := len(found.EventSourceMappings); n != 1 {
		return none, awsError{fmt.Errorf("the function has %d event sources; it should have its queue alone", n)}
	}
	return found.EventSourceMappings[0], nil
}
