package signal

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// oktaHook is what Okta posts to an event hook, as a customer's forwarder puts it on a bus.
// Source: Okta developer documentation, "Event hooks", "Sample event delivery payload".
type oktaHook struct {
	EventType lenientString `json:"eventType"`
	Source    lenientString `json:"source"`
	Data      struct {
		Events []json.RawMessage `json:"events"`
	} `json:"data"`
}

// eventHook is the type of a post to an event hook.
const eventHook = "com.okta.event_hook"

// readOktaHook returns the post to an event hook, if the detail is one.
func readOktaHook(detail json.RawMessage) (hook oktaHook, ok bool) {
	var about struct {
		EventType lenientString `json:"eventType"`
	}
	mayBe := bytes.Contains(detail, []byte(eventHook)) // saves reading most events twice
	return hook, mayBe && json.Unmarshal(detail, &about) == nil && about.EventType == eventHook
}

// parse reads each of the hook's events. The organization is the first part of the host in the hook's source.
func (h oktaHook) parse(e event) ([]Signal, error) {
	if err := decode("detail", e.Detail, &h); err != nil {
		return nil, err
	}
	if len(h.Data.Events) == 0 {
		return nil, unreadable("detail.data.events", "missing or empty; a post to an event hook lists its events")
	}
	org := e.issuer("")
	if u, err := url.Parse(string(h.Source)); err == nil {
		name, _, _ := strings.Cut(u.Hostname(), ".")
		org = e.issuer(requiredString(name))
	}
	return parseRecords(h.Data.Events, func(i int, raw json.RawMessage) ([]Signal, error) {
		return parseOktaEvent(e, element("detail.data.events", i), raw, org)
	})
}

// oktaChange is a change of a target's attributes.
type oktaChange struct {
	From map[string]lenientString `json:"from"`
	To   map[string]lenientString `json:"to"`
}

// state returns the change of the person's state, in the customer's words, or nil if nothing changed it.
func (o oktaEvent) state() *StateChange {
	if o.EventType != "user.account.update_profile" {
		return nil
	}
	for _, t := range o.Target {
		change := t.ChangeDetails.value
		if t.Type != "User" {
			continue
		}
		for _, attribute := range slices.Sorted(maps.Keys(change.To)) {
			if s := newState(lenientString(attribute), change.From[attribute], change.To[attribute]); s != nil &&
				isState(lenientString(attribute)) {
				return s
			}
		}
	}
	return nil
}

// meaning returns the event type, with the change of state that matters.
func (o oktaEvent) meaning(state *StateChange) requiredString {
	switch {
	case state == nil:
		return o.EventType
	case state.isActive():
		return o.EventType + " state: active"
	}
	return o.EventType + " state"
}
