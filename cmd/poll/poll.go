package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"clientvpn-responder/internal/door"
	"clientvpn-responder/internal/entra"
	"clientvpn-responder/internal/graph"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/metric"
)

// provider is the name of the cursor.
const provider = "entra"

// poller asks Microsoft Graph for changes.
type poller struct {
	log    *slog.Logger
	tenant string
	groups []string
	graph  *graph.Client
	queue  *door.Queue
	ledger *ledger.Table
}

// poll is one run.
type poll struct {
	*poller
	cursor ledger.Cursor
	sent   int
}

// handle answers a question of the responder, or polls once. A poll that fails is no error of the function: the next
// run is a minute away, and the alarm counts.
func (p *poller) handle(ctx context.Context, request entra.Request) (any, error) {
	if request.Question != nil {
		return p.answer(ctx, *request.Question)
	}
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-noteTime))
		defer cancel()
	}
	sent, err := p.poll(ctx)
	p.report(ctx, sent, err)
	return nil, nil //nolint:nilnil // the schedule reads no answer
}

// answer answers a question about users. The responder reads the error.
func (p *poller) answer(ctx context.Context, q entra.Question) (entra.Answer, error) {
	answer, err := p.graph.Answer(ctx, q)
	if err != nil {
		return answer, permission(err, "User.Read.All")
	}
	p.log.Info("answer", "asked", len(q.IDs), "known", len(answer.Users), "more", answer.Next != "")
	return answer, nil
}

// noteTime is kept back for writing down how a run went.
const noteTime = 5 * time.Second

// poll asks for everything that has changed since the cursor. Each part is on its own: what one cannot read, the others
// do not miss.
func (p *poller) poll(ctx context.Context) (sent int, err error) {
	cursor, known, err := p.ledger.LoadCursor(ctx, provider)
	if err != nil {
		return 0, err
	}
	run := &poll{poller: p, cursor: cursor}
	if !known {
		run.cursor.Audits = time.Now().UTC()
		if err := run.beganAnew(ctx, "the cursor is missing from the ledger"); err != nil {
			return 0, err
		}
	}
	var problems []error
	for _, part := range []func(context.Context) error{run.pollUsers, run.pollGroups, run.pollAudits} {
		if err := part(ctx); err != nil {
			problems = append(problems, err)
		}
	}
	err = errors.Join(problems...)
	if run.cursor.Problem = ""; err != nil {
		run.cursor.Problem = err.Error()
	} else {
		run.cursor.Succeeded = time.Now().UTC()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
	defer cancel()
	return run.sent, errors.Join(err, run.save(ctx))
}

func (r *poll) save(ctx context.Context) error { return r.ledger.SaveCursor(ctx, provider, r.cursor) }

// send puts a record into the queue. Graph does not write the tenant into a record, so send adds it. The same record
// after the same cursor is the same event.
func (r *poll) send(ctx context.Context, record map[string]json.RawMessage, after string, at time.Time) error {
	tenant, err := json.Marshal(r.tenant)
	if err != nil {
		return fmt.Errorf("writing a record: %w", err)
	}
	record["tenantId"] = tenant
	detail, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("writing a record: %w", err)
	}
	event := door.Event{Source: "custom.entra", DetailType: "Polled", Door: "poll", Detail: detail}
	if err := r.queue.Send(ctx, door.NewEvent(event, after, at)); err != nil {
		return err
	}
	r.sent++
	return nil
}

// beganAnew reports that changes before now may be missing.
func (r *poll) beganAnew(ctx context.Context, why string) error {
	now := time.Now()
	r.log.Warn("the poll begins anew, and changes before now may be missing", "why", why)
	notice := map[string]json.RawMessage{"lifecycleEvent": json.RawMessage(`"pollBeganAnew"`)}
	return r.send(ctx, notice, now.Format(time.RFC3339Nano), now)
}

// permission names the permission that a refusal is about.
func permission(err error, name string) error {
	if refused, ok := errors.AsType[*graph.Error](err); ok && refused.Status == http.StatusForbidden {
		return fmt.Errorf("missing permission %s of Microsoft Graph, as an application permission with admin consent: %w",
			name, err)
	}
	return err
}

// report logs the run and counts it.
func (p *poller) report(ctx context.Context, sent int, err error) {
	verdict, level := "succeeded", slog.LevelInfo
	line := metric.Polls.Attrs(slog.Int("Polls", 1), slog.Int("PolledEvents", sent))
	if err != nil {
		verdict, level = "failed", slog.LevelError
		line = append(line, slog.String("error", err.Error()))
	}
	p.log.LogAttrs(ctx, level, "poll", append(line, slog.String("Verdict", verdict))...)
}
