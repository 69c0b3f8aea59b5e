package signal

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// decode unmarshals the value at the JSON path parent. Its error names the value that does not fit by the event's own
// path, and says what to do.
func decode(parent string, raw []byte, v any) error {
	err := json.Unmarshal(raw, v)
	if err == nil {
		return nil
	}
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return unreadable(cmp.Or(parent, "event"), "%v", err)
	}
	var fields []string
	if wrong.Field != "" {
		fields = strings.Split(wrong.Field, ".")
	}
	is := kindOf([]byte(wrong.Value))
	misfit := misfit{is: func(value []byte) bool { return string(value) == wrong.Value }}
	path, value := misfit.locate(parent, raw, fields)
	if value == nil { // encoding/json names only the kind of a value that it refuses itself
		is, _, _ = strings.Cut(wrong.Value, " ")
		misfit.is = func(value []byte) bool { return kindOf(value) == is }
		misfit.forArray = wrong.Type.Kind() == reflect.Slice
		path, value = misfit.locate(parent, raw, fields)
	}
	return unreadable(cmp.Or(strings.Trim(path, "."), "event"), "%s", remedy(is, value, wrong.Type))
}

// decodeOptional unmarshals raw into v unless raw is absent.
func decodeOptional(parent string, raw []byte, v any) error {
	if len(raw) == 0 {
		return nil
	}
	return decode(parent, raw, v)
}

// misfit is a value that does not fit its field.
type misfit struct {
	is       func(value []byte) bool
	forArray bool // the field takes an array, so that the elements of an array in its place are others' values
}

// locate returns the path and the bytes of the first value under the fields that is the misfit. It walks into each
// element of an array. A field that the document does not have is the name of a Go type, which encoding/json writes
// between the fields; the path skips it. If nothing fits, the path leads as far as the document does.
func (m misfit) locate(path string, raw []byte, fields []string) (string, []byte) {
	raw = bytes.TrimSpace(raw)
	isIt := len(fields) == 0 && m.is(raw)
	switch kindOf(raw) {
	case "array": // an element that fits is more likely the one
		if len(fields) == 0 && m.forArray {
			break
		}
		var elements []json.RawMessage
		_ = json.Unmarshal(raw, &elements) // the caller has found the syntax to be valid
		for i, element := range elements {
			if p, value := m.locate(fmt.Sprintf("%s[%d]", path, i), element, fields); value != nil {
				return p, value
			}
		}
	case "object":
		if len(fields) == 0 {
			break
		}
		var members map[string]json.RawMessage
		_ = json.Unmarshal(raw, &members)
		for key, member := range members {
			if strings.EqualFold(key, fields[0]) {
				return m.locate(path+"."+key, member, fields[1:])
			}
		}
		return m.locate(path, raw, fields[1:])
	}
	if isIt {
		return path, raw
	}
	return path, nil
}

// kindOf returns the kind of a JSON value, in encoding/json's words.
func kindOf(raw []byte) string {
	if len(raw) == 0 {
		return ""
	}
	switch raw[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "bool"
	case 'n':
		return "null"
	}
	return "number"
}

// kindNames are the kinds, for people.
var kindNames = map[string]string{
	"object": "an object", "array": "an array", "string": "a string", "bool": "a boolean", "number": "a number",
}

// remedy says what is wrong with a value and what helps.
func remedy(is string, value []byte, want reflect.Type) string {
	said := cmp.Or(kindNames[is], "something else")
	if is == "string" && len(value) > 0 {
		if inner := bytes.TrimSpace(unquote(value)); len(inner) > 0 && (inner[0] == '{' || inner[0] == '[') {
			return fmt.Sprintf("must be %s, not a string with JSON in it; forward it decoded", wanted(want))
		}
		if t := wanted(want); t == "true or false" || t == "a number" {
			said = "the string " + clip(string(value), 40)
		}
	}
	return fmt.Sprintf("must be %s, not %s; forward the event as the provider sends it", wanted(want), said)
}

// wanted describes the type of a field, for people.
func wanted(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[requiredString](), reflect.TypeFor[string]():
		return "a string"
	case reflect.TypeFor[flag](), reflect.TypeFor[bool]():
		return "true or false"
	case reflect.TypeFor[number]():
		return "a number"
	}
	if t != nil && t.Kind() == reflect.Slice {
		return "an array"
	}
	return "an object"
}
