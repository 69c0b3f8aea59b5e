package notify

import (
	"fmt"

	"clientvpn-responder/internal/responder"
)

// lostByAll reports whether all members of a group lost what carries the VPN.
func lostByAll(o responder.Outcome) bool {
	return o.Signal.Membership != nil && o.Signal.Membership.Everybody
}

// askForAll says how a person cuts off the members of a deleted group.
func askForAll(o responder.Outcome) string {
	return fmt.Sprintf("Everybody in %s lost the VPN at %s, and stays connected. Look up who was in it, and cut them "+
		"off: clientvpn cut NAME… --kind token-claims-change --reason WHY", o.Signal.Membership, o.Signal.Provider)
}
