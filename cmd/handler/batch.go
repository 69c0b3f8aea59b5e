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
	"clientvpn-responder/internal/held"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/notify"
	"clientvpn-responder/internal/policysource"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// handler answers invocations: one EventBridge event, or an SQS batch whose bodies are EventBridge events.
type handler struct {
	responder responder.Responder
	source    *policysource.Source // nil where the responder's policy is the one in force
	targets   *targetList          // nil where the settings have every target
	directory *directory.Directory
	tenant    *directory.Tenant
	reporter  *notify.Reporter
	calls     *notify.Calls
	ledger    *ledger.Table
	held      *held.Queue // nil where there is none
	log       *slog.Logger
	ownForm   ownForm
}

// IncompleteError is the answer to a direct invocation that is worth another try: a connection did not end, or an
// outcome was not published.
type IncompleteError struct{ problems []string }

// Error joins what is left to do.
func (e *IncompleteError) Error() string { return strings.Join(e.problems, "; ") }

// response is the answer to a direct invocation.
type response struct {
	Outcomes []responder.Outcome `json:"outcomes"`
}

// record is one event of an invocation, and what became of it.
type record struct {
	messageID string // SQS's; empty for a direct invocation
	bodies    [][]byte
	arrival   responder.Arrival
	alive     []string // the sources of its events that ask for nothing
	outcomes  []responder.Outcome
	err       error
}

// item is one signal of a record, on its way to an outcome.
type item struct {
	record  *record
	body    []byte // of its event
	signal  signal.Signal
	outcome responder.Outcome
	kept    error // of keeping an event that the brake holds
	err     error // of its report
}

// handle answers one invocation. A nil error means: everything was done and reported, or it is listed as failed for
// SQS to deliver again.
func (h *handler) handle(ctx context.Context, payload json.RawMessage) (any, error) {
	log, inv := h.log, responder.Invocation{ReceivedAt: time.Now()}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		log = log.With("requestId", lc.AwsRequestID)
		if function, err := arn.Parse(lc.InvokedFunctionArn); err == nil {
			inv.Account = function.AccountID
		}
	}
	var batch struct {
		Records []events.SQSMessage `json:"Records"`
	}
	if json.Unmarshal(payload, &batch) != nil || batch.Records == nil {
		// An event then, and Parse says what is wrong with it.
		r := record{bodies: [][]byte{payload}}
		h.process(ctx, log, inv, []*record{&r})
		if r.err != nil {
			return nil, r.err
		}
		return response{r.outcomes}, nil
	}
	records, err := recordsOf(batch.Records)
	if err != nil {
		return nil, err
	}
	h.process(ctx, log, inv, records)
	return failures(log, records), nil
}

// recordsOf returns the records of a batch from SQS. Other batches are unreadable.
func recordsOf(messages []events.SQSMessage) ([]*record, error) {
	var records []*record
	for i, m := range messages {
		if m.EventSource != "" && m.EventSource != "aws:sqs" {
			return nil, &signal.UnreadableError{
				Field:   fmt.Sprintf("Records[%d].eventSource", i),
				Problem: fmt.Sprintf("%q is not aws:sqs; batches are taken from SQS only", m.EventSource),
			}
		}
		records = append(records, &record{messageID: m.MessageId, bodies: bodiesOf(m.Body), arrival: arrivalOf(m)})
	}
	return records, nil
}

// failures lists the records that SQS must deliver again.
func failures(log *slog.Logger, records []*record) events.SQSEventResponse {
	failed := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, r := range records {
		if r.err != nil {
			log.Error("message goes back to the queue", "messageId", r.messageID, "error", r.err.Error())
			failed.BatchItemFailures = append(failed.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: r.messageID})
		}
	}
	return failed
}

// process parses the events and answers their signals. Time for reporting is kept back. A sweep waits until everybody
// else is dealt with.
func (h *handler) process(ctx context.Context, log *slog.Logger, inv responder.Invocation, records []*record) {
	items := h.resolve(ctx, log, h.admit(parse(ctx, log, records)))
	work, report, cancel := budget(ctx)
	defer cancel()
	first, sweeps := apart(items)
	h.answer(work, report, log, inv, first)
	if len(sweeps) > 0 {
		inv.Swept = h.sweep(work, sweeps[0].signal)
		h.answer(work, report, log, inv, append(sweeps, sweeps[0].found(log, inv.Swept)...))
	}
	h.hear(report, log, records)
	h.calls.Report(ctx, log)
}

// answer answers signals together, and reports each outcome as soon as it is concluded.
func (h *handler) answer(
	work, report context.Context, log *slog.Logger, inv responder.Invocation, items []item,
) {
	signals := make([]signal.Signal, len(items))
	for i := range items {
		signals[i] = items[i].signal
		inv.Arrivals = append(inv.Arrivals, items[i].record.arrival)
	}
	r := h.inForce(work)
	if r.PolicyProblem != nil {
		log.Error("the newest policy is not in force", "error", r.PolicyProblem.Error())
	}
	if r.TargetsProblem != nil {
		log.Error("the newest list of targets is not in force", "error", r.TargetsProblem.Error())
	}
	var reports sync.WaitGroup
	for i, outcome := range r.Respond(work, inv, signals) {
		one := &items[i]
		one.outcome = outcome
		reports.Go(func() { h.report(report, log, one) })
	}
	reports.Wait()
	h.remember(report, log, items)
	for i := range items {
		items[i].settle()
	}
}

// parse returns the signals of all records. A record that asks for nothing has none. An unreadable one has an error,
// and the signals of its readable parts.
func parse(ctx context.Context, log *slog.Logger, records []*record) (items []item) {
	for _, r := range records {
		r.outcomes = []responder.Outcome{}
		for _, body := range r.bodies {
			items = append(items, r.parse(ctx, log, body)...)
		}
	}
	return items
}

// parse returns the signals of one event.
func (r *record) parse(ctx context.Context, log *slog.Logger, body []byte) (items []item) {
	signals, err := signal.Parse(body)
	switch {
	case errors.Is(err, signal.ErrUnsupported):
		r.nothing(ctx, log, err)
	case err != nil:
		r.err = err
	}
	for _, s := range signals {
		items = append(items, item{record: r, body: body, signal: s})
	}
	return items
}

// nothing reports an event that asks for nothing. It shows that its source is alive.
func (r *record) nothing(ctx context.Context, log *slog.Logger, why error) {
	notify.Nothing(ctx, log, r.messageID, why)
	var unsupported *signal.UnsupportedError
	if errors.As(why, &unsupported) && unsupported.Provider != "" {
		r.alive = append(r.alive, unsupported.Provider)
	}
}

// settle notes the outcome in its record, and what is left to do.
func (i *item) settle() {
	r, o := i.record, i.outcome
	r.outcomes = append(r.outcomes, o)
	if o.Incomplete() {
		r.incomplete(fmt.Sprintf("%s: %s", o.Status, o.Summary))
	}
	for _, err := range []error{i.err, i.kept} {
		if err != nil {
			r.incomplete(err.Error())
		}
	}
}

func (r *record) incomplete(problem string) {
	var already *IncompleteError
	if !errors.As(r.err, &already) {
		already = &IncompleteError{}
		if r.err != nil { // one of its records cannot be read
			already.problems = append(already.problems, r.err.Error())
		}
		r.err = already
	}
	already.problems = append(already.problems, problem)
}
