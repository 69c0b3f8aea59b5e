package main

import (
	"time"

	"clientvpn-responder/internal/emulator"
)

// settleGuard holds at the end that nobody on the list can connect, under any spelling, and that everybody else can.
// Nobody has connected while on the list. It leaves out who was reinstated at any time, and connections for which the
// list could not be read.
func (w *world) settleGuard(out map[string]bool) {
	for _, person := range people {
		for _, endpointID := range []string{saml, ad, certs} {
			w.settleDoor(endpointID, person, out[person])
		}
		if w.tenants {
			w.settleDoor(daughter, person, out[ofDaughter(person)])
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.connections() {
		owner := w.owner(c)
		since, known := w.outSince(owner)
		if isUp(c) && c.EndpointID != abroad && known && out[owner] && !w.door.isBlind(c.ID) &&
			c.EstablishedAt.After(since) {
			w.broke("%s is on the list since %v, and has connected: %+v", owner, since, c)
		}
	}
}

// outSince returns when a person was on the list at the latest, by the first event that is done. It is not known of a
// person who was reinstated at any time.
func (w *world) outSince(person string) (since time.Time, known bool) {
	for _, e := range w.events {
		for name, about := range e.people {
			switch {
			case e.asks == forNone && (about == person || e.issuer == "" && about == bare(person)):
				return time.Time{}, false
			case about != person:
			case e.asks == forEnd && !e.doneAt.IsZero() && !e.held[name] && len(w.told[e.id][name]) > 0:
				if at := e.doneAt.Add(timeout); !known || at.Before(since) {
					since, known = at, true
				}
			}
		}
	}
	return since, known
}

// settleDoor holds that the person connects to the endpoint under every name, unless kept out.
func (w *world) settleDoor(endpointID, person string, out bool) {
	for _, name := range spellings(person) {
		id, in := w.cloud.Attempt(emulator.Client{EndpointID: endpointID, Username: name})
		if in == out {
			w.broke("%s connects to %s as %s: %t; is on the list: %t", person, endpointID, name, in, out)
		}
		if in {
			w.cloud.Disconnect(id)
		}
	}
}
