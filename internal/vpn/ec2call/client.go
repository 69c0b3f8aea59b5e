package ec2call

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go/middleware"
)

// New gives the EC2 client of an account and Region in which every attempt of a call waits for its turn.
func New(cfg aws.Config) *ec2.Client {
	paces := map[string]*pace{}
	for action, b := range buckets {
		paces[action] = &pace{size: b.size, refill: b.refill, queue: make(chan struct{}, 1)}
	}
	turn := middleware.FinalizeMiddlewareFunc("Pace", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		p := paces[awsmiddleware.GetOperationName(ctx)]
		if err := p.wait(ctx); err != nil {
			return middleware.FinalizeOutput{}, middleware.Metadata{}, err
		}
		sent := time.Now()
		out, metadata, err := next.HandleFinalize(ctx, in)
		if Throttled(err) {
			p.throttled(sent)
		}
		return out, metadata, err
	})
	return ec2.NewFromConfig(cfg, func(o *ec2.Options) {
		o.APIOptions = append(o.APIOptions, requireEC2Root, func(stack *middleware.Stack) error {
			return stack.Finalize.Insert(turn, "Retry", middleware.After)
		})
		o.Retryer = throttleRetryer{o.Retryer, o.Retryer.MaxAttempts()}
	})
}
