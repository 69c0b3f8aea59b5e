package vpn_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/vpn"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

const (
	saml  = "cvpn-endpoint-00000000000000001"
	ad    = "cvpn-endpoint-00000000000000002"
	certs = "cvpn-endpoint-00000000000000003"
)

// inCloud runs a test in virtual time against three endpoints, with the real SDK over HTTP.
func inCloud(t *testing.T, test func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN)) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &emulator.Cloud{TerminateTime: time.Second}
		cloud.AddEndpoint(emulator.Endpoint{ID: saml, Authentication: []string{"federated-authentication"}})
		cloud.AddEndpoint(emulator.Endpoint{ID: ad, Authentication: []string{"directory-service-authentication"}})
		cloud.AddEndpoint(emulator.Endpoint{ID: certs, Authentication: []string{"certificate-authentication"}, TransitGateway: "tgw-0123456789abcdef0"})
		client, stop := emulator.HTTPClient(cloud)
		defer stop()
		test(t, cloud, vpn.New(config(client), nil))
	})
}

func config(client *http.Client) aws.Config {
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String("http://ec2.test"), HTTPClient: client,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
}

// observe looks until nothing is pending, or ten minutes have passed.
func observe(t *testing.T, v *vpn.VPN, connections []*vpn.Connection) {
	t.Helper()
	for range 600 {
		if !slices.ContainsFunc(connections, (*vpn.Connection).Pending) {
			return
		}
		time.Sleep(time.Second)
		if err := v.Look(t.Context(), connections); err != nil {
			t.Error(err)
		}
	}
}

// find gives the connections of one target, in words.
func find(t *testing.T, v *vpn.VPN, target vpn.Target) []string {
	t.Helper()
	return describe(mustFind(t, v, target))
}

func mustFind(t *testing.T, v *vpn.VPN, target vpn.Target) []vpn.OldMatch {
	t.Helper()
	endpoints, err := v.Endpoints(t.Context(), target.ClientIP != "")
	if err != nil {
		t.Fatal(err)
	}
	found := v.Find(t.Context(), endpoints, []vpn.Target{target}, nil)
	if len(found.Failed) > 0 {
		t.Fatal(found.Failed)
	}
	return found.Up[0]
}

func describe(matches []vpn.OldMatch) []string {
	var all []string
	for _, m := range matches {
		doubt := ""
		if m.Doubt != "" {
			doubt = "?"
		}
		all = append(all, fmt.Sprintf("%s/%s/%s%s", m.EndpointID[len(m.EndpointID)-1:], m.Username, m.CommonName, doubt))
	}
	return all
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\ngot  %q\nwant %q", what, got, want)
	}
}

// TestFindLooksEverywhere: every endpoint, page, name and case, and nobody with a similar name.
func TestFindLooksEverywhere(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.PageSize = 5
		for i := range 23 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: fmt.Sprintf("user%d@example.com", i)})
		}
		for _, k := range []emulator.Client{
			{EndpointID: saml, Username: "ann@example.com", CommonName: "ann@example.com"},
			{EndpointID: saml, Username: "Ann@Example.com", CommonName: "laptop-7"},
			{EndpointID: saml, Username: "joanna@example.com"},
			{EndpointID: saml, Username: "ann@example.com.evil.test"},
			{EndpointID: saml, Username: "xann@example.com"},
			{EndpointID: ad, Username: "ANN", CommonName: "ANN"},
			{EndpointID: ad, Username: "anne", CommonName: "anne"},
			{EndpointID: certs, CommonName: "Ann.vpn.example.com"},
			{EndpointID: certs, Username: "N/A", CommonName: "ann.vpn.example.com"},
			{EndpointID: certs, CommonName: "joanna.vpn.example.com"},
			{EndpointID: certs, Username: "bob", CommonName: "ann.vpn.example.com"},
		} {
			cloud.Connect(k)
		}
		got := find(t, v, vpn.Target{Names: []string{"ann", "ann@example.com", "ann.vpn.example.com"}})
		equal(t, "found", got, []string{
			"1/ann@example.com/ann@example.com", "1/Ann@Example.com/laptop-7", "2/ANN/ANN",
			"3//Ann.vpn.example.com", "3/N/A/ann.vpn.example.com", "3/bob/ann.vpn.example.com?",
		})
	})
}

// TestZeroSubjectFindsNobody: no empty name, and no placeholder, matches a connection that carries one too.
func TestZeroSubjectFindsNobody(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		for _, name := range []string{"", "-", "NA", "N/A", "*", "unknown", " "} {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: name})
			cloud.Connect(emulator.Client{EndpointID: certs, CommonName: name, Username: name})
		}
		for _, target := range []vpn.Target{{}, {Names: []string{"", "-", "na", "n/a", "N/A", "*", "unknown", " "}}} {
			if got := find(t, v, target); got != nil {
				t.Errorf("%q finds %q", target.Names, got)
			}
		}
		for _, c := range cloud.Calls() {
			if c.Action == "DescribeClientVpnConnections" {
				t.Error("lists connections to find nobody")
			}
		}
	})
}

