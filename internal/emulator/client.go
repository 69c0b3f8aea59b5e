package emulator

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// listedFor is how long a connection stays listed after its end: 60 minutes (EC2 API reference,
// DescribeClientVpnConnections).
const listedFor = time.Hour

// Codes of a connection's status (EC2 API reference, ClientVpnConnectionStatus).
const (
	active            = "active"
	terminating       = "terminating"
	terminated        = "terminated"
	failedToTerminate = "failed-to-terminate"
)

// Client is a VPN client: who connects, and how the connection behaves when EC2 terminates it.
type Client struct {
	EndpointID      string
	Username        string // empty for a client that has a certificate only
	CommonName      string
	ClientIP        string        // empty for the next free address
	ClientIPv6      string        // empty for none
	StatusMessage   string        // what EC2 says beside the status of a connection that failed to terminate
	ID              string        // of its first connection; empty for a generated one
	Since           time.Time     // when its first connection was established; zero for now
	FailToTerminate bool          // a termination ends in failed-to-terminate; the tunnel stays up
	ReconnectAfter  time.Duration // above 0: it reconnects, or tries to, this long after a termination or a denial...
	Reconnects      int           // ...this many times; below 0 for ever
	Stuck           bool          // its connection stays terminating for ever
}

// Connection is the state of a client's connection at the time of the question.
type Connection struct {
	EndpointID, ID, Username, CommonName, ClientIP, ClientIPv6, Status string

	EstablishedAt time.Time
	EndedAt       time.Time // zero while the tunnel is up
	ByRequest     bool      // ended by Terminate, not by the client
}

// conn is one connection of a client.
type conn struct {
	Client
	id, ip, status     string
	seq                int
	established, ended time.Time
	byRequest          bool
}

// Connect establishes a connection now and returns its id, without asking a connect handler. It panics if the endpoint
// does not exist, or a connection with the client's ID does.
func (c *Cloud) Connect(k Client) (connectionID string) {
	c.enter()
	defer c.mu.Unlock()
	c.check(k)
	return c.establish(k, k.since()).id
}

// Disconnect lets the client hang up. It does not reconnect. A connection that has ended stays as it is.
func (c *Cloud) Disconnect(connectionID string) {
	c.enter()
	defer c.mu.Unlock()
	if k := c.conns[connectionID]; k != nil && k.status != terminated {
		c.end(k, time.Now())
	}
}

// Connections returns all connections that are still listed, in the order in which they were established.
func (c *Cloud) Connections() []Connection {
	c.enter()
	defer c.mu.Unlock()
	all := slices.SortedFunc(maps.Values(c.conns), func(a, b *conn) int { return a.seq - b.seq })
	list := make([]Connection, len(all))
	for i, k := range all {
		list[i] = Connection{
			EndpointID:    k.EndpointID,
			ID:            k.id,
			Username:      k.Username,
			CommonName:    k.CommonName,
			ClientIP:      k.ip,
			ClientIPv6:    k.ClientIPv6,
			Status:        k.status,
			EstablishedAt: k.established,
			EndedAt:       k.ended,
			ByRequest:     k.byRequest,
		}
	}
	return list
}

// state returns the connection's status as EC2 shows it.
func (k *conn) state() status {
	if k.status == failedToTerminate {
		return status{k.status, k.StatusMessage}
	}
	return status{Code: k.status}
}

// check panics about a client that cannot connect.
func (c *Cloud) check(k Client) {
	if c.byID[k.EndpointID] == nil {
		panic(fmt.Sprintf("emulator: Connect: no endpoint %q", k.EndpointID))
	}
	if c.conns[k.ID] != nil {
		panic(fmt.Sprintf("emulator: Connect: connection %q is listed", k.ID))
	}
}

// since returns when the client's first connection is established.
func (k Client) since() time.Time {
	if k.Since.IsZero() {
		return time.Now()
	}
	return k.Since
}

func connectionID(n int) string { return "cvpn-connection-" + digest("connection", n)[:17] }

func (c *Cloud) establish(k Client, at time.Time) *conn {
	e, n := c.byID[k.EndpointID], c.next()
	id := cmp.Or(k.ID, connectionID(n))
	k.ID = "" // another connection has another id
	link := &conn{Client: k, id: id, ip: k.ClientIP, status: active, seq: n, established: at}
	if link.ip == "" {
		link.ip = e.address()
	}
	e.used[link.ip] = link
	e.conns = append(e.conns, link)
	if k.Username != "" {
		e.byUser[k.Username] = append(e.byUser[k.Username], link)
	}
	if c.conns == nil {
		c.conns = map[string]*conn{}
	}
	c.conns[link.id] = link
	return link
}

// terminate begins the end of an active connection.
func (c *Cloud) terminate(k *conn, at time.Time) {
	k.status = terminating
	if k.Stuck {
		return
	}
	c.at(at.Add(cmp.Or(c.TerminateTime, 300*time.Millisecond)), func(at time.Time) {
		switch {
		case k.status != terminating: // the client hung up first
			return
		case k.FailToTerminate:
			k.status = failedToTerminate
			return
		}
		c.end(k, at)
		k.byRequest = true
		c.reconnect(k.Client, at)
	})
}

// end completes the end of a connection. It stays listed for an hour.
func (c *Cloud) end(k *conn, at time.Time) {
	k.status, k.ended = terminated, at
	if e := c.byID[k.EndpointID]; e.used[k.ip] == k {
		delete(e.used, k.ip)
	}
	c.at(at.Add(listedFor), func(time.Time) {
		delete(c.conns, k.id)
		c.expired = true
	})
}

// reconnect plans the next attempt of a client whose connection was terminated or denied.
func (c *Cloud) reconnect(k Client, at time.Time) {
	if k.ReconnectAfter <= 0 || k.Reconnects == 0 {
		return
	}
	if k.Reconnects > 0 {
		k.Reconnects--
	}
	k.ID = "" // another attempt has another id
	c.at(at.Add(k.ReconnectAfter), func(at time.Time) {
		if c.byID[k.EndpointID] != nil && c.admit(k, at) == nil {
			c.reconnect(k, at)
		}
	})
}
