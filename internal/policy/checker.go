package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// formError gives the YAML library's error with the place in front.
func formError(name string, err error) error {
	var placed yaml.Error
	if errors.As(err, &placed) && placed.GetToken() != nil {
		at := placed.GetToken().Position
		return fmt.Errorf("%s:%d:%d: %s", name, at.Line, at.Column, placed.GetMessage())
	}
	return fmt.Errorf("%s: %w", name, err)
}

// checker collects the mistakes of a document whose form is right.
type checker struct {
	name     string
	file     *ast.File
	problems []error
}

// add records a mistake at a path such as "rules[0].then"; one that is not in the document is placed at its parent.
func (c *checker) add(path, format string, args ...any) {
	line, column := 1, 1
	for at := path; at != ""; at = at[:max(strings.LastIndexAny(at, ".["), 0)] {
		p, err := yaml.PathString("$." + at)
		if err != nil {
			continue
		}
		if node, err := p.FilterFile(c.file); err == nil {
			line, column = node.GetToken().Position.Line, node.GetToken().Position.Column
			break
		}
	}
	c.addAt(line, column, path, fmt.Sprintf(format, args...))
}

// addAlias records a mistake at an alias, whose key may be any text and so has no path of its own.
func (c *checker) addAlias(alias, format string, args ...any) {
	line, column := 1, 1
	ast.Walk(visitor(func(n ast.Node) {
		if pair, ok := n.(*ast.MappingValueNode); ok && pair.Key.GetToken().Value == alias && strings.HasPrefix(pair.GetPath(), "$.identity.aliases.") {
			line, column = pair.Key.GetToken().Position.Line, pair.Key.GetToken().Position.Column
		}
	}), c.file.Docs[0].Body)
	c.addAt(line, column, "identity.aliases", fmt.Sprintf(format, args...))
}

func (c *checker) addAt(line, column int, path, problem string) {
	c.problems = append(c.problems, fmt.Errorf("%s:%d:%d: %s: %s", c.name, line, column, path, problem))
}

// plain refuses keys without a value ("kinds:" with nothing behind it would otherwise mean any kind), and what makes a
// document say something else than it seems to: tags, anchors, aliases and merge keys.
func (c *checker) plain() {
	ast.Walk(visitor(func(n ast.Node) {
		problem := ""
		switch n.Type() {
		case ast.NullType:
			problem = "has no value; remove the line or give it one"
		case ast.TagType, ast.AnchorType, ast.AliasType, ast.MergeKeyType:
			problem = "tags, anchors and aliases have no place in a policy; write the value, in quotes if need be"
		default:
			return
		}
		at := n.GetToken().Position
		c.addAt(at.Line, at.Column, strings.TrimPrefix(n.GetPath(), "$."), problem)
	}), c.file.Docs[0].Body)
}

// words makes text of what YAML takes for numbers and booleans, as it is written, except where a number is meant: a person
// may be called 007 or true, and the exemption of 7 or false would be nobody's.
func words(n ast.Node) {
	text := func(n ast.Node) (ast.Node, bool) {
		switch n.Type() {
		case ast.IntegerType, ast.FloatType, ast.BoolType, ast.InfinityType, ast.NanType:
			return ast.String(n.GetToken()), true
		}
		return n, false
	}
	switch n := n.(type) {
	case *ast.SequenceNode:
		for i, value := range n.Values {
			n.Values[i], _ = text(value)
		}
	case *ast.MappingValueNode:
		if key, changed := text(n.Key); changed {
			n.Key = key.(ast.MapKeyNode)
		}
		switch n.Key.GetToken().Value {
		case "version", "max_connections", "min", "max":
		default:
			n.Value, _ = text(n.Value)
		}
	}
}

type visitor func(ast.Node)

func (v visitor) Visit(n ast.Node) ast.Visitor { v(n); return v }

// wholeNumber refuses what the YAML library would round or convert.
func (c *checker) wholeNumber(key string) {
	path, err := yaml.PathString("$." + key)
	if err != nil {
		panic(err) // the keys are ours
	}
	if node, err := path.FilterFile(c.file); err == nil && node != nil && node.Type() != ast.IntegerType {
		c.add(key, "%s is not a whole number", node)
	}
}

func oneOf[T ~string](c *checker, path string, value T, allowed ...T) {
	if slices.Contains(allowed, value) {
		return
	}
	problem := fmt.Sprintf("%q is none of %s", value, join(allowed, ", "))
	if value == "" {
		problem = "missing; one of " + join(allowed, ", ")
	}
	c.add(path, "%s", problem)
}
