package trial

import (
	"encoding/json"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"clientvpn-responder/internal/console"
)

// report is what became of all events.
type report struct {
	plays       []*played
	differences map[string]string // by file, from its golden
}

func newReport(plays []*played) report {
	r := report{plays, map[string]string{}}
	for _, p := range plays {
		if difference := p.difference(); difference != "" {
			r.differences[p.file] = difference
		}
	}
	return r
}

func (r report) err() error {
	if len(r.differences) == 0 {
		return nil
	}
	return fmt.Errorf("%d events did not go as their goldens say", len(r.differences))
}

// line is what --json prints about an event.
type line struct {
	File     string   `json:"file"`
	Status   string   `json:"status"`
	Run      result   `json:"run"`
	AsGolden bool     `json:"as_golden"`
	Nothing  string   `json:"nothing,omitempty"` // why the event asks for nothing
	Mails    []string `json:"mails,omitempty"`   // their subjects
}

func (r report) writeJSON(out io.Writer) error {
	encoder := json.NewEncoder(out)
	for _, p := range r.plays {
		l := line{File: p.file, Status: p.status(), Run: p.result, AsGolden: r.differences[p.file] == "", Nothing: p.nothing}
		for _, m := range p.mails {
			l.Mails = append(l.Mails, m.Subject)
		}
		if err := encoder.Encode(l); err != nil {
			return fmt.Errorf("printing the results: %w", err)
		}
	}
	return nil
}

// print prints the summary, then the story of a leaver and of a finding, or all of them, then every event in a line.
func (r report) print(c *console.Console, stories bool, way []byte, took string) {
	r.summarize(c, took)
	introduce(c)
	for _, t := range titles {
		for _, p := range r.plays {
			if EventName(p.file) == t.event {
				p.story(c, t.title)
			}
		}
	}
	fmt.Fprintf(c.Out, "%s", way)
	for _, p := range r.plays {
		if stories && p.concernsConnections() {
			p.story(c, "Event")
		}
	}
	r.table(c)
	for _, p := range r.plays {
		if difference := r.differences[p.file]; difference != "" {
			c.Print("\n%s (-golden +seen):\n%s", c.In(console.Red, "NOT AS ITS GOLDEN SAYS: "+p.file), difference)
		}
	}
}

// titles are the two stories that are printed first.
var titles = []struct{ event, title string }{
	{"okta/user-deactivate.json", "Alice leaves the company."},
	{"guardduty/iam-user.json", "Bob's access key is stolen."},
}

func (r report) summarize(c *console.Console, took string) {
	cut, people, unreadable := 0, 0, 0
	for _, p := range r.plays {
		before := people
		if p.answer.Failure != nil {
			unreadable++
		}
		for _, o := range p.outcomes {
			if o.Status == "terminated" || o.Status == "reconnecting" {
				people++
			}
		}
		if people > before {
			cut++
		}
	}
	verdict := c.In(console.Green, "Each went as its golden says.")
	if len(r.differences) > 0 {
		verdict = c.In(console.Red, fmt.Sprintf("%d did not go as their goldens say.", len(r.differences)))
	}
	c.Print("%d events: %d cut off %d people, %d left everybody alone, %d unreadable.\n%s %s",
		len(r.plays), cut, people, len(r.plays)-cut-unreadable, unreadable, verdict, took)
}

// introduce prints who is connected before anything happens.
func introduce(c *console.Console) {
	c.Print("")
	c.Item("", "Each event meets the same small company, on its VPN in the morning. EC2, SNS, DynamoDB, the identity "+
		"store and Lambda are stand-ins on loopback; the programs are those that are deployed.")
	for _, e := range Endpoints {
		var who []string
		for _, k := range NewCompany().Connections() {
			if k.EndpointID == e.ID {
				who = append(who, person(k.Username, k.CommonName))
			}
		}
		c.Item(fmt.Sprintf("  %-7s ", e.Name), e.How+": "+strings.Join(who, ", "))
	}
}

// table prints a line for each event, by status.
func (r report) table(c *console.Console) {
	widest := 0
	byStatus := map[string][]*played{}
	for _, p := range r.plays {
		widest = max(widest, utf8.RuneCountInString(p.name()))
		byStatus[p.status()] = append(byStatus[p.status()], p)
	}
	for _, status := range inOrder(byStatus) {
		c.Print("\n%s %d", c.In(statusStyle(status), strings.ToUpper(status)), len(byStatus[status]))
		for _, p := range byStatus[status] {
			c.Print("  %-*s  %s", widest, p.name(), console.Clip(console.Safe(p.gist()), console.Width-widest-4))
		}
	}
}

// inOrder returns the statuses: first who was cut off, last what asks for nothing.
func inOrder(byStatus map[string][]*played) []string {
	rank := func(status string) int {
		return slices.Index([]string{"nothing", "ignored", "", "reconnecting", "terminated"}, status)
	}
	var all []string
	for status := range byStatus {
		all = append(all, status)
	}
	slices.SortFunc(all, func(a, b string) int {
		ra, rb := rank(a), rank(b)
		if ra < 0 {
			ra = 2
		}
		if rb < 0 {
			rb = 2
		}
		if ra != rb {
			return rb - ra
		}
		return strings.Compare(a, b)
	})
	return all
}

func (p *played) name() string { return strings.TrimSuffix(EventName(p.file), ".json") }

// status returns that of the first outcome: "nothing" where the event asks for nothing, "unreadable" where it cannot be
// read.
func (p *played) status() string {
	switch {
	case p.answer.Failure != nil:
		return "unreadable"
	case len(p.outcomes) == 0:
		return "nothing"
	}
	return p.outcomes[0].Status
}

// gist returns who was meant, and why nobody was cut off, in a few words.
func (p *played) gist() string {
	switch {
	case p.answer.Failure != nil:
		return p.answer.Failure.Message
	case len(p.outcomes) == 0:
		provider := path.Dir(p.name()) + ": "
		return strings.TrimPrefix(strings.TrimPrefix(p.nothing, "unsupported event: "), provider)
	}
	o := p.outcomes[0]
	who := o.Signal.Subject.String()
	if session := o.Signal.Subject.Session; session != nil && len(o.Signal.Subject.Usernames) == 0 {
		who = session.Name
	}
	if len(p.outcomes) > 1 {
		who += fmt.Sprintf(" and %d more", len(p.outcomes)-1)
	}
	why := strings.TrimPrefix(o.why(), "held back: ")
	switch o.Status {
	case "terminated", "reconnecting", "not-connected", "notified":
		if o.Decision.Rule != "" && why == "rule "+o.Decision.Rule+" says "+o.Decision.Action {
			why = o.Decision.Rule
		}
	case "ignored":
		why = "no rule acts on " + o.Signal.Kind
	case "ready", "not-ready":
		return o.Summary
	}
	return who + ": " + why
}

func (p *played) concernsConnections() bool {
	return p.answer.Failure != nil ||
		slices.ContainsFunc(p.outcomes, func(o Outcome) bool { return len(o.Connections)+len(o.Spared) > 0 })
}
