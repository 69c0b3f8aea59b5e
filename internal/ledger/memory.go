package ledger

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// memory stands where there is no table: it remembers as long as the process lives.
type memory struct {
	// Several goroutines write people's items side by side.
	mu    sync.Mutex
	items map[string]content
}

// mostItems bounds the memory. Beyond it, what is known of events is forgotten first.
const mostItems = 20_000

func (m *memory) load(ids []string) map[string]content {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := map[string]content{}
	for _, id := range ids {
		if known, there := m.items[id]; there {
			all[id] = known
		}
	}
	return all
}

func (m *memory) change(id string, edit edit) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	next, _, err := edit(m.items[id])
	if next == nil || err != nil {
		return err
	}
	if len(m.items) >= mostItems {
		maps.DeleteFunc(m.items, func(id string, _ content) bool { return strings.HasPrefix(id, eventPrefix) })
	}
	m.items[id] = next
	return nil
}

func (m *memory) scan(prefix string, visit func(string, content) error) error {
	m.mu.Lock()
	items := maps.Clone(m.items)
	m.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(items)) {
		if strings.HasPrefix(id, prefix) {
			if err := visit(id, items[id]); err != nil {
				return err
			}
		}
	}
	return nil
}

// InProcess returns a ledger without a table. It forgets everything when the process ends, and no other instance
// knows it.
func InProcess() *Table {
	return &Table{memory: &memory{items: map[string]content{}}, name: "the process"}
}
