package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"clientvpn-responder/internal/held"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"

	"github.com/aws/aws-lambda-go/events"
)

// noteTime bounds writing down what became of a batch. The outcomes are with SNS by then.
const noteTime = 2 * time.Second

// arrivalOf returns how a message of SQS came in: when its event was first received, and whether a person released it.
func arrivalOf(m events.SQSMessage) (a responder.Arrival) {
	if ms, err := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64); err == nil {
		a.At = time.UnixMilli(ms)
	}
	if words := m.MessageAttributes[held.ReleaseAttribute].StringValue; words != nil {
		if r, ok := held.ReadRelease(*words); ok {
			a.Released = &ledger.Ruling{Release: true, At: r.At, By: r.By, Reason: r.Reason}
		}
	}
	return a
}

// bodiesOf returns the events of a message: one, or those of a bundle that was released.
func bodiesOf(body string) [][]byte {
	var bundle held.Bundle
	if json.Unmarshal([]byte(body), &bundle) != nil || len(bundle.Events) == 0 {
		return [][]byte{[]byte(body)}
	}
	var all [][]byte
	for _, event := range bundle.Events {
		all = append(all, []byte(event))
	}
	return all
}

// errNoQueue says what becomes of an event that the brake holds where there is no queue for it.
var errNoQueue = errors.New("HELD_QUEUE_URL is not set, so the event that the brake holds goes back")

// keep puts an event that the brake holds into the queue of held events, with its bytes.
func (h *handler) keep(ctx context.Context, i *item) error {
	o := i.outcome
	if o.Status != responder.Braked {
		return nil
	}
	if h.held == nil {
		return errNoQueue
	}
	people := o.Decision.Persons
	return h.held.Hold(ctx, []held.Event{{Body: string(i.body), Lane: o.Brake.Lane, People: people}})[0]
}

// report keeps the bytes of an event that is held, and then reports the outcome.
func (h *handler) report(ctx context.Context, log *slog.Logger, i *item) {
	if i.kept = h.keep(ctx, i); i.kept != nil {
		log.Error("an event that the brake holds could not be kept", "error", i.kept.Error())
	}
	i.err = h.reporter.Report(ctx, log, &i.outcome)
	if b := i.outcome.Brake; b != nil && b.Announces && i.err == nil {
		if err := h.ledger.Announced(ctx, b.Lane, b.Events); err != nil {
			log.Warn("the ledger does not know that the brake was announced", "error", err.Error())
		}
	}
}

// remember writes down what became of the signals. An event counts as answered only if SNS has accepted its outcome.
// The next instance publishes what SNS has not accepted.
func (h *handler) remember(ctx context.Context, log *slog.Logger, items []item) {
	ctx, cancel := context.WithTimeout(ctx, noteTime)
	defer cancel()
	var all []ledger.Event
	var sources []string
	var swept error
	now := time.Now().UTC()
	for i := range items {
		o := items[i].outcome
		if o.Sweep != nil && items[i].err == nil {
			swept = h.ledger.SetSweep(ctx, o.Sweep.Next)
		}
		if o.Signal.IsAboutNobody() || o.Status == "" {
			continue
		}
		if o.Signal.Provider != signal.SweepProvider {
			sources = append(sources, o.Signal.Provider)
		}
		if o.Status != responder.Ignored {
			all = append(all, items[i].event(now))
		}
	}
	if err := errors.Join(h.ledger.Note(ctx, all), h.ledger.Heard(ctx, sources, now), swept); err != nil {
		log.Warn("the ledger does not know what became of the events", "error", err.Error())
	}
}

// hear writes down that the sources of events which ask for nothing are alive.
func (h *handler) hear(ctx context.Context, log *slog.Logger, records []*record) {
	var sources []string
	for _, r := range records {
		sources = append(sources, r.alive...)
	}
	if len(sources) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, noteTime)
	defer cancel()
	if err := h.ledger.Heard(ctx, sources, time.Now().UTC()); err != nil {
		log.Warn("the ledger does not know which sources are alive", "error", err.Error())
	}
}

// event is what the ledger remembers of an item.
func (i *item) event(now time.Time) ledger.Event {
	o := i.outcome
	e := ledger.Event{
		Key: responder.EventKey(o.Signal), FirstReceived: o.Arrived.UTC(), EventAt: o.Signal.Time, Status: string(o.Status),
		Summary: o.Summary, Rule: o.Decision.Rule, Kind: string(o.Signal.Kind), Type: o.Signal.Type,
		People: o.Decision.Persons, Ended: o.Ended(),
	}
	if i.err == nil && !o.Incomplete() {
		e.AnsweredAt = now
	}
	e.Owed = o.Owed
	e.Settled = o.Settles() && (i.err == nil || e.Owed != "")
	if o.Brake != nil && i.kept == nil {
		e.Lane, e.HeldAt = o.Brake.Lane, now
	}
	return e
}
