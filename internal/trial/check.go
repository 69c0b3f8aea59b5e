package trial

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

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
}

// expectation is what must be decided about one signal. What is absent is not looked at.
type expectation struct {
	Action policy.Action `yaml:"action"`
	Rule   *string       `yaml:"rule"` // "" for the default
	Mode   policy.Mode   `yaml:"mode"`
	Gate   *policy.Gate  `yaml:"gate"` // "" for none
	// KeepOut is for how long, "" for not at all.
	KeepOut *policy.KeepOut `yaml:"keep_out"`
	Names   []string        `yaml:"names"` // all of these must be looked for
	Reason  string          `yaml:"reason"`
}

// Check runs the cases of all folders, prints what differs, and says which rules no case reaches.
func Check(out io.Writer, policyFile string, folders []string) error {
	p, err := policy.Load(policyFile)
	if err != nil {
		return err
	}
	reached := map[string]bool{}
	cases, wrong := 0, 0
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
		if err != nil || len(files) == 0 {
			return fmt.Errorf("%s: has no *.yaml", folder)
		}
		for _, file := range files {
			nodes, err := readCases(file)
			if err != nil {
				return err
			}
			for _, n := range nodes {
				cases++
				differences, rules := n.run(p, filepath.Dir(file))
				for _, rule := range rules {
					reached[rule] = true
				}
				if len(differences) > 0 {
					wrong++
					fmt.Fprintf(out, "%s: %s\n", n.at, n.Name)
					for _, d := range differences {
						fmt.Fprintf(out, "    %s\n", d)
					}
				}
			}
		}
	}
	unreached := slices.DeleteFunc(p.Rules(), func(rule string) bool { return reached[rule] })
	fmt.Fprintf(out, "%d cases, %d as they should be.", cases, cases-wrong)
	if len(unreached) > 0 {
		fmt.Fprintf(out, " No case reaches: %s.", strings.Join(unreached, ", "))
	}
	fmt.Fprintln(out)
	if wrong > 0 {
		return fmt.Errorf("%d of %d cases differ", wrong, cases)
	}
	return nil
}

// placedCase is a case with its place, "file:line".
type placedCase struct {
	policyCase
	at string
}

// readCases reads a file of cases, strictly.
func readCases(file string) ([]placedCase, error) {
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
	var all []placedCase
	for _, node := range parsed.Docs[0].Body.(*ast.SequenceNode).Values {
		c := placedCase{at: fmt.Sprintf("%s:%d", file, node.GetToken().Position.Line)}
		if err := yaml.NodeToValue(node, &c.policyCase, yaml.Strict()); err != nil {
			return nil, placed(file, err)
		}
		problem := ""
		ast.Walk(valueless(func(null ast.Node) {
			problem = fmt.Sprintf("%s: has no value; remove the line or give it one, \"\" for none", null.GetPath()[strings.LastIndex(null.GetPath(), ".")+1:])
		}), node)
		switch {
		case problem != "":
		case c.Name == "":
			problem = "name: missing; say what the case shows"
		case (c.File == "") == (c.Event == nil):
			problem = "give a file or an event"
		case (c.Want == nil) == (c.Error == ""):
			problem = "give want, with an entry for each signal, or error, where the event must have none"
		case c.Mode != "" && c.Mode != policy.DryRun && c.Mode != policy.Enforce:
			problem = fmt.Sprintf("mode: %q is neither dry-run nor enforce", c.Mode)
		}
		for _, w := range c.Want {
			if w.Action == "" {
				problem = "want: every entry needs an action: terminate, notify or ignore"
			}
		}
		if problem != "" {
			return nil, fmt.Errorf("%s: %s", c.at, problem)
		}
		all = append(all, c)
	}
	return all, nil
}

// valueless is called with every null outside the event, whose JSON may have some: "gate:" with nothing behind it would
// compare nothing.
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
		return fmt.Errorf("%s:%d:%d: %s", file, at.GetToken().Position.Line, at.GetToken().Position.Column, at.GetMessage())
	}
	return fmt.Errorf("%s: %w", file, err)
}

// run decides about the case's event, and gives what differs and the rules that decided.
func (c placedCase) run(p *policy.Policy, folder string) (differences, rules []string) {
	var event []byte
	var err error
	if c.File != "" {
		event, err = os.ReadFile(filepath.Join(folder, c.File))
	} else {
		event, err = json.Marshal(c.Event)
	}
	if err != nil {
		return []string{"reading the event: " + err.Error()}, nil
	}
	now := EventTime(event)
	if c.Now != "" {
		if now, err = time.Parse(time.RFC3339, c.Now); err != nil {
			return []string{fmt.Sprintf("now: %q is not a time like 2026-11-30T17:00:00Z", c.Now)}, nil
		}
	}
	mode := c.Mode
	if mode == "" {
		mode = policy.Enforce
	}
	explained := DecideEvent(p, mode, c.at, event, now)
	if failed := explained[0].Error; failed != "" {
		switch {
		case c.Error == "":
			return []string{"no signal: " + failed}, nil
		case !strings.Contains(failed, c.Error):
			return []string{fmt.Sprintf("error: want %q in %q", c.Error, failed)}, nil
		}
		return nil, nil
	}
	if c.Error != "" {
		return []string{fmt.Sprintf("want no signal but the error %q, got %d signals", c.Error, len(explained))}, nil
	}
	if len(explained) != len(c.Want) {
		differences = append(differences, fmt.Sprintf("want %d signals, got %d", len(c.Want), len(explained)))
	}
	for i, e := range explained {
		d := e.Decision
		rules = append(rules, d.Rule)
		if i >= len(c.Want) {
			break
		}
		w := c.Want[i]
		var wrong []string
		differs := func(what string, want, got any) {
			wrong = append(wrong, fmt.Sprintf("%s: want %q, got %q", what, want, got))
		}
		if w.Action != d.Action {
			differs("action", w.Action, d.Action)
		}
		if w.Rule != nil && *w.Rule != d.Rule {
			differs("rule", *w.Rule, d.Rule)
		}
		if w.Mode != "" && w.Mode != d.Mode {
			differs("mode", w.Mode, d.Mode)
		}
		if w.Gate != nil && *w.Gate != d.Gate {
			differs("gate", *w.Gate, d.Gate)
		}
		if w.KeepOut != nil && *w.KeepOut != d.KeepOut {
			differs("keep_out", *w.KeepOut, d.KeepOut)
		}
		for _, name := range w.Names {
			if !slices.Contains(slices.Concat(d.Names, d.CommonNames), name) {
				differs("names", name, d.Names)
			}
		}
		if !strings.Contains(strings.Join(policy.Words(d.Reasons), "\n"), w.Reason) {
			wrong = append(wrong, fmt.Sprintf("reason: none says %q", w.Reason))
		}
		if len(wrong) > 0 {
			differences = append(differences, fmt.Sprintf("about %s:", e.Signal.Subject))
			differences = append(differences, wrong...)
			for _, reason := range d.Reasons {
				differences = append(differences, "  - "+reason.String())
			}
		}
	}
	return differences, rules
}
