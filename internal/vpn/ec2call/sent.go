package ec2call

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go/middleware"
)

// SentTracker records what became of a call's attempts.
type SentTracker struct {
	// Unanswered says that an attempt reached EC2 without an answer. A call that was throttled at every attempt, or was
	// not sent, has changed nothing.
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
func (s *SentTracker) HandleFinalize(ctx context.Context, in middleware.FinalizeInput,
	next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	out, metadata, err := next.HandleFinalize(ctx, in)
	s.LastAttempt = time.Now()
	s.Unanswered = s.Unanswered || unanswered(err)
	return out, metadata, err
}
