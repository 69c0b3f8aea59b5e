package notify

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/duration"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
)

// letter is an e-mail that is being written. Every line begins with words of ours or is indented, and no line break
// comes from the event. So no name or reason in an event can pretend to be a part of it, nor bring a link.
type letter struct{ strings.Builder }

func (l *letter) line(format string, args ...any) {
	l.link("%s", links.Replace(fmt.Sprintf(format, args...)))
}

// link writes a line that may have a link. It must be ours.
func (l *letter) link(format string, args ...any) {
	l.WriteString(strings.TrimRight(printable(fmt.Sprintf(format, args...)), " ") + "\n")
}

// part begins a part of the letter.
func (l *letter) part(title string) {
	l.line("")
	l.line("%s", title)
}

// list writes as many rows as a person reads.
func (l *letter) list(title string, n int, row func(int) string) {
	if n == 0 {
		return
	}
	l.part(title)
	for i := range min(n, maxListed) {
		l.line("%s", row(i))
	}
	if n > maxListed {
		l.line("and %d more", n-maxListed)
	}
}

// writer writes e-mails.
type writer struct{ place Place }

// text renders the outcome for people, as an e-mail: the subject says what happened, the body first what is left to do.
func (w writer) text(o responder.Outcome) (title, body string, err error) {
	var l letter
	l.line("%s: %s", word(o), summary(o))
	l.part("WHAT IS LEFT TO DO")
	for i, step := range steps(o) {
		l.line("%d. %s", i+1, step)
	}
	l.part("WHY")
	short := inShort(o)
	for _, why := range reasons(short) {
		l.line("- %s", why)
	}
	l.part("WHO")
	l.line("%s", who(short))
	if names := append(slices.Clone(o.Decision.Names), o.Decision.CommonNames...); len(names) > 0 && wasSearchedFor(o) {
		l.line("Looked for as %s%s.", strings.Join(first(mostNames, names), ", "), more(len(names)-mostNames))
	}
	l.line("When (UTC): %s.", moments(o))
	l.evidence(o)
	l.connections(o)
	l.next(o, w.place)
	return textSubject(o), l.String(), nil
}

// inShort returns the outcome without what a mail about ended connections can omit. These are the conditions of the
// rule and the ids of a person who has a name, which the log has. The summary has for how long the rule keeps people
// out, and the finding's page has its title and severity.
func inShort(o responder.Outcome) responder.Outcome {
	if ended(o) == 0 {
		return o
	}
	var reasons []policy.Reason
	for _, why := range o.Decision.Reasons {
		switch {
		case why.Kind == policy.RuleDecided:
			why = policy.Because(why.Kind, "rule %s decides %s", o.Decision.Rule, o.Decision.Action)
		case why.Kind == policy.KeptOut && isKeptOut(o):
			continue
		}
		reasons = append(reasons, why)
	}
	o.Decision.Reasons = reasons
	if len(o.Signal.Subject.Usernames) > 0 {
		o.Signal.Subject.IDs = nil
	}
	if findingURL(o) != "" {
		o.Signal.Reason, o.Signal.Severity = "", 0
	}
	return o
}

// wasSearchedFor reports whether a reader asks under which names the person was searched for. Connections that were
// found say it by themselves, and whom a gate blocks nobody searches for.
func wasSearchedFor(o responder.Outcome) bool {
	return o.Decision.Action == policy.Terminate && (!hasConnections(o) || hasSpared(o))
}

// mostNames is how many of the names that were searched for a text lists.
const mostNames = 3

// more writes the links, and what went wrong. The command that is next has the event's id, too.
func (l *letter) more(o responder.Outcome) {
	if link := findingURL(o); link != "" {
		l.link("Finding: %s", link)
	}
	if !strings.HasSuffix(next(o), " "+o.Signal.ID) {
		l.line("Event: %s %s", o.Signal.Provider, o.Signal.ID)
	}
	if words := mistake(o, longestError); words != "" {
		l.line("Error: %s", words)
	}
}

