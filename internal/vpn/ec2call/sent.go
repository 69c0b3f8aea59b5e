package ec2call

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go/middleware"
)

// maxTerminateAttempts is how often EC2 is asked to end something that it does not answer, or with a failure of its
// own. A look says then what became of it.
const maxTerminateAttempts = 3

// SentTracker tells of a call whether EC2 got an attempt of it and did not say what became of that. A call that was throttled at
// every attempt, or was not sent, has ended nothing.
type SentTracker bool

// Watch has every attempt of a call noted, and EC2 asked a few times only.
func (s *SentTracker) Watch(o *ec2.Options) {
	if p, ok := o.Retryer.(throttleRetryer); ok {
		p.attempts = min(p.attempts, maxTerminateAttempts)
		o.Retryer = p
	}
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("SentTracker", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleFinalize(ctx, in)
			if err != nil && !Refused(err) && !Throttled(err) && !errors.Is(err, ErrNotSent) {
				*s = true
			}
			return out, metadata, err
		}), "Retry", middleware.After)
	})
}

// throttleRetryer retries throttled calls until the time is up: their pace is what keeps them apart. All others it tries so many
// times.
type throttleRetryer struct {
	aws.Retryer

	attempts int
}

func (throttleRetryer) MaxAttempts() int { return 0 }

func (p throttleRetryer) GetRetryToken(ctx context.Context, err error) (func(error) error, error) {
	if Throttled(err) {
		return func(error) error { return nil }, nil
	}
	return p.Retryer.GetRetryToken(ctx, err)
}

func (p throttleRetryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	switch {
	case Throttled(err):
		return 0, nil
	case attempt >= p.attempts:
		return 0, err
	}
	return p.Retryer.RetryDelay(attempt, err)
}
