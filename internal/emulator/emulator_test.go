package emulator

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

const (
	endpointA = "cvpn-endpoint-0123456789abcdef0"
	endpointB = "cvpn-endpoint-0123456789abcdef1"
	topic     = "arn:aws:sns:eu-west-1:111122223333:alarms"
)

func config(url string, client aws.HTTPClient) aws.Config {
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String(url), HTTPClient: client, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
}

// serveCloud puts the cloud on a socket, with two endpoints.
func serveCloud(t *testing.T, c *Cloud) aws.Config {
	t.Helper()
	url, stop, err := Serve(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	c.AddEndpoint(Endpoint{ID: endpointA, Description: "staff", Authentication: []string{"federated-authentication"},
		Tags: map[string]string{"team": "net", "env": "prod"}})
	c.AddEndpoint(Endpoint{ID: endpointB, TransitGateway: "tgw-0123456789abcdef0", Status: "pending-associate",
		Authentication: []string{"certificate-authentication", "directory-service-authentication"}})
	return config(url, &http.Client{Transport: settled{http.DefaultTransport}})
}

func wantCode(t *testing.T, err error, code string, status int) {
	t.Helper()
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok || api.ErrorCode() != code {
		t.Errorf("error %v, want %s", err, code)
		return
	}
	if response, ok := errors.AsType[*awshttp.ResponseError](err); !ok || response.HTTPStatusCode() != status ||
		len(response.ServiceRequestID()) != 36 {
		t.Errorf("error %v, want status %d and a request id", err, status)
	}
}

func statusesOf(c *Cloud) (list []string) {
	for _, k := range c.Connections() {
		list = append(list, k.Status)
	}
	return list
}

func TestTerminateAndReconnectInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Cloud
		hc, stop := HTTPClient(&c)
		defer stop()
		api := ec2.NewFromConfig(config("http://emulator", hc))
		ctx := t.Context()
		c.AddEndpoint(Endpoint{ID: endpointA})
		start := time.Now()
		id := c.Connect(Client{EndpointID: endpointA, Username: "ann", CommonName: "ann", ReconnectAfter: 2 * time.Second, Reconnects: 1})

		out, err := api.TerminateClientVpnConnections(ctx, &ec2.TerminateClientVpnConnectionsInput{
			ClientVpnEndpointId: aws.String(endpointA), Username: aws.String("ann")})
		if err != nil {
			t.Fatal(err)
		}
		if id, _ := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata); len(id) != 36 {
			t.Errorf("request id %q", id)
		}
		row := out.ConnectionStatuses[0]
		if *out.ClientVpnEndpointId != endpointA || *out.Username != "ann" || len(out.ConnectionStatuses) != 1 ||
			*row.ConnectionId != id || row.PreviousStatus.Code != "active" || row.CurrentStatus.Code != "terminating" {
			t.Errorf("answered %+v", out)
		}
		describe := func() []types.ClientVpnConnection {
			t.Helper()
			out, err := api.DescribeClientVpnConnections(ctx, &ec2.DescribeClientVpnConnectionsInput{ClientVpnEndpointId: aws.String(endpointA)})
			if err != nil {
				t.Fatal(err)
			}
			return out.Connections
		}
		time.Sleep(299 * time.Millisecond)
		if k := describe(); len(k) != 1 || k[0].Status.Code != "terminating" || *k[0].ConnectionEndTime != "-" {
			t.Errorf("just before: %+v", k)
		}
		time.Sleep(time.Millisecond)
		if k := describe(); len(k) != 1 || k[0].Status.Code != "terminated" || *k[0].ConnectionEndTime != "2000-01-01 00:00:00" {
			t.Errorf("after: %+v", k)
		}
		time.Sleep(2*time.Second - 1)
		if k := describe(); len(k) != 1 {
			t.Errorf("back too early: %+v", k)
		}
		// Seen late, the new connection is established when it was due.
		time.Sleep(time.Minute)
		k := describe()
		if len(k) != 2 || *k[1].ConnectionId == id || k[1].Status.Code != "active" || *k[1].Username != "ann" ||
			*k[1].ConnectionEstablishedTime != "2000-01-01 00:00:02" {
			t.Fatalf("reconnected: %+v", k)
		}
		if got := c.Connections(); !got[0].EndedAt.Equal(start.Add(300*time.Millisecond)) || !got[0].ByRequest ||
			!got[1].EstablishedAt.Equal(start.Add(2300*time.Millisecond)) || got[1].ByRequest || !got[1].EndedAt.IsZero() {
			t.Errorf("%+v", got)
		}
		if _, err := api.TerminateClientVpnConnections(ctx, &ec2.TerminateClientVpnConnectionsInput{
			ClientVpnEndpointId: aws.String(endpointA), ConnectionId: k[1].ConnectionId}); err != nil {
			t.Error(err)
		}
		time.Sleep(58 * time.Minute)
		if got := statusesOf(&c); !slices.Equal(got, []string{"terminated", "terminated"}) {
			t.Error(got)
		}
		time.Sleep(90 * time.Second)
		if got := describe(); len(got) != 1 || *got[0].ConnectionId != *k[1].ConnectionId {
			t.Errorf("after an hour: %+v", got)
		}
		time.Sleep(time.Hour)
		if got := describe(); len(got) != 0 {
			t.Errorf("after two hours: %+v", got)
		}
	})
}

func TestStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := Cloud{TerminateTime: time.Second}
		hc, stop := HTTPClient(&c)
		defer stop()
		api := ec2.NewFromConfig(config("https://ec2.eu-west-1.amazonaws.com", hc))
		c.AddEndpoint(Endpoint{ID: endpointA})
		terminate := func(id string) string {
			t.Helper()
			out, err := api.TerminateClientVpnConnections(t.Context(), &ec2.TerminateClientVpnConnectionsInput{
				ClientVpnEndpointId: aws.String(endpointA), ConnectionId: aws.String(id)})
			if api, ok := errors.AsType[smithy.APIError](err); ok {
				return api.ErrorCode()
			} else if err != nil {
				t.Fatal(err)
			}
			if out.Username != nil {
				t.Error("a username was answered to an id")
			}
			return fmt.Sprintf("%s/%s", out.ConnectionStatuses[0].PreviousStatus.Code, out.ConnectionStatuses[0].CurrentStatus.Code)
		}
		status := func(id string) string {
			i := slices.IndexFunc(c.Connections(), func(k Connection) bool { return k.ID == id })
			return c.Connections()[i].Status
		}
		expect := func(got, want string) {
			t.Helper()
			if got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		failing := c.Connect(Client{EndpointID: endpointA, Username: "a", FailToTerminate: true, ReconnectAfter: 1, Reconnects: -1})
		stuck := c.Connect(Client{EndpointID: endpointA, Username: "b", Stuck: true})
		quick := c.Connect(Client{EndpointID: endpointA, Username: "c", ReconnectAfter: 1, Reconnects: -1})
		plain := c.Connect(Client{EndpointID: endpointA, Username: "d", ReconnectAfter: 1}) // no Reconnects: stays away
		for _, id := range []string{failing, stuck, quick, plain} {
			expect(terminate(id), "active/terminating")
			expect(terminate(id), "terminating/terminating")
		}
		c.Disconnect(quick)
		time.Sleep(time.Hour - time.Second)
		expect(status(failing), "failed-to-terminate")
		expect(terminate(failing), "failed-to-terminate/terminating")
		expect(status(stuck), "terminating")
		expect(status(quick), "terminated")
		expect(status(plain), "terminated")
		expect(terminate(plain), "InvalidClientVpnConnection.IdNotFound")
		c.EndedAnswersRow = true
		expect(terminate(plain), "terminated/terminated")
		if k := c.Connections(); len(k) != 4 || k[2].ByRequest || !k[3].ByRequest {
			t.Errorf("%+v", k)
		}
		time.Sleep(time.Hour)
		expect(terminate(plain), "InvalidClientVpnConnection.IdNotFound")
		c.Disconnect(stuck)
		expect(status(stuck), "terminated")

		forever := c.Connect(Client{EndpointID: endpointA, ID: "cvpn-connection-e", Username: "e", ReconnectAfter: time.Second, Reconnects: -1})
		if forever != "cvpn-connection-e" {
			t.Errorf("the id is %s", forever)
		}
		seen := map[string]bool{}
		for range 4 {
			seen[forever] = true
			expect(terminate(forever), "active/terminating")
			time.Sleep(2 * time.Second)
			all := c.Connections()
			forever = all[len(all)-1].ID
		}
		if seen[forever] || len(seen) != 4 {
			t.Errorf("ids %v, then %s", seen, forever)
		}
	})
}

func TestTerminateRefusals(t *testing.T) {
	c := &Cloud{}
	api := ec2.NewFromConfig(serveCloud(t, c))
	for i := range 11 {
		c.Connect(Client{EndpointID: endpointA, Username: []string{"five", "six"}[i%2], CommonName: "x"})
	}
	c.Disconnect(c.Connections()[0].ID) // five of six are left; the other has five
	id := c.Connections()[1].ID
	extra := c.Connect(Client{EndpointID: endpointA, Username: "six"})
	c.Connect(Client{EndpointID: endpointB, Username: "elsewhere"})
	c.Connect(Client{EndpointID: endpointA, CommonName: "device"})
	for _, test := range []struct {
		name, endpoint, id, user string
		dry                      bool
		code                     string
		status                   int
	}{
		{"unknown endpoint", "cvpn-endpoint-0", "", "five", false, "InvalidClientVpnEndpointId.NotFound", 400},
		{"both", endpointA, id, "five", false, "InvalidParameterCombination", 400},
		{"neither", endpointA, "", "", false, "MissingParameter", 400},
		{"case", endpointA, "", "Five", false, "InvalidClientVpnConnection.UserNotFound", 400},
		{"part", endpointA, "", "fiv", false, "InvalidClientVpnConnection.UserNotFound", 400},
		{"other endpoint's user", endpointA, "", "elsewhere", false, "InvalidClientVpnConnection.UserNotFound", 400},
		{"other endpoint's id", endpointB, id, "", false, "InvalidClientVpnConnection.IdNotFound", 400},
		{"unknown id", endpointA, "cvpn-connection-0", "", false, "InvalidClientVpnConnection.IdNotFound", 400},
		{"six of a user", endpointA, "", "six", false, "ClientVpnTerminateConnectionsLimitExceeded", 400},
		{"dry run", endpointA, id, "", true, "DryRunOperation", 412},
		{"dry run of an unknown user", endpointA, "", "nobody", true, "DryRunOperation", 412},
		{"dry run without a user", endpointA, "", "", true, "MissingParameter", 400},
		{"dry run at an unknown endpoint", "cvpn-endpoint-0", id, "", true, "InvalidClientVpnEndpointId.NotFound", 400},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := &ec2.TerminateClientVpnConnectionsInput{ClientVpnEndpointId: aws.String(test.endpoint), DryRun: aws.Bool(test.dry)}
			if test.id != "" {
				in.ConnectionId = aws.String(test.id)
			}
			if test.user != "" {
				in.Username = aws.String(test.user)
			}
			_, err := api.TerminateClientVpnConnections(t.Context(), in)
			wantCode(t, err, test.code, test.status)
			if calls := c.Calls(); calls[len(calls)-1].Code != test.code || calls[len(calls)-1].Action != "TerminateClientVpnConnections" {
				t.Errorf("recorded %+v", calls[len(calls)-1])
			}
		})
	}
	if got := statusesOf(c); slices.Contains(got, "terminating") {
		t.Error("a refused request ended something:", got)
	}
	c.Disconnect(extra)
	for _, user := range []string{"five", "six"} {
		out, err := api.TerminateClientVpnConnections(t.Context(), &ec2.TerminateClientVpnConnectionsInput{
			ClientVpnEndpointId: aws.String(endpointA), Username: aws.String(user)})
		if err != nil || len(out.ConnectionStatuses) != 5 {
			t.Errorf("%s: %+v, %v", user, out, err)
		}
	}
}

