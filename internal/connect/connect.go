// Package connect decides, for every new connection, whether it may be established. It denies people on the keep-out
// list.
//
// It promises an answer, whatever goes wrong. If it cannot read the list, the policy or a request, a setting decides,
// and the log has the reason.
package connect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/metric"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/policysource"
)

// Handler answers AWS Client VPN's requests.
type Handler struct {
	Log *slog.Logger
	// Policy and List are nil if they cannot be read.
	Policy *policy.Policy
	List   *ledger.Table
	// Source is where the policy is kept; nil where it is a file.
	Source *policysource.Source
	// Allow is the answer where it cannot be decided.
	Allow bool
	// Message is what people read who are denied.
	Message string
	// Limit bounds one decision. Half of it is for a newer policy at most.
	Limit time.Duration
}

// verdict is the word for a decision, in log and metrics.
type verdict string

const (
	allowed     verdict = "allowed"
	denied      verdict = "denied"
	undecided   verdict = "undecided"    // so the setting decides
	switchedOff verdict = "switched-off" // a person has done so; everybody is allowed
)

// decision is the answer to a request, and why.
type decision struct {
	verdict verdict
	allow   bool
	message string // for who is denied
	people  []string
	keptOut []ledger.Entry
	err     error // why it is undecided
}

// undecidedMessage does not say that somebody is kept out who may not be.
const undecidedMessage = "Your access could not be checked. Please try again in some minutes."

// Invoke answers a request of AWS Client VPN. Its error is always nil: to AWS an error is a denial.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, h.Limit)
	defer cancel()
	_ = h.Refresh(ctx) // it is logged, and the last good policy goes on
	r, unreadable := readRequest(payload)
	d := h.decide(ctx, r, unreadable)
	if d.verdict == undecided {
		d.allow, d.message = h.Allow, undecidedMessage
	}
	h.report(ctx, r, d, time.Since(start))
	return answer(r.SchemaVersion, d.allow, d.message), nil
}

// Refresh has the policy in force, and logs why it is not the newest. The error says that there is none.
func (h *Handler) Refresh(ctx context.Context) error {
	if h.Source == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, h.Limit/2)
	defer cancel()
	p := h.Source.InForce(ctx)
	h.Policy = p.Policy
	if err := cmp.Or(p.Err, p.Problem); err != nil {
		h.Log.ErrorContext(ctx, "the newest policy is not in force", "error", err.Error())
	}
	return p.Err
}

// decide looks for the people whom the request may be from on the list.
func (h *Handler) decide(ctx context.Context, r request, unreadable error) (d decision) {
	defer func() {
		if p := recover(); p != nil {
			d = decision{verdict: undecided, err: fmt.Errorf("panic: %v\n%s", p, debug.Stack())}
		}
	}()
	switch {
	case h.List == nil:
		return decision{verdict: undecided, err: cmp.Or(unreadable, errors.New("LEDGER_TABLE names no table"))}
	case unreadable != nil:
		return h.askSwitch(ctx, unreadable)
	case h.Policy == nil:
		return h.askSwitch(ctx, errors.New("the policy could not be read at start"))
	}
	username, commonName := *r.Username, *r.CommonName
	d = decision{verdict: allowed, allow: true, people: h.Policy.People(username, commonName)}
	if len(d.people) == 0 || h.Policy.ExemptPlace(r.EndpointID) {
		return d // nobody can be on the list, or it does not hold there
	}
	known, err := h.List.Recall(ctx, ledger.Query{
		People: h.Policy.Keys(username, commonName), Names: policy.NamesOf(username, commonName),
	})
	for _, person := range slices.Sorted(maps.Keys(known.People)) {
		for _, e := range known.People[person].Entries {
			if h.Policy.Holds(listed(e), username, commonName) && h.Policy.HoldsOn(e.Issuer, r.EndpointID) {
				d.keptOut = append(d.keptOut, e)
			}
		}
	}
	switch {
	case known.Switch.Off:
		d.verdict = switchedOff
	case err != nil:
		d.verdict, d.err = undecided, err
	case len(d.keptOut) > 0:
		d.verdict, d.allow, d.message = denied, false, h.Message
	}
	return d
}

// listed is what the policy looks at of an entry.
func listed(e ledger.Entry) policy.Listed {
	return policy.Listed{Person: e.Person, Names: e.Names, Known: e.Known, CommonNames: e.CommonNames}
}

// askSwitch asks for the off switch alone, which lets everybody in whatever else is broken.
func (h *Handler) askSwitch(ctx context.Context, broken error) decision {
	if known, _ := h.List.Recall(ctx, ledger.Query{}); known.Switch.Off {
		return decision{verdict: switchedOff, allow: true, err: broken}
	}
	return decision{verdict: undecided, err: broken}
}

// report logs the decision, and counts it. The log does not name people who may connect; AWS's connection log can.
func (h *Handler) report(ctx context.Context, r request, d decision, took time.Duration) {
	line := append(
		metric.Connect.Attrs(
			slog.Int("ConnectDecisions", 1), slog.Float64("DecisionTime", float64(took.Microseconds())/1000),
		),
		slog.String("Decision", string(d.verdict)),
		slog.Bool("allow", d.allow),
		slog.String("connection_id", r.ConnectionID),
		slog.String("endpoint_id", r.EndpointID),
	)
	level := slog.LevelInfo
	if !d.allow || d.err != nil || len(d.keptOut) > 0 {
		level = slog.LevelWarn
		line = append(line, slog.Any("username", r.Username), slog.Any("common_name", r.CommonName),
			slog.String("public_ip", r.PublicIP),
			slog.Any("people", d.people), slog.Any("kept_out", d.keptOut))
	}
	if d.err != nil {
		level = slog.LevelError
		line = append(line, slog.String("error", d.err.Error()))
	}
	h.Log.LogAttrs(ctx, level, "connect", line...)
}
