package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"clientvpn-responder/internal/emulator"
)

// lifting is the policy's section of the name, on days with two companies.
var lifting = map[string][]string{"okta:acme": {"onelogin:7", "directory-service:d-1111111111"}}

// covers reports whether an opening may take back a closing. Our own form takes back everything. An issuer takes back
// its own closings, and those of the issuers in the policy's section lifts.
func (e *event) covers(closing *event) bool {
	return e.issuer == "" || e.issuer == closing.issuer || slices.Contains(lifting[e.issuer], closing.issuer)
}

// takesBack reports whether an opening of a person takes back a closing, and whether that is sure. Of two events of one
// second, the later arrival holds.
func (e *event) takesBack(closing *event, person string) (may, sure bool) {
	if e.asks != forNone || !e.delivered || !e.covers(closing) || e.at.Before(closing.at) {
		return false, false
	}
	for _, about := range e.people {
		if bare(about) == bare(person) {
			return true, !e.firstDone.IsZero() && e.at.After(closing.at)
		}
	}
	return false, false
}

// reinstatedSince reports whether an event that was delivered takes back what e asks for about a person.
func (w *world) reinstatedSince(e *event, person string) bool {
	for _, other := range w.events {
		if may, _ := other.takesBack(e, person); may {
			return true
		}
	}
	return false
}

// isTakenBack reports whether an event that is done takes back what e asks for about a person, for sure.
func (w *world) isTakenBack(e *event, person string) bool {
	for _, other := range w.events {
		if _, sure := other.takesBack(e, person); sure {
			return true
		}
	}
	return false
}

// issuers are those who close accounts. The empty one is our own form.
var issuers = []string{"", "okta:acme", "okta:daughter", "directory-service:d-1111111111", "onelogin:7"}

// closings returns the events of issuers that would keep a person out, and that an instance has seen.
func (w *world) closings(person string, by ...string) (all []*event) {
	for _, e := range w.events {
		for _, about := range e.people {
			if about == person && e.delivered && e.asks == forEnd && slices.Contains(by, e.issuer) &&
				!slices.Contains(all, e) {
				all = append(all, e)
			}
		}
	}
	slices.SortFunc(all, func(a, b *event) int { return strings.Compare(a.id, b.id) })
	return all
}

// lastWord says what has become of what issuers closed of a person: it is still closed, or it was opened. It is neither
// where the model does not know.
func (w *world) lastWord(person string, by ...string) (closed, opened bool) {
	opened = true
	for _, e := range w.closings(person, by...) {
		if !w.isTakenBack(e, person) {
			opened = false
		}
		for name, about := range e.people {
			if about == person && !e.doneAt.IsZero() && !e.held[name] && len(w.told[e.id][name]) > 0 &&
				!w.reinstatedSince(e, person) {
				closed = true
			}
		}
	}
	return closed, opened
}

// everybody are the people of both companies, and whom else events are about.
func (w *world) everybody() (all []string) {
	known := map[string]bool{}
	for _, person := range people {
		known[person] = true
		if w.tenants {
			known[ofDaughter(person)] = true
		}
	}
	for _, e := range w.events {
		for _, person := range e.people {
			known[person] = true
		}
	}
	delete(known, "") // who is known by a connection or an address alone
	delete(known, "nobody")
	delete(known, "breakglass")
	maps.DeleteFunc(known, func(person string, _ bool) bool { return w.crowded[person] })
	return slices.Sorted(maps.Keys(known))
}

