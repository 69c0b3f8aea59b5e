package policy

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// syntaxError returns the YAML parser's error with the place in front.
func (c *checker) syntaxError(err error) error {
	var placed interface {
		error
		GetToken() *token.Token
		GetMessage() string
	}
	if !errors.As(err, &placed) || placed.GetToken() == nil {
		return fmt.Errorf("%s:1:1: %w", c.name, err)
	}
	at := placed.GetToken().Position
	return fmt.Errorf("%s:%d:%d: %s", c.name, at.Line, at.Column, placed.GetMessage())
}

// ownForm is a type of the document that reads its value itself.
type ownForm interface {
	read(c *checker, n ast.Node)
}

// fill reads a node into a value of the document, as the yaml tags of its type say. A value of another form is a
// mistake, and so is a key that no tag has.
//
// The YAML library's own decoder would take a tenth of a function's start, and stop at the first mistake. It would
// round 1.9 connections, and make another name of the person 007.
func (c *checker) fill(n ast.Node, v reflect.Value) {
	if own, ok := v.Addr().Interface().(ownForm); ok {
		own.read(c, n)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		c.fill(n, v.Elem())
	case reflect.Struct:
		c.fillFields(n, v)
	case reflect.Map:
		c.fillMap(n, v)
	case reflect.Slice:
		list, ok := n.(*ast.SequenceNode)
		if !ok {
			c.addForm(n, v.Type())
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), len(list.Values), len(list.Values)))
		for i, value := range list.Values {
			c.fill(value, v.Index(i))
		}
	default:
		c.fillScalar(n, v)
	}
}

func (c *checker) fillFields(n ast.Node, v reflect.Value) {
	entries, ok := mapEntries(n)
	if !ok {
		c.addForm(n, v.Type())
	}
	for _, e := range entries {
		field, known := fieldOf(v, keyOf(e))
		if !known {
			at := e.Key.GetToken().Position
			c.problems = append(c.problems, fmt.Errorf("%s:%d:%d: unknown field %q%s",
				c.name, at.Line, at.Column, keyOf(e), didYouMean(keyOf(e), keys(v.Type()))))
			continue
		}
		c.fill(e.Value, field)
	}
}

// fieldOf returns the field of a struct that has the key.
func fieldOf(v reflect.Value, key string) (field reflect.Value, known bool) {
	for f, value := range v.Fields() {
		if tag, ok := f.Tag.Lookup("yaml"); ok && tag == key {
			return value, true
		}
	}
	return reflect.Value{}, false
}

// keys lists the keys of a struct.
func keys(t reflect.Type) []string {
	var all []string
	for f := range t.Fields() {
		if key, ok := f.Tag.Lookup("yaml"); ok {
			all = append(all, key)
		}
	}
	return all
}

func (c *checker) fillMap(n ast.Node, v reflect.Value) {
	entries, ok := mapEntries(n)
	if !ok {
		c.addForm(n, v.Type())
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, e := range entries {
		value := reflect.New(v.Type().Elem()).Elem()
		c.fill(e.Value, value)
		v.SetMapIndex(reflect.ValueOf(keyOf(e)), value)
	}
}

func (c *checker) fillScalar(n ast.Node, v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		if b, ok := n.(*ast.BoolNode); ok {
			v.SetBool(b.Value)
			return
		}
	case reflect.Int:
		whole, ok := n.(*ast.IntegerNode)
		if !ok {
			c.addNode(n, fmt.Sprintf("%s is not a whole number", n))
			return
		}
		v.SetInt(integer(whole))
		return
	case reflect.Float64:
		if number, ok := numberOf(n); ok {
			v.SetFloat(number)
			return
		}
	default:
		if text, ok := textOf(n); ok {
			v.SetString(text)
			return
		}
	}
	c.addForm(n, v.Type())
}

func numberOf(n ast.Node) (number float64, ok bool) {
	switch n := n.(type) {
	case *ast.IntegerNode:
		return float64(integer(n)), true
	case *ast.FloatNode:
		return n.Value, true
	case *ast.StringNode: // in quotes
		number, err := strconv.ParseFloat(n.Value, 64)
		return number, err == nil
	}
	return 0, false
}

// integer returns a whole number, or the greatest that there is.
func integer(n *ast.IntegerNode) int64 {
	switch value := n.Value.(type) {
	case int64:
		return value
	case uint64:
		return int64(min(value, math.MaxInt64))
	}
	return math.MaxInt64
}

// textOf returns a scalar as it is written: a person may be called 007 or true.
func textOf(n ast.Node) (text string, ok bool) {
	switch n := n.(type) {
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.MappingKeyNode: // behind a question mark
		return textOf(n.Value)
	case ast.ScalarNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// keyOf returns the key of an entry as it is written.
func keyOf(e *ast.MappingValueNode) string {
	key, _ := textOf(e.Key)
	return key
}

// mapEntries returns the entries of a map, in whichever of the library's two forms it comes.
func mapEntries(n ast.Node) (entries []*ast.MappingValueNode, ok bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// addForm records that a value is not of the form of its type.
func (c *checker) addForm(n ast.Node, t reflect.Type) {
	must := "must be text"
	switch t.Kind() {
	case reflect.Slice:
		must = "must be a list, such as [a, b]"
	case reflect.Struct, reflect.Map:
		must = "must be a map, such as {key: value}"
	case reflect.Float64:
		must = "must be a number"
	case reflect.Bool:
		must = "must be true or false"
	}
	c.addNode(n, must)
}
