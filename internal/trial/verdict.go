package trial

import (
	"fmt"
	"slices"
	"strings"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/policy"
)

// print prints the verdict: what would be done, what each rule says, and under which names the function would search.
func (e Explanation) print(c *console.Console) {
	file := e.File
	if e.Record > 0 {
		file = fmt.Sprintf("%s, event %d", e.File, e.Record)
	}
	c.Print("%s", c.In(console.Bold, file))
	switch {
	case e.Routine != "":
		c.Item("  routine: ", e.Routine+": "+e.why)
		return
	case e.Error != "":
		c.Item("  no signal: ", e.Error)
		return
	}
	d, s := e.Decision, e.Signal
	c.Item("  ", console.Safe(fmt.Sprintf("%s: %s, %s, about %s", s.Provider, s.Type, s.Kind, s.Subject)))
	by := "by default, as no rule fits"
	switch {
	case !e.asksRules():
		by = "whatever the rules say"
	case d.Rule != "":
		by = "by rule " + d.Rule
	}
	c.Print("  %s %s, in mode %s", c.In(actionStyle(d.Action), strings.ToUpper(string(d.Action))), by, d.Mode)
	e.printRules(c)
	for _, reason := range d.EachOnce() {
		if !isAboutRules(reason) {
			c.Item("  - ", console.Safe(reason.String()))
		}
	}
	e.printNames(c)
}

// isAboutRules reports whether the reason repeats what printRules prints.
func isAboutRules(r policy.Reason) bool {
	return r.Kind == policy.RuleSkipped || r.Kind == policy.RuleDecided || r.Kind == policy.Defaulted
}

// asksRules reports whether the policy asked its rules. A self-test, or a group that does not carry the VPN, is decided
// without them.
func (e Explanation) asksRules() bool {
	return !slices.ContainsFunc(e.Decision.Reasons, func(r policy.Reason) bool { return r.Kind == policy.NoRuleAsked })
}

func actionStyle(a policy.Action) console.Style {
	switch a {
	case policy.Terminate:
		return console.Red
	case policy.Notify:
		return console.Yellow
	}
	return console.Dim
}

// printRules prints what each rule says, if they were asked.
func (e Explanation) printRules(c *console.Console) {
	rules := e.rules
	decided := slices.IndexFunc(rules, func(r policy.Answer) bool { return r.Rule == e.Decision.Rule })
	if !e.asksRules() {
		rules = nil
	}
	widest := 0
	for _, r := range rules {
		widest = max(widest, len(r.Rule))
	}
	for i, r := range rules {
		mark, words := "no", strings.Join(r.Fails, "; ")
		switch {
		case i == decided:
			mark, words = "YES", strings.Join(r.Fits, "; ")
		case len(r.Fails) == 0:
			mark, words = "-", "would fit too, but comes later"
		}
		if words == "" {
			words = "it has no conditions"
		}
		c.Item(fmt.Sprintf("    %-*s  %-9s  %-3s  ", widest, r.Rule, r.Then, mark), console.Safe(words))
	}
}

func (e Explanation) printNames(c *console.Console) {
	if len(e.Decision.Names) > 0 {
		c.Item("  searches for ", console.Safe(strings.Join(e.Decision.Names, ", ")))
	}
	if len(e.Decision.CommonNames) > 0 {
		c.Item("  searches for certificates ", console.Safe(strings.Join(e.Decision.CommonNames, ", ")))
	}
	for _, k := range e.Connections {
		c.Item("  would terminate ", fmt.Sprintf("%s of %s on %s, by %s", k.ConnectionID, k.who(), k.EndpointID, k.How))
	}
	for _, k := range e.Spared {
		words := fmt.Sprintf("%s of %s on %s: %s", k.ConnectionID, k.who(), k.EndpointID, k.Reason)
		c.Item("  would spare ", console.Safe(words))
	}
	if e.asked && len(e.Connections)+len(e.Spared) == 0 {
		c.Print("  would terminate none of the listed connections")
	}
}
