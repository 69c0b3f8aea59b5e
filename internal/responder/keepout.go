package responder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"clientvpn-responder/internal/keepout"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/vpn"
)

// keepOutList is what is used of a [keepout.Table].
type keepOutList interface {
	Put(context.Context, keepout.Entry) (until time.Time, err error)
	Withdraw(context.Context, keepout.Entry) error
	Lift(ctx context.Context, person string, l keepout.Lift) ([]keepout.Entry, error)
	Find(ctx context.Context, people []string) ([]keepout.Entry, error)
	Probe(context.Context) error
}

// Forever is how an outcome says that somebody is kept out without an end: a time that every program can read and compare.
var Forever = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// Lifted is what kept somebody out until a reinstatement.
type Lifted struct {
	Person    string        `json:"person"`
	Cause     keepout.Cause `json:"cause"`
	Reason    string        `json:"reason,omitempty"`
	OutcomeID string        `json:"outcome_id,omitempty"`
	By        string        `json:"by,omitempty"`
	Since     time.Time     `json:"since"`
}

// onList is a case's part in the list.
type onList struct {
	put      []keepout.Entry // what the list took of it
	still    []keepout.Entry // what keeps a person out whom the case reinstates
	problems []string        // in the way of the list being as it should be
	asked    bool            // the list took part in the case
	letBack  string          // why nobody turned away who keeps coming back
}

const (
	// listTime is the most that the list may hold up the cut-off. DynamoDB takes some milliseconds.
	listTime = 3 * time.Second
	// listSlots is how many people are written side by side.
	listSlots = 16
)

// keepOut puts on the list who may not come back, and takes off who may. It begins at once and returns what waits for its end,
// which comes before anything is looked for: whoever connects from then on is turned away, and whoever was quicker is found.
func (r *Responder) keepOut(ctx context.Context, cases []*caseFile) (wait func()) {
	var wanted []*caseFile
	for _, c := range cases {
		switch d := c.Decision; {
		case r.KeepOut == nil && d.KeepOut != "":
			c.because(policy.Access, "keep-out is off, as KEEPOUT_TABLE is not set")
		case r.KeepOut == nil:
		case d.KeepOut != "" && c.dryRun():
			c.list.asked = true // and that is all
		case d.KeepOut != "", c.Signal.Kind == signal.AccountEnabled:
			c.list.asked = true
			wanted = append(wanted, c)
		}
	}
	ctx, cancel := listShare(ctx)
	var group sync.WaitGroup
	slots := make(chan struct{}, listSlots)
	done := make([]func(), len(wanted))
	for i, c := range wanted {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if c.Signal.Kind == signal.AccountEnabled {
				done[i] = r.letIn(ctx, c)
			} else {
				done[i] = r.put(ctx, c)
			}
		})
	}
	// The cases are others' meanwhile, so they are told at the end.
	return sync.OnceFunc(func() {
		group.Wait()
		cancel()
		for _, tell := range done {
			tell()
		}
	})
}

// listShare gives the part of the time that is the list's.
func listShare(ctx context.Context) (context.Context, context.CancelFunc) {
	part, cancelPart := share(ctx, 4)
	part, cancel := context.WithTimeout(part, listTime)
	return part, func() { cancel(); cancelPart() }
}

// put writes the entries of a case, and gives what tells the case about it.
func (r *Responder) put(ctx context.Context, c *caseFile) (tell func()) {
	var put []keepout.Entry
	var reasons, problems []string
	var end time.Time
	for _, person := range c.Decision.People {
		e := c.entry(person)
		until, err := r.KeepOut.Put(ctx, e)
		switch {
		case errors.Is(err, keepout.ErrLifted):
			reasons = append(reasons, fmt.Sprintf("%s is not kept out, as a reinstatement came after this event", person))
		case err != nil:
			problems = append(problems, oneLine(fmt.Errorf("keeping out %s: %w", person, err)))
		default:
			put = append(put, e)
			end = earliest(end, orForever(until))
		}
	}
	return func() {
		c.list.put, c.list.problems, c.KeptOutUntil = put, problems, end
		for _, reason := range reasons {
			c.because(policy.Access, "%s", reason)
		}
	}
}

