package notify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
)

// summary is the outcome's, without what people read beside it: the mode, the status, and a permission that the first
// step asks for.
func summary(o responder.Outcome) string {
	words := o.Summary
	if asksForPermission(o) {
		words = strings.Replace(words, ": "+o.Problems[0].Brief(), "", 1)
	}
	for _, prefix := range []string{"Dry-run: ", "Ready: "} {
		if rest, cut := strings.CutPrefix(words, prefix); cut && rest != "" {
			return strings.ToUpper(rest[:1]) + rest[1:]
		}
	}
	return words
}

// person names the subject of the outcome. If the event has nothing but an id, the policy's name comes before it.
func person(o responder.Outcome) string {
	said := o.Signal.Subject.String()
	if alias := knownByAlias(o); alias != "" {
		return alias + " (" + said + ")"
	}
	return said
}

// knownByAlias returns the policy's name for a person whom the event does not name; empty for others.
func knownByAlias(o responder.Outcome) string {
	if s := o.Signal.Subject; len(s.Usernames) > 0 || len(s.IDs) == 0 || len(o.Decision.Names) == 0 {
		return ""
	}
	return o.Decision.Names[0] // which is the person's own
}

// asksForPermission reports whether the most important problem is a missing permission.
func asksForPermission(o responder.Outcome) bool {
	return len(responder.Outcome{Problems: first(1, o.Problems)}.MissingPermissions()) > 0
}

// mistake returns what went wrong, where the summary does not say it; empty for nothing.
func mistake(o responder.Outcome, longest int) string {
	brief := o.ErrorBeforeSDK()
	if strings.Contains(o.Summary, brief) {
		return ""
	}
	return cut(brief, longest)
}

// textSubject says it all in at most 99 printable ASCII characters. If it is too long, the name is shortened.
func textSubject(o responder.Outcome) string {
	return ascii(titleWithin(o, maxSubject, source(o)))
}

// titleWithin is word, person, and what happened, in at most so many characters.
func titleWithin(o responder.Outcome, limit int, from string) string {
	head, tail := word(o)+" ", []rune(fmt.Sprintf(": %s (%s)", headlineOf(o), from))
	name := []rune(printable(o.Signal.Subject.String()))
	if o.Signal.IsAboutNobody() && !o.Signal.Kind.IsRuling() {
		name = []rune(o.Signal.Kind)
	}
	if room := limit - len(head) - len(tail); len(name) > room {
		name = append(name[:max(room-3, 0)], '.', '.', '.')
	}
	all := append([]rune(head), append(name, tail...)...)
	return string(first(limit, all))
}

// word is the first word of everything that people read: the status, or that nothing is done in earnest.
func word(o responder.Outcome) string {
	status := strings.ToUpper(string(o.Status))
	switch {
	case !dryRun(o):
		return status
	case o.Status == responder.WouldTerminate:
		return "DRY-RUN"
	}
	return "DRY-RUN " + status
}

// headline is a row of the table of headlines: what happened, in a few words.
type headline struct {
	status responder.Status
	when   func(responder.Outcome) bool // nil for always
	says   func(responder.Outcome) string
}

