package ec2call

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// maxTerminateAttempts is how often a request to terminate is tried if EC2 does not answer, or fails. A listing shows
// then what became of it.
const maxTerminateAttempts = 3

// FewAttempts limits a call to maxTerminateAttempts.
func FewAttempts(o *ec2.Options) {
	if r, ok := o.Retryer.(throttleRetryer); ok {
		r.attempts = min(r.attempts, maxTerminateAttempts)
		o.Retryer = r
	}
}

// throttleRetryer retries throttled calls until the deadline: their pace keeps them apart. It tries all others as often
// as attempts says.
type throttleRetryer struct {
	aws.Retryer

	attempts int
}

func (throttleRetryer) MaxAttempts() int { return 0 }

func (r throttleRetryer) GetRetryToken(ctx context.Context, err error) (func(error) error, error) {
	if Throttled(err) {
		return func(error) error { return nil }, nil
	}
	return r.Retryer.GetRetryToken(ctx, err)
}

func (r throttleRetryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	switch {
	case Throttled(err):
		return 0, nil
	case attempt >= r.attempts:
		return 0, err
	}
	return r.Retryer.RetryDelay(attempt, err)
}
