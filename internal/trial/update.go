package trial

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/policy"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// updateCases writes what is decided into the cases that differ. It rewrites only the list behind want; comments and
// everything else stay.
func updateCases(c *console.Console, wrong []checked) error {
	byFile := map[string][]checked{}
	var errs []error
	for _, one := range wrong {
		if one.decided == nil || one.Want == nil {
			err := fmt.Errorf("%s:%d: its event has a signal or none, against the case; change it by hand", one.file, one.line)
			errs = append(errs, err)
			continue
		}
		byFile[one.file] = append(byFile[one.file], one)
	}
	for file, cases := range byFile {
		n, err := updateFile(file, cases)
		errs = append(errs, err)
		if n > 0 {
			c.Print("%s: %d cases written anew. Review them like code.", file, n)
		}
	}
	return errors.Join(errs...)
}

// updateFile writes the file and returns how many cases it changed.
func updateFile(file string, cases []checked) (int, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return 0, fmt.Errorf("updating the cases: %w", err)
	}
	lines := strings.SplitAfter(string(raw), "\n")
	// From the last to the first, so that the lines before keep their numbers.
	slices.SortFunc(cases, func(a, b checked) int { return cmp.Compare(b.line, a.line) })
	changed := 0
	var errs []error
	for _, one := range cases {
		begin, end, err := wantLines(file, raw, one.line)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		lines = slices.Replace(lines, begin, end, one.wanted(indentOf(lines[begin-1]))...)
		changed++
	}
	if changed > 0 {
		errs = append(errs, os.WriteFile(file, []byte(strings.Join(lines, "")), 0o600))
	}
	return changed, errors.Join(errs...)
}

// wantLines returns the lines of the entries of want, as indexes, the end not included.
func wantLines(file string, raw []byte, line int) (begin, end int, err error) {
	parsed, err := parser.ParseBytes(raw, 0)
	if err != nil {
		return 0, 0, placed(file, err)
	}
	byHand := fmt.Errorf("%s:%d: want is not a list with a line for each entry; change it by hand", file, line)
	for _, node := range parsed.Docs[0].Body.(*ast.SequenceNode).Values {
		one, isMapping := node.(*ast.MappingNode)
		if !isMapping || one.IsFlowStyle || node.GetToken().Position.Line != line {
			continue
		}
		for _, pair := range one.Values {
			want, isList := pair.Value.(*ast.SequenceNode)
			if pair.Key.GetToken().Value != "want" || !isList || want.IsFlowStyle {
				continue
			}
			begin = pair.Key.GetToken().Position.Line
			return begin, begin + len(want.Values), onOneLineEach(want, begin, byHand)
		}
	}
	return 0, 0, byHand
}

// onOneLineEach returns the error unless each entry has a line to itself, directly below the key.
func onOneLineEach(want *ast.SequenceNode, keyLine int, otherwise error) error {
	for i, entry := range want.Values {
		if entry.GetToken().Position.Line != keyLine+1+i {
			return otherwise
		}
	}
	return nil
}

func indentOf(line string) string { return line[:len(line)-len(strings.TrimLeft(line, " "))] }

// wanted returns the lines of want as they must be: action and rule of each signal, and what the entry compared before.
func (one checked) wanted(indent string) []string {
	var lines []string
	for i, e := range one.decided {
		var before expectation
		if i < len(one.Want) {
			before = one.Want[i]
		}
		lines = append(lines, fmt.Sprintf("%s  - {%s}\n", indent, strings.Join(before.renewed(*e.Decision), ", ")))
	}
	return lines
}

// renewed returns the keys of the entry with what is decided.
func (w expectation) renewed(d policy.Decision) []string {
	keys := []string{fmt.Sprintf("action: %s, rule: %q", d.Action, d.Rule)}
	if w.Mode != "" {
		keys = append(keys, fmt.Sprintf("mode: %s", d.Mode))
	}
	if w.Gate != nil || d.Gate != "" {
		keys = append(keys, fmt.Sprintf("gate: %q", d.Gate))
	}
	if w.KeepOut != nil {
		keys = append(keys, fmt.Sprintf("keep_out: %q", d.KeepOut))
	}
	if len(w.Names) > 0 {
		keys = append(keys, fmt.Sprintf("names: [%s]", quoted(d.Names)))
	}
	return keys
}

func quoted(words []string) string {
	var all []string
	for _, word := range words {
		all = append(all, fmt.Sprintf("%q", word))
	}
	return strings.Join(all, ", ")
}
