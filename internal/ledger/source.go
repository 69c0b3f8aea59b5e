package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Source is when a source was last heard, and how long it is usually silent.
type Source struct {
	Name       string        `json:"name"`
	First      time.Time     `json:"first"`
	Last       time.Time     `json:"last"`
	LongestGap time.Duration `json:"longest_gap"`
}

const (
	// leastSilence is the shortest silence that is reported. A small company's leavers are days apart.
	leastSilence = 24 * time.Hour
	// acquainted is how long a source must be known before its silence says something.
	acquainted = 7 * 24 * time.Hour
	// hearEvery is how often a source's last word is written at most.
	hearEvery = 10 * time.Minute
)

// Silent reports whether the source has been silent for more than twice as long as ever before, and for a day at least.
// It reports false for a source that the ledger has known for less than a week.
func (s Source) Silent(now time.Time) bool {
	return s.Last.Sub(s.First) >= acquainted && now.Sub(s.Last) > max(2*s.LongestGap, leastSilence)
}

// Heard records that sources had something to say. It writes each at most every ten minutes.
func (t *Table) Heard(ctx context.Context, names []string, at time.Time) error {
	return sideBySide(slices.Compact(slices.Sorted(slices.Values(names))), func(name string) error {
		return t.change(ctx, sourcePrefix+name, func(known content) (content, time.Time, error) {
			s, err := decodeSource(name, known)
			if err != nil {
				s = Source{Name: name}
			}
			if s.First.IsZero() {
				s.First, s.Last = at, at
			} else if at.Sub(s.Last) < hearEvery {
				return nil, time.Time{}, nil
			}
			s.LongestGap = max(s.LongestGap, at.Sub(s.Last))
			s.Last = at
			return members(map[string]string{
				"first": stamp(s.First), "last": stamp(s.Last), "longest_gap": s.LongestGap.Round(time.Second).String(),
			}), time.Time{}, nil
		})
	})
}

func decodeSource(name string, known content) (Source, error) {
	r := reader{}
	s := Source{Name: name, First: r.time("first", known["first"]), Last: r.time("last", known["last"])}
	if gap := r.text("longest_gap", known["longest_gap"]); gap != "" {
		d, err := time.ParseDuration(gap)
		if err != nil && r.err == nil {
			r.err = err
		}
		s.LongestGap = d
	}
	if r.err != nil {
		return Source{}, fmt.Errorf("the item of the source %q: %w", name, r.err)
	}
	return s, nil
}

// Sources returns the sources of these names that were ever heard.
func (t *Table) Sources(ctx context.Context, names []string) ([]Source, error) {
	var ids []string
	for _, name := range names {
		ids = append(ids, sourcePrefix+name)
	}
	items, err := t.load(ctx, ids)
	if err != nil {
		return nil, err
	}
	var all []Source
	for _, id := range slices.Sorted(slices.Values(ids)) {
		known, there := items[id]
		if !there {
			continue
		}
		s, err := decodeSource(strings.TrimPrefix(id, sourcePrefix), known)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// AllSources returns every source that was ever heard, sorted by name.
func (t *Table) AllSources(ctx context.Context) ([]Source, error) {
	var all []Source
	err := t.scan(ctx, sourcePrefix, func(id string, known content) error {
		s, err := decodeSource(strings.TrimPrefix(id, sourcePrefix), known)
		all = append(all, s)
		return err
	})
	slices.SortFunc(all, func(a, b Source) int { return strings.Compare(a.Name, b.Name) })
	return all, err
}
