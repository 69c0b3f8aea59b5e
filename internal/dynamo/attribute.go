package dynamo

// Item is an item, a part of one, or its key: attributes by name.
type Item map[string]Value

// Value is the value of an attribute. Exactly one member is set. The zero Value is that of a missing attribute.
// Source: Amazon DynamoDB API reference, AttributeValue.
type Value struct {
	S    *string  `json:",omitempty"` // text
	N    *string  `json:",omitempty"` // number
	BOOL *bool    `json:",omitempty"`
	M    Item     `json:",omitzero"` // map
	L    []Value  `json:",omitzero"` // list
	SS   []string `json:",omitempty"`
}

// IsZero reports whether the attribute is missing.
func (v Value) IsZero() bool {
	return v.S == nil && v.N == nil && v.BOOL == nil && v.M == nil && v.L == nil && v.SS == nil
}

// S returns a text.
func S(text string) Value { return Value{S: &text} }

// N returns a number, which the text must be.
func N(number string) Value { return Value{N: &number} }

// M returns a map; an empty one for nil.
func M(members Item) Value {
	if members == nil {
		members = Item{}
	}
	return Value{M: members}
}
