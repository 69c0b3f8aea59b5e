package main

import (
	"context"
	"time"
)

// How the time of an invocation is divided.
const (
	reportPart = 4                // a quarter of the time is reserved for reporting
	longReport = 10 * time.Second // at most
	answerPart = 4                // the share that is reserved for the answer: a quarter
)

// An attempt that hangs is given up, and the SDK tries again.
const (
	attempt      = 10 * time.Second // the first page of a large listing may take seconds
	tableAttempt = time.Second      // the cut-off waits for the table, but not for long
	// The cut-off waits for the policy, too, once a minute. policyTime includes the search for the last good one.
	policyAttempt = 4 * time.Second
	policyTime    = 15 * time.Second
)

// budget divides the time that ctx has left. Work must be done at the first deadline, and reports at the second. If SNS
// hangs, there must be time left to say which messages failed. Without a deadline both are ctx.
func budget(ctx context.Context) (work, report context.Context, cancel func()) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, ctx, func() {}
	}
	reserve := min(time.Until(deadline)/reportPart, longReport)
	work, cancelWork := context.WithDeadline(ctx, deadline.Add(-reserve))
	report, cancelReport := context.WithDeadline(ctx, deadline.Add(-reserve/answerPart))
	return work, report, func() {
		cancelWork()
		cancelReport()
	}
}
