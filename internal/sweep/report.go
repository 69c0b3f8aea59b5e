package sweep

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/vpn"
)

// Report is what a sweep has seen. Lists are cut to 50 entries; the counts beside them are complete.
type Report struct {
	Endpoints   int `json:"endpoints"`
	Connections int `json:"connections"`
	// People are connected, Exempt of them are never cut off, and an event with their names would find them all.
	// NotFindable are connections that no such event leads to.
	People           int          `json:"people"`
	Exempt           int          `json:"exempt"`
	NotFindable      int          `json:"not_findable"`
	NotFindableFirst []Unfindable `json:"not_findable_first,omitempty"`
	// Closed are people who are connected although their accounts are closed. An outcome follows for each, but for
	// Answered of them, whose outcome was published within a day, or whom the brake holds.
	Closed      int       `json:"closed"`
	ClosedFirst []StillUp `json:"closed_first,omitempty"`
	Answered    int       `json:"answered"`
	// Asked is for how many connected people the identity store and the tenant were read. Unasked are left for the next
	// sweep.
	Asked   int `json:"asked"`
	Unasked int `json:"unasked"`
	// Silent are sources that have been silent for longer than is usual for them.
	Silent []Silence `json:"silent,omitempty"`
	// Forever is how many entries keep people out for ever since more than 90 days. It is counted once a month.
	Forever      int      `json:"kept_out_long"`
	ForeverFirst []string `json:"kept_out_long_first,omitempty"`

	// Found are the events about people who must be cut off.
	Found []Found `json:"-"`
	// Problems are what could not be asked.
	Problems []error `json:"-"`
	// Repeats says that people have read the same within a day.
	Repeats bool `json:"-"`
	// Next is for the ledger, once the report is published.
	Next ledger.Swept `json:"-"`

	cursors [2]string // where the next sweep goes on in each store
	looked  bool      // for entries that hold for ever
}

// Unfindable is a connection that no event with a person's name leads to.
type Unfindable struct {
	EndpointID   string `json:"endpoint_id"`
	ConnectionID string `json:"connection_id"`
	Name         string `json:"name,omitempty"`
	Why          string `json:"why"`
}

// StillUp is somebody who is connected although the account is closed.
type StillUp struct {
	Person   string    `json:"person"`
	Issuer   string    `json:"issuer"`
	ClosedAt time.Time `json:"closed_at"`
}

// Silence is a source that is silent, since when, and its longest silence before.
type Silence struct {
	Source  string    `json:"source"`
	Since   time.Time `json:"since"`
	Longest string    `json:"longest"`
}

// HasNews reports whether there is something for people to do.
func (r *Report) HasNews() bool { return r.NotFindable+r.Closed+len(r.Silent)+r.Forever > 0 }

func (r *Report) unfindable(c vpn.Connection, why string) {
	if r.NotFindable++; len(r.NotFindableFirst) < mostListed {
		name := c.Username
		if signal.Name(name) == "" {
			name = c.CommonName
		}
		r.NotFindableFirst = append(r.NotFindableFirst, Unfindable{c.EndpointID, c.ID, name, why})
	}
}

func (r *Report) forever(who string) {
	if r.Forever++; len(r.ForeverFirst) < mostListed {
		r.ForeverFirst = append(r.ForeverFirst, who)
	}
}

// next completes the report with what the next sweep needs to know.
func (r *Report) next(last ledger.Swept, now time.Time) {
	slices.SortFunc(r.NotFindableFirst, func(a, b Unfindable) int {
		return strings.Compare(a.ConnectionID, b.ConnectionID)
	})
	r.Next = ledger.Swept{
		At: now.UTC(), People: r.People, Next: r.cursors[0], TenantNext: r.cursors[1], Said: r.words(),
		SaidAt: now.UTC(), ForeverAt: last.ForeverAt,
	}
	if r.looked {
		r.Next.ForeverAt = now.UTC()
	}
	if r.Next.Said == last.Said && now.Sub(last.SaidAt) < sayAgain {
		r.Repeats, r.Next.SaidAt = true, last.SaidAt
	}
}

// words are a fingerprint of what the report says to people, without what changes all the time.
func (r *Report) words() string {
	var all []string
	for _, u := range r.NotFindableFirst {
		all = append(all, "not findable "+u.Name)
	}
	slices.Sort(all)
	for _, s := range r.Silent {
		all = append(all, "silent "+s.Source)
	}
	for _, c := range r.ClosedFirst {
		all = append(all, "closed "+c.Person)
	}
	for _, err := range r.Problems {
		all = append(all, "problem "+err.Error())
	}
	all = append(slices.Compact(all), r.ForeverFirst...)
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(all, "\n"))))[:16]
}
