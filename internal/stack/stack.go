// Package stack knows a deployed stack as its operator does: its outputs, function, log, alarms and queues.
//
// It uses the credentials of the operator. It promises that an error is one sentence with the remedy, as far as that is
// known, and has nothing of the SDK in it.
package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
)

// Stack is a deployed stack, known by the outputs of its template.
type Stack struct {
	Name    string
	Config  aws.Config
	outputs map[string]string
}

// The tag that marks a stack of this project. A stack without it counts, too, if it has the outputs.
const (
	tagKey   = "application"
	tagValue = "clientvpn-responder"
)

// ours are outputs that only this project's template has.
var ours = []string{"FunctionName", "LedgerTableName", "DeadLetterQueueUrl"}

// Configure returns the configuration of the AWS CLI.
func Configure(ctx context.Context) (aws.Config, error) {
	// The SDK's own words are for programmers.
	cfg, err := config.LoadDefaultConfig(ctx, config.WithLogger(logging.Nop{}))
	var none config.SharedConfigProfileNotExistError
	switch {
	case errors.As(err, &none):
		return cfg, &Error{fmt.Errorf("the AWS CLI has no profile %s; name one with AWS_PROFILE that \"aws configure "+
			"list-profiles\" shows", none.Profile)}
	case err != nil:
		return cfg, &Error{fmt.Errorf("reading the AWS configuration: %w", err)}
	}
	if cfg.Region == "" {
		return cfg, &Error{errNoRegion}
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return cfg, &Error{errNoCredentials}
	}
	return cfg, nil
}

// Open reads the outputs of the stack with this name. Without a name it is the only stack of this project in the
// account and Region.
func Open(ctx context.Context, name string) (*Stack, error) {
	cfg, err := Configure(ctx)
	if err != nil {
		return nil, err
	}
	var input cloudformation.DescribeStacksInput
	if name != "" {
		input.StackName = &name
	}
	var found []*Stack
	pages := cloudformation.NewDescribeStacksPaginator(cloudformation.NewFromConfig(cfg), &input)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, notThere(err, name, cfg.Region)
		}
		for _, one := range page.Stacks {
			s := &Stack{aws.ToString(one.StackName), cfg, outputsOf(one)}
			if name != "" || s.isOurs(one.Tags) {
				found = append(found, s)
			}
		}
	}
	return only(found, cfg.Region)
}

func outputsOf(one types.Stack) map[string]string {
	outputs := map[string]string{}
	for _, output := range one.Outputs {
		outputs[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
	}
	return outputs
}

// isOurs reports whether it is a stack of this project.
func (s *Stack) isOurs(tags []types.Tag) bool {
	if slices.ContainsFunc(tags, func(t types.Tag) bool {
		return aws.ToString(t.Key) == tagKey && aws.ToString(t.Value) == tagValue
	}) {
		return true
	}
	return !slices.ContainsFunc(ours, func(key string) bool { return s.outputs[key] == "" })
}

func only(found []*Stack, region string) (*Stack, error) {
	switch len(found) {
	case 0:
		return nil, &Error{fmt.Errorf("there is no stack of this project in %s; "+
			"name it with --stack, and its Region with AWS_REGION", region)}
	case 1:
		return found[0], nil
	}
	var names []string
	for _, s := range found {
		names = append(names, s.Name)
	}
	return nil, &Error{fmt.Errorf("%s has several stacks of this project; choose one with --stack: %s",
		region, strings.Join(names, ", "))}
}

// notThere returns the error of looking for a stack. CloudFormation says ValidationError of one that is not there.
func notThere(err error, name, region string) error {
	var answer smithy.APIError
	if name != "" && errors.As(err, &answer) && answer.ErrorCode() == "ValidationError" {
		return &Error{fmt.Errorf("there is no stack %s in %s; name it with --stack, and its Region with AWS_REGION",
			name, region)}
	}
	return InOneSentence(err)
}

// Output returns one of the stack's outputs.
func (s *Stack) Output(key string) (string, error) {
	if value := s.outputs[key]; value != "" {
		return value, nil
	}
	return "", &Error{fmt.Errorf("the stack %s has no output %s; is it this project's, and deployed completely?",
		s.Name, key)}
}
