package signal

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// cut takes one value out of a JSON document, so that encoding/json need not read it twice. The keys lead to the value
// from the outermost object. rest is the document with null in the value's place.
//
// cut looks at nothing but strings and brackets. If rest and value are both valid, so is the document, and
// encoding/json finds the value under the keys. cut reports false where that is not plain: a key is missing, is there
// twice or in another case, or the value is nested deeply.
func cut(document []byte, keys ...string) (rest, value []byte, ok bool) {
	begin, end := 0, len(document)
	for _, key := range keys {
		from, to := member(document[begin:end], key)
		if to == 0 {
			return nil, nil, false
		}
		begin, end = begin+from, begin+to
	}
	return slices.Concat(document[:begin], []byte("null"), document[end:]), document[begin:end], true
}

// member returns where the value of a key begins and ends in an object. The end is 0 if that is not plain.
func member(object []byte, key string) (begin, end int) {
	if len(object) == 0 || object[0] != '{' {
		return 0, 0
	}
	key = `"` + key + `"`
	for i := 0; object[i] != '}'; { // object[i] is in front of a key
		colon := skip(object, i+1)
		next := skip(object, colon+1)
		if next >= len(object) {
			return 0, 0
		}
		switch name := bytes.Trim(object[i+1:colon], jsonSpace); {
		case string(name) == key && end == 0:
			value := bytes.TrimLeft(object[colon+1:next], jsonSpace)
			begin = next - len(value)
			end = begin + len(bytes.TrimRight(value, jsonSpace))
		case mayBe(name, key):
			return 0, 0
		}
		i = next
	}
	return begin, end
}

// jsonSpace is JSON's white space.
const jsonSpace = " \t\r\n"

// mayBe reports whether encoding/json might take the name of a member for the key. It decodes escapes, and folds cases.
func mayBe(name []byte, key string) bool {
	for _, c := range name {
		if c == '\\' || c >= utf8.RuneSelf {
			return true
		}
	}
	return bytes.EqualFold(name, []byte(key))
}

// maxNesting is far below the nesting that encoding/json refuses, which is 10,000.
const maxNesting = 1000

// skip returns the index of the comma, colon or bracket that ends the key or value at i. Where nothing does, it is
// beyond the document.
func skip(document []byte, i int) int {
	depth := 0
	for ; i < len(document) && depth <= maxNesting; i++ {
		switch document[i] {
		case '"':
			i = closingQuote(document, i)
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
		case ',', ':':
			if depth == 0 {
				return i
			}
		}
	}
	return len(document)
}

// closingQuote returns the index of the quote that ends the string at i. Where nothing does, it is beyond the document.
func closingQuote(document []byte, i int) int {
	for {
		n := bytes.IndexByte(document[i+1:], '"')
		if n < 0 {
			return len(document)
		}
		i += n + 1
		escaped := false
		for j := i - 1; document[j] == '\\'; j-- {
			escaped = !escaped
		}
		if !escaped {
			return i
		}
	}
}
