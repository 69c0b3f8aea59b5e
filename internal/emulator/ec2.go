package emulator

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"hash/crc32"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

const (
	ec2Version = "2016-11-15"
	ec2Space   = "http://ec2.amazonaws.com/doc/" + ec2Version + "/"
)

var actions = map[string]struct {
	service, version string
	do               func(c *Cloud, form url.Values, requestID string) (document any, refused *refusal)
}{
	"DescribeClientVpnConnections":  {"ec2", ec2Version, (*Cloud).describeConnections},
	"DescribeClientVpnEndpoints":    {"ec2", ec2Version, (*Cloud).describeEndpoints},
	"TerminateClientVpnConnections": {"ec2", ec2Version, (*Cloud).terminateConnections},
	"Publish":                       {"sns", snsVersion, (*Cloud).publish},
	"GetTopicAttributes":            {"sns", snsVersion, (*Cloud).getTopicAttributes},
	"DescribeUser":                  {"identitystore", identityStoreTarget, (*Cloud).describeUser},
	"BatchGetItem":                  {"dynamodb", dynamoTarget, (*Cloud).batchGetItem},
	"Scan":                          {"dynamodb", dynamoTarget, (*Cloud).scan},
	"UpdateItem":                    {"dynamodb", dynamoTarget, (*Cloud).updateItem},
}

// refusal is an error that a service answers.
type refusal struct {
	code, message string
	status        int  // default 400
	item          item // what a condition of DynamoDB found
}

func refuse(code, format string, args ...any) *refusal {
	return &refusal{code: code, message: fmt.Sprintf(format, args...)}
}

// statuses are those of the codes that faults can have (EC2 Developer Guide, error codes for the Amazon EC2 API).
var statuses = map[string]int{
	"InternalError": 500, "InternalFailure": 500, "RequestLimitExceeded": 503, "ServiceUnavailable": 503, "Unavailable": 503,
}

// ServeHTTP answers one request of the EC2 or the SNS Query API, or of the identity store's or DynamoDB's JSON one.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target := r.Header.Get("X-Amz-Target")
	err := r.ParseForm()
	if target != "" {
		err = parseJSON(r, target)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	document, requestID, status, fault := c.handle(r.Form)
	// The state is not held from here on: a slow answer is waited for beside other requests.
	var body []byte
	contentType := "text/xml;charset=UTF-8"
	if target != "" {
		contentType = "application/x-amz-json-1.1"
		if strings.HasPrefix(target, dynamoTarget) {
			contentType = "application/x-amz-json-1.0"
		}
		body, err = json.Marshal(document)
	} else {
		body, err = xml.Marshal(document)
		body = append([]byte(xml.Header), body...)
	}
	if err != nil {
		panic(err) // the documents are ours, and encode
	}
	if strings.HasPrefix(target, dynamoTarget) {
		// The SDKs hold the body to it (DynamoDB Developer Guide, low-level API).
		w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10))
	}
	if wait(r.Context(), c.Latency+fault.Delay) != nil || fault.Drop {
		panic(http.ErrAbortHandler)
	}
	if fault.Reset {
		reset(w)
		return
	}
	half := body[:len(body)/2]
	switch {
	case fault.Truncate:
		body = half
	case fault.Empty:
		body = nil
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	// The SDKs take the id of a request that succeeded from here, not from the document.
	w.Header().Set("x-amzn-requestid", requestID)
	w.WriteHeader(status)
	if fault.Cut {
		w.Write(half)                             // an error means that the client has gone,
		_ = http.NewResponseController(w).Flush() // here too
		panic(http.ErrAbortHandler)
	}
	w.Write(body) // an error means that the client has gone
}

