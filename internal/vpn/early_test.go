package vpn_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/vpn"
)

// onLargeEndpoint runs a test against an endpoint whose listing has many pages, and on which ann has two connections.
func onLargeEndpoint(t *testing.T, test func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN)) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		for i := range 100 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: fmt.Sprint("user", i)})
		}
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		cloud.PageSize, cloud.Latency = 10, 50*time.Millisecond
		test(t, cloud, v)
	})
}

var ann = vpn.Target{Names: []string{"ann"}, LikelyUsernames: []string{"ann"}}

// batches returns all that a search for the targets yields.
func batches(t *testing.T, v *vpn.VPN, targets ...vpn.Target) []vpn.Batch {
	t.Helper()
	endpoints, err := v.Endpoints(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(v.Search(t.Context(), endpoints, targets))
}

// TestSearchYieldsEarlyAndTheRest: two batches at most, and no connection in both.
func TestSearchYieldsEarlyAndTheRest(t *testing.T) {
	onLargeEndpoint(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ANN"})
		cloud.Connect(emulator.Client{EndpointID: ad, Username: "Ann"})
		got := batches(t, v, ann)
		if len(got) != 2 || got[0].Last || !got[1].Last {
			t.Fatalf("%+v", got)
		}
		want := []string{"1/ann/", "1/ann/", "2/Ann/"}
		equal(t, "early: complete listings, and EC2's filter", describe(got[0].Matches), want)
		equal(t, "rest", describe(got[1].Matches), []string{"1/ANN/"})
	})
}

// TestSmallSearchYieldsOneBatch, which is the last; so does one that finds nobody.
func TestSmallSearchYieldsOneBatch(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		for _, target := range []vpn.Target{ann, {Names: []string{"bob"}}, {}} {
			if got := batches(t, v, target); len(got) != 1 || !got[0].Last || got[0].Failed == nil {
				t.Errorf("%+v", got)
			}
		}
	})
}

// TestEarlyBatchHasAllOfAUserNameOrNone: half of the filter's answer is no answer.
func TestEarlyBatchHasAllOfAUserNameOrNone(t *testing.T) {
	onLargeEndpoint(t, func(t *testing.T, cloud *emulator.Cloud, _ *vpn.VPN) {
		cloud.PageSize = 5
		for range 5 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		}
		cloud.Connect(emulator.Client{EndpointID: ad, Username: "ann"})
		client, stop := emulator.HTTPClient(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ParseForm() == nil && r.Form.Has("NextToken") {
				if r.Form.Has("Filter.1.Name") {
					time.Sleep(8 * time.Second) // longer than the search waits for it
				}
				time.Sleep(time.Second)
			}
			cloud.ServeHTTP(w, r)
		}))
		defer stop()
		got := batches(t, vpn.New(config(client), nil), ann)
		if len(got) != 2 {
			t.Fatalf("%d batches", len(got))
		}
		equal(t, "early", describe(got[0].Matches), []string{"2/ann/"})
		equal(t, "rest", describe(got[1].Matches), slices.Repeat([]string{"1/ann/"}, 7))
	})
}

// TestFilterIsAskedForWholeNamesOnly: a pattern may list everybody, and so may an empty name.
func TestFilterIsAskedForWholeNamesOnly(t *testing.T) {
	onLargeEndpoint(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		batches(t, v, vpn.Target{Names: []string{"ann"}, LikelyUsernames: []string{"", "*", "a?n", "NA", "ann"}})
		filtered := 0
		for _, call := range cloud.Calls() {
			if name := call.Params.Get("Filter.1.Value.1"); name != "" {
				filtered++
				if name != "ann" || call.Params.Has("Filter.1.Value.2") {
					t.Errorf("%v", call.Params)
				}
			}
		}
		if filtered == 0 {
			t.Error("the filter is not asked")
		}
	})
}

