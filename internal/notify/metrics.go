package notify

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"clientvpn-responder/internal/metric"
	"clientvpn-responder/internal/responder"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go/middleware"
)

// emit logs the members of a line that are metrics.
func emit(ctx context.Context, log *slog.Logger, line []slog.Attr) {
	log.LogAttrs(ctx, slog.LevelInfo, "metrics", line...)
}

// record logs the outcome as evidence, and its metrics. A log line holds as much as a message, so both are shortened
// alike.
func record(ctx context.Context, log *slog.Logger, o responder.Outcome, published bool, missed []string) {
	level := slog.LevelInfo
	if o.Incomplete() || len(missed) > 0 {
		level = slog.LevelError
	}
	line := []slog.Attr{slog.Bool("published", published)}
	if len(missed) > 0 {
		line = append(line, slog.Any("unpublished", missed))
	}
	values := []slog.Attr{slog.Int("Outcomes", 1)}
	for _, span := range spans(o.Timing) {
		line = append(line, slog.Int64(span.field, span.took.Milliseconds()))
		values = append(values, slog.Int64(span.metric, span.took.Milliseconds()))
	}
	short, _, err := shorten(o)
	if err != nil {
		short = o // it cannot be rendered, and the log's handler will say so
	}
	log.LogAttrs(ctx, level, "outcome", append(line, slog.Any("outcome", short))...)

	if n := ended(o); n > 0 {
		values = append(values, slog.Int("ConnectionsEnded", n))
	}
	if o.Reconnections > 0 {
		values = append(values, slog.Int("Reconnections", o.Reconnections))
	}
	emit(ctx, log, append(metric.Outcomes.Attrs(values...),
		slog.String("Status", string(o.Status)), slog.String("Provider", o.Signal.Provider)))
}

// span is a time that an auditor asks for: NIST SP 800-53 AC-17(9) requires remote access to end within a time that the
// organization chooses.
type span struct {
	field, metric string
	took          time.Duration
}

// spans returns the spans that came to an end. Clocks that disagree do not make a time negative.
func spans(t responder.Timing) []span {
	var all []span
	add := func(field, metric string, from, to time.Time) {
		if !from.IsZero() && !to.IsZero() {
			all = append(all, span{field, metric, max(to.Sub(from), 0)})
		}
	}
	add("event_to_requested_ms", "EventToRequested", t.EventAt, t.RequestedAt)
	add("event_to_ended_ms", "EventToEnded", t.EventAt, t.EndedAt)
	add("receipt_to_requested_ms", "ReceiptToRequested", t.ReceivedAt, t.RequestedAt)
	add("receipt_to_ended_ms", "ReceiptToEnded", t.ReceivedAt, t.EndedAt)
	return all
}

// Calls counts calls of AWS, and those that were throttled. The zero Calls is ready. It may be used by several
// goroutines.
type Calls struct {
	mu     sync.Mutex
	counts map[string]*counted
}

type counted struct{ calls, throttled int64 }

var throttle = retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}

// Count counts the calls of an SDK client, every attempt by itself. It belongs in aws.Config.APIOptions.
func (c *Calls) Count(stack *middleware.Stack) error {
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("CountCalls", c.attempt), "Retry", middleware.After)
}

// attempt lets one attempt pass, and counts it.
func (c *Calls) attempt(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error,
) {
	out, metadata, err := next.HandleFinalize(ctx, in)
	c.mu.Lock()
	defer c.mu.Unlock()
	action := awsmiddleware.GetOperationName(ctx)
	if c.counts == nil {
		c.counts = map[string]*counted{}
	}
	if c.counts[action] == nil {
		c.counts[action] = &counted{}
	}
	c.counts[action].calls++
	if throttle.IsErrorThrottle(err).Bool() {
		c.counts[action].throttled++
	}
	return out, metadata, err
}

// Report logs the counts since the last Report as metrics, one line for each action that was called.
func (c *Calls) Report(ctx context.Context, log *slog.Logger) {
	c.mu.Lock()
	counts := c.counts
	c.counts = nil
	c.mu.Unlock()
	var actions []string
	for action := range counts {
		actions = append(actions, action)
	}
	slices.Sort(actions)
	for _, action := range actions {
		emit(ctx, log, append(metric.Calls.Attrs(
			slog.Int64("Calls", counts[action].calls), slog.Int64("Throttles", counts[action].throttled),
		), slog.String("Action", action)))
	}
}
