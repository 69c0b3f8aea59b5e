package signal

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// requiredString is a string, or a number where a provider or a forwarder writes one. Null is "". Any other value is an
// error.
type requiredString string

// UnmarshalJSON reads a string, a number or null.
func (s *requiredString) UnmarshalJSON(raw []byte) error {
	switch raw[0] {
	case '"':
		if inner := raw[1 : len(raw)-1]; utf8.Valid(inner) && !bytes.ContainsRune(inner, '\\') {
			*s = requiredString(inner) // the text as it is, which is most of them
			return nil
		}
		return json.Unmarshal(raw, (*string)(s))
	case 'n':
		*s = ""
	case '{', '[', 't', 'f':
		return wrongType[requiredString](raw)
	default:
		*s = requiredString(raw) // the digits as they are: ids are longer than a float64 is exact
	}
	return nil
}

// lenientString is a string that only people read, such as a title. A value of another type counts as empty: that is no
// reason to miss a person.
type lenientString requiredString

// UnmarshalJSON reads a string or a number, and ignores anything else.
func (s *lenientString) UnmarshalJSON(raw []byte) error {
	var required requiredString
	if required.UnmarshalJSON(raw) == nil {
		*s = lenientString(required)
	}
	return nil
}

// lenient is a value of a branch that is not about people. A value that does not fit is absent: that is no reason to
// miss a person.
type lenient[T any] struct{ value T }

// UnmarshalJSON reads a T, and ignores anything else.
func (l *lenient[T]) UnmarshalJSON(raw []byte) error {
	var value T
	if json.Unmarshal(raw, &value) == nil {
		l.value = value
	}
	return nil
}

// timeLayouts are the forms in which providers are known to write times. Times without a zone are UTC.
var timeLayouts = []string{
	time.RFC3339, "2006-01-02T15:04:05.999Z0700", "2006-01-02T15:04:05.999", "2006-01-02 15:04:05.999",
	"2006-01-02 15:04:05.999 UTC", "1/2/2006 3:04:05 PM",
}

// time reads a timestamp in one of timeLayouts, or in seconds or milliseconds since 1970. Any other text is the zero
// time.
func (s requiredString) time() time.Time {
	for _, layout := range timeLayouts {
		if at, err := time.Parse(layout, string(s)); err == nil {
			return at.UTC()
		}
	}
	// From 1980 to 2200, the milliseconds are more than 3e11 and the seconds less than 1e10.
	switch since, err := strconv.ParseFloat(string(s), 64); {
	case err != nil || since < 3e8 || since > 1e13:
		return time.Time{}
	case since < 1e10:
		return time.UnixMilli(int64(since * 1000)).UTC()
	case since > 3e11:
		return time.UnixMilli(int64(since)).UTC()
	}
	return time.Time{}
}

func (s lenientString) time() time.Time { return requiredString(s).time() }

// firstTime returns the first time that is not zero.
func firstTime(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// flag is a boolean, or the word for one.
type flag bool

// UnmarshalJSON reads a boolean, its word in any case, 1, 0 or null.
func (f *flag) UnmarshalJSON(raw []byte) error {
	switch string(bytes.ToLower(bytes.Trim(raw, `"`))) {
	case "true", "1":
		*f = true
	case "false", "null", "", "0":
		*f = false
	default:
		return wrongType[flag](raw)
	}
	return nil
}

// number is a JSON number, or the digits of one in a string. Null and absent are not set.
type number struct {
	value float64
	set   bool
}

// UnmarshalJSON reads a number, its digits in a string, or null.
func (n *number) UnmarshalJSON(raw []byte) error {
	digits := bytes.Trim(raw, `"`)
	if string(digits) == "null" {
		return nil
	}
	// JSON's numbers only: ParseFloat would accept "Infinity" and "0x1p3", too.
	value, err := strconv.ParseFloat(string(digits), 64)
	if err != nil || !json.Valid(digits) {
		return wrongType[number](raw)
	}
	*n = number{value, true}
	return nil
}

// wrongType is the error for which encoding/json adds the field. T is the type that was wanted.
func wrongType[T any](raw []byte) error {
	return &json.UnmarshalTypeError{Value: string(raw), Type: reflect.TypeFor[T]()}
}

// unquote returns the document inside a JSON string, or raw itself if raw is no string.
func unquote(raw json.RawMessage) json.RawMessage {
	var inner string
	if json.Unmarshal(raw, &inner) == nil {
		return json.RawMessage(inner)
	}
	return raw
}

// jsonWord returns a JSON scalar in lower case and without its quotes.
func jsonWord(raw json.RawMessage) string { return Fold(strings.Trim(string(raw), `"`)) }

// clip shortens s to at most n runes.
func clip(s string, n int) string {
	if len(s) <= n {
		return s // as most are
	}
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return s
}