// reset closes the connection without a word. On one of TCP the client sees a reset instead of an end.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err) // net/http's own connections can all be taken over
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // an error means that the client has gone
	}
	conn.Close()
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// handle does what the form asks for, in the order fault, permission, parameters.
func (c *Cloud) handle(form url.Values) (document any, requestID string, status int, fault Fault) {
	name, version := form.Get("Action"), form.Get("Version")
	var asked Fault
	if c.OnCall != nil {
		asked = c.OnCall(Call{Action: name, Params: form, At: time.Now()})
	}
	if version == dynamoTarget { // which the connect handler asks, while others wait for what it says
		c.mu.Lock()
	} else {
		c.enter()
	}
	defer c.mu.Unlock()
	action, known := actions[name]
	requestID = uuid("request", c.next())
	call := &Call{Action: name, Params: form, RequestID: requestID, At: time.Now()}
	c.calls = append(c.calls, call)

	if fault = c.fault(name, form); fault == (Fault{}) {
		fault = asked
	}
	var refused *refusal
	switch {
	case fault.Code != "":
		refused = &refusal{code: fault.Code, message: fault.Message, status: cmp.Or(fault.Status, statuses[fault.Code])}
	case known && c.throttled(name):
		refused = &refusal{code: "RequestLimitExceeded", message: "Request limit exceeded.", status: statuses["RequestLimitExceeded"]}
		if version == dynamoTarget {
			refused = refuse("ThrottlingException", "Throughput exceeds the current capacity of your table or index.")
		}
	case !known || action.version != version:
		refused = refuse("InvalidAction", "Could not find operation %s for version %s", name, version)
	default:
		if refused = c.forbidden(action.service, name, form); refused == nil {
			document, refused = action.do(c, form, requestID)
		}
	}
	switch {
	case fault.Drop || fault.Reset:
		call.Code = "dropped"
	case fault.Truncate || fault.Cut || fault.Empty:
		call.Code = "truncated"
	case refused != nil:
		call.Code = refused.code
	}
	if refused == nil {
		return document, requestID, http.StatusOK, fault
	}
	status = cmp.Or(refused.status, http.StatusBadRequest)
	switch version {
	case snsVersion:
		return snsError(refused, requestID, status), requestID, status, fault
	case identityStoreTarget:
		return jsonError{Type: refused.code, Message: refused.message}, requestID, status, fault
	case dynamoTarget:
		return jsonError{"com.amazonaws.dynamodb.v20120810#" + refused.code, refused.message, refused.item}, requestID, status, fault
	}
	return errorResponse{Errors: []errorItem{{refused.code, refused.message}}, RequestID: requestID}, requestID, status, fault
}

// resources are what a request names, as Deny and Fault know them.
func resources(form url.Values) []string {
	named := list(form, "ClientVpnEndpointId")
	for _, key := range []string{"ClientVpnEndpointId", "TopicArn", "UserId"} {
		if v := form.Get(key); v != "" {
			named = append(named, v)
		}
	}
	return append(named, tablesOf(form)...)
}

func (c *Cloud) fault(action string, form url.Values) Fault {
	for i := range c.faults {
		f := &c.faults[i]
		if f.Action != "" && bare(f.Action) != action || f.EndpointID != "" && !slices.Contains(resources(form), f.EndpointID) {
			continue
		}
		if f.After > 0 {
			f.After--
			continue
		}
		due := *f
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				c.faults = slices.Delete(c.faults, i, i+1)
			}
		}
		return due
	}
	return Fault{}
}

func (c *Cloud) forbidden(service, action string, form url.Values) *refusal {
	named := resources(form)
	if !slices.ContainsFunc(c.denied, func(d [2]string) bool {
		return d[0] == action && (d[1] == "" || slices.Contains(named, d[1]))
	}) {
		return nil
	}
	code, label, on, status := "UnauthorizedOperation", "ec2:"+action, "", http.StatusForbidden
	switch {
	case service == "dynamodb":
		code, label, status = "AccessDeniedException", "dynamodb:"+action, http.StatusBadRequest // DynamoDB Developer Guide, error handling
		on = fmt.Sprintf(" on resource: arn:%s:dynamodb:%s:%s:table/%s", partition(c.region()), c.region(), c.account(), strings.Join(tablesOf(form), " "))
	case service == "identitystore":
		code, label, on = "AccessDeniedException", "identitystore:"+action, " on resource: arn:"+partition(c.region())+":identitystore:::user/"+form.Get("UserId")
	case service == "sns":
		code, label, on = "AuthorizationError", "SNS:"+action, " on resource: "+form.Get("TopicArn")
	case action != "DescribeClientVpnEndpoints": // which has no resource (Service Authorization Reference, Amazon EC2)
		on = fmt.Sprintf(" on resource: arn:%s:ec2:%s:%s:client-vpn-endpoint/%s",
			partition(c.region()), c.region(), c.account(), form.Get("ClientVpnEndpointId"))
	}
	message := fmt.Sprintf("User: arn:%s:sts::%s:assumed-role/clientvpn-responder/clientvpn-responder is not authorized to "+
		"perform: %s%s because no identity-based policy allows the %[3]s action",
		partition(c.region()), c.account(), label, on)
	if service == "ec2" {
		message = "You are not authorized to perform this operation. " + message
	}
	return &refusal{code: code, message: message, status: status}
}

