package emulator

import (
	_ "embed"
	"regexp"
	"slices"
	"strings"
)

// reservedWords are those that an expression may not use as the name of an attribute.
// Source: DynamoDB Developer Guide, reserved words.
//
//go:embed dynamodb_reserved.txt
var reservedWords string

var reserved = strings.Fields(reservedWords)

// scope is what a request's expressions refer to, and which of it they have used.
type scope struct {
	item   item
	names  map[string]string
	values item
	used   map[string]bool
}

func newScope(found item, names map[string]string, values item) *scope {
	return &scope{found, names, values, map[string]bool{}}
}

// unused refuses names and values that no expression used, and values that are unsound.
func (s *scope) unused() *refusal {
	for name, v := range s.values {
		if !s.used[name] {
			return invalidRequest(
				"Value provided in ExpressionAttributeValues unused in expressions: keys: {%s}", name)
		}
		if problem := unsound(v); problem != "" {
			return invalidRequest("%s: %s", name, problem)
		}
	}
	for name := range s.names {
		if !s.used[name] {
			return invalidRequest("Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}", name)
		}
	}
	return nil
}

// expression reads an expression and evaluates it at the same time. The first problem stays in err. Later reads return
// empty tokens, so that the evaluation comes to its end.
type expression struct {
	*scope
	kind   string // for instance ConditionExpression
	tokens []string
	err    *refusal
}

var token = regexp.MustCompile(`[#:]?[A-Za-z_][A-Za-z0-9_]*|[0-9]+|<>|<=|>=|[=<>(),.+\[\]-]|\S`)

func (s *scope) expression(kind, text string) *expression {
	return &expression{scope: s, kind: kind, tokens: token.FindAllString(text, -1)}
}

func (e *expression) fail(format string, args ...any) {
	if e.err == nil {
		e.err = invalidRequest("Invalid "+e.kind+": "+format, args...)
	}
	e.tokens = nil
}

func (e *expression) peek() string {
	if len(e.tokens) == 0 {
		return ""
	}
	return e.tokens[0]
}

func (e *expression) next() string {
	t := e.peek()
	if len(e.tokens) > 0 {
		e.tokens = e.tokens[1:]
	}
	return t
}

// accept reads the next token if it is the wanted one. Keywords may be in lower case.
func (e *expression) accept(wanted string) bool {
	if !strings.EqualFold(e.peek(), wanted) {
		return false
	}
	e.next()
	return true
}

func (e *expression) expect(wanted string) {
	if !e.accept(wanted) {
		e.fail(`Syntax error; token: "%s", wanted "%s"`, e.peek(), wanted)
	}
}

// path is the way to an attribute: its name, then names of members of maps.
type path []string

// path reads a path. The stand-in does not know indexes of lists.
func (e *expression) path() path {
	var p path
	for first := true; first || e.accept("."); first = false {
		p = append(p, e.name())
	}
	if e.peek() == "[" {
		e.fail("the stand-in does not know indexes of lists")
	}
	return p
}

// name reads the name of an attribute, or of a member of a map.
func (e *expression) name() string {
	t := e.next()
	switch {
	case strings.HasPrefix(t, "#"):
		e.used[t] = true
		if e.names[t] == "" {
			e.fail("An expression attribute name used in the document path is not defined; attribute name: %s", t)
		}
		return e.names[t]
	case t == "" || !isWord(t):
		e.fail(`Syntax error; token: "%s"`, t)
	case slices.Contains(reserved, strings.ToUpper(t)):
		e.fail("Attribute name is a reserved keyword; reserved keyword: %s", t)
	}
	return t
}

func isWord(t string) bool {
	return t[0] >= 'A' && t[0] <= 'Z' || t[0] >= 'a' && t[0] <= 'z' || t[0] == '_'
}

// value reads the placeholder of a value.
func (e *expression) value() attribute {
	t := e.next()
	if !strings.HasPrefix(t, ":") {
		e.fail(`Syntax error; token: "%s"`, t)
		return nil
	}
	e.used[t] = true
	if e.values[t] == nil {
		e.fail("An expression attribute value used in expression is not defined; attribute value: %s", t)
	}
	return e.values[t]
}

// get returns what an item has at a path; nil for nothing.
func (p path) get(from item) attribute {
	if len(p) == 0 {
		return nil
	}
	found := from[p[0]]
	for _, name := range p[1:] {
		members, _ := found["M"].(map[string]any)
		found, _ = members[name].(map[string]any)
	}
	return found
}

// set changes what an item has at a path; nil removes it. It reports whether the maps on the way are there.
func (p path) set(in item, a attribute) bool {
	if len(p) == 1 {
		if a == nil {
			delete(in, p[0])
		} else {
			in[p[0]] = a
		}
		return true
	}
	members, isMap := p[:len(p)-1].get(in)["M"].(map[string]any)
	last := p[len(p)-1]
	switch {
	case !isMap:
		return false
	case a == nil:
		delete(members, last)
	default:
		members[last] = map[string]any(a)
	}
	return true
}