// letIn takes off the list whom a case reinstates, or in a dry run finds out whom it would, and gives what tells the case.
func (r *Responder) letIn(ctx context.Context, c *caseFile) (tell func()) {
	lift := c.lift()
	var lifted, still []keepout.Entry
	var problems []string
	if !c.dryRun() {
		for _, person := range c.Decision.People {
			entries, err := r.KeepOut.Lift(ctx, person, lift)
			if err != nil {
				problems = append(problems, oneLine(fmt.Errorf("letting in %s: %w", person, err)))
			}
			lifted = append(lifted, entries...)
		}
	}
	found, err := r.KeepOut.Find(ctx, c.Decision.People)
	if err != nil && len(problems) == 0 {
		problems = append(problems, oneLine(fmt.Errorf("looking for what else keeps %s out: %w", c.Signal.Subject, err)))
	}
	for _, e := range found {
		if c.dryRun() && lift.Lifts(e) {
			lifted = append(lifted, e)
		} else {
			still = append(still, e)
		}
	}
	return func() {
		c.list.still, c.list.problems = still, problems
		for _, e := range lifted {
			c.Lifted = append(c.Lifted, Lifted{e.Person, e.Cause, e.Reason, e.OutcomeID, e.By, e.Since.UTC()})
		}
		if len(still) > 0 {
			slices.SortStableFunc(still, func(a, b keepout.Entry) int { return orForever(b.Until).Compare(orForever(a.Until)) })
			c.KeptOutUntil = orForever(still[0].Until)
		}
	}
}

// entry is what the case has to put on the list about a person.
func (c *caseFile) entry(person string) keepout.Entry {
	s := c.Signal
	return keepout.Entry{
		Person: person, Cause: cause(s), Reason: why(s), OutcomeID: s.Provider + " " + s.ID, By: by(s),
		Since: c.Timing.DecidedAt, EventAt: c.happened(), Until: c.Decision.KeepOut.Until(c.Timing.DecidedAt),
	}
}

// lift is what the case lifts: what its like put there, or if somebody asks for it in our own form, whatever there is.
func (c *caseFile) lift() keepout.Lift {
	l := keepout.Lift{Causes: []keepout.Cause{keepout.Deprovisioning}, By: by(c.Signal), Reason: why(c.Signal), At: c.happened()}
	if c.Signal.Provider == signal.Custom {
		l.Causes = append(l.Causes, keepout.Finding, keepout.Request)
	}
	return l
}

// cause says who may lift what the signal puts on the list. Only the closing of an account is taken back by its opening: to open
// it again does not make good what was found out, or a session that somebody had reason to end.
func cause(s signal.Signal) keepout.Cause {
	switch {
	case s.Provider == signal.Custom:
		return keepout.Request
	case s.Kind == signal.AccountDisabled, s.Kind == signal.AccountPurged:
		return keepout.Deprovisioning
	}
	return keepout.Finding
}

func by(s signal.Signal) string {
	if s.RequestedBy != "" {
		return s.RequestedBy
	}
	return s.Provider
}

func why(s signal.Signal) string {
	if s.Reason != "" {
		return s.Type + ": " + s.Reason
	}
	return s.Type
}

// happened is when the event says that it happened, or when it was received if it does not say.
func (c *caseFile) happened() time.Time {
	if c.Signal.Time.IsZero() {
		return c.Timing.ReceivedAt
	}
	return c.Signal.Time
}

// withdraw takes off the list again whom a case put there, if it turns out that so many share the name that nothing is done.
func (r *Responder) withdraw(ctx context.Context, cases []*caseFile) {
	ctx, cancel := listShare(ctx)
	defer cancel()
	for _, c := range cases {
		if c.overLimit() < 0 || c.Reconnections > 0 {
			continue
		}
		for _, e := range c.list.put {
			if err := r.KeepOut.Withdraw(ctx, e); err != nil {
				c.list.problems = append(c.list.problems, oneLine(fmt.Errorf("taking %s off the list again: %w", e.Person, err)))
				continue
			}
			c.because(policy.Access, "%s is not kept out, as so many share the name", e.Person)
		}
		c.list.put, c.KeptOutUntil = nil, time.Time{}
	}
}

