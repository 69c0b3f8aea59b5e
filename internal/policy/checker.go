package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

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

func (c *checker) addAt(line, column int, path, problem string) {
	c.problems = append(c.problems, fmt.Errorf("%s:%d:%d: %s: %s", c.name, line, column, path, problem))
}

// plain refuses keys without a value: "kinds:" with nothing behind it would otherwise mean any kind. It also refuses
// what hides the meaning of a document: tags, anchors, aliases and merge keys.
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

// asWritten makes text of numbers and booleans, as written, except where the language wants a number. A person may be
// called 007 or true, and the exemption of 7 or false would be nobody's.
func asWritten(n ast.Node) {
	text := func(n ast.Node) (ast.Node, bool) {
		switch n.Type() {
		case ast.IntegerType, ast.FloatType, ast.BoolType, ast.InfinityType, ast.NanType:
			written := ast.String(n.GetToken())
			written.SetPath(n.GetPath())
			return written, true
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
		case "version", "max_connections", "min", "max", "demonstration":
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
	words := make([]string, len(allowed))
	for i, word := range allowed {
		words[i] = string(word)
	}
	problem := fmt.Sprintf("%q is none of %s%s", value, strings.Join(words, ", "), didYouMean(string(value), words))
	if value == "" {
		problem = "missing; one of " + strings.Join(words, ", ")
	}
	c.add(path, "%s", problem)
}
