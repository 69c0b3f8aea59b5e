package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// Invoke passes the function an event and waits. It returns the answer as it is, or the function's own error.
func (s *Stack) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	name, err := s.Output("FunctionName")
	if err != nil {
		return nil, err
	}
	// The function takes up to 150 s, and a second attempt would be a second event.
	client := lambda.NewFromConfig(s.Config, func(o *lambda.Options) { o.RetryMaxAttempts = 1 })
	answer, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: event})
	if err != nil {
		return nil, InOneSentence(err)
	}
	if answer.FunctionError != nil {
		return nil, functionError(answer.Payload)
	}
	return answer.Payload, nil
}

// functionError returns the function's own error, such as an incomplete outcome.
func functionError(payload []byte) error {
	var failed struct{ ErrorType, ErrorMessage string }
	if json.Unmarshal(payload, &failed) != nil || failed.ErrorMessage == "" {
		return fmt.Errorf("the function failed: %s", payload)
	}
	return fmt.Errorf("the function reports %s: %s", failed.ErrorType, failed.ErrorMessage)
}

// Settings returns the function's environment variables.
func (s *Stack) Settings(ctx context.Context) (map[string]string, error) {
	name, err := s.Output("FunctionName")
	if err != nil {
		return nil, err
	}
	input := &lambda.GetFunctionConfigurationInput{FunctionName: &name}
	known, err := lambda.NewFromConfig(s.Config).GetFunctionConfiguration(ctx, input)
	if err != nil {
		return nil, InOneSentence(err)
	}
	if known.Environment == nil {
		return nil, &Error{errors.New("the function has no environment variables; is it this project's?")}
	}
	return known.Environment.Variables, nil
}

// Source is the function's event source, which is its queue.
type Source struct{ id, State string }

// Source returns the function's only event source.
func (s *Stack) Source(ctx context.Context) (Source, error) {
	name, err := s.Output("FunctionName")
	if err != nil {
		return Source{}, err
	}
	input := &lambda.ListEventSourceMappingsInput{FunctionName: &name}
	found, err := lambda.NewFromConfig(s.Config).ListEventSourceMappings(ctx, input)
	if err != nil {
		return Source{}, InOneSentence(err)
	}
	var queues []types.EventSourceMappingConfiguration
	queues = append(queues, found.EventSourceMappings...)
	if n := len(queues); n != 1 {
		return Source{}, &Error{fmt.Errorf("the function has %d event sources; it should have its queue alone", n)}
	}
	return Source{aws.ToString(queues[0].UUID), aws.ToString(queues[0].State)}, nil
}

// Switch turns the function's event source on or off, and returns its state.
func (s *Stack) Switch(ctx context.Context, on bool) (state string, err error) {
	source, err := s.Source(ctx)
	if err != nil {
		return "", err
	}
	input := &lambda.UpdateEventSourceMappingInput{UUID: &source.id, Enabled: &on}
	changed, err := lambda.NewFromConfig(s.Config).UpdateEventSourceMapping(ctx, input)
	if err != nil {
		return "", InOneSentence(err)
	}
	return aws.ToString(changed.State), nil
}
