package main

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"clientvpn-responder/internal/emulator"
)

// row is a fault, and what must come out of it. Unless prepare says otherwise, alice has a connection on saml and one
// on ad, and bob has one on saml. The event e1 says that alice has left.
type row struct {
	fault, out string // in words, for doc/faults.md
	prepare    func(w *world)
	events     func(w *world) []*event // instead of e1
	instances  int                     // side by side; 1 if 0
	broken     bool                    // the policy cannot be read

	failed    []string // messages that go back to the queue at the first delivery
	published []string // statuses, over all deliveries, in alphabetical order
	up        []string // who is connected at the end
	dead      []string // messages in the dead-letter queue at the end
}

const (
	endpointsAction = "DescribeClientVpnEndpoints"
	listAction      = "DescribeClientVpnConnections"
	endAction       = "TerminateClientVpnConnections"
	publishAction   = "Publish"
	putAction       = "UpdateItem"
	getAction       = "BatchGetItem"
)

// inject is a row's preparation by faults alone.
func inject(faults ...emulator.Fault) func(*world) {
	return func(w *world) {
		for _, f := range faults {
			w.cloud.Inject(f)
		}
		w.troubleForEver()
	}
}

// on returns the fault for each of the actions.
func on(f emulator.Fault, actions ...string) (all []emulator.Fault) {
	for _, action := range actions {
		f.Action = action
		all = append(all, f)
	}
	return all
}

// during spoils calls of the action for a time from now.
func during(d time.Duration, f emulator.Fault, actions ...string) func(*world) {
	return func(w *world) {
		until := time.Now().Add(d)
		w.spoil = func(call emulator.Call) emulator.Fault {
			if time.Now().Before(until) && slices.Contains(actions, call.Action) {
				return f
			}
			return emulator.Fault{}
		}
	}
}

// atFirst does something at the first call of the action, before it is done.
func atFirst(action string, do func(w *world)) func(*world) {
	return func(w *world) {
		var once sync.Once
		w.spoil = func(call emulator.Call) emulator.Fault {
			if call.Action == action {
				once.Do(func() {
					do(w)
					w.trouble("")
				})
			}
			return emulator.Fault{}
		}
	}
}

// within leaves the first delivery so much time only.
func within(d time.Duration) func(*world) {
	return func(w *world) { w.timeout = d }
}

func times(n int, status string) []string { return slices.Repeat([]string{status}, n) }

var allActions = []string{endpointsAction, listAction, endAction, publishAction}

