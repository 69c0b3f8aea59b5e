package main

import (
	"context"
	"log/slog"
	"time"

	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/sweep"
)

// longestSweep bounds a sweep. What it finds has to be dealt with in the same invocation.
const longestSweep = time.Minute

// apart returns the items that are about people or ask for a self-test, and those that ask for a sweep.
func apart(items []item) (first, sweeps []item) {
	for _, i := range items {
		if i.signal.Kind == signal.Sweep {
			sweeps = append(sweeps, i)
		} else {
			first = append(first, i)
		}
	}
	return first, sweeps
}

// sweep sweeps once, for all that ask for it. It returns nil where there is no policy, or no time.
func (h *handler) sweep(ctx context.Context, asked signal.Signal) *sweep.Report {
	r := h.inForce(ctx)
	if r.Policy == nil || ctx.Err() != nil {
		return nil
	}
	limit := longestSweep
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(deadline)/2)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	s := sweep.Sweeper{VPN: r.VPN, Policy: r.Policy, Ledger: h.ledger, Store: h.directory, Tenant: h.tenant}
	report := s.Run(ctx, asked.Account, asked.Region)
	return &report
}

// found returns what the sweep has found, as if each were an event of the record that asked for the sweep. If one is
// not done, the record goes back, and the next sweep finds it again.
func (i *item) found(log *slog.Logger, report *sweep.Report) (items []item) {
	if report == nil {
		return nil
	}
	for _, event := range report.Found {
		signals, err := signal.Parse(event.Body)
		if err != nil {
			i.record.incomplete(err.Error())
			log.Error("the sweep made an event that cannot be read", "id", event.ID, "error", err.Error())
		}
		for _, s := range signals {
			items = append(items, item{record: i.record, body: event.Body, signal: s})
		}
	}
	return items
}
