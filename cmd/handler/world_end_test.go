package main

import "time"

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
