package ec2call

import (
	"context"
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

// The pace of an action after EC2 has throttled it: additive increase, multiplicative decrease. With these figures, two
// instances that make 600 calls from one bucket take hardly longer than the bucket allows. EC2 throttles less than a
// tenth of the calls (TestManyLeaversAtOnce).
const (
	// slowdown is the share of the rate that is left after a throttled call. The lowest rate is the documented one
	// divided by slowest.
	slowdown, slowest = 0.85, 5
	// recoveryRate is the share of the documented rate that comes back in a second. After quietAfter seconds without a
	// throttled call the others seem to have gone, and it comes back ever faster.
	recoveryRate, quietAfter = 0.015, 12
	// margin is how many tokens are left to EC2, whose clock is not ours: EC2 throttles a call that is a moment early.
	margin = 2
)

// pace lets the calls of one action pass as EC2's token bucket would. The bucket is the account's, and others draw from
// it, so the pace finds out what EC2 lets pass. A throttled call slows the whole process down, and time brings the rate
// back, up to the documented one. The zero pace is not valid.
type pace struct {
	size   int
	refill float64

	// queue is held by the next call. The others wait for it rather than for a time of their own, since the rate may go
	// down meanwhile.
	queue chan struct{}

	mu      sync.Mutex
	limiter *rate.Limiter // as the bucket
	// burstLimiter keeps many calls from asking for the last tokens at once: EC2 would throttle most of them.
	burstLimiter      *rate.Limiter
	used              time.Time  // when a call had its turn last
	slowed            time.Time  // when the rate went down last; zero if it has not
	rateAfterThrottle rate.Limit // to which it went down
}

// wait waits for the turn of a call. Its error wraps ErrNotSent.
func (p *pace) wait(ctx context.Context) error {
	jitter, err := p.next(ctx)
	if err == nil && jitter > 0 {
		select {
		case <-time.After(jitter):
			// Don't send it: it would probably be throttled, and there is no time left to receive the answer.
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

// next waits until a call may be sent, and returns how much later it should be sent. Without that, one of two instances
// in step would find the token gone each time.
func (p *pace) next(ctx context.Context) (jitter time.Duration, err error) {
	select {
	case p.queue <- struct{}{}:
		defer func() { <-p.queue }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	limiter, burstLimiter, jitter := p.adjust()
	if err = burstLimiter.Wait(ctx); err == nil {
		err = limiter.Wait(ctx)
	}
	p.mu.Lock()
	p.used = time.Now()
	p.mu.Unlock()
	return jitter, err
}

// adjust brings the rate back as far as time has, and returns the limiters and the jitter of the next call.
func (p *pace) adjust() (limiter, burstLimiter *rate.Limiter, jitter time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.limiter == nil || now.Sub(p.used).Seconds() > float64(p.size)/p.refill {
		// Unused for so long, the bucket is full again.
		p.limiter, p.slowed = rate.NewLimiter(rate.Limit(p.refill), p.size-margin), time.Time{}
		p.burstLimiter = rate.NewLimiter(rate.Limit(4*p.refill), p.size/3)
	}
	if !p.slowed.IsZero() {
		since := now.Sub(p.slowed).Seconds()
		quiet := max(since-quietAfter, 0)
		// Above the documented rate, the process draws what others left in the bucket.
		back := recoveryRate * p.refill * (since + quiet*quiet)
		limit := min(p.rateAfterThrottle+rate.Limit(back), rate.Limit(2*p.refill))
		p.limiter.SetLimit(limit)
		seconds := rand.Float64() / float64(limit) //nolint:gosec // it guards nothing
		jitter = time.Duration(seconds * float64(time.Second))
	}
	return p.limiter, p.burstLimiter, jitter
}

// throttled slows down after EC2 throttled a call that was sent at that time. The bucket is empty then, so there is no
// burst to spend. Calls that were under way when the rate went down last say nothing new.
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
