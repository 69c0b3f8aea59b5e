package notify

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"clientvpn-responder/internal/responder"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go/middleware"
)

// namespace is where CloudWatch keeps the metrics.
const namespace = "ClientVPNResponder"

// FunctionDimension is the attribute that the program's logger must have: the name of the function. With it, the
// metrics of one stack cannot keep an alarm of another quiet.
const FunctionDimension = "Function"

// Units are CloudWatch's.
const (
	milliseconds = "Milliseconds"
	number       = "Count"
)

type metric struct {
	Name  string
	Unit  string
	value int64
}

// directive declares to CloudWatch which members of a log line are metrics.
// Source: Amazon CloudWatch user guide, "Specification: Embedded metric format".
type directive struct {
	Timestamp         int64 // milliseconds since 1970
	CloudWatchMetrics []metricSet
}

type metricSet struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []metric
}

// emit logs the metrics under each set of dimensions, in the embedded metric format. The line has the logger's time and
// level: without a level, Lambda reads INFO, and drops the line if the log level is higher.
func emit(ctx context.Context, log *slog.Logger, dimensions []slog.Attr, sets [][]string, metrics []metric) {
	line := []slog.Attr{slog.Any("_aws", directive{time.Now().UnixMilli(), []metricSet{{namespace, sets, metrics}}})}
	line = append(line, dimensions...)
	for _, m := range metrics {
		line = append(line, slog.Int64(m.Name, m.value))
	}
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
	metrics := []metric{{"Outcomes", number, 1}}
	for _, span := range spans(o.Timing) {
		line = append(line, slog.Int64(span.field, span.took.Milliseconds()))
		metrics = append(metrics, metric{span.metric, milliseconds, span.took.Milliseconds()})
	}
	short, _, err := shorten(o)
	if err != nil {
		short = o // it cannot be rendered, and the log's handler will say so
	}
	log.LogAttrs(ctx, level, "outcome", append(line, slog.Any("outcome", short))...)

	if n := ended(o); n > 0 {
		metrics = append(metrics, metric{"ConnectionsEnded", number, int64(n)})
	}
	if o.Reconnections > 0 {
		metrics = append(metrics, metric{"Reconnections", number, int64(o.Reconnections)})
	}
	// No names of people: every new combination of values is a metric of its own, and is paid for.
	emit(ctx, log, []slog.Attr{slog.String("Status", string(o.Status)), slog.String("Provider", o.Signal.Provider)},
		[][]string{{"Status", FunctionDimension}, {"Status", "Provider", FunctionDimension}}, metrics)
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
		emit(ctx, log, []slog.Attr{slog.String("Action", action)}, [][]string{{"Action"}},
			[]metric{{"Calls", number, counts[action].calls}, {"Throttles", number, counts[action].throttled}})
	}
}
