package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"clientvpn-responder/internal/dynamo"
)

// Times are texts, for people who read the table by hand.

const forever = "forever"

func text(s string) dynamo.Value { return dynamo.S(s) }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// stampOf is empty for the zero time.
func stampOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return stamp(t)
}

// members makes a map of texts, leaving out those that are empty.
func members(texts map[string]string) dynamo.Item {
	all := dynamo.Item{}
	for name, s := range texts {
		if s != "" {
			all[name] = text(s)
		}
	}
	return all
}

// separator stands between the words of a list. No name may have it. Source: [signal.Name].
const separator = "\n"

func list(words []string) string { return strings.Join(words, separator) }

// untilText is the end of an entry, for the table.
func untilText(end time.Time) string {
	if end.IsZero() {
		return forever
	}
	return stamp(end)
}

func (e Entry) encode() dynamo.Item {
	return members(map[string]string{
		"cause": string(e.Cause), "issuer": e.Issuer, "names": clip(list(e.Names)), "reason": clip(e.Reason),
		"known_names": list(e.Known), "common_names": list(e.CommonNames),
		"outcome_id": e.OutcomeID, "by": e.By,
		"since": stamp(e.Since), "event_at": stamp(e.EventAt), "arrived": stampOf(e.Arrived), "until": untilText(e.Until),
	})
}

func (c Closing) encode() dynamo.Item {
	return members(map[string]string{
		"issuer": c.Issuer, "provider": c.Provider, "outcome_id": c.OutcomeID, "kind": c.Kind, "reason": clip(c.Reason),
		"event_at": stampOf(c.EventAt), "arrived": stampOf(c.Arrived),
	})
}

func (o opening) encode() dynamo.Item {
	var causes []string
	for _, c := range o.Causes {
		causes = append(causes, string(c))
	}
	any := ""
	if o.AnyIssuer {
		any = "yes"
	}
	all := members(map[string]string{
		"issuer": o.Issuer, "causes": list(causes), "issuers": list(o.Issuers), "any_issuer": any,
		"outcome_id": o.OutcomeID, "by": o.By, "reason": clip(o.Reason),
		"at": stamp(o.At), "arrived": stampOf(o.Arrived),
	})
	was := content{}
	for _, e := range o.was {
		was[e.key()] = mapOf(e.encode())
	}
	if len(was) > 0 {
		all["was"] = mapOf(was)
	}
	return all
}

// reader takes attributes apart, and keeps the first error. What it cannot understand is an error: to pass over it
// would let somebody in.
type reader struct{ err error }

func (r *reader) fields(path string, value dynamo.Value) dynamo.Item {
	if value.IsZero() {
		return nil
	}
	if value.M == nil {
		r.err = cmp.Or(r.err, fmt.Errorf("%s is no map", path))
		return nil
	}
	return value.M
}

func (r *reader) text(path string, value dynamo.Value) string {
	if value.IsZero() {
		return ""
	}
	if value.S == nil {
		r.err = cmp.Or(r.err, fmt.Errorf("%s is no text", path))
		return ""
	}
	return *value.S
}

func (r *reader) list(path string, value dynamo.Value) []string {
	if s := r.text(path, value); s != "" {
		return strings.Split(s, separator)
	}
	return nil
}

func (r *reader) time(path string, value dynamo.Value) time.Time {
	written := r.text(path, value)
	if written == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, written)
	if err != nil {
		r.err = cmp.Or(r.err, fmt.Errorf("%s: %w", path, err))
	}
	return t
}

func (r *reader) entry(path string, value dynamo.Value, person string) Entry {
	fields := r.fields(path, value)
	e := Entry{
		Person: person, Cause: Cause(r.text(path+".cause", fields["cause"])),
		Issuer: r.text(path+".issuer", fields["issuer"]),
		Names:  r.list(path+".names", fields["names"]), Known: r.list(path+".known_names", fields["known_names"]),
		CommonNames: r.list(path+".common_names", fields["common_names"]),
		Reason:      r.text(path+".reason", fields["reason"]),
		OutcomeID:   r.text(path+".outcome_id", fields["outcome_id"]), By: r.text(path+".by", fields["by"]),
		Since: r.time(path+".since", fields["since"]), EventAt: r.time(path+".event_at", fields["event_at"]),
		Arrived: r.time(path+".arrived", fields["arrived"]),
	}
	until := r.text(path+".until", fields["until"])
	if until == "" {
		r.err = cmp.Or(r.err, fmt.Errorf("%s.until is missing; it is a time, or %q", path, forever))
	}
	e.Until = r.until(path+".until", until)
	return e
}

// until reads the end of an entry; the zero time is for ever.
func (r *reader) until(path, written string) time.Time {
	if written == forever {
		return time.Time{}
	}
	return r.time(path, text(written))
}

func (r *reader) closing(path string, value dynamo.Value) Closing {
	fields := r.fields(path, value)
	return Closing{
		Issuer: r.text(path+".issuer", fields["issuer"]), Provider: r.text(path+".provider", fields["provider"]),
		OutcomeID: r.text(path+".outcome_id", fields["outcome_id"]), Kind: r.text(path+".kind", fields["kind"]),
		Reason:  r.text(path+".reason", fields["reason"]),
		EventAt: r.time(path+".event_at", fields["event_at"]), Arrived: r.time(path+".arrived", fields["arrived"]),
	}
}

func (r *reader) opening(path string, value dynamo.Value, person string) opening {
	fields := r.fields(path, value)
	o := opening{Lift: Lift{
		Issuer: r.text(path+".issuer", fields["issuer"]), Issuers: r.list(path+".issuers", fields["issuers"]),
		AnyIssuer: r.text(path+".any_issuer", fields["any_issuer"]) != "",
		OutcomeID: r.text(path+".outcome_id", fields["outcome_id"]), By: r.text(path+".by", fields["by"]),
		Reason: r.text(path+".reason", fields["reason"]),
		At:     r.time(path+".at", fields["at"]), Arrived: r.time(path+".arrived", fields["arrived"]),
	}}
	for _, c := range r.list(path+".causes", fields["causes"]) {
		o.Causes = append(o.Causes, Cause(c))
	}
	was := r.fields(path+".was", fields["was"])
	for k, value := range was {
		o.was = append(o.was, r.entry(path+".was."+k, value, person))
	}
	slices.SortFunc(o.was, func(a, b Entry) int { return cmp.Compare(a.key(), b.key()) })
	return o
}

func (r *reader) number(path string, fields content, name string) int {
	s := r.text(path+"."+name, fields[name])
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		r.err = cmp.Or(r.err, fmt.Errorf("%s.%s: %w", path, name, err))
	}
	return n
}

func (r *reader) event(path string, value dynamo.Value) Event {
	fields := r.fields(path, value)
	return Event{
		FirstReceived: r.time(path+".first_received", fields["first_received"]),
		AnsweredAt:    r.time(path+".answered_at", fields["answered_at"]),
		EventAt:       r.time(path+".event_at", fields["event_at"]), Status: r.text(path+".status", fields["status"]),
		Summary: r.text(path+".summary", fields["summary"]),
		Rule:    r.text(path+".rule", fields["rule"]), Kind: r.text(path+".kind", fields["kind"]),
		Type:   r.text(path+".type", fields["type"]),
		People: r.list(path+".people", fields["people"]), Lane: r.text(path+".lane", fields["lane"]),
		HeldAt: r.time(path+".held_at", fields["held_at"]),
		Owed:   r.text(path+".owed", fields["owed"]), Ended: r.number(path, fields, "ended"),
		Settled: r.text(path+".settled", fields["settled"]) != "",
	}
}
