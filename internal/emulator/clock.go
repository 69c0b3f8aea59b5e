package emulator

import (
	"cmp"
	"container/heap"
	"time"
)

// event is something that happens at its time. It is worked out only when somebody looks.
type event struct {
	at  time.Time
	seq int
	do  func(at time.Time)
}

// events is a heap whose first event is the earliest.
type events []event

func (q events) Len() int { return len(q) }
func (q events) Less(i, j int) bool {
	return cmp.Or(q[i].at.Compare(q[j].at), q[i].seq-q[j].seq) < 0
}
func (q events) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *events) Push(x any)   { *q = append(*q, x.(event)) }
func (q *events) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = event{}
	*q = (*q)[:last]
	return e
}

// at plans an event.
func (c *Cloud) at(t time.Time, do func(at time.Time)) { heap.Push(&c.events, event{t, c.next(), do}) }

// advance runs every event that is due by now, in the order of their times.
func (c *Cloud) advance() {
	for now := time.Now(); len(c.events) > 0 && !c.events[0].at.After(now); {
		e := heap.Pop(&c.events).(event)
		e.do(e.at)
	}
	if c.expired {
		c.expired = false
		for _, e := range c.endpoints {
			e.removeUnlisted(c.conns)
		}
	}
}
