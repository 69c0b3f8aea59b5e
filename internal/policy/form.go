package policy

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// formError returns the YAML library's error with the place in front, and without words that only a programmer knows.
func (c *checker) formError(err error) error {
	var placed yaml.Error
	if !errors.As(err, &placed) || placed.GetToken() == nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	at, message := placed.GetToken().Position, placed.GetMessage()
	var unknown *yaml.UnknownFieldError
	var wrongType *yaml.TypeError
	var wrongNode *yaml.UnexpectedNodeTypeError
	switch {
	case errors.As(err, &unknown):
		message += didYouMean(placed.GetToken().Value, keys())
	case errors.As(err, &wrongType):
		message = c.pathOf(placed) + "must be " + form(wrongType.DstType)
	case errors.As(err, &wrongNode):
		message = c.pathOf(placed) + "must be " + formOfNode(wrongNode.Expected)
	}
	return fmt.Errorf("%s:%d:%d: %s", c.name, at.Line, at.Column, message)
}

// pathOf returns the path of the value that the error is about, with a colon behind it; "" if it is not found.
func (c *checker) pathOf(placed yaml.Error) string {
	path := ""
	ast.Walk(visitor(func(n ast.Node) {
		if path == "" && n.GetPath() != "" && n.GetToken() == placed.GetToken() {
			path = strings.TrimPrefix(n.GetPath(), "$.") + ": "
		}
	}), c.file.Docs[0].Body)
	return path
}

// form names what a value must be, for people.
func form(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Slice:
		return "a list, such as [a, b]"
	case reflect.Struct, reflect.Map:
		return "a map, such as {key: value}"
	case reflect.Int, reflect.Float64:
		return "a number"
	case reflect.Bool:
		return "true or false"
	}
	return "text"
}

// formOfNode names what a value must be, for people.
func formOfNode(t ast.NodeType) string {
	switch t {
	case ast.SequenceType:
		return form(reflect.TypeFor[[]string]())
	case ast.MappingType, ast.MappingValueType:
		return form(reflect.TypeFor[map[string]string]())
	}
	return "text"
}

// keys lists every key of the language.
func keys() []string {
	var all []string
	for _, part := range []any{document{}, identityDocument{}, rule{}, condition{}, bounds{}} {
		for field := range reflect.TypeOf(part).Fields() {
			if key, ok := field.Tag.Lookup("yaml"); ok {
				all = append(all, strings.Split(key, ",")[0])
			}
		}
	}
	return all
}
