package notify

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/vpn"
)

// text renders the outcome for people, as an e-mail: in the subject what happened, in the body first what is left to do.
// Every line of it begins with words of ours or is indented, and holds no line break of the event's, so that no name or
// reason in an event can pretend to be a part of it.
func text(o responder.Outcome) (title, body string, err error) {
	var w strings.Builder
	line := func(format string, args ...any) {
		w.WriteString(strings.TrimRight(printable(fmt.Sprintf(format, args...)), " ") + "\n")
	}
	line("%s: %s", word(o), summary(o))

	line("")
	line("WHAT IS LEFT TO DO")
	for i, step := range steps(o) {
		line("%d. %s", i+1, step)
	}

	line("")
	line("WHY")
	for _, why := range reasons(o) {
		line("- %s", why)
	}

	line("")
	line("WHO")
	line("The event names %s", who(o))
	if names := append(slices.Clone(o.Decision.Names), o.Decision.CommonNames...); len(names) > 0 {
		line("Looked for as %s%s.", strings.Join(first(6, names), ", "), more(len(names)-6))
	}

	line("")
	line("WHEN (UTC)")
	for _, moment := range moments(o) {
		line("%s", moment)
	}

	list := func(title string, n int, row func(int) (string, string)) {
		if n == 0 {
			return
		}
		line("")
		line("%s", title)
		for i := range min(n, maxListed) {
			head, details := row(i)
			line("%s", head)
			line("   %s", details)
		}
		if n > maxListed {
			line("and %d more, which the JSON message and the log have", n-maxListed)
		}
	}
	list("CONNECTIONS", len(o.Connections), func(i int) (string, string) {
		c := o.Connections[i]
		fate := fmt.Sprintf("%s, was %s", c.Current, c.Previous)
		switch {
		case c.Error != "":
			fate = fmt.Sprintf("%s: %s", c.Current, responder.WithoutSDK(c.Err))
		case c.Would:
			fate = fmt.Sprintf("%s, would be ended", c.Current)
		}
		return fmt.Sprintf("%s on %s: %s", c.ID, c.EndpointID, fate), describe(o.Connections[i])
	})
	list("LEFT ALONE", len(o.Spared), func(i int) (string, string) {
		s := o.Spared[i]
		return fmt.Sprintf("%s on %s: %s", s.ID, s.EndpointID, s.Reason), describe(s.Connection)
	})

	line("")
	line("MORE")
	if link := findingURL(o); link != "" {
		line("Finding: %s", link)
	}
	if o.Signal.ARN != "" {
		line("Its ARN: %s", o.Signal.ARN)
	}
	line("Event: %s %s%s", o.Signal.Provider, o.Signal.ID, prefixed(", EventBridge ", o.Signal.EventID))
	if o.Error != "" {
		line("Error: %s", string(first(2000, []rune(o.Error))))
	}
	return textSubject(o), w.String(), nil
}

// summary is the outcome's, whose first word the dry-run is elsewhere.
func summary(o responder.Outcome) string {
	words, cut := strings.CutPrefix(o.Summary, "Dry-run: ")
	if cut && words != "" {
		words = strings.ToUpper(words[:1]) + words[1:]
	}
	return words
}

// maxListed is how many connections a text lists; a person reads no more.
const maxListed = 20

// textSubject says it all in at most 99 printable ASCII characters. If it is too long, the name gives way.
func textSubject(o responder.Outcome) string {
	return ascii(titleWithin(o, maxSubject, source(o)))
}

