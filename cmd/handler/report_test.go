package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/schema"
)

// lines are those that the handler logs, by message. What aws-lambda-go writes of errors is no JSON.
func lines(t *testing.T, log string) map[string][]map[string]any {
	t.Helper()
	all := map[string][]map[string]any{}
	for line := range strings.Lines(log) {
		if !strings.HasPrefix(line, "{") {
			continue
		}
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("%v: %s", err, line)
			continue
		}
		message, _ := entry["message"].(string)
		all[message] = append(all[message], entry)
	}
	return all
}

// at returns the value at a path like "outcome.connections.0.connection_id", as CloudWatch Logs Insights names it.
func at(entry map[string]any, path string) any {
	var value any = entry
	for key := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[key]
		case []any:
			var i int
			if _, err := fmt.Sscan(key, &i); err != nil || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

// evidence returns the log of a finding about somebody with two connections. EC2 throttles the request for one of them
// once.
func evidence(t *testing.T) (map[string][]map[string]any, *emulator.Cloud) {
	t.Helper()
	cloud := cloudWith(emulator.Client{Username: "bob"}, emulator.Client{Username: "bob", CommonName: "breakglass"})
	cloud.Inject(emulator.Fault{
		Action: "TerminateClientVpnConnections", Times: 1, Code: "RequestLimitExceeded", Status: 503,
	})
	raw, err := os.ReadFile("../../events/guardduty/iam-user.json")
	if err != nil {
		t.Fatal(err)
	}
	f := start(t, cloud, "MESSAGE_TOPIC_ARN="+text, "CHAT_TOPIC_ARN="+chat)
	invoke(t, f, batch(raw))
	return lines(t, logs(f)), cloud
}

// TestEvidence: one line has all that an auditor needs, and the time to cut-off can be recomputed from it.
func TestEvidence(t *testing.T) {
	log, cloud := evidence(t)
	if len(log["outcome"]) != 1 {
		t.Fatalf("%d lines for one outcome: %v", len(log["outcome"]), log)
	}
	line := log["outcome"][0]
	raw, err := json.Marshal(line["outcome"])
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Check(raw); err != nil {
		t.Errorf("%v\n%s", err, raw)
	}
	for _, path := range []string{
		"requestId", "outcome.signal.event_id", "outcome.signal.id", "outcome.signal.arn",
		"outcome.policy_hash", "outcome.decision.rule", "outcome.decision.reasons.0", "outcome.listings.0",
		"outcome.connections.0.established_at", "outcome.connections.0.client_ip",
		"outcome.connections.0.requested_at", "outcome.connections.0.ended_at",
		"outcome.connections.0.request_ids.2",
		"outcome.spared.0.established_at", "outcome.spared.0.client_ip", "outcome.spared.0.reason",
	} {
		if value, _ := at(line, path).(string); value == "" {
			t.Errorf("no %s in %v", path, line)
		}
	}
	for _, path := range []string{
		"outcome.connections.0.ingress_bytes", "outcome.connections.0.egress_bytes",
		"outcome.spared.0.ingress_bytes",
	} {
		if _, ok := at(line, path).(float64); !ok {
			t.Errorf("no %s in %v", path, line)
		}
	}
	moment := func(name string) time.Time {
		parsed, err := time.Parse(time.RFC3339Nano, fmt.Sprint(at(line, "outcome.timing."+name)))
		if err != nil {
			t.Error(err)
		}
		return parsed
	}
	for field, took := range map[string]time.Duration{
		"event_to_requested_ms":   moment("requested_at").Sub(moment("event_at")),
		"event_to_ended_ms":       moment("ended_at").Sub(moment("event_at")),
		"receipt_to_requested_ms": moment("requested_at").Sub(moment("received_at")),
		"receipt_to_ended_ms":     moment("ended_at").Sub(moment("received_at")),
	} {
		if got := line[field]; got != float64(max(took.Milliseconds(), 0)) {
			t.Errorf("%s is %v, and by the times %v", field, got, took)
		}
	}
	asked := map[string]string{}
	for _, c := range cloud.Calls() {
		asked[c.RequestID] = c.Action
	}
	for _, path := range []string{
		"outcome.listings.0", "outcome.connections.0.request_ids.0",
		"outcome.connections.0.request_ids.1", "outcome.connections.0.request_ids.2",
	} {
		if id, _ := at(line, path).(string); !strings.HasSuffix(asked[id], "ClientVpnConnections") {
			t.Errorf("EC2 answered no request %v", id)
		}
	}
}

// TestQueriesNameFieldsOfTheLog: a query in the documentation that names another finds nothing, in silence.
func TestQueriesNameFieldsOfTheLog(t *testing.T) {
	log, _ := evidence(t)
	cloud := cloudWith()
	cloud.AddTable("keepout", "id")
	f := start(t, cloud, "LEDGER_TABLE=keepout")
	invoke(t, f, batch(leaver("e1", "alice")))
	invoke(t, f, batch(reinstatement("e2", "alice", time.Now())))
	all := slices.Concat(log["outcome"], lines(t, logs(f))["outcome"])
	document, err := os.ReadFile("../../doc/outcome.md")
	if err != nil {
		t.Fatal(err)
	}
	queries := regexp.MustCompile("(?s)```logs-insights\n(.*?)```").FindAllStringSubmatch(string(document), -1)
	if len(queries) < 2 {
		t.Fatalf("%d queries in doc/outcome.md", len(queries))
	}
	names := regexp.MustCompile(
		`\b(?:outcome\.[a-z_0-9.]*[a-z_0-9]|[a-z]+_to_[a-z]+_ms|published|unpublished|message)\b`)
	for _, q := range queries {
		fields := names.FindAllString(q[1], -1)
		if len(fields) < 3 {
			t.Errorf("names only %q:\n%s", fields, q[1])
		}
		for _, field := range fields {
			logged := slices.ContainsFunc(all, func(line map[string]any) bool { return at(line, field) != nil })
			if field != "unpublished" && !logged {
				t.Errorf("%s is not in the log, but in\n%s", field, q[1])
			}
		}
	}
}

// TestMetricsAreEmbedded as CloudWatch's specification wants it, in lines of their own.
func TestMetricsAreEmbedded(t *testing.T) {
	log, cloud := evidence(t)
	values := map[string]float64{} // by the first dimension's value, and the name
	for _, line := range log["metrics"] {
		for _, m := range embedded(t, line) {
			values[m.of+" "+m.name] += m.value
		}
		if line["level"] != "INFO" || line["requestId"] == "" {
			t.Errorf("%v", line)
		}
	}
	calls := map[string]int{}
	for _, c := range cloud.Calls() {
		calls[c.Action]++
	}
	for name, want := range map[string]int{
		"terminated Outcomes": 1, "terminated ConnectionsEnded": 1, "terminated Reconnections": 0,
		"TerminateClientVpnConnections Calls": 2, "TerminateClientVpnConnections Throttles": 1,
		"Publish Calls": 3, "Publish Throttles": 0,
		"DescribeClientVpnConnections Calls": calls["DescribeClientVpnConnections"],
		"DescribeClientVpnEndpoints Calls":   calls["DescribeClientVpnEndpoints"],
	} {
		if values[name] != float64(want) {
			t.Errorf("%s: %v, want %d", name, values[name], want)
		}
	}
	outcome := log["outcome"][0]
	for name, field := range map[string]string{
		"EventToRequested":   "event_to_requested_ms",
		"EventToEnded":       "event_to_ended_ms",
		"ReceiptToRequested": "receipt_to_requested_ms",
		"ReceiptToEnded":     "receipt_to_ended_ms",
	} {
		if got := values["terminated "+name]; got != outcome[field] {
			t.Errorf("%s: %v, and in the evidence %v", name, got, outcome[field])
		}
	}
}

// TestMetricsNameNobody: every new value of a dimension is a metric that is paid for, and names are personal.
func TestMetricsNameNobody(t *testing.T) {
	cloud := cloudWith(
		emulator.Client{Username: "alice", ReconnectAfter: 300 * time.Millisecond, Reconnects: 1},
		emulator.Client{Username: "bob", FailToTerminate: true},
	)
	f := start(t, cloud, "WATCH=2s")
	for i, name := range []string{"alice", "bob", "nobody-there"} {
		invoke(t, f, leaver(fmt.Sprint("e", i), name))
	}
	known := []string{
		"clientvpn-responder", "terminated", "partial", "not-connected", "custom",
		"DescribeClientVpnEndpoints", "DescribeClientVpnConnections", "TerminateClientVpnConnections", "Publish",
	}
	reconnections := 0.0
	for _, line := range lines(t, logs(f))["metrics"] {
		for _, m := range embedded(t, line) {
			for _, value := range m.dimensions {
				if !slices.Contains(known, value) {
					t.Errorf("%s has the dimension %s", m.name, value)
				}
			}
			if m.name == "Reconnections" {
				reconnections += m.value
			}
		}
	}
	if reconnections != 1 {
		t.Errorf("%v reconnections", reconnections)
	}
}

type measured struct {
	name, of   string
	dimensions []string
	value      float64
}

// embedded reads a line as CloudWatch does, and says what it would refuse.
// Source: Amazon CloudWatch user guide, "Specification: Embedded metric format".
func embedded(t *testing.T, line map[string]any) []measured {
	t.Helper()
	raw, err := json.Marshal(line["_aws"])
	if err != nil {
		t.Fatal(err)
	}
	var directive struct {
		Timestamp         int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name, Unit string }
		}
	}
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&directive); err != nil {
		t.Fatalf("%v: %v", err, line)
	}
	if since := time.Since(time.UnixMilli(directive.Timestamp)); since < 0 || since > time.Hour ||
		len(directive.CloudWatchMetrics) != 1 {
		t.Fatalf("%v", line)
	}
	set := directive.CloudWatchMetrics[0]
	if set.Namespace == "" || len(set.Namespace) > 255 || len(set.Dimensions) == 0 || len(set.Metrics) == 0 ||
		len(set.Metrics) > 100 {
		t.Errorf("%v", line)
	}
	var values []string
	for _, dimensions := range set.Dimensions {
		if len(dimensions) == 0 || len(dimensions) > 30 {
			t.Errorf("%v", line)
		}
		for _, name := range dimensions {
			value, _ := line[name].(string)
			if value == "" || len(value) > 1024 {
				t.Errorf("the dimension %s is %v", name, line[name])
			}
			values = append(values, value)
		}
	}
	var all []measured
	for _, m := range set.Metrics {
		value, ok := line[m.Name].(float64)
		if !ok || !slices.Contains([]string{"Count", "Milliseconds"}, m.Unit) {
			t.Errorf("the metric %+v is %v", m, line[m.Name])
		}
		all = append(all, measured{m.Name, values[0], values, value})
	}
	return all
}

