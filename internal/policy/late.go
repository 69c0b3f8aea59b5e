package policy

import "slices"

// The gates of what is known only after the decision: what the ledger remembers, and the brake.
const (
	GateReplay     Gate = "replay"     // an archive of the bus is replayed
	GateReinstated Gate = "reinstated" // a later event takes it back
	GateLifted     Gate = "lifted"     // somebody lifted what this very event had asked for
	GateBrake      Gate = "brake"      // more people than the policy allows would be cut off
	GateDropped    Gate = "dropped"    // the brake held it, and a person dropped it
)

// IsLate reports whether the gate is one of these, which Decide knows nothing of.
func (g Gate) IsLate() bool {
	return slices.Contains([]Gate{GateReplay, GateReinstated, GateLifted, GateBrake, GateDropped}, g)
}

// The kinds of reasons that the ledger adds.
const (
	Recalled ReasonKind = "recalled" // what is remembered, or is not known as the ledger did not answer
	Braked   ReasonKind = "braked"   // why the brake let the signal through
)

// Block holds a termination back after the decision. A decision that does not terminate stays as it is.
func (d *Decision) Block(gate Gate, format string, args ...any) {
	if d.Action != Terminate {
		return
	}
	d.Gate, d.Action, d.KeepOut = gate, Notify, ""
	d.Reasons = append(slices.Clone(d.Reasons), Because(Blocked, format, args...))
}