func TestFindByConnectionID(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: ad, Username: "ann"})
		id := cloud.Connect(emulator.Client{EndpointID: ad, Username: "bob"})
		equal(t, "found", find(t, v, vpn.Target{ConnectionID: id}), []string{"2/bob/"})
		if got := find(t, v, vpn.Target{ConnectionID: id[:len(id)-1]}); got != nil {
			t.Errorf("half an id finds %q", got)
		}
	})
}

// TestClientIPCountsOnTransitGatewayOnly: elsewhere the address is translated, and the one seen is another's.
func TestClientIPCountsOnTransitGatewayOnly(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		for _, endpoint := range []string{saml, certs} {
			cloud.Connect(emulator.Client{EndpointID: endpoint, Username: "ann", ClientIP: "10.30.0.10"})
			cloud.Connect(emulator.Client{EndpointID: endpoint, Username: "bob", ClientIP: "10.30.0.1"})
		}
		time.Sleep(time.Hour)
		equal(t, "found", find(t, v, vpn.Target{ClientIP: "10.30.0.10", At: time.Now()}), []string{"3/ann/"})
		equal(t, "an address that was another's then", find(t, v, vpn.Target{ClientIP: "10.30.0.10", At: time.Now().Add(-2 * time.Hour)}), []string{"3/ann/?"})
		v.EndpointIDs = []string{certs}
		equal(t, "endpoints given", find(t, v, vpn.Target{ClientIP: "10.30.0.10", At: time.Now()}), []string{"3/ann/"})
		v.EndpointIDs = []string{saml}
		equal(t, "no endpoint that keeps addresses", find(t, v, vpn.Target{ClientIP: "10.30.0.10", At: time.Now()}), nil)
	})
}

// TestAddressOfUnknownAgeIsDoubtful: EC2 writes the time in another way, and nobody can say whose turn it was.
func TestAddressOfUnknownAgeIsDoubtful(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, _ *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: certs, Username: "ann", ClientIP: "10.30.0.10"})
		client, stop := emulator.HTTPClient(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			cloud.ServeHTTP(answer, r)
			fmt.Fprint(w, strings.ReplaceAll(answer.Body.String(), "2000-01-01 ", "2000-01-01T"))
		}))
		defer stop()
		got := find(t, vpn.New(config(client), nil), vpn.Target{ClientIP: "10.30.0.10", At: time.Now().Add(time.Hour)})
		equal(t, "found", got, []string{"3/ann/?"})
	})
}

func TestEndpointsOnTheirWayOutAreSkipped(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.AddEndpoint(emulator.Endpoint{ID: saml, Status: "deleting"})
		cloud.AddEndpoint(emulator.Endpoint{ID: ad, Status: "deleted"})
		cloud.AddEndpoint(emulator.Endpoint{ID: certs, Status: "pending-associate"})
		endpoints, err := v.Endpoints(t.Context(), false)
		if err != nil || len(endpoints) != 1 || endpoints[0].ID != certs {
			t.Errorf("%+v, %v", endpoints, err)
		}
	})
}

// TestOneEndpointThatFailsDoesNotStopTheOthers, and is not passed over in silence.
func TestOneEndpointThatFailsDoesNotStopTheOthers(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		cloud.Connect(emulator.Client{EndpointID: certs, Username: "ann"})
		cloud.Deny("ec2:DescribeClientVpnConnections", ad)
		v.EndpointIDs = []string{saml, ad, certs, "cvpn-endpoint-0000000000000dead"}
		endpoints, err := v.Endpoints(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		found := v.Find(t.Context(), endpoints, []vpn.Target{{Names: []string{"ann"}}}, nil)
		equal(t, "found", describe(found.Up[0]), []string{"1/ann/", "3/ann/"})
		unknown := "cvpn-endpoint-0000000000000dead"
		for id, want := range map[string]string{
			ad:      "describing connections of " + ad + ": missing permission ec2:DescribeClientVpnConnections on client-vpn-endpoint/" + ad,
			unknown: "describing connections of " + unknown + ": operation error EC2",
		} {
			if err := found.Failed[id]; err == nil || !strings.HasPrefix(err.Error(), want) || !vpn.Refused(err) {
				t.Errorf("%s: %v", id, err)
			}
		}
		if len(found.Failed) != 2 {
			t.Errorf("failed: %v", found.Failed)
		}
	})
}

// TestRepeatedPageTokenIsAnError: to stop there would miss who is behind it, in silence.
func TestRepeatedPageTokenIsAnError(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.PageSize = 5
		for i := range 20 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: fmt.Sprint("user", i)})
		}
		found := vpn.New(circling(t, cloud), []string{saml}).Find(t.Context(), []vpn.Endpoint{{ID: saml}}, []vpn.Target{{Names: []string{"user19"}}}, nil)
		if err := found.Failed[saml]; err == nil || !strings.Contains(err.Error(), "repeats a page token") {
			t.Errorf("%v, found %v", found.Failed, describe(found.Up[0]))
		}
	})
}

// circling is the configuration of a client whose third page is the second again.
func circling(t *testing.T, cloud *emulator.Cloud) aws.Config {
	t.Helper()
	second := ""
	client, stop := emulator.HTTPClient(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		if token := r.Form.Get("NextToken"); second == "" {
			second = token
		} else {
			r.Form.Set("NextToken", second)
		}
		cloud.ServeHTTP(w, r)
	}))
	t.Cleanup(stop)
	return config(client)
}

