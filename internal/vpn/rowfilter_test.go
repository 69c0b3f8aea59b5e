package vpn_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"clientvpn-responder/internal/vpn"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// answering answers every request with the same body.
type answering string

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body.Close()
	}
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"text/xml"}},
		Body:   io.NopCloser(strings.NewReader(string(a))), ContentLength: int64(len(a)),
	}, nil
}

// foundIn returns what is found in a page, through the row filter or, with all, as the SDK decodes it. A target with an
// address keeps every row.
func foundIn(t *testing.T, page string, all bool) (found []string, err error) {
	t.Helper()
	targets := []vpn.Target{
		{
			Names:       []string{"ann", "ann@example.com", `example\ann`, "ånn", "a&b"},
			CommonNames: []string{"ann.vpn.example.com"},
		},
		{ConnectionID: "cvpn-connection-0123456789abcdef0"},
	}
	if all {
		targets = append(targets, vpn.Target{ClientIP: "192.0.2.1"})
	}
	config := config(&http.Client{Transport: answering(page)})
	config.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	got := search(vpn.New(config, nil), []vpn.Endpoint{{ID: saml}}, targets...)
	for _, m := range got.Matches {
		if m.Target < 2 {
			found = append(found, fmt.Sprintf("%d %s %q %q %v", m.Target, m.ID, m.Username, m.CommonName, m.Doubt))
		}
	}
	for _, e := range got.EndedBefore {
		if e.Target < 2 {
			found = append(found, fmt.Sprint(e.Target, " ended"))
		}
	}
	return found, got.Failed[saml]
}

// row is one as EC2 answers it; the parts are XML.
func row(username, commonName, id string, more ...string) string {
	return "<item><clientIp>10.0.0.1</clientIp><commonName>" + commonName + "</commonName>" +
		"<connectionEndTime>-</connectionEndTime><connectionId>" + id + "</connectionId>" +
		"<status><code>active</code></status><username>" + username + "</username>" + strings.Join(more, "") + "</item>"
}

func listed(rows ...string) string {
	return xml.Header + `<DescribeClientVpnConnectionsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">` +
		"<requestId>1</requestId><connections>" +
		strings.Join(rows, "") + "</connections></DescribeClientVpnConnectionsResponse>"
}

func escaped(s string) string {
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		panic(err)
	}
	return b.String()
}

var pages = []string{
	listed(),
	listed(row("ann", "", "1"), row("joanna", "joanna", "2"), row("ANN@Example.com", "x", "3"),
		row("bob", "Ann.vpn.example.com", "4")),
	listed(row(" ann ", "", "1"), row("&#97;nn", "", "2"), row("a&amp;b", "", "3"), row("ÅNN", "", "4"),
		row(`EXAMPLE\Ann`, "", "5")),
	listed(row("bob", "bob", "cvpn-connection-0123456789abcdef0"),
		row("bob", "bob", "CVPN-connection-0123456789abcdef0")),
	listed(row("bob", "", "1", "<postureComplianceStatusSet><item>ann</item><item/></postureComplianceStatusSet>"),
		row("ann", "", "2", "<empty/>", "<postureComplianceStatusSet/>")),
	listed("\n\t" + row("ann", "", "1") + "\r\n  " + row("bob", "", "2") + "\n"),
	listed("<!-- a comment with </item> -->" + row("ann", "", "1")),
	listed(row("<![CDATA[ann]]>", "", "1")),
	listed(`<item note="a > b"><username>ann</username><connectionId>1</connectionId></item>`),
	listed(`<item><username note="a > b">ann</username><connectionId>1</connectionId></item>`),
	listed("<Item><Username>ann</Username><ConnectionId>1</ConnectionId></Item>" + row("ann", "", "2")),
	strings.Replace(listed(row("ann", "", "1")), "</connections>", "</connections><nextToken></nextToken>", 1),
	strings.ReplaceAll(listed(row("ann", "", "1")), "connections>", "Connections>"),
	listed(row("<?pi ann?>ann", "", "1")),
	listed(row("an<?a></b?>n", "", "1")),
	listed(row("an<!--a></b-->n", "", "1")),
	listed(row("<b>ann</b>", "", "1")),
	listed(row(strings.Repeat("a", 80), strings.Repeat("å", 40), "1"), row("ann", "", "2")),
	listed(row("ann", "", "1"), "<item>"),
	listed(row("bob", "", "1"))[:300],
	"",
}

// TestRowFilterLosesNobody: whatever the page, what is found behind the filter is what is found without.
func TestRowFilterLosesNobody(t *testing.T) {
	for _, page := range pages {
		compare(t, page)
	}
}

func FuzzRowFilter(f *testing.F) {
	for _, page := range pages {
		f.Add(page, "ann", "bob")
	}
	f.Fuzz(func(t *testing.T, page, username, commonName string) {
		compare(t, page)
		username, commonName = escaped(username), escaped(commonName)
		compare(t, listed(row("bob", "", "1"), row(username, commonName, "2"), row("joanna", "", "3"),
			row(commonName, "", "4")))
	})
}

func compare(t *testing.T, page string) {
	t.Helper()
	want, err := foundIn(t, page, true)
	if err != nil {
		return // the SDK cannot read it
	}
	got, err := foundIn(t, page, false)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%s\ngot  %q, %v\nwant %q", page, got, err, want)
	}
}

// TestRowFilterRemovesRows: it is worth its while.
func TestRowFilterRemovesRows(t *testing.T) {
	var rows []string
	for i := range 1000 {
		rows = append(rows, row(fmt.Sprintf("user%d@example.com", i), "", fmt.Sprint(i)))
	}
	page := listed(append(rows, row("Ann", "", "1000"))...)
	allocations := func(all bool) float64 {
		return testing.AllocsPerRun(3, func() {
			if found, err := foundIn(t, page, all); err != nil || len(found) != 1 {
				t.Fatal(found, err)
			}
		})
	}
	if with, without := allocations(false), allocations(true); with*5 > without {
		t.Errorf("%v allocations for a page, %v without the row filter", with, without)
	}
}

func BenchmarkPage(b *testing.B) {
	var rows []string
	for i := range 1000 {
		user := fmt.Sprintf("user%d@example.com", i)
		rows = append(rows, row(user, user, fmt.Sprintf("cvpn-connection-%017x", i)))
	}
	v := vpn.New(config(&http.Client{Transport: answering(listed(rows...))}), nil)
	for name, targets := range map[string][]vpn.Target{
		"filtered": {{Names: []string{"ann"}}},
		"all":      {{Names: []string{"ann"}}, {ClientIP: "192.0.2.1"}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				search(v, []vpn.Endpoint{{ID: saml}}, targets...)
			}
		})
	}
}
