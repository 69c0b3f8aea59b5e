// Package sweep holds everybody who is connected against what is known: who closed their accounts, and what the
// identity store says about them now. It finds whom an event missed.
//
// It promises to terminate nobody. What it finds becomes an event, which the policy, the gates and the brake answer
// like any other. It reports whom no event could find, which sources are silent, and what it could not ask.
package sweep

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"clientvpn-responder/internal/duration"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/vpn"
)

// memory is what is used of a [ledger.Table].
type memory interface {
	Recall(ctx context.Context, q ledger.Query) (ledger.Recalled, error)
	Sources(ctx context.Context, names []string) ([]ledger.Source, error)
	List(ctx context.Context) ([]ledger.Entry, error)
	LastSweep(ctx context.Context) (ledger.Swept, error)
}

// Sweeper sweeps.
type Sweeper struct {
	VPN    *vpn.VPN
	Policy *policy.Policy
	Ledger memory
	// Store is the identity store, and Tenant is Microsoft Entra ID. One that is not set up has the zero issuer.
	Store, Tenant store
}

// stores are the directories of people, in the order of [person.standings].
func (s *Sweeper) stores() [2]store { return [2]store{s.Store, s.Tenant} }

const (
	// grace is how long an event that closes an account may be in work elsewhere.
	grace = 5 * time.Minute
	// sayAgain is how long people do not get the same words again.
	sayAgain = 24 * time.Hour
	// mostFound is how many people one sweep finds at most. The next one finds the others.
	mostFound = 200
	// mostListed is how many names a part of the report has.
	mostListed = 50
)

// person is somebody who is connected.
type person struct {
	exempt    bool
	closings  []ledger.Closing
	standings [2]standing // in each of the stores
}

// standing is what a store says about a person.
type standing struct {
	status status
	userID string // where status is known
}

// status is what a store says of an account.
type status uint8

const (
	unasked status = iota
	unknown        // the store has no such user, or says nothing of the status, or has two that differ
	enabled
	disabled
)

// sweep is one sweep. One goroutine owns it.
type sweep struct {
	*Sweeper

	now             time.Time
	account, region string
	last            ledger.Swept
	people          map[string]*person
	report          Report
}

// Run sweeps once. It was asked to in an account and a Region, which the events about people who are found name, too.
func (s *Sweeper) Run(ctx context.Context, account, region string) Report {
	now := time.Now()
	w := sweep{Sweeper: s, now: now, account: account, region: region, people: map[string]*person{}}
	var err error
	if w.last, err = s.Ledger.LastSweep(ctx); err != nil {
		w.problem(err)
	}
	w.list(ctx)
	w.recall(ctx)
	w.ask(ctx)
	w.find(ctx)
	w.sources(ctx)
	w.forever(ctx)
	w.report.next(w.last, now)
	return w.report
}

func (w *sweep) problem(err error) { w.report.Problems = append(w.report.Problems, err) }

// list finds out who is connected, and whom no event could find.
func (w *sweep) list(ctx context.Context) {
	endpoints, err := w.VPN.Endpoints(ctx, true)
	if err != nil {
		w.problem(err)
	}
	w.report.Endpoints = len(endpoints)
	for c, err := range w.VPN.Everybody(ctx, endpoints) {
		if err != nil {
			w.problem(err)
			continue
		}
		w.meet(c)
	}
	w.report.People = len(w.people)
	for _, p := range w.people {
		if p.exempt {
			w.report.Exempt++
		}
	}
}

// meet takes in a connection.
func (w *sweep) meet(c vpn.Connection) {
	w.report.Connections++
	exempt := w.Policy.IsExempt(c.Username, c.CommonName)
	if why := w.Policy.Unfindable(c.Username, c.CommonName); why != "" && !exempt {
		w.report.unfindable(c, why)
		return
	}
	holders := w.Policy.Holders(c.Username, c.CommonName)
	if len(holders) == 0 {
		return // a place without a name that is exempt
	}
	name := holders[len(holders)-1]
	p := w.people[name]
	if p == nil {
		p = &person{exempt: exempt}
		w.people[name] = p
	}
}

// names are the connected people, in their order.
func (w *sweep) names() []string { return slices.Sorted(maps.Keys(w.people)) }

// sources names the sources that have been silent for longer than is usual for them.
func (w *sweep) sources(ctx context.Context) {
	all, err := w.Ledger.Sources(ctx, sourcesToHear())
	if err != nil {
		w.problem(err)
	}
	for _, s := range all {
		if s.Silent(w.now) {
			longest := duration.Short(s.LongestGap.Round(time.Minute))
			w.report.Silent = append(w.report.Silent, Silence{s.Name, s.Last.UTC(), longest})
		}
	}
}

// forever names once a month who is kept out for ever since long: nobody else looks whether it is still right.
func (w *sweep) forever(ctx context.Context) {
	const month, long = 30 * 24 * time.Hour, 90 * 24 * time.Hour
	if w.now.Sub(w.last.ForeverAt) < month {
		return
	}
	entries, err := w.Ledger.List(ctx)
	if err != nil {
		w.problem(err)
		return
	}
	for _, e := range entries {
		if e.Until.IsZero() && w.now.Sub(e.Since) > long {
			w.report.forever(fmt.Sprintf("%s, since %s, by %s", e.Person, e.Since.UTC().Format(time.DateOnly), e.By))
		}
	}
	w.report.looked = true
}