func TestDiscoveredEndpointThatIsGoneHasNoConnections(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Inject(emulator.Fault{Action: "DescribeClientVpnConnections", EndpointID: ad, Code: "InvalidClientVpnEndpointId.NotFound", Message: "Endpoint " + ad + " does not exist"})
		if got := find(t, v, vpn.Target{Names: []string{"ann"}}); got != nil {
			t.Errorf("found %q", got)
		}
	})
}

// calls gives the requests to terminate, in words.
func calls(cloud *emulator.Cloud) []string {
	var all []string
	for _, c := range cloud.Calls() {
		if c.Action != "TerminateClientVpnConnections" {
			continue
		}
		by := "id"
		if username := c.Params.Get("Username"); username != "" {
			by = username
		}
		all = append(all, strings.Join(strings.Fields(by+" "+c.Params.Get("DryRun")+" "+c.Code), " "))
	}
	slices.Sort(all)
	return all
}

func TestTerminateUsesTheFewestCalls(t *testing.T) {
	for _, test := range []struct {
		name    string
		clients []emulator.Client
		names   []string
		want    []string
	}{
		{"one: by id", []emulator.Client{{EndpointID: saml, Username: "ann"}}, []string{"ann"}, []string{"id"}},
		{"five: one call by name", slices.Repeat([]emulator.Client{{EndpointID: saml, Username: "ann"}}, 5), []string{"ann"}, []string{"ann"}},
		{"six: by id each", slices.Repeat([]emulator.Client{{EndpointID: saml, Username: "ann"}}, 6), []string{"ann"}, []string{"id", "id", "id", "id", "id", "id"}},
		{"two spellings: a call for each", []emulator.Client{
			{EndpointID: saml, Username: "ann"}, {EndpointID: saml, Username: "ann"}, {EndpointID: saml, Username: "Ann"}, {EndpointID: saml, Username: "Ann"},
		}, []string{"ann"}, []string{"Ann", "ann"}},
		{"two endpoints", []emulator.Client{
			{EndpointID: saml, Username: "ann"}, {EndpointID: saml, Username: "ann"}, {EndpointID: ad, Username: "ann"}, {EndpointID: ad, Username: "ann"},
		}, []string{"ann"}, []string{"ann", "ann"}},
		{"by common name: by id each", slices.Repeat([]emulator.Client{{EndpointID: certs, CommonName: "ann"}}, 3), []string{"ann"}, []string{"id", "id", "id"}},
		{"a name with a wildcard: by id each", slices.Repeat([]emulator.Client{{EndpointID: saml, Username: "ann*"}}, 2), []string{"ann*"}, []string{"id", "id"}},
		{"a name with another: by id each", slices.Repeat([]emulator.Client{{EndpointID: saml, Username: "ann?"}}, 2), []string{"ann?"}, []string{"id", "id"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
				cloud.Connect(emulator.Client{EndpointID: saml, Username: "bob", CommonName: "bob"})
				for _, k := range test.clients {
					cloud.Connect(k)
				}
				end := mustFind(t, v, vpn.Target{Names: test.names})
				if extra := v.OldTerminate(t.Context(), end, nil, false); extra != nil {
					t.Errorf("extra: %+v", extra)
				}
				equal(t, "calls", calls(cloud), test.want)
				observe(t, v, connections(end))
				for _, m := range end {
					if m.Previous != vpn.Active || m.Current != vpn.Terminated || m.Error != "" || m.EndedAt.IsZero() {
						t.Errorf("%+v", m.Connection)
					}
				}
				up := 0
				for _, c := range cloud.Connections() {
					if c.EndedAt.IsZero() {
						up++
					}
				}
				if up != 1 {
					t.Errorf("%d connections are up, want bob's alone", up)
				}
			})
		})
	}
}

func connections(matches []vpn.OldMatch) []*vpn.Connection {
	var all []*vpn.Connection
	for _, m := range matches {
		all = append(all, m.Connection)
	}
	return all
}

func TestDryRunEndsNothing(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		for range 3 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		}
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		v.OldTerminate(t.Context(), end, nil, true)
		equal(t, "calls", calls(cloud), []string{"ann true DryRunOperation"})
		for _, m := range end {
			if !m.Would || m.Error != "" || m.Current != vpn.Active || m.How != vpn.ByUsername {
				t.Errorf("%+v", m.Connection)
			}
		}
		for _, c := range cloud.Connections() {
			if c.Status != "active" {
				t.Errorf("%s is %s", c.ID, c.Status)
			}
		}
	})
}

func TestMissingPermissionIsNamed(t *testing.T) {
	for _, dryRun := range []bool{true, false} {
		inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
			cloud.Deny("ec2:TerminateClientVpnConnections", "")
			end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
			v.OldTerminate(t.Context(), end, nil, dryRun)
			want := "missing permission ec2:TerminateClientVpnConnections on client-vpn-endpoint/" + saml
			if !strings.Contains(end[0].Error, want) || end[0].Would {
				t.Errorf("dry-run %v: %q", dryRun, end[0].Error)
			}
		})
	}
}

