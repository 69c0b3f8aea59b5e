package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

func (l lane) encode() content {
	counted := content{}
	for person, at := range l.counted {
		counted[person] = text(stamp(at))
	}
	rulings := content{}
	for i, r := range l.Rulings {
		what := "drop"
		if r.Release {
			what = "release"
		}
		rulings[fmt.Sprintf("%03d", i)] = mapOf(members(map[string]string{
			"what": what, "at": stamp(r.At), "by": r.By, "reason": clip(r.Reason), "people": clip(list(r.People)),
			"until": stampOf(r.Until),
		}))
	}
	all := members(map[string]string{
		"since": stampOf(l.Since), "announced_at": stampOf(l.AnnouncedAt), "claimed_at": stampOf(l.claimedAt),
		"names": list(l.Names),
	})
	for name, n := range map[string]int{"events": l.Events, "passed": l.Passed, "said": l.Said} {
		if n > 0 {
			all[name] = text(fmt.Sprint(n))
		}
	}
	if len(counted) > 0 {
		all["counted"] = mapOf(counted)
	}
	if len(rulings) > 0 {
		all["rulings"] = mapOf(rulings)
	}
	return all
}

func decodeLane(id string, known content) (lane, error) {
	r := reader{}
	l := lane{
		Standing: Standing{
			Lane: strings.TrimPrefix(id, brakePrefix), Since: r.time("since", known["since"]),
			Events: r.number("", known, "events"),
			Names:  r.list("names", known["names"]), Passed: r.number("", known, "passed"),
			AnnouncedAt: r.time("announced_at", known["announced_at"]), Said: r.number("", known, "said"),
		},
		claimedAt: r.time("claimed_at", known["claimed_at"]), counted: map[string]time.Time{},
	}
	for person, at := range r.fields("counted", known["counted"]) {
		l.counted[person] = r.time("counted."+person, at)
	}
	for name, value := range r.fields("rulings", known["rulings"]) {
		path := "rulings." + name
		fields := r.fields(path, value)
		l.Rulings = append(l.Rulings, Ruling{
			Release: r.text(path+".what", fields["what"]) == "release", At: r.time(path+".at", fields["at"]),
			By:     r.text(path+".by", fields["by"]),
			Reason: r.text(path+".reason", fields["reason"]), People: r.list(path+".people", fields["people"]),
			Until: r.time(path+".until", fields["until"]),
		})
	}
	slices.SortStableFunc(l.Rulings, func(a, b Ruling) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.By, b.By)) })
	if r.err != nil {
		return lane{}, fmt.Errorf("the item of the brake %q: %w", l.Lane, r.err)
	}
	return l, nil
}

// Brakes returns every lane that has held somebody, sorted by name.
func (t *Table) Brakes(ctx context.Context) ([]Standing, error) {
	var all []Standing
	err := t.scan(ctx, brakePrefix, func(id string, known content) error {
		l, err := decodeLane(id, known)
		all = append(all, l.Standing)
		return err
	})
	slices.SortFunc(all, func(a, b Standing) int { return strings.Compare(a.Lane, b.Lane) })
	return all, err
}

// Standings returns what the brakes of lanes hold.
func (t *Table) Standings(ctx context.Context, names []string) ([]Standing, error) {
	var ids []string
	for _, name := range names {
		ids = append(ids, brakePrefix+name)
	}
	items, err := t.load(ctx, ids)
	if err != nil {
		return nil, err
	}
	var all []Standing
	for _, id := range ids {
		l, err := decodeLane(id, items[id])
		if err != nil {
			return nil, err
		}
		all = append(all, l.Standing)
	}
	return all, nil
}

// announce notes in those that are held what the brake holds of all together. The first of them says it to people, if
// it is news.
func (l *lane) announce(taken []Taken, now time.Time) (changed bool) {
	for i := range taken {
		if taken[i].Grant != Held {
			continue
		}
		taken[i].Standing = l.Standing
		if l.isNews(now) {
			l.claimedAt, taken[i].Announce, changed = now, true, true
		}
	}
	return changed
}

// isNews reports whether people do not know how much the brake holds, and nobody has set out to say it.
func (l *lane) isNews(now time.Time) bool {
	switch {
	case now.Sub(l.claimedAt) <= claimFor:
		return false
	case l.AnnouncedAt.IsZero():
		return true
	}
	return l.Events >= burst*l.Said || l.Events >= 2*l.Said && now.Sub(l.AnnouncedAt) >= followUp
}