type errorItem struct{ Code, Message string }

type errorResponse struct {
	XMLName   xml.Name    `xml:"Response"`
	Errors    []errorItem `xml:"Errors>Error"`
	RequestID string
}

// items encodes a list as EC2 does: also an empty one has its element.
type items[T any] struct {
	Item []T `xml:"item"`
}

type status struct {
	Code string `xml:"code"`
}

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

// appendRow adds what encoding/xml would make of a connection, which by reflection takes ten times as long: a page of a
// thousand must cost little, because the stand-in shares the processors with what is measured against it.
func (k *conn) appendRow(b []byte, now time.Time) []byte {
	seen := now
	if k.status == terminated {
		seen = k.ended
	}
	element := func(name string, value func(b []byte) []byte) {
		b = append(append(append(b, '<'), name...), '>')
		b = value(b)
		b = append(append(append(b, "</"...), name...), '>')
	}
	text := func(name, value string) {
		element(name, func(b []byte) []byte { return appendText(b, value) })
	}
	count := func(name string, n int64) {
		element(name, func(b []byte) []byte { return strconv.AppendInt(b, n, 10) })
	}
	at := func(name string, t time.Time) {
		element(name, func(b []byte) []byte { return t.UTC().AppendFormat(b, time.DateTime) })
	}
	packets := int64(seen.Sub(k.established) / time.Second)

	b = append(b, "<item>"...)
	text("clientIp", k.ip)
	text("commonName", k.CommonName)
	if k.status == terminated {
		at("connectionEndTime", k.ended)
	} else {
		text("connectionEndTime", "-")
	}
	at("connectionEstablishedTime", k.established)
	text("connectionId", k.id)
	count("egressBytes", 52*packets)
	count("egressPackets", packets)
	text("clientVpnEndpointId", k.EndpointID)
	count("ingressBytes", 48*packets)
	count("ingressPackets", packets)
	b = append(b, "<status>"...)
	text("code", k.status)
	b = append(b, "</status>"...)
	at("timestamp", seen)
	if k.Username != "" { // absent for clients that have a certificate only
		text("username", k.Username)
	}
	return append(b, "</item>"...)
}

func appendText(b []byte, text string) []byte {
	if plain(text) {
		return append(b, text...)
	}
	escaped := bytes.NewBuffer(b)
	_ = xml.EscapeText(escaped, []byte(text)) // a buffer takes everything
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
	// A filter names few connections, so those are looked up instead of looking through all.
	candidates := e.conns
	for _, f := range filters {
		var found []*conn
		for _, value := range f.values {
			if f.name == "username" {
				found = append(found, e.byUser[value]...)
			} else if k := c.conns[value]; k != nil && k.EndpointID == e.ID {
				found = append(found, k)
			}
		}
		slices.SortFunc(found, func(a, b *conn) int { return a.seq - b.seq })
		candidates = slices.Compact(found) // a value can be given twice
	}
	page, token, refused := paginate(c, form, fmt.Sprint(e.ID, filters), candidates, func(k *conn) int { return k.seq },
		func(k *conn) bool {
			return matches(filters, func(name string) string {
				if name == "username" {
					return k.Username
				}
				return k.id
			})
		})
	if refused != nil {
		return nil, refused
	}
	answer := describeConnectionsResponse{XMLName: xml.Name{Space: ec2Space, Local: "DescribeClientVpnConnectionsResponse"},
		RequestID: requestID, NextToken: token}
	now := time.Now()
	answer.Items.XML = make([]byte, 0, 700*len(page))
	for _, k := range page {
		answer.Items.XML = k.appendRow(answer.Items.XML, now)
	}
	return answer, nil
}