// TestOverFiveFallsBackToIDs: a sixth connection came up between the listing and the call.
func TestOverFiveFallsBackToIDs(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		for range 5 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		}
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		v.OldTerminate(t.Context(), end, nil, false)
		equal(t, "calls", calls(cloud), []string{"ann ClientVpnTerminateConnectionsLimitExceeded", "id", "id", "id", "id", "id"})
		observe(t, v, connections(end))
		if slices.ContainsFunc(connections(end), func(c *vpn.Connection) bool { return !c.Ended() }) {
			t.Error("not all ended")
		}
	})
}

// TestConnectionThatCameUpUnderTheNameIsReported: EC2 ends it with the others, so it belongs into the outcome.
func TestConnectionThatCameUpUnderTheNameIsReported(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		for range 2 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		}
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		late := cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann", CommonName: "laptop-9"})
		extra := v.OldTerminate(t.Context(), end, nil, false)
		if len(extra) != 1 || extra[0].ID != late || extra[0].Username != "ann" {
			t.Fatalf("extra: %+v", extra)
		}
		observe(t, v, extra)
		if !extra[0].Ended() || extra[0].CommonName != "laptop-9" {
			t.Errorf("%+v", extra[0])
		}
	})
}

// TestKeepIsNotEndedByName: a call by name would end the kept connection too.
func TestKeepIsNotEndedByName(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		for range 3 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		}
		found := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		v.OldTerminate(t.Context(), found[1:], []*vpn.Connection{found[0].Connection}, false)
		equal(t, "calls", calls(cloud), []string{"id", "id"})
	})
}

// TestAlreadyGoneIsCheckedByLooking: both NotFound codes, and both things EC2 may list then.
func TestAlreadyGoneIsCheckedByLooking(t *testing.T) {
	for _, n := range []int{1, 3} {
		for _, later := range []time.Duration{0, 2 * time.Hour} {
			inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
				var all []string
				for range n {
					all = append(all, cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"}))
				}
				end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
				for _, id := range all {
					cloud.Disconnect(id)
				}
				time.Sleep(later)
				v.OldTerminate(t.Context(), end, nil, false)
				for _, m := range end {
					if m.Ended() {
						t.Error("claimed as ended before anyone looked")
					}
				}
				observe(t, v, connections(end))
				for _, m := range end {
					if !m.Ended() || m.Error != "" {
						t.Errorf("%+v", m.Connection)
					}
				}
			})
		}
	}
}

// TestNotFoundThatIsNotTrueIsAskedAgainByID: EC2 knows no such user, and lists the user's connections as active.
func TestNotFoundThatIsNotTrueIsAskedAgainByID(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		for range 2 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		}
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		cloud.Inject(emulator.Fault{Action: "TerminateClientVpnConnections", Times: 1, Code: "InvalidClientVpnConnection.UserNotFound"})
		v.OldTerminate(t.Context(), end, nil, false)
		observe(t, v, connections(end))
		equal(t, "calls", calls(cloud), []string{"ann InvalidClientVpnConnection.UserNotFound", "id", "id"})
		for _, m := range end {
			if !m.Ended() {
				t.Errorf("%+v", m.Connection)
			}
		}
	})
}

// TestRequestedIsNotTerminated: nothing counts as ended until EC2 lists it so.
func TestRequestedIsNotTerminated(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann", Stuck: true})
		cloud.Connect(emulator.Client{EndpointID: ad, Username: "ann", FailToTerminate: true})
		cloud.Connect(emulator.Client{EndpointID: certs, Username: "ann"})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		v.OldTerminate(t.Context(), end, nil, false)
		for _, m := range end {
			if m.Current != vpn.Terminating || m.Ended() {
				t.Errorf("right after the answer: %+v", m.Connection)
			}
		}
		observe(t, v, connections(end))
		var got []string
		for _, m := range end {
			got = append(got, string(m.Current))
		}
		equal(t, "statuses", got, []string{"terminating", "failed-to-terminate", "terminated"})
	})
}

// TestConnectionsThatAreEndingAreNotAskedAgain, but seen to their end: a repeat of an event ends nothing twice.
func TestConnectionsThatAreEndingAreNotAskedAgain(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		v.OldTerminate(t.Context(), mustFind(t, v, vpn.Target{Names: []string{"ann"}}), nil, false)
		again := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		v.OldTerminate(t.Context(), again, nil, false)
		observe(t, v, connections(again))
		if !again[0].Ended() || again[0].Previous != vpn.Terminating {
			t.Errorf("%+v", again[0].Connection)
		}
		equal(t, "calls", calls(cloud), []string{"id"})
	})
}

// TestLostAnswerIsNotARefusal: EC2 did it and the answer got lost, or EC2 never got the request.
func TestLostAnswerIsNotARefusal(t *testing.T) {
	for name, fault := range map[string]emulator.Fault{
		"done, connection dropped": {Drop: true},
		"done, half an answer":     {Truncate: true},
		"not done, 500":            {Code: "InternalError"},
	} {
		t.Run(name, func(t *testing.T) {
			inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
				cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
				end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
				fault.Action, fault.Times = "TerminateClientVpnConnections", 3 // as often as the SDK tries
				cloud.Inject(fault)
				v.OldTerminate(t.Context(), end, nil, false)
				if c := end[0]; c.Error != "" || c.Ended() || !c.Pending() {
					t.Errorf("right after the call: %+v", c.Connection)
				}
				observe(t, v, connections(end))
				if c := end[0]; !c.Ended() || c.Error != "" {
					t.Errorf("%+v", c.Connection)
				}
			})
		})
	}
}