// TestSearchThatIsStopped asks for no further page, and leaves no goroutine behind.
func TestSearchThatIsStopped(t *testing.T) {
	onLargeEndpoint(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		for b := range v.Search(t.Context(), []vpn.Endpoint{{ID: saml}}, []vpn.Target{ann}) {
			if b.Last {
				t.Error("the last batch came first")
			}
			break
		}
		asked := len(cloud.Calls())
		time.Sleep(time.Minute)
		if n := len(cloud.Calls()); n != asked || asked > 5 {
			t.Errorf("%d calls, and then %d", asked, n)
		}
	})
}

// TestSearchWithoutTime yields what failed.
func TestSearchWithoutTime(t *testing.T) {
	onLargeEndpoint(t, func(t *testing.T, _ *emulator.Cloud, v *vpn.VPN) {
		ctx, cancel := context.WithTimeout(t.Context(), 120*time.Millisecond)
		defer cancel()
		got := slices.Collect(v.Search(ctx, []vpn.Endpoint{{ID: saml}}, []vpn.Target{ann}))
		if last := got[len(got)-1]; !last.Last || last.Failed[saml] == nil {
			t.Errorf("%+v", got)
		}
	})
}

// TestEndedBeforeIsReportedOnLargeEndpoints, whether or not the filter shows it first.
func TestEndedBeforeIsReportedOnLargeEndpoints(t *testing.T) {
	onLargeEndpoint(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Disconnect(cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"}))
		cloud.Disconnect(cloud.Connect(emulator.Client{EndpointID: saml, Username: "aNN"}))
		got := batches(t, v, ann)
		if last := got[len(got)-1]; len(got) != 2 || len(last.EndedBefore) != 2 || last.EndedBefore[0].At.IsZero() {
			t.Errorf("%+v", last.EndedBefore)
		}
	})
}

// TestAddressWaitsForTheLastBatch: another endpoint may show that somebody else holds it.
func TestAddressWaitsForTheLastBatch(t *testing.T) {
	onLargeEndpoint(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: certs, Username: "bob", ClientIP: "10.30.0.10"})
		got := batches(t, v, vpn.Target{ClientIP: "10.30.0.10", At: time.Now()}, ann)
		if len(got) != 2 {
			t.Fatalf("%d batches", len(got))
		}
		equal(t, "early", describe(got[0].Matches), []string{"1/ann/", "1/ann/"})
		equal(t, "rest", describe(got[1].Matches), []string{"3/bob/"})
	})
}

// TestListingThatFailedIsNotEarly: the rest of the user's connections is unknown.
func TestListingThatFailedIsNotEarly(t *testing.T) {
	onLargeEndpoint(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: ad, Username: "ann"})
		cloud.Connect(emulator.Client{EndpointID: ad, Username: "ann"})
		for i := range 20 {
			cloud.Connect(emulator.Client{EndpointID: ad, Username: fmt.Sprint("user", i)})
		}
		cloud.Inject(emulator.Fault{
			Action: describeConnections, EndpointID: ad, After: 1, Code: "UnauthorizedOperation",
		})
		got := batches(t, v, ann)
		if len(got) != 2 || got[1].Failed[ad] == nil {
			t.Fatalf("%+v", got)
		}
		equal(t, "early", describe(got[0].Matches), []string{"1/ann/", "1/ann/"})
	})
}

// TestFilterThatFailsHalfwayIsNotEarly: EC2's answer must be complete.
func TestFilterThatFailsHalfwayIsNotEarly(t *testing.T) {
	onLargeEndpoint(t, func(t *testing.T, cloud *emulator.Cloud, _ *vpn.VPN) {
		for range 20 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		}
		cloud.Connect(emulator.Client{EndpointID: ad, Username: "ann"})
		client, stop := emulator.HTTPClient(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ParseForm() == nil && r.Form.Has("NextToken") && r.Form.Has("Filter.1.Name") {
				r.Form.Set("NextToken", "spoilt")
			}
			cloud.ServeHTTP(w, r)
		}))
		defer stop()
		got := batches(t, vpn.New(config(client), nil), ann)
		if len(got) != 2 {
			t.Fatalf("%d batches", len(got))
		}
		equal(t, "early", describe(got[0].Matches), []string{"2/ann/"})
		if n := len(got[1].Matches); n != 22 {
			t.Errorf("the rest has %d", n)
		}
	})
}
