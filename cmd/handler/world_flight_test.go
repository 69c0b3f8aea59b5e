package main

import (
	"slices"
	"time"

	"clientvpn-responder/internal/emulator"
)

// recalls is how long after a delivery began the function has asked the ledger, at the latest, and set access. If it
// finds a newer connection, it asks again.
const recalls = 5 * time.Second

// flight is a delivery that is under way.
type flight struct {
	batch []*message
	began time.Time
}

// depart notes that a delivery begins. The result notes that it is over.
func (w *world) depart(batch []*message) (land func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := &flight{batch, time.Now()}
	w.flights = append(w.flights, f)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.flights = slices.DeleteFunc(w.flights, func(other *flight) bool { return other == f })
	}
}

// mayEndNow reports whether an instance is at work on an event that allows the end of the connection. If an opening was
// done before that, none does.
func (w *world) mayEndNow(c emulator.Connection) bool {
	if owner := w.owner(c); owner == "" || owner == "breakglass" {
		return false
	}
	for _, f := range w.flights {
		for _, m := range f.batch {
			if w.asksFor(m.event, c, f.began) {
				return true
			}
			if m.asks == forSweep && w.sweepMayEnd(c, f.began) {
				return true
			}
		}
	}
	return !w.releasing.IsZero() && w.sweepMayEnd(c, w.releasing)
}

// sweepMayEnd reports whether any event that an instance has seen allows the end of the connection, for work that began
// at a time.
func (w *world) sweepMayEnd(c emulator.Connection, began time.Time) bool {
	for _, e := range w.events {
		if e.delivered && w.asksFor(e, c, began) {
			return true
		}
	}
	return false
}

// asksFor reports whether the event allows the end of the connection, for work on it that began at a time.
func (w *world) asksFor(e *event, c emulator.Connection, began time.Time) bool {
	owner := w.owner(c)
	return e.asks == forEnd && w.means(e, c) && (e.only != "" || !w.crowded[owner]) && !w.openedBefore(e, c, began)
}

// openedBefore reports whether the function must know, when it works on a closing, that an opening takes it back. The
// opening was done before the work began, or another instance did it before the person connected. If the table failed
// meanwhile, the function may not know.
func (w *world) openedBefore(e *event, c emulator.Connection, began time.Time) bool {
	if !w.keepOut || e.only != "" || e.address != "" || !w.shakenAt.Before(began) || w.troubleAt.After(time.Now()) {
		return false
	}
	for _, other := range w.events {
		_, sure := other.takesBack(e, w.owner(c))
		known := other.firstDone.Before(began) ||
			other.firstDone.Before(c.EstablishedAt) && c.EstablishedAt.After(began.Add(recalls))
		if sure && !other.firstDone.IsZero() && known {
			return true
		}
	}
	return false
}