// TestExemptSpellingIsNotEndedByName: whether EC2 folds the case of a user name is not documented, so a call by name is
// none where a spared connection has the name in another case.
func TestExemptSpellingIsNotEndedByName(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		for _, username := range []string{"ann", "ann", "ANN"} {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: username})
		}
		found := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		v.OldTerminate(t.Context(), found[:2], []*vpn.Connection{found[2].Connection}, false)
		equal(t, "calls", calls(cloud), []string{"id", "id"})
	})
}

// TestCommonNamesCountOnCertificatesOnly: a template for certificates must not find another's user name.
func TestCommonNamesCountOnCertificatesOnly(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann-laptop", CommonName: "x"})
		cloud.Connect(emulator.Client{EndpointID: certs, CommonName: "ann-laptop"})
		equal(t, "found", find(t, v, vpn.Target{Names: []string{"ann"}, CommonNames: []string{"ann-laptop"}}), []string{"3//ann-laptop"})
	})
}

// TestEndedConnectionThatIsListedAgain is not believed to have ended until EC2 says terminated.
func TestEndedConnectionThatIsListedAgain(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		id := cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		cloud.Disconnect(id)
		time.Sleep(2 * time.Hour) // EC2 does not list it any more
		v.OldTerminate(t.Context(), end, nil, false)
		observe(t, v, connections(end))
		if !end[0].Ended() {
			t.Fatalf("%+v", end[0].Connection)
		}
		end[0].Revive(vpn.Active)
		observe(t, v, connections(end))
		if end[0].Ended() {
			t.Errorf("ended, for want of a row: %+v", end[0].Connection)
		}
	})
}

// TestOneEmptyAnswerIsNoEnd: EC2's listing may lag; the next look decides.
func TestOneEmptyAnswerIsNoEnd(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, _ *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann", Stuck: true})
		looks := 0
		client, stop := emulator.HTTPClient(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := r.ParseForm(); err != nil {
				t.Error(err)
			}
			if r.Form.Get("Filter.1.Name") != "" {
				if looks++; looks == 1 {
					r.Form.Set("Filter.1.Value.1", "cvpn-connection-0")
				}
			}
			cloud.ServeHTTP(w, r)
		}))
		defer stop()
		v := vpn.New(config(client), nil)
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		v.OldTerminate(t.Context(), end, nil, false)
		for range 3 {
			if err := v.Look(t.Context(), connections(end)); err != nil || end[0].Ended() {
				t.Errorf("after %d looks: %+v, %v", looks, end[0].Connection, err)
			}
		}
	})
}

// TestNotAskedIsNotPending: the time was up before the request, or EC2 throttled it to the end.
func TestNotAskedIsNotPending(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		v.OldTerminate(ctx, end, nil, false)
		if c := end[0]; c.Error == "" || c.Pending() || len(calls(cloud)) != 0 {
			t.Errorf("%+v", c.Connection)
		}
		cloud.Inject(emulator.Fault{Action: "TerminateClientVpnConnections", Code: "RequestLimitExceeded"})
		ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		v.OldTerminate(ctx, end, nil, false)
		if c := end[0]; !strings.Contains(c.Error, "RequestLimitExceeded") || c.Pending() {
			t.Errorf("%+v", c.Connection)
		}
	})
}

// TestDryRunOfWhatIsEnding needs no asking: it will end.
func TestDryRunOfWhatIsEnding(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		v.OldTerminate(t.Context(), mustFind(t, v, vpn.Target{Names: []string{"ann"}}), nil, false)
		again := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		v.OldTerminate(t.Context(), again, nil, true)
		if !again[0].Would || len(calls(cloud)) != 1 {
			t.Errorf("%+v, calls %q", again[0].Connection, calls(cloud))
		}
	})
}

// TestThrottlingIsTriedAgain by the SDK's retryer.
func TestThrottlingIsTriedAgain(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		cloud.Inject(emulator.Fault{Code: "RequestLimitExceeded", Times: 1})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		cloud.Inject(emulator.Fault{Action: "TerminateClientVpnConnections", Code: "RequestLimitExceeded", Times: 2})
		v.OldTerminate(t.Context(), end, nil, false)
		if end[0].Error != "" || end[0].Current != vpn.Terminating {
			t.Errorf("%+v", end[0].Connection)
		}
	})
}