type terminationItem struct {
	ID       string `xml:"connectionId"`
	Current  status `xml:"currentStatus"`
	Previous status `xml:"previousStatus"`
}

type terminateResponse struct {
	XMLName    xml.Name
	EndpointID string                 `xml:"clientVpnEndpointId"`
	Items      items[terminationItem] `xml:"connectionStatuses"`
	RequestID  string                 `xml:"requestId"`
	Username   string                 `xml:"username,omitempty"`
}

func (c *Cloud) terminateConnections(form url.Values, requestID string) (any, *refusal) {
	// What AWS answers to both or neither is not documented by AWS; these are EC2's common codes for such requests.
	id, user := form.Get("ConnectionId"), form.Get("Username")
	switch {
	case form.Get("ClientVpnEndpointId") == "":
	case id != "" && user != "":
		return nil, refuse("InvalidParameterCombination", "The parameters ConnectionId and Username cannot be used together")
	case id == "" && user == "":
		return nil, refuse("MissingParameter", "The request must contain the parameter ConnectionId or Username")
	}
	e, refused := c.target(form)
	if refused == nil {
		refused = dryRun(form)
	}
	if refused != nil {
		return nil, refused
	}
	var chosen []*conn
	if user == "" {
		k := c.conns[id]
		if k == nil || k.EndpointID != e.ID || k.status == terminated && !c.EndedAnswersRow {
			return nil, refuse("InvalidClientVpnConnection.IdNotFound", "Connection %s does not exist", id)
		}
		chosen = []*conn{k}
	} else {
		// Whether a connection that failed to terminate counts as active is not documented by AWS; its tunnel is up.
		for _, k := range e.byUser[user] {
			if k.status == active || k.status == failedToTerminate {
				chosen = append(chosen, k)
			}
		}
		switch {
		case len(chosen) == 0:
			return nil, refuse("InvalidClientVpnConnection.UserNotFound",
				"The specified user does not have an active connection to the specified Client VPN endpoint.")
		case len(chosen) > 5: // "up to five connections established by a specific user" (EC2 API reference)
			return nil, refuse("ClientVpnTerminateConnectionsLimitExceeded",
				"The number of client connections you're attempting to terminate exceeds the limit.")
		}
	}
	answer := terminateResponse{XMLName: xml.Name{Space: ec2Space, Local: "TerminateClientVpnConnectionsResponse"},
		EndpointID: e.ID, RequestID: requestID, Username: user}
	for _, k := range chosen {
		previous := k.status
		if previous == active || previous == failedToTerminate {
			c.terminate(k, time.Now())
		}
		answer.Items.Item = append(answer.Items.Item, terminationItem{k.id, status{k.status}, status{previous}})
	}
	return answer, nil
}

type tagItem struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

// Of these an item has what applies to it, and no empty elements for the others.
type (
	directory struct {
		ID string `xml:"directoryId"`
	}
	provider struct {
		ARN string `xml:"samlProviderArn"`
	}
	root struct {
		Chain string `xml:"clientRootCertificateChain"`
	}
	transitGateway struct {
		ID string `xml:"transitGatewayId"`
	}
)

type authenticationItem struct {
	Directory *directory `xml:"activeDirectory"`
	Provider  *provider  `xml:"federatedAuthentication"`
	Root      *root      `xml:"mutualAuthentication"`
	Type      string     `xml:"type"`
}

