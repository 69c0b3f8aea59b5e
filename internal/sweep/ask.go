package sweep

import (
	"context"
	"iter"
	"time"

	"clientvpn-responder/internal/directory"
	"clientvpn-responder/internal/identity"
)

const (
	// mostPages bounds the listing of a store, which takes a tenth of a second for each page. mostUsers bounds it where
	// pages are longer.
	mostPages, mostUsers = 400, 40_000
	// reserve is the time that the listings leave for what follows them.
	reserve = 10 * time.Second
)

// store is what is used of a [directory.Directory] or a [directory.Tenant].
type store interface {
	Issuer() identity.Issuer
	Users(ctx context.Context, from string) iter.Seq2[directory.Page, error]
}

// ask reads the users of the identity store and of the tenant, as many as the sweep may. It notes the status of
// connected people.
func (w *sweep) ask(ctx context.Context) {
	stores := w.stores()
	from := [len(stores)]string{w.last.Next, w.last.TenantNext}
	var there []int
	for i, s := range stores {
		if s.Issuer() != (identity.Issuer{}) {
			there = append(there, i)
		}
	}
	for n, i := range there {
		part, cancel := forReading(ctx, len(there)-n)
		w.report.cursors[i] = w.readUsers(part, i, from[i])
		cancel()
	}
	if len(there) == 0 {
		return
	}
	for _, p := range w.people {
		if p.isAsked(stores) {
			w.report.Asked++
		} else {
			w.report.Unasked++
		}
	}
}

// forReading bounds the listing of one of so many stores, so that time is left for the others and for what follows.
func forReading(ctx context.Context, stores int) (context.Context, context.CancelFunc) {
	deadline, bounded := ctx.Deadline()
	if !bounded {
		return context.WithCancel(ctx)
	}
	left := time.Until(deadline)
	return context.WithTimeout(ctx, (left-min(left/2, reserve))/time.Duration(stores))
}

// isAsked reports whether the sweep asked each store that is there about the person.
func (p *person) isAsked(stores [2]store) bool {
	for i, s := range stores {
		if s.Issuer() != (identity.Issuer{}) && p.standings[i].status == unasked {
			return false
		}
	}
	return true
}

// readUsers reads the users of a store, and returns where the next sweep goes on; empty for the beginning. To stop as
// the time is up is no problem, once a page was read.
func (w *sweep) readUsers(ctx context.Context, i int, from string) (next string) {
	pages, users := 0, 0
	last := "" // after the last page that could be read; a sweep that reads none leaves the next one at the beginning
	for page, err := range w.stores()[i].Users(ctx, from) {
		if err != nil {
			if pages == 0 || ctx.Err() == nil {
				w.problem(err)
			}
			return last
		}
		last = page.Next
		w.note(i, page.Users)
		pages, users = pages+1, users+len(page.Users)
		if last != "" && (pages == mostPages || users >= mostUsers) {
			return last
		}
	}
	if from != "" {
		return "" // the users before from are left for the next sweep
	}
	for _, p := range w.people {
		if p.standings[i].status == unasked {
			p.standings[i].status = unknown
		}
	}
	return ""
}

// note notes what a store says about its users who are connected.
func (w *sweep) note(i int, users []directory.User) {
	for _, u := range users {
		if p := w.people[w.Policy.PersonOf(u.Names)]; p != nil {
			p.standings[i] = p.standings[i].and(standing{statusOf(u.Enabled, u.Disabled), u.ID})
		}
	}
}

// and returns what a store says about a person with one more account. Of two accounts, one may be old and disabled.
// That says neither that the person left nor that the person is here.
func (s standing) and(other standing) standing {
	if s.status != unasked && s.status != other.status {
		other.status = unknown
	}
	return other
}

func statusOf(isEnabled, isDisabled bool) status {
	switch {
	case isDisabled:
		return disabled
	case isEnabled:
		return enabled
	}
	return unknown
}
