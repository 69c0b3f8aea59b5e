package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/spf13/cobra"
)

// change is what becomes of the function's event source, and what to say about it.
type change struct {
	enabled bool
	words   string // with a place for the state
}

func (t *tool) stop() *cobra.Command {
	c := change{false, `The function stops (%s), within a minute. Events wait in the queue, for at most four days. ` +
		`"clientvpn start" lets it go on.`}
	return &cobra.Command{
		Use: "stop", Short: "Stop the function; events wait in the queue", Args: cobra.NoArgs,
		Long: `Stop the deployed function at once, without a deployment. Events wait in the
queue, for at most four days. It does not stop a termination that has begun.`,
		RunE: func(command *cobra.Command, _ []string) error { return t.changeSource(command.Context(), c) },
	}
}

func (t *tool) start() *cobra.Command {
	c := change{true, `The function goes on with the events that wait (%s). "clientvpn ready" tests it.`}
	return &cobra.Command{
		Use: "start", Short: "Let the function go on with the events that wait", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return t.changeSource(command.Context(), c) },
	}
}

// changeSource switches the function's event source on or off.
func (t *tool) changeSource(ctx context.Context, c change) error {
	s, err := openStack(ctx, t.stackName())
	if err != nil {
		return err
	}
	source, err := s.source(ctx)
	if err != nil {
		return err
	}
	input := &lambda.UpdateEventSourceMappingInput{UUID: source.UUID, Enabled: &c.enabled}
	changed, err := lambda.NewFromConfig(s.cfg).UpdateEventSourceMapping(ctx, input)
	if err != nil {
		return inOneSentence(err)
	}
	state := aws.ToString(changed.State)
	if !t.json {
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
