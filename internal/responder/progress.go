package responder

import (
	"maps"
	"time"

	"clientvpn-responder/internal/vpn"
)

// What events bring is noted here, before [Case.apply] takes the case to its next state.

// noteAccess records what became of the case's part in the keep-out list.
func (c *Case) noteAccess(a access) {
	c.addReasons(a.reasons...)
	a.reasons = nil
	c.access = a
}

// beginSearch records that a search for the case begins.
func (c *Case) beginSearch(now time.Time) {
	c.listing, c.began, c.names, c.found = running, now, nil, 0
	if c.searches == 0 {
		c.evidence.From = now.UTC()
	}
}

// noteListed records which endpoints the search did not show completely, and what had ended before. target is the
// case's place among the targets of the search.
func (c *Case) noteListed(b vpn.Batch, target int) {
	failed := maps.Clone(b.Failed)
	// Where the rule does not act, nobody is missed; but there an address may be another person's.
	maps.DeleteFunc(failed, func(id string, _ error) bool { return !c.actsOn(id) && !c.wantsAddress() })
	c.lastFailed = failed
	c.evidence.note(b, target)
	c.listings = append(c.listings, b.Requests...)
	if c.searches == 0 {
		for _, e := range b.EndedBefore {
			if e.Target == target {
				c.endedBefore = append(c.endedBefore, e.At)
			}
		}
	}
	if c.searches == 0 || c.wantsAddress() { // about an address nothing is done if only some endpoints are shown
		c.gaps = maps.Clone(failed)
		return
	}
	maps.DeleteFunc(c.gaps, func(id string, _ error) bool { return b.Failed[id] == nil })
}

// noteScreened records what Screen returned. A connection to terminate begins everything anew: verifying, and the
// watch.
func (c *Case) noteScreened(s Screened, now time.Time) {
	c.addReasons(s.Reasons...)
	c.spared = append(c.spared, s.Spare...)
	c.names = append(c.names, s.names...)
	c.found += len(s.Terminate)
	if len(s.Terminate) > 0 && c.firstFound == 0 {
		c.firstFound = c.searches + 1
	}
	if len(s.Terminate) > 0 {
		c.verifying, c.watch = newPace(firstVerify, now), notWatched
	}
}
