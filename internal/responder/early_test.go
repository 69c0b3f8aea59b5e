package responder_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/vpn"
)

// crowd connects n people to the endpoint.
func crowd(cloud *emulator.Cloud, endpoint string, n int) {
	for i := range n {
		cloud.Connect(emulator.Client{EndpointID: endpoint, Username: fmt.Sprintf("user%d@example.com", i)})
	}
}

// first returns the time from start to the first request to terminate, and how many pages of listings had been
// requested by then.
func first(t *testing.T, cloud *emulator.Cloud, start time.Time) (after time.Duration, pages int) {
	t.Helper()
	for _, c := range cloud.Calls() {
		switch c.Action {
		case "TerminateClientVpnConnections":
			return c.At.Sub(start), pages
		case "DescribeClientVpnConnections":
			if !filtered(c.Params) {
				pages++
			}
		}
	}
	t.Fatal("nothing was ended")
	return 0, 0
}

func filtered(form url.Values) bool { return form.Has("Filter.1.Name") }

// TestNobodyWaitsForTheLastPage: who connected under a spelling of the event or the policy is cut off while the
// listing goes on, and seen to end; in another case of letters when it has ended.
func TestNobodyWaitsForTheLastPage(t *testing.T) {
	for _, test := range []struct {
		event, connection string
		early             bool
	}{
		{"alice@example.com", "alice@example.com", true},
		{"Alice@Example.com", "Alice@Example.com", true},
		{"Alice@Example.com", "alice@example.com", true},
		{"Alice@example.com", `EXAMPLE\Alice`, true},
		{"alice@example.com", `EXAMPLE\alice`, true},
		{"ALICE@EXAMPLE.COM", "alice", true},
		{"alice@example.com", "aLiCe@example.com", false},
	} {
		t.Run(test.event+" "+test.connection, func(t *testing.T) {
			inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
				crowd(cloud, saml, 400)
				cloud.Connect(emulator.Client{EndpointID: saml, Username: test.connection})
				cloud.PageSize, cloud.Latency = 10, 50*time.Millisecond
				start := time.Now()
				o := respond(t, r, about(signal.Subject{Usernames: []string{test.event}}))[0]
				if o.Status != responder.Terminated || len(o.Connections) != 1 || o.Reconnections != 0 || len(up(cloud)) != 400 {
					t.Fatalf("%s: %s, %d left", o.Status, o.Summary, len(up(cloud)))
				}
				// The endpoints, their first pages, the name, and then EC2 is asked.
				after, pages := first(t, cloud, start)
				if early := after == 150*time.Millisecond && pages < 7; early != test.early {
					t.Errorf("asked after %v and %d pages", after, pages)
				}
				if ended := o.Timing.EndedAt.Sub(start); test.early && ended > 1800*time.Millisecond {
					t.Errorf("seen to end after %v only", ended)
				}
				if !test.early && (pages != 43 || after > 2200*time.Millisecond) {
					t.Errorf("asked after %v and %d pages", after, pages)
				}
			})
		})
	}
}

// TestSmallEndpointsAreOnlyListed: the name is not asked for where one page shows everybody.
func TestSmallEndpointsAreOnlyListed(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		crowd(cloud, saml, 400)
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		respond(t, r, about(alice))
		for _, c := range cloud.Calls() {
			if c.Params.Get("Filter.1.Name") == "username" {
				t.Fatalf("%v", c.Params)
			}
		}
	})
}

// TestLimitCountsWhatTheListingAdds: four names may be terminated. Under the spellings that EC2 is asked for there are
// some, and the listing shows others.
func TestLimitCountsWhatTheListingAdds(t *testing.T) {
	for _, test := range []struct {
		early, late []string
		left        int
		status      responder.Status
	}{
		{tooMany, []string{"aLICE"}, 6, responder.OverLimit},
		{tooMany[:2], []string{"aLICE", `eXAMPLE\aLICE`}, 0, responder.Terminated},
		{tooMany[:3], []string{`eXAMPLE\aLICE`, "aLICE@eXAMPLE"}, 2, responder.Partial}, // with them too many
	} {
		t.Run(fmt.Sprint(test.early, test.late), func(t *testing.T) {
			inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
				crowd(cloud, saml, 100)
				for _, name := range slices.Concat(test.late, test.early) {
					cloud.Connect(emulator.Client{EndpointID: saml, Username: name})
				}
				cloud.PageSize, cloud.Latency = 10, 50*time.Millisecond
				o := respond(t, r, about(alice))[0]
				if left := len(
					up(cloud),
				) - 100; o.Status != test.status || left != test.left ||
					len(o.Connections)+len(o.Spared) != len(test.early)+len(test.late) {
					t.Errorf("%s: %s, %d left, %d spared", o.Status, o.Summary, left, len(o.Spared))
				}
			})
		})
	}
}

