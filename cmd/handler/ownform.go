package main

import (
	"fmt"

	"clientvpn-responder/internal/signal"
)

// parseOwnFormCloses reads whether a sender of our own form may say that an account is closed.
func parseOwnFormCloses(s *settings, value string) error {
	if value != "yes" && value != "no" {
		return fmt.Errorf("%q is neither yes nor no", value)
	}
	s.ownForm = map[string]ownForm{"yes": mayClose, "no": mayTerminate}[value]
	return nil
}

// ownForm is what events of our own form from the queue may ask for, beside the detail-types that only operators may
// put on the bus.
type ownForm int

const (
	mayAnything  ownForm = iota // the setting is absent, and any kind may come
	mayClose                    // terminations, also of closed accounts
	mayTerminate                // terminations, but of no closed accounts
)

// admit refuses what senders of our own form may not ask through the queue. It leaves out their signals, and their
// record has the error. It admits direct invocations, which the operator's tool makes, and events that a person
// released.
func (h *handler) admit(items []item) (admitted []item) {
	for _, i := range items {
		if problem := h.refusal(i); problem != "" {
			i.record.err = &signal.UnreadableError{Field: "detail.kind", Problem: problem}
			continue
		}
		admitted = append(admitted, i)
	}
	return admitted
}

// refusal says why a signal is not admitted; it is empty if it is. The bus's policy sees the detail-type and not the
// kind, so a sender who may not put Reinstate must not reinstate by a kind.
func (h *handler) refusal(i item) string {
	s := i.signal
	released := i.record.arrival.Released != nil
	if h.ownForm == mayAnything || s.Provider != signal.Custom || i.record.messageID == "" || released {
		return ""
	}
	switch {
	case s.Kind == signal.AccountEnabled && s.Type != reinstate:
		return fmt.Sprintf("%s reinstates a person, and only the detail-type %s may; send that", s.Kind, reinstate)
	case h.ownForm == mayTerminate && s.Kind.Closes():
		return fmt.Sprintf("%s is a closing kind, which our own form may not have here; "+
			`set the parameter OwnFormCloses to "yes", or use "clientvpn cut --kind %[1]s"`, s.Kind)
	}
	return ""
}

// reinstate is the detail-type of our own form that only operators may put on the bus.
const reinstate = "Reinstate"
