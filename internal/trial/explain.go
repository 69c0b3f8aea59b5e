package trial

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
)

// Explanation is what would be decided about one signal of a file, or why the file has none.
type Explanation struct {
	File     string           `json:"file"`
	Signal   *signal.Signal   `json:"signal,omitempty"`
	Decision *policy.Decision `json:"decision,omitempty"`
	Error    string           `json:"error,omitempty"`
	// Connections and Spared say what would become of the connections of a listing.
	Connections []connection `json:"connections,omitempty"`
	Spared      []connection `json:"spared,omitempty"`

	rules []policy.Answer
	asked bool // about a listing
}

// DecideEvent parses an event and decides about its signals, as the function does. It returns at least one explanation.
func DecideEvent(p *policy.Policy, mode policy.Mode, file string, event []byte, now time.Time) []Explanation {
	signals, err := signal.Parse(event)
	if err != nil {
		return []Explanation{{File: file, Error: err.Error()}}
	}
	var all []Explanation
	for i := range signals {
		decision := p.Decide(signals[i], mode, now)
		all = append(all, Explanation{File: file, Signal: &signals[i], Decision: &decision, rules: p.Answers(signals[i])})
	}
	return all
}

// ExplainOptions say how [Explain] decides and prints.
type ExplainOptions struct {
	Policy  string   // the file
	Listing *Listing // nil for none
	JSON    bool     // one object a line for each signal
}

// Explain prints what would be decided about the events of the files, in the mode of the environment variable MODE.
func Explain(ctx context.Context, out io.Writer, files []string, options ExplainOptions) error {
	p, err := policy.Load(options.Policy)
	if err != nil {
		return err
	}
	mode := policy.DryRun
	if os.Getenv("MODE") == string(policy.Enforce) {
		mode = policy.Enforce
	}
	for _, file := range files {
		explained := []Explanation{{File: file}}
		if event, err := os.ReadFile(file); err != nil {
			explained[0].Error = fmt.Sprintf("reading the event: %v", err)
		} else {
			explained = DecideEvent(p, mode, file, event, time.Now())
			if err := options.Listing.ask(ctx, event, explained); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
		if err := printAll(out, explained, options.JSON); err != nil {
			return err
		}
	}
	return nil
}

func printAll(out io.Writer, explained []Explanation, asJSON bool) error {
	for _, e := range explained {
		if !asJSON {
			e.print(out)
		} else if err := json.NewEncoder(out).Encode(e); err != nil {
			return fmt.Errorf("printing the decision: %w", err)
		}
	}
	return nil
}
