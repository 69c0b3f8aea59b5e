package responder

import (
	"cmp"
	"maps"
	"time"

	"clientvpn-responder/internal/policy"
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
	if c.searches == 0 || c.wantsAddress() {
		c.noteEnded(b.EndedBefore, target)
	}
	if c.searches == 0 || c.wantsAddress() { // about an address nothing is done if only some endpoints are shown
		c.gaps = maps.Clone(failed)
		return
	}
	maps.DeleteFunc(c.gaps, func(id string, _ error) bool { return b.Failed[id] == nil })
}

// noteEnded records which connections had ended before. An address may be another person's now, so who had it then is
// named.
func (c *Case) noteEnded(ended []vpn.EndedBefore, target int) {
	c.endedBefore = nil
	for _, e := range ended {
		if e.Target != target {
			continue
		}
		c.endedBefore = append(c.endedBefore, e.At)
		if k := e.Connection; c.wantsAddress() {
			c.addReasons(policy.Because(
				policy.DuringSearch,
				"%s was held at %s by %s, %s on %s, which ended at %s",
				c.target.ClientIP,
				c.target.At.UTC().Format(time.RFC3339),
				cmp.Or(k.Username, k.CommonName, "a client without a name"),
				k.ID,
				k.EndpointID,
				e.At.UTC().Format(time.RFC3339),
			))
		}
	}
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
