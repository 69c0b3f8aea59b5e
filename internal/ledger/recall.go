package ledger

import (
	"context"
	"maps"
	"slices"
	"time"
)

// Query asks what is known of events and people.
type Query struct {
	Events []EventKey
	People []string
	// Names are names of people, folded. What the list knows of them under another person is read, too.
	Names []string
}

// Recalled is what is known. What is not there was never heard of.
type Recalled struct {
	Events map[EventKey]Event
	People map[string]Access
	// Switch is the off switch, which is read with everything else.
	Switch Switch
}

// Recall reads everything that a batch of events needs at once. An error means that nothing of it is known, but for the
// off switch if it could be read.
func (t *Table) Recall(ctx context.Context, q Query) (Recalled, error) {
	ids := []string{switchID}
	for _, k := range q.Events {
		ids = append(ids, k.id())
	}
	for _, person := range q.People {
		if person != "" {
			ids = append(ids, personPrefix+person)
		}
	}
	items, err := t.load(ctx, append(ids, nameIDs(q.Names)...))
	known := Recalled{Events: map[EventKey]Event{}, Switch: switchOf(items)}
	if err == nil {
		err = t.follow(ctx, items, ids)
	}
	if err != nil {
		return Recalled{Switch: known.Switch}, err
	}
	if known.People, err = decodePeople(items, time.Now()); err != nil {
		return Recalled{Switch: known.Switch}, err
	}
	for _, k := range q.Events {
		item, there := items[k.id()]
		if !there {
			continue
		}
		bySubject, err := decodeEvent(k.id(), item)
		if err != nil {
			return Recalled{Switch: known.Switch}, err
		}
		if e, answered := bySubject[k.Subject]; answered {
			e.Key = k
			known.Events[k] = e
		}
	}
	return known, nil
}

// follow adds the people to whom the items of names lead, unless they are among those that were read.
func (t *Table) follow(ctx context.Context, items map[string]content, read []string) error {
	people, err := pointed(items)
	var ids []string
	for _, person := range people {
		if id := personPrefix + person; !slices.Contains(read, id) {
			ids = append(ids, id)
		}
	}
	if err != nil || len(ids) == 0 {
		return err
	}
	more, err := t.load(ctx, ids)
	maps.Copy(items, more)
	return err
}
