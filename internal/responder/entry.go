package responder

import (
	"slices"

	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
)

// What a case has the keep-out list and the ledger remember. Nothing here talks to anybody.

// entry is what the case writes into the list about a person.
func (c *Case) entry(person string) ledger.Entry {
	s := c.Signal
	return ledger.Entry{
		Person: person, Cause: cause(s), Issuer: c.issuer(), Names: c.namesGiven(),
		Known: c.namesKnown(), CommonNames: c.Decision.CommonNames,
		Reason: why(s), OutcomeID: outcomeID(s), By: by(s), Since: c.timing.DecidedAt,
		EventAt: c.happened(), Arrived: c.arrived, Until: c.Decision.KeepOut.Until(c.timing.DecidedAt),
	}
}

// namesGiven returns the event's names that count as the person's, and the ids. A login that may be another person's is
// not among them.
func (c *Case) namesGiven() []string {
	var all []string
	for _, n := range c.Decision.Counted {
		if !slices.Contains(all, n.Value) && !slices.Contains(c.Decision.Literal, n.Key()) {
			all = append(all, n.Value)
		}
	}
	for _, id := range c.Signal.Subject.IDs {
		if !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return all
}

// namesKnown returns the names, folded, that the policy makes the person's.
func (c *Case) namesKnown() []string {
	return slices.DeleteFunc(slices.Clone(c.Decision.Names), func(name string) bool {
		return slices.Contains(c.Decision.Literal, name)
	})
}

// lift is what the case lifts: what events like it put there, or everything if a person asks for it in our own form.
func (c *Case) lift() ledger.Lift {
	l := ledger.Lift{
		Issuer: c.issuer(), Issuers: c.lifts, Causes: []ledger.Cause{cause(c.Signal)}, OutcomeID: outcomeID(c.Signal),
		By: by(c.Signal), Reason: why(c.Signal), At: c.happened(), Arrived: c.arrived,
	}
	if c.Signal.Provider == signal.Custom {
		l.AnyIssuer = true
		l.Causes = []ledger.Cause{ledger.Deprovisioning, ledger.Membership, ledger.Finding, ledger.Request}
	}
	return l
}

// cause returns the cause of an entry, which decides who may lift it. Re-enabling an account lifts only what disabling
// it caused. It does not lift a GuardDuty finding or a request made by a person.
func cause(s signal.Signal) ledger.Cause {
	switch {
	case s.Provider == signal.Custom:
		return ledger.Request
	case s.Membership != nil:
		return ledger.Membership
	case s.Kind == signal.AccountDisabled, s.Kind == signal.AccountPurged, s.Kind == signal.AccountEnabled:
		return ledger.Deprovisioning
	}
	return ledger.Finding
}

func by(s signal.Signal) string {
	if s.RequestedBy != "" {
		return s.RequestedBy
	}
	return s.Provider
}

func why(s signal.Signal) string {
	if s.Reason != "" {
		return s.Type + ": " + s.Reason
	}
	return s.Type
}

// closing returns what the ledger keeps of a case that closes an account; nil for every other. The sweep relies on it.
// So the ledger keeps dry-runs and exempt people, and nothing else that a gate or the policy holds back. A request that
// only asks what would be done closes nothing. What the sweep finds in the ledger is there already.
func (c *Case) closing() *ledger.Closing {
	s := c.Signal
	closes := s.Kind == signal.AccountDisabled || s.Kind == signal.AccountPurged
	if !closes || s.DryRun || s.ClosedBy != "" || !c.terminates() && c.Decision.Gate != policy.GateExempt {
		return nil
	}
	return &ledger.Closing{
		Issuer: c.issuer(), Provider: s.Provider, OutcomeID: outcomeID(s), Kind: string(s.Kind), Reason: why(s),
		EventAt: c.happened(), Arrived: c.arrived,
	}
}