// TestNothingSecretGoesAlong: an event may carry keys and tokens in fields that no parser reads.
func TestNothingSecretGoesAlong(t *testing.T) {
	files, err := filepath.Glob("../../events/*/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	cloud := cloudWith(
		emulator.Client{Username: "alice"}, emulator.Client{Username: "bob"}, emulator.Client{Username: "dave"},
	)
	f := start(t, cloud, "MESSAGE_TOPIC_ARN="+text, "CHAT_TOPIC_ARN="+chat)
	secrets := 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var event any
		if err := json.Unmarshal(raw, &event); err != nil {
			t.Fatal(err)
		}
		secrets += hide(event)
		changed, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		invoke(t, f, changed)
	}
	if secrets < 10 {
		t.Errorf("only %d fields to hide", secrets)
	}
	topics := map[string]int{}
	for _, m := range cloud.Published() {
		topics[m.TopicARN]++
		if strings.Contains(m.Subject+m.Body, "s3cr3t") {
			t.Errorf("%s: %s", m.Subject, m.Body)
		}
	}
	people := topics[topic] - 2 // the self-test and the sweep that are ready are for machines
	if topics[topic] < 20 || topics[text] != people || topics[chat] != people {
		t.Errorf("published %v", topics)
	}
	if log := logs(f); strings.Contains(log, "s3cr3t") {
		t.Error("the log has it")
	}
}

