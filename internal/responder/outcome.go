package responder

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/sweep"
	"clientvpn-responder/internal/vpn"
)

// SchemaVersion is the version of [Outcome]'s JSON form. Fields may be added under it; none is removed or changes.
const SchemaVersion = 1

// Status is what became of a signal, in one word.
type Status string

// The statuses.
const (
	Terminated     Status = "terminated"      // EC2 has shown that all connections ended
	NotConnected   Status = "not-connected"   // nothing to terminate
	WouldTerminate Status = "would-terminate" // dry-run: EC2 would terminate them
	Partial        Status = "partial"         // some did not end, or an endpoint could not be asked
	Reconnecting   Status = "reconnecting"    // ended, but they keep reconnecting
	Unverified     Status = "unverified"      // requested, and the time was up before EC2 showed the end
	Exempt         Status = "exempt"          // the person is never cut off
	OverLimit      Status = "over-limit"      // more names than the policy allows: none was terminated
	Ambiguous      Status = "ambiguous"       // it may be two people: nobody was cut off
	Unmapped       Status = "unmapped"        // nobody is named
	Sample         Status = "sample"          // a sample finding
	Stale          Status = "stale"           // too old for its rule
	Notified       Status = "notified"        // the policy only notifies, or the signal asks for no more
	Braked         Status = "held"            // the brake holds it until a person decides
	Ignored        Status = "ignored"         // the policy ignores it
	Failed         Status = "failed"          // nothing could be done
	Ready          Status = "ready"           // self-test: somebody could be cut off now
	NotReady       Status = "not-ready"       // self-test: the error names the problems
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
	// PolicyProblem says why a newer policy is not in force.
	PolicyProblem string `json:"policy_problem,omitempty"`
	// Timing and the fields of the keep-out list come before long ones: CloudWatch Logs Insights reads only the first
	// fields of a line.
	Timing Timing `json:"timing"`
	// KeptOutUntil is when the person may connect again, [Forever] for never; zero if no known entry keeps them out.
	KeptOutUntil time.Time `json:"kept_out_until,omitzero"`
	// Lifted is what kept the person out until this reinstatement.
	Lifted      []Lifted     `json:"lifted,omitempty"`
	Connections []Connection `json:"connections"`
	// Spared are connections that the signal led to and that were left alone.
	Spared []Spared `json:"spared"`
	// Omitted is how many connections, spared ones included, a message omits to stay short enough.
	Omitted int `json:"omitted,omitempty"`
	// Before is what became of the event before, in any instance.
	Before ledger.Event `json:"-"`
	// Owed is what SNS has not accepted, for the ledger to keep until the event comes again.
	Owed string `json:"-"`
	// Arrived is when the event first arrived, as far as that is known.
	Arrived time.Time `json:"-"`
	// Brake is what the brake holds, where it holds this.
	Brake *Brake `json:"held,omitempty"`
	// Sweep is what the sweep has seen, where the signal asked for one.
	Sweep *sweep.Report `json:"sweep,omitempty"`
	// Reconnections is how often the person reconnected during the watch.
	Reconnections int    `json:"reconnections,omitempty"`
	Error         string `json:"error,omitempty"`
	// Problems say why the outcome is incomplete, and which requests EC2 did not answer. Error is their text.
	Problems []Problem `json:"-"`
	// LeftToDo is what a person should do about it, the most urgent first. Who reports the outcome sets it.
	LeftToDo []string `json:"left_to_do,omitempty"`
	// Evidence is what "not-connected" rests on; nil for any other status.
	Evidence *Evidence `json:"evidence,omitempty"`
	// Listings are EC2's request ids of the searches for the person; of several pages, the first and the last.
	Listings []string `json:"listings,omitempty"`
}

// Connection is a connection that was to be terminated, and what became of it.
type Connection struct {
	*vpn.Connection
	Fate vpn.Fate `json:"-"`
	// Err is the error that Error says, or why there is no answer.
	Err error `json:"-"`
}

// Timing holds the moments of an event's path. A moment that did not come is omitted.
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

