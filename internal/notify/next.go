package notify

import (
	"fmt"
	"slices"
	"strings"

	"clientvpn-responder/internal/lazyregexp"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/vpn"
)

// Place is where the function runs, for the command and the links at the end of an e-mail. Empty fields are left out.
type Place struct {
	Stack, Region string
	LogGroup      string
	Stop          string // the command that stops everything
}

// Words of an event that may be part of a command. No other may: a name could be a command itself.
var (
	plainName = lazyregexp.New(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}(@[A-Za-z0-9][A-Za-z0-9.-]{0,252})?$`)
	plainID   = lazyregexp.New(`^[A-Za-z0-9][A-Za-z0-9_.:-]{0,199}$`)
)

// nameIn returns the person's name for a command, or NAME where the name may not be part of one.
func nameIn(o responder.Outcome) string {
	names := o.Signal.Subject.Usernames
	if alias := knownByAlias(o); alias != "" {
		names = []string{alias}
	}
	if len(names) == 0 || !plainName().MatchString(names[0]) {
		return "NAME"
	}
	return names[0]
}

// byName returns a command of the tool about the person.
func byName(verb string, o responder.Outcome) string {
	return fmt.Sprintf("clientvpn %s %s --reason WHY", verb, nameIn(o))
}

// orElse is a step that ends with the command that cuts the person off.
func orElse(words string) step {
	return func(o responder.Outcome) string { return words + ": " + byName("cut", o) }
}

// next returns the one command that is next. It can be run as it is.
func next(o responder.Outcome) string {
	switch o.Status {
	case responder.WouldTerminate:
		return "clientvpn report --since 7d"
	case responder.Braked:
		return "clientvpn held"
	case responder.NotReady, responder.Ready:
		return "clientvpn status"
	case responder.Notified, responder.Stale:
		if name := nameIn(o); name != "NAME" && !isReinstatement(o) {
			return "clientvpn would " + name
		}
	}
	for _, id := range []string{o.Signal.ID, o.Signal.EventID} {
		if plainID().MatchString(id) {
			return "clientvpn why " + id
		}
	}
	return "clientvpn status"
}

// next writes the command that is next, and the links.
func (l *letter) next(o responder.Outcome, p Place) {
	l.part("NEXT")
	l.line("%s", runnable(next(o), p))
	l.more(o)
	l.line("Runbook: doc/runbook.md#%s", section(o))
	if p.Stack != "" && p.Region != "" {
		const dashboard = "Dashboard: https://%s/cloudwatch/home?region=%s#dashboards:name=%s-%[2]s"
		l.link(dashboard, console(p.Region), p.Region, p.Stack)
	}
	if p.LogGroup != "" && p.Region != "" {
		// The console reads the name after it was escaped twice, with $ in place of %.
		group := strings.ReplaceAll(p.LogGroup, "/", "$252F")
		const log = "Log: https://%s/cloudwatch/home?region=%s#logsV2:log-groups/log-group/%s"
		l.link(log, console(p.Region), p.Region, group)
	}
	if p.Stop != "" && o.Decision.Mode == policy.Enforce && slices.Contains(acted, o.Status) {
		l.line("To stop everything within seconds: %s", runnable("clientvpn stop", p))
		l.line("The same without the tool: %s", p.Stop)
	}
}

// runnable returns a command of the tool in the form in which it leads to the stack from everywhere.
func runnable(command string, p Place) string {
	if plainID().MatchString(p.Stack) {
		command += " --stack " + p.Stack
	}
	return prefixedBy("AWS_REGION=", p.Region, " ") + command
}

// section returns the section of the runbook.
func section(o responder.Outcome) string {
	switch {
	case len(o.MissingPermissions()) > 0:
		return "missing-permission"
	case o.Status == responder.NotReady || o.Status == responder.Ready:
		return "not-ready"
	case slices.Contains(ofTheirOwn, o.Status):
		return string(o.Status)
	}
	return "what-a-message-asks-for"
}

// ofTheirOwn are the statuses that the runbook has a section about.
var ofTheirOwn = is(responder.OverLimit, responder.Braked, responder.Partial, responder.Unmapped, responder.Stale,
	responder.Reconnecting)

// acted are the statuses of outcomes that have terminated somebody, or go on to. Who reconnects must be cut off again:
// that mail has no command against it.
var acted = is(responder.Terminated, responder.Partial, responder.Unverified)

// console returns the host of AWS's console, of the partition that the Region is in.
func console(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "console.amazonaws.cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "console.amazonaws-us-gov.com"
	}
	return "console.aws.amazon.com"
}

func prefixedBy(prefix, s, suffix string) string {
	if s == "" {
		return ""
	}
	return prefix + s + suffix
}

// endpointOf names the connection's endpoint: by its name and its id.
func endpointOf(c *vpn.Connection) string {
	if c.EndpointName == "" {
		return c.EndpointID
	}
	return c.EndpointName + " (" + c.EndpointID + ")"
}

// links are what mail and chat programs make links of. An event must not bring its own.
var links = strings.NewReplacer("://", "[:]//", "www.", "www[.]", "WWW.", "WWW[.]", "mailto:", "mailto[:]")
