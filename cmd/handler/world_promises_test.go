package main

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/schema"
)

// onCall holds the promises at every call, and spoils it.
func (w *world) onCall(call emulator.Call) emulator.Fault {
	switch call.Action {
	case "TerminateClientVpnConnections":
		w.holdTermination(call)
	case publishAction:
		if call.Params.Get("TopicArn") == topic {
			w.holdClaim([]byte(call.Params.Get("Message")))
		}
	}
	w.mu.Lock()
	spoil := w.spoil
	w.mu.Unlock()
	if spoil == nil {
		return emulator.Fault{}
	}
	fault := spoil(call)
	if fault != (emulator.Fault{}) {
		w.noteTable(call)
		where := call.Params.Get("ClientVpnEndpointId")
		switch call.Action {
		case publishAction, putAction, getAction:
			where = call.Action // which may end nobody less for it
		}
		w.trouble(where)
	}
	return fault
}

// trouble notes that something goes wrong on an endpoint now, or everywhere if it is "".
func (w *world) trouble(endpointID string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if now.After(w.troubleOn[endpointID]) {
		w.troubleOn[endpointID] = now
	}
	if now.After(w.troubleAt) {
		w.troubleAt = now
	}
}

// troubleForEver notes that nobody knows when it is over.
func (w *world) troubleForEver() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.troubleAt = time.Now().AddDate(1, 0, 0)
	w.troubleOn[""] = w.troubleAt
}

// holdEffort: what could be ended is ended, also where something else went wrong. Where no call about an endpoint was
// spoilt since the delivery began, who was up there then is so no more.
func (w *world) holdEffort(batch []*message, began time.Time) {
	for _, c := range w.connections() {
		owner := w.owner(c)
		if !isUp(c) || !c.EstablishedAt.Before(began) || owner == "breakglass" || w.stubborn[c.ID] ||
			!w.troubleOn[c.EndpointID].Before(began) || !w.troubleOn[""].Before(began) {
			continue
		}
		for _, m := range batch {
			// Of an address, the holders on all endpoints must be known.
			if m.asks == forEnd && !w.reinstatedSince(m.event, owner) && m.address == "" && w.means(m.event, c) &&
				(m.only != "" || !w.crowded[owner]) && !w.holdsBack(m.event, owner) {
				w.broke("nothing was wrong on %s, and %s has not ended %s's %+v", c.EndpointID, m.id, owner, c)
			}
		}
	}
}

// holdTermination: nobody wrong is ended.
func (w *world) holdTermination(call emulator.Call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id, username := call.Params.Get("ConnectionId"), call.Params.Get("Username")
	if call.Params.Get("DryRun") == "true" {
		return
	}
	for _, c := range w.connections() {
		if c.EndpointID == call.Params.Get("ClientVpnEndpointId") && isUp(c) &&
			(c.ID == id || username != "" && c.Username == username) {
			if !w.mayEndNow(c) {
				w.broke("asked to end %s's connection %+v", w.owner(c), c)
			}
			w.holdBrake(c)
		}
	}
}

// mayEnd reports whether an event that was delivered allows the connection to be terminated.
func (w *world) mayEnd(c emulator.Connection) bool {
	owner := w.owner(c)
	if owner == "" || owner == "breakglass" {
		return false
	}
	for _, e := range w.events {
		if e.delivered && e.asks == forEnd && w.means(e, c) && (e.only != "" || !w.crowded[owner]) {
			return true
		}
	}
	return false
}

// claim is what an outcome says that can be held against the truth.
type claim struct {
	Status string
	Signal struct {
		Provider string
		Replay   string
		EventID  string `json:"event_id"`
		Subject  struct {
			Usernames    []string
			IDs          []string
			ConnectionID string `json:"connection_id"`
			ClientIP     string `json:"client_ip"`
		}
	}
	Timing struct {
		ReceivedAt time.Time `json:"received_at"`
	}
	Connections []struct {
		ID        string    `json:"connection_id"`
		Current   string    `json:"current_status"`
		EndSeenAt time.Time `json:"end_seen_at"`
	}
	Spared []spared
}

// name is the event's.
func (o claim) name() string {
	s := o.Signal.Subject
	if len(s.Usernames) == 0 {
		s.Usernames = s.IDs
	}
	return s.ConnectionID + s.ClientIP + strings.Join(s.Usernames, " ")
}