// Settles reports whether the outcome leaves nothing to do, so that a repeat that finds nobody is no news.
func (o Outcome) Settles() bool {
	return o.Status == Terminated || o.Status == Reconnecting || o.Status == NotConnected
}

// Ended returns how many connections have ended.
func (o Outcome) Ended() int {
	n := 0
	for _, c := range o.Connections {
		if c.Fate == vpn.FateEnded {
			n++
		}
	}
	return n
}

// Has reports whether the outcome has a problem of the kind.
func (o Outcome) Has(code ProblemCode) bool {
	return slices.ContainsFunc(o.Problems, func(p Problem) bool { return p.Code == code })
}

// AccessOnly reports whether nothing went wrong but with the keep-out list.
func (o Outcome) AccessOnly() bool { return accessOnly(o.Problems) }

func accessOnly(problems []Problem) bool {
	return len(problems) > 0 &&
		!slices.ContainsFunc(problems, func(p Problem) bool { return p.Code != AccessNotSet && p.Code != Unanswered })
}

// MissingPermissions returns the permissions that were missing, each once.
func (o Outcome) MissingPermissions() []Permission {
	var all []Permission
	for _, problem := range o.Problems {
		for _, permission := range permissions(problem) {
			if !slices.Contains(all, permission) {
				all = append(all, permission)
			}
		}
	}
	return all
}

// ErrorBeforeSDK returns what Error says before the first words of the SDK.
func (o Outcome) ErrorBeforeSDK() string {
	var all []string
	for _, problem := range o.Problems {
		before, call := cutCall(problem)
		all = append(all, before)
		if call != nil {
			break
		}
	}
	return strings.Join(all, "; ")
}

// HowLong says for how long the person is kept out, to go behind "kept out"; empty for not at all.
func (o Outcome) HowLong() string { return howLong(o.KeptOutUntil) }

func howLong(end time.Time) string {
	switch {
	case end.IsZero():
		return ""
	case end.Equal(Forever):
		return policy.Forever.Words()
	}
	return "until " + end.UTC().Format(time.DateTime) + " UTC"
}

// outcome returns what every outcome of the case says, whatever became of it. It shares nothing with the case that may
// still change.
func (c *Case) outcome() Outcome {
	o := Outcome{
		SchemaVersion: SchemaVersion, Signal: c.Signal, Decision: c.Decision, PolicyHash: c.policyHash, Timing: c.timing,
		PolicyProblem: c.policyProblem,
		KeptOutUntil:  c.access.until, Lifted: c.access.lifted, Reconnections: c.reconnections, Listings: c.listings,
		Connections: []Connection{}, Spared: []Spared{}, Brake: c.braked,
		Before: c.before, Arrived: c.arrived,
	}
	for _, t := range c.connections {
		o.Connections = append(o.Connections, Connection{c.row(&t.Connection), t.Fate, t.Err})
	}
	for _, s := range c.spared {
		s.Connection = c.row(s.Connection)
		o.Spared = append(o.Spared, s)
	}
	return o
}

// row returns a copy of a connection, with the account that it is in.
func (c *Case) row(connection *vpn.Connection) *vpn.Connection {
	row := *connection
	row.Account = cmp.Or(row.Account, c.account)
	return &row
}

// conclude returns the outcome of the case as it is now.
func (c *Case) conclude() Outcome {
	o, f := c.outcome(), c.facts()
	o.Status, o.Summary = judge(&f)
	if o.Status == NotConnected && f.evidence.Searches > 0 {
		o.Evidence = &f.evidence
	}
	o.Problems = slices.Concat(f.problems, c.unanswered())
	o.Error = inFull(o.Problems)
	for _, connection := range o.Connections {
		o.Timing.RequestedAt = latest(o.Timing.RequestedAt, connection.RequestedAt)
		o.Timing.EndedAt = latest(o.Timing.EndedAt, connection.EndSeenAt)
	}
	if f.ended < f.all {
		o.Timing.EndedAt = time.Time{}
	}
	return o
}

// inFull returns the text of problems on one line.
func inFull(problems []Problem) string {
	var all []string
	for _, problem := range problems {
		all = append(all, problem.Error())
	}
	return strings.Join(all, "; ")
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
