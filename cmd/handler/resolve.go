package main

import (
	"context"
	"fmt"
	"log/slog"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
)

// resolve asks the directories about the signals, and returns those that are left to answer.
func (h *handler) resolve(ctx context.Context, log *slog.Logger, items []item) (left []item) {
	signals := make([]signal.Signal, len(items))
	for i := range items {
		signals[i] = items[i].signal
	}
	rules := h.inForce(ctx).Policy
	errs := h.directory.Resolve(ctx, signals)
	h.tenant.Resolve(ctx, signals)
	for i, err := range errs {
		r := items[i].record
		if err == nil {
			err = unnamed(rules, &signals[i])
		}
		if err != nil {
			log.Error("the directory did not answer", "error", err.Error())
			r.incomplete(err.Error())
			continue
		}
		left = append(left, item{record: r, body: items[i].body, signal: signals[i]})
	}
	return left
}

// unnamed returns why the names of a signal are missing, if nothing else leads to its person and another try may find
// them. The event goes back then: who would be nobody now may be somebody in a minute.
func unnamed(rules *policy.Policy, s *signal.Signal) error {
	if s.Unanswered == nil || rules == nil || rules.PersonOf(s.Subject.Names) != "" {
		return nil
	}
	return fmt.Errorf("asking for the names of %s, after %s: %w", s.Subject, s.Type, s.Unanswered)
}
