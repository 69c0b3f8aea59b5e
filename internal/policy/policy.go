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
