package ec2call

import (
	"errors"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Refused reports whether err is EC2's answer that the request is not to be: asking again would change nothing. Any other
// error, such as throttling, a failure of EC2 or a broken connection, leaves open what will be or has been done; and a page
// token that is no longer valid says nothing about another listing.
func Refused(err error) bool {
	var response *smithyhttp.ResponseError
	return Code(err) != "" && Code(err) != "InvalidPaginationToken" &&
		errors.As(err, &response) && response.HTTPStatusCode() < 500
}

// Code is EC2's error code, "" for any other error.
func Code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

var throttleCodes = retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}

// Throttled reports whether EC2 refused a call because there were too many.
func Throttled(err error) bool { return err != nil && throttleCodes.IsErrorThrottle(err).Bool() }

// RequestID is EC2's, of a request to terminate that it took or refused; empty where there was no answer.
func RequestID(output *ec2.TerminateClientVpnConnectionsOutput, err error) string {
	if err == nil {
		return ResultID(output.ResultMetadata)
	}
	var answered interface{ ServiceRequestID() string }
	if errors.As(err, &answered) {
		return answered.ServiceRequestID()
	}
	return ""
}

// ResultID is EC2's request id of a call that it took.
func ResultID(metadata middleware.Metadata) string {
	id, _ := awsmiddleware.GetRequestIDMetadata(metadata)
	return id
}