// through is a VPN whose requests and answers pass change; ask may be nil.
func through(t *testing.T, cloud *emulator.Cloud, ask func(url.Values), answer func(form url.Values, body string) string) *vpn.VPN {
	t.Helper()
	client, stop := emulator.HTTPClient(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		if ask != nil {
			ask(r.Form)
		}
		recorded := httptest.NewRecorder()
		cloud.ServeHTTP(recorded, r)
		body := recorded.Body.String()
		if answer != nil {
			body = answer(r.Form, body)
		}
		w.WriteHeader(recorded.Code)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(stop)
	return vpn.New(config(client), nil)
}

func TestEveryPageOfEndpoints(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.PageSize = 1
		cloud.Connect(emulator.Client{EndpointID: certs, Username: "ann", ClientIP: "10.30.0.10"})
		equal(t, "found", find(t, v, vpn.Target{Names: []string{"ann"}}), []string{"3/ann/"})
		v.EndpointIDs = []string{certs}
		equal(t, "given, and described on the last page", find(t, v, vpn.Target{ClientIP: "10.30.0.10", At: time.Now()}), []string{"3/ann/"})
	})
}

// TestConnectionWithoutAStatusIsUp: it is better looked at twice than not at all.
func TestConnectionWithoutAStatusIsUp(t *testing.T) {
	for _, status := range []string{"", "<status></status>", "<status><code></code></status>"} {
		inCloud(t, func(t *testing.T, cloud *emulator.Cloud, _ *vpn.VPN) {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
			v := through(t, cloud, nil, func(_ url.Values, body string) string {
				return strings.ReplaceAll(body, "<status><code>active</code></status>", status)
			})
			found := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
			if len(found) != 1 || found[0].Current != vpn.Active {
				t.Errorf("%q: %+v", status, found)
			}
		})
	}
}

func TestAddressInItsOtherForms(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, _ *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: certs, Username: "ann", ClientIP: "10.30.0.10"})
		v := through(t, cloud, nil, func(_ url.Values, body string) string {
			return strings.ReplaceAll(body, "</clientIp>", "</clientIp><clientIpv6Address>2001:db8::a</clientIpv6Address>")
		})
		for _, ip := range []string{"10.30.0.10", "::ffff:10.30.0.10", "2001:db8::a", "2001:DB8:0:0::A"} {
			equal(t, ip, find(t, v, vpn.Target{ClientIP: ip, At: time.Now()}), []string{"3/ann/"})
		}
	})
}

// TestDryRunStaysOneWhenEC2RefusesTheName: what falls back to ids asks, and ends nothing.
func TestDryRunStaysOneWhenEC2RefusesTheName(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		for range 2 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		}
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		cloud.Inject(emulator.Fault{Action: "TerminateClientVpnConnections", Times: 1, Code: "ClientVpnTerminateConnectionsLimitExceeded"})
		v.OldTerminate(t.Context(), end, nil, true)
		equal(t, "calls", calls(cloud), []string{"ann true ClientVpnTerminateConnectionsLimitExceeded", "id true DryRunOperation", "id true DryRunOperation"})
		for _, c := range cloud.Connections() {
			if c.Status != "active" {
				t.Errorf("%s is %s", c.ID, c.Status)
			}
		}
	})
}

func TestDryRunThatFailsIsNoSuccess(t *testing.T) {
	for _, code := range []string{"InvalidClientVpnConnection.IdNotFound", "InternalError"} {
		inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
			end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
			cloud.Inject(emulator.Fault{Action: "TerminateClientVpnConnections", Code: code})
			v.OldTerminate(t.Context(), end, nil, true)
			if c := end[0]; !strings.Contains(c.Error, code) || c.Would || c.Pending() {
				t.Errorf("%s: %+v", code, c.Connection)
			}
		})
	}
}

var items = regexp.MustCompile(`(?s)<connectionStatuses>.*</connectionStatuses>`)

// TestAnswerWithoutTheConnection: each is asked for by its id, and what EC2 passes over then too has not ended.
func TestAnswerWithoutTheConnection(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, _ *vpn.VPN) {
		for range 2 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann", Stuck: true})
		}
		v := through(t, cloud, nil, func(_ url.Values, body string) string {
			return items.ReplaceAllString(body, "<connectionStatuses/>")
		})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		v.OldTerminate(t.Context(), end, nil, false)
		equal(t, "calls", calls(cloud), []string{"ann", "id", "id"})
		for _, m := range end {
			if !strings.Contains(m.Error, "answered without the connection") || m.Ended() {
				t.Errorf("%+v", m.Connection)
			}
		}
	})
}

func TestAnswerWithoutAStatusIsNoEnd(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, _ *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann", Stuck: true})
		v := through(t, cloud, nil, func(_ url.Values, body string) string {
			return regexp.MustCompile(`<currentStatus>.*?</currentStatus>`).ReplaceAllString(body, "")
		})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		v.OldTerminate(t.Context(), end, nil, false)
		if c := end[0]; c.Current != vpn.Terminating || !c.Pending() {
			t.Errorf("%+v", c.Connection)
		}
	})
}

func TestAnswerThatItHasEnded(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.EndedAnswersRow = true
		id := cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		cloud.Disconnect(id)
		v.OldTerminate(t.Context(), end, nil, false)
		if c := end[0]; c.Previous != vpn.Terminated || !c.Ended() || c.EndedAt.IsZero() {
			t.Errorf("%+v", c.Connection)
		}
	})
}

