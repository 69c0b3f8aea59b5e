package ledger

import (
	"context"
	"maps"
	"slices"
	"time"

	"clientvpn-responder/internal/identity"
)

// An item of a name says under which people the list may have entries about it. There is one if an alias or a template
// of certificates led from the name to the person, because the policy may lose both.

// isNamed reports whether the event named the person by one of the names, folded. With known, the names count, too, by
// which the policy then knew the person.
func (e Entry) isNamed(names []string, known bool) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		return known && slices.Contains(e.Known, name) ||
			slices.ContainsFunc(e.Names, func(given string) bool { return identity.Fold(given) == name })
	})
}

// otherNames returns the bare names that do not lead to the person of the entry by themselves, each once.
func (e Entry) otherNames() []string {
	bare := map[string]bool{}
	for _, name := range slices.Concat(e.Known, e.CommonNames) {
		if b, _ := identity.BareName(name); name != e.Person && b != e.Person && b != "" {
			bare[b] = true
		}
	}
	return slices.Sorted(maps.Keys(bare))
}

// nameItems writes the items of the entry's other names.
func (t *Table) nameItems(ctx context.Context, e Entry) error {
	return sideBySide(e.otherNames(), func(name string) error {
		return t.change(ctx, namePrefix+name, func(known content) (content, time.Time, error) {
			r := reader{}
			people, until := r.list("people", known["people"]), r.text("until", known["until"])
			end := r.until("until", until)
			if r.err != nil || slices.Contains(people, e.Person) && !later(e.Until, end) {
				return nil, time.Time{}, r.err
			}
			if until == "" || later(e.Until, end) {
				end = e.Until
			}
			if !slices.Contains(people, e.Person) {
				people = append(people, e.Person)
			}
			next := members(map[string]string{"people": list(people), "until": untilText(end)})
			if end.IsZero() {
				return next, end, nil
			}
			return next, end.Add(remembered), nil
		})
	})
}

// pointed returns the people to whom the items of names lead.
func pointed(items map[string]content) ([]string, error) {
	var all []string
	r := reader{}
	for _, id := range slices.Sorted(maps.Keys(items)) {
		if len(id) > len(namePrefix) && id[:len(namePrefix)] == namePrefix {
			all = append(all, r.list(id+".people", items[id]["people"])...)
		}
	}
	return all, r.err
}

// nameIDs returns the ids of the items of names.
func nameIDs(names []string) []string {
	var ids []string
	for _, name := range names {
		if bare, _ := identity.BareName(name); bare != "" {
			ids = append(ids, namePrefix+bare)
		}
	}
	return ids
}

// Named returns the people whose entries are about one of the names, folded. It does not matter what the policy makes
// of the names by now.
func (t *Table) Named(ctx context.Context, names []string) ([]string, error) {
	var keys []string
	for _, name := range names {
		bare, _ := identity.BareName(name)
		keys = append(keys, name, bare)
	}
	known, err := t.Recall(ctx, Query{People: keys, Names: names})
	if err != nil {
		return nil, err
	}
	var people []string
	for _, person := range slices.Sorted(maps.Keys(known.People)) {
		if slices.ContainsFunc(known.People[person].Entries, func(e Entry) bool { return e.isNamed(names, true) }) {
			people = append(people, person)
		}
	}
	return people, nil
}
