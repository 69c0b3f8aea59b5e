package report

import (
	"cmp"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/policy"
)

// week is what the page of a time shows.
type week struct {
	Title          string
	From, To, Made time.Time
	Mode           string
	Total          int
	Needs, Cut     []Outcome
	HeldBack       []Outcome
	Counts         []count
	Plot           plot
}

// count is a table of how often something was: by status, by source or by rule.
type count struct {
	By   string
	Rows []tally
}

type tally struct {
	Name  string
	N     int
	Width int // of its bar, in percent
}

// Week writes the page of what happened between two times. It counts each signal once.
func Week(w io.Writer, all []Logged, from, to time.Time) error {
	page := week{From: from.UTC(), To: to.UTC(), Made: to.UTC(), Title: "Who was cut off, and who was not"}
	var outcomes []Outcome
	for _, l := range Final(all) {
		if o := l.Outcome; o.IsAboutSomebody() {
			outcomes = append(outcomes, o)
		}
	}
	page.Total = len(outcomes)
	for _, o := range outcomes {
		page.sort(o)
	}
	page.Counts = []count{
		tallied("status", outcomes, func(o Outcome) string { return o.Status }),
		tallied("source", outcomes, func(o Outcome) string { return o.Signal.Provider }),
		tallied("rule", outcomes, func(o Outcome) string { return cmp.Or(o.Decision.Rule, "no rule") }),
	}
	page.Plot = plotOf(outcomes, from, to)
	return write(w, "week", page)
}

// sort puts an outcome into the lists that it belongs to.
func (p *week) sort(o Outcome) {
	if o.NeedsPerson() {
		p.Needs = append(p.Needs, o)
	}
	switch {
	case o.cutOff():
		p.Cut = append(p.Cut, o)
	case o.Status != "not-connected" && o.Status != "ignored" && o.Status != "ready":
		p.HeldBack = append(p.HeldBack, o)
	}
	if o.Decision.Mode == "enforce" {
		p.Mode = "enforce"
	}
}

func tallied(by string, outcomes []Outcome, of func(Outcome) string) count {
	n := map[string]int{}
	most := 1
	for _, o := range outcomes {
		n[of(o)]++
		most = max(most, n[of(o)])
	}
	c := count{By: by}
	for _, name := range slices.Sorted(maps.Keys(n)) {
		c.Rows = append(c.Rows, tally{name, n[name], n[name] * 100 / most})
	}
	slices.SortStableFunc(c.Rows, func(a, b tally) int { return b.N - a.N })
	return c
}

// Why returns what held it back, or else which rule decided what.
func (o Outcome) Why() string {
	if len(o.Spared) > 0 && len(o.Connections) == 0 {
		return o.Spared[0].Reason
	}
	i := slices.IndexFunc(o.Decision.Reasons, func(r policy.Reason) bool { return r.Kind == policy.Blocked })
	if i >= 0 && !strings.Contains(o.Summary, o.Decision.Reasons[i].Text) {
		return o.Decision.Reasons[i].Text
	}
	return o.decided() + quoted(o.Signal.Reason)
}
