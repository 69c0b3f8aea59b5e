package main

import (
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/emulator"
)

// settle holds, at the end, that what could be ended is ended, and that nobody wrong was.
func (w *world) settle() {
	w.readPublished()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.queue {
		if !m.done {
			w.broke("%s is still in the queue", m.id)
		}
	}
	for _, c := range w.connections() {
		owner := w.owner(c)
		if (c.ByRequest || c.Status == "terminating" || c.Status == "failed-to-terminate") && !w.mayEnd(c) {
			w.broke("%s's connection was ended: %+v", owner, c)
		}
		if !isUp(c) {
			continue
		}
		for _, e := range w.events {
			if e.asks != forEnd || !c.EstablishedAt.Before(e.doneAt) {
				continue
			}
			for name, person := range e.people {
				told := last(w.told[e.id][name])
				excused := owner == "breakglass" || w.crowded[person] || e.away[name] || e.held[name] ||
					w.reinstatedSince(e, owner) || e.address != "" && told != "terminated" && told != "not-connected"
				if w.means(e, c) && (person == "" || person == owner) && !excused {
					w.broke("%s is done, %q, and %s's connection is up: %+v", e.id, w.told[e.id][name], owner, c)
				}
			}
		}
	}
}

// settleList checks at the end who is on the list: everybody who was cut off and was not reinstated since, and nobody
// else. The order of the events does not matter.
func (w *world) settleList() {
	w.mu.Lock()
	w.spoil = nil
	w.mu.Unlock()
	client, stop := emulator.HTTPClient(w.cloud)
	defer stop()
	list, err := w.list(client).List(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, e := range list {
		out = append(out, listed(e.Person, e.Issuer))
	}
	people := w.lastAsked()
	for person, l := range people {
		is := slices.Contains(out, person)
		switch {
		case l.out.After(l.inSeen) && !is:
			w.broke("%s was cut off by an event of %v, was reinstated at %v, and is not on the list: %q",
				person, l.out, l.inSeen, out)
		case !l.in.Before(l.outSeen) && !l.in.Equal(l.outSeen) && is, l.outSeen.IsZero() && is:
			w.broke("%s was to be cut off at %v, was reinstated at %v, and is on the list", person, l.outSeen, l.in)
		}
	}
	for _, person := range out {
		if people[person] == nil && !w.crowded[person] && !strings.HasPrefix(person, "nobody-") {
			w.broke("%s is on the list", person)
		}
	}
	if w.guarded {
		isOut := map[string]bool{}
		for _, person := range out {
			isOut[person] = true
		}
		w.settleGuard(isOut)
	}
}

// lastAsked is when somebody was to be cut off last, and when somebody was to be let in. out and in are of events that
// are done, outSeen and inSeen of all that an instance has seen.
type lastAsked struct{ out, in, outSeen, inSeen time.Time }

// lastAsked returns what the events asked last about each person who can be on the list. Somebody who is known by a
// connection alone cannot be there, and in the end nobody of a crowd is.
func (w *world) lastAsked() map[string]*lastAsked {
	people := map[string]*lastAsked{}
	for _, e := range w.events {
		for name, person := range e.affected() {
			if person == "" || person == "nobody" || w.crowded[bare(person)] {
				continue
			}
			if people[person] == nil {
				people[person] = &lastAsked{}
			}
			l := people[person]
			switch {
			case e.asks == forEnd && e.delivered && person != "breakglass":
				l.outSeen = later(l.outSeen, e.at)
				if !e.doneAt.IsZero() && !e.held[name] && len(w.told[e.id][name]) > 0 {
					l.out = later(l.out, e.at)
				}
			case e.asks == forNone && e.delivered:
				l.inSeen = later(l.inSeen, e.at)
				if !e.doneAt.IsZero() {
					l.in = later(l.in, e.at)
				}
			}
		}
	}
	return people
}

func last(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
