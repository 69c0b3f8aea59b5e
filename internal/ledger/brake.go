package ledger

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"
)

// Limit is how many distinct people of one lane may be cut off in a window.
type Limit struct {
	People int
	Within time.Duration
}

// Ask is one signal that asks to cut people off.
type Ask struct {
	People []string
	// HeldAt is since when the brake holds this very event; zero for an event that it has not held.
	HeldAt time.Time
}

// Grant is what the brake answers.
type Grant string

// The answers. Passed and Released let the signal through, Held and Dropped do not.
const (
	Passed   Grant = "passed"
	Released Grant = "released" // by a person, see Ruling
	Held     Grant = "held"
	Dropped  Grant = "dropped" // by a person, see Ruling
)

// Taken is the brake's answer to one [Ask].
type Taken struct {
	Grant  Grant
	Ruling Ruling // of Released and Dropped
	// Announce says that this one has to announce the brake: nobody has so far, or it holds many more since.
	Announce bool
	Standing Standing // of Held
}

// Ruling is a person's decision about what a brake holds.
type Ruling struct {
	Release bool      `json:"release"` // or drop
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Reason  string    `json:"reason"`
	// People limits it to these; none is everybody, and the brake holds nobody any more.
	People []string `json:"people,omitempty"`
	// Until is until when later events of the lane pass, too, after a release of everybody.
	Until time.Time `json:"until,omitzero"`
}

func (r Ruling) covers(people []string) bool {
	return len(r.People) == 0 || !slices.ContainsFunc(people, func(p string) bool { return !slices.Contains(r.People, p) })
}

// Standing is what a brake holds.
type Standing struct {
	Lane  string    `json:"lane"`
	Since time.Time `json:"since,omitzero"` // zero: it holds nobody
	// Events is how many events it holds; Names are the first of the people.
	Events      int       `json:"events"`
	Names       []string  `json:"names,omitempty"`
	Passed      int       `json:"passed"` // people who were cut off in the window before
	AnnouncedAt time.Time `json:"announced_at,omitzero"`
	// Said is how many events it held by the last message about it; 0 before the first.
	Said    int      `json:"said,omitempty"`
	Rulings []Ruling `json:"rulings,omitempty"`
}

// lane is a brake's item: those who passed in the window, and what is held.
type lane struct {
	Standing
	counted   map[string]time.Time // by the person's hash
	claimedAt time.Time            // when somebody set out to announce it
}

const (
	// MostNames is how many of the people held are kept for the message.
	MostNames   = 200
	mostRulings = 50
	// claimFor is how long others wait for the one who set out to announce a brake.
	claimFor = 2 * time.Minute
	// followUp is how long after a message another one says that the brake holds twice as many. It comes at once if
	// there are burst times as many: a mass of any size is then a handful of messages.
	followUp = 10 * time.Minute
	burst    = 10
)

// Take asks the brake of a lane whether signals may cut people off, for all together. Within the window a person
// counts once. If there are more new people than the limit leaves room for, none of them passes. From then on nobody
// new does, until a person decides. The error is the table's: nothing is known then.
func (t *Table) Take(ctx context.Context, name string, asks []Ask, limit Limit) ([]Taken, error) {
	var taken []Taken
	err := t.changeLane(ctx, name, func(l *lane, now time.Time) bool {
		var changed bool
		taken, changed = l.take(asks, limit, now)
		return changed
	})
	if err != nil {
		return nil, err
	}
	return taken, nil
}

// forget takes people out of the count who are older than the window.
func (l *lane) forget(within time.Duration, now time.Time) {
	for person, at := range l.counted {
		if now.Sub(at) >= within {
			delete(l.counted, person)
		}
	}
}