// TestLooksAtManyInParts: EC2 takes 200 values in one filter.
func TestLooksAtManyInParts(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		for i := range 201 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann", CommonName: fmt.Sprint(i)})
		}
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		v.OldTerminate(t.Context(), end, nil, false)
		observe(t, v, connections(end))
		if slices.ContainsFunc(connections(end), func(c *vpn.Connection) bool { return !c.Ended() }) {
			t.Error("not all ended")
		}
		for _, c := range cloud.Calls() {
			if c.Params.Get("Filter.1.Value.201") != "" {
				t.Error("asks for more than 200 in one filter")
			}
		}
	})
}

func TestListingTakesTheFewestPages(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		v.EndpointIDs = []string{saml}
		for i := range 900 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: fmt.Sprint("user", i)})
		}
		find(t, v, vpn.Target{Names: []string{"user7"}})
		if n := len(cloud.Calls()); n != 1 {
			t.Errorf("%d calls", n)
		}
	})
}

func TestFailedLookIsNoEnd(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann", Stuck: true})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		v.OldTerminate(t.Context(), end, nil, false)
		cloud.Deny("ec2:DescribeClientVpnConnections", saml)
		for range 3 {
			if err := v.Look(t.Context(), connections(end)); err == nil || !strings.Contains(err.Error(), "missing permission") || !end[0].Pending() {
				t.Errorf("%v: %+v", err, end[0].Connection)
			}
		}
	})
}

// hidden makes the looks with the given numbers, from 1, answer without any connection.
func hidden(t *testing.T, cloud *emulator.Cloud, numbers ...int) *vpn.VPN {
	looks := 0
	return through(t, cloud, func(form url.Values) {
		if form.Get("Filter.1.Name") != "" {
			if looks++; slices.Contains(numbers, looks) {
				form.Set("Filter.1.Value.1", "cvpn-connection-0")
			}
		}
	}, nil)
}

// TestTwoEmptyAnswersApartAreNoEnd: a listing that shows it in between begins the count anew.
func TestTwoEmptyAnswersApartAreNoEnd(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, _ *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann", Stuck: true})
		v := hidden(t, cloud, 1, 3)
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		v.OldTerminate(t.Context(), end, nil, false)
		for range 3 {
			if err := v.Look(t.Context(), connections(end)); err != nil || end[0].Ended() {
				t.Errorf("%+v, %v", end[0].Connection, err)
			}
		}
	})
}

// TestEmptyAnswerAfterTheSecondRequestIsNoEnd: EC2 took that one, so its earlier denial counts no more.
func TestEmptyAnswerAfterTheSecondRequestIsNoEnd(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, _ *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann", Stuck: true})
		v := hidden(t, cloud, 2)
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		cloud.Inject(emulator.Fault{Action: "TerminateClientVpnConnections", Times: 1, Code: "InvalidClientVpnConnection.IdNotFound"})
		v.OldTerminate(t.Context(), end, nil, false)
		for range 2 {
			if err := v.Look(t.Context(), connections(end)); err != nil || end[0].Ended() {
				t.Errorf("%+v, %v", end[0].Connection, err)
			}
		}
		equal(t, "calls", calls(cloud), []string{"id", "id InvalidClientVpnConnection.IdNotFound"})
	})
}

func TestAskedAgainOnlyOnce(t *testing.T) {
	for _, test := range []struct {
		fault emulator.Fault
		want  []string
	}{
		{emulator.Fault{Code: "InvalidClientVpnConnection.IdNotFound"}, []string{"id InvalidClientVpnConnection.IdNotFound", "id InvalidClientVpnConnection.IdNotFound"}},
		{emulator.Fault{Drop: true, Times: 3}, []string{"id dropped", "id dropped", "id dropped"}},
	} {
		inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann", Stuck: true})
			end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
			test.fault.Action = "TerminateClientVpnConnections"
			cloud.Inject(test.fault)
			v.OldTerminate(t.Context(), end, nil, false)
			for range 4 {
				if err := v.Look(t.Context(), connections(end)); err != nil {
					t.Error(err)
				}
			}
			equal(t, "calls", calls(cloud), test.want)
		})
	}
}

func TestRefusedTheSecondTimeIsNotPending(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		cloud.Inject(emulator.Fault{Action: "TerminateClientVpnConnections", Times: 1, Code: "InvalidClientVpnConnection.IdNotFound"})
		v.OldTerminate(t.Context(), end, nil, false)
		cloud.Deny("ec2:TerminateClientVpnConnections", "")
		if err := v.Look(t.Context(), connections(end)); err != nil || !strings.Contains(end[0].Error, "missing permission") || end[0].Pending() {
			t.Errorf("%+v, %v", end[0].Connection, err)
		}
	})
}

func TestFailedToTerminateIsNotPending(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann", FailToTerminate: true})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		v.OldTerminate(t.Context(), end, nil, false)
		start := time.Now()
		observe(t, v, connections(end))
		if c := end[0]; c.Current != vpn.FailedToTerminate || c.Pending() || time.Since(start) > 10*time.Second {
			t.Errorf("after %v: %+v", time.Since(start), c.Connection)
		}
	})
}

func TestEndpointThatIsDeletedTakesItsConnectionsAlong(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		v.EndpointIDs = []string{saml}
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann", Stuck: true})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		v.OldTerminate(t.Context(), end, nil, false)
		cloud.Inject(emulator.Fault{Action: "DescribeClientVpnConnections", Code: "InvalidClientVpnEndpointId.NotFound"})
		for range 2 {
			if err := v.Look(t.Context(), connections(end)); err != nil {
				t.Error(err)
			}
		}
		if !end[0].Ended() || end[0].EndedAt.IsZero() {
			t.Errorf("%+v", end[0].Connection)
		}
	})
}