// headlines is the table. The first row that fits is taken.
var headlines = []headline{
	{responder.Terminated, nil, howMany(ended, "%s ended")},
	{responder.NotConnected, nil, say("no active VPN connection")},
	{responder.WouldTerminate, nil, howMany(total, "%s would be terminated")},
	{responder.Partial, dryRun, say("not all VPN connections could be tried")},
	{responder.Partial, both(allEnded, responder.Outcome.AccessOnly), howMany(ended, "%s ended, but not kept out")},
	{responder.Partial, allEnded, howMany(ended, "%s ended, others may be up")},
	{responder.Partial, nil, func(o responder.Outcome) string {
		return fmt.Sprintf("only %d of %s ended", ended(o), count(total(o), "VPN connection"))
	}},
	{responder.Reconnecting, nil, howMany(ended, "%s ended, but back again")},
	{responder.Unverified, nil, howMany(notEnded, "end of %s not seen yet")},
	{responder.Exempt, nil, say("never cut off")},
	{responder.OverLimit, nil, howMany(spared, "%s under too many names, nobody cut off")},
	{responder.Ambiguous, isReinstatement, say("may be two people, nobody reinstated")},
	{responder.Ambiguous, nil, say("may be two people, nobody cut off")},
	{responder.Unmapped, nil, say("leads to nobody, nobody cut off")},
	{responder.Sample, nil, say("sample finding, nobody cut off")},
	{responder.Stale, blockedBy(policy.GateReplay), say("a replay, nobody cut off")},
	{responder.Stale, blockedBy(policy.GateReinstated), say("reinstated since, nobody cut off")},
	{responder.Stale, nil, say("too old, nobody cut off")},
	{responder.Braked, nil, func(o responder.Outcome) string {
		return fmt.Sprintf("the brake holds %s, nobody cut off", count(o.Brake.Events, "event"))
	}},
	{responder.Notified, isKeptOut, say("stays kept out")},
	{responder.Notified, hasLifted, say("may connect again")},
	{responder.Notified, blockedBy(policy.GateArchived), say("finding is archived, nobody cut off")},
	{responder.Notified, blockedBy(policy.GateNotYet), say("not due yet, nobody cut off")},
	{responder.Notified, blockedBy(policy.GateUnasked), say("directory not asked, nobody cut off")},
	{responder.Notified, isSweep, say("somebody could not be found, or is still connected")},
	{responder.Notified, isRuling, say("the brake's events are dealt with")},
	{responder.Notified, blockedBy(policy.GateLifted), say("lifted by hand, nobody cut off")},
	{responder.Notified, blockedBy(policy.GateDropped), say("dropped by hand, nobody cut off")},
	{responder.Notified, nil, say("for you to decide, nobody cut off")},
	{responder.Failed, hasConnections, howMany(total, "%s could not be terminated")},
	{responder.Failed, isReinstatement, say("may still be kept out")},
	{responder.Failed, responder.Outcome.AccessOnly, say("keep-out list could not be changed")},
	{responder.Failed, nil, say("nothing could be done")},
	{responder.Ready, nil, say("people can be cut off")},
	{responder.NotReady, isSweep, say("not everybody could be looked at")},
	{responder.NotReady, nil, say("nobody, or not everybody, can be cut off")},
}

// headlineOf returns what happened, in a few words.
func headlineOf(o responder.Outcome) string {
	i := slices.IndexFunc(headlines, func(h headline) bool { return h.status == o.Status && (h.when == nil || h.when(o)) })
	if i < 0 {
		return "nobody cut off"
	}
	return headlines[i].says(o)
}

func total(o responder.Outcome) int    { return len(o.Connections) }
func notEnded(o responder.Outcome) int { return total(o) - ended(o) }
func spared(o responder.Outcome) int   { return len(o.Spared) }

func allEnded(o responder.Outcome) bool       { return notEnded(o) == 0 }
func hasConnections(o responder.Outcome) bool { return total(o) > 0 }

// howMany puts a number of VPN connections into the words.
func howMany(number func(responder.Outcome) int, words string) func(responder.Outcome) string {
	return func(o responder.Outcome) string { return fmt.Sprintf(words, count(number(o), "VPN connection")) }
}

// providers are the names that people know.
var providers = map[string]string{
	"guardduty": "GuardDuty", "okta": "Okta", "entra": "Microsoft Entra ID", "auth0": "Auth0", "onelogin": "OneLogin",
	"sailpoint": "SailPoint", "identity-center": "IAM Identity Center", "iam": "IAM",
	"directory-service": "Directory Service", "cognito": "Cognito", "google-workspace": "Google Workspace",
	"jumpcloud": "JumpCloud", "pingone": "PingOne", "duo": "Duo", "cyberark": "CyberArk", "ssf": "Shared Signals",
	"custom": "custom request", signal.SweepProvider: "hourly sweep",
}

func knownAs(provider string) string { return cmp.Or(providers[provider], provider) }

// source names who reported it, with GuardDuty's severity.
func source(o responder.Outcome) string {
	name := knownAs(o.Signal.Provider)
	if o.Signal.Severity > 0 {
		name += fmt.Sprintf(" %.1f", o.Signal.Severity)
	}
	return name
}

// severity is GuardDuty's word. Source: Amazon GuardDuty user guide, "Severity levels of GuardDuty findings".
func severity(value float64) string {
	switch {
	case value >= 9:
		return "critical"
	case value >= 7:
		return "high"
	case value >= 4:
		return "medium"
	}
	return "low"
}

func size(bytes int64) string {
	switch {
	case bytes >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(bytes)/1e9)
	case bytes >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
	case bytes >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(bytes)/1e3)
	}
	return fmt.Sprintf("%d bytes", bytes)
}

func dryRun(o responder.Outcome) bool { return o.Decision.Mode != "enforce" }

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

func more(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n)
}

// printable puts a question mark for what cannot be seen or would turn the text around.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// namesUser reports whether the event names a user, and from where.
func namesUser(o responder.Outcome) bool {
	return len(o.Signal.Subject.Usernames) > 0 && len(o.Signal.Subject.Names) > 0
}
