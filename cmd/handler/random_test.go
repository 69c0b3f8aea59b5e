package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/emulator"
)

var (
	seed = flag.Uint64("seed", 0,
		"of the one day that TestRandomDays lives through; 0 for many days, each with a seed of its own")
	first   = flag.Uint64("first", 1, "seed of the first of the many days; 0 for one by chance")
	lasting = flag.Duration("lasting", 3*time.Second, "how long TestRandomDays goes on")
)

// TestRandomDays lives through days that chance makes: people connect and come back; events arrive twice, out of order
// and with poison among them; calls fail in every way; processes die; two instances work side by side. The promises of
// the world are held at every call and every answer. What happens follows from the seed, but for the order in which
// goroutines take turns.
func TestRandomDays(t *testing.T) {
	if *seed != 0 {
		day := randomDay(t, *seed)
		t.Logf("seed %d: %+v", *seed, day)
		return
	}
	var sum tally
	next := *first
	if next == 0 {
		next = rand.Uint64()
	}
	began, from := time.Now(), next
	defer func() {
		if t.Failed() { // synctest.Test has ended this test
			t.Logf("broken by seed %d; to repeat it: go test ./cmd/handler -run TestRandomDays -seed %[1]d", next)
		}
	}()
	for ; next == from || time.Since(began) < *lasting; next++ {
		sum.add(randomDay(t, next))
	}
	t.Logf("seeds %d to %d: %+v", from, next-1, sum)
}

// tally says what a day had in it, so that nobody takes an empty one for a good one.
type tally struct {
	Events, Deliveries, Calls, Spoilt, Deaths, Published, DeadLetters, Held int
	// People who were opened last, connections that were allowed as the list could not be read, and replayed events.
	Opened, Blind, Replayed int
}

func (a *tally) add(b tally) {
	a.Events += b.Events
	a.Deliveries += b.Deliveries
	a.Calls += b.Calls
	a.Spoilt += b.Spoilt
	a.Deaths += b.Deaths
	a.Published += b.Published
	a.DeadLetters += b.DeadLetters
	a.Held += b.Held
	a.Opened += b.Opened
	a.Blind += b.Blind
	a.Replayed += b.Replayed
}

// day is a world that chance moves.
type day struct {
	*world

	r     *rand.Rand // of the company, which has its own goroutine
	seed  uint64
	until time.Time // when the last event has come
	// deployAt is when new processes take over from all that run.
	deployAt time.Time
	fronts   []front
	sent     []*event
	over     chan struct{}
	mu       sync.Mutex
	asked    map[string]int // calls of each kind
	tally    tally
	serial   int
	crowded  bool
}

func randomDay(t *testing.T, seed uint64) (sum tally) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		d := &day{world: w, r: rand.New(rand.NewPCG(seed, 0)), seed: seed, over: make(chan struct{}), asked: map[string]int{}}
		d.prepare()
		var working sync.WaitGroup
		for n := range 2 {
			working.Go(func() { d.work(rand.New(rand.NewPCG(seed, uint64(n+1)))) })
		}
		d.company()
		d.evening()
		close(d.over)
		working.Wait()
		d.tally.Blind = w.door.clear()
		if w.sweeps {
			w.lastSweep()
		}
		if w.brake > 0 {
			w.rule(d.chance(0.5))
		}
		w.settle()
		if w.keepOut {
			w.settleList()
			w.settleOpened()
		}
		w.settleReplays()
		d.tally.Replayed = w.replayed
		d.tally.Held, d.tally.Opened = w.ruled, w.opened
		d.tally.Calls, d.tally.Published, d.tally.DeadLetters = len(w.cloud.Calls()), len(w.statuses), len(w.dead)
		sum = d.tally
		if t.Failed() {
			t.Logf("the day of seed %d:\n%s", seed, strings.Join(w.trace, "\n"))
		}
	})
	return sum
}

func pick[T any](r *rand.Rand, all []T) T { return all[r.IntN(len(all))] }

