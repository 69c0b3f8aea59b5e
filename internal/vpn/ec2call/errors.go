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

// ErrNotSent is wrapped by the error of a call that was not sent, because its turn would come after the deadline.
var ErrNotSent = errors.New("not sent: EC2's request limit (RequestLimitExceeded) left no slot " +
	"for this call before the deadline")

var throttleCodes = retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}

// Code returns EC2's error code, and "" for any other error.
func Code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// Refused reports whether EC2 refused the request, so that asking again would change nothing. Any other error, such as
// throttling, a failure of EC2 or a broken connection, leaves open what EC2 did or will do. A page token that is no
// longer valid says nothing about the next listing.
func Refused(err error) bool {
	var response *smithyhttp.ResponseError
	return Code(err) != "" && Code(err) != "InvalidPaginationToken" &&
		errors.As(err, &response) && response.HTTPStatusCode() < 500
}

// Throttled reports whether EC2 refused the call because there were too many.
func Throttled(err error) bool { return err != nil && throttleCodes.IsErrorThrottle(err).Bool() }

// unanswered reports whether the attempt reached EC2, or may have, and EC2 did not say what it did.
func unanswered(err error) bool {
	return err != nil && !Refused(err) && !Throttled(err) && !errors.Is(err, ErrNotSent)
}

// RequestID returns EC2's id of a request to terminate that EC2 accepted or refused. It is empty without an answer.
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

// ResultID returns EC2's request id of a call that succeeded.
func ResultID(metadata middleware.Metadata) string {
	id, _ := awsmiddleware.GetRequestIDMetadata(metadata)
	return id
}