// settleList holds, at the end, that everybody who was closed last is on the list, and nobody who was opened last. The
// order in which the events came does not matter.
func (w *world) settleList() {
	w.mu.Lock()
	w.spoil = nil
	w.mu.Unlock()
	client, stop := emulator.HTTPClient(w.cloud)
	defer stop()
	list, err := w.list(client).List(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	out, by := map[string]bool{}, map[[2]string]bool{}
	for _, e := range list {
		person := listed(e.Person, e.Issuer)
		by[[2]string{person, strings.TrimSuffix(e.Issuer, "custom")}] = true
		if out[person] = true; !slices.Contains(w.everybody(), person) && !w.crowded[person] &&
			!strings.HasPrefix(person, "nobody-") {
			w.broke("%s is on the list: %+v", person, e)
		}
	}
	w.mu.Lock()
	for _, person := range w.everybody() {
		for _, issuer := range issuers {
			closed, opened := w.lastWord(person, issuer)
			is := by[[2]string{person, issuer}]
			switch {
			case closed && !is:
				w.broke("%q closed %s last, who is not on the list: %s", issuer, person, w.words(person))
			case opened && is:
				w.broke("what %q closed of %s was opened, who is on the list: %s", issuer, person, w.words(person))
			}
		}
	}
	w.mu.Unlock()
	if w.guarded {
		w.settleGuard(out)
	}
}

// words are all events about a person, for a reader.
func (w *world) words(person string) string {
	var all []string
	for _, e := range w.events {
		for name, about := range e.people {
			if bare(about) == bare(person) && e.delivered {
				all = append(all, fmt.Sprintf("\n%s %s %s %q %v, done %s", e.at.Format(clock), e.id, e.asks, e.issuer,
					w.told[e.id][name], e.doneAt.Format(clock)))
			}
		}
	}
	slices.Sort(all)
	return strings.Join(all, "")
}

// settleOpened holds that nobody who was opened last is out. The person connects everywhere, and nobody ends that when
// the older closings are delivered once more.
func (w *world) settleOpened() {
	w.mu.Lock()
	older := map[string][]*event{} // by person
	for _, person := range w.everybody() {
		if _, opened := w.lastWord(person, issuers...); opened {
			older[person] = w.closings(person, issuers...)
		}
	}
	before := maps.Clone(w.told)
	w.mu.Unlock()
	up := map[string]string{}
	var again []*event
	for _, person := range slices.Sorted(maps.Keys(older)) {
		if len(older[person]) == 0 {
			continue
		}
		w.opened++
		again = append(again, older[person]...)
		for n, endpointID := range w.endpointsOf(person) {
			k := emulator.Client{EndpointID: endpointID, Username: spellings(bare(person))[n]}
			if endpointID == abroad {
				k.ID = fmt.Sprintf("cvpn-connection-%017x", 1<<40+len(up)) // not one of home's
			}
			id := w.connect(person, k)
			if up[id] = person; id == "" {
				w.broke("%s was opened last, and cannot connect to %s: %s", person, endpointID, w.words(person))
			}
		}
	}
	slices.SortFunc(again, func(a, b *event) int { return strings.Compare(a.id, b.id) })
	w.send(slices.Compact(again)...)
	w.deliverAll(w.start(false))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.holdOpened(up, older, before)
}

// endpointsOf are the endpoints where the person's company connects.
func (w *world) endpointsOf(person string) []string {
	switch {
	case person != bare(person):
		return []string{daughter}
	case w.other != nil:
		return []string{saml, ad, certs, abroad}
	}
	return []string{saml, ad, certs}
}

// holdOpened holds that the connections are up still, and that the outcomes of the older closings say why.
func (w *world) holdOpened(up map[string]string, older map[string][]*event, before map[string]map[string][]string) {
	for _, c := range w.connections() {
		if person, is := up[c.ID]; is && c.Status != "active" {
			w.broke("%s was opened last, and is out after an older closing: %+v%s", person, c, w.words(person))
		}
	}
	for person, closings := range older {
		for _, e := range closings {
			for name, about := range e.people {
				now := w.told[e.id][name][len(before[e.id][name]):]
				if about == person && (len(now) == 0 || !slices.Contains([]string{"stale", "notified", "held"}, last(now))) {
					w.broke("%s was opened last, and the older %s says %q: %s", person, e.id, now, w.words(person))
				}
			}
		}
	}
}