func (d *day) chance(p float64) bool { return d.r.Float64() < p }

var people = []string{"ann", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"}

// prepare makes the company, and the weather of the day.
func (d *day) prepare() {
	w, r := d.world, d.r
	w.cloud.TerminateTime = pick(r, []time.Duration{100 * time.Millisecond, time.Second, 5 * time.Second})
	w.cloud.Latency = pick(r, []time.Duration{time.Millisecond, 50 * time.Millisecond, 200 * time.Millisecond})
	w.cloud.EndedAnswersRow = d.chance(0.5)
	w.watch = pick(r, []time.Duration{0, defaultWatch, defaultWatch})
	w.keepOut, w.mail, w.given, w.dryRun = d.chance(0.5), d.chance(0.5), d.chance(0.25), d.chance(0.1)
	if d.chance(0.5) {
		w.found()
	}
	if w.keepOut && d.chance(0.6) {
		w.guard()
		w.door.r = rand.New(rand.NewPCG(d.seed, 9))
	}
	if w.keepOut && !w.dryRun && d.chance(0.5) {
		w.brakeOn(1 + r.IntN(5))
	}
	w.sweeps = w.keepOut && !w.tenants && d.chance(0.7)
	calm := d.chance(0.3)
	if d.chance(0.3) {
		w.expand()
		if w.closed = d.chance(0.2); w.closed {
			w.troubleAt = time.Now().AddDate(1, 0, 0) // of every event, but nowhere else
			w.troubleOn[abroad] = w.troubleAt
		}
	}
	if d.chance(0.4) {
		w.cloud.PageSize = 5
	}
	if d.chance(0.15) {
		w.cloud.Limits = emulator.DocumentedLimits()
		w.troubleForEver()
	}
	if d.chance(0.1) {
		w.timeout = pick(r, []time.Duration{time.Second, 5 * time.Second, 30 * time.Second})
		w.troubleForEver()
	}
	// Of a listing that breaks off between two pages, nobody can tell how many connections it would have had.
	if d.crowded = w.cloud.PageSize == 0 || calm && w.troubleAt.IsZero(); d.crowded {
		w.crowded["crowd"] = true
	}
	d.fill()
	d.until = time.Now().Add(time.Duration(5+r.IntN(40)) * time.Minute)
	d.deployAt = time.Now().Add(time.Until(d.until) / 2)
	if !calm {
		d.weather()
	}
	if w.guarded && d.chance(0.9) {
		d.fog()
	}
	w.spoil = d.spoil
}

// fill lets people connect before the day begins.
func (d *day) fill() {
	w, r := d.world, d.r
	// A listing is longer than the answer about one person, whose connections are on many of its pages.
	for n := range 12 {
		for k := range r.IntN(5) {
			w.connect("other", emulator.Client{EndpointID: saml, Username: fmt.Sprint("other", n, k)})
		}
		if d.crowded {
			w.connect("crowd", emulator.Client{EndpointID: saml, Username: crowdNames[n%len(crowdNames)]})
		}
	}
	for _, k := range []emulator.Client{
		{EndpointID: saml, Username: "breakglass@example.com"}, {EndpointID: ad, Username: `EXAMPLE\BreakGlass`},
		{EndpointID: certs, CommonName: "breakglass.vpn.example.com"},
	} {
		w.connect("breakglass", k)
	}
	for range 20 {
		d.arrive()
	}
}

// weather makes the times in which calls fail.
func (d *day) weather() {
	r := d.r
	for range 1 + r.IntN(5) {
		from := time.Now().Add(time.Duration(r.Int64N(int64(time.Until(d.until)))))
		f := front{from: from, to: from.Add(time.Duration(r.Int64N(int64(15 * time.Minute)))),
			chance: pick(r, []float64{0.02, 0.1, 0.3, 1})}
		f.one = pick(r, []string{"", "", saml, ad, certs, abroad, endpointsAction, listAction, endAction, publishAction,
			topic, text, putAction})
		for range 1 + r.IntN(3) {
			f.faults = append(f.faults, pick(r, evils))
		}
		d.fronts = append(d.fronts, f)
		d.note("weather %+v", f)
	}
}

// company lets people and events come and go until the day is over.
func (d *day) company() {
	for time.Now().Before(d.until) {
		time.Sleep(time.Duration(d.r.Int64N(int64(time.Minute))))
		switch n := d.r.IntN(100); {
		case n < 25:
			d.arrive()
		case n < 30:
			if c := pick(d.r, d.connections()); d.owner(c) != "crowd" && d.owner(c) != "breakglass" {
				d.cloud.Disconnect(c.ID)
				if d.other != nil {
					d.other.Disconnect(c.ID)
				}
				d.note("%s hangs up", c.ID)
			}
		case n < 31 && !d.given:
			d.note("an endpoint is deleted")
			d.trouble("")
			d.cloud.DeleteEndpoint(ad)
			time.Sleep(time.Minute)
			d.cloud.AddEndpoint(emulator.Endpoint{ID: ad})
		case n < 35:
			d.changeMind()
		case n < 40 && len(d.sent) > 0:
			e := pick(d.r, d.sent)
			d.note("%s comes again", e.id)
			d.send(e)
		default:
			for range 1 + d.r.IntN(4)*d.r.IntN(4) {
				d.happen()
			}
		}
	}
}

// changeMind closes a person, and opens the same person seconds later. One instance watches, and another one opens. The
// person then connects.
func (d *day) changeMind() {
	person := pick(d.r, people)
	name := pick(d.r, spellings(person)) + ":" + person
	pause := func(atMost time.Duration) { time.Sleep(2*time.Second + time.Duration(d.r.Int64N(int64(atMost)))) }
	var working sync.WaitGroup
	defer working.Wait()
	d.late = 0
	for _, asked := range []asks{forEnd, forNone} {
		d.serial++
		e := d.add(fmt.Sprint("e", d.serial), asked, name)
		d.tally.Events++
		d.sent = append(d.sent, e)
		d.note("%s asks for %s: %v, which changes soon", e.id, e.asks, e.people)
		working.Go(func() { d.deliver(d.start(false), d.hand(e), d.timeout) })
		pause(3 * time.Second)
	}
	for n := range 3 {
		k := emulator.Client{EndpointID: pick(d.r, []string{saml, ad, certs}), Username: spellings(person)[n]}
		if !d.many(person) {
			d.note("%s connects: %s %q on %s", person, d.connect(person, k), k.Username, k.EndpointID)
		}
		pause(4 * time.Second)
	}
}

// evening opens some people, so that a day has some who were opened last.
func (d *day) evening() {
	for _, person := range people {
		id := func() string {
			d.serial++
			d.tally.Events++
			return fmt.Sprint("e", d.serial)
		}
		var all []*event
		switch d.late = d.delay() / 4; {
		case d.tenants && d.chance(0.2): // a directory closes, and an issuer that may take that back opens
			d.late += time.Minute
			all = append(all, d.addTenants(id(), person, 4))
			d.late = 0
			all = append(all, d.addTenants(id(), person, 7))
		case d.tenants && d.chance(0.25):
			all = append(all, d.addTenants(id(), person, pick(d.r, []int{2, 7})))
		case d.chance(0.3):
			all = append(all, d.add(id(), forNone, pick(d.r, spellings(person))+":"+person))
		}
		for _, e := range all {
			d.note("%s in the evening: %s of %v", e.id, e.asks, e.people)
		}
		d.sent = append(d.sent, all...)
		d.send(all...)
	}
}

// crowdNames are more names than the limit allows, which the policy makes one person's.
var crowdNames = []string{
	"crowd", "crowd@example.com", `example.com\crowd`, "crowd@example", `example\crowd`,
	"crowd@one.test", `one.test\crowd`, "crowd@two.test", `two.test\crowd`,
}

// spellings are what one person is called.
func spellings(person string) []string {
	return []string{person, strings.ToUpper(person), person + "@example.com",
		strings.ToUpper(person[:1]) + person[1:] + "@Example.COM", `EXAMPLE\` + person}
}

// arrive lets a client connect: one of the people's, or one that only looks like it.
func (d *day) arrive() {
	person := pick(d.r, people)
	if d.tenants && d.chance(0.15) {
		d.arriveAtDaughter(person)
		return
	}
	k := emulator.Client{EndpointID: pick(d.r, []string{saml, ad, certs})}
	if d.other != nil && d.chance(0.3) {
		d.serial++
		k.EndpointID, k.ID = abroad, fmt.Sprintf("cvpn-connection-%017x", d.serial)
	}
	owner := d.look(person, &k)
	switch n := d.r.IntN(40); {
	case n < 6 && k.ID == "": // or its next id may be one of home's
		k.ReconnectAfter, k.Reconnects = pick(d.r, []time.Duration{500 * time.Millisecond, 2 * time.Second, 10 * time.Second,
			time.Minute}), pick(d.r, []int{1, 1, 2, -1})
	case n < 7:
		k.Stuck = true
	case n < 8:
		k.FailToTerminate = true
	}
	if d.many(person) {
		return
	}
	id := d.connect(owner, k)
	d.note("%s connects: %s %q %q on %s", owner, id, k.Username, k.CommonName, k.EndpointID)
}

// look sets names like the person's, and returns whose client it is. It notes who else may be meant.
func (d *day) look(person string, k *emulator.Client) (owner string) {
	switch n := d.r.IntN(20); {
	case n < 11:
		k.Username = pick(d.r, spellings(person))
	case n < 12:
		k.Username, k.CommonName = pick(d.r, spellings(person)), "laptop-7"
	case n < 14:
		k.CommonName = pick(d.r, []string{person + ".vpn.example.com", strings.ToUpper(person) + ".vpn.example.com"})
	case n < 15:
		k.Username, k.CommonName = "N/A", person+".vpn.example.com"
	case n < 16: // another's certificate, under the user's own name
		other := pick(d.r, people)
		k.Username, k.CommonName = person, other+".vpn.example.com"
		if other != person {
			d.doubtful(other, *k)
		}
	case n < 17: // the user's name, with a certificate that is exempt
		k.Username, k.CommonName = person, "breakglass.vpn.example.com"
		return "breakglass"
	case n < 18: // the same name of another company
		k.Username = pick(d.r, []string{person + "@example.org", `OTHER\` + person, person + "@example.com.evil.test"})
		d.doubtful(person, *k)
		return "other"
	default:
		k.Username = pick(d.r, []string{"m" + person, person + "2", "*"})
		if d.chance(0.3) {
			k.Username, k.CommonName = "", pick(d.r, []string{"x" + person + ".vpn.example.com", person + ".vpn.example.org",
				"vpn.example.com"})
		}
		return "other"
	}
	return person
}

// many reports whether the person is near the limit.
func (d *day) many(person string) bool {
	n := 0
	for _, c := range d.connections() {
		if isUp(c) && strings.Contains(strings.ToLower(c.Username+c.CommonName), person) {
			n++
		}
	}
	return n >= 4
}

// delay is how long an event was on its way.
func (d *day) delay() time.Duration {
	if d.chance(0.8) {
		return 0
	}
	return time.Duration(d.r.Int64N(int64(30 * time.Minute)))
}

// named returns a name and whose it is, for the event of an id.
func (d *day) named(id string) string {
	person := pick(d.r, people)
	switch n := d.r.IntN(20); {
	case n == 0:
		person = "breakglass"
	case n < 3 && d.crowded:
		return "crowd:crowd"
	case n == 3:
		return "nobody-" + id + ":nobody"
	}
	return pick(d.r, spellings(person)) + ":" + person
}

// happen sends an event.
func (d *day) happen() {
	d.serial++
	id := fmt.Sprint("e", d.serial)
	d.tally.Events++
	named := func() string { return d.named(id) }
	var e *event
	d.late = d.delay()
	done := d.closedByProviders()
	switch n := d.r.IntN(100); {
	case n < 2 && d.sweeps:
		e = d.addSweep(id)
	case n == 5 && len(done) > 0:
		e = d.addReplay(pick(d.r, done))
	case n < 4:
		e = d.addSpoofed(id, pick(d.r, people), d.r.IntN(len(spoofs)))
	case n < 20 && d.tenants:
		e = d.addTenants(id, pick(d.r, people), d.r.IntN(10))
	case n < 55:
		e = d.add(id, forEnd, named())
	case n < 65:
		e = d.add(id, forEnd, named(), named(), named())
	case n < 69:
		e = d.addAddress(id, "10.32.0.9")
		if c := pick(d.r, d.connections()); c.EndpointID == certs {
			e = d.addAddress(id, c.ClientIP)
		}
	case n < 75:
		e = d.addOne(id, "cvpn-connection-0")
		if c := pick(d.r, d.connections()); d.owner(c) != "crowd" {
			e = d.addOne(id, c.ID)
		}
	case n < 82:
		e = d.add(id, forDryRun, named())
	case n < 86:
		e = d.add(id, forWord, named())
	case n < 90:
		e = d.add(id, forNone, named())
	case n < 93:
		e = d.add(id, tooOld, named())
	case n < 96:
		e = d.addRaw(id, foreign,
			`{"version":"0","id":"`+id+`","detail-type":"EC2 Instance State-change Notification",`+
				`"source":"aws.ec2","detail":{}}`)
	default:
		e = d.addRaw(id, poison, pick(d.r, []string{"{", "", "null", "[]", `{"source":"clientvpn-responder"}`,
			`{"id":"` + id +
				`","source":"clientvpn-responder","detail-type":"Terminate Connections","detail":{"username":"ann"}}`,
			custom(id, time.Now(), `"username":"-"`), custom(id, time.Now(), `"username":"ann","dry_run":"yes"`)}))
	}
	d.sent = append(d.sent, e)
	d.note("%s asks for %s: %v %s", id, e.asks, e.people, e.only)
	d.send(e)
}

