package trial

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"clientvpn-responder/internal/policy"
)

// tell prints the event's story: in one line where no connection was concerned.
func (p *played) tell(out io.Writer) {
	if !p.concernsConnections() {
		p.tellBriefly(out)
		return
	}
	fmt.Fprintf(out, "\n── %s\n", EventName(p.file))
	for _, e := range p.explain {
		e.tellSignal(out)
	}
	if p.answer.Failure != nil {
		fmt.Fprintf(out, "   ERROR %s: the event is tried again, then kept in the dead-letter queue\n", p.answer.Failure.Type)
	}
	for _, o := range p.outcomes {
		p.tellOutcome(out, o)
	}
	for _, who := range p.result.Refused {
		fmt.Fprintf(out, "   door   %s tries to come back, and is turned away\n", who)
	}
	for _, m := range p.mails {
		fmt.Fprintf(out, "   told   %s\n", m.Subject)
	}
}

func (e Explanation) tellSignal(out io.Writer) {
	if e.Error != "" {
		fmt.Fprintf(out, "   %s\n", e.Error)
		return
	}
	fmt.Fprintf(out, "   %s says %s about %s", e.Signal.Provider, e.Signal.Type, e.Signal.Subject)
	if e.Signal.Severity > 0 {
		fmt.Fprintf(out, ", severity %v", e.Signal.Severity)
	}
	fmt.Fprintln(out)
}

func (p *played) tellOutcome(out io.Writer, o Outcome) {
	fmt.Fprintf(out, "   why    %s\n   %s  %s\n", o.why(), strings.ToUpper(o.Status), o.Summary)
	for _, c := range slices.Concat(o.Connections, o.Spared) {
		fmt.Fprintf(out, "          %s\n", c)
	}
	if t := o.Timing; !t.EndedAt.IsZero() {
		asked, ended := t.RequestedAt.Sub(t.ReceivedAt), t.EndedAt.Sub(t.ReceivedAt)
		fmt.Fprintf(out, "   quick  last request answered %d ms after the event was received, last end seen after %d ms\n",
			asked.Milliseconds(), ended.Milliseconds())
		fmt.Fprintf(out, "          calls: %s\n", p.callsInWords())
	}
}

// why returns what decided: a gate, else the rule, else the default.
func (o Outcome) why() string {
	rule := "no rule fits, so the default says " + o.Decision.Action
	if o.Decision.Rule != "" {
		rule = "rule " + o.Decision.Rule + " says " + o.Decision.Action
	}
	for _, reason := range o.Decision.Reasons {
		if reason.Kind == policy.Blocked {
			rule = reason.String()
		}
	}
	return rule
}

func (p *played) concernsConnections() bool {
	return p.answer.Failure != nil ||
		slices.ContainsFunc(p.outcomes, func(o Outcome) bool { return len(o.Connections)+len(o.Spared) > 0 })
}

func (p *played) tellBriefly(out io.Writer) {
	status, why := "nothing", p.nothing
	for _, o := range p.outcomes {
		status, why = o.Status, o.Summary
		if o.Status == "ignored" {
			why = fmt.Sprintf("The policy ignores %s of %s.", o.Signal.Kind, o.Signal.Provider)
		}
	}
	why = strings.TrimPrefix(why, "unsupported event: ")
	fmt.Fprintf(out, "   %-44s %-13s %s\n", EventName(p.file), strings.ToUpper(status), why)
}

func (p *played) callsInWords() string {
	return fmt.Sprintf("%d to find the endpoints, %d listings, %d terminations, %d looks afterwards",
		p.calls["DescribeClientVpnEndpoints"], p.listings,
		p.calls["TerminateClientVpnConnections"], p.calls["DescribeClientVpnConnections"]-p.listings)
}
