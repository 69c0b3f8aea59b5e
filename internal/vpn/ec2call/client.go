// Package ec2call is the layer between the SDK and EC2. It paces calls, rejects answers that are not EC2's, filters
// rows before the SDK decodes them, and records whether EC2 got a call.
package ec2call

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go/middleware"
)

// New returns the EC2 client of an account and Region. Every attempt of a call waits for its turn.
func New(cfg aws.Config) *ec2.Client {
	paces := paces{}
	for action, b := range buckets {
		paces[action] = &pace{size: b.size, refill: b.refill, queue: make(chan struct{}, 1)}
	}
	return ec2.NewFromConfig(cfg, func(o *ec2.Options) {
		o.APIOptions = append(o.APIOptions, requireEC2Root, func(stack *middleware.Stack) error {
			return stack.Finalize.Insert(paces, "Retry", middleware.After)
		})
		o.Retryer = throttleRetryer{o.Retryer, o.Retryer.MaxAttempts()}
	})
}

// paces are the paces of one client, by action.
type paces map[string]*pace

// ID names the middleware.
func (paces) ID() string { return "Pace" }

// HandleFinalize sends an attempt when its turn has come.
func (p paces) HandleFinalize(ctx context.Context, in middleware.FinalizeInput,
	next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	pace := p[awsmiddleware.GetOperationName(ctx)]
	if err := pace.wait(ctx); err != nil {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, err
	}
	sent := time.Now()
	out, metadata, err := next.HandleFinalize(ctx, in)
	if Throttled(err) {
		pace.throttled(sent)
	}
	return out, metadata, err
}