func TestDescribeConnections(t *testing.T) {
	c := &Cloud{PageSize: 7}
	api := ec2.NewFromConfig(serveCloud(t, c))
	users := []string{"ann", "Ann", "joanna", "a&b <c>", ""}
	var ids []string
	for i := range 23 {
		ids = append(ids, c.Connect(Client{EndpointID: endpointA, Username: users[i%5], CommonName: fmt.Sprint("cn", i)}))
	}
	other := c.Connect(Client{EndpointID: endpointB, Username: "ann"})
	filter := func(name string, values ...string) types.Filter {
		return types.Filter{Name: aws.String(name), Values: values}
	}
	for _, test := range []struct {
		name    string
		filters []types.Filter
		max     int32
		want    string
		pages   int
	}{
		{"all", nil, 0, strings.Join(ids, " "), 4},
		{"five at a time", nil, 5, strings.Join(ids, " "), 5},
		{"more than the page size", nil, 1000, strings.Join(ids, " "), 4},
		{"a user", []types.Filter{filter("username", "ann")}, 0, strings.Join([]string{ids[0], ids[5], ids[10], ids[15], ids[20]}, " "), 1},
		{"nobody", []types.Filter{filter("username", "ANN", "an")}, 0, "", 1},
		{"no name", []types.Filter{filter("username", "")}, 0, "", 1},
		{"two users, paged, one twice", []types.Filter{filter("username", "joanna", "a&b <c>", "joanna")}, 5,
			strings.Join([]string{ids[2], ids[3], ids[7], ids[8], ids[12], ids[13], ids[17], ids[18], ids[22]}, " "), 2},
		{"ids", []types.Filter{filter("connection-id", ids[3], ids[1], "cvpn-connection-0")}, 0, ids[1] + " " + ids[3], 1},
		{"another endpoint's id", []types.Filter{filter("connection-id", other)}, 0, "", 1},
		{"no name of an id", []types.Filter{filter("username", ""), filter("connection-id", ids[4])}, 0, "", 1},
		{"both filters", []types.Filter{filter("connection-id", ids[1], ids[5]), filter("username", "ann", "joanna")}, 0, ids[5], 1},
		{"both filters, the other way", []types.Filter{filter("username", "ann"), filter("connection-id", ids[1], ids[5])}, 0, ids[5], 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := &ec2.DescribeClientVpnConnectionsInput{ClientVpnEndpointId: aws.String(endpointA), Filters: test.filters}
			if test.max > 0 {
				in.MaxResults = aws.Int32(test.max)
			}
			var got []string
			pages := 0
			for p := ec2.NewDescribeClientVpnConnectionsPaginator(api, in); p.HasMorePages(); pages++ {
				out, err := p.NextPage(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, k := range out.Connections {
					got = append(got, *k.ConnectionId)
				}
			}
			if strings.Join(got, " ") != test.want || pages != test.pages {
				t.Errorf("got %v in %d pages", got, pages)
			}
		})
	}

	out, err := api.DescribeClientVpnConnections(t.Context(), &ec2.DescribeClientVpnConnectionsInput{
		ClientVpnEndpointId: aws.String(endpointA), Filters: []types.Filter{filter("connection-id", ids[3], ids[4])}})
	if err != nil {
		t.Fatal(err)
	}
	k := out.Connections[0]
	if *k.Username != "a&b <c>" || *k.CommonName != "cn3" || *k.ClientIp != "10.0.0.5" || *k.ClientVpnEndpointId != endpointA ||
		*k.ConnectionEndTime != "-" || k.Status.Code != "active" || *k.IngressBytes == "" || out.NextToken != nil {
		t.Errorf("%+v", k)
	}
	if _, err := time.Parse(time.DateTime, *k.ConnectionEstablishedTime); err != nil {
		t.Error(err)
	}
	if out.Connections[1].Username != nil {
		t.Errorf("a certificate user has the name %q", *out.Connections[1].Username)
	}

	first, err := api.DescribeClientVpnConnections(t.Context(), &ec2.DescribeClientVpnConnectionsInput{ClientVpnEndpointId: aws.String(endpointA)})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name     string
		in       ec2.DescribeClientVpnConnectionsInput
		endpoint string
		code     string
	}{
		{"few", ec2.DescribeClientVpnConnectionsInput{MaxResults: aws.Int32(4)}, endpointA, "InvalidParameterValue"},
		{"many", ec2.DescribeClientVpnConnectionsInput{MaxResults: aws.Int32(1001)}, endpointA, "InvalidParameterValue"},
		{"token", ec2.DescribeClientVpnConnectionsInput{NextToken: aws.String("abc")}, endpointA, "InvalidPaginationToken"},
		{"other endpoint's token", ec2.DescribeClientVpnConnectionsInput{NextToken: first.NextToken}, endpointB, "InvalidPaginationToken"},
		{"other filter's token", ec2.DescribeClientVpnConnectionsInput{NextToken: first.NextToken,
			Filters: []types.Filter{filter("username", "ann")}}, endpointA, "InvalidPaginationToken"},
		{"filter", ec2.DescribeClientVpnConnectionsInput{Filters: []types.Filter{filter("status", "active")}}, endpointA, "InvalidFilter"},
		{"no values", ec2.DescribeClientVpnConnectionsInput{Filters: []types.Filter{filter("username")}}, endpointA, "InvalidParameterValue"},
		{"values", ec2.DescribeClientVpnConnectionsInput{Filters: []types.Filter{filter("username", make([]string, 201)...)}}, endpointA, "FilterLimitExceeded"},
		{"endpoint", ec2.DescribeClientVpnConnectionsInput{}, "cvpn-endpoint-0", "InvalidClientVpnEndpointId.NotFound"},
	} {
		t.Run("refuses "+test.name, func(t *testing.T) {
			test.in.ClientVpnEndpointId = aws.String(test.endpoint)
			_, err := api.DescribeClientVpnConnections(t.Context(), &test.in)
			wantCode(t, err, test.code, 400)
		})
	}
	_, err = api.DescribeClientVpnConnections(t.Context(), &ec2.DescribeClientVpnConnectionsInput{
		ClientVpnEndpointId: aws.String(endpointA), DryRun: aws.Bool(true)})
	wantCode(t, err, "DryRunOperation", 412)
}

