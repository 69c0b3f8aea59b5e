package ledger

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// history is what the table knows of a person, by cause. A cause that this version does not know counts like any other.
type history map[Cause]record

type record struct {
	entry  *Entry // nil for none
	lifted mark   // the last reinstatement; zero for none
}

// mark is a reinstatement, and what it lifted.
type mark struct {
	at         time.Time
	by, reason string
	was        *Entry
}

func (h history) causes() []Cause { return slices.Sorted(maps.Keys(h)) }

// later reports whether a is a later end than b; the zero time is for ever.
func later(a, b time.Time) bool {
	return !b.IsZero() && (a.IsZero() || a.After(b))
}

// end is the latest end of all entries; the zero time is for ever.
func (h history) end() time.Time {
	end := time.Unix(0, 0)
	for _, r := range h {
		if r.entry != nil && later(r.entry.Until, end) {
			end = r.entry.Until
		}
	}
	return end
}

// expiry is when DynamoDB may delete the item that is changed now; zero for never.
func (h history) expiry(now time.Time) time.Time {
	last := h.end()
	switch {
	case last.IsZero():
		return last
	case last.Before(now): // of a time that is long past, DynamoDB takes no notice
		last = now
	}
	for _, r := range h {
		if r.lifted.at.After(last) {
			last = r.lifted.at
		}
	}
	return last.Add(remembered)
}

// An item has the person as its key, "causes", a map of maps, and "expires_at" in seconds since 1970, if it does not hold for ever.
// Times are texts, for who reads the table by hand.

const forever = "forever"

func key(person string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"person": text(person)}
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// members makes a map of texts, leaving out those that are empty.
func members(texts map[string]string) map[string]types.AttributeValue {
	all := map[string]types.AttributeValue{}
	for name, s := range texts {
		if s != "" {
			all[name] = text(s)
		}
	}
	return all
}

func (h history) encode(person string) types.AttributeValue {
	causes := map[string]types.AttributeValue{}
	for cause, r := range h {
		all := r.entry.encode()
		if m := r.lifted; !m.at.IsZero() {
			lifted := members(map[string]string{"at": stamp(m.at), "by": m.by, "reason": clip(m.reason)})
			if m.was != nil {
				lifted["was"] = &types.AttributeValueMemberM{Value: m.was.encode()}
			}
			all["lifted"] = &types.AttributeValueMemberM{Value: lifted}
		}
		causes[string(cause)] = &types.AttributeValueMemberM{Value: all}
	}
	return &types.AttributeValueMemberM{Value: causes}
}

func (e *Entry) encode() map[string]types.AttributeValue {
	if e == nil {
		return map[string]types.AttributeValue{}
	}
	until := forever
	if !e.Until.IsZero() {
		until = stamp(e.Until)
	}
	return members(map[string]string{
		"reason": clip(e.Reason), "outcome_id": e.OutcomeID, "by": e.By, "since": stamp(e.Since), "event_at": stamp(e.EventAt), "until": until,
	})
}

// clip keeps an item far from DynamoDB's limit of 400 KB.
func clip(reason string) string {
	if len(reason) <= longestReason {
		return reason
	}
	return strings.ToValidUTF8(reason[:longestReason], "")
}

// decode reads an item. The error names what cannot be understood: to take it for nothing would let somebody in.
func decode(item map[string]types.AttributeValue) (history, error) {
	r := reader{}
	known := history{}
	person := r.text("person", item["person"])
	for cause, value := range r.fields("causes", item["causes"]) {
		path := "causes." + cause
		fields := r.fields(path, value)
		lifted := r.fields(path+".lifted", fields["lifted"])
		known[Cause(cause)] = record{
			entry: r.entry(path, fields, person, Cause(cause)),
			lifted: mark{
				at: r.time(path+".lifted.at", lifted["at"]), by: r.text(path+".lifted.by", lifted["by"]), reason: r.text(path+".lifted.reason", lifted["reason"]),
				was: r.entry(path+".lifted.was", r.fields(path+".lifted.was", lifted["was"]), person, Cause(cause)),
			},
		}
	}
	if r.err != nil {
		return nil, fmt.Errorf("the item of %q: %w", person, r.err)
	}
	return known, nil
}

// reader takes attributes apart, and keeps the first error.
type reader struct{ err error }

func (r *reader) fields(path string, value types.AttributeValue) map[string]types.AttributeValue {
	m, ok := value.(*types.AttributeValueMemberM)
	if value == nil {
		return nil
	}
	if !ok {
		r.err = cmp.Or(r.err, fmt.Errorf("%s is no map", path))
		return nil
	}
	return m.Value
}

func (r *reader) text(path string, value types.AttributeValue) string {
	s, ok := value.(*types.AttributeValueMemberS)
	if value == nil {
		return ""
	}
	if !ok {
		r.err = cmp.Or(r.err, fmt.Errorf("%s is no text", path))
		return ""
	}
	return s.Value
}

func (r *reader) time(path string, value types.AttributeValue) time.Time {
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

// entry reads an entry that keeps somebody out, which is one that has an end.
func (r *reader) entry(path string, fields map[string]types.AttributeValue, person string, cause Cause) *Entry {
	if len(fields) == 0 || len(fields) == 1 && fields["lifted"] != nil {
		return nil
	}
	e := &Entry{
		Person: person, Cause: cause,
		Reason: r.text(path+".reason", fields["reason"]), OutcomeID: r.text(path+".outcome_id", fields["outcome_id"]), By: r.text(path+".by", fields["by"]),
		Since: r.time(path+".since", fields["since"]), EventAt: r.time(path+".event_at", fields["event_at"]),
	}
	switch until := r.text(path+".until", fields["until"]); until {
	case forever:
	case "":
		r.err = cmp.Or(r.err, fmt.Errorf("%s.until is missing; it is a time, or %q", path, forever))
	default:
		e.Until = r.time(path+".until", fields["until"])
	}
	return e
}
