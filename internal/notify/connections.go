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
	rows := grouped(o, all[len(up):])
	l.list("CONNECTIONS", len(up)+len(rows), func(i int) string {
		if i < len(up) {
			return fateIn(o, up[i]) + ": " + describe(up[i].Connection)
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
		title := "LEFT ALONE: " + reason
		if len(reasons) == 1 && strings.Contains(o.Summary, reason) {
			title = "LEFT ALONE"
		}
		l.list(title, len(some), func(i int) string { return describe(some[i].Connection) })
	}
	if n := len(reasons) - mostReasons; n > 0 {
		l.line("and for %d more reasons", n)
	}
}

// mostReasons is how many reasons for leaving connections alone a text lists.
const mostReasons = 4

// fateIn says what became of a connection, without an error that the summary has.
func fateIn(o responder.Outcome, c responder.Connection) string {
	if c.Fate == vpn.FateRefused && strings.Contains(o.Summary, responder.WithoutSDK(c.Err)) {
		return string(c.Current) + ", not terminated"
	}
	return fate(c)
}

// fate says what became of a connection.
func fate(c responder.Connection) string {
	switch c.Fate {
	case vpn.FateRefused:
		return fmt.Sprintf("%s: %s", c.Current, responder.WithoutSDK(c.Err))
	case vpn.FateFeasible:
		return fmt.Sprintf("%s, would be terminated", c.Current)
	}
	return string(c.Current)
}

// maxListed is how many connections a text lists; a person reads no more, and "clientvpn why" has them all.
const maxListed = 5

// grouped has a row for the connections of each name on each endpoint, in short: they have ended, and the log has
// their ids. A row says since when and from where each of the first was up, and when the person was back.
func grouped(o responder.Outcome, all []responder.Connection) []string {
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
		rows = append(rows, head+whence(o, first(maxListed, byHead[head]))+more(len(byHead[head])-maxListed))
	}
	return rows
}

// whose says whose a connection was, and where.
func whose(c *vpn.Connection) string {
	return cmp.Or(c.Username, "certificate "+c.CommonName) + " on " + cmp.Or(c.EndpointName, c.EndpointID)
}

// whence says since when and from where connections were up, and when the person was back after the event. It says a
// day only if it is another than the one before, which is the event's at first.
func whence(o responder.Outcome, connections []*vpn.Connection) string {
	var words strings.Builder
	said := o.Timing.EventAt.UTC().Format(time.DateOnly)
	received := o.Timing.ReceivedAt.Truncate(time.Second) // EC2 says whole seconds
	begin := ""
	for _, c := range connections {
		isBack := o.Reconnections > 0 && !c.EstablishedAt.Before(received)
		day, clock, _ := strings.Cut(c.EstablishedAt.UTC().Format(time.DateTime), " ")
		if day != said {
			said, clock = day, day+" "+clock
		}
		if now := map[bool]string{false: " since ", true: " back at "}[isBack]; now != begin {
			begin, clock = now, now+clock
		} else {
			clock = " " + clock
		}
		if words.Len() > 0 {
			words.WriteString(",")
		}
		words.WriteString(clock)
		if !isBack {
			words.WriteString(prefixed(" from ", c.ClientIP))
		}
	}
	return words.String()
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
