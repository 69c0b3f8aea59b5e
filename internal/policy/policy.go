// Package policy decides what is done about a signal, and says why.
//
// It promises that deciding is a pure function: the same document, signal, mode and time give the same [Decision], with
// the rule that decided, what kept every earlier rule from deciding, and what held an action back. A document is read
// strictly: what is not understood is an error with its line, never ignored. What is not said is the safe value: a mode
// not given is dry-run, an empty name is nobody, and exempt people and the limit hold for every rule.
package policy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Action is what a rule does.
type Action string

// The actions. Terminate ends the person's connections; Notify only publishes an outcome; Ignore only logs one.
const (
	Terminate Action = "terminate"
	Notify    Action = "notify"
	Ignore    Action = "ignore"
)

// Mode says whether a termination is carried out or only tried.
type Mode string

// The modes. The zero Mode is not valid; where none is given, DryRun is meant.
const (
	DryRun  Mode = "dry-run"
	Enforce Mode = "enforce"
)

// DefaultMaxConnections is how many connections of one person are ended at most where a policy names no limit.
const DefaultMaxConnections = 20

// Policy is a policy document that was read and found sound. The zero Policy ignores every signal.
type Policy struct {
	// Hash identifies the document: the first 12 hexadecimal digits of its SHA-256.
	Hash string
	// MaxConnections is the most connections that are ended for one signal; above it none is.
	MaxConnections int

	rules    []rule
	fallback Action
	identity identity
	exempt   exemption
}

// document is the YAML form.
type document struct {
	Version        int              `yaml:"version"`
	Identity       identityDocument `yaml:"identity"`
	Exempt         []string         `yaml:"exempt"`
	MaxConnections *int             `yaml:"max_connections"`
	Rules          []rule           `yaml:"rules"`
	Default        Action           `yaml:"default"`
}

type rule struct {
	Name      string     `yaml:"name"`
	When      *condition `yaml:"when"`
	Then      Action     `yaml:"then"`
	Mode      Mode       `yaml:"mode"`
	Endpoints []string   `yaml:"endpoints"`
	KeepOut   KeepOut    `yaml:"keep_out"`

	clauses []clause
}

// Rules lists the names of the rules, in their order.
func (p *Policy) Rules() []string {
	var names []string
	for _, r := range p.rules {
		names = append(names, r.Name)
	}
	return names
}

// File gives the path of the policy document: the one that was chosen, and else policy.yaml beside the program, which in Lambda
// is in taskRoot.
func File(chosen, taskRoot, program string) string {
	if chosen != "" {
		return chosen
	}
	if taskRoot == "" {
		taskRoot = filepath.Dir(program)
	}
	return filepath.Join(taskRoot, "policy.yaml")
}

// Load reads the policy document at path. Its errors are those of [Parse] and of reading the file.
func Load(path string) (*Policy, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the policy: %w", err)
	}
	return Parse(path, data)
}

// Parse reads a policy document; name is the file's name for messages. The error lists every mistake as
// "name:line:column: path: problem", except that a document whose form is wrong (syntax, an unknown or doubled key, a
// value of the wrong type) is left at the first.
func Parse(name string, data []byte) (p *Policy, err error) {
	// The YAML library panics on some documents that are none. An unreadable policy must not take the reports along.
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, fmt.Errorf("%s:1:1: cannot be read as YAML: %v", name, r)
		}
	}()
	// A byte order mark, which some editors write, would become part of the first key.
	file, err := parser.ParseBytes(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), 0)
	if err != nil {
		return nil, formError(name, err)
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, fmt.Errorf("%s:1:1: must be one YAML document; begin with \"version: 1\"", name)
	}
	c := checker{name: name, file: file}
	c.plain()
	if err := errors.Join(c.problems...); err != nil {
		return nil, err
	}
	ast.Walk(visitor(words), file.Docs[0].Body)
	d := document{Default: Ignore}
	if err := yaml.NodeToValue(file.Docs[0].Body, &d, yaml.Strict()); err != nil {
		return nil, formError(name, err)
	}
	sum := sha256.Sum256(data)
	p = &Policy{
		Hash:           hex.EncodeToString(sum[:6]),
		MaxConnections: DefaultMaxConnections,
		rules:          d.Rules,
		fallback:       d.Default,
	}
	c.wholeNumber("version")
	c.wholeNumber("max_connections")
	p.identity = newIdentity(d.Identity, &c)
	c.document(d, p.identity)
	p.exempt = newExemption(d.Exempt, p.identity, &c)
	if d.MaxConnections != nil {
		p.MaxConnections = *d.MaxConnections
	}
	if err := errors.Join(c.problems...); err != nil {
		return nil, err
	}
	for i := range p.rules {
		p.rules[i].clauses = p.rules[i].When.compile()
	}
	return p, nil
}

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

func (c *checker) document(d document, id identity) {
	if d.Version != 1 {
		c.add("version", "must be 1")
	}
	if d.MaxConnections != nil && *d.MaxConnections < 1 {
		c.add("max_connections", "must be at least 1; to end nothing, use then: notify")
	}
	oneOf(c, "default", d.Default, Terminate, Notify, Ignore)
	seen := map[string]bool{}
	for i, r := range d.Rules {
		path := fmt.Sprintf("rules[%d]", i)
		switch {
		case strings.TrimSpace(r.Name) == "":
			c.add(path+".name", "missing; outcomes name the rule that decided")
		case seen[r.Name]:
			c.add(path+".name", "%q is the name of an earlier rule", r.Name)
		}
		seen[r.Name] = true
		oneOf(c, path+".then", r.Then, Terminate, Notify, Ignore)
		if r.Mode != "" {
			oneOf(c, path+".mode", r.Mode, DryRun, Enforce)
		}
		if r.When == nil {
			c.add(path+".when", "missing; a rule for every signal says so with when: {}")
			continue
		}
		before := len(c.problems)
		r.When.check(c, path+".when", id)
		if r.Endpoints != nil && len(r.Endpoints) == 0 {
			c.add(path+".endpoints", "is empty, so the rule acts nowhere; remove the line or name an endpoint")
		}
		for k, endpoint := range r.Endpoints {
			if !endpointID.MatchString(endpoint) {
				c.add(fmt.Sprintf("%s.endpoints[%d]", path, k), "%q is not an endpoint id like cvpn-endpoint-0123456789abcdef0", endpoint)
			}
		}
		if r.Endpoints != nil && r.Then != Terminate {
			c.add(path+".endpoints", "limits where connections are ended, and this rule ends none; remove it")
		}
		r.checkKeepOut(c, path)
		if len(c.problems) > before {
			continue
		}
		for _, earlier := range d.Rules[:i] {
			if earlier.When != nil && earlier.When.covers(r.When) {
				c.add(path, "never decides: whatever fits %q fits the earlier rule %q; put it before that, or remove it", r.Name, earlier.Name)
				break
			}
		}
	}
}

var (
	endpointID   = regexp.MustCompile(`^cvpn-endpoint-[0-9a-f]+$`)
	connectionID = regexp.MustCompile(`^cvpn-connection-[0-9a-f]+$`)
)

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
