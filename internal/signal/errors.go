package signal

import (
	"errors"
	"fmt"
)

// ErrUnsupported is the error that [Parse] wraps for an event that asks for nothing: another kind of event, a failed
// attempt, an ordinary logout.
var ErrUnsupported = errors.New("unsupported event")

// UnsupportedError is the error of [Parse] for an event that asks for nothing. It wraps [ErrUnsupported].
type UnsupportedError struct {
	// Provider is one of [Providers]. It is empty if the source is unknown.
	Provider string
	// Type is the provider's own word for the event, or the unknown source.
	Type string
	// Why says why the event asks for nothing.
	Why string
	// Routine marks a notice of a transport about itself, such as a test of a stream. It shows that the source is alive.
	Routine bool
}

// Error returns provider and reason.
func (e *UnsupportedError) Error() string {
	if e.Provider == "" {
		return fmt.Sprintf("%v: %s", ErrUnsupported, e.Why)
	}
	return fmt.Sprintf("%v: %s: %s", ErrUnsupported, e.Provider, e.Why)
}

// Unwrap returns ErrUnsupported.
func (e *UnsupportedError) Unwrap() error { return ErrUnsupported }

// UnreadableError is the error of [Parse] for an event, or one of its records, that should have been a signal and
// cannot be read.
type UnreadableError struct {
	// Field is the event's own path of what is wrong, such as "detail.records[3].properties.targetResources".
	Field string
	// Problem says what is wrong and what helps.
	Problem string
}

// Error returns field and problem.
func (e *UnreadableError) Error() string { return e.Field + ": " + e.Problem }
