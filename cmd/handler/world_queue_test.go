package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/emulator"
)

// event is one of EventBridge's, and what it asks for.
type event struct {
	id, body string
	at       time.Time // in it, to the second
	asks     asks
	people   map[string]string // the people, by their names in the event
	only     string            // id of the one connection that it names
	address  string            // whose holder it means
	issuer   string            // who says it; empty for our own form

	delivered bool            // to an instance, at least
	doneAt    time.Time       // when the last delivery began that ended well
	firstDone time.Time       // when it was done at the latest: published, if it opens, or answered well
	away      map[string]bool // names that keep coming back, as that delivery said
	held      map[string]bool // names for whose people the brake holds it
}

// asks is what an event must lead to.
type asks string

const (
	forEnd    asks = "end"
	forDryRun asks = "dry-run"
	forWord   asks = "notified"
	forNone   asks = "ignored"
	tooOld    asks = "stale"
	foreign   asks = "foreign"
	poison    asks = "poison"
)

// message is an event in the queue, where it may be twice.
type message struct {
	*event

	id       string
	receives int
	visible  time.Time
	done     bool
}

// add makes an event about people. Each name has its person after the colon: "ALICE:alice".
func (w *world) add(id string, asked asks, names ...string) *event {
	kind := map[asks]string{forEnd: "account-disabled", forDryRun: "account-purged", forWord: "risk-level-change",
		forNone: "account-enabled", tooOld: "credential-compromise"}[asked]
	at := time.Now().Add(-w.late)
	if asked == tooOld {
		at = at.Add(-25 * time.Hour)
	}
	people := map[string]string{}
	var given []string
	for _, name := range names {
		name, person, _ := strings.Cut(name, ":")
		people[name] = person
		given = append(given, name)
	}
	list, err := json.Marshal(given)
	if err != nil {
		w.t.Fatal(err)
	}
	detail := `"usernames":` + string(list) + `,"kind":"` + kind + `"`
	if asked == forDryRun && len(list)%2 == 0 { // by the request, not by the rule
		detail = `"usernames":` + string(list) + `,"kind":"account-disabled","dry_run":true`
	}
	body := custom(id, at, detail)
	if asked == forNone {
		body = strings.Replace(body, "Terminate Connections", "Reinstate", 1)
	}
	return w.put(&event{id: id, at: at.Truncate(time.Second), asks: asked, people: people, body: body})
}

// addOne makes an event that asks for the end of one connection.
func (w *world) addOne(id, connectionID string) *event {
	return w.put(&event{id: id, asks: forEnd, only: connectionID, people: map[string]string{connectionID: ""},
		body: custom(id, time.Now(), `"connection_id":"`+connectionID+`"`)})
}

// addAddress makes an event that asks to terminate the connection with the address.
func (w *world) addAddress(id, address string) *event {
	now := time.Now()
	return w.put(&event{id: id, at: now.Truncate(time.Second), asks: forEnd, address: address,
		people: map[string]string{address: ""}, body: custom(id, now,
			`"client_ip":"`+address+`","seen_at":"`+now.UTC().Format(time.RFC3339Nano)+`"`)})
}

// means reports whether the event is about the connection.
func (w *world) means(e *event, c emulator.Connection) bool {
	switch {
	case e.only != "":
		return c.ID == e.only
	case e.address != "": // who had it then, and EC2 says whole seconds
		return c.EndpointID == certs && c.ClientIP == e.address && !c.EstablishedAt.Truncate(time.Second).After(e.at)
	}
	return slices.Contains(slices.Collect(maps.Values(e.people)), w.owner(c))
}

// addRaw makes an event that leads to no outcome.
func (w *world) addRaw(id string, asked asks, body string) *event {
	return w.put(&event{id: id, asks: asked, body: body})
}

func (w *world) put(e *event) *event {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dryRun && e.asks == forEnd {
		e.asks = forDryRun
	}
	w.events[e.id] = e
	return e
}

func custom(id string, at time.Time, detail string) string {
	return fmt.Sprintf(`{"version":"0","id":%q,"detail-type":"Terminate Connections","source":"clientvpn-responder",`+
		`"account":"111122223333","time":%q,"region":"eu-west-1","resources":[],"detail":{"reason":"left",%s}}`,
		id, at.UTC().Format(time.RFC3339), detail)
}

// send puts events into the queue.
func (w *world) send(all ...*event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range all {
		copies := 0
		for _, m := range w.queue {
			if m.event == e {
				copies++
			}
		}
		id := e.id
		if copies > 0 {
			id = fmt.Sprintf("%s again %d", e.id, copies)
		}
		w.queue = append(w.queue, &message{event: e, id: id, visible: time.Now()})
	}
}

// hand puts an event into the queue, and returns its message as if an instance had received it at once.
func (w *world) hand(e *event) []*message {
	w.mu.Lock()
	defer w.mu.Unlock()
	e.delivered = true
	m := &message{event: e, id: e.id, receives: 1, visible: time.Now().Add(visibility)}
	w.queue = append(w.queue, m)
	return []*message{m}
}

// receive takes up to n visible messages off the queue, by chance where choose is not nil; when says when the next is
// visible, if there is none now. Without any left it is zero.
func (w *world) receive(n int, choose func(n int) int) (batch []*message, when time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	var visible []*message
	for _, m := range w.queue {
		switch {
		case m.done:
		case m.visible.After(now):
			if when.IsZero() || m.visible.Before(when) {
				when = m.visible
			}
		default:
			visible = append(visible, m)
		}
	}
	for len(visible) > 0 && len(batch) < n {
		k := 0
		if choose != nil {
			k = choose(len(visible))
		}
		m := visible[k]
		visible = slices.Delete(visible, k, k+1)
		m.receives++
		m.visible = now.Add(visibility)
		m.delivered = true
		batch = append(batch, m)
	}
	return batch, when
}
