package responder

import (
	"fmt"
	"slices"
	"time"

	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/vpn"
)

// objection is why a case may no longer terminate anybody: a person or a later event has taken its event back.
type objection struct {
	gate  policy.Gate
	words string
}

// objections returns what the ledger knows against the case.
func (c *Case) objections(known ledger.Recalled) (all []objection) {
	for _, person := range c.Decision.Persons {
		access := known.People[person]
		if by, at, lifted := access.LiftedByHand(outcomeID(c.Signal)); lifted {
			all = append(all, objection{policy.GateLifted,
				fmt.Sprintf("%s lifted what this event had asked for at %s", by, at.UTC().Format(time.RFC3339))})
		}
		if lift, opened := access.OpenedSince(c.issuer(), cause(c.Signal), c.happened(), c.arrived); opened {
			all = append(all, c.reinstatedBy(person, lift))
		}
	}
	return all
}

// reinstatedBy is the objection of an event that reinstated a person.
func (c *Case) reinstatedBy(person string, l ledger.Lift) objection {
	words := fmt.Sprintf("%s reinstated %s later, at %s", l.By, person, l.At.UTC().Format(time.RFC3339))
	if ledger.SameMoment(l.At, c.happened()) {
		words = fmt.Sprintf("%s reinstated %s at the same moment, and that event arrived later", l.By, person)
	}
	return objection{policy.GateReinstated, words}
}

// recalledAgain is what the ledger said when a search had found somebody. It is about these people, and about nobody if
// there was no need to ask.
type recalledAgain struct {
	people []string
	known  ledger.Recalled
	err    error
}

// noteRecalledAgain notes what has become of the case's people since the invocation recalled the ledger. [Screen]
// spares their connections if another instance has reinstated them. After an error it spares nobody, and the outcome
// says why.
func (c *Case) noteRecalledAgain(again recalledAgain) {
	if !slices.ContainsFunc(c.Decision.Persons, func(p string) bool { return slices.Contains(again.people, p) }) {
		return
	}
	if again.err != nil {
		c.addReasons(policy.Because(policy.Recalled,
			"the ledger did not answer during the watch, so it is not known whether anybody was reinstated meanwhile"))
		return
	}
	all := c.objections(again.known)
	if len(all) == 0 {
		return
	}
	c.objection = all[0]
	c.noteEntries(again.known)
}

// noteEntries notes which entries of the keep-out list still hold for the case's people.
func (c *Case) noteEntries(known ledger.Recalled) {
	c.access.entries, c.access.until = nil, time.Time{}
	for _, person := range c.Decision.People {
		for _, e := range known.People[person].Entries {
			c.access.entries = append(c.access.entries, e)
			c.access.until = latest(c.access.until, orForever(e.Until))
		}
	}
}

// strangers returns the people of the matches that their cases have not met. Other connections are being terminated, or
// are spared.
func (j job) strangers(matches []vpn.Match) (people []string) {
	for _, m := range matches {
		if !j.met[m.Target][m.ID] {
			people = append(people, j.people[m.Target]...)
		}
	}
	slices.Sort(people)
	return slices.Compact(people)
}

// metBefore returns the ids of the connections that the case is terminating or sparing.
func (c *Case) metBefore() map[string]bool {
	ids := map[string]bool{}
	for _, t := range c.connections {
		ids[t.ID] = !t.Ended() // one that counts as ended is terminated again
	}
	for _, s := range c.spared {
		ids[s.ID] = true
	}
	return ids
}
