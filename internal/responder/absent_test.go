package responder_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
)

// TestWhoRedialsAfterHangingUpIsFound: she hung up a second before the event, and redials 2 s after hanging up, or
// later.
func TestWhoRedialsAfterHangingUpIsFound(t *testing.T) {
	for _, after := range []time.Duration{time.Second, 5 * time.Second, 14 * time.Second} {
		inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
			done := make(chan responder.Outcome)
			go func() { done <- respond(t, r, about(alice))[0] }()
			time.Sleep(after)
			connected := time.Now()
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice", ReconnectAfter: 5 * time.Second, Reconnects: 1})
			o := <-done
			if o.Status != responder.Terminated || len(o.Connections) != 2 || o.Reconnections != 1 || len(up(cloud)) != 0 {
				t.Fatalf("after %v: %s: %s; %d connections", after, o.Status, o.Summary, len(o.Connections))
			}
			if !strings.Contains(o.Summary, "They were not connected at first, and connected during the watch.") {
				t.Error(o.Summary)
			}
			if took := o.Connections[0].RequestedAt.Sub(connected); after == time.Second && took > 3*time.Second {
				t.Errorf("found after %v", took)
			}
		})
	}
}

// TestAbsentPeopleShareTheirSearches: one after some 3 s and one at the end of the watch, for the whole batch.
func TestAbsentPeopleShareTheirSearches(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		var signals []signal.Signal
		for i := range 10 {
			signals = append(signals, about(signal.Subject{Usernames: []string{fmt.Sprint("dave", i)}}))
		}
		start := time.Now()
		for _, o := range respond(t, r, signals...) {
			if o.Status != responder.NotConnected {
				t.Errorf("%s: %s", o.Status, o.Summary)
			}
		}
		var at []time.Duration
		for _, c := range cloud.Calls() {
			if c.Action == "DescribeClientVpnConnections" && c.Params.Get("ClientVpnEndpointId") == saml {
				at = append(at, c.At.Sub(start).Round(time.Second))
			}
		}
		if fmt.Sprint(at) != "[0s 3s 15s]" || actions(cloud)["DescribeClientVpnConnection"] != 9 {
			t.Errorf("listed at %v, %v calls", at, actions(cloud))
		}
	})
}

// TestSearchThatTakesLongIsNotRepeatedSoon: a listing of seven seconds leaves no time for a second before the last.
func TestSearchThatTakesLongIsNotRepeatedSoon(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Latency = 7 * time.Second
		respond(t, r, about(alice))
		if n := actions(cloud)["DescribeClientVpnConnection"]; n != 6 {
			t.Errorf("%d listings of three endpoints", n)
		}
	})
}

// TestWhoIsNotToBeCutOffIsNotWatched: in a dry-run, for an exempt person, above the limit, or where the event comes
// again.
func TestWhoIsNotToBeCutOffIsNotWatched(t *testing.T) {
	for name, test := range map[string]struct {
		change func(cloud *emulator.Cloud, s *signal.Signal)
		want   responder.Status
	}{
		"a dry-run": {func(_ *emulator.Cloud, s *signal.Signal) { s.Kind = signal.AccountPurged }, responder.NotConnected},
		"an exempt certificate": {func(cloud *emulator.Cloud, _ *signal.Signal) {
			cloud.Connect(emulator.Client{EndpointID: certs, Username: "alice", CommonName: "breakglass"})
		}, responder.Exempt},
		"above the limit": {func(cloud *emulator.Cloud, _ *signal.Signal) {
			for _, k := range inManyNames(ad) {
				cloud.Connect(k)
			}
		}, responder.OverLimit},
		"an endpoint not shown": {func(cloud *emulator.Cloud, _ *signal.Signal) {
			cloud.Deny("ec2:DescribeClientVpnConnections", ad)
		}, responder.Failed},
		"one connection": {func(_ *emulator.Cloud, s *signal.Signal) {
			s.Subject = signal.Subject{ConnectionID: "cvpn-connection-0123456789abcdef0"}
		}, responder.NotConnected},
	} {
		inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
			s := about(alice)
			test.change(cloud, &s)
			start := time.Now()
			if o := respond(t, r, s)[0]; o.Status != test.want || time.Since(start) > time.Second {
				t.Errorf("%s: %s after %v: %s", name, o.Status, time.Since(start), o.Summary)
			}
		})
	}
}

// TestSimilarNameSavesNobodyFromTheWatch: a connection that may be another's says nothing about hers.
func TestSimilarNameSavesNobodyFromTheWatch(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: ad, Username: `OTHER\alice`})
		done := make(chan responder.Outcome)
		go func() { done <- respond(t, r, about(signal.Subject{Usernames: []string{"alice"}}))[0] }()
		time.Sleep(time.Second)
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		o := <-done
		if o.Status != responder.Terminated || len(o.Spared) != 1 || fmt.Sprint(up(cloud)) != `[OTHER\alice/]` {
			t.Errorf("%s: %s; still up: %q", o.Status, o.Summary, up(cloud))
		}
	})
}

// TestWatchOverAnAbsentPersonIsCutShort by the deadline, and the outcome says so.
func TestWatchOverAnAbsentPersonIsCutShort(t *testing.T) {
	inCompany(t, func(t *testing.T, _ *emulator.Cloud, r *responder.Responder) {
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		o := respondWithin(ctx, t, r, about(alice))[0]
		if o.Status != responder.NotConnected ||
			!strings.Contains(o.Summary, "The time was up before the watch for a reconnection was over.") {
			t.Errorf("%s: %s", o.Status, o.Summary)
		}
	})
}

// TestSignedInDuringALaterDeliveryIsSpared: she signs in again while the event is delivered again, and nothing of hers
// was terminated. A client that was cut off and comes back is terminated.
func TestSignedInDuringALaterDeliveryIsSpared(t *testing.T) {
	for _, connected := range []bool{false, true} {
		inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
			cloud.AddEndpoint(emulator.Endpoint{ID: saml, Authentication: []string{"federated-authentication"}})
			p, err := policy.Parse("policy.yaml", []byte("version: 1\nidentity: {domains: [example.com]}\n"+
				"rules:\n  - {name: all, when: {}, then: terminate}\n"))
			if err != nil {
				t.Fatal(err)
			}
			r.Policy = p
			if connected {
				cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice", ReconnectAfter: 2 * time.Second, Reconnects: 1})
			}
			event, arrived := changed(
				about(alice),
				func(s *signal.Signal) { s.Kind = signal.SessionRevoked },
			), time.Now().Add(
				time.Second,
			)
			time.Sleep(5 * time.Minute)
			inv := responder.Invocation{ReceivedAt: time.Now(), Arrivals: []responder.Arrival{{At: arrived}}}
			if !connected {
				time.AfterFunc(2*time.Second, func() { cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"}) })
			}
			for _, o := range r.Respond(t.Context(), inv, []signal.Signal{event}) {
				want, left := responder.Notified, 1
				if connected {
					want, left = responder.Terminated, 0
				}
				if o.Status != want || len(up(cloud)) != left {
					t.Errorf("connected before %t: %s: %s; still up: %q", connected, o.Status, o.Summary, up(cloud))
				}
			}
		})
	}
}
