package emulator

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// connected returns a cloud with 23 connections of five users on one endpoint, and one on another.
func connected(t *testing.T) (api vpnAPI, ids []string, other string) {
	t.Helper()
	c := &Cloud{PageSize: 7}
	api = newVPNAPI(serveCloud(t, c))
	users := []string{"ann", "Ann", "joanna", "a&b <c>", ""}
	for i := range 23 {
		k := Client{EndpointID: endpointA, Username: users[i%5], CommonName: fmt.Sprint("cn", i)}
		ids = append(ids, c.Connect(k))
	}
	return api, ids, c.Connect(Client{EndpointID: endpointB, Username: "ann"})
}

// listIDs reads all pages.
func (a vpnAPI) listIDs(t *testing.T, in *describeInput) (ids []string, pages int) {
	t.Helper()
	for p := ec2.NewDescribeClientVpnConnectionsPaginator(a, in); p.HasMorePages(); pages++ {
		out, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range out.Connections {
			ids = append(ids, *k.ConnectionId)
		}
	}
	return ids, pages
}

type (
	filters       = []types.Filter
	describeInput = ec2.DescribeClientVpnConnectionsInput
)

func TestDescribeConnections(t *testing.T) {
	api, ids, other := connected(t)
	pick := func(indexes ...int) string {
		var some []string
		for _, i := range indexes {
			some = append(some, ids[i])
		}
		return strings.Join(some, " ")
	}
	for _, test := range []struct {
		name    string
		filters filters
		max     int32
		want    string
		pages   int
	}{
		{"all", nil, 0, strings.Join(ids, " "), 4},
		{"five at a time", nil, 5, strings.Join(ids, " "), 5},
		{"more than the page size", nil, 1000, strings.Join(ids, " "), 4},
		{"a user", filters{filterBy("username", "ann")}, 0, pick(0, 5, 10, 15, 20), 1},
		{"nobody", filters{filterBy("username", "ANN", "an")}, 0, "", 1},
		{"no name", filters{filterBy("username", "")}, 0, "", 1},
		{"two users, paged, one twice", filters{filterBy("username", "joanna", "a&b <c>", "joanna")}, 5,
			pick(2, 3, 7, 8, 12, 13, 17, 18, 22), 2},
		{"ids", filters{filterBy("connection-id", ids[3], ids[1], "cvpn-connection-0")}, 0, ids[1] + " " + ids[3], 1},
		{"another endpoint's id", filters{filterBy("connection-id", other)}, 0, "", 1},
		{"no name of an id", filters{filterBy("username", ""), filterBy("connection-id", ids[4])}, 0, "", 1},
		{"both filters",
			filters{filterBy("connection-id", ids[1], ids[5]), filterBy("username", "ann", "joanna")}, 0, ids[5], 1},
		{"both filters, the other way",
			filters{filterBy("username", "ann"), filterBy("connection-id", ids[1], ids[5])}, 0, ids[5], 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := &describeInput{ClientVpnEndpointId: aws.String(endpointA), Filters: test.filters}
			if test.max > 0 {
				in.MaxResults = &test.max
			}
			got, pages := api.listIDs(t, in)
			if strings.Join(got, " ") != test.want || pages != test.pages {
				t.Errorf("got %v in %d pages", got, pages)
			}
		})
	}
}

func TestConnectionRows(t *testing.T) {
	api, ids, _ := connected(t)
	all, err := api.connections(t.Context(), endpointA, filterBy("connection-id", ids[3], ids[4]))
	if err != nil {
		t.Fatal(err)
	}
	k := all[0]
	if *k.Username != "a&b <c>" || *k.CommonName != "cn3" || *k.ClientIp != "10.0.0.5" ||
		*k.ClientVpnEndpointId != endpointA || *k.ConnectionEndTime != "-" || k.Status.Code != "active" ||
		*k.IngressBytes == "" {
		t.Errorf("%+v", k)
	}
	if _, err := time.Parse(time.DateTime, *k.ConnectionEstablishedTime); err != nil {
		t.Error(err)
	}
	if all[1].Username != nil {
		t.Errorf("a certificate user has the name %q", *all[1].Username)
	}
}

func TestDescribeConnectionsRefuses(t *testing.T) {
	api, _, _ := connected(t)
	first, err := api.DescribeClientVpnConnections(t.Context(), &describeInput{ClientVpnEndpointId: aws.String(endpointA)})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name     string
		in       describeInput
		endpoint string
		code     string
	}{
		{"few", describeInput{MaxResults: aws.Int32(4)}, endpointA, "InvalidParameterValue"},
		{"many", describeInput{MaxResults: aws.Int32(1001)}, endpointA, "InvalidParameterValue"},
		{"token", describeInput{NextToken: aws.String("abc")}, endpointA, "InvalidPaginationToken"},
		{"other endpoint's token", describeInput{NextToken: first.NextToken}, endpointB, "InvalidPaginationToken"},
		{"other filter's token", describeInput{NextToken: first.NextToken,
			Filters: filters{filterBy("username", "ann")}}, endpointA, "InvalidPaginationToken"},
		{"filter", describeInput{Filters: filters{filterBy("status", "active")}}, endpointA, "InvalidFilter"},
		{"no values", describeInput{Filters: filters{filterBy("username")}}, endpointA, "InvalidParameterValue"},
		{"values", describeInput{Filters: filters{filterBy("username", make([]string, 201)...)}}, endpointA,
			"FilterLimitExceeded"},
		{"endpoint", describeInput{}, "cvpn-endpoint-0", "InvalidClientVpnEndpointId.NotFound"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.in.ClientVpnEndpointId = &test.endpoint
			_, err := api.DescribeClientVpnConnections(t.Context(), &test.in)
			wantCode(t, err, test.code, 400)
		})
	}
	_, err = api.DescribeClientVpnConnections(t.Context(), &describeInput{
		ClientVpnEndpointId: aws.String(endpointA), DryRun: aws.Bool(true)})
	wantCode(t, err, "DryRunOperation", 412)
}

// TestRowsAreThoseOfEncodingXML: what is rendered by hand has the bytes that encoding/xml writes, whatever the names.
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
		"", "ann@example.com", `EXAMPLE\ann`, `a&b <c> "d" 'e'`, " ", "tab\tline\nreturn\r", "Ægir", "日本",
		"\x00\x1f\x7f\x80", "\xff\xfe", "\ufffe\uffff", "]]>", "\u2028", "~", "&amp;",
	} {
		for _, state := range []string{active, terminating, terminated, failedToTerminate} {
			k := &conn{
				Client: Client{EndpointID: endpointA, Username: name, CommonName: name + ".cn"},
				id:     "cvpn-connection-1", ip: "10.0.0.2", status: state, established: since,
			}
			want := item{
				ClientIP: k.ip, CommonName: k.CommonName, EndTime: "-", Established: "2026-11-20 22:59:58", ID: k.id,
				EgressBytes: 52 * 5400, EgressPkts: 5400, EndpointID: endpointA, IngressBytes: 48 * 5400,
				IngressPkts: 5400, Status: status{state}, Timestamp: "2026-11-21 00:29:58", Username: name,
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
		for p := ec2.NewDescribeClientVpnConnectionsPaginator(api, &describeInput{
			ClientVpnEndpointId: aws.String(endpointA), Filters: filters{filterBy("username", "ann")},
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
		form := url.Values{
			"Action": {"DescribeClientVpnConnections"}, "Version": {ec2Version}, "ClientVpnEndpointId": {endpointA},
		}
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
