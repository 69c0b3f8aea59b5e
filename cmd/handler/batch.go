package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"clientvpn-responder/internal/directory"
	"clientvpn-responder/internal/notify"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// handler answers invocations: one EventBridge event, or an SQS batch whose bodies are EventBridge events.
type handler struct {
	responder responder.Responder
	directory *directory.Directory
	reporter  *notify.Reporter
	calls     *notify.Calls
	log       *slog.Logger
}

// IncompleteError is the answer to a direct invocation that is worth another try: a connection did not end, or an outcome
// was not published.
type IncompleteError struct{ problems []string }

// Error joins what is left to do.
func (e *IncompleteError) Error() string { return strings.Join(e.problems, "; ") }

// answer is the answer to a direct invocation.
type answer struct {
	Outcomes []responder.Outcome `json:"outcomes"`
}

// record is one event of an invocation, and what became of it.
type record struct {
	messageID string // SQS's; empty for a direct invocation
	outcomes  []responder.Outcome
	err       error
}

// handle answers one invocation. A nil error means: everything was done and reported, or it is listed as failed for SQS to
// deliver again.
func (h *handler) handle(ctx context.Context, payload json.RawMessage) (any, error) {
	received := time.Now()
	log := h.log
	inv := responder.Invocation{ReceivedAt: received}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		log = log.With("requestId", lc.AwsRequestID)
		if function, err := arn.Parse(lc.InvokedFunctionArn); err == nil {
			inv.Account = function.AccountID
		}
	}
	var batch struct {
		Records []events.SQSMessage `json:"Records"`
	}
	// What is no batch is an event, and Parse says what is wrong with it.
	if json.Unmarshal(payload, &batch) != nil || batch.Records == nil {
		r := record{}
		h.process(ctx, log, inv, []*record{&r}, [][]byte{payload})
		if r.err != nil {
			return nil, r.err
		}
		return answer{r.outcomes}, nil
	}

	var records []*record
	var bodies [][]byte
	for i, m := range batch.Records {
		if m.EventSource != "" && m.EventSource != "aws:sqs" {
			return nil, &signal.UnreadableError{Field: fmt.Sprintf("Records[%d].eventSource", i), Problem: fmt.Sprintf("%q is not aws:sqs; batches are taken from SQS only", m.EventSource)}
		}
		records = append(records, &record{messageID: m.MessageId})
		bodies = append(bodies, []byte(m.Body))
	}
	h.process(ctx, log, inv, records, bodies)
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, r := range records {
		if r.err != nil {
			log.Error("message goes back to the queue", "messageId", r.messageID, "error", r.err.Error())
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: r.messageID})
		}
	}
	return response, nil
}

// process parses the events, answers their signals together, and reports. Time for reporting is kept back.
func (h *handler) process(ctx context.Context, log *slog.Logger, inv responder.Invocation, records []*record, bodies [][]byte) {
	var parsed, signals []signal.Signal
	var sources, owners []*record
	nothing := func(r *record, why error) {
		log.Info("nothing to do", "why", why.Error(), "messageId", r.messageID)
	}
	for i, r := range records {
		r.outcomes = []responder.Outcome{}
		some, err := signal.Parse(bodies[i])
		switch {
		case errors.Is(err, signal.ErrUnsupported):
			nothing(r, err)
		case err != nil:
			r.err = err
		}
		for _, s := range some {
			parsed, sources = append(parsed, s), append(sources, r)
		}
	}
	for i, err := range h.directory.Resolve(ctx, parsed) {
		switch r := sources[i]; {
		case errors.Is(err, signal.ErrUnsupported):
			nothing(r, err)
		case err != nil:
			r.incomplete(err.Error())
		default:
			signals, owners = append(signals, parsed[i]), append(owners, r)
		}
	}

	work, report := ctx, ctx
	if deadline, ok := ctx.Deadline(); ok {
		reserve := min(time.Until(deadline)/4, 10*time.Second)
		var cancelWork, cancelReport context.CancelFunc
		work, cancelWork = context.WithDeadline(ctx, deadline.Add(-reserve))
		defer cancelWork()
		// If SNS hangs, there must be time left to say which messages failed.
		report, cancelReport = context.WithDeadline(ctx, deadline.Add(-reserve/4))
		defer cancelReport()
	}
	outcomes, errs := make([]responder.Outcome, len(signals)), make([]error, len(signals))
	var reports sync.WaitGroup
	for i, outcome := range h.responder.Respond(work, inv, signals) {
		outcomes[i] = outcome
		reports.Go(func() { errs[i] = h.reporter.Report(report, log, &outcomes[i]) })
	}
	reports.Wait()
	h.calls.Report(ctx, log)
	for i, o := range outcomes {
		r := owners[i]
		r.outcomes = append(r.outcomes, o)
		if o.Incomplete() {
			r.incomplete(fmt.Sprintf("%s: %s", o.Status, o.Summary))
		}
		if errs[i] != nil {
			r.incomplete(errs[i].Error())
		}
	}
}

func (r *record) incomplete(problem string) {
	var already *IncompleteError
	if !errors.As(r.err, &already) {
		already = &IncompleteError{}
		r.err = already
	}
	already.problems = append(already.problems, problem)
}