// take is the brake. It is pure.
func (l *lane) take(asks []Ask, limit Limit, now time.Time) (taken []Taken, changed bool) {
	l.forget(limit.Within, now)
	taken = make([]Taken, len(asks))
	fresh := map[string]bool{}
	var open []int
	for i, a := range asks {
		if r, ruled := l.ruled(a, now); ruled {
			taken[i] = Taken{Grant: map[bool]Grant{true: Released, false: Dropped}[r.Release], Ruling: r}
			continue
		}
		open = append(open, i)
		for _, p := range a.People {
			if l.counted[short(p)].IsZero() {
				fresh[p] = true
			}
		}
	}
	holds := !l.Since.IsZero()
	if !holds && len(l.counted)+len(fresh) > limit.People {
		holds, changed = true, true
		l.Since, l.Passed, l.claimedAt, l.AnnouncedAt, l.Said = now, len(l.counted), time.Time{}, time.Time{}, 0
	}
	for _, i := range open {
		isNew := slices.ContainsFunc(asks[i].People, func(p string) bool { return fresh[p] })
		switch {
		case isNew && holds:
			changed = l.hold(&taken[i], asks[i], now) || changed
		default:
			taken[i].Grant = Passed
			for _, p := range asks[i].People {
				l.counted[short(p)] = now
				changed = true
			}
		}
	}
	return taken, l.announce(taken, now) || changed
}

func (l *lane) hold(t *Taken, a Ask, now time.Time) (changed bool) {
	if a.HeldAt.Before(l.Since) { // it was not counted for this standing
		l.Events++
		changed = true
		for _, p := range a.People {
			if len(l.Names) < MostNames && !slices.Contains(l.Names, p) {
				l.Names = append(l.Names, p)
			}
		}
	}
	t.Grant = Held
	return changed
}

// ruled returns the ruling about an event: the first since the brake held it, or one that lets everybody of the lane
// pass. A ruling settles what was held then, and a later one is about other events.
func (l *lane) ruled(a Ask, now time.Time) (Ruling, bool) {
	for _, r := range l.Rulings {
		if !a.HeldAt.IsZero() && !r.At.Before(a.HeldAt) && r.covers(a.People) {
			return r, true
		}
	}
	for _, r := range slices.Backward(l.Rulings) {
		switch {
		case r.Release && now.Before(r.Until):
			return r, true
		case len(r.People) == 0:
			return Ruling{}, false // what came before it is closed
		}
	}
	return Ruling{}, false
}

// Rule records a person's decision about what a lane holds, and returns what it held.
func (t *Table) Rule(ctx context.Context, name string, r Ruling) (held Standing, err error) {
	err = t.changeLane(ctx, name, func(l *lane, _ time.Time) bool {
		held = l.Standing
		l.Rulings = append(l.Rulings, r)
		if len(l.Rulings) > mostRulings {
			l.Rulings = l.Rulings[len(l.Rulings)-mostRulings:]
		}
		if len(r.People) == 0 {
			*l = lane{Standing: Standing{Lane: l.Lane, Rulings: l.Rulings}, counted: map[string]time.Time{}}
			return true
		}
		l.Names = slices.DeleteFunc(slices.Clone(l.Names), func(p string) bool { return slices.Contains(r.People, p) })
		l.Events = max(l.Events-len(r.People), len(l.Names))
		return true
	})
	return held, err
}

// Announced records that a message about the brake was published, which says how many events it holds.
func (t *Table) Announced(ctx context.Context, name string, events int) error {
	return t.changeLane(ctx, name, func(l *lane, now time.Time) bool {
		l.AnnouncedAt, l.claimedAt, l.Said = now, time.Time{}, events
		return true
	})
}

func (t *Table) changeLane(ctx context.Context, name string, edit func(l *lane, now time.Time) (changed bool)) error {
	id := brakePrefix + name
	return t.change(ctx, id, func(known content) (content, time.Time, error) {
		l, err := decodeLane(id, known)
		now := time.Now()
		if err != nil || !edit(&l, now) {
			return nil, time.Time{}, err
		}
		return l.encode(), now.Add(remembered), nil
	})
}

// short is a person's place among those who passed: a name may be long, and the item may not.
func short(person string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(person)))[:16] }
