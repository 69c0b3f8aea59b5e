// Package policy decides what is done about a signal, and says why.
//
// It promises that deciding is a pure function: the same document, signal, mode and time lead to the same [Decision].
// The decision has the rule that decided, why every earlier rule did not, and what blocked an action. It reads a
// document strictly: an unknown word is an error with its line. A missing value has the safe meaning: without a mode
// it is a dry-run, and an empty name is nobody. Exempt people and the limit hold for every rule.
package policy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"

	"clientvpn-responder/internal/identity"

	"github.com/goccy/go-yaml/parser"
)

// Action is what a rule does.
type Action string

// The actions. Terminate cuts the person off; Notify only publishes an outcome; Ignore only logs one.
const (
	Terminate Action = "terminate"
	Notify    Action = "notify"
	Ignore    Action = "ignore"
)

// Mode says whether a termination is carried out or only tried.
type Mode string

// The modes. The zero Mode is not valid; a missing mode means DryRun.
const (
	DryRun  Mode = "dry-run"
	Enforce Mode = "enforce"
)

// DefaultMaxConnections is the limit where a policy names none.
const DefaultMaxConnections = 20

// Policy is a policy document that was read and found sound. The zero Policy ignores every signal.
type Policy struct {
	// Hash identifies the document: the first 12 hexadecimal digits of its SHA-256.
	Hash string
	// MaxConnections is how many different names the connections of one person may carry; above it none is terminated.
	MaxConnections int
	// Brake limits how many people are cut off in a window.
	Brake Brake

	rules    []rule
	fallback Action
	book     identity.Book
	demo     bool // nobody's domains are meant
	exempt   exemption
	access   access
	lifts    lifts

	leaverStates map[string]bool // folded
}

// document is the YAML form.
type document struct {
	Version       int              `yaml:"version"`
	Identity      identityDocument `yaml:"identity"`
	Access        accessDocument   `yaml:"access"`
	LeaverStates  *[]string        `yaml:"leaver_states"`
	Demonstration bool             `yaml:"demonstration"`

	Lifts          map[string][]string `yaml:"lifts"`
	Exempt         []string            `yaml:"exempt"`
	MaxConnections *int                `yaml:"max_connections"`
	Brake          *brakeDocument      `yaml:"brake"`
	Rules          []rule              `yaml:"rules"`
	Default        Action              `yaml:"default"`
}

type rule struct {
	Name      string     `yaml:"name"`
	When      *condition `yaml:"when"`
	Then      Action     `yaml:"then"`
	Mode      Mode       `yaml:"mode"`
	Endpoints []string   `yaml:"endpoints"`
	KeepOut   KeepOut    `yaml:"keep_out"`

	clauses []clause
	skipped string // begins the text of why the rule does not decide
}

// Rules lists the names of the rules, in their order.
func (p *Policy) Rules() []string {
	var names []string
	for _, r := range p.rules {
		names = append(names, r.Name)
	}
	return names
}

// File returns the path of the policy document: the chosen one, or policy.yaml beside the program. In Lambda, the
// program is in taskRoot.
func File(chosen, taskRoot, program string) string {
	if chosen != "" {
		return chosen
	}
	if taskRoot == "" {
		taskRoot = filepath.Dir(program)
	}
	return filepath.Join(taskRoot, "policy.yaml")
}

// Load reads the policy document at path, and the file of aliases beside it, if the document names one. Its errors are
// those of [Parse] and of reading the files.
func Load(path string) (*Policy, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the policy: %w", err)
	}
	return ParseWith(path, data, func(name string) ([]byte, error) {
		return os.ReadFile(filepath.Join(filepath.Dir(path), filepath.Base(name)))
	})
}

// Parse reads a policy document that names no file of aliases. See [ParseWith].
func Parse(name string, data []byte) (*Policy, error) { return ParseWith(name, data, nil) }

// ParseWith reads a policy document; name is the file's name for messages, and read returns a file beside it. The
// error lists every mistake as "name:line:column: path: problem". If YAML's syntax is wrong or a key is doubled, it has
// only the first. If a value is not of its form or a key is unknown, it has all such mistakes and no others.
func ParseWith(name string, data []byte, read func(name string) ([]byte, error)) (p *Policy, err error) {
	// The YAML library panics on some broken documents. An unreadable policy must not take the reports along.
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, fmt.Errorf("%s:1:1: cannot be read as YAML: %v", name, r)
		}
	}()
	c := checker{name: name}
	d, err := c.read(data)
	if err != nil {
		return nil, err
	}
	file, err := beside(d.Identity.AliasesFile, read)
	if err != nil {
		c.add("identity.aliases_file", "%v", err)
	}
	sum := sha256.Sum256(append(data, file...))
	p = &Policy{
		Hash:           hex.EncodeToString(sum[:6]),
		MaxConnections: DefaultMaxConnections,
		rules:          d.Rules,
		fallback:       d.Default,
		demo:           d.Demonstration,
		book:           *newBook(d.Identity, &c, file),
	}
	c.document(d, &p.book)
	p.access, p.leaverStates = newAccess(d.Access, &c), newLeaverStates(d.LeaverStates, &c)
	p.lifts = newLifts(d.Lifts, &c)
	p.exempt = newExemption(d.Exempt, &p.book, &c)
	if d.MaxConnections != nil {
		p.MaxConnections = *d.MaxConnections
	}
	p.Brake = c.brake(d.Brake)
	if err := errors.Join(c.problems...); err != nil {
		return nil, err
	}
	for i := range p.rules {
		p.rules[i].compile()
	}
	return p, nil
}

// beside reads a file beside the policy. A name with a folder in it is an error: the file travels with the policy.
func beside(name string, read func(string) ([]byte, error)) ([]byte, error) {
	switch {
	case name == "":
		return nil, nil
	case name != filepath.Base(name):
		return nil, fmt.Errorf("%q must be the name of a file beside the policy", name)
	case read == nil:
		return nil, fmt.Errorf("%q cannot be read where the policy is not a file", name)
	}
	data, err := read(name)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	return data, nil
}

// read reads the document's form.
func (c *checker) read(data []byte) (document, error) {
	d := document{Default: Ignore}
	// A byte order mark, which some editors write, would become part of the first key.
	file, err := parser.ParseBytes(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), 0)
	if err != nil {
		return d, c.syntaxError(err)
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return d, fmt.Errorf("%s:1:1: must be one YAML document; begin with \"version: 1\"", c.name)
	}
	c.file = file
	c.plain()
	if err := errors.Join(c.problems...); err != nil {
		return d, err
	}
	c.fill(file.Docs[0].Body, reflect.ValueOf(&d).Elem())
	return d, errors.Join(c.problems...)
}
