package trial

import (
	"encoding/json"
	"regexp"
	"strconv"
	"time"
)

// timestamp matches the ways in which the events of events/ write times: texts, and seconds or milliseconds since 1970.
var timestamp = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?` +
	`|\b\d\d?/\d\d?/\d{4} \d\d?:\d\d:\d\d [AP]M\b|\b1[78]\d{8}(\d{3})?\b`)

// layouts are those of the texts.
var layouts = []string{
	"2006-01-02T15:04:05.000Z07:00", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05.000Z0700",
	"2006-01-02 15:04:05", "1/2/2006 3:04:05 PM",
}

// EventTime returns the time on an event's envelope, the zero time if there is none.
func EventTime(raw []byte) time.Time {
	var envelope struct {
		Time time.Time `json:"time"`
	}
	_ = json.Unmarshal(raw, &envelope) // without a time it is the zero time
	return envelope.Time
}

// MoveToNow returns the event as if it had happened just now: every time in it moves by as much as the envelope's.
func MoveToNow(raw []byte) []byte {
	at := EventTime(raw)
	if at.IsZero() {
		return raw
	}
	by := time.Now().Truncate(time.Second).Sub(at)
	return timestamp.ReplaceAllFunc(raw, func(old []byte) []byte { return move(old, by) })
}

// move returns a time that is later by so much, in the form in which it was written.
func move(old []byte, by time.Duration) []byte {
	for _, layout := range layouts {
		if parsed, err := time.Parse(layout, string(old)); err == nil {
			return []byte(parsed.Add(by).UTC().Format(layout))
		}
	}
	number, err := strconv.ParseInt(string(old), 10, 64)
	if err != nil {
		return old
	}
	unit := time.Millisecond
	if len(old) == 10 {
		unit = time.Second
	}
	return strconv.AppendInt(nil, number+int64(by/unit), 10)
}
