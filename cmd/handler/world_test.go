package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/keepout"
	"clientvpn-responder/internal/notify"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/schema"
	"clientvpn-responder/internal/vpn"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

const (
	saml  = "cvpn-endpoint-00000000000000001"
	ad    = "cvpn-endpoint-00000000000000002"
	certs = "cvpn-endpoint-00000000000000003"
)

const worldRules = `version: 1
identity:
  domains: [example.com, EXAMPLE]
  common_names: ["{user}.vpn.example.com"]
exempt: [breakglass@example.com]
max_connections: 6
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

// What the template gives the function.
const (
	timeout     = 150 * time.Second
	visibility  = 5 * time.Minute
	maxReceives = 5
)

// world is a company with the function before it and its queue before that, in virtual time: the handler with the real SDK over
// HTTP in memory. Beside it stands a model that knows by construction whose every connection is and what every event asks for,
// so that it shares no mistake with the code. It holds four promises at every call and every answer:
//
//   - nobody wrong is ended;
//   - what could be ended is ended;
//   - what is claimed is true;
//   - each event ends in an outcome, or in the failures that are returned for another try.
type world struct {
	t     *testing.T
	cloud *emulator.Cloud
	// other is another account's, in another Region, behind a role that can be assumed unless closed; nil for none.
	other  *emulator.Cloud
	closed bool
	// spoil gives the fault of a call; nil for none.
	spoil   func(emulator.Call) emulator.Fault
	timeout time.Duration
	watch   time.Duration
	keepOut bool // there is a list of people who may not come back
	mail    bool // there is a topic for texts
	given   bool // the endpoints are given, and not discovered
	dryRun  bool // the function is in dry-run

	mu        sync.Mutex
	owners    map[string]string   // person by what a connection shows of its client
	stubborn  map[string]bool     // people with a connection that does not end
	crowded   map[string]bool     // people with more connections than the limit
	maybe     map[string][]string // statuses that people can have besides, for another's sake
	events    map[string]*event
	queue     []*message
	dead      []*message
	told      map[string]map[string][]string // of each event, the statuses published, by the name given
	texts     map[string]int                 // of each event, the texts published
	statuses  []string                       // of all that was published, in order
	read      int                            // of the published messages
	troubleAt time.Time                      // when the last call was spoilt
	troubleOn map[string]time.Time           // the same by endpoint; "" for calls that concern all
	trace     []string                       // what happened, for whoever must understand a failure
	stops     []func()
}

// event is one of EventBridge's, and what it asks for.
type event struct {
	id, body string
	at       time.Time // in it, to the second
	asks     asks
	people   map[string]string // names as given, and the people
	only     string            // id of the one connection that it names
	address  string            // whose holder it means

	delivered bool            // to an instance, at least
	doneAt    time.Time       // when the last delivery began that ended well
	away      map[string]bool // names of which that delivery said that they keep coming back
}

// asks is what an event must lead to.
type asks string

const (
	forEnd    asks = "end"
	forDryRun asks = "dry-run"
	forWord   asks = "notified"
	forNone   asks = "ignored"
	tooOld    asks = "stale"
	foreign   asks = "foreign"
	poison    asks = "poison"
)

// message is an event in the queue, where it may be twice.
type message struct {
	*event

	id       string
	receives int
	visible  time.Time
	done     bool
}

func newWorld(t *testing.T) *world {
	w := &world{
		t: t, cloud: &emulator.Cloud{TerminateTime: time.Second, Latency: 20 * time.Millisecond}, timeout: timeout, watch: defaultWatch,
		owners: map[string]string{}, stubborn: map[string]bool{}, crowded: map[string]bool{}, maybe: map[string][]string{},
		events: map[string]*event{}, troubleOn: map[string]time.Time{}, texts: map[string]int{}, told: map[string]map[string][]string{},
	}
	w.cloud.AddEndpoint(emulator.Endpoint{ID: saml})
	w.cloud.AddEndpoint(emulator.Endpoint{ID: ad})
	w.cloud.AddEndpoint(emulator.Endpoint{ID: certs, TransitGateway: "tgw-0123456789abcdef0"}) // so it keeps client addresses
	w.cloud.AddTable(keepOutTable, "person")
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
	w.other = &emulator.Cloud{Account: "444455556666", Region: "us-east-1", TerminateTime: w.cloud.TerminateTime, Latency: w.cloud.Latency, OnCall: w.onCall}
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
	w.owners[k.Username+"\x00"+k.CommonName] = person
	cloud := w.cloud
	if k.EndpointID == abroad {
		cloud = w.other
	}
	id := cloud.Connect(k)
	if k.Stuck || k.FailToTerminate {
		w.stubborn[person], w.stubborn[id] = true, true
	}
	return id
}

// add makes an event about people under the names given, all of whom are the person after the colon: "ALICE:alice".
func (w *world) add(id string, asked asks, names ...string) *event {
	kind := map[asks]string{forEnd: "account-disabled", forDryRun: "account-purged", forWord: "risk-level-change", forNone: "account-enabled", tooOld: "credential-compromise"}[asked]
	at := time.Now()
	if asked == tooOld {
		at = at.Add(-25 * time.Hour)
	}
	people := map[string]string{}
	var given []string
	for _, name := range names {
		name, person, _ := strings.Cut(name, ":")
		people[name] = person
		given = append(given, name)
	}
	list, err := json.Marshal(given)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.put(&event{id: id, at: at.Truncate(time.Second), asks: asked, people: people, body: custom(id, at, `"usernames":`+string(list)+`,"kind":"`+kind+`"`)})
}

// addOne makes an event that asks for the end of one connection.
func (w *world) addOne(id, connectionID string) *event {
	return w.put(&event{id: id, asks: forEnd, only: connectionID, people: map[string]string{connectionID: ""}, body: custom(id, time.Now(), `"connection_id":"`+connectionID+`"`)})
}

// addAddress makes an event that asks for the end of whoever has the address.
func (w *world) addAddress(id, address string) *event {
	now := time.Now()
	return w.put(&event{id: id, at: now.Truncate(time.Second), asks: forEnd, address: address, people: map[string]string{address: ""}, body: custom(id, now, `"client_ip":"`+address+`"`)})
}

// means reports whether the event is about the connection.
func (w *world) means(e *event, c emulator.Connection) bool {
	switch {
	case e.only != "":
		return c.ID == e.only
	case e.address != "": // who had it then, and EC2 tells whole seconds
		return c.EndpointID == certs && c.ClientIP == e.address && !c.EstablishedAt.Truncate(time.Second).After(e.at)
	}
	return slices.Contains(slices.Collect(maps.Values(e.people)), w.owner(c))
}

// addRaw makes an event that leads to no outcome.
func (w *world) addRaw(id string, asked asks, body string) *event {
	return w.put(&event{id: id, asks: asked, body: body})
}

func (w *world) put(e *event) *event {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dryRun && e.asks == forEnd {
		e.asks = forDryRun
	}
	w.events[e.id] = e
	return e
}

func custom(id string, at time.Time, detail string) string {
	return fmt.Sprintf(`{"version":"0","id":%q,"detail-type":"Terminate Connections","source":"clientvpn-responder","account":"111122223333","time":%q,"region":"eu-west-1","resources":[],"detail":{"reason":"left",%s}}`,
		id, at.UTC().Format(time.RFC3339), detail)
}

// send puts events into the queue.
func (w *world) send(all ...*event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range all {
		copies := 0
		for _, m := range w.queue {
			if m.event == e {
				copies++
			}
		}
		id := e.id
		if copies > 0 {
			id = fmt.Sprintf("%s again %d", e.id, copies)
		}
		w.queue = append(w.queue, &message{event: e, id: id, visible: time.Now()})
	}
}

// instance is a process of the function.
type instance struct {
	h      *handler
	ctx    context.Context
	kill   func()
	broken bool // its policy cannot be read
}

// start gives a new one. After kill no call of it reaches anybody, as if the process were dead.
func (w *world) start(broken bool) *instance {
	i := &instance{broken: broken}
	accounts := emulator.Accounts{Home: w.cloud}
	var targets []target
	if w.other != nil {
		accounts.Others = []*emulator.Cloud{w.other}
		targets = []target{{mustParse(w.t, memberRole), "us-east-1"}}
		if !w.closed {
			accounts.Roles = map[string]string{memberRole: ""}
		}
	}
	client, stop := emulator.HTTPClient(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			w.t.Error(err)
		}
		if broken && r.Form.Get("Action") == "TerminateClientVpnConnections" {
			w.broke("asked to end somebody without a policy: %v", r.Form)
		}
		accounts.ServeHTTP(rw, r)
	}))
	var cancel func()
	i.ctx, cancel = context.WithCancel(w.t.Context())
	i.kill = sync.OnceFunc(func() {
		cancel()
		stop()
	})
	w.mu.Lock()
	w.stops = append(w.stops, i.kill)
	w.mu.Unlock()
	calls := &notify.Calls{}
	cfg := aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String("http://aws.test"), Retryer: retryer,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient:  &http.Client{Transport: client.Transport, Timeout: 10 * time.Second},
	}
	cfg.APIOptions = append(cfg.APIOptions, calls.Count)
	topics := notify.Topics{JSON: mustParse(w.t, topic)}
	if w.mail {
		topics.Text = mustParse(w.t, text)
	}
	i.h = &handler{
		log: slog.New(slog.DiscardHandler), calls: calls, reporter: notify.New(cfg, topics),
		responder: responder.Responder{VPN: vpn.New(cfg, nil, places(cfg, settings{targets: targets})...), Mode: policy.Enforce, Watch: w.watch},
	}
	if w.given {
		i.h.responder.VPN.EndpointIDs = []string{saml, ad, certs}
		if w.other != nil {
			i.h.responder.VPN.EndpointIDs = append(i.h.responder.VPN.EndpointIDs, abroad)
		}
	}
	if w.dryRun {
		i.h.responder.Mode = policy.DryRun
	}
	rules := worldRules
	if w.keepOut {
		listCfg := cfg.Copy()
		listCfg.HTTPClient = &http.Client{Transport: client.Transport, Timeout: time.Second} // as wire has it
		i.h.responder.KeepOut = keepout.New(listCfg, keepOutTable)
		rules = strings.ReplaceAll(rules, "then: terminate\n", "then: terminate\n    keep_out: 24h\n")
	}
	if broken {
		i.h.responder.PolicyError = errors.New("policy.yaml:1:1: unreadable")
	} else if p, err := policy.Parse("policy.yaml", []byte(rules)); err != nil {
		w.t.Fatal(err)
	} else {
		i.h.responder.Policy = p
	}
	return i
}

// receive takes up to n visible messages off the queue, by chance where choose is given; when says when the next is visible, if
// there is none now. Without any left it is zero.
func (w *world) receive(n int, choose func(n int) int) (batch []*message, when time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	var visible []*message
	for _, m := range w.queue {
		switch {
		case m.done:
		case m.visible.After(now):
			if when.IsZero() || m.visible.Before(when) {
				when = m.visible
			}
		default:
			visible = append(visible, m)
		}
	}
	for len(visible) > 0 && len(batch) < n {
		k := 0
		if choose != nil {
			k = choose(len(visible))
		}
		m := visible[k]
		visible = slices.Delete(visible, k, k+1)
		m.receives++
		m.visible = now.Add(visibility)
		m.delivered = true
		batch = append(batch, m)
	}
	return batch, when
}

// deliver hands messages to an instance, as Lambda does, and settles what it answers within the time. It gives the ids of those
// that failed.
func (w *world) deliver(i *instance, batch []*message, within time.Duration) (failed []string) {
	began := time.Now()
	var records []events.SQSMessage
	var ids []string
	for _, m := range batch {
		records = append(records, events.SQSMessage{MessageId: m.id, EventSource: "aws:sqs", Body: m.body})
		ids = append(ids, m.id)
	}
	w.note("%p gets %q", i, ids)
	w.readPublished()
	w.mu.Lock()
	before := maps.Clone(w.told)
	w.mu.Unlock()
	payload, err := json.Marshal(events.SQSEvent{Records: records})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(i.ctx, within)
	defer cancel()
	answer, err := i.h.handle(ctx, payload)
	if late := time.Since(began); late > within {
		w.broke("answered after %v", late)
	}
	dead := i.ctx.Err() != nil
	if err != nil && !dead {
		w.broke("a batch of the queue's gave the error %v", err)
	}
	if response, ok := answer.(events.SQSEventResponse); ok && !dead {
		for _, f := range response.BatchItemFailures {
			failed = append(failed, f.ItemIdentifier)
		}
	} else {
		for _, m := range batch {
			failed = append(failed, m.id)
		}
	}
	w.note("%p answers that %q failed; dead: %t", i, failed, dead)
	w.readPublished()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !dead && !i.broken {
		w.holdEffort(batch, began)
	}
	for _, m := range batch {
		if m.done { // by another instance, that had it at the same time
			continue
		}
		if slices.Contains(failed, m.id) {
			if !dead && !w.excused(m, i, began) {
				w.broke("%s failed without a cause", m.id)
			}
			if m.receives >= maxReceives {
				m.done = true
				w.dead = append(w.dead, m)
			}
			continue
		}
		m.done, m.doneAt, m.away = true, began, map[string]bool{}
		for name := range m.people {
			m.away[name] = slices.Contains(w.told[m.event.id][name][len(before[m.event.id][name]):], "reconnecting")
		}
		switch m.asks {
		case poison:
			w.broke("%s was taken for read", m.id)
		case forNone, foreign:
		default:
			for name := range m.people {
				if len(w.told[m.event.id][name]) == 0 {
					w.broke("%s is done, and no outcome of %q was published", m.id, name)
				}
			}
			if n := w.texts[m.event.id]; w.mail && n < len(m.people) {
				w.broke("%s is done, and of %d outcomes %d texts were published", m.id, len(m.people), n)
			}
		}
	}
	return failed
}

// excused reports whether there is a cause for a message to fail.
func (w *world) excused(m *message, i *instance, began time.Time) bool {
	for _, person := range m.people {
		if w.stubborn[person] {
			return true
		}
	}
	for _, c := range w.connections() {
		if w.stubborn[c.ID] && w.means(m.event, c) {
			return true
		}
	}
	return m.asks == poison || i.broken || !w.troubleAt.Before(began)
}

func (w *world) owner(c emulator.Connection) string { return w.owners[c.Username+"\x00"+c.CommonName] }

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

// onCall holds the promises at every call, and spoils it.
func (w *world) onCall(call emulator.Call) emulator.Fault {
	switch call.Action {
	case "TerminateClientVpnConnections":
		w.holdTermination(call)
	case publishAction:
		if call.Params.Get("TopicArn") == topic {
			w.holdClaim([]byte(call.Params.Get("Message")))
		}
	}
	w.mu.Lock()
	spoil := w.spoil
	w.mu.Unlock()
	if spoil == nil {
		return emulator.Fault{}
	}
	fault := spoil(call)
	if fault != (emulator.Fault{}) {
		where := call.Params.Get("ClientVpnEndpointId")
		switch call.Action {
		case publishAction, putAction, getAction:
			where = call.Action // which may end nobody less for it
		}
		w.trouble(where)
	}
	return fault
}

// trouble notes that something goes wrong on an endpoint now, or everywhere if it is "".
func (w *world) trouble(endpointID string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if now.After(w.troubleOn[endpointID]) {
		w.troubleOn[endpointID] = now
	}
	if now.After(w.troubleAt) {
		w.troubleAt = now
	}
}

// troubleForEver notes that nobody knows when it is over.
func (w *world) troubleForEver() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.troubleAt = time.Now().AddDate(1, 0, 0)
	w.troubleOn[""] = w.troubleAt
}

// holdEffort: what could be ended is ended, also where something else went wrong. Where no call about an endpoint was spoilt
// since the delivery began, who was up there then is so no more.
func (w *world) holdEffort(batch []*message, began time.Time) {
	for _, c := range w.connections() {
		owner := w.owner(c)
		if !isUp(c) || !c.EstablishedAt.Before(began) || owner == "breakglass" || w.stubborn[c.ID] || !w.troubleOn[c.EndpointID].Before(began) || !w.troubleOn[""].Before(began) {
			continue
		}
		for _, m := range batch {
			// Of an address, the holders on all endpoints must be known.
			if m.asks == forEnd && m.address == "" && w.means(m.event, c) && (m.only != "" || !w.crowded[owner]) {
				w.broke("nothing was wrong on %s, and %s has not ended %s's %+v", c.EndpointID, m.id, owner, c)
			}
		}
	}
}

// holdTermination: nobody wrong is ended.
func (w *world) holdTermination(call emulator.Call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id, username := call.Params.Get("ConnectionId"), call.Params.Get("Username")
	if call.Params.Get("DryRun") == "true" {
		return
	}
	for _, c := range w.connections() {
		if c.EndpointID == call.Params.Get("ClientVpnEndpointId") && isUp(c) && (c.ID == id || username != "" && c.Username == username) && !w.mayEnd(c) {
			w.broke("asked to end %s's connection %+v", w.owner(c), c)
		}
	}
}

// mayEnd reports whether an event that was delivered allows to end the connection.
func (w *world) mayEnd(c emulator.Connection) bool {
	owner := w.owner(c)
	if owner == "" || owner == "breakglass" {
		return false
	}
	for _, e := range w.events {
		if e.delivered && e.asks == forEnd && w.means(e, c) && (e.only != "" || !w.crowded[owner]) {
			return true
		}
	}
	return false
}

// claim is what an outcome says that can be held against the truth.
type claim struct {
	Status string
	Signal struct {
		EventID string `json:"event_id"`
		Subject struct {
			Usernames    []string
			ConnectionID string `json:"connection_id"`
			ClientIP     string `json:"client_ip"`
		}
	}
	Timing struct {
		ReceivedAt time.Time `json:"received_at"`
	}
	Connections, Spared []struct {
		ID      string    `json:"connection_id"`
		Current string    `json:"current_status"`
		EndedAt time.Time `json:"ended_at"`
	}
}

// name is the one that the event gave.
func (o claim) name() string {
	return o.Signal.Subject.ConnectionID + o.Signal.Subject.ClientIP + strings.Join(o.Signal.Subject.Usernames, " ")
}

// holdClaim: what is claimed is true. An outcome may be published late, but an end stays one, and who was up when the event
// came and is up now was up all the time.
func (w *world) holdClaim(body []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := schema.Check(body); err != nil {
		w.broke("%v: %s", err, body)
	}
	var o claim
	if err := json.Unmarshal(body, &o); err != nil {
		w.broke("%v: %s", err, body)
	}
	e := w.events[o.Signal.EventID]
	if e == nil {
		w.broke("an outcome of no event: %s", body)
		return
	}
	person, known := e.people[o.name()]
	if !known {
		w.broke("%s is about nobody of that name: %s", e.id, body)
		return
	}
	if !slices.Contains(w.allowed(e, person), o.Status) {
		w.broke("%s, which asks for %s, gave %s: %s", e.id, e.asks, o.Status, body)
	}
	told := map[string]string{}
	for _, c := range slices.Concat(o.Connections, o.Spared) {
		told[c.ID] = c.Current
	}
	for _, c := range o.Connections {
		if c.Current != "terminated" && (o.Status == "terminated" || o.Status == "reconnecting") {
			w.broke("%s says %s, and that %s is %s", e.id, o.Status, c.ID, c.Current)
		}
	}
	for _, c := range w.connections() {
		for _, claimed := range o.Connections {
			if claimed.ID == c.ID && claimed.EndedAt.Before(c.EndedAt) && claimed.Current == "terminated" {
				w.broke("%s says that %s had ended at %v, and it was at %v", e.id, c.ID, claimed.EndedAt, c.EndedAt)
			}
		}
		if !isUp(c) {
			continue
		}
		if told[c.ID] == "terminated" {
			w.broke("%s says that %s has ended, which is %s", e.id, c.ID, c.Status)
		}
		about := w.means(e, c) && (person == "" || w.owner(c) == person)
		if _, listed := told[c.ID]; listed || !about || !c.EstablishedAt.Before(o.Timing.ReceivedAt) {
			continue
		}
		switch o.Status {
		case "terminated", "not-connected", "would-terminate", "reconnecting", "exempt", "over-limit", "ambiguous":
			if len(told) > 0 || o.Status != "exempt" && o.Status != "ambiguous" { // by the name in the event, nobody is looked for
				w.broke("%s says %s, and nothing of %s, which is %s since %v", e.id, o.Status, c.ID, c.Status, c.EstablishedAt)
			}
		}
	}
}

// allowed are the statuses that an event can have about a person.
func (w *world) allowed(e *event, person string) []string {
	all := []string{"failed"} // which says no more than that
	switch e.asks {
	case forWord, forNone: // which takes back an earlier one, where there is a list
		return append(all, "notified")
	case tooOld:
		return append(all, "stale")
	case forEnd:
		all = append(all, "terminated", "partial", "unverified", "reconnecting", "not-connected")
	case forDryRun:
		all = append(all, "would-terminate", "partial", "not-connected")
	}
	switch {
	case e.only != "":
		return append(all, "exempt")
	case e.address != "":
		return append(all, "exempt", "ambiguous", "unmapped")
	}
	switch {
	case person == "breakglass":
		return []string{"exempt", "failed"}
	case w.crowded[person]:
		all = []string{"over-limit", "failed", "partial", "not-connected"}
	}
	return append(all, w.maybe[person]...)
}

var eventOfText = regexp.MustCompile(`(?m)^Event: custom (\S+?)(?:,|$)`)

// readPublished takes over what SNS has accepted.
func (w *world) readPublished() {
	all := w.cloud.Published()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range all[min(w.read, len(all)):] {
		if m.TopicARN == text {
			if e := eventOfText.FindStringSubmatch(m.Body); e != nil {
				w.texts[e[1]]++
			}
			continue
		}
		var o claim
		if err := json.Unmarshal([]byte(m.Body), &o); err != nil {
			w.broke("%v: %s", err, m.Body)
		}
		told := maps.Clone(w.told[o.Signal.EventID])
		if told == nil {
			told = map[string][]string{}
		}
		told[o.name()] = append(told[o.name()], o.Status)
		w.told[o.Signal.EventID] = told
		w.statuses = append(w.statuses, o.Status)
	}
	w.read = max(w.read, len(all))
}

// settle holds, at the end, that what could be ended is ended, and that nobody wrong was.
func (w *world) settle() {
	w.readPublished()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.queue {
		if !m.done {
			w.broke("%s is still in the queue", m.id)
		}
	}
	for _, c := range w.connections() {
		owner := w.owner(c)
		if (c.ByRequest || c.Status == "terminating" || c.Status == "failed-to-terminate") && !w.mayEnd(c) {
			w.broke("%s's connection was ended: %+v", owner, c)
		}
		if !isUp(c) {
			continue
		}
		for _, e := range w.events {
			if e.asks != forEnd || !c.EstablishedAt.Before(e.doneAt) {
				continue
			}
			for name, person := range e.people {
				excused := owner == "breakglass" || w.crowded[person] || e.away[name] || e.address != "" && !slices.Contains([]string{"terminated", "not-connected"}, last(w.told[e.id][name]))
				if w.means(e, c) && (person == "" || person == owner) && !excused {
					w.broke("%s is done, %q, and %s's connection is up: %+v", e.id, w.told[e.id][name], owner, c)
				}
			}
		}
	}
}

// settleList holds, at the end, that the list has those who were cut off and were not reinstated since, in whatever order that
// was told, and nobody else.
func (w *world) settleList() {
	w.mu.Lock()
	w.spoil = nil
	w.mu.Unlock()
	client, stop := emulator.HTTPClient(w.cloud)
	defer stop()
	list, err := keepout.New(aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String("http://aws.test"), HTTPClient: client, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}, keepOutTable).List(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, e := range list {
		out = append(out, e.Person)
	}
	// When somebody was to be cut off last, and let in: by events that are done, and by all that an instance has seen.
	type last struct{ out, in, outSeen, inSeen time.Time }
	people := map[string]*last{}
	for _, e := range w.events {
		for name, person := range e.people {
			if person == "" || person == "nobody" || w.crowded[person] {
				continue // who is known by a connection is none to keep out, and of a crowd nobody is, in the end
			}
			if people[person] == nil {
				people[person] = &last{}
			}
			l := people[person]
			switch {
			case e.asks == forEnd && e.delivered && person != "breakglass":
				l.outSeen = later(l.outSeen, e.at)
				if !e.doneAt.IsZero() && len(w.told[e.id][name]) > 0 {
					l.out = later(l.out, e.at)
				}
			case e.asks == forNone && e.delivered:
				l.inSeen = later(l.inSeen, e.at)
				if !e.doneAt.IsZero() {
					l.in = later(l.in, e.at)
				}
			}
		}
	}
	for person, l := range people {
		is := slices.Contains(out, person)
		switch {
		case l.out.After(l.inSeen) && !is:
			w.broke("%s was cut off by an event of %v, was reinstated at %v, and is not on the list: %q", person, l.out, l.inSeen, out)
		case !l.in.Before(l.outSeen) && !l.in.Equal(l.outSeen) && is, l.outSeen.IsZero() && is:
			w.broke("%s was to be cut off at %v, was reinstated at %v, and is on the list", person, l.outSeen, l.in)
		}
	}
	for _, person := range out {
		if people[person] == nil && !w.crowded[person] && !strings.HasPrefix(person, "nobody-") {
			w.broke("%s is on the list", person)
		}
	}
}

func last(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
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
