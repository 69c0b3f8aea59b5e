package vpn_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/vpn"
)

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
			"1/ann@example.com/ann@example.com", "1/Ann@Example.com/laptop-7", "1/ann@example.com.evil.test/?", "2/ANN/ANN",
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
			if c.Action == describeConnections {
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
		before := vpn.Target{ClientIP: "10.30.0.10", At: time.Now().Add(-2 * time.Hour)}
		equal(t, "an address that was another's then", find(t, v, before), []string{"3/ann/?"})
		v.EndpointIDs = []string{certs}
		equal(t, "endpoints given", find(t, v, vpn.Target{ClientIP: "10.30.0.10", At: time.Now()}), []string{"3/ann/"})
		v.EndpointIDs = []string{saml}
		now := vpn.Target{ClientIP: "10.30.0.10", At: time.Now()}
		equal(t, "no endpoint that keeps addresses", find(t, v, now), nil)
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
		found := search(v, endpoints, vpn.Target{Names: []string{"ann"}})
		equal(t, "found", describe(found.Matches), []string{"1/ann/", "3/ann/"})
		unknown := "cvpn-endpoint-0000000000000dead"
		for id, want := range map[string]string{
			ad: "describing connections of " + ad +
				": missing permission ec2:DescribeClientVpnConnections on client-vpn-endpoint/" + ad,
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

// TestRepeatedPageTokenIsAnError: to stop there would silently miss the connections on the pages behind it.
func TestRepeatedPageTokenIsAnError(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, _ *vpn.VPN) {
		cloud.PageSize = 5
		for i := range 20 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: fmt.Sprint("user", i)})
		}
		v := vpn.New(circling(t, cloud), []string{saml})
		found := search(v, []vpn.Endpoint{{ID: saml}}, vpn.Target{Names: []string{"user19"}})
		if err := found.Failed[saml]; err == nil || !strings.Contains(err.Error(), "repeats a page token") {
			t.Errorf("%v, found %v", found.Failed, describe(found.Matches))
		}
	})
}

func TestDiscoveredEndpointThatIsGoneHasNoConnections(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Inject(emulator.Fault{Action: describeConnections, EndpointID: ad, Code: endpointNotFound})
		if got := find(t, v, vpn.Target{Names: []string{"ann"}}); got != nil {
			t.Errorf("found %q", got)
		}
	})
}

// TestCommonNamesCountOnCertificatesOnly: a template for certificates must not find another's user name.
func TestCommonNamesCountOnCertificatesOnly(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann-laptop", CommonName: "x"})
		cloud.Connect(emulator.Client{EndpointID: certs, CommonName: "ann-laptop"})
		target := vpn.Target{Names: []string{"ann"}, CommonNames: []string{"ann-laptop"}}
		equal(t, "found", find(t, v, target), []string{"3//ann-laptop"})
	})
}

func TestEveryPageOfEndpoints(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.PageSize = 1
		cloud.Connect(emulator.Client{EndpointID: certs, Username: "ann", ClientIP: "10.30.0.10"})
		equal(t, "found", find(t, v, vpn.Target{Names: []string{"ann"}}), []string{"3/ann/"})
		v.EndpointIDs = []string{certs}
		target := vpn.Target{ClientIP: "10.30.0.10", At: time.Now()}
		equal(t, "given, and described on the last page", find(t, v, target), []string{"3/ann/"})
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
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{
			EndpointID: certs, Username: "ann", ClientIP: "10.30.0.10", ClientIPv6: "2001:db8::a",
		})
		if found := mustFind(t, v, vpn.Target{Names: []string{"ann"}}); found[0].ClientIPv6 != "2001:db8::a" {
			t.Errorf("%+v", found[0].Connection)
		}
		for _, ip := range []string{"10.30.0.10", "::ffff:10.30.0.10", "2001:db8::a", "2001:DB8:0:0::A"} {
			equal(t, ip, find(t, v, vpn.Target{ClientIP: ip, At: time.Now()}), []string{"3/ann/"})
		}
	})
}

func TestListingTakesTheFewestPages(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		v.EndpointIDs = []string{saml}
		for i := range 900 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: fmt.Sprint("user", i)})
		}
		find(t, v, vpn.Target{Names: []string{"user7"}, LikelyUsernames: []string{"user7"}})
		if n := len(cloud.Calls()); n != 1 {
			t.Errorf("%d calls", n)
		}
	})
}

// TestConfiguredEndpointThatIsGoneIsAnError: unlike one that was discovered, somebody named it.
func TestConfiguredEndpointThatIsGoneIsAnError(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		v.EndpointIDs = []string{saml}
		endpoints, err := v.Endpoints(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		cloud.DeleteEndpoint(saml)
		if found := search(v, endpoints, vpn.Target{Names: []string{"ann"}}); found.Failed[saml] == nil {
			t.Errorf("%+v", found)
		}
	})
}

// TestEndpointSaysWhoVouchesForItsUsers: the methods with their authority, in EC2's order.
func TestEndpointSaysWhoVouchesForItsUsers(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		const provider = "arn:aws:iam::111122223333:saml-provider/okta"
		const root = "arn:aws:acm:eu-west-1:111122223333:certificate/1"
		cloud.AddEndpoint(emulator.Endpoint{
			ID: saml, SAMLProvider: provider, Directory: "d-9067000000", RootCertificate: root, SessionHours: 8,
			Description: "for staff", Tags: map[string]string{"team": "net", "Name": "staff"},
			Authentication: []string{string(vpn.ByCertificate), string(vpn.ByDirectory), string(vpn.BySAML)},
		})
		v.EndpointIDs = []string{saml}
		endpoints, err := v.Endpoints(t.Context(), true)
		if err != nil || len(endpoints) != 1 {
			t.Fatal(endpoints, err)
		}
		want := []vpn.Authentication{
			{vpn.ByCertificate, root}, {vpn.ByDirectory, "d-9067000000"}, {vpn.BySAML, provider},
		}
		if e := endpoints[0]; !slices.Equal(e.Authentication, want) || e.Name != "staff" ||
			e.Description != "for staff" || e.SessionTimeout != 8*time.Hour {
			t.Errorf("%+v", e)
		}
	})
}
