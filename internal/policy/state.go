package policy

import (
	"fmt"

	"clientvpn-responder/internal/signal"
)

// defaultLeaverStates are the states that mean that a person left, where a policy names none.
var defaultLeaverStates = []string{"inactive", "terminated"}

// newLeaverStates returns the customer's words for people who left, folded.
func newLeaverStates(words *[]string, c *checker) map[string]bool {
	if words == nil {
		words = &defaultLeaverStates
	}
	states := map[string]bool{}
	for i, word := range *words {
		if signal.Fold(word) == "" || signal.Fold(word) == "active" {
			c.add(fmt.Sprintf("leaver_states[%d]", i), "%q cannot mean that somebody left", word)
		}
		states[signal.Fold(word)] = true
	}
	return states
}

// isUnclear reports whether the event itself leaves open what happened. The policy does not know its state, or the
// event hides whether somebody was added or removed.
func (q *question) isUnclear() bool { return q.unclear() != "" }

func (q *question) unclear() string {
	switch m := q.Membership; {
	case q.State != nil && q.State.To == "":
		return fmt.Sprintf("the event says that %q changed, and not to what; look there whether the person left", q.State.Of)
	case q.State != nil && !q.policy.leaverStates[signal.Fold(q.State.To)]:
		return fmt.Sprintf(
			"the state %q is not in the policy's leaver_states; add it if it means that a person left", q.State.To)
	case m != nil && m.Change == signal.Changed:
		return fmt.Sprintf("the event hides whether somebody was added to %s or removed from it", m)
	}
	return ""
}

// returns reports whether the person may reconnect: the account is enabled again, or the person got back what carries
// the VPN. An account in another state than the policy's leaver_states was never closed.
func (q *question) returns() bool {
	return q.Opens() && (q.State == nil || q.policy.leaverStates[signal.Fold(q.State.From)]) &&
		(q.Membership == nil || q.policy.access.carries(q.Signal))
}
