package responder

import (
	"testing"
	"time"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/vpn"
)

// TestOnlyALaterSearchShowsAReturn: verifying goes on beside a search. What the search listed before the end was seen
// says nothing; what a search lists that began after it does.
func TestOnlyALaterSearchShowsAReturn(t *testing.T) {
	p := &policy.Policy{MaxConnections: 20}
	ended := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	match := vpn.Match{Connection: vpn.Connection{
		EndpointID: "cvpn-endpoint-1", ID: "cvpn-connection-1", Username: "alice", Current: vpn.Active,
	}}
	for _, test := range []struct {
		began time.Time
		asked int
		fate  vpn.Fate
	}{
		{ended.Add(-time.Second), 0, vpn.FateEnded},
		{ended.Add(time.Second), 1, vpn.FateReappeared},
	} {
		tracked := &vpn.Tracked{Connection: match.Connection, Fate: vpn.FateEnded}
		tracked.Current, tracked.EndSeenAt = vpn.Terminated, ended
		first := &Case{Decision: policy.Decision{Mode: policy.Enforce}, state: Watching, connections: []*vpn.Tracked{tracked}}
		other := &Case{Decision: policy.Decision{Mode: policy.Enforce}, state: Searching}
		cs := newCases(p, []*Case{first, other})
		cs.tracked[trackedKey{false, match.ID}] = tracked
		asked := 0
		for i, c := range cs.all {
			c.beginSearch(test.began)
			rep := report{job: job{command: Search, cases: []*Case{c}}, batch: vpn.Batch{Matches: []vpn.Match{match}}}
			for _, j := range cs.found(rep, ended.Add(2*time.Second)) {
				asked += len(j.connections)
			}
			if i == 0 && tracked.Fate != test.fate {
				t.Errorf("began %v: %s", test.began, tracked.Fate)
			}
		}
		if asked != test.asked || len(other.connections) != 1 {
			t.Errorf("began %v: EC2 is asked %d times, want %d", test.began, asked, test.asked)
		}
	}
}

// TestReturnIsAskedAboutAgain: a person may have been reinstated since the connection ended. Of a connection that the
// case spares or terminates, nothing is asked.
func TestReturnIsAskedAboutAgain(t *testing.T) {
	named := func(id string) vpn.Connection { return vpn.Connection{EndpointID: "cvpn-endpoint-1", ID: id} }
	spared, ended := named("spared"), named("ended")
	ended.Current = vpn.Terminated
	c := &Case{
		Decision:    policy.Decision{Persons: []string{"alice"}},
		connections: []*vpn.Tracked{{Connection: ended}, {Connection: named("asked")}},
		spared:      []Spared{{Connection: &spared}},
	}
	search := searchFor([]*Case{c}, time.Time{})[0]
	for id, want := range map[string]int{"ended": 1, "new": 1, "asked": 0, "spared": 0} {
		if got := search.strangers([]vpn.Match{{Connection: named(id)}}); len(got) != want {
			t.Errorf("%s: the ledger is asked about %q", id, got)
		}
	}
}

// TestFoundAfterTheWatchIsWatchedAgain: an endpoint that was listed at last shows a connection when the watch is over.
func TestFoundAfterTheWatchIsWatchedAgain(t *testing.T) {
	c := &Case{watch: watched, watchFor: time.Minute}
	if c.noteScreened(Screened{}, time.Time{}); c.watch != watched {
		t.Error("nothing was found, and the watch begins anew")
	}
	if c.noteScreened(Screened{Terminate: []vpn.Match{{}}}, time.Time{}); c.watch != notWatched {
		t.Error("the person would not be watched")
	}
}