// longestError is how much of an error a text has, in characters. The log has all of it.
const longestError = 600

// reasons says why it happened: what was reported, and what the policy says. The summary's reason comes once, and rules
// that did not match are in the log only.
func reasons(o responder.Outcome) []string {
	s := o.Signal
	reported := fmt.Sprintf("%s says %s", knownAs(s.Provider), s.Type)
	switch {
	case s.Kind == signal.Sweep:
		reported = "The sweep was due, or somebody asked for it"
	case s.Kind == signal.SelfTest:
		reported = "The self-test was due, or somebody asked for it"
	case s.Provider == "custom":
		reported = "A custom request, " + inTheName(s.RequestedBy)
	}
	if s.Severity > 0 {
		reported += fmt.Sprintf(", severity %.1f (%s)", s.Severity, severity(s.Severity))
	}
	if s.Account != "" {
		reported += ", account " + s.Account
		if findingURL(o) == "" { // which has the Region
			reported += prefixed(", ", s.Region)
		}
	}
	if s.Reason != "" {
		reported += `: "` + s.Reason + `"`
	}
	all := []string{reported}
	for _, why := range o.Decision.Reasons {
		switch {
		case why.Kind == policy.RuleSkipped, strings.Contains(o.Summary, why.Text):
		case why.Kind == policy.Blocked:
			// It comes late, and a reader must not miss it.
			all = slices.Insert(all, 1, why.String())
		default:
			all = append(all, why.String())
		}
	}
	return first(10, all)
}

// inTheName says who asks, as far as the request says so.
func inTheName(of string) string {
	if of == "" {
		return "in nobody's name"
	}
	return "in the name of " + of + ", which nobody checked"
}

// who names the person, with the other names and ids of the event.
func who(o responder.Outcome) string {
	s := o.Signal.Subject
	line := person(o)
	if o.Signal.IsAboutNobody() {
		line = "Nobody"
	}
	if len(s.Usernames) > 1 {
		line += ", also " + strings.Join(first(5, s.Usernames[1:]), ", ")
	}
	if len(s.IDs) > 0 && !strings.Contains(line, s.IDs[0]) {
		line += " (id " + s.IDs[0] + ")"
	}
	if s.PublicIP != "" && !strings.Contains(line, s.PublicIP) {
		line += ", acting from " + s.PublicIP
	}
	return line + "."
}

// moments says when each step happened: the first by the clock, the others by how much later.
func moments(o responder.Outcome) string {
	var all []string
	var from time.Time
	requested := o.Timing.RequestedAt
	if !o.Timing.EndedAt.IsZero() {
		requested = time.Time{} // the end says more
	}
	for _, step := range []struct {
		at   time.Time
		what string
	}{
		{o.Timing.EventAt, ""},
		{o.Timing.ReceivedAt, "received"},
		{requested, "EC2 answered the last request"},
		{o.Timing.EndedAt, "last end"},
	} {
		switch {
		case step.at.IsZero():
		case from.IsZero():
			from = step.at
			all = append(all, step.at.UTC().Format(time.DateTime)+prefixed(" ", step.what))
		default:
			later := duration.Short(max(step.at.Sub(from), 0).Round(time.Second / 10))
			all = append(all, fmt.Sprintf("%s %s later", step.what, later))
		}
	}
	if len(all) == 0 {
		return "unknown"
	}
	return strings.Join(all, ", ")
}

// findingURL is the finding's page in the console, of the partition that its Region is in.
// Source: Amazon GuardDuty user guide, "Processing GuardDuty findings with EventBridge".
func findingURL(o responder.Outcome) string {
	s := o.Signal
	if s.Provider != "guardduty" || s.ID == "" || s.Region == "" {
		return ""
	}
	return fmt.Sprintf("https://%s/guardduty/home?region=%s#/findings?search=id%%3D%s",
		console(s.Region), url.QueryEscape(s.Region), url.QueryEscape(s.ID))
}
