package emulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strings"
)

type (
	item      map[string]attribute
	attribute map[string]any // one type, such as S, N, BOOL or M, and its value
)

// split returns the attribute's type and value; an empty type for no attribute.
func (a attribute) split() (kind string, value any) {
	for kind, value := range a {
		return kind, value
	}
	return "", nil
}

// number returns an attribute of type N.
func (a attribute) number() (*big.Rat, bool) {
	text, isText := a["N"].(string)
	if !isText || !json.Valid([]byte(text)) {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// canonical returns one text for equal texts and numbers.
func (a attribute) canonical() string {
	if n, ok := a.number(); ok {
		return n.RatString()
	}
	_, value := a.split()
	return fmt.Sprint(value)
}

func numberOf(n *big.Rat) attribute {
	if n.IsInt() {
		return attribute{"N": n.Num().String()}
	}
	return attribute{"N": strings.TrimRight(n.FloatString(38), "0")} // DynamoDB keeps 38 digits
}

// compare orders two texts, numbers or binaries. Others, and those of different types, have no order.
func compare(a, b attribute) (order int, ordered bool) {
	if m, isNumber := a.number(); isNumber {
		n, both := b.number()
		if !both {
			return 0, false
		}
		return m.Cmp(n), true
	}
	kind, value := a.split()
	other, otherValue := b.split()
	if kind != other || kind != "S" && kind != "B" {
		return 0, false
	}
	s, _ := value.(string)
	t, _ := otherValue.(string)
	return strings.Compare(s, t), true
}

// same reports whether two attributes have the same type and value. Numbers are compared by value, sets in any order.
func same(a, b attribute) bool {
	if order, ordered := compare(a, b); ordered {
		return order == 0
	}
	kind, value := a.split()
	other, otherValue := b.split()
	if kind != other || kind == "" {
		return false
	}
	if strings.HasSuffix(kind, "S") && kind != "S" {
		return reflect.DeepEqual(setOf(a), setOf(b))
	}
	return reflect.DeepEqual(value, otherValue)
}

// setOf returns the members of a set, sorted; nil for what is no set.
func setOf(a attribute) []string {
	kind, value := a.split()
	members, _ := value.([]any)
	if kind != "SS" && kind != "NS" {
		return nil
	}
	set := make([]string, 0, len(members))
	for _, m := range members {
		set = append(set, fmt.Sprint(m))
	}
	slices.Sort(set)
	return set
}

func setAttribute(kind string, members []string) attribute {
	slices.Sort(members)
	all := []any{}
	for _, m := range slices.Compact(members) {
		all = append(all, m)
	}
	return attribute{kind: all}
}

// sizeOf returns what the function size returns; false for types that have none.
func sizeOf(a attribute) (int, bool) {
	switch kind, value := a.split(); v := value.(type) {
	case string:
		return len(v), kind == "S"
	case []any:
		return len(v), true
	case map[string]any:
		return len(v), true
	}
	return 0, false
}

// unsound returns what is wrong with an attribute; empty if the stand-in knows it.
// Source: DynamoDB Developer Guide, supported data types.
func unsound(a attribute) string {
	if len(a) != 1 {
		return "Supplied AttributeValue must contain exactly one of the supported datatypes"
	}
	kind, value := a.split()
	known := false
	switch v := value.(type) {
	case string:
		_, isNumber := a.number()
		known = kind == "S" || kind == "B" || kind == "N" && isNumber
	case bool:
		known = kind == "BOOL" || kind == "NULL"
	case map[string]any:
		if kind == "M" {
			return unsoundIn(maps.All(v))
		}
	case []any:
		return unsoundList(kind, v)
	}
	if known {
		return ""
	}
	return fmt.Sprintf("the stand-in does not know the attribute %v", a)
}

func unsoundList(kind string, list []any) string {
	switch {
	case kind == "L":
		return unsoundIn(func(yield func(string, any) bool) {
			for i, member := range list {
				if !yield(itoa(i), member) {
					return
				}
			}
		})
	case kind != "SS" && kind != "NS":
		return "the stand-in does not know the type " + kind
	case len(list) == 0:
		return "One or more parameter values were invalid: An string set  may not be empty"
	}
	return ""
}

func unsoundIn(members func(yield func(string, any) bool)) (problem string) {
	for name, member := range members {
		m, _ := member.(map[string]any)
		if problem := unsound(m); problem != "" {
			return name + ": " + problem
		}
	}
	return ""
}

// clone returns a deep copy.
func (i item) clone() item {
	raw, err := json.Marshal(i)
	if err != nil {
		panic(err) // it was JSON
	}
	copied := item{}
	if err := json.Unmarshal(raw, &copied); err != nil {
		panic(err) // it is JSON
	}
	return copied
}
