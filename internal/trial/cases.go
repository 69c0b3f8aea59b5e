package trial

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"clientvpn-responder/internal/policy"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// policyCase is one case of a policy: an event, and what must be decided about it.
type policyCase struct {
	Name string `yaml:"name"`
	// File is the event's, beside the file of the cases; Event is the event itself.
	File  string         `yaml:"file"`
	Event map[string]any `yaml:"event"`
	// Now is the time of the decision, RFC 3339; without it the event's own.
	Now string `yaml:"now"`
	// Mode is the installation's; enforce if absent.
	Mode policy.Mode `yaml:"mode"`
	// Want has an entry for each signal of the event; Error is a part of the message where there is none.
	Want  []expectation `yaml:"want"`
	Error string        `yaml:"error"`

	file string
	line int
}

// readCases reads a file of cases, strictly.
func readCases(file string) ([]policyCase, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the cases: %w", err)
	}
	parsed, err := parser.ParseBytes(raw, 0)
	if err != nil {
		return nil, placed(file, err)
	}
	if len(parsed.Docs) != 1 || parsed.Docs[0].Body == nil || parsed.Docs[0].Body.Type() != ast.SequenceType {
		return nil, fmt.Errorf("%s:1: must be one YAML document, a list of cases", file)
	}
	var all []policyCase
	for _, node := range parsed.Docs[0].Body.(*ast.SequenceNode).Values {
		c := policyCase{file: file, line: node.GetToken().Position.Line}
		if err := yaml.NodeToValue(node, &c, yaml.Strict()); err != nil {
			return nil, placed(file, err)
		}
		problem := withoutValue(node)
		if problem == "" {
			problem = c.problem()
		}
		if problem != "" {
			return nil, fmt.Errorf("%s:%d: %s", file, c.line, problem)
		}
		all = append(all, c)
	}
	return all, nil
}

// problem says what is missing or wrong in the case, "" for nothing.
func (c policyCase) problem() string {
	for _, w := range c.Want {
		if w.Action == "" {
			return "want: every entry needs an action: terminate, notify or ignore"
		}
	}
	switch {
	case c.Name == "":
		return "name: missing; say what the case shows"
	case (c.File == "") == (c.Event == nil):
		return "give a file or an event"
	case (c.Want == nil) == (c.Error == ""):
		return "give want, with an entry for each signal, or error, where the event must have none"
	case c.Mode != "" && c.Mode != policy.DryRun && c.Mode != policy.Enforce:
		return fmt.Sprintf("mode: %q is neither dry-run nor enforce", c.Mode)
	}
	return ""
}

// withoutValue says which key has no value, "" if all have one: "gate:" with nothing behind it would compare nothing.
func withoutValue(node ast.Node) string {
	problem := ""
	ast.Walk(valueless(func(null ast.Node) {
		key := null.GetPath()[strings.LastIndex(null.GetPath(), ".")+1:]
		problem = key + `: has no value; remove the line or give it one, "" for none`
	}), node)
	return problem
}

// valueless is called with every null outside the event, whose JSON may have some.
type valueless func(ast.Node)

func (found valueless) Visit(n ast.Node) ast.Visitor {
	if pair, ok := n.(*ast.MappingValueNode); ok && pair.Key.GetToken().Value == "event" {
		return nil
	}
	if n.Type() == ast.NullType {
		found(n)
	}
	return found
}

func placed(file string, err error) error {
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil {
		position := at.GetToken().Position
		return fmt.Errorf("%s:%d:%d: %s", file, position.Line, position.Column, at.GetMessage())
	}
	return fmt.Errorf("%s: %w", file, err)
}
