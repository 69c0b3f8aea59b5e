package stack

import (
	"errors"
	"fmt"

	"github.com/aws/smithy-go"
)

// What is wrong with the way to AWS, in one sentence with the remedy.
var (
	errNoRegion       = errors.New("there is no Region; set AWS_REGION to the stack's")
	errNoCredentials  = errors.New(`there are no AWS credentials; use "aws sso login", or name a profile with AWS_PROFILE`)
	errBadCredentials = errors.New("the AWS credentials are not valid, or no longer; sign in again")
	errNoTable        = errors.New("this account and Region have no such table; " +
		"--table is the stack's output LedgerTableName, AWS_REGION its Region")
	errNotFound = errors.New("this account and Region do not have what the stack's outputs name; " +
		"is it deployed completely, and AWS_REGION its Region?")
	errNoAnswer = errors.New("AWS does not answer; check the network, and AWS_ENDPOINT_URL if it is set")
)

// Error is an error of AWS, or of the way to it.
type Error struct{ Err error }

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the sentence.
func (e *Error) Unwrap() error { return e.Err }

// InOneSentence returns an error of the SDK in one sentence, with the remedy where it is known.
func InOneSentence(err error) error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	var answer smithy.APIError
	if !errors.As(err, &answer) {
		var call *smithy.OperationError
		if errors.As(err, &call) {
			return &Error{fmt.Errorf("%w (%s of %s)", errNoAnswer, call.Operation(), call.Service())}
		}
		return &Error{err}
	}
	var call *smithy.OperationError
	if errors.As(err, &call) && call.Service() == "DynamoDB" && answer.ErrorCode() == "ResourceNotFoundException" {
		return &Error{errNoTable}
	}
	switch answer.ErrorCode() {
	case "ResourceNotFoundException", "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue":
		return &Error{errNotFound}
	case "AccessDeniedException", "AccessDenied", "UnauthorizedOperation":
		return &Error{fmt.Errorf("the credentials lack a permission: %s", answer.ErrorMessage())}
	case "ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException", "InvalidClientTokenId",
		"InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure":
		return &Error{errBadCredentials}
	}
	return &Error{fmt.Errorf("AWS answers %s: %s", answer.ErrorCode(), answer.ErrorMessage())}
}
