package signal

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// event is the envelope that EventBridge delivers.
// Source: Amazon EventBridge user guide, "Event structure reference".
type event struct {
	ID         requiredString  `json:"id"`
	DetailType requiredString  `json:"detail-type"`
	Source     requiredString  `json:"source"`
	Account    requiredString  `json:"account"`
	Time       requiredString  `json:"time"`
	Region     requiredString  `json:"region"`
	Replay     requiredString  `json:"replay-name"`
	Resources  json.RawMessage `json:"resources"`
	Detail     json.RawMessage `json:"detail"`

	provider provider
}

// maxPeople limits the people of one event, and maxSignals what happened to them. Nobody disables as many at once, so
// more are a mistake or an attack.
const (
	maxPeople  = 100
	maxSignals = 1000
)

// Parse reads one EventBridge event and returns a signal for each person it is about.
//
//   - A nil error means that there is at least one signal. A signal may be about nobody: the event wanted something
//     done, and names no person.
//   - An error that wraps [ErrUnsupported], an [*UnsupportedError], means that the event asks for nothing. There is no
//     signal.
//   - Any other error joins an [*UnreadableError] for each record that Parse cannot read. The signals, if any, are good
//     ones from the event's other records.
func Parse(raw []byte) ([]Signal, error) {
	if envelope, detail, ok := cut(raw, "detail"); ok {
		signals, err := parse(envelope, detail)
		if err == nil || errors.Is(err, ErrUnsupported) && json.Valid(detail) {
			return signals, err
		}
	}
	return parse(raw, nil) // so that an error is about the whole event
}

// parse reads an event. detail is the event's detail if Parse has cut it out. It may then be no JSON, for which every
// provider returns an error.
func parse(raw, detail []byte) ([]Signal, error) {
	e, err := readEvent(raw, detail)
	if err != nil {
		return nil, err
	}
	signals, err := e.provider.parse(e)
	if errors.Is(err, ErrUnsupported) {
		return nil, err
	}
	switch {
	case len(signals) > maxSignals:
		return nil, unreadable("detail", "says more than %d things; send it in parts, or look at who sends it", maxSignals)
	case peopleIn(signals) > maxPeople:
		return nil, unreadable("detail", "is about more than %d people; send it in parts, or look at who sends it", maxPeople)
	}
	for i := range signals {
		if err := e.complete(&signals[i]); err != nil {
			return nil, err
		}
	}
	return signals, err
}

// peopleIn counts the people of an event. One person may have lost many groups.
func peopleIn(signals []Signal) int {
	if len(signals) <= maxPeople {
		return len(signals)
	}
	people := map[string]bool{}
	for i := range signals {
		people[signals[i].Subject.String()] = true
	}
	return len(people)
}

// readEvent reads the envelope and finds the provider. detail is the event's detail if the envelope has none.
func readEvent(raw, detail []byte) (event, error) {
	var e event
	if err := decode("", raw, &e); err != nil {
		return e, err
	}
	if detail != nil {
		e.Detail = detail
	}
	switch {
	case e.Source == "":
		return e, unreadable("source", "missing; pass the whole EventBridge event, not only its detail")
	case e.DetailType == "":
		return e, unreadable("detail-type", "missing; pass the whole EventBridge event, not only its detail")
	}
	i := slices.IndexFunc(providers, func(p provider) bool { return p.sends(string(e.Source)) })
	if i < 0 {
		source := clip(string(e.Source), 100)
		return e, &UnsupportedError{Type: source, Why: fmt.Sprintf("source %q", source)}
	}
	e.provider = providers[i]
	if want := e.provider.detailType; want != "" && string(e.DetailType) != want {
		return e, e.unsupported(e.DetailType, "detail-type %q", clip(string(e.DetailType), 100))
	}
	if d := bytes.TrimSpace(e.Detail); len(d) == 0 || d[0] != '{' {
		return e, unreadable("detail", "must be an object")
	}
	return e, nil
}

