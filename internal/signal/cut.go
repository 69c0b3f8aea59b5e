package signal

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// cut takes one value out of a JSON document, so that encoding/json need not read it twice. The keys lead to the value
// from the outermost object. rest is the document with null in the value's place.
//
// cut looks at nothing but strings and brackets. If rest and value are both valid, so is the document, and
// encoding/json finds the value under the keys. cut reports false where that is not plain: a key is missing, is there
// twice or in another case, or the value is nested deeply.
func cut(document []byte, keys ...string) (rest, value []byte, ok bool) {
	c := cutter{document: document}
	if c.object(0, keys) == len(document) || c.end == 0 {
		return nil, nil, false
	}
	return slices.Concat(document[:c.begin], []byte("null"), document[c.end:]), document[c.begin:c.end], true
}

// cutter looks for a value in a document.
type cutter struct {
	document   []byte
	begin, end int // of the value; the end is 0 until it is found
}

// object looks for the value under the keys in the object at i. It returns where the object ends, or the document's
// length where that is not plain.
func (c *cutter) object(i int, keys []string) int {
	if i >= len(c.document) || c.document[i] != '{' {
		return len(c.document)
	}
	key := `"` + keys[0] + `"`
	for c.document[i] != '}' { // i is in front of a member
		colon := skip(c.document, i+1)
		if colon == len(c.document) {
			return colon
		}
		value := skipSpace(c.document, colon+1)
		switch name := bytes.Trim(c.document[i+1:colon], jsonSpace); {
		case !mayBe(name, key):
			i = skip(c.document, value)
		case string(name) != key || c.end != 0:
			return len(c.document)
		case len(keys) > 1:
			i = skip(c.document, c.object(value, keys[1:])+1)
		default:
			i = skip(c.document, value)
			c.begin, c.end = value, value+len(bytes.TrimRight(c.document[value:i], jsonSpace))
		}
		if i == len(c.document) {
			return i
		}
	}
	return i
}

// jsonSpace is JSON's white space.
const jsonSpace = " \t\r\n"

// skipSpace returns the index of what follows white space at i.
func skipSpace(document []byte, i int) int {
	for i < len(document) && strings.IndexByte(jsonSpace, document[i]) >= 0 {
		i++
	}
	return i
}

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