// TestRowsAreThoseOfEncodingXML: what is rendered by hand has the bytes that encoding/xml gives, whatever the names.
func TestRowsAreThoseOfEncodingXML(t *testing.T) {
	type status struct {
		Code string `xml:"code"`
	}
	type item struct {
		ClientIP     string `xml:"clientIp"`
		CommonName   string `xml:"commonName"`
		EndTime      string `xml:"connectionEndTime"`
		Established  string `xml:"connectionEstablishedTime"`
		ID           string `xml:"connectionId"`
		EgressBytes  int64  `xml:"egressBytes"`
		EgressPkts   int64  `xml:"egressPackets"`
		EndpointID   string `xml:"clientVpnEndpointId"`
		IngressBytes int64  `xml:"ingressBytes"`
		IngressPkts  int64  `xml:"ingressPackets"`
		Status       status `xml:"status"`
		Timestamp    string `xml:"timestamp"`
		Username     string `xml:"username,omitempty"`
	}
	since := time.Date(2026, 11, 20, 23, 59, 58, 999, time.FixedZone("", 3600))
	now := since.Add(90 * time.Minute)
	for _, name := range []string{
		"", "ann@example.com", `EXAMPLE\ann`, `a&b <c> "d" 'e'`, " ", "tab\tline\nreturn\r", "Ægir", "日本", "\x00\x1f\x7f\x80", "\xff\xfe", "\ufffe\uffff", "]]>", "\u2028", "~", "&amp;",
	} {
		for _, state := range []string{active, terminating, terminated, failedToTerminate} {
			k := &conn{Client: Client{EndpointID: endpointA, Username: name, CommonName: name + ".cn"}, id: "cvpn-connection-1", ip: "10.0.0.2", status: state, established: since}
			want := item{
				ClientIP: k.ip, CommonName: k.CommonName, EndTime: "-", Established: "2026-11-20 22:59:58", ID: k.id, EgressBytes: 52 * 5400, EgressPkts: 5400,
				EndpointID: endpointA, IngressBytes: 48 * 5400, IngressPkts: 5400, Status: status{state}, Timestamp: "2026-11-21 00:29:58", Username: name,
			}
			if state == terminated {
				k.ended = since.Add(time.Minute)
				want.EndTime, want.Timestamp = "2026-11-20 23:00:58", "2026-11-20 23:00:58"
				want.EgressBytes, want.EgressPkts, want.IngressBytes, want.IngressPkts = 52*60, 60, 48*60, 60
			}
			encoded, err := xml.Marshal(want)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(k.appendRow(nil, now)); got != string(encoded) {
				t.Errorf("%q, %s:\ngot  %s\nwant %s", name, state, got, encoded)
			}
		}
	}
}

func TestDescribePagesSurviveExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := Cloud{PageSize: 5}
		hc, stop := HTTPClient(&c)
		defer stop()
		api := ec2.NewFromConfig(config("http://emulator", hc))
		c.AddEndpoint(Endpoint{ID: endpointA})
		for i := range 12 {
			id := c.Connect(Client{EndpointID: endpointA, Username: "ann", CommonName: fmt.Sprint(i)})
			if i%2 == 1 {
				c.Disconnect(id)
			}
		}
		var got []string
		for p := ec2.NewDescribeClientVpnConnectionsPaginator(api, &ec2.DescribeClientVpnConnectionsInput{
			ClientVpnEndpointId: aws.String(endpointA), Filters: []types.Filter{{Name: aws.String("username"), Values: []string{"ann"}}},
		}); p.HasMorePages(); time.Sleep(time.Hour) {
			out, err := p.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range out.Connections {
				got = append(got, *k.CommonName)
			}
		}
		if want := "0 1 2 3 4 6 8 10"; strings.Join(got, " ") != want {
			t.Errorf("got %v, want %s", got, want)
		}
	})
}