type endpointItem struct {
	Authentication items[authenticationItem] `xml:"authenticationOptions"`
	CIDR           string                    `xml:"clientCidrBlock"`
	Connect        connectOptions            `xml:"clientConnectOptions"`
	ID             string                    `xml:"clientVpnEndpointId"`
	Logged         bool                      `xml:"connectionLogOptions>Enabled"`
	Created        string                    `xml:"creationTime"`
	Description    string                    `xml:"description,omitempty"`
	DNSName        string                    `xml:"dnsName"`
	SessionHours   int                       `xml:"sessionTimeoutHours"`
	SplitTunnel    bool                      `xml:"splitTunnel"`
	Status         status                    `xml:"status"`
	Tags           items[tagItem]            `xml:"tagSet"`
	TransitGateway *transitGateway           `xml:"transitGatewayConfiguration"`
	Transport      string                    `xml:"transportProtocol"`
	VPC            string                    `xml:"vpcId,omitempty"`
	Port           int                       `xml:"vpnPort"`
	Protocol       string                    `xml:"vpnProtocol"`
}

type connectOptions struct {
	Enabled bool    `xml:"enabled"`
	Handler string  `xml:"lambdaFunctionArn,omitempty"`
	Status  *status `xml:"status"`
}

type describeEndpointsResponse struct {
	XMLName   xml.Name
	Items     items[endpointItem] `xml:"clientVpnEndpoint"`
	NextToken string              `xml:"nextToken,omitempty"`
	RequestID string              `xml:"requestId"`
}

const transport = "udp"

func (c *Cloud) describeEndpoints(form url.Values, requestID string) (any, *refusal) {
	ids := list(form, "ClientVpnEndpointId")
	for _, id := range ids {
		if c.byID[id] == nil {
			return nil, noEndpoint(id)
		}
	}
	if refused := dryRun(form); refused != nil {
		return nil, refused
	}
	// The filter tag:key is not documented by AWS for this action, though EC2 has it for tagged resources in general.
	filters, refused := filtersOf(form, func(name string) bool {
		return name == "endpoint-id" || name == "transport-protocol" || strings.HasPrefix(name, "tag:")
	})
	if refused != nil {
		return nil, refused
	}
	page, token, refused := paginate(c, form, fmt.Sprint(ids, filters), c.endpoints, func(e *endpoint) int { return e.seq },
		func(e *endpoint) bool {
			return (len(ids) == 0 || slices.Contains(ids, e.ID)) && matches(filters, func(name string) string {
				switch name {
				case "endpoint-id":
					return e.ID
				case "transport-protocol":
					return transport
				}
				return e.Tags[strings.TrimPrefix(name, "tag:")]
			})
		})
	if refused != nil {
		return nil, refused
	}
	answer := describeEndpointsResponse{XMLName: xml.Name{Space: ec2Space, Local: "DescribeClientVpnEndpointsResponse"},
		NextToken: token, RequestID: requestID}
	for _, e := range page {
		item := endpointItem{
			CIDR: e.network.String() + "/12", ID: e.ID, Created: e.created.UTC().Format("2006-01-02T15:04:05"),
			Description: e.Description, DNSName: fmt.Sprintf("*.%s.prod.clientvpn.%s.amazonaws.com", e.ID, c.region()),
			SessionHours: 24, Status: status{e.Status}, Transport: transport, Port: 443,
			Protocol: "openvpn",
		}
		if c.asks(e) {
			item.Connect = connectOptions{true, fmt.Sprintf("arn:%s:lambda:%s:%s:function:AWSClientVPN-handler", partition(c.region()), c.region(), c.account()), &status{"applied"}}
		}
		if e.TransitGateway == "" {
			item.VPC = "vpc-" + digest("vpc", 0)[:17]
		} else {
			item.TransitGateway = &transitGateway{e.TransitGateway}
		}
		for _, kind := range e.Authentication {
			option := authenticationItem{Type: kind}
			switch kind {
			case "certificate-authentication":
				option.Root = &root{fmt.Sprintf("arn:%s:acm:%s:%s:certificate/%s", partition(c.region()), c.region(), c.account(), uuid("root", 0))}
			case "directory-service-authentication":
				option.Directory = &directory{"d-" + digest("directory", 0)[:10]}
			case "federated-authentication":
				option.Provider = &provider{fmt.Sprintf("arn:%s:iam::%s:saml-provider/clientvpn", partition(c.region()), c.account())}
			}
			item.Authentication.Item = append(item.Authentication.Item, option)
		}
		for _, key := range slices.Sorted(maps.Keys(e.Tags)) {
			item.Tags.Item = append(item.Tags.Item, tagItem{key, e.Tags[key]})
		}
		answer.Items.Item = append(answer.Items.Item, item)
	}
	return answer, nil
}