// titleWithin is word, person, and what happened, in at most so many characters.
func titleWithin(o responder.Outcome, limit int, from string) string {
	head, tail := word(o)+" ", []rune(fmt.Sprintf(": %s (%s)", headline(o), from))
	name := []rune(printable(o.Signal.Subject.String()))
	if o.Signal.Kind == signal.SelfTest {
		name = []rune("self-test")
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

// headline says in a few words what happened.
func headline(o responder.Outcome) string {
	all, n := len(o.Connections), ended(o)
	switch o.Status {
	case responder.Terminated:
		return count(n, "VPN connection") + " ended"
	case responder.NotConnected:
		return "no VPN connection to end"
	case responder.WouldTerminate:
		return count(all, "VPN connection") + " would be ended"
	case responder.Partial:
		switch {
		case dryRun(o):
			return "not all VPN connections could be tried"
		case n == all && o.AccessOnly():
			return count(n, "VPN connection") + " ended, but not kept out"
		case n == all:
			return count(n, "VPN connection") + " ended, others may be up"
		}
		return fmt.Sprintf("only %d of %s ended", n, count(all, "VPN connection"))
	case responder.Reconnecting:
		return count(n, "VPN connection") + " ended, but back again"
	case responder.Unverified:
		return fmt.Sprintf("end of %s not seen yet", count(all-n, "VPN connection"))
	case responder.Exempt:
		return "never cut off, nothing ended"
	case responder.OverLimit:
		return count(len(o.Spared), "VPN connection") + ", too many, nothing ended"
	case responder.Ambiguous:
		if o.Signal.Kind == signal.AccountEnabled {
			return "may be two people, nobody let in again"
		}
		return "may be two people, nothing ended"
	case responder.Unmapped:
		return "leads to nobody, nothing ended"
	case responder.Sample:
		return "sample finding, nothing ended"
	case responder.Stale:
		return "too old, nothing ended"
	case responder.Notified:
		switch {
		case o.HowLong() != "":
			return "stays kept out"
		case len(o.Lifted) > 0 && dryRun(o):
			return "would be let in again"
		case len(o.Lifted) > 0:
			return "may connect again"
		}
		switch o.Decision.Gate {
		case "archived":
			return "finding is archived, nothing ended"
		case "not-yet":
			return "not due yet, nothing ended"
		case "unasked":
			return "directory not asked, nothing ended"
		}
		return "for you to decide, nothing ended"
	case responder.Failed:
		switch {
		case all > 0:
			return count(all, "VPN connection") + " could not be ended"
		case o.Signal.Kind == signal.AccountEnabled:
			return "may still be kept out"
		case o.AccessOnly():
			return "keep-out list could not be changed"
		}
		return "nothing could be done"
	case responder.Ready:
		return "people can be cut off"
	case responder.NotReady:
		return "nobody, or not everybody, can be cut off"
	}
	return "nothing ended"
}

// providers are the names that people know.
var providers = map[string]string{
	"guardduty": "GuardDuty", "okta": "Okta", "entra": "Microsoft Entra ID", "auth0": "Auth0", "onelogin": "OneLogin",
	"sailpoint": "SailPoint", "identity-center": "IAM Identity Center", "iam": "IAM", "directory-service": "Directory Service",
	"cognito": "Cognito", "google-workspace": "Google Workspace", "jumpcloud": "JumpCloud", "pingone": "PingOne", "duo": "Duo",
	"cyberark": "CyberArk", "ssf": "Shared Signals", "custom": "custom request",
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

// reasons tell why it happened: what was reported, and what the policy says. Rules that did not fit are left to the log.
func reasons(o responder.Outcome) []string {
	s := o.Signal
	reported := fmt.Sprintf("%s says %s", knownAs(s.Provider), s.Type)
	switch {
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
		switch {
		case why.Kind == policy.RuleSkipped:
		case why.Kind == policy.Blocked:
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

// moments tell when what happened, and how long after the event.
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

// ours matches EC2's ids, which may stand in a command: whatever else an event or a client brings may not.
var ours = regexp.MustCompile(`^cvpn-(endpoint|connection)-[0-9a-f]+$`)

// steps say what is left to do and how, the most urgent first.
func steps(o responder.Outcome) []string {
	var todo []string
	add := func(format string, args ...any) { todo = append(todo, fmt.Sprintf(format, args...)) }
	person := o.Signal.Subject.String()
	finding := o.Signal.Kind == "finding"
	again := func() {
		add("It is tried again by itself, unless you invoked the function by hand. If that fails too, the event waits in the dead-letter queue: redrive it when the cause is gone.")
	}
	letIn := func(when string) {
		add("To let %s in %s, send a custom request with the detail-type Reinstate.", person, when)
	}
	stayOut := func(nothing string) {
		switch by := knownAs(o.Signal.Provider); {
		case o.HowLong() != "":
			add("%s The client connect handler turns %s away %s, on the endpoints that have it.", nothing, person, o.HowLong())
			letIn("earlier")
		case o.Signal.Kind != "account-disabled" && o.Signal.Kind != "account-purged":
			add("%s Whoever may still sign in can connect again, though: if %s must stay out, disable the user at the identity provider, or revoke the certificate.", nothing, person)
		case o.Signal.Provider == "custom":
			add("%s If the account is not closed yet, close it; if the VPN takes certificates, revoke %s's, too.", nothing, person)
		default:
			add("%s The account is closed, says %s; if the VPN takes certificates, revoke %s's, too, as it outlives the account.", nothing, by, person)
		}
		if finding {
			add("Read the finding, and take away what else the credentials open: access keys, sessions, roles.")
		}
	}
	byHand := func() {
		connections := left(o)
		if len(connections) == 0 || !ours.MatchString(connections[0].ID) || !ours.MatchString(connections[0].EndpointID) {
			return
		}
		c, others := connections[0], ""
		if len(connections) > 1 {
			others = " (this one, the others likewise)"
		}
		add("To end by hand what is up%s: aws ec2 terminate-client-vpn-connections%s --client-vpn-endpoint-id %s --connection-id %s",
			others, prefixed(" --region ", c.Region), c.EndpointID, c.ID)
	}

	for _, p := range first(5, o.MissingPermissions()) {
		on := p.Resource
		if strings.HasSuffix(on, "/*") {
			on = "all resources"
		}
		add("Grant %s on %s to the function's role. The role, a permissions boundary or a service control policy lacks it.", p.Action, on)
	}
	if o.Has(responder.NoEndpoint) {
		add("Deploy the function in the account and Region of the Client VPN endpoints; there is none where it is.")
	}
	if o.Has(responder.CannotTerminate) {
		add("EC2 could not end the tunnel. If it stays, take its route or authorization rule away from the endpoint, and open a case with AWS Support.")
	}

	if o.Signal.Kind == signal.AccountEnabled {
		switch {
		case o.Status == responder.Failed:
			add("%s may still be turned away.", person)
			again()
			return todo
		case o.HowLong() != "":
			letIn("all the same")
			return todo
		case len(o.Lifted) > 0 && dryRun(o):
			add("Nothing was changed, as this is a dry-run.")
			return todo
		case len(o.Lifted) > 0:
			add("Nothing. If this is a mistake, send a custom request to end %s's access.", person)
			return todo
		case o.Status == responder.Stale, o.Status == responder.Ambiguous:
			add("See who is meant and since when, and let them in with a custom request of the detail-type Reinstate.")
			return todo
		}
	}

	switch o.Status {
	case responder.Terminated:
		stayOut("Nothing is left up that may be ended.")
		if len(o.Spared) > 0 {
			add("See below what was left alone, and why.")
		}
	case responder.NotConnected:
		stayOut("Nothing is up.")
	case responder.WouldTerminate:
		add("Nobody was cut off, as this is a dry-run. See whether these are the right person's connections.")
		add("To have it done from now on, deploy with MODE=enforce, and without mode: dry-run in the rule.")
		byHand()
	case responder.Partial, responder.Failed:
		switch {
		case o.Has(responder.PolicyUnreadable):
			add("Mend the policy where the error says, and deploy it. Nobody is cut off until then.")
		case o.AccessOnly() && len(o.Spared) > 0:
			add("Nobody may be kept out by this name, as so many share it; until it is off the list, they are.")
		case o.AccessOnly():
			add("%s is not kept out, and can connect again.", person)
		case len(left(o)) == 0:
			add("%s may be connected where nobody could look.", person)
		}
		again()
		if !dryRun(o) {
			byHand()
		}
	case responder.Reconnecting:
		if o.HowLong() != "" {
			add("%s is kept out, and connects all the same. Attach the client connect handler to each endpoint; where it is, its log says why it let them in.", person)
			add("Until then, disable the user at the identity provider, or revoke the certificate.")
		} else {
			add("The client signs in again by itself. Disable the user at the identity provider, revoke the certificate, or deny the connect: until then it is of no use to end connections.")
		}
		add("Then send the event again, or a custom request for %s.", person)
		if finding {
			add("Read the finding, and take away what else the credentials open: access keys, sessions, roles.")
		}
	case responder.Unverified:
		again()
		if up := left(o); len(up) > 0 && ours.MatchString(up[0].EndpointID) {
			add("To look yourself: aws ec2 describe-client-vpn-connections%s --client-vpn-endpoint-id %s", prefixed(" --region ", up[0].Region), up[0].EndpointID)
		}
	case responder.Exempt:
		add("The policy's list of exempt people keeps us from it. If it must be all the same, take the entry off the list, deploy, and send the event again.")
	case responder.OverLimit:
		add("See whose the connections are. If all are one person's, raise max_connections in the policy, deploy, and send the event again; if not, the policy's identity makes one person of several.")
	case responder.Ambiguous:
		add("Read the reasons to see who is meant. Nobody can tell from here which of the connections below is that person's, if any.")
		add("Then end the right one by its id, with a custom request or by hand: aws ec2 terminate-client-vpn-connections --client-vpn-endpoint-id ENDPOINT --connection-id CONNECTION")
	case responder.Unmapped:
		switch {
		case o.Signal.Subject.Session != nil:
			add("The session's name counts only for roles that the policy trusts. If an identity provider alone names the sessions of %s, add it to identity.session_roles; if not, find out who it was.", o.Signal.Subject.Session.Role)
		case len(o.Signal.Subject.IDs) > 0:
			add("Find out whose id %s is, add it to identity.aliases in the policy, deploy, and send the event again.", o.Signal.Subject.IDs[0])
		default:
			add("The event leads to no person. Find out who it was, and send a custom request with the name.")
		}
	case responder.Sample:
		add("Nothing. Somebody made a sample finding to try things out.")
	case responder.Stale:
		add("Decide by hand: the event is older than its rule's max_age. If %s must be cut off, send a custom request.", person)
	case responder.Notified:
		switch o.Decision.Gate {
		case "archived":
			add("Nothing. Somebody has put the finding aside in GuardDuty.")
		case "not-yet":
			add("Send the request again at %s UTC; it is not kept until then.", o.Signal.EffectiveAt.UTC().Format(time.DateTime))
		case "unasked":
			add("Set IDENTITY_STORE_ID, so that the function can ask whether the account is disabled. Until then, look yourself.")
		default:
			if finding {
				add("Read the finding and decide.")
			} else {
				add("Look into it and decide.")
			}
			add("If %s must be cut off, send a custom request; nothing else will.", person)
		}
	case responder.Ignored, responder.Ready:
		add("Nothing.")
	case responder.NotReady:
		add("Mend what the error says, before somebody must be cut off. Then test again: invoke the function with events/custom/self-test.json.")
	}
	return todo
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
	return fmt.Sprintf("https://%s/guardduty/home?region=%s#/findings?search=id%%3D%s", host, url.QueryEscape(s.Region), url.QueryEscape(s.ID))
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
