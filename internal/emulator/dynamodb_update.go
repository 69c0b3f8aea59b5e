package emulator

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// change is one of an update: what an item has at a path afterwards; nil for nothing.
type change struct {
	path path
	to   attribute
}

// update evaluates an update expression for the scope's item, and returns its changes. All of them see the item as it
// was before.
// Source: DynamoDB Developer Guide, update expressions.
func (s *scope) update(text string) (changes []change, refused *refusal) {
	e := s.expression("UpdateExpression", text)
	seen := map[string]bool{}
	for len(e.tokens) > 0 {
		clause := strings.ToUpper(e.next())
		read := clauses[clause]
		if read == nil || seen[clause] {
			e.fail(`Syntax error; token: "%s"`, clause)
			break
		}
		seen[clause] = true
		for first := true; first || e.accept(","); first = false {
			changes = append(changes, read(e))
		}
	}
	for i, c := range changes {
		if slices.ContainsFunc(changes[:i], func(o change) bool { return overlap(o.path, c.path) }) {
			e.fail("Two document paths overlap with each other; must remove or rewrite one of these paths")
		}
	}
	return changes, e.err
}

func overlap(a, b path) bool {
	n := min(len(a), len(b))
	return slices.Equal(a[:n], b[:n])
}

// clauses are the parts of an update expression. Each reads one change.
var clauses = map[string]func(e *expression) change{
	"SET": func(e *expression) change {
		p := e.path()
		e.expect("=")
		return change{p, e.assigned()}
	},
	"REMOVE": func(e *expression) change { return change{e.path(), nil} },
	"ADD": func(e *expression) change {
		p := e.path()
		return change{p, e.added(p.get(e.item), e.value())}
	},
	"DELETE": func(e *expression) change {
		p := e.path()
		return change{p, e.without(p.get(e.item), e.value())}
	},
}

// assigned reads the right side of a SET: a term, or the sum or difference of two.
func (e *expression) assigned() attribute {
	left := e.term()
	plus, minus := e.peek() == "+", e.peek() == "-"
	if !plus && !minus {
		if left == nil {
			e.fail("The provided expression refers to an attribute that does not exist in the item")
		}
		return left
	}
	e.next()
	m, isNumber := left.number()
	n, both := e.term().number()
	switch {
	case !isNumber || !both:
		e.fail("An operand in the update expression has an incorrect data type")
		return nil
	case minus:
		n = new(big.Rat).Neg(n)
	}
	return numberOf(new(big.Rat).Add(m, n))
}

// term reads an operand, or one of the functions that only an update has.
func (e *expression) term() attribute {
	name := strings.ToLower(e.peek())
	if name != "if_not_exists" && name != "list_append" {
		return e.operand()
	}
	e.next()
	e.expect("(")
	first := e.operand()
	e.expect(",")
	second := e.operand()
	e.expect(")")
	if name == "if_not_exists" {
		if first == nil {
			return second
		}
		return first
	}
	left, isList := first["L"].([]any)
	right, both := second["L"].([]any)
	if !isList || !both {
		e.fail("An operand in the update expression has an incorrect data type")
	}
	return attribute{"L": slices.Concat(left, right)}
}

// added returns the sum of two numbers, or the union of two sets. Nothing counts as 0 or as the empty set.
func (e *expression) added(to, value attribute) attribute {
	kind, _ := value.split()
	n, isNumber := value.number()
	isSet := kind == "SS" || kind == "NS"
	switch is, _ := to.split(); {
	case to != nil && is != kind:
		e.fail("An operand in the update expression has an incorrect data type")
	case isNumber && to == nil:
		return value
	case isNumber:
		m, _ := to.number()
		return numberOf(new(big.Rat).Add(m, n))
	case isSet:
		return setAttribute(kind, append(setOf(to), setOf(value)...))
	default:
		e.fail("Incorrect operand type for operator or function; operator: ADD, operand type: %s", kind)
	}
	return nil
}

// without returns a set without the members of another; nil if none is left.
func (e *expression) without(from, value attribute) attribute {
	kind, _ := value.split()
	if is, _ := from.split(); kind != "SS" && kind != "NS" || from != nil && is != kind {
		e.fail("An operand in the update expression has an incorrect data type")
		return nil
	}
	remove := setOf(value)
	left := slices.DeleteFunc(setOf(from), func(m string) bool { return slices.Contains(remove, m) })
	if len(left) == 0 {
		return nil
	}
	return setAttribute(kind, left)
}
