package responder

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/vpn"
)

// SchemaVersion is the version of [Outcome]'s JSON form. Fields may be added under it; none is removed or changes.
const SchemaVersion = 1

// Status is what became of a signal, in one word.
type Status string

// The statuses.
const (
	Terminated     Status = "terminated"      // all connections ended, seen
	NotConnected   Status = "not-connected"   // nothing to end
	WouldTerminate Status = "would-terminate" // dry-run: EC2 would have ended them
	Partial        Status = "partial"         // some did not end, or an endpoint could not be asked
	Reconnecting   Status = "reconnecting"    // ended, but they keep coming back
	Unverified     Status = "unverified"      // asked, and the time was up before EC2 showed the end
	Exempt         Status = "exempt"          // the person is never cut off
	OverLimit      Status = "over-limit"      // more connections than the policy allows to end: none was
	Ambiguous      Status = "ambiguous"       // it may be two people: nobody was touched
	Unmapped       Status = "unmapped"        // nobody is named
	Sample         Status = "sample"          // a sample finding
	Stale          Status = "stale"           // too old for its rule
	Notified       Status = "notified"        // the policy only notifies, or the signal asks for no more
	Ignored        Status = "ignored"         // the policy ignores it
	Failed         Status = "failed"          // nothing could be done
	Ready          Status = "ready"           // self-test: somebody could be cut off now
	NotReady       Status = "not-ready"       // self-test: the error says what stands in the way
)

// Outcome is what became of one signal. Its JSON form is the message to SNS.
type Outcome struct {
	SchemaVersion int             `json:"schema_version"`
	Status        Status          `json:"status"`
	Summary       string          `json:"summary"`
	Signal        signal.Signal   `json:"signal"`
	Decision      policy.Decision `json:"decision"`
	// PolicyHash is the SHA-256 of the policy's bytes, "sha256:…".
	PolicyHash string `json:"policy_hash,omitempty"`
	// Timing and what follows of the keep-out list stand before what may be long, as CloudWatch Logs Insights reads only the
	// first fields of a line.
	Timing Timing `json:"timing"`
	// KeptOutUntil is when the person may connect again, [Forever] for never; zero if nothing keeps them out that is known.
	KeptOutUntil time.Time `json:"kept_out_until,omitzero"`
	// Lifted is what kept the person out until this reinstatement.
	Lifted      []Lifted          `json:"lifted,omitempty"`
	Connections []*vpn.Connection `json:"connections"`
	// Spared are connections that the signal led to and that were left alone.
	Spared []Spared `json:"spared"`
	// Omitted is how many connections and spared ones a message leaves out, so as not to be too long.
	Omitted int `json:"omitted,omitempty"`
	// Reconnections is how often the person was back during the watch.
	Reconnections int    `json:"reconnections,omitempty"`
	Error         string `json:"error,omitempty"`
	// ListOnly says that nothing went wrong but with the keep-out list.
	ListOnly bool `json:"-"`
	// Listings are EC2's request ids of the listings in which the person was looked for; of one with several pages, of the first
	// and the last.
	Listings []string `json:"listings,omitempty"`
}

// Spared is a connection that the signal led to and that was left alone.
type Spared struct {
	*vpn.Connection
	Reason string `json:"reason"`

	why Status
}

// Timing holds the moments of an event's way; one that did not come is left out.
type Timing struct {
	EventAt    time.Time `json:"event_at,omitzero"`
	ReceivedAt time.Time `json:"received_at,omitzero"`
	DecidedAt  time.Time `json:"decided_at,omitzero"`
	// RequestedAt is when EC2 had answered the last termination request, EndedAt when the last end was seen.
	RequestedAt time.Time `json:"requested_at,omitzero"`
	EndedAt     time.Time `json:"ended_at,omitzero"`
}

// Incomplete reports whether something is left to do that another try may do.
func (o Outcome) Incomplete() bool {
	return o.Status == Partial || o.Status == Unverified || o.Status == Failed
}

