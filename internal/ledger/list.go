package ledger

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
)

// List returns all entries that hold now, by a consistent read, sorted by person, cause and issuer.
func (t *Table) List(ctx context.Context) ([]Entry, error) {
	var all []Entry
	now := time.Now()
	err := t.scan(ctx, personPrefix, func(id string, known content) error {
		h, err := decodeHistory(strings.TrimPrefix(id, personPrefix), known)
		all = append(all, h.holding(now)...)
		return err
	})
	slices.SortFunc(all, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Person, b.Person), cmp.Compare(a.key(), b.key()))
	})
	return all, err
}