func TestDescribeEndpoints(t *testing.T) {
	c := &Cloud{}
	api := ec2.NewFromConfig(serveCloud(t, c))
	get := func(in *ec2.DescribeClientVpnEndpointsInput) (string, error) {
		out, err := api.DescribeClientVpnEndpoints(t.Context(), in)
		if err != nil {
			return "", err
		}
		var ids []string
		for _, e := range out.ClientVpnEndpoints {
			ids = append(ids, strings.TrimPrefix(*e.ClientVpnEndpointId, "cvpn-endpoint-0123456789abcdef"))
		}
		return strings.Join(ids, " "), nil
	}
	for _, test := range []struct {
		ids           []string
		filter, value string
		want          string
	}{
		{nil, "", "", "0 1"},
		{[]string{endpointB}, "", "", "1"},
		{nil, "endpoint-id", endpointA, "0"},
		{nil, "transport-protocol", "udp", "0 1"},
		{nil, "transport-protocol", "tcp", ""},
		{nil, "tag:team", "net", "0"},
		{nil, "tag:team", "Net", ""},
	} {
		in := &ec2.DescribeClientVpnEndpointsInput{ClientVpnEndpointIds: test.ids}
		if test.filter != "" {
			in.Filters = []types.Filter{{Name: aws.String(test.filter), Values: []string{test.value}}}
		}
		if got, err := get(in); err != nil || got != test.want {
			t.Errorf("%+v: %q, %v", test, got, err)
		}
	}
	_, err := get(&ec2.DescribeClientVpnEndpointsInput{ClientVpnEndpointIds: []string{endpointA, "cvpn-endpoint-0"}})
	wantCode(t, err, "InvalidClientVpnEndpointId.NotFound", 400)
	if !strings.Contains(fmt.Sprint(err), "Endpoint cvpn-endpoint-0 does not exist") {
		t.Error(err)
	}
	_, err = get(&ec2.DescribeClientVpnEndpointsInput{Filters: []types.Filter{{Name: aws.String("colour"), Values: []string{"red"}}}})
	wantCode(t, err, "InvalidFilter", 400)
	_, err = get(&ec2.DescribeClientVpnEndpointsInput{DryRun: aws.Bool(true)})
	wantCode(t, err, "DryRunOperation", 412)

	out, err := api.DescribeClientVpnEndpoints(t.Context(), &ec2.DescribeClientVpnEndpointsInput{})
	if err != nil {
		t.Fatal(err)
	}
	a, b := out.ClientVpnEndpoints[0], out.ClientVpnEndpoints[1]
	if *a.Description != "staff" || a.Status.Code != "available" || len(a.Tags) != 2 || *a.Tags[0].Key != "env" || a.VpcId == nil ||
		a.TransitGatewayConfiguration != nil || a.AuthenticationOptions[0].Type != types.ClientVpnAuthenticationTypeFederatedAuthentication ||
		a.AuthenticationOptions[0].FederatedAuthentication.SamlProviderArn == nil || a.AuthenticationOptions[0].MutualAuthentication != nil ||
		*a.DnsName != "*."+endpointA+".prod.clientvpn.eu-west-1.amazonaws.com" || a.ConnectionLogOptions == nil {
		t.Errorf("%+v", a)
	}
	if b.Description != nil || b.Status.Code != "pending-associate" || b.VpcId != nil || len(b.AuthenticationOptions) != 2 ||
		*b.TransitGatewayConfiguration.TransitGatewayId != "tgw-0123456789abcdef0" {
		t.Errorf("%+v", b)
	}

	for i := range 7 {
		c.AddEndpoint(Endpoint{ID: fmt.Sprintf("cvpn-endpoint-%017x", i)})
	}
	pages, count := 0, 0
	for p := ec2.NewDescribeClientVpnEndpointsPaginator(api, &ec2.DescribeClientVpnEndpointsInput{MaxResults: aws.Int32(5)}); p.HasMorePages(); pages++ {
		out, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		count += len(out.ClientVpnEndpoints)
	}
	if pages != 2 || count != 9 {
		t.Errorf("%d endpoints in %d pages", count, pages)
	}
	c.AddEndpoint(Endpoint{ID: endpointB, Description: "new"})
	if out, err := api.DescribeClientVpnEndpoints(t.Context(), &ec2.DescribeClientVpnEndpointsInput{}); err != nil ||
		len(out.ClientVpnEndpoints) != 9 || *out.ClientVpnEndpoints[1].Description != "new" {
		t.Error("an endpoint added again is not replaced", err)
	}
}

func TestDeny(t *testing.T) {
	c := &Cloud{}
	cfg := serveCloud(t, c)
	api, topics := ec2.NewFromConfig(cfg), sns.NewFromConfig(cfg)
	c.Deny("ec2:TerminateClientVpnConnections", endpointA)
	c.Deny("sns:Publish", "")
	terminate := func(endpoint string, dry bool) error {
		_, err := api.TerminateClientVpnConnections(t.Context(), &ec2.TerminateClientVpnConnectionsInput{
			ClientVpnEndpointId: aws.String(endpoint), Username: aws.String("ann"), DryRun: aws.Bool(dry)})
		return err
	}
	for _, dry := range []bool{false, true} {
		err := terminate(endpointA, dry)
		wantCode(t, err, "UnauthorizedOperation", 403)
		for _, part := range []string{"You are not authorized to perform this operation. User: arn:aws:sts::111122223333:assumed-role/",
			"perform: ec2:TerminateClientVpnConnections on resource: arn:aws:ec2:eu-west-1:111122223333:client-vpn-endpoint/" + endpointA + " because"} {
			if !strings.Contains(fmt.Sprint(err), part) {
				t.Errorf("%v lacks %q", err, part)
			}
		}
	}
	wantCode(t, terminate(endpointB, true), "DryRunOperation", 412)
	_, err := topics.Publish(t.Context(), &sns.PublishInput{TopicArn: aws.String(topic), Message: aws.String("m")})
	wantCode(t, err, "AuthorizationError", 403)
	if _, ok := errors.AsType[*snstypes.AuthorizationErrorException](err); !ok || !strings.Contains(err.Error(), "SNS:Publish on resource: "+topic) {
		t.Error(err)
	}
	c.Reset()
	if _, err := topics.Publish(t.Context(), &sns.PublishInput{TopicArn: aws.String(topic), Message: aws.String("m")}); err != nil {
		t.Error("denied after Reset:", err)
	}
	if len(c.Calls()) != 1 || len(c.Connections()) != 0 {
		t.Error("Reset left something")
	}
}

func TestFaults(t *testing.T) {
	c := &Cloud{}
	cfg := serveCloud(t, c)
	api := ec2.NewFromConfig(cfg)
	c.Inject(Fault{Action: "ec2:DescribeClientVpnConnections", EndpointID: endpointA, Times: 2, After: 1, Code: "RequestLimitExceeded", Message: "Request limit exceeded."})
	c.Inject(Fault{Action: "DescribeClientVpnConnections", EndpointID: endpointA, Times: 1, Drop: true})
	c.Inject(Fault{Action: "DescribeClientVpnConnections", EndpointID: endpointA, Times: 1, Truncate: true})
	c.Inject(Fault{EndpointID: endpointB, Code: "InternalError", Status: 502})
	describe := func(endpoint string) error {
		_, err := api.DescribeClientVpnConnections(t.Context(), &ec2.DescribeClientVpnConnectionsInput{ClientVpnEndpointId: aws.String(endpoint)})
		return err
	}
	// The first of these takes the call that the limit lets pass, so that its fault is over before the others.
	var codes []string
	for range 6 {
		_ = describe(endpointA)
	}
	for _, call := range c.Calls() {
		codes = append(codes, call.Code)
	}
	if got := strings.Join(codes, ","); got != "dropped,RequestLimitExceeded,RequestLimitExceeded,truncated,," {
		t.Error(got)
	}
	wantCode(t, describe(endpointB), "InternalError", 502)
	wantCode(t, describe(endpointB), "InternalError", 502)

	c.Inject(Fault{Action: "TerminateClientVpnConnections", Times: 1, Code: "RequestLimitExceeded"})
	id := c.Connect(Client{EndpointID: endpointA, Username: "ann"})
	terminate := func() error {
		_, err := api.TerminateClientVpnConnections(t.Context(), &ec2.TerminateClientVpnConnectionsInput{
			ClientVpnEndpointId: aws.String(endpointA), ConnectionId: aws.String(id)})
		return err
	}
	wantCode(t, terminate(), "RequestLimitExceeded", 503)
	if got := statusesOf(c); got[0] != "active" {
		t.Error("a refused termination was done:", got)
	}
	for _, f := range []Fault{{Drop: true}, {Reset: true}, {Truncate: true}, {Cut: true}} {
		f.Times = 1
		c.Inject(f)
		err := terminate()
		if _, ok := errors.AsType[smithy.APIError](err); err == nil || ok {
			t.Errorf("%+v: %v", f, err)
		}
	}
	if got := statusesOf(c); got[0] == "active" {
		t.Error("only the answer was to be lost:", got)
	}
}

