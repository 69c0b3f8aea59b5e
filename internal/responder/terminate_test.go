package responder_test

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/vpn"
)

// TestTriedStaysTriedBesideEnded: one signal is in dry-run by its rule, another about the same person is not.
func TestTriedStaysTriedBesideEnded(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		tried := about(alice)
		tried.Kind = signal.AccountPurged
		outcomes := respond(t, r, tried, tried, about(alice))
		if a, b := outcomes[0], outcomes[2]; a.Status != responder.WouldTerminate || a.Connections[0].Current != vpn.Active ||
			b.Status != responder.Terminated ||
			actions(cloud)["TerminateClientVpnConnection"] != 2 {
			t.Errorf("%s; %s; %v", a.Summary, b.Summary, actions(cloud))
		}
	})
}

// TestConnectionAloneIsEnded: the same person's other connections were not asked for.
func TestConnectionAloneIsEnded(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		id := cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice", CommonName: "first"})
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice", CommonName: "second"})
		o := respond(t, r, about(signal.Subject{ConnectionID: id}))[0]
		if left := up(cloud); o.Status != responder.Terminated || !slices.Equal(left, []string{"alice/second"}) {
			t.Errorf("%s: %s; still up: %q", o.Status, o.Summary, left)
		}
		if n := actions(cloud)["DescribeClientVpnConnection"]; n > 3+5 {
			t.Errorf("%d listings and looks: nobody is to be watched here", n)
		}
	})
}

// TestConnectionAndItsPersonInOneBatch: one connection, requested by its id and by its user's name, is once in each
// outcome.
func TestConnectionAndItsPersonInOneBatch(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		id := cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		for range 2 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		}
		outcomes := respond(t, r, about(signal.Subject{ConnectionID: id}), about(alice))
		if a, b := outcomes[0], outcomes[1]; a.Status != responder.Terminated || b.Status != responder.Terminated ||
			len(a.Connections) != 1 ||
			len(b.Connections) != 3 {
			t.Errorf("%s (%d), %s (%d)", a.Summary, len(a.Connections), b.Summary, len(b.Connections))
		}
	})
}

// TestTerminationThatHangsLeavesTimeToLook at what the others' requests led to.
func TestTerminationThatHangsLeavesTimeToLook(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		r.Watch = 0
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		cloud.Connect(emulator.Client{EndpointID: ad, Username: "bob"})
		cloud.Inject(emulator.Fault{Action: "TerminateClientVpnConnections", EndpointID: ad, Delay: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		defer cancel()
		outcomes := respondWithin(ctx, t, r, about(alice), about(signal.Subject{Usernames: []string{"bob"}}))
		if outcomes[0].Status != responder.Terminated {
			t.Errorf("%s: %s", outcomes[0].Status, outcomes[0].Summary)
		}
	})
}

// TestConnectionThatCameUpBelongsToItsPerson: a call by name ends it too, and only that person's outcome has it.
func TestConnectionThatCameUpBelongsToItsPerson(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		r.Watch = 0
		for _, endpoint := range []string{saml, ad} {
			for range 2 {
				cloud.Connect(emulator.Client{EndpointID: endpoint, Username: "alice"})
				cloud.Connect(emulator.Client{EndpointID: endpoint, Username: "bob"})
			}
		}
		var once sync.Once
		client, stop := emulator.HTTPClient(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if err := req.ParseForm(); err != nil {
				t.Error(err)
			}
			if req.Form.Get("Action") == "TerminateClientVpnConnections" {
				once.Do(func() { cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice", CommonName: "late"}) })
			}
			cloud.ServeHTTP(w, req)
		}))
		defer stop()
		r.VPN = vpn.New(config(client), nil)
		onAD := signal.Subject{ConnectionID: cloud.Connections()[4].ID} // alice's, on ad
		outcomes := respond(t, r, about(alice), about(signal.Subject{Usernames: []string{"bob"}}), about(onAD))
		for i, want := range []int{5, 4, 1} {
			if o := outcomes[i]; o.Status != responder.Terminated || len(o.Connections) != want {
				t.Errorf("%s: %d connections, want %d: %s", o.Signal.Subject, len(o.Connections), want, o.Summary)
			}
		}
		if len(up(cloud)) != 0 {
			t.Errorf("still up: %q", up(cloud))
		}
	})
}