var rows = []row{
	{
		fault: "EC2 throttles every call for a quarter of a minute", out: "`terminated`, later",
		prepare: during(15*time.Second, emulator.Fault{Code: "RequestLimitExceeded"}, endpointsAction, listAction,
			endAction),
		published: times(1, "terminated"), up: []string{"bob"},
	},
	{
		fault: "EC2 throttles every call for three minutes", out: "`failed`; then `terminated`",
		prepare: during(3*time.Minute, emulator.Fault{Code: "RequestLimitExceeded"}, endpointsAction, listAction, endAction),
		failed:  []string{"e1"}, published: []string{"failed", "terminated"}, up: []string{"bob"},
	},
	{
		fault:   "EC2 throttles every termination, always",
		out:     "`failed` at each of five tries, and the event among the dead letters",
		prepare: inject(on(emulator.Fault{Code: "RequestLimitExceeded"}, endAction)...),
		failed:  []string{"e1"}, published: times(5, "failed"), up: []string{"alice", "alice", "bob"}, dead: []string{"e1"},
	},
	{
		fault: "EC2 throttles the dry run of one person, always",
		out:   "the others' connections end; `failed` at each of five tries; then the dead letters",
		prepare: func(w *world) {
			w.connect("carol", emulator.Client{EndpointID: certs, Username: "carol"})
			inject(emulator.Fault{Action: endAction, EndpointID: certs, Code: "RequestLimitExceeded"})(w)
		},
		events: func(w *world) []*event {
			return []*event{w.add("e1", forDryRun, "carol:carol"), w.add("e2", forEnd, "bob:bob")}
		},
		failed: []string{"e1"}, published: append(times(5, "failed"), "terminated"), up: []string{"alice", "alice", "carol"},
		dead: []string{"e1"},
	},
	{
		fault: "500 to the first calls of every action", out: "`terminated`",
		prepare:   inject(on(emulator.Fault{Code: "InternalError", Times: 3}, allActions...)...),
		published: times(1, "terminated"), up: []string{"bob"},
	},
	{
		fault: "503 to the first calls of every action", out: "`terminated`",
		prepare:   inject(on(emulator.Fault{Code: "Unavailable", Times: 3}, allActions...)...),
		published: times(1, "terminated"), up: []string{"bob"},
	},
	{
		fault:   "500 to every termination, always",
		out:     "`unverified`, as EC2 may have done it all the same, at each of five tries; then the dead letters",
		prepare: inject(on(emulator.Fault{Code: "InternalError"}, endAction)...),
		failed:  []string{"e1"}, published: times(5, "unverified"), up: []string{"alice", "alice", "bob"},
		dead: []string{"e1"},
	},
	{
		fault: "connections closed without an answer", out: "`terminated`, perhaps published twice",
		prepare:   inject(on(emulator.Fault{Drop: true, Times: 2}, allActions...)...),
		published: times(3, "terminated"), up: []string{"bob"},
	},
	{
		fault: "connections reset", out: "`terminated`, perhaps published twice",
		prepare:   inject(on(emulator.Fault{Reset: true, Times: 2}, allActions...)...),
		published: times(3, "terminated"), up: []string{"bob"},
	},
	{
		fault: "answers that break off", out: "`terminated`, perhaps published twice",
		prepare:   inject(on(emulator.Fault{Cut: true, Times: 1}, allActions...)...),
		published: times(2, "terminated"), up: []string{"bob"},
	},
	{
		fault: "answers with half an XML", out: "`terminated`, perhaps published twice",
		prepare:   inject(on(emulator.Fault{Truncate: true, Times: 1}, allActions...)...),
		published: times(2, "terminated"), up: []string{"bob"},
	},
	{
		fault: "listings and terminations answered with nothing at all", out: "`terminated`: no answer is not an empty list",
		prepare:   inject(on(emulator.Fault{Empty: true, Times: 2}, endpointsAction, listAction, endAction)...),
		published: times(1, "terminated"), up: []string{"bob"},
	},
	{
		fault:   "SNS answers with nothing at all",
		out:     "the event fails; when it comes again, the message that is owed, perhaps for the second time",
		prepare: inject(emulator.Fault{Action: publishAction, Empty: true, Times: 1}),
		failed:  []string{"e1"}, published: times(2, "terminated"), up: []string{"bob"},
	},
	{
		fault: "the first call of every action hangs", out: "`terminated`",
		prepare:   inject(on(emulator.Fault{Delay: time.Hour, Times: 1}, allActions...)...),
		published: times(2, "terminated"), up: []string{"bob"},
	},
	{
		fault:   "an endpoint hangs, always",
		out:     "the others' connections end; `partial` at each of five tries; then the dead letters",
		prepare: inject(emulator.Fault{Action: listAction, EndpointID: ad, Delay: time.Hour}),
		failed:  []string{"e1"}, published: append(times(4, "failed"), "partial"), up: []string{"alice", "bob"},
		dead: []string{"e1"},
	},
	{
		fault: "a page token goes bad in the middle of a listing", out: "`terminated`: it is listed anew",
		prepare: func(w *world) {
			w.cloud.PageSize = 5
			for i := range 12 {
				w.connect("bob", emulator.Client{EndpointID: ad, Username: fmt.Sprint("other", i)})
			}
			w.connect("carol", emulator.Client{EndpointID: ad, Username: "carol"})
			time.Sleep(time.Minute)
			inject(emulator.Fault{Action: listAction, EndpointID: ad, After: 1, Times: 1, Code: "InvalidPaginationToken"})(w)
		},
		events:    func(w *world) []*event { return []*event{w.add("e1", forEnd, "carol:carol")} },
		published: times(1, "terminated"), up: append(times(2, "alice"), times(13, "bob")...),
	},
	{
		fault: "an endpoint is deleted after EC2 has listed it", out: "`terminated`: what was there is gone",
		prepare:   atFirst(listAction, func(w *world) { w.cloud.DeleteEndpoint(ad) }),
		published: times(1, "terminated"), up: []string{"bob"},
	},
	{
		fault: "an endpoint is deleted between listing and termination", out: "`terminated`: what was there is gone",
		prepare:   atFirst(endAction, func(w *world) { w.cloud.DeleteEndpoint(ad) }),
		published: times(1, "terminated"), up: []string{"bob"},
	},
	{
		fault:   "no permission to list the endpoints",
		out:     "`failed` at each of five tries, naming the permission; then the dead letters",
		prepare: inject(on(emulator.Fault{Code: "UnauthorizedOperation", Status: 403}, endpointsAction)...),
		failed:  []string{"e1"}, published: times(5, "failed"), up: []string{"alice", "alice", "bob"}, dead: []string{"e1"},
	},
	{
		fault:   "no permission to list one endpoint",
		out:     "the others' connections end; `partial`, then `failed`, naming the permission; then the dead letters",
		prepare: inject(emulator.Fault{Action: listAction, EndpointID: ad, Code: "UnauthorizedOperation", Status: 403}),
		failed:  []string{"e1"}, published: append(times(4, "failed"), "partial"), up: []string{"alice", "bob"},
		dead: []string{"e1"},
	},
	{
		fault:   "no permission to terminate on one endpoint",
		out:     "the others' connections end; `partial`, then `failed`, naming the permission; then the dead letters",
		prepare: inject(emulator.Fault{Action: endAction, EndpointID: ad, Code: "UnauthorizedOperation", Status: 403}),
		failed:  []string{"e1"}, published: append(times(4, "failed"), "partial"), up: []string{"alice", "bob"},
		dead: []string{"e1"},
	},
	{
		fault: "no permission to publish, at first", out: "the event fails; when it comes again, the message that is owed",
		prepare: during(time.Minute, emulator.Fault{Code: "AuthorizationError", Status: 403}, publishAction),
		failed:  []string{"e1"}, published: times(1, "terminated"), up: []string{"bob"},
	},
	{
		fault: "EC2 says `failed-to-terminate`", out: "`partial` at each of five tries; then the dead letters",
		prepare: func(w *world) {
			w.connect("alice", emulator.Client{EndpointID: certs, Username: "alice", FailToTerminate: true})
		},
		failed: []string{"e1"}, published: times(5, "partial"), up: []string{"alice", "bob"}, dead: []string{"e1"},
	},
	{
		fault: "a connection stays `terminating`", out: "`unverified` at each of five tries; then the dead letters",
		prepare: func(w *world) {
			w.connect("alice", emulator.Client{EndpointID: certs, Username: "alice", Stuck: true})
		},
		failed: []string{"e1"}, published: times(5, "unverified"), up: []string{"alice", "bob"}, dead: []string{"e1"},
	},
	{
		fault: "gone before EC2 is asked to terminate it", out: "`terminated`, when EC2 shows it",
		prepare: atFirst(endAction, func(w *world) {
			for _, c := range w.cloud.Connections()[:2] {
				w.cloud.Disconnect(c.ID)
			}
		}),
		published: times(1, "terminated"), up: []string{"bob"},
	},
	{
		fault: "a client that reconnects once", out: "`terminated`, both times",
		prepare: func(w *world) {
			w.connect("alice", emulator.Client{EndpointID: certs, CommonName: "alice.vpn.example.com",
				ReconnectAfter: 2 * time.Second, Reconnects: 1})
		},
		published: times(1, "terminated"), up: []string{"bob"},
	},
	{
		fault: "a client that reconnects for ever", out: "`reconnecting`, after four terminations",
		prepare: func(w *world) {
			w.connect("alice", emulator.Client{EndpointID: certs, CommonName: "alice.vpn.example.com",
				ReconnectAfter: 2 * time.Second, Reconnects: -1})
		},
		published: times(1, "reconnecting"), up: []string{"alice", "bob"},
	},
	{
		fault: "no permission to write the keep-out list",
		out:   "the connections end; `partial`, then `failed`, naming the permission; then the dead letters",
		prepare: func(w *world) {
			w.keepOut = true
			w.cloud.Deny("dynamodb:UpdateItem", keepOutTable)
			w.troubleForEver()
		},
		failed: []string{"e1"}, published: append(times(4, "failed"), "partial"), up: []string{"bob"}, dead: []string{"e1"},
	},
	{
		fault: "the keep-out list hangs for ten minutes",
		out: "the connections end three seconds later; `partial`, then `failed`, and in the end `not-connected`, " +
			"on the list",
		prepare: func(w *world) {
			w.keepOut = true
			during(10*time.Minute, emulator.Fault{Code: "InternalServerError", Delay: time.Hour}, putAction, getAction)(w)
		},
		failed: []string{"e1"}, published: []string{"failed", "not-connected", "partial"}, up: []string{"bob"},
	},
	{
		fault: "DynamoDB throttles the first call", out: "`terminated`, on the list",
		prepare: func(w *world) {
			w.keepOut = true
			inject(emulator.Fault{Action: putAction, Code: "ThrottlingException", Times: 1})(w)
		},
		published: times(1, "terminated"), up: []string{"bob"},
	},
	{
		fault: "SNS is down for ten minutes", out: "the event fails; when it comes again, the message that is owed",
		prepare: during(10*time.Minute, emulator.Fault{Code: "InternalError"}, publishAction),
		failed:  []string{"e1"}, published: times(1, "terminated"), up: []string{"bob"},
	},
	{
		fault: "SNS throttles", out: "`terminated`, later",
		prepare:   inject(on(emulator.Fault{Code: "Throttling", Times: 5}, publishAction)...),
		published: times(1, "terminated"), up: []string{"bob"},
	},
	{
		fault: "the topic's key is throttled", out: "`terminated`, later",
		prepare:   inject(on(emulator.Fault{Code: "KMSThrottling", Times: 5}, publishAction)...),
		published: times(1, "terminated"), up: []string{"bob"},
	},
	{
		fault:   "the topic's key is disabled",
		out:     "the connections end; the event among the dead letters, the outcome in the log",
		prepare: inject(on(emulator.Fault{Code: "KMSDisabled"}, publishAction)...),
		failed:  []string{"e1"}, up: []string{"bob"}, dead: []string{"e1"},
	},
	{
		fault: "SNS hangs, always", out: "the connections end; the event among the dead letters, the outcome in the log",
		prepare: inject(on(emulator.Fault{Delay: time.Hour, Code: "Unavailable"}, publishAction)...),
		failed:  []string{"e1"}, up: []string{"bob"}, dead: []string{"e1"},
	},
	{
		fault: "there is no such topic", out: "the connections end; the event among the dead letters, the outcome in the log",
		prepare: inject(on(emulator.Fault{Code: "NotFound", Status: 404}, publishAction)...),
		failed:  []string{"e1"}, up: []string{"bob"}, dead: []string{"e1"},
	},
	{
		fault: "the time is up before the listing", out: "`failed`; then `terminated`",
		prepare: within(400 * time.Millisecond),
		failed:  []string{"e1"}, published: []string{"failed", "terminated"}, up: []string{"bob"},
	},
	{
		fault: "the time is up between listing and termination", out: "`unverified`; then `not-connected`",
		prepare: func(w *world) {
			w.timeout = time.Second
			w.cloud.Inject(emulator.Fault{Action: endAction, Delay: 400 * time.Millisecond, Times: 2})
		},
		failed: []string{"e1"}, published: []string{"not-connected", "unverified"}, up: []string{"bob"},
	},
	{
		fault: "the time is up between termination and its end", out: "`unverified`; then `not-connected`",
		prepare: within(1500 * time.Millisecond),
		failed:  []string{"e1"}, published: []string{"not-connected", "unverified"}, up: []string{"bob"},
	},
	{
		fault: "the time is up in the watch", out: "`terminated`, saying that the watch was cut short",
		prepare:   within(6 * time.Second),
		published: times(1, "terminated"), up: []string{"bob"},
	},
	{
		fault: "the time is up before publishing", out: "the event fails; when it comes again, the message that is owed",
		prepare: func(w *world) {
			w.timeout = 20 * time.Second
			inject(emulator.Fault{Action: publishAction, Delay: 10 * time.Second, Code: "Unavailable", Times: 1})(w)
		},
		failed: []string{"e1"}, published: times(1, "terminated"), up: []string{"bob"},
	},
	{
		fault:     "the same event twice at once, in two instances",
		out:       "each says `terminated`; nothing is terminated that was not up",
		instances: 2,
		events: func(w *world) []*event {
			e := w.add("e1", forEnd, "alice:alice")
			return []*event{e, e}
		},
		published: times(2, "terminated"), up: []string{"bob"},
	},
	{
		fault: "the same event again, in another process",
		out:   "`terminated`, then `not-connected`: nothing is terminated twice",
		events: func(w *world) []*event {
			e := w.add("e1", forEnd, "alice:alice")
			w.send(e)
			w.drain(1, false)
			return []*event{e}
		},
		published: []string{"not-connected", "terminated"}, up: []string{"bob"},
	},
	{
		fault: "events out of order: the reinstatement before the closing, the finding after it",
		out:   "each is judged by itself: `terminated`, and what is ignored is not published",
		events: func(w *world) []*event {
			first := w.add("e2", forNone, "alice:alice")
			w.send(first)
			w.drain(1, false)
			return []*event{w.add("e1", forEnd, "ALICE:alice"), w.add("e3", tooOld, "alice:alice"),
				w.addOne("e4", w.cloud.Connections()[0].ID)}
		},
		published: []string{"stale", "terminated", "terminated"}, up: []string{"bob"},
	},
	{
		fault: "poison among good events in a batch",
		out:   "it alone fails, five times, and lies among the dead letters with its bytes; the others are answered",
		events: func(w *world) []*event {
			return []*event{
				w.addRaw("p1", poison, "{"), w.add("e1", forEnd, "alice:alice"),
				w.addRaw("f1", foreign, `{"id":"f1","source":"aws.ec2","detail-type":"t","detail":{}}`),
				w.addRaw("p2", poison, custom("p2", time.Now(), `"username":"-"`)), w.add("e2", forEnd, "bob:bob"),
			}
		},
		failed: []string{"p1", "p2"}, published: times(2, "terminated"), dead: []string{"p1", "p2"},
	},
	{
		fault:  "a policy that cannot be read",
		out:    "nobody is cut off; `failed` at each of five tries; then the dead letters",
		broken: true,
		failed: []string{"e1"}, published: times(5, "failed"), up: []string{"alice", "alice", "bob"}, dead: []string{"e1"},
	},
}
