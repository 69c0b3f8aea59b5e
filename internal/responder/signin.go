package responder

import (
	"slices"

	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/vpn"
)

// signsIn returns the endpoints where a person signs in at the identity provider for each connection, and in no other
// way. A certificate or a cached password that redials has proved nothing.
func signsIn(endpoints []vpn.Endpoint) (ids []string) {
	for _, e := range endpoints {
		others := slices.ContainsFunc(e.Authentication, func(a vpn.Authentication) bool {
			return a.Method == vpn.ByDirectory
		})
		saml := slices.ContainsFunc(e.Authentication, func(a vpn.Authentication) bool { return a.Method == vpn.BySAML })
		if saml && !others {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

// signedInSince reports whether the person signed in again between the first arrival of an event and this later
// delivery. A connection established during it counts too, unless this delivery has terminated one: then the client
// reconnects. It counts only where the event ended a session. Kinds that close an account cover every connection,
// and so does a person who asks now.
func (c *Case) signedInSince(k vpn.Connection) bool {
	later := c.arrived.Before(c.timing.ReceivedAt)
	return c.Signal.Kind == signal.SessionRevoked && c.Signal.Provider != signal.Custom &&
		slices.Contains(c.signsIn, k.EndpointID) && later && k.EstablishedAt.After(c.arrived) &&
		(k.EstablishedAt.Before(c.timing.ReceivedAt) || len(c.connections) == 0)
}