// work is one instance after another, until the day is over and the queue empty.
func (d *day) work(r *rand.Rand) {
	i := d.start(false)
	born := func() time.Time { return time.Now().Add(time.Duration(r.Int64N(int64(30 * time.Minute)))) }
	dies, deployed := born(), false
	for over := false; ; {
		select {
		case <-d.over:
			over = true
		default:
		}
		batch, when := d.receive(1+r.IntN(10), r.IntN)
		if len(batch) == 0 {
			if over && when.IsZero() {
				return
			}
			wait := time.Duration(1 + r.Int64N(int64(5*time.Second)))
			if over {
				wait = time.Until(when)
			}
			time.Sleep(wait)
			continue
		}
		if !deployed && time.Now().After(d.deployAt) { // another version, whose processes know nothing of these
			i.kill()
			i, deployed = d.start(false), true
		}
		if r.IntN(30) == 0 { // SQS delivers at least once, and so at times twice at once
			d.world.mu.Lock()
			batch[0].visible = time.Now()
			d.world.mu.Unlock()
		}
		var death *time.Timer
		if left := time.Until(dies); left < timeout {
			death = time.AfterFunc(max(left, time.Duration(r.Int64N(int64(20*time.Second)))), i.kill)
		}
		d.deliver(i, batch, d.timeout)
		d.mu.Lock()
		d.tally.Deliveries++
		d.mu.Unlock()
		if death != nil {
			death.Stop()
		}
		if i.ctx.Err() != nil || i.broken {
			i.kill()
			i, dies = d.start(r.IntN(10) == 0), born()
			d.mu.Lock()
			d.tally.Deaths++
			d.mu.Unlock()
		}
	}
}
