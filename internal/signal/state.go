package signal

import (
	"slices"
	"strings"
)

// StateChange is a change of a person's state, as the provider writes the states. From may be empty. An empty To means
// that the event hides the new state; Of then names the attribute.
type StateChange struct {
	Of   string `json:"of,omitempty"`
	From string `json:"from,omitempty"`
	To   string `json:"to"`
}

// stateAttributes are attributes of people that customers use for whether somebody works for them, folded and without
// separators.
var stateAttributes = []string{
	"cloudlifecyclestate", "lifecyclestate", "status", "userstatus", "accountstatus", "identitystatus",
	"employmentstatus", "employeestatus", "workerstatus", "hrstatus",
}

var attributeSeparators = replacer("-", "", "_", "", " ", "", ":", "")

// isState reports whether an attribute says whether somebody works for the customer.
func isState(attribute lenientString) bool {
	return slices.Contains(stateAttributes, attributeSeparators().Replace(Fold(string(attribute))))
}

// newState returns the change of an attribute that is a state, or nil where nothing changed.
func newState(of, from, to lenientString) *StateChange {
	was, is := Fold(string(from)), Fold(string(to))
	switch {
	case was == is:
		return nil
	case is == "":
		return &StateChange{Of: clip(string(of), 100), From: clip(string(from), 100)}
	}
	return &StateChange{From: clip(strings.TrimSpace(string(from)), 100), To: clip(strings.TrimSpace(string(to)), 100)}
}

// activeStates are the states in which a person may sign in. Any other word is the customer's.
var activeStates = []string{"active", "enabled", "ok", "account_ok"}

// isActive reports whether the person may sign in again.
func (c *StateChange) isActive() bool { return slices.Contains(activeStates, Fold(c.To)) }
