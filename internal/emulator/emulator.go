// Package emulator stands in for the AWS services that the responder meets: EC2's Client VPN actions, SNS's Publish, the
// identity store's DescribeUser and some of DynamoDB's ([Cloud]) and the Lambda Runtime API ([Function]). It promises the wire formats, error codes, statuses and limits that
// AWS documents, so that the AWS SDKs and the AWS CLI work against it unchanged; where AWS documents nothing, a comment
// says so beside the choice made. It never leaves the machine, checks no signatures, and starts no goroutine for its
// state: what has happened by now is worked out from time.Now at each request, so that it runs in a [testing/synctest]
// bubble as well as by the clock on the wall. Names and identifiers are the same in every run.
package emulator

import (
	"cmp"
	"container/heap"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// listedFor is how long an ended connection stays listed: "active client connections and connections that have been
// terminated within the last 60 minutes" (EC2 API reference, DescribeClientVpnConnections).
const listedFor = time.Hour

// Codes of a connection's status (EC2 API reference, ClientVpnConnectionStatus).
const (
	active            = "active"
	terminating       = "terminating"
	terminated        = "terminated"
	failedToTerminate = "failed-to-terminate"
)

// Cloud is one account in one Region: EC2's Client VPN actions, SNS's Publish, the identity store's DescribeUser and what is
// used of DynamoDB, as an [http.Handler]. The zero value is ready. Its exported fields are set before its first use; its methods can be called from several goroutines.
type Cloud struct {
	Account       string        // default 111122223333
	Region        string        // default eu-west-1
	TerminateTime time.Duration // from terminating to terminated; default 300 ms, AWS publishes no figure
	IdentityStore string        // default d-9067123456
	NoTopics      []string      // ARNs of topics that are not there; all others are
	PageSize      int           // connections in a page without MaxResults, and the upper bound with it; default 1000
	PageItems     int           // items in an answer of DynamoDB's Scan and BatchGetItem, which leave the others for the next call; default 100
	Latency       time.Duration // added to every answer

	// Limits are token buckets by action, such as TerminateClientVpnConnections; an action without one is not limited.
	// What EC2 documents for its own is DocumentedLimits.
	Limits map[string]Limit

	// EndedAnswersRow says what Terminate answers for the id of a connection that has ended and is still listed, which
	// AWS does not document: InvalidClientVpnConnection.IdNotFound, or if true a row from terminated to terminated.
	EndedAnswersRow bool

	// OnCall, if set, is told of each call before anything is done about it, and may change the cloud meanwhile. The fault
	// that it gives spoils the answer, unless an injected one is due.
	OnCall func(Call) Fault

	// ConnectHandler is the client connect handler of every endpoint that has not [Endpoint.NoConnectHandler]: it is asked, with a request of schema v3, when a client
	// comes back or [Cloud.Attempt] has one connect, and whatever it fails to allow is denied, as AWS does. Nil allows all. It is
	// asked when somebody looks, as everything here happens then, and may call the cloud's DynamoDB, but nothing else of it.
	ConnectHandler func(ctx context.Context, request []byte) (answer []byte, err error)

	mu       sync.Mutex
	asking   bool      // the handler, without holding mu
	answered sync.Cond // no longer asking
	state
}

// Limit is a token bucket: a call takes a token, and finds RequestLimitExceeded where there is none.
type Limit struct {
	Bucket int     // tokens at the start, and at most
	Refill float64 // tokens a second
}

// DocumentedLimits are those of an account in a Region (Amazon EC2 developer guide, "Request throttling").
func DocumentedLimits() map[string]Limit {
	return map[string]Limit{
		"DescribeClientVpnConnections":  {100, 20},
		"DescribeClientVpnEndpoints":    {100, 20},
		"TerminateClientVpnConnections": {50, 5},
	}
}

type state struct {
	count     int // of everything numbered: identifiers, order of establishment, order of events
	endpoints []*endpoint
	byID      map[string]*endpoint
	conns     map[string]*conn // all that are listed
	users     map[string]User
	tables    map[string]*table
	refused   []Refusal
	events    events
	expired   bool // some have left conns, but not yet their endpoints' lists
	calls     []*Call
	messages  []Message
	faults    []Fault
	tokens    map[string]*tokens // by action
	denied    [][2]string        // action, resource or ""
}

// Endpoint is a Client VPN endpoint.
type Endpoint struct {
	ID             string // cvpn-endpoint- and 17 hexadecimal digits
	Description    string
	Authentication []string // certificate-authentication, directory-service-authentication, federated-authentication
	TransitGateway string   // tgw-…; empty for an endpoint with subnets
	Status         string   // default available
	Tags           map[string]string

	NoConnectHandler bool // lets in everybody, whatever [Cloud.ConnectHandler] says
}

// Client is a VPN client: who connects, and how its connection behaves when it is asked to end.
type Client struct {
	EndpointID      string
	Username        string // empty for a client that has a certificate only
	CommonName      string
	ClientIP        string        // empty for the next free address
	ID              string        // of its first connection; empty for a generated one
	Since           time.Time     // when its first connection was established; zero for now
	FailToTerminate bool          // a termination ends in failed-to-terminate; the tunnel stays up
	ReconnectAfter  time.Duration // above 0: it comes back, or tries to, this long after Terminate ended its connection or it was denied...
	Reconnects      int           // ...this many times; below 0 for ever
	Stuck           bool          // its connection stays terminating for ever
}

// Connection is the state of a client's connection at the time it was asked for.
type Connection struct {
	EndpointID, ID, Username, CommonName, ClientIP, Status string

	EstablishedAt time.Time
	EndedAt       time.Time // zero while the tunnel is up
	ByRequest     bool      // ended by Terminate, not by the client
}

// Call is a request that was received.
type Call struct {
	Action string
	Params url.Values // as posted, with Action and Version
	// RequestID is the one answered.
	RequestID string
	At        time.Time
	// Code is the error code answered; "dropped" if there was no answer and "truncated" if there was a part of it, or nothing
	// but the header; empty for success.
	Code string
}

// Fault spoils the answers to the calls that match it. Faults are tried in the order in which they were injected, and
// the first that is due takes the call. A Fault with a Code replaces the action; with any of the others alone the action
// is done and its answer suffers.
type Fault struct {
	Action     string // for instance TerminateClientVpnConnections; empty for any
	EndpointID string // only calls that name this endpoint, this topic's ARN or this table; empty for any
	Times      int    // how many calls it takes; 0 for all
	After      int    // how many matching calls it lets pass first

	Code, Message string        // the error answered
	Status        int           // its HTTP status; default 400, or what AWS documents for common server-side codes
	Delay         time.Duration // added before the answer
	Drop          bool          // closes the connection without an answer
	Reset         bool          // the same, with a TCP reset where the connection is one of TCP
	Truncate      bool          // sends the first half of the XML, as if that were all
	Cut           bool          // sends the same half as a part of the whole, and closes the connection
	Empty         bool          // sends nothing after the header
}

// AddEndpoint creates an endpoint. One that exists keeps its connections and takes the new description. It panics
// without an ID.
func (c *Cloud) AddEndpoint(e Endpoint) {
	if e.ID == "" {
		panic("emulator: AddEndpoint without an ID")
	}
	c.enter()
	defer c.mu.Unlock()
	e.Status = cmp.Or(e.Status, "available")
	e.Authentication, e.Tags = slices.Clone(e.Authentication), maps.Clone(e.Tags)
	if old := c.byID[e.ID]; old != nil {
		old.Endpoint = e
		return
	}
	if c.byID == nil {
		c.byID = map[string]*endpoint{}
	}
	n := len(c.endpoints)
	c.byID[e.ID] = &endpoint{
		Endpoint: e, seq: c.next(), created: time.Now(),
		// A client CIDR range is at most a /12 (Client VPN Administrator Guide, rules and best practices).
		network: netip.AddrFrom4([4]byte{10, byte(n % 16 * 16), 0, 0}),
		byUser:  map[string][]*conn{}, used: map[string]*conn{},
	}
	c.endpoints = append(c.endpoints, c.byID[e.ID])
}

// DeleteEndpoint deletes an endpoint, and with it its connections: EC2 lists neither any more. Whether it deletes one that has
// target networks associated is not looked at.
func (c *Cloud) DeleteEndpoint(id string) {
	c.enter()
	defer c.mu.Unlock()
	for _, k := range c.conns {
		if k.EndpointID == id {
			k.status = terminated
			delete(c.conns, k.id)
		}
	}
	delete(c.byID, id)
	c.endpoints = slices.DeleteFunc(c.endpoints, func(e *endpoint) bool { return e.ID == id })
}

// Connect establishes a connection now and returns its id; nobody is asked. It panics if the endpoint does not exist,
// or a connection with the client's ID does.
func (c *Cloud) Connect(k Client) (connectionID string) {
	c.enter()
	defer c.mu.Unlock()
	c.check(k)
	since := k.Since
	if since.IsZero() {
		since = time.Now()
	}
	return c.establish(k, since).id
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

// Disconnect lets the client hang up by itself; it does not come back. A connection that has ended stays as it is.
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
		list[i] = Connection{k.EndpointID, k.id, k.Username, k.CommonName, k.ip, k.status, k.established, k.ended, k.byRequest}
	}
	return list
}

