package trial

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/policy"
)

// expectation is what must be decided about one signal. What is absent is not compared.
type expectation struct {
	Action policy.Action `yaml:"action"`
	Rule   *string       `yaml:"rule"` // "" for the default
	Mode   policy.Mode   `yaml:"mode"`
	Gate   *policy.Gate  `yaml:"gate"` // "" for none
	// KeepOut is for how long, "" for not at all.
	KeepOut *policy.KeepOut `yaml:"keep_out"`
	Names   []string        `yaml:"names"` // all of these must be searched for
	Reason  string          `yaml:"reason"`
}

// run decides about the case's event.
func (c policyCase) run(p *policy.Policy) checked {
	one := checked{policyCase: c}
	event, err := c.event()
	if err != nil {
		one.differences = []string{"reading the event: " + err.Error()}
		return one
	}
	now := EventTime(event)
	if c.Now != "" {
		if now, err = time.Parse(time.RFC3339, c.Now); err != nil {
			one.differences = []string{fmt.Sprintf("now: %q is not a time like 2026-11-30T17:00:00Z", c.Now)}
			return one
		}
	}
	explained := decideEvent(p, cmp.Or(c.Mode, policy.Enforce), c.file, event, now)
	if last := explained[len(explained)-1]; last.Error != "" || c.Error != "" {
		one.differences = c.compareError(explained)
		return one
	}
	one.decided = explained
	if len(explained) != len(c.Want) {
		one.differences = append(one.differences, fmt.Sprintf("want %d signals, got %d", len(c.Want), len(explained)))
	}
	for i, e := range explained {
		one.rules = append(one.rules, e.Decision.Rule)
		if i < len(c.Want) {
			one.differences = append(one.differences, c.Want[i].compare(e)...)
		}
	}
	return one
}

func (c policyCase) event() ([]byte, error) {
	if c.File != "" {
		return os.ReadFile(filepath.Join(filepath.Dir(c.file), c.File))
	}
	return json.Marshal(c.Event)
}

// compareError compares where there is no signal, or must be none.
func (c policyCase) compareError(explained []Explanation) []string {
	switch failed := explained[len(explained)-1].Error; {
	case failed == "":
		return []string{fmt.Sprintf("want no signal but the error %q, got %d signals", c.Error, len(explained))}
	case c.Error == "":
		return []string{"no signal: " + failed}
	case !strings.Contains(failed, c.Error):
		return []string{fmt.Sprintf("error: want %q in %q", c.Error, failed)}
	}
	return nil
}

// compare returns how the decision about a signal differs, with its reasons, or nothing.
func (w expectation) compare(e Explanation) []string {
	d := e.Decision
	var wrong []string
	differs := func(different bool, what string, want, got any) {
		if different {
			wrong = append(wrong, fmt.Sprintf("%s: want %q, got %q", what, want, got))
		}
	}
	differs(w.Action != d.Action, "action", w.Action, d.Action)
	if w.Rule != nil {
		differs(*w.Rule != d.Rule, "rule", *w.Rule, d.Rule)
	}
	differs(w.Mode != "" && w.Mode != d.Mode, "mode", w.Mode, d.Mode)
	if w.Gate != nil {
		differs(*w.Gate != d.Gate, "gate", *w.Gate, d.Gate)
	}
	if w.KeepOut != nil {
		differs(*w.KeepOut != d.KeepOut, "keep_out", *w.KeepOut, d.KeepOut)
	}
	for _, name := range w.Names {
		differs(!slices.Contains(slices.Concat(d.Names, d.CommonNames), name), "names", name, d.Names)
	}
	if !says(d.Reasons, w.Reason) {
		wrong = append(wrong, fmt.Sprintf("reason: none says %q", w.Reason))
	}
	if len(wrong) == 0 {
		return nil
	}
	differences := append([]string{fmt.Sprintf("about %s:", e.Signal.Subject)}, wrong...)
	for _, reason := range d.Reasons {
		differences = append(differences, fmt.Sprintf("  - %s", reason))
	}
	return differences
}

// says reports whether one of the reasons contains the words.
func says(reasons []policy.Reason, words string) bool {
	if words == "" {
		return true
	}
	return slices.ContainsFunc(reasons, func(r policy.Reason) bool { return strings.Contains(r.String(), words) })
}
