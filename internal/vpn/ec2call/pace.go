package ec2call

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

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
	// recoveryRate is the share of the documented rate that comes back in a second, until quietAfter: after so many seconds without a
	// throttled call the others seem to have gone, and it comes back ever faster.
	recoveryRate, quietAfter = 0.015, 12
	// margin is how many tokens are left to EC2, whose clock is not ours: a call that is a moment early is throttled.
	margin = 2
)

// ErrNotSent is wrapped by the error of a call that EC2 was not asked for, because its turn would come too late.
var ErrNotSent = errors.New("EC2 takes only so many calls in a second (RequestLimitExceeded), and the time is up before the turn of this one")

// pace lets the calls of one action pass as EC2's token bucket would. The bucket is the account's, and others draw from
// it, so what EC2 lets pass is found out: a throttled call slows all of the process down, and time brings the rate back,
// up to the documented one. The zero pace is not valid.
type pace struct {
	size   int
	refill float64

	// queue is held by the call that is next. The others wait for it and not for a time of their own, which would be that of a
	// rate that has gone down meanwhile.
	queue chan struct{}

	mu                sync.Mutex
	limiter           *rate.Limiter // as the bucket
	burstLimiter      *rate.Limiter // keeps the last tokens from being asked for by many calls at once, of which most would be throttled
	used              time.Time     // when a call had its turn, last
	slowed            time.Time     // when the rate went down last; zero if it has not
	rateAfterThrottle rate.Limit    // to which it went down
}

// wait waits for the turn of a call. Its error wraps ErrNotSent.
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
		return fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	return nil
}

// next waits until a call may be sent, and gives how much later it should be: of two instances in step, the same one would
// find the token gone each time.
func (p *pace) next(ctx context.Context) (jitter time.Duration, err error) {
	select {
	case p.queue <- struct{}{}:
		defer func() { <-p.queue }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	p.mu.Lock()
	now := time.Now()
	if p.limiter == nil || now.Sub(p.used).Seconds() > float64(p.size)/p.refill {
		// Unused for so long, the bucket is full again.
		p.limiter, p.slowed = rate.NewLimiter(rate.Limit(p.refill), p.size-margin), time.Time{}
		p.burstLimiter = rate.NewLimiter(rate.Limit(4*p.refill), p.size/3)
	}
	if !p.slowed.IsZero() {
		since := now.Sub(p.slowed).Seconds()
		quiet := max(since-quietAfter, 0)
		// Above the documented rate, what others left in the bucket is drawn.
		limit := min(p.rateAfterThrottle+rate.Limit(recoveryRate*p.refill*(since+quiet*quiet)), rate.Limit(2*p.refill))
		p.limiter.SetLimit(limit)
		jitter = time.Duration(rand.Float64() / float64(limit) * float64(time.Second)) //nolint:gosec // it guards nothing
	}
	limiter, burstLimiter := p.limiter, p.burstLimiter
	p.mu.Unlock()
	if err = burstLimiter.Wait(ctx); err == nil {
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
	p.rateAfterThrottle = max(p.limiter.Limit()*slowdown, rate.Limit(p.refill/slowest))
	if p.slowed.IsZero() {
		p.rateAfterThrottle = rate.Limit(p.refill / 2) // somebody else draws from the bucket, too
	}
	p.slowed = time.Now()
	p.limiter.SetBurst(1)
	p.limiter.SetLimit(p.rateAfterThrottle)
}