// TestAnswerThatIsNotEC2s is no list of nothing: one without a word, or from something that stands in between.
func TestAnswerThatIsNotEC2s(t *testing.T) {
	for _, foreign := range []string{"", " ", "<html><body>Sign in</body></html>", `<?xml version="1.0"?><!-- no --><Response><Errors/></Response>`} {
		inCloud(t, func(t *testing.T, cloud *emulator.Cloud, _ *vpn.VPN) {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann", Stuck: true})
			spoilt := false
			v := through(t, cloud, nil, func(_ url.Values, body string) string {
				if spoilt {
					return foreign
				}
				return body
			})
			end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
			spoilt = true
			found := v.Find(t.Context(), []vpn.Endpoint{{ID: saml}}, []vpn.Target{{Names: []string{"ann"}}}, nil)
			if err := found.Failed[saml]; err == nil || vpn.Refused(err) {
				t.Errorf("%q: %v, found %v", foreign, err, describe(found.Up[0]))
			}
			v.OldTerminate(t.Context(), end, nil, false)
			for range 3 {
				if err := v.Look(t.Context(), connections(end)); err == nil || !end[0].Pending() {
					t.Errorf("%q: %v: %+v", foreign, err, end[0].Connection)
				}
			}
		})
	}
}

// TestEndpointThatIsDeletedBeforeTheTermination: what was there has ended, when EC2 shows that it is there no more.
func TestEndpointThatIsDeletedBeforeTheTermination(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		cloud.DeleteEndpoint(saml)
		v.OldTerminate(t.Context(), end, nil, false)
		if end[0].Ended() {
			t.Error("claimed as ended before anyone looked")
		}
		observe(t, v, connections(end))
		if !end[0].Ended() || end[0].Error != "" {
			t.Errorf("%+v", end[0].Connection)
		}
	})
}

// TestBucketThatOthersDrawFrom: eight calls are under way when EC2 throttles the first, and slow the process down once. After a
// pause, there are calls to be had at once again.
func TestBucketThatOthersDrawFrom(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Latency = 50 * time.Millisecond
		cloud.Limits = map[string]emulator.Limit{"TerminateClientVpnConnections": {Bucket: 20, Refill: 5}}
		end := func(n int, prefix string) time.Duration {
			var target vpn.Target
			for i := range n {
				name := fmt.Sprint(prefix, i)
				cloud.Connect(emulator.Client{EndpointID: saml, Username: name})
				target.Names = append(target.Names, name)
			}
			matches := mustFind(t, v, target)
			start := time.Now()
			v.OldTerminate(t.Context(), matches, nil, false)
			for _, m := range matches {
				if m.Error != "" || m.Lost != "" {
					t.Errorf("%+v", m.Connection)
				}
			}
			return time.Since(start)
		}
		if took := end(60, "early"); took < 8*time.Second || took > 17*time.Second {
			t.Errorf("took %v", took)
		}
		time.Sleep(time.Minute)
		if took := end(16, "late"); took > time.Second {
			t.Errorf("after a pause, took %v", took)
		}
	})
}

// TestEC2ThatFailsIsNotAskedForLong: a few attempts, and then a look, which asks once more.
func TestEC2ThatFailsIsNotAskedForLong(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, _ *vpn.VPN) {
		client, stop := emulator.HTTPClient(cloud)
		defer stop()
		cfg := config(client)
		cfg.Retryer = func() aws.Retryer { return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = 10 }) }
		v := vpn.New(cfg, nil)
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		cloud.Inject(emulator.Fault{Action: "TerminateClientVpnConnections", Code: "InternalError"})
		v.OldTerminate(t.Context(), end, nil, false)
		if c := end[0]; c.Lost == "" || !c.Pending() || len(calls(cloud)) != 3 {
			t.Errorf("%+v\n%q", c.Connection, calls(cloud))
		}
	})
}

// TestEndpointThatIsThrottledTakesNoOthersTurn: many calls for one endpoint are throttled for ever, and the one for the other
// is made all the same.
func TestEndpointThatIsThrottledTakesNoOthersTurn(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		var target vpn.Target
		for i := range 30 {
			name := fmt.Sprint("user", i)
			target.Names = append(target.Names, name)
			cloud.Connect(emulator.Client{EndpointID: saml, Username: name})
		}
		cloud.Connect(emulator.Client{EndpointID: ad, Username: "user0"})
		end := mustFind(t, v, target)
		cloud.Latency = 900 * time.Millisecond // a call that is under way at the end would be one of which nobody knows what became
		cloud.Inject(emulator.Fault{Action: "TerminateClientVpnConnections", EndpointID: saml, Code: "RequestLimitExceeded"})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		v.OldTerminate(ctx, end, nil, false)
		for _, m := range end {
			if (m.Error == "") != (m.EndpointID == ad) || m.Lost != "" {
				t.Errorf("%+v", m.Connection)
			}
		}
	})
}