// gateStatus is the status of a signal that a gate held back.
var gateStatus = map[policy.Gate]Status{
	policy.GateSample:    Sample,
	policy.GateArchived:  Notified,
	policy.GateNotYet:    Notified,
	policy.GateUnasked:   Notified,
	policy.GateFuture:    Stale,
	policy.GateStale:     Stale,
	policy.GateUnmapped:  Unmapped,
	policy.GateAmbiguous: Ambiguous,
	policy.GateExempt:    Exempt,
}

// conclude sets status, summary, error and timing from what was seen.
func (c *caseFile) conclude() {
	o := &c.Outcome
	who := o.Signal.Subject.String()
	ended, would, refused, pending := 0, 0, 0, 0
	var lost []string
	for _, id := range slices.Sorted(maps.Keys(c.unlisted)) {
		c.problem(c.unlisted[id])
	}
	if len(c.unlisted) == 0 && c.watchedOut {
		for _, id := range slices.Sorted(maps.Keys(c.lastFailed)) {
			c.problem(fmt.Errorf("watching for a reconnection: %w", c.lastFailed[id]))
		}
	}
	overLimit := c.overLimit()
	if overLimit >= 0 && c.Reconnections == 0 && len(o.Connections) > 0 {
		c.problem(errors.New(o.Spared[overLimit].Reason)) // found late, on an endpoint that could not be listed before
	}
	for _, connection := range o.Connections {
		o.Timing.RequestedAt = latest(o.Timing.RequestedAt, connection.RequestedAt)
		o.Timing.EndedAt = latest(o.Timing.EndedAt, connection.EndedAt)
		switch {
		case connection.Error != "":
			refused++
			c.problems = append(c.problems, fmt.Sprintf("%s on %s: %s", connection.ID, connection.EndpointID, connection.Error))
		case connection.Would:
			would++
		case connection.Ended():
			ended++
		case connection.Current == vpn.FailedToTerminate:
			c.problems = append(c.problems, fmt.Sprintf("%s on %s: EC2 says failed-to-terminate", connection.ID, connection.EndpointID))
		default:
			pending++
			if connection.Lost != "" {
				lost = append(lost, fmt.Sprintf("%s on %s: %s", connection.ID, connection.EndpointID, connection.Lost))
			}
		}
	}
	if ended < len(o.Connections) {
		o.Timing.EndedAt = time.Time{}
	}
	o.ListOnly = len(c.problems) == 0 && len(c.list.problems) > 0
	c.problems = append(c.problems, c.list.problems...)
	all := len(o.Connections)
	o.Error = strings.Join(append(slices.Clone(c.problems), lost...), "; ")
	problem := ""
	if len(c.problems) > 0 {
		problem = brief(c.problems[0])
	}
	say := func(status Status, format string, args ...any) {
		o.Status, o.Summary = status, fmt.Sprintf(format, args...)
	}
	incomplete := len(c.problems) > 0
	switch {
	case c.policyError != nil:
		o.Error = oneLine(c.policyError)
		say(Failed, "Nothing was done about %s: the policy cannot be read.", who)
	case c.saysReinstatement():
		c.concludeReinstatement()
	case o.Decision.Action == policy.Ignore:
		say(Ignored, "The policy ignores this.")
	case o.Decision.Action == policy.Notify && o.Decision.Gate == "":
		say(Notified, "Nothing was ended: the policy only notifies about %s.", who)
	case o.Decision.Action == policy.Notify:
		say(gateStatus[o.Decision.Gate], "Nothing was ended: %s.", lastReason(o.Decision))
	case all == 0 && o.ListOnly:
		say(Failed, "Nothing was ended of %s, and the keep-out list is not as it should be: %s.", who, problem)
	case all == 0 && incomplete:
		say(Failed, "It is not known whether %s is connected: %s.", who, problem)
	case all == 0 && len(o.Spared) > 0:
		say(o.Spared[0].why, "Nothing was ended: %s of %s left alone, as %s.", count(len(o.Spared)), who, o.Spared[0].Reason)
	case all == 0 && c.noAddresses:
		say(Unmapped, "Nothing was ended: %s leads to nobody, as no endpoint keeps client addresses.", who)
	case all == 0:
		say(NotConnected, "%s has no active VPN connection.", who)
		if n := len(c.endedBefore); n > 0 {
			o.Summary += fmt.Sprintf(" %s ended within the last hour, the latest at %s.",
				count(n), slices.MaxFunc(c.endedBefore, time.Time.Compare).Format(time.DateTime))
		}
	case c.dryRun() && !incomplete:
		say(WouldTerminate, "Dry-run: %s of %s would be ended.", count(would), who)
	case c.dryRun() && would > 0:
		say(Partial, "Dry-run: %s of %s would be ended, but not all could be tried: %s.", count(would), who, problem)
	case c.dryRun():
		say(Failed, "Dry-run: the connections of %s could not be ended: %s.", who, problem)
	case refused == all:
		say(Failed, "The connections of %s were not ended: %s.", who, problem)
	case o.ListOnly && ended == all:
		say(Partial, "%s of %s ended, but the keep-out list is not as it should be: %s.", count(ended), who, problem)
	case incomplete:
		say(Partial, "%d of %s of %s ended: %s.", ended, count(all), who, problem)
	case pending > 0:
		say(Unverified, "The end of %s of %s was requested; the time was up before EC2 showed it.", count(pending), who)
	case c.list.letBack != "":
		say(Reconnecting, "%s of %s ended, but they keep coming back although they are kept out: %s.", count(ended), who, c.list.letBack)
	case c.keepsComing || overLimit >= 0:
		say(Reconnecting, "%s of %s ended, but they keep coming back: disable the user, revoke the certificate or deny the connect, then end them again.", count(ended), who)
	default:
		say(Terminated, "%s of %s ended.", count(ended), who)
	}
	if o.Status == Terminated && c.Reconnections > 0 {
		o.Summary += fmt.Sprintf(" They came back %s, and were ended again.", plural(c.Reconnections, "once", fmt.Sprintf("%d times", c.Reconnections)))
	}
	if o.Status == Terminated && c.cutShort {
		o.Summary += " The time was up before the watch for a reconnection was over."
	}
	if len(o.Spared) > 0 && (all > 0 || incomplete) {
		o.Summary += fmt.Sprintf(" %s left alone, as %s.", count(len(o.Spared)), o.Spared[0].Reason)
	}
	if !c.saysReinstatement() {
		o.Summary += c.onTheList()
	}
}

