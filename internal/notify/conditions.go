package notify

import (
	"slices"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
)

func both(a, b func(responder.Outcome) bool) func(responder.Outcome) bool {
	return func(o responder.Outcome) bool { return a(o) && b(o) }
}

func has(code responder.ProblemCode) func(responder.Outcome) bool {
	return func(o responder.Outcome) bool { return o.Has(code) }
}

// blockedBy reports whether the gate blocked the event before anybody was searched for, or during the watch.
func blockedBy(gate policy.Gate) func(responder.Outcome) bool {
	return func(o responder.Outcome) bool {
		return o.Decision.Gate == gate ||
			slices.ContainsFunc(o.Spared, func(s responder.Spared) bool { return s.Gate == gate })
	}
}

// takenBack reports whether a person or a later event took the event back during the watch.
func takenBack(o responder.Outcome) bool {
	return blockedBy(policy.GateReinstated)(o) || blockedBy(policy.GateLifted)(o)
}

func isSilentStore(o responder.Outcome) bool   { return o.Signal.StoreSilent }
func isReinstatement(o responder.Outcome) bool { return o.Signal.Opens() }
func isFinding(o responder.Outcome) bool       { return o.Signal.Kind == signal.Finding }
func isKeptOut(o responder.Outcome) bool       { return o.HowLong() != "" }
func isSwitchedOff(o responder.Outcome) bool   { return o.Decision.Explains(policy.SwitchedOff) }
func hasLifted(o responder.Outcome) bool       { return len(o.Lifted) > 0 }
func hasSpared(o responder.Outcome) bool       { return len(o.Spared) > 0 }
func noneLeft(o responder.Outcome) bool        { return len(left(o)) == 0 }
func namesSession(o responder.Outcome) bool    { return o.Signal.Subject.Session != nil }
func namesID(o responder.Outcome) bool         { return len(o.Signal.Subject.IDs) > 0 }

func isRuling(o responder.Outcome) bool { return o.Signal.Kind.IsRuling() }
