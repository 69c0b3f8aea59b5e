package signal

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
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

// Parse reads one EventBridge event and returns a signal for each person it is about, at least one if the error is nil.
// A signal may be about nobody: the event wanted something done, and names no person. The error wraps
// [ErrUnsupported] for an event that asks for nothing, and is an [*UnreadableError] for one that cannot be read.
func Parse(raw []byte) ([]Signal, error) {
	var e event
	if err := decode("", raw, &e); err != nil {
		return nil, err
	}
	switch {
	case e.Source == "":
		return nil, unreadable("source", "missing; pass the whole EventBridge event, not only its detail")
	case e.DetailType == "":
		return nil, unreadable("detail-type", "missing; pass the whole EventBridge event, not only its detail")
	}
	i := slices.IndexFunc(providers, func(p provider) bool { return p.sends(string(e.Source)) })
	if i < 0 {
		return nil, fmt.Errorf("%w: source %q", ErrUnsupported, clip(string(e.Source), 100))
	}
	e.provider = providers[i]
	if want := e.provider.detailType; want != "" && string(e.DetailType) != want {
		return nil, e.unsupported("detail-type %q", clip(string(e.DetailType), 100))
	}
	if d := bytes.TrimSpace(e.Detail); len(d) == 0 || d[0] != '{' {
		return nil, unreadable("detail", "must be an object")
	}
	signals, err := e.provider.parse(e)
	if err != nil {
		return nil, err
	}
	for i := range signals {
		if err := e.complete(&signals[i]); err != nil {
			return nil, err
		}
	}
	return signals, nil
}

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
	for _, m := range e.provider.known {
		switch {
		case m.eventType != string(eventType):
		case m.kind == "":
			return m, e.unsupported("%s: %s", m.eventType, m.note)
		default:
			return m, nil
		}
	}
	return meaning{}, e.unsupported("event type %q does not affect anyone's access",
		clip(string(eventType), 100))
}

func (e event) kind(eventType requiredString) (Kind, error) {
	m, err := e.meaning(eventType)
	return m.kind, err
}

func (e event) unsupported(format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", ErrUnsupported, e.provider.name, fmt.Sprintf(format, args...))
}

func unreadable(field, format string, args ...any) error {
	return &UnreadableError{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// parseRecords parses the records of a list. A record that asks for nothing does not matter beside one that asks for
// something.
func parseRecords[T any](records []T, parse func(T) ([]Signal, error)) ([]Signal, error) {
	var all []Signal
	var nothing error
	for _, r := range records {
		signals, err := parse(r)
		switch {
		case errors.Is(err, ErrUnsupported):
			nothing = cmp.Or(nothing, err)
		case err != nil:
			return nil, err
		default:
			all = append(all, signals...)
		}
	}
	if len(all) > 0 {
		return all, nil
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

// lazy compiles a pattern at its first use. All patterns together would take a twentieth of the start of a function,
// and the connect handler needs none.
func lazy(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// replacer makes a replacer at its first use, for the same reason.
func replacer(oldnew ...string) func() *strings.Replacer {
	return sync.OnceValue(func() *strings.Replacer { return strings.NewReplacer(oldnew...) })
}
