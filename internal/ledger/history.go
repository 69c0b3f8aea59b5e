package ledger

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/dynamo"
)

// history is what the table knows of a person. A cause that this version does not know counts like any other.
type history struct {
	person   string
	entries  map[string]Entry   // by cause and issuer
	closings map[string]Closing // by issuer
	openings map[string]opening // by issuer and what they cover
	lifted   map[string]mark    // by outcome id: entries that somebody lifted by hand
}

// opening is a reinstatement, and what it lifted.
type opening struct {
	Lift
	was []Entry
}

// mark is when and by whom something was lifted.
type mark struct {
	at time.Time
	by string
}

func newHistory(person string) history {
	return history{person, map[string]Entry{}, map[string]Closing{}, map[string]opening{}, map[string]mark{}}
}

// key is the entry's place among those of its person.
func (e Entry) key() string { return strings.TrimSpace(string(e.Cause) + " " + e.Issuer) }

// key is the place of a reinstatement among those of its person. One that covers less never replaces one that covers
// more.
func (l Lift) key() string {
	words := []string{named(l.Issuer)}
	for _, cause := range l.Causes {
		words = append(words, string(cause))
	}
	if l.AnyIssuer {
		words = append(words, "any")
	}
	return strings.Join(append(words, l.Issuers...), " ")
}

func (h history) keys() []string { return slices.Sorted(maps.Keys(h.entries)) }

func (h history) holding(now time.Time) (holding []Entry) {
	for _, k := range h.keys() {
		if e := h.entries[k]; e.Holds(now) {
			holding = append(holding, e)
		}
	}
	return holding
}

// access is the history as others see it.
func (h history) access(now time.Time) Access {
	a := Access{Person: h.person, Entries: h.holding(now), lifted: h.lifted}
	for _, issuer := range slices.Sorted(maps.Keys(h.closings)) {
		a.Closings = append(a.Closings, h.closings[issuer])
	}
	for _, issuer := range slices.Sorted(maps.Keys(h.openings)) {
		a.openings = append(a.openings, h.openings[issuer])
	}
	return a
}

// later reports whether a is a later end than b; the zero time is for ever.
func later(a, b time.Time) bool {
	return !b.IsZero() && (a.IsZero() || a.After(b))
}

// end is the latest end of all entries; the zero time is for ever.
func (h history) end() time.Time {
	end := time.Unix(0, 0)
	for _, e := range h.entries {
		if later(e.Until, end) {
			end = e.Until
		}
	}
	return end
}

// expiry is when DynamoDB may delete the item that is changed now; zero for never.
func (h history) expiry(now time.Time) time.Time {
	last := h.end()
	if last.IsZero() {
		return last
	}
	for _, o := range h.openings {
		if o.At.After(last) {
			last = o.At
		}
	}
	for _, c := range h.closings {
		if c.EventAt.After(last) {
			last = c.EventAt
		}
	}
	if last.Before(now) { // of a time that is long past, DynamoDB takes no notice
		last = now
	}
	return last.Add(remembered)
}

// people reads what is known of people, each under its own name. Who is not known is not in the result.
func (t *Table) people(ctx context.Context, people []string) (map[string]Access, error) {
	var ids []string
	for _, person := range people {
		if person != "" {
			ids = append(ids, personPrefix+person)
		}
	}
	items, err := t.load(ctx, ids)
	if err != nil {
		return nil, err
	}
	return decodePeople(items, time.Now())
}

func decodePeople(items map[string]content, now time.Time) (map[string]Access, error) {
	all := map[string]Access{}
	for id, known := range items {
		person, is := strings.CutPrefix(id, personPrefix)
		if !is {
			continue
		}
		h, err := decodeHistory(person, known)
		if err != nil {
			return nil, err
		}
		all[person] = h.access(now)
	}
	return all, nil
}

func (h history) encode() content {
	entries, closings, openings, lifted := content{}, content{}, content{}, content{}
	for k, e := range h.entries {
		entries[k] = mapOf(e.encode())
	}
	for issuer, c := range h.closings {
		closings[named(issuer)] = mapOf(c.encode())
	}
	for issuer, o := range h.openings {
		openings[issuer] = mapOf(o.encode())
	}
	for _, id := range h.lastLifted() {
		lifted[id] = mapOf(members(map[string]string{"at": stamp(h.lifted[id].at), "by": h.lifted[id].by}))
	}
	all := content{}
	for name, part := range map[string]content{
		"entries": entries, "closings": closings, "openings": openings, "lifted": lifted,
	} {
		if len(part) > 0 {
			all[name] = mapOf(part)
		}
	}
	return all
}

// lastLifted are the outcome ids of the last marks, which are kept.
func (h history) lastLifted() []string {
	const most = 50
	ids := slices.SortedFunc(maps.Keys(h.lifted), func(a, b string) int { return h.lifted[b].at.Compare(h.lifted[a].at) })
	return ids[:min(len(ids), most)]
}

// named is the name of an issuer in a map; DynamoDB allows an empty one, and a reader by hand would miss it.
func named(issuer string) string {
	if issuer == "" {
		return "-"
	}
	return issuer
}

func decodeHistory(person string, known content) (history, error) {
	r := reader{}
	h := newHistory(person)
	for k, value := range r.fields("entries", known["entries"]) {
		h.entries[k] = r.entry("entries."+k, value, person)
	}
	for issuer, value := range r.fields("closings", known["closings"]) {
		c := r.closing("closings."+issuer, value)
		h.closings[c.Issuer] = c
	}
	for issuer, value := range r.fields("openings", known["openings"]) {
		o := r.opening("openings."+issuer, value, person)
		h.openings[o.key()] = o
	}
	for id, value := range r.fields("lifted", known["lifted"]) {
		fields := r.fields("lifted."+id, value)
		h.lifted[id] = mark{r.time("lifted."+id+".at", fields["at"]), r.text("lifted."+id+".by", fields["by"])}
	}
	if r.err != nil {
		return history{}, fmt.Errorf("the item of %q: %w", person, r.err)
	}
	return h, nil
}

func mapOf(members dynamo.Item) dynamo.Value {
	return dynamo.M(members)
}
