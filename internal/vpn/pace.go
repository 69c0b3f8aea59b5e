package vpn

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/time/rate"
)

// EC2 counts the calls of an account in a Region, each action for itself, in token buckets.
// Source: Amazon EC2 developer guide, "Request throttling".
var buckets = map[string]struct {
	size   int     // tokens at most
	refill float64 // tokens a second
}{
	"DescribeClientVpnEndpoints":    {100, 20},
	"DescribeClientVpnConnections":  {100, 20},
	"TerminateClientVpnConnections": {50, 5},
}

// The pace of an action after EC2 has throttled it: additive increase, multiplicative decrease. The figures are those with
// which two instances that have 600 calls to make, of one bucket, take least longer than it allows, with less than a tenth of
// the calls throttled (TestManyLeaversAtOnce).
const (
	// slowdown is what a throttled call leaves of the rate, and the lowest rate is the documented one over slowest.
	slowdown, slowest = 0.85, 5
	// regain is the share of the documented rate that comes back in a second, until calm: after so many seconds without a
	// throttled call the others seem to have gone, and it comes back ever faster.
	regain, calm = 0.015, 12
	// margin is how many tokens are left to EC2, whose clock is not ours: a call that is a moment early is throttled.
	margin = 2
	// maxTerminateAttempts is how often EC2 is asked to end something that it does not answer, or with a failure of its
	// own. A look says then what became of it.
	maxTerminateAttempts = 3
)

// errNotSent is wrapped by the error of a call that EC2 was not asked for, because its turn would come too late.
var errNotSent = errors.New("EC2 takes only so many calls in a second (RequestLimitExceeded), and the time is up before the turn of this one")

// pace lets the calls of one action pass as EC2's token bucket would. The bucket is the account's, and others draw from
// it, so what EC2 lets pass is found out: a throttled call slows all of the process down, and time brings the rate back,
// up to the documented one. The zero pace is not valid.
type pace struct {
	size   int
	refill float64

	// turn is held by the call that is next. The others wait for it and not for a time of their own, which would be that of a
	// rate that has gone down meanwhile.
	turn chan struct{}

	mu      sync.Mutex
	limiter *rate.Limiter // as the bucket
	stride  *rate.Limiter // keeps the last tokens from being asked for by many calls at once, of which most would be throttled
	used    time.Time     // when a call had its turn, last
	slowed  time.Time     // when the rate went down last; zero if it has not
	lowest  rate.Limit    // to which it went down
}

// wait waits for the turn of a call. Its error wraps errNotSent.
func (p *pace) wait(ctx context.Context) error {
	jitter, err := p.next(ctx)
	if err == nil && jitter > 0 {
		select {
		case <-time.After(jitter):
			// Most likely it would be throttled, and whether it was nobody would be left to hear.
			if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < time.Second {
				err = context.DeadlineExceeded
			}
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errNotSent, err)
	}
	return nil
}

// next waits until a call may be sent, and gives how much later it should be: of two instances in step, the same one would
// find the token gone each time.
func (p *pace) next(ctx context.Context) (jitter time.Duration, err error) {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	p.mu.Lock()
	now := time.Now()
	if p.limiter == nil || now.Sub(p.used).Seconds() > float64(p.size)/p.refill {
		// Unused for so long, the bucket is full again.
		p.limiter, p.slowed = rate.NewLimiter(rate.Limit(p.refill), p.size-margin), time.Time{}
		p.stride = rate.NewLimiter(rate.Limit(4*p.refill), p.size/3)
	}
	if !p.slowed.IsZero() {
		since := now.Sub(p.slowed).Seconds()
		quiet := max(since-calm, 0)
		// Above the documented rate, what others left in the bucket is drawn.
		limit := min(p.lowest+rate.Limit(regain*p.refill*(since+quiet*quiet)), rate.Limit(2*p.refill))
		p.limiter.SetLimit(limit)
		jitter = time.Duration(rand.Float64() / float64(limit) * float64(time.Second)) //nolint:gosec // it guards nothing
	}
	limiter, stride := p.limiter, p.stride
	p.mu.Unlock()
	if err = stride.Wait(ctx); err == nil {
		err = limiter.Wait(ctx)
	}
	p.mu.Lock()
	p.used = time.Now()
	p.mu.Unlock()
	return jitter, err
}

// throttled slows down after EC2 refused a call that was sent at that time. The bucket is empty then, so nothing is left
// to be spent at once. Calls that were under way when the rate went down last say nothing new.
func (p *pace) throttled(sent time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !sent.After(p.slowed) {
		return
	}
	p.lowest = max(p.limiter.Limit()*slowdown, rate.Limit(p.refill/slowest))
	if p.slowed.IsZero() {
		p.lowest = rate.Limit(p.refill / 2) // somebody else draws from the bucket, too
	}
	p.slowed = time.Now()
	p.limiter.SetBurst(1)
	p.limiter.SetLimit(p.lowest)
}

// paced gives the EC2 client of an account and Region in which every attempt of a call waits for its turn.
func paced(cfg aws.Config) *ec2.Client {
	paces := map[string]*pace{}
	for action, b := range buckets {
		paces[action] = &pace{size: b.size, refill: b.refill, turn: make(chan struct{}, 1)}
	}
	turn := middleware.FinalizeMiddlewareFunc("Pace", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		p := paces[awsmiddleware.GetOperationName(ctx)]
		if err := p.wait(ctx); err != nil {
			return middleware.FinalizeOutput{}, middleware.Metadata{}, err
		}
		sent := time.Now()
		out, metadata, err := next.HandleFinalize(ctx, in)
		if isThrottle(err) {
			p.throttled(sent)
		}
		return out, metadata, err
	})
	return ec2.NewFromConfig(cfg, func(o *ec2.Options) {
		o.APIOptions = append(o.APIOptions, insist, func(stack *middleware.Stack) error {
			return stack.Finalize.Insert(turn, "Retry", middleware.After)
		})
		o.Retryer = patient{o.Retryer, o.Retryer.MaxAttempts()}
	})
}

// patient retries throttled calls until the time is up: their pace is what keeps them apart. All others it tries so many
// times.
type patient struct {
	aws.Retryer

	attempts int
}

func (patient) MaxAttempts() int { return 0 }

func (p patient) GetRetryToken(ctx context.Context, err error) (func(error) error, error) {
	if isThrottle(err) {
		return func(error) error { return nil }, nil
	}
	return p.Retryer.GetRetryToken(ctx, err)
}

func (p patient) RetryDelay(attempt int, err error) (time.Duration, error) {
	switch {
	case isThrottle(err):
		return 0, nil
	case attempt >= p.attempts:
		return 0, err
	}
	return p.Retryer.RetryDelay(attempt, err)
}

var throttleCodes = retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}

func isThrottle(err error) bool { return err != nil && throttleCodes.IsErrorThrottle(err).Bool() }
