package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// stack is a deployed stack, known by the outputs of its template.
type stack struct {
	cfg     aws.Config
	outputs map[string]string
}

// stackName is the one that the flag --stack names.
func (t *tool) stackName() string { return t.stack }

// defaultStack is that of samconfig.toml.
func defaultStack() string {
	if name := os.Getenv("CLIENTVPN_STACK"); name != "" {
		return name
	}
	return "clientvpn-responder"
}

// configure returns the configuration of the AWS CLI. Where something is missing, the error is one sentence with the
// remedy.
func configure(ctx context.Context) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return cfg, awsError{fmt.Errorf("reading the AWS configuration: %w", err)}
	}
	if cfg.Region == "" {
		return cfg, awsError{errNoRegion}
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return cfg, awsError{errNoCredentials}
	}
	return cfg, nil
}

// openStack reads the outputs of a stack.
func openStack(ctx context.Context, name string) (*stack, error) {
	cfg, err := configure(ctx)
	if err != nil {
		return nil, err
	}
	client := cloudformation.NewFromConfig(cfg)
	found, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil {
		return nil, stackError(err, name, cfg.Region)
	}
	s := &stack{cfg: cfg, outputs: map[string]string{}}
	for _, one := range found.Stacks {
		for _, output := range one.Outputs {
			s.outputs[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
		}
	}
	return s, nil
}

// output returns one of the stack's outputs.
func (s *stack) output(key string) (string, error) {
	if value := s.outputs[key]; value != "" {
		return value, nil
	}
	return "", awsError{fmt.Errorf("the stack has no output %s; is it this project's, and deployed completely?", key)}
}

// answered is what the function returned: its answer as it is, and the outcomes in it.
type answered struct {
	raw      []byte
	outcomes []outcome
}

// outcome is what is read here of an outcome.
type outcome struct {
	Status   string `json:"status"`
	Summary  string `json:"summary"`
	Decision struct {
		Rule    string   `json:"rule"`
		Mode    string   `json:"mode"`
		Reasons []string `json:"reasons"`
	} `json:"decision"`
	Connections []connection `json:"connections"`
	Spared      []connection `json:"spared"`
}

type connection struct {
	EndpointID    string `json:"endpoint_id"`
	ConnectionID  string `json:"connection_id"`
	Username      string `json:"username"`
	CommonName    string `json:"common_name"`
	CurrentStatus string `json:"current_status"`
	Reason        string `json:"reason"`
}

// invoke passes the function an event and waits for its outcomes.
func (s *stack) invoke(ctx context.Context, event []byte) (answered, error) {
	name, err := s.output("FunctionName")
	if err != nil {
		return answered{}, err
	}
	// The function takes up to 150 s, and a second attempt would be a second event.
	client := lambda.NewFromConfig(s.cfg, func(o *lambda.Options) { o.RetryMaxAttempts = 1 })
	answer, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: event})
	if err != nil {
		return answered{}, inOneSentence(err)
	}
	if answer.FunctionError != nil {
		return answered{}, functionError(answer.Payload)
	}
	got := answered{raw: answer.Payload}
	var read struct{ Outcomes []outcome }
	if err := json.Unmarshal(answer.Payload, &read); err != nil || len(read.Outcomes) == 0 {
		return got, errors.New("the function answered without an outcome; its log says why")
	}
	got.outcomes = read.Outcomes
	return got, nil
}

// functionError returns the function's own error, such as an incomplete outcome.
func functionError(payload []byte) error {
	var failed struct{ ErrorType, ErrorMessage string }
	if json.Unmarshal(payload, &failed) != nil || failed.ErrorMessage == "" {
		return fmt.Errorf("the function failed: %s", payload)
	}
	return fmt.Errorf("the function reports %s: %s", failed.ErrorType, failed.ErrorMessage)
}
