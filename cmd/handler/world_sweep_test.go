package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/emulator"
)

// forSweep asks the function to sweep.
const forSweep asks = "sweep"

// addSweep makes the hourly event.
func (w *world) addSweep(id string) *event {
	now := time.Now()
	return w.put(&event{id: id, at: now, asks: forSweep, people: map[string]string{"": ""}, body: fmt.Sprintf(
		`{"version":"0","id":%q,"detail-type":"Sweep","source":"clientvpn-responder.sweep","account":"111122223333",`+
			`"time":%q,"region":"eu-west-1","resources":[],"detail":{}}`, id, now.UTC().Format(time.RFC3339))})
}

// eventOf returns the event of an outcome. What the sweep finds is an event of its own, about somebody whose account an
// event has closed that an instance has seen.
func (w *world) eventOf(o claim) *event {
	if e := w.events[o.event()]; e != nil || o.Signal.Provider != "sweep" {
		return e
	}
	name := o.name()
	closed, opened := w.lastWords(name)
	if closed.IsZero() {
		w.broke("the sweep found %s, whom nobody has closed", name)
	}
	if opened.After(closed) && o.Status == "terminated" && !w.openedLate(name, o.Timing.ReceivedAt) {
		w.broke("the sweep cut %s off, who was opened at %v, after %v", name, opened, closed)
	}
	return &event{id: o.Signal.EventID, at: closed, asks: forFound, people: map[string]string{name: name}}
}

// forFound is an event that the sweep makes.
const forFound asks = "found"

// foundStatuses are the statuses of what the sweep finds about a person.
func foundStatuses(person string) []string {
	if person == "breakglass" {
		return []string{"exempt", "failed"}
	}
	return []string{
		"terminated", "partial", "unverified", "reconnecting", "not-connected", "would-terminate", "stale", "notified",
		"failed", "held",
	}
}

// lastWords returns when the person was closed and opened last, by events that an instance has seen.
func (w *world) lastWords(person string) (closed, opened time.Time) {
	for _, e := range w.events {
		for _, about := range e.people {
			switch {
			case !e.delivered:
			case e.asks == forNone && about == person:
				opened = later(opened, e.at)
			case about == person && e.closes():
				closed = later(closed, e.at)
			}
		}
	}
	return closed, opened
}

// closes reports whether the event says that an account is closed. One that only asks what would be done does not.
func (e *event) closes() bool {
	return e.only == "" && e.address == "" && (e.asks == forEnd || e.asks == forDryRun && !e.onlyAsks())
}

// onlyAsks reports whether a request asks what would be done.
func (e *event) onlyAsks() bool { return strings.Contains(e.body, `"dry_run":true`) }

// openedLate reports whether an opening was still on its way at a time.
func (w *world) openedLate(person string, at time.Time) bool {
	for _, e := range w.events {
		for _, about := range e.people {
			if e.asks == forNone && about == person && (e.doneAt.IsZero() || e.doneAt.Add(timeout).After(at)) {
				return true
			}
		}
	}
	return false
}

// lastSweep sweeps once in calm weather, long after the last event. It holds that nobody who was closed last is up, but
// for what an outcome says.
func (w *world) lastSweep() {
	w.mu.Lock()
	w.spoil = nil
	w.cloud.Limits = nil
	w.mu.Unlock()
	time.Sleep(20 * time.Minute)
	began := time.Now()
	e := w.addSweep("the last sweep")
	w.send(e)
	batch, _ := w.receive(10, nil)
	i := w.start(false)
	w.mu.Lock()
	before := maps.Clone(w.told)
	w.mu.Unlock()
	w.deliver(i, batch, timeout)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range batch {
		m.done = true // also if a connection that does not end has sent it back
	}
	if said := w.told[e.id][""]; len(said) == 0 {
		w.broke("the last sweep says nothing")
	}
	for _, c := range w.connections() {
		owner := w.owner(c)
		closed, opened := w.lastDone(owner)
		if w.shaken || w.closed && c.EndpointID == abroad || w.watchedSince(owner, closed) {
			continue
		}
		said := w.saidOf(owner, before)
		if !isUp(c) || !c.EstablishedAt.Before(began) || !closed.After(opened) || w.stubborn[c.ID] || w.crowded[owner] ||
			owner == "breakglass" || w.isWaiting(owner) || slices.ContainsFunc(said, w.saysWhy) {
			continue
		}
		w.broke("%s was closed at %v, opened at %v, and is up after the last sweep, which says %q: %+v",
			owner, closed, opened, said, c)
	}
}

// noteTable notes that a call of the table was spoilt: the ledger may not know everything then.
func (w *world) noteTable(call emulator.Call) {
	if call.Action == putAction || call.Action == getAction {
		w.mu.Lock()
		w.shaken, w.shakenAt = true, time.Now()
		w.mu.Unlock()
	}
}

// watchedSince reports whether an event since then closed the account under a rule that only watches. The sweep goes by
// the last one.
func (w *world) watchedSince(person string, closed time.Time) bool {
	for _, e := range w.events {
		for _, about := range e.people {
			if about == person && e.asks == forDryRun && e.closes() && e.delivered && !e.at.Before(closed) {
				return true
			}
		}
	}
	return false
}

// lastDone returns when the person was closed last by an event that is done, and opened by one that was seen.
func (w *world) lastDone(person string) (closed, opened time.Time) {
	for _, e := range w.events {
		for name, about := range e.people {
			if about == person && e.asks == forEnd && e.closes() && !e.doneAt.IsZero() && len(w.told[e.id][name]) > 0 {
				closed = later(closed, e.at)
			}
		}
	}
	_, opened = w.lastWords(person)
	return closed, opened
}

// isWaiting reports whether the brake holds an event about the person.
func (w *world) isWaiting(person string) bool {
	return w.brake > 0 && slices.ContainsFunc(w.cloud.Queued(heldQueue), func(m emulator.Queued) bool {
		return slices.Contains(strings.Split(m.Attributes["clientvpn-people"].Value, "\n"), person)
	})
}

// saidOf returns what the outcomes of the sweep's findings say of a person, without those before.
func (w *world) saidOf(person string, before map[string]map[string][]string) (all []string) {
	for id, told := range w.told {
		if strings.HasPrefix(id, "still-connected-") {
			all = append(all, told[person][len(before[id][person]):]...)
		}
	}
	return all
}

// saysWhy reports whether a status says why somebody may be up.
func (w *world) saysWhy(status string) bool {
	return slices.Contains([]string{"reconnecting", "partial", "unverified", "failed"}, status)
}
