package responder

import (
	"context"
	"time"
)

// All fractions of an invocation's time stand here, by name. A step that hangs must leave time for the steps behind it.
const (
	// longestAnswer bounds an invocation whose caller sets no deadline.
	longestAnswer = 10 * time.Minute
	// longestStep is the most that a step takes a fraction of.
	longestStep = time.Minute
	// longestAccess is the most that the keep-out list may hold a case up. DynamoDB takes some milliseconds.
	longestAccess = 3 * time.Second
	// longestRecall is the most that the rest of the ledger may.
	longestRecall = time.Second
	// recallHolds is how long the ledger is not asked again about the same people.
	recallHolds = time.Second
	// verifyReserve is what terminating leaves of the time, at most, to see whether the connections ended.
	verifyReserve = 10 * time.Second
	// lastMoment is how long before the deadline EC2 is asked for the last time whether connections have ended.
	lastMoment = 300 * time.Millisecond
)

// forAnswer bounds the whole answer. All other budgets rely on the deadline that it sets.
func forAnswer(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, longestAnswer)
}

// forEndpoints bounds asking which endpoints there are.
func forEndpoints(ctx context.Context) (context.Context, context.CancelFunc) { return fraction(ctx, 3) }

// forVerify bounds asking once whether connections have ended.
func forVerify(ctx context.Context) (context.Context, context.CancelFunc) { return fraction(ctx, 3) }

// forSelfTest bounds the self-test.
func forSelfTest(ctx context.Context) (context.Context, context.CancelFunc) { return fraction(ctx, 2) }

// forAccess bounds each reading or writing of the keep-out list.
func forAccess(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, min(longestAccess, min(longestStep, timeLeft(ctx))/4))
}

// forRecall bounds asking the ledger what is known, and asking the brake.
func forRecall(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, min(longestRecall, timeLeft(ctx)/8))
}

// forSearch bounds a search. A large endpoint may take as long as there is time for it.
func forSearch(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, timeLeft(ctx)/2)
}

// forTerminations bounds the requests of a batch. EC2 accepts only so many in a second, so they may take a while.
func forTerminations(ctx context.Context) (context.Context, context.CancelFunc) {
	left := timeLeft(ctx)
	return context.WithTimeout(ctx, left-min(left/2, verifyReserve))
}

// forDryRun bounds the requests of a dry-run, which must not hold up what comes after it for long.
func forDryRun(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, timeLeft(ctx)/4)
}

// fraction limits a step to a fraction of the remaining time, and at most to that fraction of a minute.
func fraction(ctx context.Context, parts int) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, min(longestStep, timeLeft(ctx))/time.Duration(parts))
}

// timeLeft returns the time until ctx's deadline, which forAnswer sets.
func timeLeft(ctx context.Context) time.Duration {
	deadline, _ := ctx.Deadline()
	return time.Until(deadline)
}
