package responder_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/vpn"
)

// TestNobodyWaitsForAnother: one person's connection never ends, and the other is watched all the same.
func TestNobodyWaitsForAnother(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: ad, Username: "mallory", Stuck: true})
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice", ReconnectAfter: 2 * time.Second, Reconnects: 1})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		outcomes := respondWithin(ctx, t, r, about(signal.Subject{Usernames: []string{"mallory"}}), about(alice))
		if a, b := outcomes[0], outcomes[1]; a.Status != responder.Unverified || b.Status != responder.Terminated ||
			len(b.Connections) != 2 ||
			!slices.Equal(up(cloud), []string{"mallory/"}) {
			t.Errorf("%s; %s; still up: %q", a.Summary, b.Summary, up(cloud))
		}
	})
}

// TestBlindWatchIsNotSilence: who may have come back unseen is worth another try.
func TestBlindWatchIsNotSilence(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		cloud.Inject(
			emulator.Fault{
				Action:     "DescribeClientVpnConnections",
				EndpointID: ad,
				After:      1,
				Code:       "UnauthorizedOperation",
				Status:     403,
			},
		)
		o := respond(t, r, about(alice))[0]
		if o.Status != responder.Partial || !o.Incomplete() || !strings.Contains(o.Summary, "watching for a reconnection") {
			t.Errorf("%s: %s", o.Status, o.Summary)
		}
	})
}

// TestLaggingListingIsNotBelieved: EC2 answers the looks without the connection, and the watch's listing shows it up.
func TestLaggingListingIsNotBelieved(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice", Stuck: true})
		client, stop := emulator.HTTPClient(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if err := req.ParseForm(); err != nil {
				t.Error(err)
			}
			if req.Form.Get("Filter.1.Name") == "connection-id" {
				req.Form.Set("Filter.1.Value.1", "cvpn-connection-0")
			}
			cloud.ServeHTTP(w, req)
		}))
		defer stop()
		r.VPN = vpn.New(config(client), nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if o := respondWithin(ctx, t, r, about(alice))[0]; o.Status != responder.Unverified || len(o.Connections) != 1 {
			t.Errorf("%s: %s, %d connections", o.Status, o.Summary, len(o.Connections))
		}
	})
}

// TestReconnectsAreEndedInTheWatch, under another spelling and on another endpoint too.
func TestReconnectsAreEndedInTheWatch(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		done := make(chan responder.Outcome)
		go func() { done <- respond(t, r, about(alice))[0] }()
		time.Sleep(4 * time.Second)
		cloud.Connect(emulator.Client{EndpointID: certs, CommonName: "ALICE.vpn.example.com"})
		if o := <-done; o.Status != responder.Terminated || len(o.Connections) != 2 || len(up(cloud)) != 0 {
			t.Errorf("%s: %s", o.Status, o.Summary)
		}
	})
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		r.Watch = 0
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice", ReconnectAfter: time.Second, Reconnects: 1})
		start := time.Now()
		o := respond(t, r, about(alice))[0]
		if o.Status != responder.Terminated || len(o.Connections) != 1 || time.Since(start) > 3*time.Second {
			t.Errorf("with the watch off: %s: %s, after %v", o.Status, o.Summary, time.Since(start))
		}
	})
}

// TestLastLookBeforeTheTimeIsUp: between two looks the connection ended, and the time is nearly up.
func TestLastLookBeforeTheTimeIsUp(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.TerminateTime = 4200 * time.Millisecond
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if o := respondWithin(ctx, t, r, about(alice))[0]; o.Status != responder.Terminated {
			t.Errorf("%s: %s", o.Status, o.Summary)
		}
	})
}

// TestWhoKeepsComingBack is ended a few times and then reported, or reported when the time is up.
func TestWhoKeepsComingBack(t *testing.T) {
	for left, connections := range map[time.Duration]int{2 * time.Minute: 4, 6500 * time.Millisecond: 2} {
		inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
			cloud.Connect(
				emulator.Client{EndpointID: saml, Username: "alice", ReconnectAfter: 2500 * time.Millisecond, Reconnects: -1},
			)
			ctx, cancel := context.WithTimeout(t.Context(), left)
			defer cancel()
			o := respondWithin(ctx, t, r, about(alice))[0]
			if o.Status != responder.Reconnecting || len(o.Connections) != connections {
				t.Errorf("with %v left: %s: %s, %d connections", left, o.Status, o.Summary, len(o.Connections))
			}
		})
	}
}

// TestWatchLooksAtItsEnd: somebody who is back a second before it is over is seen.
func TestWatchLooksAtItsEnd(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice", ReconnectAfter: 14 * time.Second, Reconnects: 1})
		start := time.Now()
		o := respond(t, r, about(alice))[0]
		seen := o.Connections[len(o.Connections)-1].RequestedAt.Sub(start)
		if o.Status != responder.Terminated || len(o.Connections) != 2 || seen > 18*time.Second {
			t.Errorf("%s: %s, asked after %v", o.Status, o.Summary, seen)
		}
	})
}

func TestWatchBeginsWhenTheLastHasEnded(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.TerminateTime = 10 * time.Second
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice", ReconnectAfter: 12 * time.Second, Reconnects: 1})
		o := respond(t, r, about(alice))[0]
		if o.Status != responder.Terminated || len(o.Connections) != 2 || len(up(cloud)) != 0 {
			t.Errorf("%s: %s; still up: %q", o.Status, o.Summary, up(cloud))
		}
	})
}

// TestOutcomesComeAsTheyAreConcluded: nobody's outcome waits for a connection of another person that does not end.
func TestOutcomesComeAsTheyAreConcluded(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: ad, Username: "mallory", Stuck: true})
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		time.Sleep(time.Second)
		signals := []signal.Signal{
			about(
				signal.Subject{Usernames: []string{"mallory"}},
			),
			about(alice),
			about(signal.Subject{Usernames: []string{"dave"}}),
			changed(about(alice), func(s *signal.Signal) { s.Kind = signal.RiskLevelChange }),
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		start := time.Now()
		var order []int
		var after []time.Duration
		for i := range r.Respond(ctx, responder.Invocation{ReceivedAt: start}, signals) {
			order, after = append(order, i), append(after, time.Since(start).Round(time.Second))
		}
		want := []time.Duration{0, 15 * time.Second, 16 * time.Second, 2 * time.Minute}
		if !slices.Equal(order, []int{3, 2, 1, 0}) || !slices.Equal(after, want) {
			t.Errorf("outcomes %v came after %v", order, after)
		}
	})
}

// TestCallerMayStop: what is under way is over when Respond returns, and no goroutine is left behind.
func TestCallerMayStop(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		cloud.Inject(emulator.Fault{Action: "DescribeClientVpnConnections", EndpointID: ad, Delay: time.Hour})
		ignored := changed(
			about(signal.Subject{Usernames: []string{"bob"}}),
			func(s *signal.Signal) { s.Kind = signal.AccountEnabled },
		)
		both := []signal.Signal{about(alice), ignored}
		for i, o := range r.Respond(t.Context(), responder.Invocation{ReceivedAt: time.Now()}, both) {
			if i != 1 || o.Status != responder.Ignored {
				t.Errorf("%d: %s", i, o.Status)
			}
			break
		}
	})
}
