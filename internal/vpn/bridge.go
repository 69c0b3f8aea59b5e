package vpn

import (
	"context"
	"slices"
	"time"
)

// The way to search, terminate and verify with connections that are changed in place. It goes when nobody uses it.

type oldMemory struct {
	// Err is the error that Error says.
	Err error `json:"-"`
	// Would is set by a dry run that EC2 would have carried out.
	Would bool `json:"-"`
	// Lost is why it is not known whether EC2 got the request; empty if it is.
	Lost string `json:"-"`

	tracked *Tracked
	owner   *Connection
}

// OldMatch is a connection that a target led to.
type OldMatch struct {
	*Connection
	Doubt string
}

// Found is what a listing of the endpoints gave, by target.
type Found struct {
	Up         [][]OldMatch
	EndedAt    [][]time.Time
	Failed     map[string]error
	RequestIDs []string
}

// Find is Search with a callback.
func (v *VPN) Find(ctx context.Context, endpoints []Endpoint, targets []Target, early func(found Found, over <-chan struct{})) Found {
	connections := map[string]*Connection{}
	all := Found{Up: make([][]OldMatch, len(targets)), EndedAt: make([][]time.Time, len(targets)), Failed: map[string]error{}}
	batches, over := make(chan Batch, 2), make(chan struct{})
	go func() {
		for b := range v.Search(ctx, endpoints, targets) {
			if b.Last {
				close(over)
			}
			batches <- b
		}
	}()
	for {
		b := <-batches
		some := Found{Up: make([][]OldMatch, len(targets)), EndedAt: make([][]time.Time, len(targets)), Failed: b.Failed, RequestIDs: b.Requests}
		for _, m := range b.Matches {
			c := connections[m.ID]
			if c == nil {
				t := Track(m)
				c = &t.Connection
				c.sync(t)
				connections[m.ID] = c
			}
			old := OldMatch{Connection: c}
			if m.Doubt != nil {
				old.Doubt = m.Doubt.String()
			}
			some.Up[m.Target] = append(some.Up[m.Target], old)
			all.Up[m.Target] = append(all.Up[m.Target], old)
		}
		for _, e := range b.EndedBefore {
			some.EndedAt[e.Target] = append(some.EndedAt[e.Target], e.At)
		}
		switch {
		case b.Last && early == nil:
			some.Up = all.Up
			return some
		case b.Last:
			return some
		case early != nil:
			early(some, over)
		}
	}
}

// sync takes over what is known of the connection.
func (c *Connection) sync(t *Tracked) {
	copied := *t
	*c = t.Connection
	c.tracked, c.owner = &copied, c
	c.Would, c.Lost = t.Fate == FateFeasible, ""
	if t.Fate == FateRefused {
		c.Err = t.Err
	}
	if t.Err != nil && t.Fate != FateRefused {
		c.Lost = t.Err.Error()
	}
}

func (c *Connection) memory() *Tracked {
	if c.tracked == nil {
		c.tracked, c.owner = Track(Match{Connection: *c}), c
	}
	if c.owner != c {
		copied := *c.tracked
		copied.RequestIDs = slices.Clone(copied.RequestIDs)
		c.tracked, c.owner = &copied, c
	}
	return c.tracked
}

// OldTerminate is Terminate, and writes the answers into the connections.
func (v *VPN) OldTerminate(ctx context.Context, end []OldMatch, keep []*Connection, dryRun bool) []*Connection {
	var some []Tracked
	var kept []Connection
	for _, m := range end {
		some = append(some, *m.memory())
	}
	for _, c := range keep {
		kept = append(kept, *c)
	}
	var extra []*Connection
	for _, a := range v.Terminate(ctx, some, kept, dryRun) {
		if a.Beside != nil {
			t := TrackBeside(a)
			c := &Connection{}
			c.sync(t)
			extra = append(extra, c)
			continue
		}
		for _, m := range end {
			if m.ID == a.ConnectionID {
				t := m.memory()
				t.Answered(a)
				m.sync(t)
			}
		}
	}
	return extra
}

// Look is Verify, and writes what it shows into the connections.
func (v *VPN) Look(ctx context.Context, connections []*Connection) error {
	var some []Tracked
	for _, c := range connections {
		some = append(some, *c.memory())
	}
	shown, err := v.Verify(ctx, some)
	for _, s := range shown {
		for i, c := range connections {
			if c.ID == s.ConnectionID && !slices.Contains(connections[:i], c) {
				t := c.memory()
				t.Observe(s)
				c.sync(t)
			}
		}
	}
	return err
}

// Pending reports whether the connection was asked to end, by us or before us, and has neither ended nor failed to.
func (c *Connection) Pending() bool { return c.memory().Pending() }

// Revive takes back that the connection ended.
func (c *Connection) Revive(s Status) {
	t := c.memory()
	t.Reappeared(s)
	c.sync(t)
}
