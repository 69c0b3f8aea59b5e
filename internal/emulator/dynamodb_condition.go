package emulator

import "strings"

// condition evaluates a condition, a filter or a key condition for the scope's item. An empty one holds.
// Source: DynamoDB Developer Guide, condition and filter expressions, operators, and functions.
func (s *scope) condition(kind, text string) (holds bool, refused *refusal) {
	if text == "" {
		return true, nil
	}
	e := s.expression(kind, text)
	holds = e.or()
	if e.err == nil && len(e.tokens) > 0 {
		e.fail(`Syntax error; token: "%s"`, e.peek())
	}
	return holds, e.err
}

func (e *expression) or() bool {
	holds := e.and()
	for e.accept("OR") {
		right := e.and()
		holds = holds || right
	}
	return holds
}

func (e *expression) and() bool {
	holds := e.not()
	for e.accept("AND") {
		right := e.not()
		holds = holds && right
	}
	return holds
}

func (e *expression) not() bool {
	if e.accept("NOT") {
		return !e.not()
	}
	return e.test()
}

// test reads one comparison, function or group.
func (e *expression) test() bool {
	if e.accept("(") {
		holds := e.or()
		e.expect(")")
		return holds
	}
	if function := predicates[strings.ToLower(e.peek())]; function != nil && len(e.tokens) > 1 && e.tokens[1] == "(" {
		e.next()
		e.next()
		holds := function(e)
		e.expect(")")
		return holds
	}
	return e.comparison()
}

// predicates are the functions that a condition can be. Each reads its arguments.
var predicates = map[string]func(e *expression) bool{
	"attribute_exists":     func(e *expression) bool { return e.path().get(e.item) != nil },
	"attribute_not_exists": func(e *expression) bool { return e.path().get(e.item) == nil },
	"attribute_type": func(e *expression) bool {
		kind, _ := e.path().get(e.item).split()
		e.expect(",")
		wanted, _ := e.value()["S"].(string)
		return kind == wanted
	},
	"begins_with": func(e *expression) bool {
		text, isText := e.path().get(e.item)["S"].(string)
		e.expect(",")
		prefix, both := e.operand()["S"].(string)
		return isText && both && strings.HasPrefix(text, prefix)
	},
	"contains": func(e *expression) bool {
		whole := e.path().get(e.item)
		e.expect(",")
		return holdsMember(whole, e.operand())
	},
}

// holdsMember reports whether a text has a part, or a set or list a member.
func holdsMember(whole, part attribute) bool {
	kind, value := whole.split()
	if text, isText := value.(string); isText {
		p, _ := part["S"].(string)
		return kind == "S" && part["S"] != nil && strings.Contains(text, p)
	}
	members, _ := value.([]any)
	for _, m := range members {
		inner, isAttribute := m.(map[string]any)
		if !isAttribute { // of a set
			inner = map[string]any{strings.TrimSuffix(kind, "S"): m}
		}
		if same(inner, part) {
			return true
		}
	}
	return false
}

// operand reads a value, a path or the size of what is at a path.
func (e *expression) operand() attribute {
	if strings.HasPrefix(e.peek(), ":") {
		return e.value()
	}
	if !strings.EqualFold(e.peek(), "size") || len(e.tokens) < 2 || e.tokens[1] != "(" {
		return e.path().get(e.item)
	}
	e.next()
	e.next()
	n, has := sizeOf(e.path().get(e.item))
	e.expect(")")
	if !has {
		return nil
	}
	return attribute{"N": itoa(n)}
}

// comparison reads a comparison of two operands, BETWEEN or IN. A missing attribute compares with nothing.
func (e *expression) comparison() bool {
	left := e.operand()
	switch operator := strings.ToUpper(e.next()); operator {
	case "BETWEEN":
		low := e.operand()
		e.expect("AND")
		high := e.operand()
		a, ordered := compare(left, low)
		b, both := compare(left, high)
		return ordered && both && a >= 0 && b <= 0
	case "IN":
		e.expect("(")
		found := false
		for first := true; first || e.accept(","); first = false {
			one := e.operand()
			found = found || left != nil && same(left, one)
		}
		e.expect(")")
		return found
	case "=", "<>", "<", "<=", ">", ">=":
		return holdsBetween(left, operator, e.operand())
	default:
		e.fail(`Syntax error; token: "%s"`, operator)
		return false
	}
}

func holdsBetween(left attribute, operator string, right attribute) bool {
	switch operator {
	case "=":
		return left != nil && same(left, right)
	case "<>":
		return left == nil || !same(left, right)
	}
	order, ordered := compare(left, right)
	if !ordered {
		return false
	}
	return strings.Contains(operator, "<") && order < 0 || strings.Contains(operator, ">") && order > 0 ||
		strings.HasSuffix(operator, "=") && order == 0
}
