package emulator

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"
)

// Endpoint is a Client VPN endpoint.
type Endpoint struct {
	ID             string // cvpn-endpoint- and 17 hexadecimal digits
	Description    string
	Authentication []string // certificate-authentication, directory-service-authentication, federated-authentication
	TransitGateway string   // tgw-…; empty for an endpoint with subnets
	Status         string   // default available
	Tags           map[string]string
	SessionHours   int // default 24

	// What the kinds of authentication refer to. An empty one has a default.
	SAMLProvider        string // ARN of federated-authentication
	SelfServiceProvider string // ARN of the SAML provider of the self-service portal; empty for none
	Directory           string // d-… of directory-service-authentication
	RootCertificate     string // ARN of certificate-authentication

	NoConnectHandler bool // lets everybody in, whatever [Cloud.ConnectHandler] says
}

// endpoint is an Endpoint with its connections.
type endpoint struct {
	Endpoint
	seq     int
	created time.Time
	network netip.Addr
	cursor  uint32             // the address that was assigned last
	conns   []*conn            // listed, in order of establishment, so by seq
	byUser  map[string][]*conn // the same by user name, without those that have none
	used    map[string]*conn   // by address, while the tunnel is up
}

// AddEndpoint creates an endpoint. An endpoint that exists keeps its connections and gets the new description.
// It panics without an ID.
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

// DeleteEndpoint deletes an endpoint and its connections. EC2 lists neither any more. It does not check that the
// endpoint's target networks were disassociated first.
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

// address assigns the next free address of the client CIDR range.
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

// removeUnlisted removes the connections that are not in listed any more, all in one pass. Removing them one by one
// would take quadratic time when many end together.
func (e *endpoint) removeUnlisted(listed map[string]*conn) {
	unlisted := func(k *conn) bool { return listed[k.id] == nil }
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
