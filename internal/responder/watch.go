package responder

import (
	"slices"
	"time"

	"clientvpn-responder/internal/vpn"
)

const (
	// secondSearch is how soon a person whom the first search did not show is searched for again. A client that lost
	// its connection just before the event is back within that time. Source: doc/settings.md, "How long to watch".
	secondSearch = 3 * time.Second
	// secondPart is the largest part of a watch, one of so many, that passes before the second search.
	secondPart = 5
)

// watch says how far the watch over a person was kept.
type watch uint8

const (
	notWatched  watch = iota
	watched           // to its deadline
	cutOffWatch       // the invocation's time was up before
)

// isAway reports whether the case is about a person who is not connected and may connect again. All connections ended,
// or no search has shown one. A connection or an address that was asked for alone says nothing about the same person's
// others.
func (c *Case) isAway() bool {
	switch {
	case c.dryRun() || len(c.target.Names) == 0 || c.keepsComing():
		return false
	case len(c.connections) == 0:
		return c.isAbsent()
	}
	return !slices.ContainsFunc(c.connections, func(t *vpn.Tracked) bool { return t.Fate != vpn.FateEnded })
}

// isAbsent reports whether every endpoint was shown, and nothing there keeps the person from being cut off later. A
// connection that may be another person's, or that the rule leaves alone, says nothing about theirs.
func (c *Case) isAbsent() bool {
	return len(c.connections) == 0 && !c.isBlind() && len(c.access.problems) == 0 &&
		!slices.ContainsFunc(c.spared, func(s Spared) bool { return !s.aside })
}

// isBack reports whether the newest connection was established since the event was received. An older one was there all
// the time, on an endpoint that could not be listed before.
func (c *Case) isBack() bool {
	newest := c.connections[len(c.connections)-1]
	return !newest.EstablishedAt.Before(c.timing.ReceivedAt.Truncate(time.Second)) // EC2 says whole seconds
}

// isLate reports whether the person connected after the event was received, and a first search had not shown them.
func (c *Case) isLate() bool {
	return c.firstFound > 1 && len(c.connections) > 0 &&
		!c.connections[0].EstablishedAt.Before(c.timing.ReceivedAt.Truncate(time.Second))
}

// keepsComing reports whether the person reconnected too often, or at all if there was no time to watch to the end.
func (c *Case) keepsComing() bool {
	return c.reconnections >= maxReconnections || c.watch == cutOffWatch && c.reconnections > 0
}

// watchOver reports whether the watch over the person has been kept.
func (c *Case) watchOver() bool { return c.watch == watched || c.watchFor <= 0 }

// wantsSearch returns when the next search is due, and false if the case wants none.
func (c *Case) wantsSearch() (time.Time, bool) {
	switch {
	case c.listing == running:
		return time.Time{}, false
	case c.state == Watching && c.deadline.Before(c.searching.at):
		return c.deadline, true
	}
	return c.searching.at, c.state == Watching || c.mayListAgain()
}

// endSearch records that a search for the case is over: a person may be back, or have stayed away for the whole watch.
func (c *Case) endSearch(now time.Time) {
	first := c.searches == 0
	c.listing = idle
	c.searches++
	c.evidence.Until, c.evidence.Searches = now.UTC(), c.searches
	switch {
	case !first && c.found > 0:
		if c.isBack() && len(c.connections) > c.found { // they have been cut off before
			c.reconnections++
		}
	case c.state == Watching && !c.began.Before(c.deadline):
		c.watch = watched
	}
	c.searching = c.nextSearch(first, now)
}

// nextSearch is the pace of searches after one is over. A search that takes long is not repeated without a pause. In
// the watch over a person whom no search has shown, there is a second search, and one at its end.
func (c *Case) nextSearch(first bool, now time.Time) pace {
	switch {
	case first:
		return newPace(c.firstSearch(), now)
	case c.state == Watching && len(c.connections) == 0 && c.began.Before(c.searching.at):
		return c.searching // it was another case's turn
	case c.state == Watching && len(c.connections) == 0:
		return newPace(c.watchFor, now)
	}
	return newPace(max(c.searching.every*3/2, 2*now.Sub(c.began)), now)
}

// beginWatch begins the watch over a person who is not connected, or no longer.
func (c *Case) beginWatch(now time.Time) {
	c.deadline = now.Add(c.watchFor)
	c.searching = newPace(c.firstSearch(), now)
	if len(c.connections) > 0 {
		return
	}
	second := max(min(secondSearch, c.watchFor/secondPart), 2*now.Sub(c.began))
	if second > c.watchFor/2 { // the one at the end comes soon after
		second = c.watchFor
	}
	c.searching = newPace(second, now)
}

// firstSearch is how soon the first search of a watch comes.
func (c *Case) firstSearch() time.Duration {
	return min(max(c.watchFor/10, 250*time.Millisecond), time.Second)
}

// cutShort records that the time is up before the end of a watch.
func (c *Case) cutShort() {
	if c.isAway() && !c.watchOver() {
		c.watch = cutOffWatch
	}
}
