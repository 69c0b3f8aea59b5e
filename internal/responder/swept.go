package responder

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"clientvpn-responder/internal/sweep"
)

// errNotSwept says that there was no sweep to report.
var errNotSwept = errors.New("there was no time for the sweep")

// swept returns what the sweep has seen: ready if there is nothing for people to do.
func (r *Responder) swept(c *Case, report *sweep.Report) Outcome {
	o := c.outcome()
	if report == nil {
		report = &sweep.Report{Problems: []error{errNotSwept}}
		if r.PolicyError != nil {
			report.Problems = []error{r.PolicyError}
		}
	}
	o.Sweep = report
	o.Status = Ready
	if report.HasNews() {
		o.Status = Notified
	}
	for _, problem := range report.Problems {
		o.Problems = append(o.Problems, Problem{Code: SweepIncomplete, Cause: problem})
	}
	o.Summary = sweepSummary(report)
	if len(o.Problems) > 0 {
		o.Status, o.Error = NotReady, inFull(o.Problems)
		o.Summary = fmt.Sprintf("Not everybody could be looked at: %s. %s", o.Problems[0].Brief(), o.Summary)
	}
	return o
}

// sweepSummary says what the sweep has seen, in a few sentences.
func sweepSummary(r *sweep.Report) string {
	found := fmt.Sprintf("%s connected, and %s could be found by name if they left now",
		peopleAre(r.People), plural(r.People, "that person", "all of them"))
	if r.People == 0 {
		found = "Nobody is connected whom an event could name"
	}
	all := []string{found + lost(r) + "."}
	if r.Exempt > 0 {
		all = append(all, fmt.Sprintf("%d of them exempt.", r.Exempt))
	}
	if r.Closed > 0 {
		all = append(all, stillUp(r))
	}
	if r.Unasked > 0 {
		all = append(all, fmt.Sprintf("The directory was asked about %d; %d are left for the next sweep.",
			r.Asked, r.Unasked))
	}
	for _, s := range r.Silent {
		all = append(all, fmt.Sprintf("%s has been silent since %s UTC, and for %s at most before.",
			s.Source, s.Since.Format(time.DateTime), s.Longest))
	}
	if r.Forever > 0 {
		all = append(all, fmt.Sprintf("%s kept out for ever for more than 90 days: %s%s.",
			peopleAre(r.Forever), r.ForeverFirst[0], prefixedMore(r.Forever-1)))
	}
	return strings.Join(all, " ")
}

// lost names those whom no event could find.
func lost(r *sweep.Report) string {
	if r.NotFindable == 0 {
		return ""
	}
	first := r.NotFindableFirst[0]
	name := first.Name
	if name == "" {
		name = first.ConnectionID
	}
	return fmt.Sprintf("; %s%s could not", name, prefixedMore(r.NotFindable-1))
}

func stillUp(r *sweep.Report) string {
	first := r.ClosedFirst[0]
	return fmt.Sprintf("%s connected although the account is closed: %s, by %s at %s UTC%s.",
		peopleAre(r.Closed), first.Person, first.Issuer,
		first.ClosedAt.Format(time.DateTime), prefixedMore(r.Closed-1))
}

func peopleAre(n int) string { return plural(n, "1 person is", fmt.Sprintf("%d people are", n)) }

func prefixedMore(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n)
}