func noEndpoint(id string) *refusal {
	return refuse("InvalidClientVpnEndpointId.NotFound", "Endpoint %s does not exist", id)
}

// target is the endpoint that a request must name.
func (c *Cloud) target(form url.Values) (*endpoint, *refusal) {
	id := form.Get("ClientVpnEndpointId")
	if id == "" {
		return nil, refuse("MissingParameter", "The request must contain the parameter ClientVpnEndpointId")
	}
	if e := c.byID[id]; e != nil {
		return e, nil
	}
	return nil, noEndpoint(id)
}

// dryRun answers a request that has passed so far and asks for no more. The HTTP status is not documented by AWS.
func dryRun(form url.Values) *refusal {
	if form.Get("DryRun") != "true" {
		return nil
	}
	return &refusal{code: "DryRunOperation", message: "Request would have succeeded, but DryRun flag is set.", status: http.StatusPreconditionFailed}
}

// list collects prefix.1, prefix.2 and so on.
func list(form url.Values, prefix string) (values []string) {
	for i := 1; ; i++ {
		v, found := form[fmt.Sprint(prefix, ".", i)]
		if !found {
			return values
		}
		values = append(values, v[0])
	}
}

type filter struct {
	name   string
	values []string
}

func filtersOf(form url.Values, known func(name string) bool) (filters []filter, refused *refusal) {
	for i := 1; ; i++ {
		prefix := fmt.Sprint("Filter.", i)
		if !form.Has(prefix + ".Name") {
			return filters, nil
		}
		f := filter{form.Get(prefix + ".Name"), list(form, prefix+".Value")}
		switch {
		case !known(f.name): // the code for these actions is not documented by AWS
			return nil, refuse("InvalidFilter", "The filter '%s' is invalid", f.name)
		case len(f.values) == 0: // not documented by AWS
			return nil, refuse("InvalidParameterValue", "The filter '%s' has no values", f.name)
		case len(f.values) > 200: // EC2 User Guide, filtering considerations
			return nil, refuse("FilterLimitExceeded", "The maximum number of filter values specified on a single call is 200")
		}
		filters = append(filters, f)
	}
}

// matches holds every filter against what a thing has; an empty name is no name, so nothing matches it.
func matches(filters []filter, has func(name string) string) bool {
	for _, f := range filters {
		if value := has(f.name); value == "" || !slices.Contains(f.values, value) {
			return false
		}
	}
	return true
}

// paginate cuts the page that a request asks for out of things sorted by seq. Scope ties its tokens to this request.
func paginate[T any](c *Cloud, form url.Values, scope string, things []T, seq func(T) int, keep func(T) bool) (
	page []T, token string, refused *refusal) {
	limit := cmp.Or(c.PageSize, 1000)
	if asked := form.Get("MaxResults"); asked != "" {
		n, err := strconv.Atoi(asked)
		if err != nil || n < 5 || n > 1000 { // EC2 API reference: valid range 5 to 1000
			return nil, "", refuse("InvalidParameterValue",
				"Value ( %s ) for parameter maxResults is invalid. Expecting a value between 5 and 1000.", asked)
		}
		limit = min(limit, n)
	}
	sum := digest(form.Get("Action")+scope, 0)[:16]
	if asked := form.Get("NextToken"); asked != "" {
		plain, _ := base64.RawURLEncoding.DecodeString(asked)
		var from int
		var of string
		if n, _ := fmt.Sscanf(string(plain), "%s %d", &of, &from); n != 2 || of != sum {
			return nil, "", refuse("InvalidPaginationToken", "The specified pagination token is not valid or is expired.")
		}
		// By number, not by index: entries that left the list between two pages must not shift those after them.
		things = things[sort.Search(len(things), func(i int) bool { return seq(things[i]) >= from }):]
	}
	for _, thing := range things {
		if !keep(thing) {
			continue
		}
		if len(page) == limit {
			return page, base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s %d", sum, seq(thing))), nil
		}
		page = append(page, thing)
	}
	return page, "", nil
}