// TestEarlyScreensLikeLate: exempt connections of the name are known before anything is ended, and an address waits
// for all pages.
func TestEarlyScreensLikeLate(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		crowd(cloud, certs, 100)
		cloud.Connect(emulator.Client{EndpointID: certs, Username: "alice", CommonName: "alice"})
		cloud.Connect(emulator.Client{EndpointID: certs, Username: "alice", CommonName: "breakglass"})
		cloud.Connect(emulator.Client{EndpointID: certs, Username: "bob", ClientIP: "10.0.0.77"})
		cloud.Connect(emulator.Client{EndpointID: certs, CommonName: "carol.vpn.example.com"})
		time.Sleep(time.Second)
		cloud.PageSize, cloud.Latency = 10, 50*time.Millisecond
		outcomes := respond(
			t,
			r,
			about(alice),
			about(signal.Subject{ClientIP: "10.0.0.77"}),
			about(signal.Subject{Usernames: []string{"carol"}}),
		)
		for i, want := range []string{"alice/alice", "bob/", "/carol.vpn.example.com"} {
			o := outcomes[i]
			if o.Status != responder.Terminated || len(o.Connections) != 1 ||
				o.Connections[0].Username+"/"+o.Connections[0].CommonName != want {
				t.Errorf("%s: %s", o.Status, o.Summary)
			}
		}
		if left := slices.DeleteFunc(
			up(cloud),
			func(who string) bool { return strings.HasPrefix(who, "user") },
		); !slices.Equal(
			left,
			[]string{"alice/breakglass"},
		) {
			t.Errorf("still up: %q", left)
		}
	})
}

// TestAddressWaitsForAllPages: another endpoint's last page shows that two people hold it.
func TestAddressWaitsForAllPages(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		const other = "cvpn-endpoint-00000000000000004"
		cloud.AddEndpoint(emulator.Endpoint{ID: other, TransitGateway: "tgw-0123456789abcdef0"})
		cloud.Connect(emulator.Client{EndpointID: certs, Username: "bob", ClientIP: "10.0.0.77"})
		crowd(cloud, other, 100)
		cloud.Connect(emulator.Client{EndpointID: other, Username: "alice"})
		cloud.Connect(emulator.Client{EndpointID: other, Username: "dave", ClientIP: "10.0.0.77"})
		time.Sleep(time.Second)
		cloud.PageSize, cloud.Latency = 10, 50*time.Millisecond
		outcomes := respond(t, r, about(signal.Subject{ClientIP: "10.0.0.77"}), about(alice))
		if o := outcomes[0]; o.Status != responder.Ambiguous || len(o.Spared) != 2 {
			t.Errorf("%s: %s", o.Status, o.Summary)
		}
		if o := outcomes[1]; o.Status != responder.Terminated || len(up(cloud)) != 102 {
			t.Errorf("%s: %s", o.Status, o.Summary)
		}
	})
}

// TestWhatIsFoundTwiceCountsOnce: the answer to the filter comes when nobody waits for it any more, and the listing
// has the same.
func TestWhatIsFoundTwiceCountsOnce(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		client, stop := emulator.HTTPClient(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
			if request.ParseForm() == nil && request.Form.Get("Filter.1.Name") == "username" {
				time.Sleep(7 * time.Second)
			} else if request.Form.Has("NextToken") {
				time.Sleep(5 * time.Second)
			}
			cloud.ServeHTTP(w, request)
		}))
		defer stop()
		r.VPN = vpn.New(config(client), nil)
		r.VPN.EndpointIDs = []string{saml}
		crowd(cloud, saml, 20)
		for range 4 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		}
		cloud.PageSize = 10
		o := respond(t, r, about(alice))[0]
		if o.Status != responder.Terminated || len(o.Connections) != 4 || len(o.Spared) != 0 {
			t.Errorf("%s: %s, %d and %d", o.Status, o.Summary, len(o.Connections), len(o.Spared))
		}
	})
}

// TestSlowEndpointHoldsNobodyUpForLong: what the others have is ended after some seconds, and counted.
func TestSlowEndpointHoldsNobodyUpForLong(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice"})
		cloud.Connect(emulator.Client{EndpointID: ad, Username: "alice"})
		cloud.Inject(
			emulator.Fault{Action: "DescribeClientVpnConnections", EndpointID: ad, Times: 1, Delay: 15 * time.Second},
		)
		start := time.Now()
		o := respond(t, r, about(alice))[0]
		if after, _ := first(
			t,
			cloud,
			start,
		); o.Status != responder.Terminated || len(o.Connections) != 2 ||
			after > 6*time.Second {
			t.Errorf("%s: %s, after %v", o.Status, o.Summary, after)
		}
	})
}

// TestTokenThatWentBad: another listing has tokens of its own.
func TestTokenThatWentBad(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		crowd(cloud, saml, 30)
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "aLICE"})
		cloud.PageSize = 10
		cloud.Inject(
			emulator.Fault{
				Action:     "DescribeClientVpnConnections",
				EndpointID: saml,
				After:      2,
				Times:      1,
				Code:       "InvalidPaginationToken",
			},
		)
		if o := respond(t, r, about(alice))[0]; o.Status != responder.Terminated || len(up(cloud)) != 30 {
			t.Errorf("%s: %s", o.Status, o.Summary)
		}
	})
}