// Calls returns every request received, in order of arrival.
func (c *Cloud) Calls() []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]Call, len(c.calls))
	for i, call := range c.calls {
		list[i] = *call
	}
	return list
}

// Published returns the messages that SNS accepted, in order.
func (c *Cloud) Published() []Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.messages)
}

// Inject adds a fault.
func (c *Cloud) Inject(f Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = append(c.faults, f)
}

// Deny takes the caller's permission for an action ("ec2:TerminateClientVpnConnections", "sns:Publish") on one endpoint
// (or topic, by its ARN, or table, by its name), or on every one if endpointID is empty.
func (c *Cloud) Deny(action, endpointID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.denied = append(c.denied, [2]string{bare(action), endpointID})
}

// Reset forgets endpoints, connections, calls, messages, tables, faults and denials.
func (c *Cloud) Reset() {
	c.enter()
	defer c.mu.Unlock()
	c.state = state{}
}

// bare takes the service's prefix off an action.
func bare(action string) string {
	_, name, found := strings.Cut(action, ":")
	if !found {
		return action
	}
	return name
}

type tokens struct {
	left float64
	at   time.Time
}

// throttled takes a token for the action, and reports whether there was none.
func (c *Cloud) throttled(action string) bool {
	limit, limited := c.Limits[action]
	if !limited {
		return false
	}
	now := time.Now()
	if c.tokens == nil {
		c.tokens = map[string]*tokens{}
	}
	if c.tokens[action] == nil {
		c.tokens[action] = &tokens{float64(limit.Bucket), now}
	}
	t := c.tokens[action]
	t.left = min(t.left+now.Sub(t.at).Seconds()*limit.Refill, float64(limit.Bucket))
	t.at = now
	if t.left < 1 {
		return true
	}
	t.left--
	return false
}

