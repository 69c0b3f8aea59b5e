package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/held"
	"clientvpn-responder/internal/ledger"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const (
	heldQueue     = "held"
	releasedQueue = "events" // to which a release sends events
)

// forRuling releases or drops what the brake holds.
const forRuling asks = "ruling"

// brakeOn lets so many people an hour be cut off. Others wait until a person decides.
func (w *world) brakeOn(people int) {
	w.brake, w.cut = people, map[string]time.Time{}
	w.cloud.AddQueue(heldQueue)
	w.cloud.AddQueue(releasedQueue, emulator.Queue{Visibility: visibility})
}

// attachBrake adds to an instance what its brake counts with, and the queues.
func (w *world) attachBrake(i *instance, cfg aws.Config) {
	i.h.responder.Ledger, i.h.responder.Alone = i.h.ledger, ledger.InProcess()
	if w.brake > 0 {
		i.h.held = held.New(cfg, "http://aws.test/111122223333/"+heldQueue, "http://aws.test/111122223333/"+releasedQueue)
		i.h.responder.Held = i.h.held
	}
}

// isHeld reports whether the queue of held events has the event, with its bytes, for the person of a name.
func (w *world) isHeld(e *event, name string) bool {
	if w.brake == 0 {
		return false
	}
	return slices.ContainsFunc(w.cloud.Queued(heldQueue), func(m emulator.Queued) bool {
		people := m.Attributes["clientvpn-people"].Value
		about := people == "" || slices.ContainsFunc(strings.Split(people, "\n"), func(p string) bool {
			return p == bare(e.people[name]) || p == strings.ToLower(name)
		})
		return m.Body == e.body && about
	})
}

// noteHeld notes the names for which the brake holds the event, after a delivery.
func (w *world) noteHeld(e *event) (some bool) {
	for name := range e.people {
		if w.isHeld(e, name) {
			if e.held == nil {
				e.held = map[string]bool{}
			}
			e.held[name] = true
		}
		some = some || e.held[name]
	}
	return some
}

// holdsBack reports whether the brake holds the event for a person, or held it until somebody dropped it.
func (w *world) holdsBack(e *event, person string) bool {
	for name, about := range e.people {
		if (about == person || about == "") && (e.held[name] || w.isHeld(e, name)) {
			return true
		}
	}
	return false
}

// holdBrake: nobody who is held is cut off until a release, and no more people are than the limit allows. Where the
// table failed, instances count alone. The three quarters of an hour leave room for calls that are on their way.
func (w *world) holdBrake(c emulator.Connection) {
	if w.brake == 0 || w.released || w.shaken || w.troubleAt.After(time.Now()) {
		return
	}
	w.cut[w.owner(c)] = time.Now()
	people := 0
	for _, at := range w.cut {
		if time.Since(at) < 45*time.Minute {
			people++
		}
	}
	allowed := w.brake
	if w.sweeps { // which have a brake of their own
		allowed *= 2
	}
	if people > allowed && !w.tenants { // each of whose sources has one
		w.broke("%d people are cut off, the last is %s, and the brake allows %d", people, w.owner(c), allowed)
	}
	heldID := ""
	for _, e := range w.events {
		if !e.delivered || e.asks != forEnd || !w.means(e, c) {
			continue
		}
		if !w.holdsBack(e, w.owner(c)) {
			return
		}
		heldID = e.id
	}
	if heldID != "" {
		w.broke("asked to end %s's %s, and the brake holds %s", w.owner(c), c.ID, heldID)
	}
}

// rule lets a person decide, in calm weather, about everything that the brake holds. No event is lost until then.
func (w *world) rule(release bool) {
	time.Sleep(20 * time.Minute)
	w.mu.Lock()
	w.spoil, w.cloud.Limits = nil, nil
	waiting := w.waiting()
	w.ruled, w.released = len(waiting), release
	w.mu.Unlock()
	detailType := "Drop Held"
	if release {
		detailType = "Release Held"
	}
	e := &event{id: "the-ruling", asks: forRuling, people: map[string]string{"": ""}, body: strings.Replace(
		custom("the-ruling", time.Now(), `"source":"all","requested_by":"carol"`), "Terminate Connections", detailType, 1)}
	w.put(e)
	w.send(e)
	i := w.start(false)
	w.deliverAll(i)
	if n := len(w.cloud.Queued(heldQueue)); n > 0 {
		w.broke("%d events are still held after the ruling", n)
	}
	if release {
		w.deliverReleased(i)
	} else {
		w.send(waiting...) // a drop ends it, also for a copy that comes late
		w.deliverAll(i)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range waiting {
		w.settleHeld(e)
	}
}

// waiting returns the events that the brake holds. Each must be in the queue.
func (w *world) waiting() (all []*event) {
	for _, e := range w.events {
		for name := range e.held {
			if !w.isHeld(e, name) {
				w.broke("the brake held %s for %q, and the event is lost", e.id, name)
			}
		}
		if len(e.held) > 0 {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b *event) int { return strings.Compare(a.id, b.id) })
	return all
}

// deliverAll delivers what is visible in the queue, once.
func (w *world) deliverAll(i *instance) {
	for {
		batch, _ := w.receive(10, nil)
		if len(batch) == 0 {
			return
		}
		w.deliver(i, batch, timeout)
		w.mu.Lock()
		for _, m := range batch {
			m.done = true // also if a connection that does not end has sent it back
		}
		w.mu.Unlock()
	}
}

// deliverReleased delivers what a release has sent. It tries twice, for connections that do not end.
func (w *world) deliverReleased(i *instance) {
	w.mu.Lock()
	w.releasing = time.Now()
	w.mu.Unlock()
	for range 2 {
		for n := 1; n > 0; {
			n, _ = w.cloud.Deliver(w.t.Context(), releasedQueue, 10, func(ctx context.Context, raw []byte) ([]byte, error) {
				ctx, cancel := context.WithTimeout(ctx, timeout)
				defer cancel()
				answer, err := i.h.handle(ctx, raw)
				body, wrong := json.Marshal(answer)
				return body, errors.Join(err, wrong)
			})
		}
		time.Sleep(visibility)
	}
	w.readPublished()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.releasing = time.Time{}
}

// settleHeld holds that an event has an outcome after the ruling. A released event then holds like any other.
func (w *world) settleHeld(e *event) {
	for name := range e.held {
		said := last(w.told[e.id][name])
		switch {
		case w.shaken && !w.released && w.isHeld(e, name):
			// The ledger could not note the first hold, so the brake holds the copy that came after the drop.
		case said == "" || said == "held":
			w.broke("%s was held for %q and ruled about, and the last word is %q", e.id, name, said)
		case w.released && slices.Contains([]string{"terminated", "not-connected"}, said):
			delete(e.held, name)
		}
	}
	w.trace = append(w.trace, fmt.Sprintf("%s was held; released: %t: %v", e.id, w.released, w.told[e.id]))
}