var secretKey = regexp.MustCompile(
	`(?i)(token|secret|password|credential|authorization|cookie|accessKeyId|externalSessionId|api_?key)"?$`)

// hide replaces the secrets of an event with words that a test can look for, adds more, and returns how many it
// replaced.
func hide(value any) (replaced int) {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			if _, isText := inner.(string); isText && secretKey.MatchString(key) {
				v[key] = "s3cr3t-" + key
				replaced++
			} else {
				replaced += hide(inner)
			}
		}
		v["unknownField"], v["sessionToken"] = "s3cr3t-field", "s3cr3t-token"
	case []any:
		for _, inner := range v {
			replaced += hide(inner)
		}
	}
	return replaced
}

// TestOneTopicThatFailsIsMadeUpFor: the others have their message once, and it gets its own when the event comes again.
func TestOneTopicThatFailsIsMadeUpFor(t *testing.T) {
	for _, failing := range []string{topic, text, chat} {
		cloud := cloudWith(emulator.Client{Username: "alice"})
		cloud.Inject(emulator.Fault{
			Action: "Publish", EndpointID: failing, Times: 1, Code: "AuthorizationError", Status: 403,
		})
		f := start(t, cloud, "MESSAGE_TOPIC_ARN="+text, "CHAT_TOPIC_ARN="+chat)
		if answer := invoke(t, f, batch(leaver("e1", "alice"))); !strings.Contains(string(answer.Payload), "m0") {
			t.Errorf("%s failed, and the event did not: %s", failing, answer.Payload)
		}
		if answer := invoke(t, f, batch(leaver("e1", "alice"))); string(answer.Payload) != `{"batchItemFailures":[]}` {
			t.Errorf("%s\n%s", answer.Payload, f.Logs())
		}
		got := map[string][]string{}
		for _, m := range cloud.Published() {
			got[m.TopicARN] = append(got[m.TopicARN], m.Attributes["status"].Value)
		}
		for _, to := range []string{topic, text, chat} {
			if !slices.Equal(got[to], []string{"terminated"}) {
				t.Errorf("%s failed, and %s got %q", failing, to, got[to])
			}
		}
	}
}

// TestMetricsNameTheFunction: so that a second stack's "ready" does not keep the first one's alarm quiet.
func TestMetricsNameTheFunction(t *testing.T) {
	f := start(t, cloudWith(), "AWS_LAMBDA_FUNCTION_NAME=stack-a-responder")
	invoke(t, f, leaver("e1", "nobody"))
	log := logs(f)
	for _, part := range []string{
		`"Function":"stack-a-responder"`, `"Dimensions":[["Status","Function"],["Status","Provider","Function"]]`,
		`"Dimensions":[["Action","Function"]]`,
	} {
		if !strings.Contains(log, part) {
			t.Errorf("the log lacks %s:\n%s", part, log)
		}
	}
}