func (c *Cloud) account() string { return cmp.Or(c.Account, "111122223333") }
func (c *Cloud) region() string  { return cmp.Or(c.Region, "eu-west-1") }

// partition is the part of an ARN that follows from the Region (IAM User Guide, Amazon Resource Names).
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

func (c *Cloud) next() int {
	c.count++
	return c.count
}

func digest(kind string, n int) string {
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, kind, n)))
}

func uuid(kind string, n int) string {
	d := digest(kind, n)
	return d[:8] + "-" + d[8:12] + "-4" + d[13:16] + "-8" + d[17:20] + "-" + d[20:32]
}

type endpoint struct {
	Endpoint
	seq     int
	created time.Time
	network netip.Addr
	cursor  uint32
	conns   []*conn            // listed, in order of establishment, so by seq
	byUser  map[string][]*conn // the same by user name, without those that have none
	used    map[string]*conn   // by address, while the tunnel is up
}

func (e *endpoint) address() string {
	for {
		e.cursor = e.cursor%(1<<20-3) + 1
		a, n := e.network.As4(), e.cursor+1
		a[1], a[2], a[3] = a[1]|byte(n>>16), byte(n>>8), byte(n)
		if ip := netip.AddrFrom4(a).String(); e.used[ip] == nil {
			return ip
		}
	}
}

type conn struct {
	Client
	id, ip, status     string
	seq                int
	established, ended time.Time
	byRequest          bool
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

// terminate starts to end a connection that is up.
func (c *Cloud) terminate(k *conn, at time.Time) {
	k.status = terminating
	if k.Stuck {
		return
	}
	c.at(at.Add(cmp.Or(c.TerminateTime, 300*time.Millisecond)), func(at time.Time) {
		switch {
		case k.status != terminating: // the client was quicker
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

// reconnect has a client come back that was ended, or tried in vain.
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

// event is something that happens at its time, but is only worked out when somebody looks.
type event struct {
	at  time.Time
	seq int
	do  func(at time.Time)
}

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

func (c *Cloud) at(t time.Time, do func(at time.Time)) { heap.Push(&c.events, event{t, c.next(), do}) }

// advance lets everything happen that is due by now, in the order of its time.
func (c *Cloud) advance() {
	for now := time.Now(); len(c.events) > 0 && !c.events[0].at.After(now); {
		e := heap.Pop(&c.events).(event)
		e.do(e.at)
	}
	if !c.expired {
		return
	}
	c.expired = false
	// Those no longer listed leave the lists of their endpoints in one sweep, since removing them one by one would take
	// quadratic time when many end together.
	unlisted := func(k *conn) bool { return c.conns[k.id] == nil }
	for _, e := range c.endpoints {
		users := map[string]bool{}
		for _, k := range e.conns {
			if k.Username != "" && unlisted(k) {
				users[k.Username] = true
			}
		}
		for user := range users {
			if e.byUser[user] = slices.DeleteFunc(e.byUser[user], unlisted); len(e.byUser[user]) == 0 {
				delete(e.byUser, user)
			}
		}
		e.conns = slices.DeleteFunc(e.conns, unlisted)
	}
}