// overLimit is the place of the first spared connection that the limit protects; below 0 for none.
func (c *caseFile) overLimit() int {
	return slices.IndexFunc(c.Spared, func(s Spared) bool { return s.why == OverLimit })
}

// brief leaves of an error of the SDK what a person needs to know: what was being done, and why it was not.
func brief(problem string) string {
	head, details, found := strings.Cut(problem, ": operation error")
	if !found || strings.Contains(head, "missing permission") {
		return head
	}
	if _, api, ok := strings.Cut(details, "api error "); ok {
		code, _, _ := strings.Cut(api, ":")
		return head + ": " + code
	}
	// An error that the SDK has a type for goes by its name alone.
	if _, named, ok := strings.Cut(details, "RequestID: "); ok {
		_, named, _ = strings.Cut(named, ", ")
		if code, _, _ := strings.Cut(named, ":"); strings.HasSuffix(code, "Exception") {
			return head + ": " + code
		}
	}
	return head + ": no answer in time"
}

func (c *caseFile) dryRun() bool { return c.Outcome.Decision.Mode != policy.Enforce }

func lastReason(d policy.Decision) string {
	if words, ok := d.Blocked(); ok {
		return words
	}
	return "the policy holds it back"
}

func count(n int) string { return plural(n, "1 VPN connection", fmt.Sprintf("%d VPN connections", n)) }

func plural(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
