package trial

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
)

// Explanation is what would be decided about one signal of a file, or why the file has none.
type Explanation struct {
	File     string           `json:"file"`
	Record   int              `json:"record,omitempty"` // in a file with several events, from 1
	Signal   *signal.Signal   `json:"signal,omitempty"`
	Decision *policy.Decision `json:"decision,omitempty"`
	// Error says why the event, or one of its records, has no signal.
	Error string `json:"error,omitempty"`
	// Routine names the source that is alive, where the event is a routine notice. Such a notice is no error.
	Routine string `json:"routine,omitempty"`
	// Connections and Spared say what would become of the connections of a listing.
	Connections []connection `json:"connections,omitempty"`
	Spared      []connection `json:"spared,omitempty"`

	rules []policy.Answer
	why   string // of a routine notice
	asked bool   // about a listing
}

// decideEvent parses an event and decides about its signals, as the function does. It returns at least one explanation.
// The one of records that cannot be read is the last.
func decideEvent(p *policy.Policy, mode policy.Mode, file string, event []byte, now time.Time) []Explanation {
	signals, err := signal.Parse(event)
	var all []Explanation
	for i := range signals {
		decision := p.Decide(signals[i], mode, now)
		all = append(all, Explanation{File: file, Signal: &signals[i], Decision: &decision, rules: p.Answers(signals[i])})
	}
	if err != nil {
		all = append(all, withoutSignal(file, err))
	}
	return all
}

// withoutSignal returns the explanation of an event, or of records, that have no signal.
func withoutSignal(file string, err error) Explanation {
	e := Explanation{File: file, Error: err.Error()}
	var unsupported *signal.UnsupportedError
	if errors.As(err, &unsupported) && unsupported.Routine {
		e.Routine, e.why = "a sign of life of "+unsupported.Provider, unsupported.Why
	}
	return e
}

// ExplainOptions say how [Explain] decides and prints.
type ExplainOptions struct {
	Policy  string   // the file
	Listing *Listing // nil for none
	User    string   // explain only signals about this person, under any of their names; "" for all
	JSON    bool     // one object a line for each signal
}

// Explain prints what would be decided about events, in the mode of the environment variable MODE. It fails if one
// could not be read; the others are explained all the same.
func Explain(ctx context.Context, c *console.Console, records []Record, options ExplainOptions) error {
	p, err := policy.Load(options.Policy)
	if err != nil {
		return err
	}
	if err := options.Listing.printEndpoints(ctx, c, options.JSON); err != nil {
		return err
	}
	unread, printed := 0, 0
	for _, r := range records {
		explained, err := explainRecord(ctx, p, r, options.Listing)
		if err != nil {
			return err
		}
		if r.Err != nil {
			unread++
		}
		if options.User != "" {
			explained = slices.DeleteFunc(explained, func(e Explanation) bool { return !e.about(p, options.User) })
		}
		printed += len(explained)
		if err := printAll(c, explained, options); err != nil {
			return err
		}
	}
	switch {
	case unread > 0:
		return fmt.Errorf("%d of %d could not be read", unread, len(records))
	case printed == 0 && options.User != "":
		return fmt.Errorf("no signal is about %s", options.User)
	}
	return nil
}

// explainRecord returns what would be decided about one event.
func explainRecord(ctx context.Context, p *policy.Policy, r Record, listed *Listing) ([]Explanation, error) {
	if unread := r.Err; unread != nil {
		return []Explanation{{File: r.File, Record: r.Number, Error: unread.Error()}}, nil //nolint:nilerr // it is printed
	}
	explained := decideEvent(p, mode(), r.File, r.Event, time.Now())
	for i := range explained {
		explained[i].Record = r.Number
	}
	if err := listed.ask(ctx, r.Event, explained); err != nil {
		return nil, fmt.Errorf("%s: %w", r.File, err)
	}
	return explained, nil
}

// mode returns the one of the environment variable MODE, as the function reads it.
func mode() policy.Mode {
	if os.Getenv("MODE") == string(policy.Enforce) {
		return policy.Enforce
	}
	return policy.DryRun
}

// about reports whether the signal names the person, by a name in any case or by one that the policy maps to the same
// person.
func (e Explanation) about(p *policy.Policy, user string) bool {
	if e.Signal == nil {
		return false
	}
	people := p.People(user, "")
	names := slices.Concat(e.Decision.Names, e.Decision.People, e.Signal.Subject.Usernames, e.Signal.Subject.IDs)
	return slices.ContainsFunc(names, func(name string) bool {
		if signal.Fold(name) == signal.Fold(user) {
			return true
		}
		return slices.ContainsFunc(p.People(name, ""), func(person string) bool { return slices.Contains(people, person) })
	})
}

func printAll(c *console.Console, explained []Explanation, options ExplainOptions) error {
	for _, e := range explained {
		if !options.JSON {
			e.print(c)
		} else if err := json.NewEncoder(c.Out).Encode(e); err != nil {
			return fmt.Errorf("printing the decision: %w", err)
		}
	}
	return nil
}
