package main

import (
	"context"
	"errors"
	"fmt"

	"clientvpn-responder/internal/ledger"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
)

// What is wrong with the way to AWS, in one sentence with the remedy.
var (
	errNoTable        = errors.New("name the table with --table or LEDGER_TABLE; it is the stack's output LedgerTableName")
	errNoRegion       = errors.New("there is no Region; set AWS_REGION to the stack's")
	errNoCredentials  = errors.New(`there are no AWS credentials; use "aws sso login", or name a profile with AWS_PROFILE`)
	errBadCredentials = errors.New("the AWS credentials are not valid, or no longer; sign in again")
	errOtherTable     = errors.New("this account and Region have no such table; " +
		"--table is the stack's output LedgerTableName, AWS_REGION its Region")
)

// openLedger opens the table with the credentials and the Region of the AWS CLI. Where one is missing, the error is one
// sentence with the remedy.
func openLedger(ctx context.Context, table string) (*ledger.Table, error) {
	if table == "" {
		return nil, awsError{errNoTable}
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, awsError{fmt.Errorf("reading the AWS configuration: %w", err)}
	}
	if cfg.Region == "" {
		return nil, awsError{errNoRegion}
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return nil, awsError{errNoCredentials}
	}
	return ledger.New(cfg, table), nil
}

// awsError is an error of AWS, or of the way to it. Its exit code is its own.
type awsError struct{ error }

func (e awsError) Unwrap() error { return e.error }

// aws returns the error in one sentence, with the remedy where it is known.
func aws(err error) error {
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
