package policy

import (
	"fmt"
	"slices"
	"strings"

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
		if node := c.find("$." + at); node != nil {
			line, column = node.GetToken().Position.Line, node.GetToken().Position.Column
			break
		}
	}
	c.addAt(line, column, path, fmt.Sprintf(format, args...))
}

// find returns the value at a path; nil if the document has none. A key has the path of its value, and comes before it.
func (c *checker) find(path string) (found ast.Node) {
	ast.Walk(visitor(func(n ast.Node) {
		if n.GetPath() == path {
			found = n
		}
	}), c.file.Docs[0].Body)
	return found
}

// addNode records a mistake of a value.
func (c *checker) addNode(n ast.Node, problem string) {
	at := n.GetToken().Position
	c.addAt(at.Line, at.Column, strings.TrimPrefix(n.GetPath(), "$."), problem)
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
		c.addNode(n, problem)
	}), c.file.Docs[0].Body)
}

type visitor func(ast.Node)

func (v visitor) Visit(n ast.Node) ast.Visitor { v(n); return v }

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
