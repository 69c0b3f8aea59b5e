package responder

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/vpn"
)

// Screened is what Screen allows and what it leaves alone.
type Screened struct {
	// Terminate are the connections that may be terminated.
	Terminate []vpn.Match
	// Spare are the connections that the signal led to and that must stay.
	Spare []Spared
	// Reasons say why nothing at all may be terminated; empty otherwise.
	Reasons []policy.Reason

	names []string // which the limit counts, and the search had not shown before
}

// Spared is a connection that the signal led to and that was left alone.
type Spared struct {
	*vpn.Connection
	Reason string `json:"reason"`
	// Gate is the gate that would block the event by now; empty where another reason spares the connection.
	Gate policy.Gate `json:"-"`

	why   Status
	aside bool // it says nothing about the person: it may be another's, or the rule does not act there
}

// Screen returns the connections that may be terminated, and those to spare with the reason. Only what it allows
// reaches EC2. It skips connections that the case already terminates, and spares exempt and doubtful ones. It spares
// all if they carry more names than the limit allows. It changes nothing. An event that itself names an
// exempt person never gets here: a gate blocks it (policy/gate.go).
func Screen(p *policy.Policy, c *Case, found []vpn.Match) Screened {
	if c.wantsAddress() && c.isBlind() {
		return Screened{Reasons: []policy.Reason{policy.Because(policy.DuringSearch,
			"the address may be held by another person on an endpoint that could not be listed")}}
	}
	twoPeople := c.wantsAddress() && slices.ContainsFunc(found, func(m vpn.Match) bool {
		return m.ID != found[0].ID && !p.SamePerson(m.Username, m.CommonName, found[0].Username, found[0].CommonName)
	})
	var s Screened
	for _, m := range found {
		if known, met := c.met(m.ID); met {
			// It counted as ended when the search began, and here it is again.
			if known != nil && known.Ended() && known.EndSeenAt.Before(c.began) {
				s.Terminate = append(s.Terminate, m)
			}
			continue
		}
		why, reason := spares(p, c, m)
		if why == "" && twoPeople {
			why, reason = Ambiguous, "the address is held by two people, on two endpoints"
		}
		if why != "" {
			aside := m.Doubt != nil || !c.actsOn(m.EndpointID)
			s.Spare = append(s.Spare, Spared{Connection: &m.Connection, Reason: reason, why: why, aside: aside})
			continue
		}
		s.Terminate = append(s.Terminate, m)
	}
	s.spareReinstated(c)
	s.spareTwoNames(c)
	s.spareAsBefore(c)
	return s.limited(c.names, p.MaxConnections)
}

// spareReinstated spares all that is left if the ledger says by now that a person or a later event has taken the event
// back. It covers a connection that counted as ended and is listed again, too.
func (s *Screened) spareReinstated(c *Case) {
	if c.objection == (objection{}) {
		return
	}
	for _, m := range s.Terminate {
		if !slices.ContainsFunc(c.spared, func(before Spared) bool { return before.ID == m.ID }) {
			s.Spare = append(s.Spare, Spared{
				Connection: &m.Connection, Reason: c.objection.words, Gate: c.objection.gate,
				why: gateStatus[c.objection.gate],
			})
		}
	}
	s.Terminate = nil
}

// spareAsBefore spares what a search finds after another one spared everything, above the limit or for two people. By
// itself, a connection on an endpoint that was not shown before would raise no doubt.
func (s *Screened) spareAsBefore(c *Case) {
	i := slices.IndexFunc(c.spared, func(s Spared) bool {
		return s.why == OverLimit || s.why == Ambiguous && !s.aside
	})
	if i < 0 {
		return
	}
	before := c.spared[i]
	s.Terminate = slices.DeleteFunc(s.Terminate, func(m vpn.Match) bool {
		if tracked, _ := c.met(m.ID); tracked != nil { // it was allowed before, and is here again
			return false
		}
		s.Spare = append(s.Spare, Spared{Connection: &m.Connection, Reason: before.Reason, why: before.why})
		return true
	})
}

// limited spares all connections if they carry more names than the limit allows, together with those found before. The
// limit protects a name that several people share, so it counts names.
func (s Screened) limited(before []string, limit int) Screened {
	for _, m := range s.Terminate {
		if name := nameOf(m); !slices.Contains(before, name) && !slices.Contains(s.names, name) {
			s.names = append(s.names, name)
		}
	}
	n := len(before) + len(s.names)
	if n <= limit {
		return s
	}
	reason := fmt.Sprintf("they carry %d different names, more than max_connections, %d", n, limit)
	for _, m := range s.Terminate {
		s.Spare = append(s.Spare, Spared{Connection: &m.Connection, Reason: reason, why: OverLimit})
	}
	s.Terminate = nil
	return s
}

// nameOf returns the connection's user name, or the certificate's name where there is none, folded.
func nameOf(m vpn.Match) string {
	return cmp.Or(signal.Fold(signal.Name(m.Username)), signal.Fold(signal.Name(m.CommonName)))
}

// spareTwoNames spares all if both a login and an address of the event are connected, and may be two people. The event
// says that the login's own address is another person's.
func (s *Screened) spareTwoNames(c *Case) {
	login, address := "", ""
	note := func(k *vpn.Connection) {
		name := cmp.Or(k.Username, k.CommonName)
		if c.Decision.IsLiteral(k.Username, k.CommonName) {
			login = cmp.Or(login, name)
		} else {
			address = cmp.Or(address, name)
		}
	}
	for _, m := range s.Terminate {
		note(&m.Connection)
	}
	for _, t := range c.connections {
		note(&t.Connection)
	}
	if login == "" || address == "" {
		return
	}
	reason := fmt.Sprintf("%s and %s are both connected, and may be two people; if they are one, add %s: %s to "+
		"identity.aliases", login, address, login, address)
	for _, m := range s.Terminate {
		s.Spare = append(s.Spare, Spared{Connection: &m.Connection, Reason: reason, why: Ambiguous})
	}
	s.Terminate = nil
}

// spares returns why a connection must stay: the status it would have if it were the only one, and the sentence. The
// status is empty if it may be terminated.
func spares(p *policy.Policy, c *Case, m vpn.Match) (Status, string) {
	switch {
	case !c.actsOn(m.EndpointID):
		return Notified, c.Decision.WhyNotOn(m.EndpointID)
	case p.ExemptPlace(m.ID):
		return Exempt, m.ID + " is exempt"
	case p.ExemptPlace(m.EndpointID):
		return Exempt, m.EndpointID + " is exempt"
	case c.signedInSince(m.Connection):
		return Notified, "signed in again at " + m.EstablishedAt.UTC().Format(time.RFC3339) + ", after the event"
	case m.Doubt != nil:
		return Ambiguous, m.Doubt.String()
	case p.Exempt(m.Username):
		return Exempt, m.Username + " is exempt"
	case p.ExemptCertificate(m.CommonName):
		return Exempt, m.CommonName + " is exempt"
	}
	return "", ""
}
