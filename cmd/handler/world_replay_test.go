package main

import (
	"fmt"
	"slices"
	"strings"

	"clientvpn-responder/internal/emulator"
)

// again is the archive's replay that sends answered events once more, under their own ids.
const again = "again"

// event returns the name that the model has for the event of an outcome. A replay of it has a name of its own.
func (o claim) event() string { return nameOf(o.Signal.EventID, o.Signal.Replay) }

func nameOf(id, replay string) string {
	if replay == again {
		return id + " replayed"
	}
	return id
}

// addReplay makes an event that an archive sends again. It is reported, and not done.
func (w *world) addReplay(e *event) *event {
	id := nameOf(e.id, again)
	w.mu.Lock()
	known := w.events[id]
	w.mu.Unlock()
	if known != nil {
		return known
	}
	return w.put(&event{id: id, at: e.at, asks: tooOld, issuer: e.issuer, people: e.people,
		body: strings.Replace(e.body, `{"version":"0",`, `{"version":"0","replay-name":"`+again+`",`, 1)})
}

// closedByProviders returns the closings of a provider that are done, and about one person.
func (w *world) closedByProviders() (all []*event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e.asks == forEnd && e.issuer != "" && !e.doneAt.IsZero() && len(e.people) == 1 {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b *event) int { return strings.Compare(a.id, b.id) })
	return all
}

// settleReplays holds that a replay of answered events terminates nobody, and says so. Their people are up again,
// however they came in.
func (w *world) settleReplays() {
	var replays []*event
	up := map[string]string{}
	for _, e := range w.closedByProviders() {
		for _, person := range e.people {
			k := emulator.Client{EndpointID: saml, Username: bare(person)}
			if person != bare(person) {
				k.EndpointID = daughter
			}
			w.mu.Lock()
			w.owners[ownerKey(k.EndpointID, k.Username, "")] = person
			up[w.cloud.Connect(k)] = person
			w.mu.Unlock()
		}
		replays = append(replays, w.addReplay(e))
	}
	w.replayed = len(replays)
	w.send(replays...)
	w.deliverAll(w.start(false))
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.connections() {
		if person, is := up[c.ID]; is && c.Status != "active" {
			w.broke("a replay has cut %s off: %+v", person, c)
		}
	}
	for _, e := range replays {
		for name := range e.people {
			if said := last(w.told[e.id][name]); said != "stale" {
				w.broke("%s says %q: %s", e.id, said, fmt.Sprint(e.people))
			}
		}
	}
}
