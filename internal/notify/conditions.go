package notify

import (
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

func blockedBy(gate policy.Gate) func(responder.Outcome) bool {
	return func(o responder.Outcome) bool { return o.Decision.Gate == gate }
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