// explainReturns finds out of those who keep coming back although they are on the list why nobody turned them away.
func (r *Responder) explainReturns(ctx context.Context, cases []*caseFile) {
	returned := those(cases, func(c *caseFile) bool { return c.keepsComing && len(c.list.put) > 0 })
	if len(returned) == 0 {
		return
	}
	part, cancel := listShare(ctx)
	defer cancel()
	endpoints, err := r.VPN.Endpoints(part, true)
	for _, c := range returned {
		var without []string
		for _, e := range endpoints {
			used := slices.ContainsFunc(c.Connections, func(connection *vpn.Connection) bool { return connection.EndpointID == e.ID })
			if used && e.ConnectHandler == "" {
				without = append(without, e.ID)
			}
		}
		switch {
		case err != nil:
			c.list.letBack = "it is not known whether a client connect handler is attached"
		case len(without) > 0:
			c.list.letBack = fmt.Sprintf("no client connect handler is attached to %s", strings.Join(without, ", "))
		default:
			c.list.letBack = "the client connect handler lets them in, as its log says"
		}
	}
}

// probeKeepOut gives what keeps the list from working, for the self-test: that it cannot be read or written, or that nobody asks it. Endpoints
// elsewhere cannot: a client connect handler serves its own account and Region.
func (r *Responder) probeKeepOut(ctx context.Context) []error {
	if r.KeepOut == nil {
		return nil
	}
	var problems []error
	if err := r.KeepOut.Probe(ctx); err != nil {
		problems = append(problems, err)
	}
	endpoints, err := r.VPN.Endpoints(ctx, true)
	for _, e := range endpoints {
		if err == nil && e.ConnectHandler == "" && !e.Elsewhere() { // the error is VPN.Probe's to tell
			problems = append(problems, fmt.Errorf("no client connect handler is attached to %s, so nobody is kept out there", e.ID))
		}
	}
	return problems
}

// saysReinstatement reports whether the outcome is about the list and nothing else.
func (c *caseFile) saysReinstatement() bool {
	return c.Signal.Kind == signal.AccountEnabled && c.list.asked && !c.toTerminate() &&
		(len(c.Lifted)+len(c.list.still)+len(c.list.problems) > 0 || c.Decision.Gate != "")
}

// concludeReinstatement sets status and summary of such a case.
func (c *caseFile) concludeReinstatement() {
	o := &c.Outcome
	who := o.Signal.Subject.String()
	switch {
	case len(c.list.problems) > 0:
		o.Status, o.Summary = Failed, fmt.Sprintf("It is not known whether %s may connect again: %s.", who, brief(c.list.problems[0]))
	case o.Decision.Gate != "":
		o.Status, o.Summary = gateStatus[o.Decision.Gate], fmt.Sprintf("Nobody was let in again: %s.", lastReason(o.Decision))
	case len(c.list.still) > 0:
		o.Status, o.Summary = Notified, strings.TrimSpace(c.onTheList())
	case c.dryRun():
		o.Status, o.Summary = Notified, fmt.Sprintf("Dry-run: this would let %s in again; %s.", who, c.wasOut())
	default:
		o.Status, o.Summary = Notified, fmt.Sprintf("%s may connect again; %s.", who, c.wasOut())
	}
}

// wasOut says what the case lifted.
func (c *caseFile) wasOut() string {
	var all []string
	for _, l := range c.Lifted {
		all = append(all, fmt.Sprintf("%s was kept out since %s UTC by %s, %s", l.Person, l.Since.Format(time.DateTime), l.By, l.Reason))
	}
	return strings.Join(all, "; ")
}

// onTheList says at the end of a summary what the list has to do with it; empty for nothing.
func (c *caseFile) onTheList() string {
	who := c.Signal.Subject.String()
	switch d := c.Decision; {
	case d.KeepOut != "" && c.dryRun() && c.list.asked && c.overLimit() < 0:
		return fmt.Sprintf(" %s would be kept out %s.", who, d.KeepOut.Words())
	case len(c.list.still) > 0:
		e := c.list.still[0]
		return fmt.Sprintf(" %s stays kept out %s by %s, %s, which this does not lift.", who, c.HowLong(), e.By, e.Reason)
	case !c.KeptOutUntil.IsZero():
		return fmt.Sprintf(" %s is kept out %s.", who, c.HowLong())
	case len(c.Lifted) > 0:
		return fmt.Sprintf(" %s may connect again.", who)
	}
	return ""
}

// HowLong says for how long the person is kept out, to go behind "kept out"; empty for not at all.
func (o Outcome) HowLong() string {
	switch end := o.KeptOutUntil; {
	case end.IsZero():
		return ""
	case end.Equal(Forever):
		return policy.Forever.Words()
	default:
		return "until " + end.UTC().Format(time.DateTime) + " UTC"
	}
}

// orForever gives the zero time, which is none, a place behind all others.
func orForever(end time.Time) time.Time {
	if end.IsZero() {
		return Forever
	}
	return end.UTC()
}
