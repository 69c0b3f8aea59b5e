package emulator

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

type describeConnectionsResponse struct {
	XMLName   xml.Name
	RequestID string `xml:"requestId"`
	Items     rows   `xml:"connections"`
	NextToken string `xml:"nextToken,omitempty"`
}

// rows are items that are XML already.
type rows struct {
	XML []byte `xml:",innerxml"`
}

func (c *Cloud) describeConnections(form url.Values, requestID string) (any, *refusal) {
	e, refused := c.target(form)
	if refused == nil {
		refused = dryRun(form)
	}
	if refused != nil {
		return nil, refused
	}
	filters, refused := filtersOf(form, func(name string) bool { return name == "connection-id" || name == "username" })
	if refused != nil {
		return nil, refused
	}
	matching := listing[*conn]{
		scope: fmt.Sprint(e.ID, filters), things: c.candidates(e, filters),
		seq:  func(k *conn) int { return k.seq },
		keep: func(k *conn) bool { return matches(filters, k.filterValue) },
	}
	page, token, refused := matching.page(form, c.PageSize)
	if refused != nil {
		return nil, refused
	}
	answer := describeConnectionsResponse{
		XMLName:   xml.Name{Space: ec2Space, Local: "DescribeClientVpnConnectionsResponse"},
		RequestID: requestID, NextToken: token,
	}
	now := time.Now()
	answer.Items.XML = make([]byte, 0, 700*len(page))
	for _, k := range page {
		answer.Items.XML = k.appendRow(answer.Items.XML, now)
	}
	return answer, nil
}

// candidates returns connections that include all matches of the filters. A filter names few connections, so an index
// finds them without a scan.
func (c *Cloud) candidates(e *endpoint, filters []filter) []*conn {
	if len(filters) == 0 {
		return e.conns
	}
	var found []*conn
	last := filters[len(filters)-1]
	for _, value := range last.values {
		if last.name == "username" {
			found = append(found, e.byUser[value]...)
		} else if k := c.conns[value]; k != nil && k.EndpointID == e.ID {
			found = append(found, k)
		}
	}
	slices.SortFunc(found, func(a, b *conn) int { return a.seq - b.seq })
	return slices.Compact(found) // a request can name a value twice
}

func (k *conn) filterValue(name string) string {
	if name == "username" {
		return k.Username
	}
	return k.id
}

// row is an element of XML that is being written.
type row []byte

func (r *row) text(name, value string) {
	r.open(name)
	*r = appendText(*r, value)
	r.close(name)
}

func (r *row) count(name string, n int64) {
	r.open(name)
	*r = strconv.AppendInt(*r, n, 10)
	r.close(name)
}

func (r *row) at(name string, t time.Time) {
	r.open(name)
	*r = t.UTC().AppendFormat(*r, time.DateTime)
	r.close(name)
}

func (r *row) open(name string)  { *r = append(append(append(*r, '<'), name...), '>') }
func (r *row) close(name string) { *r = append(append(append(*r, "</"...), name...), '>') }

// appendRow adds what encoding/xml would write for a connection. Reflection takes ten times as long, and a page of a
// thousand must cost little. The stand-in shares the processors with the programs that are measured against it.
func (k *conn) appendRow(b []byte, now time.Time) []byte {
	seen := now
	if k.status == terminated {
		seen = k.ended
	}
	packets := int64(seen.Sub(k.established) / time.Second)
	r := row(b)
	r.open("item")
	r.text("clientIp", k.ip)
	if k.ClientIPv6 != "" {
		r.text("clientIpv6Address", k.ClientIPv6)
	}
	r.text("commonName", k.CommonName)
	if k.status == terminated {
		r.at("connectionEndTime", k.ended)
	} else {
		r.text("connectionEndTime", "-")
	}
	r.at("connectionEstablishedTime", k.established)
	r.text("connectionId", k.id)
	r.count("egressBytes", 52*packets)
	r.count("egressPackets", packets)
	r.text("clientVpnEndpointId", k.EndpointID)
	r.count("ingressBytes", 48*packets)
	r.count("ingressPackets", packets)
	r.open("status")
	state := k.state()
	r.text("code", state.Code)
	if state.Message != "" {
		r.text("message", state.Message)
	}
	r.close("status")
	r.at("timestamp", seen)
	if k.Username != "" { // absent for clients that have a certificate only
		r.text("username", k.Username)
	}
	r.close("item")
	return r
}

func appendText(b []byte, text string) []byte {
	if plain(text) {
		return append(b, text...)
	}
	escaped := bytes.NewBuffer(b)
	_ = xml.EscapeText(escaped, []byte(text)) // a buffer accepts everything
	return escaped.Bytes()
}

// plain reports whether XML shows the text as it is.
func plain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || strings.IndexByte(`"&'<>`, c) >= 0 {
			return false
		}
	}
	return true
}
