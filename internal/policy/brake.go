package policy

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"clientvpn-responder/internal/duration"
	"clientvpn-responder/internal/signal"

	"github.com/goccy/go-yaml/ast"
)

// GreatestAge is the age above which an event is reported and not acted on, unless a rule's max_age is longer or our
// own form asks. EventBridge delivers for one day, and the queue and the dead letters keep a message for 14 days. An
// older event comes from an archive, or from a log that is read anew.
const GreatestAge = 16 * 24 * time.Hour

// The brake of a policy that does not name one, and the most people that it can count.
const (
	DefaultBrakePeople = 25
	DefaultBrakeWithin = time.Hour
	mostBrakePeople    = 1000
)

// Brake says how many people may be cut off in a window, by one source, before a person is asked.
type Brake struct {
	// Off lets everybody through.
	Off bool
	// People is the most distinct people that are cut off within Within.
	People int
	Within time.Duration
	// Share limits People to this percentage of the people who are connected; 0 does not.
	Share int
	// Announced are the masses that are expected.
	Announced []Mass
}

// Mass is a number of people who are known to leave within a time.
type Mass struct {
	From   time.Time
	Until  time.Time
	Source string // a provider; empty for every one
	Reason string
}

// Limit returns how many people may be cut off in the window, at least one. connected is how many people are
// connected; 0 where that is not known.
func (b Brake) Limit(connected int) int {
	if b.Share == 0 || connected == 0 {
		return b.People
	}
	return max(1, min(b.People, connected*b.Share/100))
}

// Announces returns the mass that is expected of a provider at a time.
func (b Brake) Announces(provider string, now time.Time) (Mass, bool) {
	for _, m := range b.Announced {
		if (m.Source == "" || m.Source == provider) && !now.Before(m.From) && now.Before(m.Until) {
			return m, true
		}
	}
	return Mass{}, false
}

// brakeDocument is the YAML form: a map, or the word off.
type brakeDocument struct {
	word   string // empty for a map
	fields brakeFields
}

type brakeFields struct {
	People    string         `yaml:"people"`
	Within    string         `yaml:"within"`
	Share     string         `yaml:"share"`
	Announced []massDocument `yaml:"announced"`
}

type massDocument struct {
	From   string `yaml:"from"`
	Until  string `yaml:"until"`
	Source string `yaml:"source"`
	Reason string `yaml:"reason"`
}

func (d *brakeDocument) read(c *checker, n ast.Node) {
	if word, ok := textOf(n); ok {
		d.word = word
		return
	}
	c.fill(n, reflect.ValueOf(&d.fields).Elem())
}

// brake checks the document's brake, and returns it with what is left out filled in.
func (c *checker) brake(d *brakeDocument) Brake {
	b := Brake{People: DefaultBrakePeople, Within: DefaultBrakeWithin}
	if d == nil {
		return b
	}
	switch d.word {
	case "":
	case "off", "false":
		return Brake{Off: true}
	default:
		c.add("brake", "%q is neither off nor a map; write off, or {people: %d, within: 1h}", d.word, DefaultBrakePeople)
	}
	f := d.fields
	if f.People != "" {
		people, err := strconv.Atoi(f.People)
		if err != nil || people < 1 || people > mostBrakePeople {
			c.add("brake.people", "%q is not a number from 1 to %d; to hold nobody, write brake: off", f.People, mostBrakePeople)
		}
		b.People = people
	}
	if f.Within != "" {
		within, err := time.ParseDuration(f.Within)
		if err != nil || within < time.Minute || within > 7*24*time.Hour {
			c.add("brake.within", "%q is not a duration like 1h, from 1m to 168h", f.Within)
		}
		b.Within = within
	}
	if f.Share != "" {
		n, err := fmt.Sscanf(f.Share, "%d%%", &b.Share)
		if err != nil || n != 1 || b.Share < 1 || b.Share > 100 || f.Share != fmt.Sprintf("%d%%", b.Share) {
			c.add("brake.share", "%q is not a percentage like 20%%, of the people who are connected", f.Share)
		}
	}
	for i, m := range f.Announced {
		b.Announced = append(b.Announced, c.mass(m, fmt.Sprintf("brake.announced[%d]", i)))
	}
	return b
}

// longestMass is the longest time for which a mass may be announced. Without an end, nothing would ever be held.
const longestMass = 7 * 24 * time.Hour

func (c *checker) mass(d massDocument, path string) Mass {
	m := Mass{Source: d.Source, Reason: d.Reason}
	read := func(key, value string) time.Time {
		t, err := time.Parse(time.RFC3339, value)
		if err != nil {
			c.add(path+"."+key, "%q is not a time like 2026-06-26T16:00:00Z", value)
		}
		return t
	}
	m.From, m.Until = read("from", d.From), read("until", d.Until)
	switch length := m.Until.Sub(m.From); {
	case m.From.IsZero() || m.Until.IsZero(): // said already
	case length <= 0:
		c.add(path+".until", "is not after from, so nothing is announced")
	case length > longestMass:
		c.add(path+".until", "is %s after from; announce a mass for %s at most",
			duration.Short(length), duration.Short(longestMass))
	}
	if strings.TrimSpace(d.Reason) == "" {
		c.add(path+".reason", "missing; outcomes say why so many people are cut off")
	}
	if d.Source != "" {
		oneOf(c, path+".source", d.Source, signal.Providers()...)
	}
	return m
}
