package main

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
)

const (
	saml  = "cvpn-endpoint-00000000000000001"
	ad    = "cvpn-endpoint-00000000000000002"
	certs = "cvpn-endpoint-00000000000000003"
)

const worldRules = `version: 1
identity:
  domains: [example.com, EXAMPLE, one.test, two.test]
  common_names: ["{user}.vpn.example.com"]
exempt: [breakglass@example.com]
max_connections: 6
brake: off
rules:
  - name: leavers
    when: {kinds: [account-disabled, session-revoked]}
    then: terminate
  - name: recent
    when: {kinds: [credential-compromise], max_age: 24h}
    then: terminate
  - name: watched
    when: {kinds: [account-purged]}
    then: terminate
    mode: dry-run
  - name: risks
    when: {kinds: [risk-level-change]}
    then: notify
`

const (
	abroad       = "cvpn-endpoint-00000000000000009"
	memberRole   = "arn:aws:iam::444455556666:role/clientvpn-responder-member"
	keepOutTable = "keepout"
)

// The template's settings for the function.
const (
	timeout     = 150 * time.Second
	visibility  = 5 * time.Minute
	maxReceives = 5
)

// world is a company with its function and its queue, in virtual time. The handler uses the real SDK over HTTP in
// memory. The model beside it knows by construction whose every connection is and what every event asks for. So it
// shares no mistake with the code. It holds four promises at every call and every answer:
//
//   - nobody wrong is ended: an instance is at work on an event about that person, which no opening takes back;
//   - what could be ended is ended;
//   - what is claimed is true;
//   - each event ends in an outcome, or in the failures that are returned for another try.
//
// At the end of a day it holds two more:
//
//   - nobody who was closed is up, except as an outcome says;
//   - nobody who was opened last is out: the person can connect, and an older closing that comes again ends nothing.
type world struct {
	t     *testing.T
	cloud *emulator.Cloud
	// other is another account's, in another Region, behind a role that can be assumed unless closed; nil for none.
	other  *emulator.Cloud
	closed bool
	// spoil returns the fault of a call; nil for none.
	spoil   func(emulator.Call) emulator.Fault
	timeout time.Duration
	watch   time.Duration
	keepOut bool          // there is a list of people who may not come back
	guarded bool          // the endpoints at home have a client connect handler, which reads that list
	door    *door         // that handler; nil for none
	mail    bool          // there is a topic for texts
	given   bool          // the endpoints are configured, and not discovered
	dryRun  bool          // the function is in dry-run
	tenants bool          // there is a second company, with people of the same names
	sweeps  bool          // there are sweeps
	late    time.Duration // how long ago the next event happened

	mu        sync.Mutex
	owners    map[string]string // person by what a connection shows of its client
	stubborn  map[string]bool   // people with a connection that does not end
	crowded   map[string]bool   // people with more connections than the limit
	doubts    map[string]string // person who may be meant, by what a connection shows of a client who may be another
	events    map[string]*event
	queue     []*message
	dead      []*message
	told      map[string]map[string][]string // of each event, the statuses published, by the name in it
	texts     map[string]int                 // of each event, the texts published
	statuses  []string                       // of all that was published, in order
	read      int                            // of the published messages
	brake     int                            // how many people it lets be cut off in an hour; 0 without one
	cut       map[string]time.Time           // when people were cut off last, while there is a brake
	ruled     int                            // events that waited when a person decided
	opened    int                            // people who were opened last, and connected at the end
	replayed  int                            // answered events that were replayed at the end
	released  bool                           // a person has released what it held
	shaken    bool                           // a call of the table was spoilt
	shakenAt  time.Time                      // when the last one was
	flights   []*flight                      // deliveries under way
	releasing time.Time                      // since when released events are delivered; zero if none are
	troubleAt time.Time                      // when the last call was spoilt
	troubleOn map[string]time.Time           // the same by endpoint; "" for calls that concern all
	trace     []string                       // what happened, for a person who must understand a failure
	stops     []func()
}

func newWorld(t *testing.T) *world {
	w := &world{
		t:       t,
		cloud:   &emulator.Cloud{TerminateTime: time.Second, Latency: 20 * time.Millisecond},
		timeout: timeout, watch: defaultWatch,
		owners: map[string]string{}, stubborn: map[string]bool{}, crowded: map[string]bool{}, doubts: map[string]string{},
		events: map[string]*event{}, troubleOn: map[string]time.Time{},
		texts: map[string]int{}, told: map[string]map[string][]string{},
	}
	w.cloud.AddEndpoint(emulator.Endpoint{ID: saml})
	w.cloud.AddEndpoint(emulator.Endpoint{ID: ad})
	// A transit gateway keeps client addresses.
	w.cloud.AddEndpoint(emulator.Endpoint{ID: certs, TransitGateway: "tgw-0123456789abcdef0"})
	w.cloud.AddTable(keepOutTable, "id")
	w.cloud.OnCall = w.onCall
	return w
}

func (w *world) close() {
	for _, stop := range w.stops {
		stop()
	}
}

// expand opens an endpoint in another account and Region.
func (w *world) expand() {
	w.other = &emulator.Cloud{
		Account: "444455556666", Region: "us-east-1",
		TerminateTime: w.cloud.TerminateTime, Latency: w.cloud.Latency, OnCall: w.onCall,
	}
	w.other.AddEndpoint(emulator.Endpoint{ID: abroad})
}

// connections are those of all accounts and Regions.
func (w *world) connections() []emulator.Connection {
	if w.other == nil {
		return w.cloud.Connections()
	}
	return slices.Concat(w.cloud.Connections(), w.other.Connections())
}

// connect lets a person's client connect.
func (w *world) connect(person string, k emulator.Client) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.owners[ownerKey(k.EndpointID, k.Username, k.CommonName)] = person
	var id string
	switch {
	case k.EndpointID == abroad:
		id = w.other.Connect(k)
	case !w.guarded:
		id = w.cloud.Connect(k)
	default:
		id, _ = w.cloud.Attempt(k)
	}
	if k.Stuck || k.FailToTerminate {
		w.stubborn[person], w.stubborn[id] = true, true
	}
	return id
}

func (w *world) owner(c emulator.Connection) string {
	return w.owners[ownerKey(c.EndpointID, c.Username, c.CommonName)]
}

// ownerKey is what says whose a connection is. Both companies have people of one name.
func ownerKey(endpointID, username, commonName string) string {
	return fmt.Sprint(endpointID == daughter, "\x00", username, "\x00", commonName)
}

func isUp(c emulator.Connection) bool { return c.EndedAt.IsZero() }

// broke reports a promise that was broken.
func (w *world) broke(format string, args ...any) {
	w.t.Errorf("%s: %s", time.Now().Format(clock), fmt.Sprintf(format, args...))
}

const clock = "15:04:05.000"

func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trace = append(w.trace, time.Now().Format(clock)+" "+fmt.Sprintf(format, args...))
}

// up lists whose connections are up.
func (w *world) up() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var names []string
	for _, c := range w.connections() {
		if isUp(c) {
			names = append(names, w.owner(c))
		}
	}
	slices.Sort(names)
	return names
}
