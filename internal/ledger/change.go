package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Change is one change of what is known of a person. Exactly one of its parts is set, except that an event that
// closes an account may also put the person on the list.
type Change struct {
	Person string
	Close  *Closing
	Put    *Entry
	Lift   *Lift
}

// Changed is what became of a [Change].
type Changed struct {
	Until  time.Time // the end of all entries after a Put; zero is for ever
	Lifted []Entry   // what a Lift lifted
	Still  []Entry   // what keeps the person out all the same, after a Lift
	Err    error     // ErrLifted where a reinstatement came after what should be put
}

// slots is how many people are written side by side.
const slots = 16

// SetAccess makes the changes and returns what became of each, in their order. Changes of one person are made one
// after the other, and people side by side.
func (t *Table) SetAccess(ctx context.Context, changes []Change) []Changed {
	results := make([]Changed, len(changes))
	byPerson := map[string][]int{}
	for i, c := range changes {
		byPerson[c.Person] = append(byPerson[c.Person], i)
	}
	_ = sideBySide(slices.Sorted(maps.Keys(byPerson)), func(person string) error { // the errors are in the results
		for _, i := range byPerson[person] {
			results[i] = t.setOne(ctx, changes[i])
		}
		return nil
	})
	return results
}

// sideBySide calls do for each key, a few at a time, and returns all errors.
func sideBySide(keys []string, do func(key string) error) error {
	errs := make([]error, len(keys))
	free := make(chan struct{}, slots)
	var group sync.WaitGroup
	for i, key := range keys {
		free <- struct{}{}
		group.Go(func() {
			errs[i] = do(key)
			<-free
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

func (t *Table) setOne(ctx context.Context, c Change) Changed {
	if c.Person == "" {
		return Changed{Err: errors.New("keeping out or reinstating nobody")}
	}
	now := time.Now()
	c = c.dated(now)
	if c.Put != nil {
		if err := t.nameItems(ctx, *c.Put); err != nil { // first, so that no entry is without them
			return Changed{Err: err}
		}
	}
	var result Changed
	err := t.change(ctx, personPrefix+c.Person, func(known content) (content, time.Time, error) {
		h, err := decodeHistory(c.Person, known)
		if err != nil {
			return nil, time.Time{}, err
		}
		result = Changed{}
		changed, err := h.apply(c, now, &result)
		if !changed || err != nil {
			return nil, time.Time{}, err
		}
		return h.encode(), h.expiry(now), nil
	})
	result.Err = err
	return result
}

// dated fills in the times that are left out.
func (c Change) dated(now time.Time) Change {
	if c.Put != nil {
		e := *c.Put
		e.Since = cmp.Or(e.Since, now)
		e.EventAt = cmp.Or(e.EventAt, e.Since)
		e.Arrived = cmp.Or(e.Arrived, e.Since)
		c.Put = &e
	}
	if c.Lift != nil {
		l := *c.Lift
		l.At, l.Arrived = cmp.Or(l.At, now), cmp.Or(l.Arrived, now)
		c.Lift = &l
	}
	return c
}

// apply makes one change. It is pure.
func (h *history) apply(c Change, now time.Time, result *Changed) (changed bool, err error) {
	if c.Close != nil && h.close(*c.Close) {
		changed = true
	}
	switch {
	case c.Put != nil:
		put, err := h.put(*c.Put)
		if err != nil {
			return changed, err
		}
		result.Until = h.end()
		return put || changed, nil
	case c.Lift != nil:
		changed = h.lift(*c.Lift, now, result) || changed
		result.Still = h.holding(now)
	}
	return changed, nil
}

func (h *history) close(c Closing) bool {
	old, there := h.closings[c.Issuer]
	if there && !Later(c.EventAt, c.Arrived, old.EventAt, old.Arrived) {
		return false
	}
	h.closings[c.Issuer] = c
	return true
}

func (h *history) put(e Entry) (bool, error) {
	for _, o := range h.openings {
		if o.Covers(e.Cause, e.Issuer) && Later(o.At, o.Arrived, e.EventAt, e.Arrived) {
			return false, fmt.Errorf("keeping out %s: %w, by %s at %s", e.Person, ErrLifted, o.By, stamp(o.At))
		}
	}
	if m, lifted := h.lifted[e.OutcomeID]; lifted && e.OutcomeID != "" {
		return false, fmt.Errorf("keeping out %s: %w, by %s at %s", e.Person, ErrLifted, m.by, stamp(m.at))
	}
	old, there := h.entries[e.key()]
	gains := !there || later(e.Until, old.Until)
	moved := !there || e.EventAt.After(old.EventAt)
	put := old
	if gains {
		put = e
	}
	put.EventAt, put.Arrived = e.EventAt, e.Arrived
	if !moved {
		put.EventAt, put.Arrived = old.EventAt, old.Arrived
	}
	h.entries[e.key()] = put
	return gains || moved, nil
}

// lift takes entries away and leaves a mark. What an earlier call with the same reinstatement lifted is returned again.
func (h *history) lift(l Lift, now time.Time, result *Changed) bool {
	if len(l.Named) > 0 {
		result.Lifted = h.remove(l, now)
		return len(result.Lifted) > 0 || len(h.entries)+len(h.openings)+len(h.closings) == 0 // not yet read
	}
	old, there := h.openings[l.key()]
	if there && old.At.Equal(l.At) && old.OutcomeID == l.OutcomeID {
		result.Lifted = old.was
		return false
	}
	if there && !Later(l.At, l.Arrived, old.At, old.Arrived) {
		return false
	}
	o := opening{Lift: l, was: h.remove(l, now)}
	h.openings[l.key()] = o
	result.Lifted = o.was
	return true
}

// remove takes the entries away that the reinstatement lifts, and returns those that held.
func (h *history) remove(l Lift, now time.Time) []Entry {
	var was []Entry
	for _, k := range h.keys() {
		e := h.entries[k]
		if !l.Lifts(e) {
			continue
		}
		delete(h.entries, k)
		if !e.Holds(now) {
			continue
		}
		was = append(was, e)
		if l.AnyIssuer && e.OutcomeID != "" { // a person asked, who knows of this very event
			h.lifted[e.OutcomeID] = mark{l.At, l.By}
		}
	}
	return was
}
