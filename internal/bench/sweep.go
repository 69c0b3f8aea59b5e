package bench

import (
	"context"
	"fmt"
	"os"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/trial"
)

const (
	sweptPeople = 5000
	sweptClosed = 3 // of them, whose accounts the identity store has closed
)

// sweep measures an hour's sweep: 5,000 people are connected, and no event has come about three whose accounts are
// closed.
func (b *bench) sweep(ctx context.Context) error {
	raw, err := os.ReadFile("events/sweep/sweep.json")
	if err != nil {
		return fmt.Errorf("reading the event of a sweep: %w", err)
	}
	cloud := newCrowd(len(trial.Endpoints), 0)
	for i := range sweptPeople {
		name := fmt.Sprintf("bystander%06d@example.com", i)
		if i < sweptClosed {
			name = leaver(i)
		}
		cloud.Connect(emulator.Client{EndpointID: trial.Endpoints[i%len(trial.Endpoints)].ID, Username: name})
		cloud.AddUser(emulator.User{
			ID: fmt.Sprintf("9067123456-00000000-0000-4000-8000-%012d", i), UserName: name, Disabled: i < sweptClosed,
		})
	}
	t, err := b.try(ctx, cloud, batchOf([]message{{ID: "message-0", Body: string(trial.MoveToNow(raw))}}))
	if err != nil {
		return err
	}
	took := time.Since(t.invoked)
	if _, err := t.cutOff(); err != nil {
		return err
	}
	count := func(action string) int {
		calls, _ := t.throttled(action)
		return calls
	}
	b.add("an hour's sweep of 5,000 connected people on 3 endpoints, 3 of them closed: all is done", "%.1f s",
		took.Seconds(), 60, fmt.Sprintf(" (%d listings, %d reads of the ledger, %d pages of the identity store, %.1f MiB)",
			len(t.made(describe, "")), count("BatchGetItem"), count("ListUsers"), mebibytes(t.memory)))
	return nil
}