// checkDetail returns an error unless the detail is JSON. Parsers that read nothing else of the detail call it.
func (e event) checkDetail() error { return decode("detail", e.Detail, &struct{}{}) }

// complete adds what the envelope knows where the provider's own record says nothing.
func (e event) complete(s *Signal) error {
	s.Provider = e.provider.name
	s.ID = cmp.Or(s.ID, string(e.ID))
	if s.ID == "" {
		return unreadable("id", "missing; EventBridge gives every event an id, which identifies repeats")
	}
	s.EventID = string(e.ID)
	s.ID, s.EventID, s.ARN = clip(s.ID, 300), clip(s.EventID, 300), clip(s.ARN, 300)
	s.Type, s.Reason = clip(s.Type, 300), clip(s.Reason, 500)
	s.Replay, s.SentAt = clip(string(e.Replay), 100), e.Time.time()
	s.Time = firstTime(s.Time, s.SentAt)
	s.Account = cmp.Or(s.Account, string(e.Account))
	s.Region = cmp.Or(s.Region, string(e.Region))
	return nil
}

// meaning returns the provider's row for the event type. The error wraps [ErrUnsupported] where the event type asks for
// nothing.
func (e event) meaning(eventType requiredString) (meaning, error) {
	switch m, known := e.known(eventType); {
	case !known:
		return m, e.unsupported(eventType, "event type %q does not affect anyone's access", clip(string(eventType), 100))
	case m.kind == "":
		return m, e.unsupported(eventType, "%s: %s", m.eventType, m.note)
	default:
		return m, nil
	}
}

// known returns the provider's row for the event type, if it has one.
func (e event) known(eventType requiredString) (meaning, bool) {
	for _, m := range e.provider.known {
		if m.eventType == string(eventType) {
			return m, true
		}
	}
	return meaning{}, false
}

func (e event) kind(eventType requiredString) (Kind, error) {
	m, err := e.meaning(eventType)
	return m.kind, err
}

func (e event) unsupported(eventType requiredString, format string, args ...any) error {
	return &UnsupportedError{
		Provider: e.provider.name, Type: clip(string(eventType), 100), Why: fmt.Sprintf(format, args...),
	}
}

// routine marks an event that asks for nothing as a routine notice of its transport.
func (e event) routine(eventType requiredString, err error) error {
	var unsupported *UnsupportedError
	if errors.As(err, &unsupported) {
		unsupported.Routine = true
		return unsupported
	}
	return e.unsupported(eventType, "%v", err)
}

func unreadable(field, format string, args ...any) error {
	return &UnreadableError{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// element returns the path of an element.
func element(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// parseRecords parses the records of a list. It returns the signals of all records that it can read, beside the errors
// of the others. A record that asks for nothing does not matter beside one that asks for something.
func parseRecords[T any](records []T, parse func(int, T) ([]Signal, error)) ([]Signal, error) {
	var all []Signal
	var nothing error
	var unreadable []error
	for i, r := range records {
		signals, err := parse(i, r)
		switch {
		case errors.Is(err, ErrUnsupported):
			nothing = cmp.Or(nothing, err)
			continue
		case err != nil:
			unreadable = append(unreadable, err)
		}
		all = append(all, signals...)
	}
	if len(all) > 0 || len(unreadable) > 0 {
		return all, errors.Join(unreadable...)
	}
	return nil, nothing
}

// eachSubject returns a copy of base for each subject, or base alone, about nobody, if there is no subject.
func eachSubject(base Signal, subjects []Subject) []Signal {
	if len(subjects) == 0 {
		return []Signal{base}
	}
	signals := make([]Signal, len(subjects))
	for i, subject := range subjects {
		signals[i] = base
		signals[i].Subject = subject
	}
	return signals
}

// replacer makes a replacer at its first use, so that the start does not wait for it.
func replacer(oldnew ...string) func() *strings.Replacer {
	return sync.OnceValue(func() *strings.Replacer { return strings.NewReplacer(oldnew...) })
}

// anew is the note of a new account. A person came back, or the name is somebody else's now.
const anew = "a new user: lifts what this source put on the very name"
