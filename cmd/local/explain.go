package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
)

// explanation is what would be decided about one signal of a file, or why the file has none.
type explanation struct {
	File     string           `json:"file"`
	Signal   *signal.Signal   `json:"signal,omitempty"`
	Decision *policy.Decision `json:"decision,omitempty"`
	Error    string           `json:"error,omitempty"`
}

// decideEvent parses an event and decides about its signals, as the function does.
func decideEvent(p *policy.Policy, mode policy.Mode, file string, event []byte, now time.Time) []explanation {
	signals, err := signal.Parse(event)
	if err != nil {
		return []explanation{{File: file, Error: err.Error()}}
	}
	var all []explanation
	for i := range signals {
		decision := p.Decide(signals[i], mode, now)
		all = append(all, explanation{File: file, Signal: &signals[i], Decision: &decision})
	}
	return all
}

func explain(out io.Writer, policyFile string, files []string, asJSON bool) error {
	p, err := policy.Load(policyFile)
	if err != nil {
		return err
	}
	mode := policy.DryRun
	if os.Getenv("MODE") == string(policy.Enforce) {
		mode = policy.Enforce
	}
	for _, file := range files {
		explained := []explanation{{File: file}}
		if event, err := os.ReadFile(file); err != nil {
			explained[0].Error = fmt.Sprintf("reading the event: %v", err)
		} else {
			explained = decideEvent(p, mode, file, event, time.Now())
		}
		for _, e := range explained {
			if !asJSON {
				e.print(out)
			} else if err := json.NewEncoder(out).Encode(e); err != nil {
				return fmt.Errorf("printing the decision: %w", err)
			}
		}
	}
	return nil
}

func (e explanation) print(out io.Writer) {
	if e.Error != "" {
		fmt.Fprintf(out, "%s\n  no signal: %s\n", e.File, e.Error)
		return
	}
	fmt.Fprintf(out, "%s\n  %s %s about %s: %s, mode %s\n", e.File, e.Signal.Provider, e.Signal.Type, e.Signal.Subject, e.Decision.Action, e.Decision.Mode)
	for _, reason := range e.Decision.Reasons {
		fmt.Fprintf(out, "  - %s\n", reason)
	}
	for _, name := range e.Decision.Names {
		fmt.Fprintf(out, "  looks for %s\n", name)
	}
	for _, name := range e.Decision.CommonNames {
		fmt.Fprintf(out, "  looks for certificate %s\n", name)
	}
}
