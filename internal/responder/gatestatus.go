package responder

import (
	"fmt"

	"clientvpn-responder/internal/policy"
)

// gateStatus is the status of a signal that a gate blocked.
var gateStatus = map[policy.Gate]Status{
	policy.GateSample:    Sample,
	policy.GateArchived:  Notified,
	policy.GateNotYet:    Notified,
	policy.GateUnasked:   Notified,
	policy.GateUnclear:   Notified,
	policy.GateFuture:    Stale,
	policy.GateStale:     Stale,
	policy.GateUnmapped:  Unmapped,
	policy.GateAmbiguous: Ambiguous,
	policy.GateExempt:    Exempt,

	policy.GateReplay:     Stale,
	policy.GateReinstated: Stale,
	policy.GateLifted:     Notified,
	policy.GateBrake:      Braked,
	policy.GateDropped:    Notified,
}

func statusOfGate(f *facts) Status { return gateStatus[f.decision.Gate] }

// onlyNotifies says that the policy asks for no more than a message.
func onlyNotifies(f *facts) string {
	if f.nobody {
		return "Nobody was cut off: the policy only notifies, and the event names nobody."
	}
	return fmt.Sprintf("Nobody was cut off: the policy only notifies about %s.", f.who)
}

func blockedBy(f *facts) string {
	if words, ok := f.decision.Blocked(); ok {
		return words
	}
	return "the policy holds it back"
}
