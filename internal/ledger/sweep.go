package ledger

import (
	"context"
	"fmt"
	"time"
)

// Swept is what one sweep leaves for the next one, and for the brake.
type Swept struct {
	At     time.Time
	People int // who were connected
	// Next is where the next sweep goes on listing the identity store's users, and TenantNext those of a tenant of
	// Microsoft Entra ID; empty for the beginning.
	Next, TenantNext string
	// Said is what people read last, in short, and SaidAt is when.
	Said   string
	SaidAt time.Time
	// ForeverAt is when people last read who is kept out for ever since long.
	ForeverAt time.Time
}

// sweepHolds is how long the number of connected people counts for the brake.
const sweepHolds = 24 * time.Hour

// LastSweep returns what the last sweep has left; the zero Swept if there was none.
func (t *Table) LastSweep(ctx context.Context) (Swept, error) {
	items, err := t.load(ctx, []string{sweepID})
	if err != nil {
		return Swept{}, err
	}
	r, known := reader{}, items[sweepID]
	s := Swept{
		At: r.time("at", known["at"]), People: r.number("", known, "people"), Next: r.text("next", known["next"]),
		TenantNext: r.text("tenant_next", known["tenant_next"]),
		Said:       r.text("said", known["said"]), SaidAt: r.time("said_at", known["said_at"]),
		ForeverAt: r.time("forever_at", known["forever_at"]),
	}
	if r.err != nil {
		return Swept{}, fmt.Errorf("the item of the last sweep: %w", r.err)
	}
	return s, nil
}

// SetSweep records what a sweep leaves. Of two sweeps at once, the later writer's holds.
func (t *Table) SetSweep(ctx context.Context, s Swept) error {
	return t.change(ctx, sweepID, func(content) (content, time.Time, error) {
		return members(map[string]string{
			"at": stamp(s.At), "people": fmt.Sprint(s.People), "next": s.Next, "said": s.Said, "said_at": stampOf(s.SaidAt),
			"forever_at": stampOf(s.ForeverAt), "tenant_next": s.TenantNext,
		}), s.At.Add(remembered), nil
	})
}

// Connected returns how many people were connected at the last sweep; 0 if there was none within a day.
func (t *Table) Connected(ctx context.Context) (int, error) {
	s, err := t.LastSweep(ctx)
	if err != nil || time.Since(s.At) > sweepHolds {
		return 0, err
	}
	return s.People, nil
}
