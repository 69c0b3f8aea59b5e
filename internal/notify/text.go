package notify

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/vpn"
)

// letter is an e-mail that is being written. Every line begins with words of ours or is indented, and no line break
// comes from the event. So no name or reason in an event can pretend to be a part of it.
type letter struct{ strings.Builder }

func (l *letter) line(format string, args ...any) {
	l.WriteString(strings.TrimRight(printable(fmt.Sprintf(format, args...)), " ") + "\n")
}

// part begins a part of the letter.
func (l *letter) part(title string) {
	l.line("")
	l.line("%s", title)
}

// list writes as many rows as a person reads; each has a head and, indented, its details.
func (l *letter) list(title string, n int, row func(int) (head, details string)) {
	if n == 0 {
		return
	}
	l.part(title)
	for i := range min(n, maxListed) {
		head, details := row(i)
		l.line("%s", head)
		l.line("   %s", details)
	}
	if n > maxListed {
		l.line("and %d more, which the JSON message and the log have", n-maxListed)
	}
}

// writer writes e-mails.
type writer struct {
	stop string // the command that stops everything; empty where there is none
}

// text renders the outcome for people, as an e-mail: the subject says what happened, the body first what is left to do.
func (w writer) text(o responder.Outcome) (title, body string, err error) {
	var l letter
	l.line("%s: %s", word(o), summary(o))
	l.part("WHAT IS LEFT TO DO")
	for i, step := range steps(o) {
		l.line("%d. %s", i+1, step)
	}
	l.part("WHY")
	for _, why := range reasons(o) {
		l.line("- %s", why)
	}
	l.part("WHO")
	l.line("The event names %s", who(o))
	if names := append(slices.Clone(o.Decision.Names), o.Decision.CommonNames...); len(names) > 0 {
		l.line("Looked for as %s%s.", strings.Join(first(6, names), ", "), more(len(names)-6))
	}
	l.evidence(o)
	l.part("WHEN (UTC)")
	for _, moment := range moments(o) {
		l.line("%s", moment)
	}
	l.list("CONNECTIONS", len(o.Connections), func(i int) (string, string) {
		c := o.Connections[i]
		return fmt.Sprintf("%s on %s: %s", c.ID, c.EndpointID, fate(c)), describe(c.Connection)
	})
	l.list("LEFT ALONE", len(o.Spared), func(i int) (string, string) {
		s := o.Spared[i]
		return fmt.Sprintf("%s on %s: %s", s.ID, s.EndpointID, s.Reason), describe(s.Connection)
	})
	l.more(o)
	if w.stop != "" && o.Decision.Mode == policy.Enforce && slices.Contains(acted, o.Status) {
		l.line("To stop everything within seconds: %s", w.stop)
	}
	return textSubject(o), l.String(), nil
}

// acted are the statuses of outcomes that terminate somebody, or go on to.
var acted = is(responder.Terminated, responder.Partial, responder.Reconnecting, responder.Unverified)

// more writes where to read on.
func (l *letter) more(o responder.Outcome) {
	l.part("MORE")
	if link := findingURL(o); link != "" {
		l.line("Finding: %s", link)
	}
	if o.Signal.ARN != "" {
		l.line("Its ARN: %s", o.Signal.ARN)
	}
	l.line("Event: %s %s%s", o.Signal.Provider, o.Signal.ID, prefixed(", EventBridge ", o.Signal.EventID))
	if o.Error != "" {
		l.line("Error: %s", string(first(2000, []rune(o.Error))))
	}
}

// fate says what became of a connection.
func fate(c responder.Connection) string {
	switch c.Fate {
	case vpn.FateRefused:
		return fmt.Sprintf("%s: %s", c.Current, responder.WithoutSDK(c.Err))
	case vpn.FateFeasible:
		return fmt.Sprintf("%s, would be ended", c.Current)
	}
	return fmt.Sprintf("%s, was %s", c.Current, c.Previous)
}

// maxListed is how many connections a text lists; a person reads no more.
const maxListed = 20

