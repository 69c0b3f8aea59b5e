package trial

import (
	"fmt"
	"slices"
	"strings"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/policy"
)

// story prints what became of the event: who says what, what decided, what was done, and who received a mail.
func (p *played) story(c *console.Console, title string) {
	c.Print("\n%s %s", c.In(console.Bold, title), c.In(console.Dim, EventName(p.file)))
	for _, e := range p.explain {
		c.Item("  says     ", e.said())
	}
	if p.answer.Failure != nil {
		c.Item("  ERROR    ", p.answer.Failure.Type+": the event is tried again, then kept in the dead-letter queue")
	}
	for _, o := range p.outcomes {
		p.printOutcome(c, o)
	}
	for _, who := range p.result.Refused {
		c.Item("  denied   ", who+" tries to reconnect, and is denied")
	}
	for _, m := range p.mails {
		c.Item("  mail     ", m.Subject)
	}
}

// said returns who says what about whom.
func (e Explanation) said() string {
	switch {
	case e.Routine != "":
		return "routine: " + e.Routine
	case e.Error != "":
		return e.Error
	}
	words := fmt.Sprintf("%s: %s about %s", e.Signal.Provider, e.Signal.Type, e.Signal.Subject)
	if e.Signal.Severity > 0 {
		words += fmt.Sprintf(", severity %v", e.Signal.Severity)
	}
	return console.Safe(words)
}

func (p *played) printOutcome(c *console.Console, o Outcome) {
	c.Item("  why      ", o.why())
	status := strings.ToUpper(o.Status)
	c.Print("  outcome  %s", c.In(statusStyle(o.Status), status))
	c.Item("           ", console.Safe(o.Summary))
	for _, k := range slices.Concat(o.Connections, o.Spared) {
		c.Item("           ", k.String())
	}
	if t := o.Timing; !t.EndedAt.IsZero() {
		asked, ended := t.RequestedAt.Sub(t.ReceivedAt), t.EndedAt.Sub(t.ReceivedAt)
		c.Item("  time     ", fmt.Sprintf("requested after %d ms, ended after %d ms; calls: %s",
			asked.Milliseconds(), ended.Milliseconds(), p.callsInWords()))
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

func (p *played) callsInWords() string {
	return fmt.Sprintf("%d to discover the endpoints, %d to list, %d to terminate, %d to verify",
		p.calls["DescribeClientVpnEndpoints"], p.listings,
		p.calls["TerminateClientVpnConnections"], p.calls["DescribeClientVpnConnections"]-p.listings)
}

func statusStyle(status string) console.Style {
	switch status {
	case "terminated":
		return console.Green
	case "unreadable", "failed", "reconnecting", "partial":
		return console.Red
	}
	return console.Yellow
}