// holdClaim: what is claimed is true. An outcome may be published late, but an end stays an end. A person who was
// connected when the event came and is connected now was connected all the time.
func (w *world) holdClaim(body []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := schema.Check(body); err != nil {
		w.broke("%v: %s", err, body)
	}
	var o claim
	if err := json.Unmarshal(body, &o); err != nil {
		w.broke("%v: %s", err, body)
	}
	e := w.eventOf(o)
	if e == nil {
		w.broke("an outcome of no event: %s", body)
		return
	}
	person, known := e.people[o.name()]
	if !known {
		w.broke("%s is about nobody of that name: %s", e.id, body)
		return
	}
	if spares := w.holdSpared(o, e, person, body); o.Status != spares && !slices.Contains(w.allowed(e, person), o.Status) {
		w.broke("%s, which asks for %s, gave %s: %s", e.id, e.asks, o.Status, body)
	}
	if e.asks == forNone && o.Status == "notified" && e.firstDone.IsZero() {
		e.firstDone = time.Now()
	}
	told := map[string]string{}
	for _, c := range o.Spared {
		told[c.ID] = "spared"
	}
	for _, c := range o.Connections {
		told[c.ID] = c.Current
	}
	w.holdDoubts(o, e, person, told)
	w.holdEnds(o, e, person, told)
}

// holdEnds: what an outcome says of connections is true, and it says all.
func (w *world) holdEnds(o claim, e *event, person string, told map[string]string) {
	for _, c := range o.Connections {
		if c.Current != "terminated" && (o.Status == "terminated" || o.Status == "reconnecting") {
			w.broke("%s says %s, and that %s is %s", e.id, o.Status, c.ID, c.Current)
		}
	}
	for _, c := range w.connections() {
		for _, claimed := range o.Connections {
			if claimed.ID == c.ID && claimed.EndSeenAt.Before(c.EndedAt) && claimed.Current == "terminated" {
				w.broke("%s says that the end of %s was seen at %v, and it was at %v", e.id, c.ID, claimed.EndSeenAt, c.EndedAt)
			}
		}
		if !isUp(c) {
			continue
		}
		if told[c.ID] == "terminated" {
			w.broke("%s says that %s has ended, which is %s", e.id, c.ID, c.Status)
		}
		about := w.means(e, c) && (person == "" || w.owner(c) == person)
		if _, listed := told[c.ID]; listed || !about || !c.EstablishedAt.Before(o.Timing.ReceivedAt) {
			continue
		}
		switch o.Status {
		case "terminated", "not-connected", "would-terminate", "reconnecting", "exempt", "over-limit", "ambiguous":
			if person != "breakglass" { // the policy exempts the name, so no search begins
				w.broke("%s says %s, and nothing of %s, which is %s since %v", e.id, o.Status, c.ID, c.Status, c.EstablishedAt)
			}
		}
	}
}

// allowed are the statuses that an event can have about a person.
func (w *world) allowed(e *event, person string) []string {
	all := []string{"failed"} // which says no more than that
	switch e.asks {
	case forRuling:
		return []string{"notified"}
	case forSweep:
		return []string{"ready", "notified", "not-ready"}
	case forFound:
		return foundStatuses(person)
	case forWord, forNone: // which takes back an earlier one, where there is a list
		return append(all, "notified")
	case tooOld:
		return append(all, "stale")
	case spoofed:
		return append(all, "unmapped")
	case forEnd:
		all = append(all, "terminated", "partial", "unverified", "reconnecting", "not-connected")
		if w.brake > 0 {
			all = append(all, "held", "notified") // notified: it was dropped
		}
	case forDryRun:
		all = append(all, "would-terminate", "partial", "not-connected")
	}
	switch {
	case e.only != "":
		return all
	case e.address != "":
		return append(all, "unmapped")
	case person == "breakglass":
		return []string{"exempt", "failed"}
	case w.crowded[person]:
		all = []string{"failed", "partial", "not-connected"}
		if w.brake > 0 {
			all = append(all, "held", "notified")
		}
	}
	if w.reinstatedSince(e, person) {
		all = append(all, "stale", "notified") // notified: a person lifted what this very event had asked for
	}
	return all
}

var eventOfText = regexp.MustCompile(`(?m)(?:^Event: \S+|clientvpn why) (\S+?)(?:,| |$)`)

// readPublished takes over what SNS has accepted.
func (w *world) readPublished() {
	all := w.cloud.Published()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range all[min(w.read, len(all)):] {
		if m.TopicARN == text {
			if e := eventOfText.FindStringSubmatch(m.Body); e != nil {
				w.texts[e[1]]++
			}
			continue
		}
		var o claim
		if err := json.Unmarshal([]byte(m.Body), &o); err != nil {
			w.broke("%v: %s", err, m.Body)
		}
		told := maps.Clone(w.told[o.event()])
		if told == nil {
			told = map[string][]string{}
		}
		told[o.name()] = append(told[o.name()], o.Status)
		w.told[o.event()] = told
		w.statuses = append(w.statuses, o.Status)
	}
	w.read = max(w.read, len(all))
}