// TestSpoiltAnswers: each way to spoil one is an error of its own for a plain HTTP client.
func TestSpoiltAnswers(t *testing.T) {
	c := &Cloud{}
	url, stop, err := Serve(c)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	whole := ""
	for _, test := range []struct {
		fault Fault
		err   error // errors.Is
		half  bool
	}{
		{fault: Fault{}},
		{fault: Fault{Drop: true}, err: io.EOF},
		{fault: Fault{Reset: true}, err: syscall.ECONNRESET},
		{fault: Fault{Truncate: true}, half: true},
		{fault: Fault{Cut: true}, err: io.ErrUnexpectedEOF, half: true},
		{fault: Fault{Empty: true}},
	} {
		if test.fault != (Fault{}) {
			test.fault.Times = 1
			c.Inject(test.fault)
		}
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // net/http repeats a request on a connection that it used before
		response, err := client.Post(url, "application/x-www-form-urlencoded", strings.NewReader("Action=DescribeClientVpnEndpoints&Version="+ec2Version))
		body := ""
		if err == nil {
			var raw []byte
			raw, err = io.ReadAll(response.Body)
			response.Body.Close()
			body = string(raw)
		}
		if test.fault == (Fault{}) {
			whole = body
		}
		if !errors.Is(err, test.err) || test.half && (body == "" || len(body) != len(whole)/2) || !strings.HasPrefix(whole, body) {
			t.Errorf("%+v: %v, %q", test.fault, err, body)
		}
	}
	if whole == "" {
		t.Error("no answer without a fault")
	}
}

// TestOnCallMayChangeTheCloud, before the call is done.
func TestOnCallMayChangeTheCloud(t *testing.T) {
	c := &Cloud{}
	api := ec2.NewFromConfig(serveCloud(t, c))
	id := c.Connect(Client{EndpointID: endpointA, Username: "ann"})
	c.OnCall = func(call Call) Fault {
		if call.Action == "TerminateClientVpnConnections" && call.Params.Get("ConnectionId") == id {
			c.Disconnect(id)
		}
		return Fault{}
	}
	_, err := api.TerminateClientVpnConnections(t.Context(), &ec2.TerminateClientVpnConnectionsInput{ClientVpnEndpointId: aws.String(endpointA), ConnectionId: aws.String(id)})
	wantCode(t, err, "InvalidClientVpnConnection.IdNotFound", 400)
}

// TestDeleteEndpoint: it takes its connections along, those that were about to end and to come back too, and no others.
func TestDeleteEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Cloud{}
		client, stop := HTTPClient(c)
		defer stop()
		api := ec2.NewFromConfig(config("http://ec2.test", client))
		c.AddEndpoint(Endpoint{ID: endpointA})
		c.AddEndpoint(Endpoint{ID: endpointB})
		c.Connect(Client{EndpointID: endpointA, Username: "ann", ReconnectAfter: time.Second, Reconnects: 1})
		c.Connect(Client{EndpointID: endpointA, Username: "bob"})
		c.Connect(Client{EndpointID: endpointB, Username: "carol"})
		terminate := func() error {
			_, err := api.TerminateClientVpnConnections(t.Context(), &ec2.TerminateClientVpnConnectionsInput{ClientVpnEndpointId: aws.String(endpointA), Username: aws.String("ann")})
			return err
		}
		if err := terminate(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond) // ended, and not yet back
		c.DeleteEndpoint(endpointA)
		time.Sleep(2 * time.Hour)
		if all := c.Connections(); len(all) != 1 || all[0].Username != "carol" {
			t.Errorf("%+v", all)
		}
		wantCode(t, terminate(), "InvalidClientVpnEndpointId.NotFound", 400)
		if left, err := api.DescribeClientVpnEndpoints(t.Context(), &ec2.DescribeClientVpnEndpointsInput{}); err != nil || len(left.ClientVpnEndpoints) != 1 {
			t.Errorf("%+v, %v", left, err)
		}
	})
}

func TestDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := Cloud{Latency: time.Second}
		hc, stop := HTTPClient(&c)
		defer stop()
		api := ec2.NewFromConfig(config("http://emulator", hc))
		c.Inject(Fault{Delay: time.Minute, After: 1})
		start := time.Now()
		for _, want := range []time.Duration{time.Second, 62 * time.Second} {
			if _, err := api.DescribeClientVpnEndpoints(t.Context(), &ec2.DescribeClientVpnEndpointsInput{}); err != nil {
				t.Fatal(err)
			}
			if got := time.Since(start); got != want {
				t.Errorf("answered after %v, want %v", got, want)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, err := api.DescribeClientVpnEndpoints(ctx, &ec2.DescribeClientVpnEndpointsInput{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		// The bubble cannot end before the handler: were it still asleep, the clock would have moved on a minute.
		stop()
		if got := time.Since(start); got != 67*time.Second {
			t.Errorf("closed after %v", got)
		}
	})
}

// TestLimits: the bucket empties, the next call is refused, and fills by the clock up to its size, for each action
// alone.
func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Cloud{Limits: map[string]Limit{"DescribeClientVpnConnections": {3, 2}}}
		c.AddEndpoint(Endpoint{ID: endpointA})
		client, stop := HTTPClient(c)
		defer stop()
		api := ec2.NewFromConfig(config("http://ec2.test", client))
		describe := func() error {
			_, err := api.DescribeClientVpnConnections(t.Context(), &ec2.DescribeClientVpnConnectionsInput{ClientVpnEndpointId: aws.String(endpointA)})
			return err
		}
		pass := func(n int) {
			t.Helper()
			for range n {
				if err := describe(); err != nil {
					t.Errorf("refused: %v", err)
				}
			}
			wantCode(t, describe(), "RequestLimitExceeded", 503)
		}
		pass(3)
		time.Sleep(500 * time.Millisecond)
		pass(1)
		time.Sleep(time.Hour)
		pass(3)
		if _, err := api.DescribeClientVpnEndpoints(t.Context(), &ec2.DescribeClientVpnEndpointsInput{}); err != nil {
			t.Error(err)
		}
		c.Reset()
		c.AddEndpoint(Endpoint{ID: endpointA})
		pass(3)
	})
}

