package notify

import (
	"context"
	"errors"
	"log/slog"

	"clientvpn-responder/internal/metric"
	"clientvpn-responder/internal/signal"
)

// Nothing logs an event that asks for nothing, and counts it by provider and type: a rule of the template let it in. A
// routine notice counts as a sign of life of its source. Both metrics have the dimensions Provider and Type.
func Nothing(ctx context.Context, log *slog.Logger, messageID string, why error) {
	line := []slog.Attr{slog.String("why", why.Error()), slog.String("messageId", messageID)}
	var unsupported *signal.UnsupportedError
	if !errors.As(why, &unsupported) {
		log.LogAttrs(ctx, slog.LevelInfo, "nothing to do", line...)
		return
	}
	of := []slog.Attr{slog.String("Provider", unsupported.Provider), slog.String("Type", unsupported.Type)}
	log.LogAttrs(ctx, slog.LevelInfo, "nothing to do", append(line, slog.String("provider", unsupported.Provider),
		slog.String("type", unsupported.Type), slog.Bool("routine", unsupported.Routine))...)
	if unsupported.Provider == "" {
		return // of no source that a rule lets in
	}
	name := "Unsupported"
	if unsupported.Routine {
		name = "RoutineNotices"
	}
	emit(ctx, log, append(metric.Nothing.Attrs(slog.Int(name, 1)), of...))
}
