package main

import (
	"context"
	"errors"
	"fmt"

	"clientvpn-responder/internal/ledger"

	"github.com/aws/smithy-go"
)

// What is wrong with the way to AWS, in one sentence with the remedy.
var (
	errNoRegion       = errors.New("there is no Region; set AWS_REGION to the stack's")
	errNoCredentials  = errors.New(`there are no AWS credentials; use "aws sso login", or name a profile with AWS_PROFILE`)
	errBadCredentials = errors.New("the AWS credentials are not valid, or no longer; sign in again")
	errOtherTable     = errors.New("this account and Region have no such table; " +
		"--table is the stack's output LedgerTableName, AWS_REGION its Region")
)

// openLedger opens the table that was named, or else the stack's.
func (t *tool) openLedger(ctx context.Context, table string) (*ledger.Table, error) {
	if table == "" {
		s, err := openStack(ctx, t.stackName())
		if err != nil {
			return nil, err
		}
		if table, err = s.output("LedgerTableName"); err != nil {
			return nil, err
		}
		return ledger.New(s.cfg, table), nil
	}
	cfg, err := configure(ctx)
	if err != nil {
		return nil, err
	}
	return ledger.New(cfg, table), nil
}

// awsError is an error of AWS, or of the way to it. Its exit code is its own.
type awsError struct{ error }

func (e awsError) Unwrap() error { return e.error }

// inOneSentence returns the error in one sentence, with the remedy where it is known.
func inOneSentence(err error) error {
	var answer smithy.APIError
	if !errors.As(err, &answer) {
		return awsError{err}
	}
	switch answer.ErrorCode() {
	case "ResourceNotFoundException":
		return awsError{errOtherTable}
	case "AccessDeniedException":
		return awsError{fmt.Errorf("the credentials lack a permission: %s", answer.ErrorMessage())}
	case "ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException":
		return awsError{errBadCredentials}
	}
	return awsError{fmt.Errorf("AWS says %s: %s", answer.ErrorCode(), answer.ErrorMessage())}
}

// stackError returns the error of looking for a stack. CloudFormation says ValidationError of one that is not there.
func stackError(err error, name, region string) error {
	var answer smithy.APIError
	if errors.As(err, &answer) && answer.ErrorCode() == "ValidationError" {
		err = fmt.Errorf("there is no stack %s in %s; name it with --stack, and its Region with AWS_REGION", name, region)
		return awsError{err}
	}
	return inOneSentence(err)
}