// reasons says why it happened: what was reported, and what the policy says. Rules that did not match are in the log
// only.
func reasons(o responder.Outcome) []string {
	s := o.Signal
	reported := fmt.Sprintf("%s says %s", knownAs(s.Provider), s.Type)
	switch {
	case s.Kind == signal.Sweep:
		reported = "The sweep was due, or somebody asked for it"
	case s.Kind == signal.SelfTest:
		reported = "The self-test was due, or somebody asked for it"
	case s.Provider == "custom":
		reported = cmp.Or(s.RequestedBy, "somebody") + " asked for it with a custom request"
	}
	if s.Severity > 0 {
		reported += fmt.Sprintf(", severity %.1f (%s)", s.Severity, severity(s.Severity))
	}
	if s.Account != "" {
		reported += ", account " + s.Account + prefixed(", ", s.Region)
	}
	if s.Reason != "" {
		reported += `: "` + s.Reason + `"`
	}
	all := []string{reported}
	for _, why := range o.Decision.Reasons {
		switch why.Kind {
		case policy.RuleSkipped:
		case policy.Blocked:
			// It comes late, and a reader must not miss it.
			all = slices.Insert(all, 1, why.String())
		default:
			all = append(all, why.String())
		}
	}
	return first(10, all)
}

// who names the person, with the other names and ids of the event.
func who(o responder.Outcome) string {
	s := o.Signal.Subject
	line := s.String()
	if len(s.Usernames) > 1 {
		line += ", also " + strings.Join(first(5, s.Usernames[1:]), ", ")
	}
	if len(s.IDs) > 0 && !strings.HasPrefix(line, "id ") {
		line += " (id " + s.IDs[0] + ")"
	}
	if s.PublicIP != "" && !strings.Contains(line, s.PublicIP) {
		line += ", acting from " + s.PublicIP
	}
	return line + "."
}

// describe says whose the connection is, since when, and what went through it.
func describe(c *vpn.Connection) string {
	var all []string
	add := func(what, value string) {
		if value != "" {
			all = append(all, what+" "+value)
		}
	}
	add("user", c.Username)
	add("certificate", c.CommonName)
	add("address", c.ClientIP)
	if !c.EstablishedAt.IsZero() {
		add("since", c.EstablishedAt.UTC().Format(time.DateTime))
	}
	return strings.Join(append(all, fmt.Sprintf("%s sent, %s received", size(c.IngressBytes), size(c.EgressBytes))), ", ")
}

// moments says when each step happened, and how long after the event.
func moments(o responder.Outcome) []string {
	var all []string
	add := func(at time.Time, what string) {
		if at.IsZero() {
			return
		}
		after := ""
		if from := o.Timing.EventAt; !from.IsZero() && at.After(from) {
			after = fmt.Sprintf(", %s later", at.Sub(from).Round(time.Second/10))
		}
		all = append(all, at.UTC().Format(time.DateTime)+"  "+what+after)
	}
	add(o.Timing.EventAt, "it happened")
	add(o.Timing.ReceivedAt, "received")
	add(o.Timing.RequestedAt, "EC2 answered the last request to end a connection")
	add(o.Timing.EndedAt, "the last connection was seen to have ended")
	if len(all) == 0 {
		return []string{"unknown"}
	}
	return all
}

// findingURL is the finding's page in the console, of the partition that its Region is in.
// Source: Amazon GuardDuty user guide, "Processing GuardDuty findings with EventBridge".
func findingURL(o responder.Outcome) string {
	s := o.Signal
	if s.Provider != "guardduty" || s.ID == "" || s.Region == "" {
		return ""
	}
	host := "console.aws.amazon.com"
	switch {
	case strings.HasPrefix(s.Region, "cn-"):
		host = "console.amazonaws.cn"
	case strings.HasPrefix(s.Region, "us-gov-"):
		host = "console.amazonaws-us-gov.com"
	}
	return fmt.Sprintf("https://%s/guardduty/home?region=%s#/findings?search=id%%3D%s",
		host, url.QueryEscape(s.Region), url.QueryEscape(s.ID))
}
