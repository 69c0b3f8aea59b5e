package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Cursor is how far a provider has been polled, and how that went.
type Cursor struct {
	// Users and Groups are the addresses of the next changes. Audits is the time up to which the audit log was read.
	Users, Groups string
	Audits        time.Time
	// Sent are the ids of the records at the end of the audit log that were sent, each with its time.
	Sent map[string]time.Time
	// Succeeded is when a poll last succeeded, and Problem what keeps it from succeeding since; empty for nothing.
	Succeeded time.Time
	Problem   string
}

// cursorLasts is how long a cursor is kept after the last poll. Microsoft Graph forgets its own after seven days.
const cursorLasts = 7 * 24 * time.Hour

func cursorID(provider string) string { return doorPrefix + "poll#" + provider }

// LoadCursor returns how far a provider has been polled. It reports false if that is not known.
func (t *Table) LoadCursor(ctx context.Context, provider string) (Cursor, bool, error) {
	id := cursorID(provider)
	items, err := t.load(ctx, []string{id})
	if err != nil {
		return Cursor{}, false, err
	}
	known, there := items[id]
	r := reader{}
	c := Cursor{
		Users: r.text("users", known["users"]), Groups: r.text("groups", known["groups"]),
		Audits: r.time("audits", known["audits"]), Succeeded: r.time("succeeded", known["succeeded"]),
		Problem: r.text("problem", known["problem"]), Sent: map[string]time.Time{},
	}
	for record, at := range r.fields("sent", known["sent"]) {
		c.Sent[record] = r.time("sent."+record, at)
	}
	if r.err != nil {
		return Cursor{}, false, fmt.Errorf("the item %q: %w", id, r.err)
	}
	return c, there, nil
}

// SaveCursor writes how far a provider has been polled.
func (t *Table) SaveCursor(ctx context.Context, provider string, c Cursor) error {
	next := members(map[string]string{
		"users": c.Users, "groups": c.Groups, "audits": stampOf(c.Audits), "succeeded": stampOf(c.Succeeded),
		"problem": clip(c.Problem),
	})
	sent := content{}
	for record, at := range c.Sent {
		sent[record] = text(stamp(at))
	}
	next["sent"] = mapOf(sent)
	return t.change(ctx, cursorID(provider), func(content) (content, time.Time, error) {
		return next, time.Now().Add(cursorLasts), nil
	})
}

// Forget removes the records before a time from those that were sent. It also removes the oldest if there are too many,
// since an item has at most 400 KB.
func (c *Cursor) Forget(before time.Time) {
	const most = 3000
	var times []time.Time
	for _, at := range c.Sent {
		times = append(times, at)
	}
	if slices.SortFunc(times, time.Time.Compare); len(times) > most {
		if oldest := times[len(times)-most]; oldest.After(before) {
			before = oldest
		}
	}
	for record, at := range c.Sent {
		if at.Before(before) {
			delete(c.Sent, record)
		}
	}
}
