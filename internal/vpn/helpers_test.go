package vpn_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/vpn"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const (
	saml  = "cvpn-endpoint-00000000000000001"
	ad    = "cvpn-endpoint-00000000000000002"
	certs = "cvpn-endpoint-00000000000000003"
)

// EC2's actions and codes.
const (
	describeConnections  = "DescribeClientVpnConnections"
	terminateConnections = "TerminateClientVpnConnections"

	userNotFound     = "InvalidClientVpnConnection.UserNotFound"
	idNotFound       = "InvalidClientVpnConnection.IdNotFound"
	endpointNotFound = "InvalidClientVpnEndpointId.NotFound"
	tooMany          = "ClientVpnTerminateConnectionsLimitExceeded"
)

// inCloud runs a test in virtual time against three endpoints, with the real SDK over HTTP.
func inCloud(t *testing.T, test func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN)) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &emulator.Cloud{TerminateTime: time.Second}
		cloud.AddEndpoint(emulator.Endpoint{ID: saml, Authentication: []string{"federated-authentication"}})
		cloud.AddEndpoint(emulator.Endpoint{ID: ad, Authentication: []string{"directory-service-authentication"}})
		cloud.AddEndpoint(emulator.Endpoint{
			ID: certs, Authentication: []string{"certificate-authentication"}, TransitGateway: "tgw-0123456789abcdef0",
		})
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

// observe verifies until nothing is pending, or ten minutes have passed.
func observe(t *testing.T, v *vpn.VPN, connections []*vpn.Tracked) {
	t.Helper()
	for range 600 {
		if !slices.ContainsFunc(connections, (*vpn.Tracked).Pending) {
			return
		}
		time.Sleep(time.Second)
		if err := look(t.Context(), v, connections); err != nil {
			t.Error(err)
		}
	}
}

// look verifies once, and applies what EC2 shows.
func look(ctx context.Context, v *vpn.VPN, connections []*vpn.Tracked) error {
	shown, err := v.Verify(ctx, snapshots(connections))
	for _, s := range shown {
		byID(connections, s.ConnectionID).Observe(s)
	}
	return err
}

// terminate has the connections terminated, applies the answers, and returns those that EC2 terminated beside them.
func terminate(ctx context.Context, v *vpn.VPN, end []*vpn.Tracked, keep []vpn.Connection, dryRun bool) []*vpn.Tracked {
	var beside []*vpn.Tracked
	for _, a := range v.Terminate(ctx, snapshots(end), keep, dryRun) {
		if a.Beside != nil {
			beside = append(beside, vpn.TrackBeside(a))
			continue
		}
		byID(end, a.ConnectionID).Answered(a)
	}
	return beside
}

func byID(connections []*vpn.Tracked, id string) *vpn.Tracked {
	return connections[slices.IndexFunc(connections, func(c *vpn.Tracked) bool { return c.ID == id })]
}

func snapshots(connections []*vpn.Tracked) []vpn.Tracked {
	var all []vpn.Tracked
	for _, c := range connections {
		all = append(all, *c)
	}
	return all
}

// search returns what a search yields in one batch.
func search(v *vpn.VPN, endpoints []vpn.Endpoint, targets ...vpn.Target) vpn.Batch {
	var all vpn.Batch
	for b := range v.Search(context.Background(), endpoints, targets) {
		b.Matches = append(all.Matches, b.Matches...)
		all = b
	}
	return all
}

// find returns the connections of one target, in words.
func find(t *testing.T, v *vpn.VPN, target vpn.Target) []string {
	t.Helper()
	return describe(matches(t, v, target))
}

// mustFind begins to track the connections of one target.
func mustFind(t *testing.T, v *vpn.VPN, target vpn.Target) []*vpn.Tracked {
	t.Helper()
	var all []*vpn.Tracked
	for _, m := range matches(t, v, target) {
		all = append(all, vpn.Track(m))
	}
	return all
}

func matches(t *testing.T, v *vpn.VPN, target vpn.Target) []vpn.Match {
	t.Helper()
	endpoints, err := v.Endpoints(t.Context(), target.ClientIP != "")
	if err != nil {
		t.Fatal(err)
	}
	found := search(v, endpoints, target)
	if len(found.Failed) > 0 {
		t.Fatal(found.Failed)
	}
	return found.Matches
}

func describe(matches []vpn.Match) []string {
	var all []string
	for _, m := range matches {
		doubt := ""
		if m.Doubt != nil {
			doubt = "?"
		}
		endpoint := m.EndpointID[len(m.EndpointID)-1:]
		all = append(all, fmt.Sprintf("%s/%s/%s%s", endpoint, m.Username, m.CommonName, doubt))
	}
	return all
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\ngot  %q\nwant %q", what, got, want)
	}
}

// calls returns the requests to terminate, in words.
func calls(cloud *emulator.Cloud) []string {
	var all []string
	for _, c := range cloud.Calls() {
		if c.Action != terminateConnections {
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

// through returns a VPN whose requests ask changes, and whose answers answer changes; each may be nil.
func through(t *testing.T, cloud *emulator.Cloud, ask func(url.Values),
	answer func(form url.Values, body string) string) *vpn.VPN {
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

// hidden makes the looks with these numbers, from 1, answer without any connection.
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
