package report

import (
	"cmp"
	"io"
	"slices"
	"strings"
	"time"
)

// incident is what the page of one event shows.
type incident struct {
	Title    string
	Made     time.Time
	Subjects []subject
	Timeline []Moment
	Event    []fact
	Evidence []fact
}

// fact is a word and what is known of it.
type fact struct{ Name, Value string }

// subject is a person of the event, and what became of them.
type subject struct {
	Outcome
	Rules []ruling
	Names string
}

// ruling is one reason of the decision in two parts: what, and why.
type ruling struct{ What, Why string }

// Incident writes the page of one event. The outcomes are those of all its deliveries, in the order of time.
func Incident(w io.Writer, all []Logged, made time.Time) error {
	page := incident{Title: title(all), Made: made.UTC(), Timeline: Timeline(all)}
	for _, l := range Final(all) {
		page.Subjects = append(page.Subjects, subjectOf(l.Outcome))
	}
	if len(all) > 0 {
		page.Event = facts(all[len(all)-1].Outcome)
	}
	page.Evidence = evidence(all)
	return write(w, "incident", page)
}

func title(all []Logged) string {
	if len(all) == 0 {
		return "Nothing is known of this event"
	}
	final := Final(all)
	name := final[0].Outcome.Signal.Subject.String()
	if len(final) > 1 {
		name += ", and others"
	}
	return strings.ToUpper(final[0].Outcome.Status) + " " + name
}

// subjectOf returns what the page shows of an outcome.
func subjectOf(o Outcome) subject {
	s := subject{Outcome: o, Names: strings.Join(o.Decision.Names, ", ")}
	for _, reason := range o.Reasons() {
		what, why, _ := strings.Cut(reason.String(), ": ")
		s.Rules = append(s.Rules, ruling{what, why})
	}
	return s
}

// facts lists what the event says.
func facts(o Outcome) []fact {
	s := &o.Signal
	asked := ""
	if s.RequestedBy != "" {
		asked = s.RequestedBy + " (nobody checked this name)"
	}
	return known([]fact{
		{"Provider", s.Provider},
		{"Type", s.Type},
		{"Kind", string(s.Kind)},
		{"Reason", s.Reason},
		{"In the name of", asked},
		{"Other names", strings.Join(slices.Concat(s.Subject.Usernames, s.Subject.IDs), ", ")},
		{"Acting from", s.Subject.PublicIP},
		{"Account, Region", strings.Trim(s.Account+", "+s.Region, ", ")},
	})
}

// evidence lists the ids with which others can check it.
func evidence(all []Logged) []fact {
	var listings, hashes []string
	for _, l := range all {
		listings = append(listings, l.Outcome.Listings...)
		hashes = append(hashes, l.Outcome.PolicyHash)
	}
	if len(all) == 0 {
		return nil
	}
	s := &all[0].Outcome.Signal
	return known([]fact{
		{"Event id of the provider", s.ID},
		{"Event id of EventBridge", s.EventID},
		{"ARN of the finding", s.ARN},
		{"Policy", strings.Join(distinct(hashes), ", ")},
		{"EC2's request ids of the searches", strings.Join(distinct(listings), ", ")},
	})
}

// known leaves out facts without a value.
func known(facts []fact) []fact {
	return slices.DeleteFunc(facts, func(f fact) bool { return f.Value == "" })
}

func distinct(words []string) []string {
	var all []string
	for _, w := range words {
		if w != "" && !slices.Contains(all, w) {
			all = append(all, w)
		}
	}
	return all
}

// Kept says until when the person is kept out; empty for nobody.
func (s subject) Kept() string {
	switch {
	case s.KeptOutUntil.IsZero():
		return ""
	case s.KeptOutUntil.Year() == 9999:
		return "for ever, until somebody lifts it"
	}
	return "until " + s.KeptOutUntil.UTC().Format(time.DateTime) + " UTC"
}

// Ends returns when EC2 says that the connection ended.
func (c Connection) Ends() time.Time {
	if c.EndedAt.IsZero() {
		return c.EndSeenAt
	}
	return c.EndedAt
}

// Change returns the statuses before and after.
func (c Connection) Change() string {
	return cmp.Or(c.PreviousStatus, "unknown") + " → " + cmp.Or(c.CurrentStatus, "unknown")
}
