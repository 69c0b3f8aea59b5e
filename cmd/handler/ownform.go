package main

import (
	"fmt"
	"slices"

	"clientvpn-responder/internal/signal"
)

// parseOwnFormCloses reads whether a sender of our own form may say that an account is closed.
func parseOwnFormCloses(s *settings, value string) error {
	if value != "yes" && value != "no" {
		return fmt.Errorf("%q is neither yes nor no", value)
	}
	s.refusesClosings = value == "no"
	return nil
}

// admit refuses closings in our own form that came through the queue, if the settings do not allow them. It leaves out
// their signals, and their record has the error. It admits direct invocations, which the operator's tool makes, and
// events that a person released.
func (h *handler) admit(items []item) (admitted []item) {
	for _, i := range items {
		if h.refusesClosings && i.record.messageID != "" && i.record.arrival.Released == nil && closesInOwnForm(i.signal) {
			i.record.err = &signal.UnreadableError{
				Field: "detail.kind", Problem: fmt.Sprintf("%s is a closing kind, which our own form may not have here; "+
					`set the parameter OwnFormCloses to "yes", or use "clientvpn cut --kind %[1]s"`, i.signal.Kind),
			}
			continue
		}
		admitted = append(admitted, i)
	}
	return admitted
}

// closings are the kinds for which a rule may keep people out for ever.
var closings = []signal.Kind{signal.AccountDisabled, signal.AccountPurged, signal.TokenClaimsChange}

// closesInOwnForm reports whether the signal says, in our own form, that an account is closed or has lost the VPN.
func closesInOwnForm(s signal.Signal) bool {
	return s.Provider == signal.Custom && slices.Contains(closings, s.Kind)
}
