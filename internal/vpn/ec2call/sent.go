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

// SentTracker records what became of a call's attempts.
type SentTracker struct {
	// Unanswered says that an attempt reached EC2 without an answer. A call that was throttled at every attempt, or was not
	// sent, has changed nothing.
	Unanswered bool
	// LastAttempt is when the last attempt was over.
	LastAttempt time.Time
}

// Watch has the tracker record every attempt of a call.
func (s *SentTracker) Watch(o *ec2.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(s, "Retry", middleware.After)
	})
}

// ID names the middleware.
func (*SentTracker) ID() string { return "SentTracker" }

// HandleFinalize makes an attempt and records what became of it.
func (s *SentTracker) HandleFinalize(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error) {
	out, metadata, err := next.HandleFinalize(ctx, in)
	s.LastAttempt = time.Now()
	if err != nil && !Refused(err) && !Throttled(err) && !errors.Is(err, ErrNotSent) {
		s.Unanswered = true
	}
	return out, metadata, err
}

// FewAttempts has EC2 asked a few times only: maxTerminateAttempts.
func FewAttempts(o *ec2.Options) {
	if r, ok := o.Retryer.(throttleRetryer); ok {
		r.attempts = min(r.attempts, maxTerminateAttempts)
		o.Retryer = r
	}
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