// TestAccounts: the signature leads to an account and a Region, an assumed role's to the role's.
func TestAccounts(t *testing.T) {
	const role = "arn:aws:iam::444455556666:role/path/member"
	home, other := &Cloud{}, &Cloud{Account: "444455556666", Region: "us-east-1"}
	home.AddEndpoint(Endpoint{ID: endpointA})
	other.AddEndpoint(Endpoint{ID: endpointB})
	accounts := &Accounts{Home: home, Others: []*Cloud{other}, Roles: map[string]string{role: "two"}}
	url, stop, err := Serve(accounts)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	cfg := config(url, &http.Client{Transport: settled{http.DefaultTransport}})
	endpoints := func(cfg aws.Config, region string) (ids []string, err error) {
		page, err := ec2.NewFromConfig(cfg, func(o *ec2.Options) { o.Region = region }).DescribeClientVpnEndpoints(t.Context(), &ec2.DescribeClientVpnEndpointsInput{})
		if err != nil {
			return nil, err
		}
		for _, e := range page.ClientVpnEndpoints {
			ids = append(ids, *e.ClientVpnEndpointId)
		}
		return ids, nil
	}
	assume := func(role, externalID string) aws.Config {
		assumed := cfg.Copy()
		assumed.Credentials = stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), role, func(o *stscreds.AssumeRoleOptions) { o.ExternalID = &externalID })
		return assumed
	}
	for _, test := range []struct {
		cfg    aws.Config
		region string
		want   []string
	}{
		{cfg, "eu-west-1", []string{endpointA}},
		{cfg, "us-east-1", nil},
		{assume(role, "two"), "us-east-1", []string{endpointB}},
		{assume(role, "two"), "eu-west-1", nil},
	} {
		if got, err := endpoints(test.cfg, test.region); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, %v", test.region, got, err)
		}
	}
	for _, refused := range []aws.Config{assume(role, "three"), assume("arn:aws:iam::444455556666:role/other", "two")} {
		_, err := endpoints(refused, "us-east-1")
		if api, ok := errors.AsType[smithy.APIError](err); !ok || api.ErrorCode() != "AccessDenied" {
			t.Error(err)
		}
	}
	if got := accounts.Assumed(); !slices.Equal(got, []string{role, role}) {
		t.Errorf("%q", got)
	}
}

func TestUnknownAction(t *testing.T) {
	c := &Cloud{}
	cfg := serveCloud(t, c)
	_, err := ec2.NewFromConfig(cfg).DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{})
	wantCode(t, err, "InvalidAction", 400)
	_, err = sns.NewFromConfig(cfg).ListTopics(t.Context(), &sns.ListTopicsInput{})
	wantCode(t, err, "InvalidAction", 400)
	w, err := http.PostForm(*cfg.BaseEndpoint, url.Values{"Action": {"DescribeClientVpnEndpoints"}, "Version": {"2010-03-31"}})
	if err != nil || w.StatusCode != 400 {
		t.Error(w, err)
	}
	w.Body.Close()
	w, err = http.PostForm(*cfg.BaseEndpoint, url.Values{"Action": {"DescribeClientVpnConnections"}, "Version": {"2016-11-15"}})
	if err != nil || w.StatusCode != 400 {
		t.Error(w, err)
	}
	w.Body.Close()
	if codes := c.Calls(); codes[3].Code != "MissingParameter" {
		t.Errorf("%+v", codes)
	}
}

