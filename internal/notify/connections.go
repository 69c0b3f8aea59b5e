package notify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/vpn"
)

// connections lists what became of the connections: first those that are up, as they ask for something.
func (l *letter) connections(o responder.Outcome) {
	all := slices.Clone(o.Connections)
	slices.SortStableFunc(all, func(a, b responder.Connection) int {
		return cmp.Compare(fmt.Sprint(a.Ended()), fmt.Sprint(b.Ended()))
	})
	up := all[:notEnded(o)]
	rows := grouped(all[len(up):])
	l.list("CONNECTIONS", len(up)+len(rows), func(i int) string {
		if i < len(up) {
			return fate(up[i]) + ": " + describe(up[i].Connection)
		}
		return rows[i-len(up)]
	})
	var reasons []string
	byReason := map[string][]responder.Spared{}
	for _, s := range o.Spared {
		if byReason[s.Reason] == nil {
			reasons = append(reasons, s.Reason)
		}
		byReason[s.Reason] = append(byReason[s.Reason], s)
	}
	for _, reason := range first(mostReasons, reasons) {
		some := byReason[reason]
		l.list("LEFT ALONE: "+reason, len(some), func(i int) string { return describe(some[i].Connection) })
	}
	if n := len(reasons) - mostReasons; n > 0 {
		l.line("and for %d more reasons", n)
	}
}

// mostReasons is how many reasons for leaving connections alone a text lists.
const mostReasons = 4

// fate says what became of a connection.
func fate(c responder.Connection) string {
	switch c.Fate {
	case vpn.FateRefused:
		return fmt.Sprintf("%s: %s", c.Current, responder.WithoutSDK(c.Err))
	case vpn.FateFeasible:
		return fmt.Sprintf("%s, would be ended", c.Current)
	}
	return string(c.Current)
}

// maxListed is how many connections a text lists; a person reads no more, and "clientvpn why" has them all.
const maxListed = 5

// grouped has a row for the connections of each name on each endpoint, in short: they have ended, and the log has
// their ids. A row says from where each of the first came, and since when. It says a day once.
func grouped(all []responder.Connection) []string {
	var rows []string
	var heads []string
	byHead := map[string][]*vpn.Connection{}
	for _, c := range all {
		head := fmt.Sprintf("%s: %s", fate(c), whose(c.Connection))
		if byHead[head] == nil {
			heads = append(heads, head)
		}
		byHead[head] = append(byHead[head], c.Connection)
	}
	for _, head := range heads {
		var places []string
		var day string
		for _, c := range first(maxListed, byHead[head]) {
			places = append(places, whence(c, &day))
		}
		rows = append(rows, head+" "+strings.Join(places, ", ")+more(len(byHead[head])-maxListed))
	}
	return rows
}

// whose says whose a connection was, and where.
func whose(c *vpn.Connection) string {
	return cmp.Or(c.Username, "certificate "+c.CommonName) + " on " + cmp.Or(c.EndpointName, c.EndpointID)
}

// whence says since when a connection was up and from where. It says the day only if the row before has another.
func whence(c *vpn.Connection, said *string) string {
	from := prefixed("from ", c.ClientIP)
	if c.EstablishedAt.IsZero() {
		return from
	}
	day, clock, _ := strings.Cut(c.EstablishedAt.UTC().Format(time.DateTime), " ")
	if day != *said {
		*said, clock = day, "since "+day+" "+clock
	}
	return strings.TrimSpace(clock + " " + from)
}

// describe says which connection it is, where, whose, since when, and what went through it.
func describe(c *vpn.Connection) string {
	all := []string{c.ID + " on " + endpointOf(c)}
	add := func(what, value string) {
		if value != "" {
			all = append(all, what+" "+value)
		}
	}
	add("user", c.Username)
	add("certificate", c.CommonName)
	add("from", c.ClientIP)
	if !c.EstablishedAt.IsZero() {
		add("since", c.EstablishedAt.UTC().Format(time.DateTime))
	}
	return strings.Join(append(all, fmt.Sprintf("%s sent, %s received", size(c.IngressBytes), size(c.EgressBytes))), ", ")
}
