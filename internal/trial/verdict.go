package trial

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
)

// print prints the verdict: what would be done, what each rule says, and under which names the function would search.
func (e Explanation) print(out io.Writer) {
	if e.Error != "" {
		fmt.Fprintf(out, "%s\n  no signal: %s\n", e.File, e.Error)
		return
	}
	d := e.Decision
	s := e.Signal
	fmt.Fprintf(out, "%s\n  %s: %s, %s, about %s\n", e.File, s.Provider, s.Type, s.Kind, s.Subject)
	by := "by default, as no rule fits"
	switch {
	case e.Signal.Kind == signal.SelfTest:
		by = "whatever the rules say"
	case d.Rule != "":
		by = "by rule " + d.Rule
	}
	fmt.Fprintf(out, "  %s %s, in mode %s\n", strings.ToUpper(string(d.Action)), by, d.Mode)
	aboutRules := e.printRules(out)
	for _, reason := range d.Reasons[aboutRules:] {
		fmt.Fprintf(out, "  - %s\n", reason)
	}
	e.printNames(out)
}

// printRules prints what each rule says, and returns how many of the decision's reasons are about rules.
func (e Explanation) printRules(out io.Writer) int {
	rules := e.rules
	decided := slices.IndexFunc(rules, func(r policy.Answer) bool { return r.Rule == e.Decision.Rule })
	switch {
	case e.Signal.Kind == signal.SelfTest:
		rules = nil
	case decided < 0:
		decided = len(rules)
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
			words = "it asks nothing"
		}
		fmt.Fprintf(out, "    %-*s  %-9s  %-3s  %s\n", widest, r.Rule, r.Then, mark, words)
	}
	return decided + 1
}

func (e Explanation) printNames(out io.Writer) {
	if len(e.Decision.Names) > 0 {
		fmt.Fprintf(out, "  looks for %s\n", strings.Join(e.Decision.Names, ", "))
	}
	if len(e.Decision.CommonNames) > 0 {
		fmt.Fprintf(out, "  looks for certificates %s\n", strings.Join(e.Decision.CommonNames, ", "))
	}
	for _, c := range e.Connections {
		who := person(c.Username, c.CommonName)
		fmt.Fprintf(out, "  would end %s of %s on %s, by %s\n", c.ConnectionID, who, c.EndpointID, c.How)
	}
	for _, c := range e.Spared {
		who := person(c.Username, c.CommonName)
		fmt.Fprintf(out, "  leaves    %s of %s on %s: %s\n", c.ConnectionID, who, c.EndpointID, c.Reason)
	}
	if e.asked && len(e.Connections)+len(e.Spared) == 0 {
		fmt.Fprintln(out, "  would end none of the listed connections")
	}
}
