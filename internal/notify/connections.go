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
	l.list("CONNECTIONS", len(all), func(i int) string {
		if all[i].Ended() {
			return fate(all[i]) + ": " + whose(all[i].Connection)
		}
		return fate(all[i]) + ": " + describe(all[i].Connection)
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

// whose says where a connection was, whose, and since when, in short: it has ended, and the log has its ids.
func whose(c *vpn.Connection) string {
	words := cmp.Or(c.Username, "certificate "+c.CommonName) + " on " + cmp.Or(c.EndpointName, c.EndpointID)
	words += prefixed(" from ", c.ClientIP)
	if !c.EstablishedAt.IsZero() {
		words += " since " + c.EstablishedAt.UTC().Format(time.DateTime)
	}
	return words
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