func TestPublish(t *testing.T) {
	c := &Cloud{}
	topics := sns.NewFromConfig(serveCloud(t, c))
	attributes := func(name, kind, value string) map[string]snstypes.MessageAttributeValue {
		return map[string]snstypes.MessageAttributeValue{name: {DataType: aws.String(kind), StringValue: aws.String(value)}}
	}
	with := func(change func(*sns.PublishInput)) *sns.PublishInput {
		in := &sns.PublishInput{TopicArn: aws.String(topic), Message: aws.String("ünï")}
		if change != nil {
			change(in)
		}
		return in
	}
	subject := func(s string) *sns.PublishInput { return with(func(in *sns.PublishInput) { in.Subject = &s }) }
	arn := func(s string) *sns.PublishInput { return with(func(in *sns.PublishInput) { in.TopicArn = &s }) }
	message := func(s, structure string) *sns.PublishInput {
		return with(func(in *sns.PublishInput) {
			if in.Message = &s; structure != "" {
				in.MessageStructure = &structure
			}
		})
	}
	attribute := func(name, kind, value string) *sns.PublishInput {
		return with(func(in *sns.PublishInput) { in.MessageAttributes = attributes(name, kind, value) })
	}
	for _, test := range []struct {
		name string
		in   *sns.PublishInput
		code string // empty: accepted
	}{
		{"plain", with(nil), ""},
		{"subject of 99", subject(strings.Repeat("é", 99)), ""},
		{"subject of 100", subject(strings.Repeat("é", 100)), "InvalidParameter"},
		{"subject of two lines", subject("a\nb"), "InvalidParameter"},
		{"subject with a control character", subject("a\x1bb"), "InvalidParameter"},
		{"empty subject", subject(""), "InvalidParameter"},
		{"empty message", message("", ""), "InvalidParameter"},
		{"largest message", message(strings.Repeat("x", 262144), ""), ""},
		{"larger message", message(strings.Repeat("x", 262145), ""), "InvalidParameter"},
		{"attributes count", with(func(in *sns.PublishInput) {
			in.Message = aws.String(strings.Repeat("x", 262144-7))
			in.MessageAttributes = attributes("a", "String", "v")
			in.MessageAttributes["b"] = snstypes.MessageAttributeValue{DataType: aws.String("Number"), StringValue: aws.String("1")}
		}), "InvalidParameter"},
		{"json", message(`{"default":"d","email":"e"}`, "json"), ""},
		{"json without default", message(`{"email":"e"}`, "json"), "InvalidParameter"},
		{"not json", message(`{`, "json"), "InvalidParameter"},
		{"structure", message("m", "xml"), "InvalidParameter"},
		{"no arn", arn("alarms"), "InvalidParameter"},
		{"other service", arn("arn:aws:sqs:eu-west-1:111122223333:alarms"), "InvalidParameter"},
		{"other Region", arn("arn:aws:sns:eu-west-2:111122223333:alarms"), "InvalidParameter"},
		{"other partition", arn("arn:aws-cn:sns:eu-west-1:111122223333:alarms"), "InvalidParameter"},
		{"other account", arn("arn:aws:sns:eu-west-1:444455556666:alarms"), "AuthorizationError"},
		{"subscription", arn(topic + ":c7fe3a54-ab0e-4ec2-88e0-db410a0f2bee"), "InvalidParameter"},
		{"fifo", arn(topic + ".fifo"), "InvalidParameter"},
		{"attribute", attribute("a.b-c_D", "String.Array", "[]"), ""},
		{"attribute without value", attribute("a", "String", ""), "ParameterValueInvalid"},
		{"attribute of no type", attribute("a", "Text", "v"), "ParameterValueInvalid"},
		{"attribute name", attribute("a b", "String", "v"), "ParameterValueInvalid"},
		{"attribute name of dots", attribute("a..b", "String", "v"), "ParameterValueInvalid"},
		{"attribute name of AWS", attribute("AWS.b", "String", "v"), "ParameterValueInvalid"},
		{"attribute with emoji", attribute("a", "String", "🙂"), "ParameterValueInvalid"},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := len(c.Published())
			out, err := topics.Publish(t.Context(), test.in)
			if test.code != "" {
				status := 400
				if test.code == "AuthorizationError" {
					status = 403
				}
				wantCode(t, err, test.code, status)
				if len(c.Published()) != before {
					t.Error("kept a refused message")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := c.Published()[before]
			var want Message
			want.TopicARN, want.Body = *test.in.TopicArn, *test.in.Message
			want.Subject, want.Structure = aws.ToString(test.in.Subject), aws.ToString(test.in.MessageStructure)
			if len(*out.MessageId) != 36 || got.TopicARN != want.TopicARN || got.Body != want.Body || got.Subject != want.Subject ||
				got.Structure != want.Structure || time.Since(got.At) > time.Minute {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if a := (map[string]Attribute{"a.b-c_D": {"String.Array", "[]"}}); test.name == "attribute" && !maps.Equal(got.Attributes, a) {
				t.Errorf("attributes %v", got.Attributes)
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	var c Cloud
	c.AddEndpoint(Endpoint{ID: endpointA})
	c.AddEndpoint(Endpoint{ID: endpointB})
	c.Connect(Client{EndpointID: endpointA, ClientIP: "10.0.0.3"})
	for range 300 {
		c.Connect(Client{EndpointID: endpointA})
	}
	c.Connect(Client{EndpointID: endpointB})
	all := c.Connections()
	got := []string{all[1].ClientIP, all[2].ClientIP, all[300].ClientIP, all[301].ClientIP}
	if want := []string{"10.0.0.2", "10.0.0.4", "10.0.1.46", "10.16.0.2"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	var small Cloud
	small.AddEndpoint(Endpoint{ID: endpointA})
	small.Disconnect(small.Connect(Client{EndpointID: endpointA, ClientIP: "10.0.0.2"}))
	small.Connect(Client{EndpointID: endpointA})
	if k := small.Connections(); k[1].ClientIP != "10.0.0.2" {
		t.Errorf("an ended connection keeps its address, the next has %s", k[1].ClientIP)
	}
	seen := map[string]bool{}
	for _, k := range all {
		if seen[k.ClientIP] {
			t.Fatalf("%s is used twice", k.ClientIP)
		}
		seen[k.ClientIP] = true
	}
	if !strings.HasPrefix(all[0].ID, "cvpn-connection-") || len(all[0].ID) != len("cvpn-connection-")+17 {
		t.Errorf("id %q", all[0].ID)
	}
	var again Cloud
	again.AddEndpoint(Endpoint{ID: endpointA})
	again.AddEndpoint(Endpoint{ID: endpointB})
	if id := again.Connect(Client{EndpointID: endpointA}); id != all[0].ID {
		t.Errorf("ids differ between runs: %s, %s", id, all[0].ID)
	}
}

// BenchmarkDescribeAll reads the most connections that AWS's quotas allow on an endpoint.
func BenchmarkDescribeAll(b *testing.B) {
	var c Cloud
	c.AddEndpoint(Endpoint{ID: endpointA})
	for i := range 126000 {
		c.Connect(Client{EndpointID: endpointA, Username: fmt.Sprint("user", i)})
	}
	next := regexp.MustCompile(`<nextToken>([^<]+)</nextToken>`)
	b.ReportAllocs()
	for b.Loop() {
		form := url.Values{"Action": {"DescribeClientVpnConnections"}, "Version": {ec2Version}, "ClientVpnEndpointId": {endpointA}}
		for pages := 1; ; pages++ {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			answer := httptest.NewRecorder()
			c.ServeHTTP(answer, r)
			token := next.FindSubmatch(answer.Body.Bytes())
			if token == nil {
				if pages != 126 {
					b.Fatalf("%d pages", pages)
				}
				break
			}
			form.Set("NextToken", string(token[1]))
		}
	}
}
