package ledger

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// EventKey identifies one signal of an event: the provider, the provider's own id, and the subject. One event may be
// about several people.
type EventKey struct{ Provider, ID, Subject string }

// id is the key of the event's item. A long one is hashed.
func (k EventKey) id() string {
	id := eventPrefix + k.Provider + "#" + k.ID
	if len(id) > longestID/2 {
		id = fmt.Sprintf("%s%s#sha256:%x", eventPrefix, k.Provider, sha256.Sum256([]byte(k.ID)))
	}
	return id
}

// Event is what became of one signal of an event.
type Event struct {
	Key EventKey `json:"-"`
	// FirstReceived is when it first arrived, AnsweredAt when SNS had accepted its outcome; zero where that is still
	// to come.
	FirstReceived time.Time `json:"first_received"`
	AnsweredAt    time.Time `json:"answered_at,omitzero"`
	EventAt       time.Time `json:"event_at,omitzero"`
	// Status, Summary, Rule, Kind and Type are those of the outcome; Ended is how many connections it terminated.
	Status  string   `json:"status"`
	Summary string   `json:"summary"`
	Rule    string   `json:"rule,omitempty"`
	Kind    string   `json:"kind"`
	Type    string   `json:"type"`
	People  []string `json:"people,omitempty"`
	Ended   int      `json:"ended,omitempty"`
	// Settled says that an earlier outcome left nothing to do.
	Settled bool `json:"settled,omitempty"`
	// Lane and HeldAt say which brake holds it, and since when.
	Lane   string    `json:"lane,omitempty"`
	HeldAt time.Time `json:"held_at,omitzero"`
	// Owed are the messages that SNS has not accepted yet, as their sender writes them.
	Owed string `json:"-"`
}

// Note records what became of signals. Earlier records of the same signal stay where they say more. They may say when
// it first arrived, since when it is held, and that an outcome left nothing to do.
func (t *Table) Note(ctx context.Context, events []Event) error {
	byID := map[string][]Event{}
	for _, e := range events {
		byID[e.Key.id()] = append(byID[e.Key.id()], e)
	}
	return sideBySide(slices.Sorted(maps.Keys(byID)), func(id string) error {
		return t.change(ctx, id, func(known content) (content, time.Time, error) {
			before, err := decodeEvent(id, known)
			if err != nil {
				before = map[string]Event{} // what somebody spoilt by hand is written anew
			}
			for _, e := range byID[id] {
				before[e.Key.Subject] = e.after(before[e.Key.Subject])
			}
			return encodeEvent(byID[id][0].Key, before), time.Now().Add(remembered), nil
		})
	})
}

// after is the record e with what an earlier one says beyond it.
func (e Event) after(before Event) Event {
	if !before.FirstReceived.IsZero() && before.FirstReceived.Before(e.FirstReceived) {
		e.FirstReceived = before.FirstReceived
	}
	if e.AnsweredAt.IsZero() {
		e.AnsweredAt = before.AnsweredAt
	}
	if e.HeldAt.IsZero() { // a repeat does not hide that the brake held it, so the ruling still holds
		e.Lane, e.HeldAt = before.Lane, before.HeldAt
	}
	e.Settled = e.Settled || before.Settled
	if e.Settled && before.Ended > 0 && e.Ended == 0 && before.Status != "" {
		// A repeat that found nobody does not hide that somebody was cut off.
		e.Status, e.Summary, e.Ended = before.Status, before.Summary, before.Ended
		if !before.AnsweredAt.IsZero() {
			e.AnsweredAt = before.AnsweredAt
		}
	}
	return e
}

// mostOwed is how many bytes of messages an item holds, which may have 400 KB.
const mostOwed = 200 << 10

// mostSubjects is how many subjects of one event are kept; one event is about at most 100 people.
const mostSubjects = 100

func encodeEvent(k EventKey, bySubject map[string]Event) content {
	subjects, owed := content{}, 0
	for _, subject := range slices.Sorted(maps.Keys(bySubject)) {
		if len(subjects) == mostSubjects {
			break
		}
		e := bySubject[subject]
		if owed += len(e.Owed); owed > mostOwed {
			e.Owed = ""
		}
		fields := members(map[string]string{
			"first_received": stampOf(e.FirstReceived), "answered_at": stampOf(e.AnsweredAt),
			"event_at": stampOf(e.EventAt), "status": e.Status,
			"summary": clip(e.Summary), "rule": e.Rule, "kind": e.Kind, "type": clip(e.Type),
			"people": clip(list(e.People)), "lane": e.Lane,
			"held_at": stampOf(e.HeldAt), "owed": e.Owed,
		})
		if e.Ended > 0 {
			fields["ended"] = text(fmt.Sprint(e.Ended))
		}
		if e.Settled {
			fields["settled"] = text("yes")
		}
		subjects[named(subject)] = mapOf(fields)
	}
	return content{"provider": text(k.Provider), "event": text(clip(k.ID)), "subjects": mapOf(subjects)}
}

func decodeEvent(id string, known content) (map[string]Event, error) {
	r := reader{}
	all := map[string]Event{}
	provider, event := r.text("provider", known["provider"]), r.text("event", known["event"])
	for subject, value := range r.fields("subjects", known["subjects"]) {
		e := r.event("subjects."+subject, value)
		if subject == named("") {
			subject = ""
		}
		e.Key = EventKey{provider, event, subject}
		all[subject] = e
	}
	if r.err != nil {
		return nil, fmt.Errorf("the item of %q: %w", strings.TrimPrefix(id, eventPrefix), r.err)
	}
	return all, nil
}

// Events yields what became of every event that is remembered, in no order.
func (t *Table) Events(ctx context.Context) ([]Event, error) {
	var all []Event
	err := t.scan(ctx, eventPrefix, func(id string, known content) error {
		events, err := decodeEvent(id, known)
		for _, e := range events {
			all = append(all, e)
		}
		return err
	})
	slices.SortFunc(all, func(a, b Event) int { return a.FirstReceived.Compare(b.FirstReceived) })
	return all, err
}
