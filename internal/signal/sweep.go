package signal

import (
	"cmp"

	"clientvpn-responder/internal/identity"
)

// SweepProvider is the provider of what the hourly sweep finds.
const SweepProvider = "sweep"

// Sweep is the kind of the signal that asks for the sweep: whether anybody is connected whose account is closed. It is
// about nobody, and the policy does not see it.
const Sweep Kind = "sweep"

// SweepSource is the source of the sweep's events, in their envelopes.
const SweepSource = "clientvpn-responder.sweep"

// StillConnected is the detail-type of an event about a person whom the sweep found connected.
const StillConnected = "Still Connected"

// sweepEvents are the detail-types of the sweep.
var sweepEvents = []meaning{
	{"Sweep", Sweep, "holds everybody who is connected against what is known; ignores the detail"},
	{StillConnected, AccountDisabled, "or the kind of the event that closed the account"},
}

// stillConnected is the detail of an event that the function makes of what the sweep finds. The names are those of the
// issuer that closed the account, so that the policy counts them as in that issuer's own event.
type stillConnected struct {
	Username requiredString `json:"username"`
	Issuer   requiredString `json:"issuer"`
	Kind     requiredString `json:"kind"`
	ClosedAt requiredString `json:"closed_at"`
	ClosedBy requiredString `json:"closed_by"`
	Reason   lenientString  `json:"reason"`
}

// parseSweep reads the sweep's own events.
func parseSweep(e event) ([]Signal, error) {
	meant, err := e.kind(e.DetailType)
	if err != nil {
		return nil, err
	}
	s := Signal{ID: string(e.ID), Kind: meant, Type: string(e.DetailType)}
	if meant == Sweep {
		return []Signal{s}, e.checkDetail()
	}
	var found stillConnected
	if err := decode("detail", e.Detail, &found); err != nil {
		return nil, err
	}
	s.Kind = Kind(cmp.Or(string(found.Kind), string(meant)))
	if s.Kind != AccountDisabled && s.Kind != AccountPurged {
		return nil, unreadable("detail.kind", "%q is neither %s nor %s", clip(string(found.Kind), 40),
			AccountDisabled, AccountPurged)
	}
	s.Subject = subjectOf(identity.ReadIssuer(string(found.Issuer)), login(found.Username))
	s.Reason, s.Time, s.ClosedBy = string(found.Reason), found.ClosedAt.time(), clip(string(found.ClosedBy), 300)
	return []Signal{s}, nil
}
