package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/trial"
)

// deployed is a stack on loopback: the small company, and the real function behind Lambda's own API.
type deployed struct {
	*emulator.Cloud

	function *emulator.Function
	stopped  bool
	stacks   []string // their names
	alarm    string   // the state of the only alarm
	outputs  map[string]string
}

// withStack starts a stack that the tool finds, under an operator's policy.
func withStack(t *testing.T, env ...string) *deployed {
	t.Helper()
	t.Chdir(root)
	d := &deployed{Cloud: trial.NewCompany(), stacks: []string{"clientvpn-responder"}, alarm: "OK"}
	d.AddBucket("the-bucket")
	dead := d.AddQueue("dead")
	events := d.AddQueue("events", emulator.Queue{DeadLetter: "dead", Receives: 5})
	d.outputs = map[string]string{
		"FunctionName": "the-responder", "LedgerTableName": trial.Table, "QueueUrl": events, "DeadLetterQueueUrl": dead,
		"LogGroupName": "the-log",
	}
	url, stop, err := emulator.Serve(d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	binary, err := trial.BuildHandler(t.Context(), console.Plain(&bytes.Buffer{}))
	if err != nil {
		t.Fatal(err)
	}
	policy, err := filepath.Abs(trial.Demonstration)
	if err != nil {
		t.Fatal(err)
	}
	d.function, err = emulator.Start(t.Context(), binary, append(trial.Environment(url, policy, "enforce"), env...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.function.Close() })
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": url, "AWS_REGION": trial.Region, "USER": "ops", "AWS_ACCESS_KEY_ID": "test",
		"AWS_SECRET_ACCESS_KEY": "test", "LEDGER_TABLE": "", "CLIENTVPN_STACK": "",
	} {
		t.Setenv(name, value)
	}
	return d
}

// send has the function answer a file of events/, as if it happened now.
func (d *deployed) send(t *testing.T, file string) []byte {
	t.Helper()
	event := []byte(read(t, filepath.Join(root, "events", file)))
	answer, err := d.function.Invoke(t.Context(), trial.MoveToNow(event))
	if err != nil || answer.Failure != nil {
		t.Fatalf("%v %+v", err, answer.Failure)
	}
	return answer.Payload
}

// ServeHTTP is what the tool calls of CloudFormation, Lambda, CloudWatch and its logs, and the cloud for all else.
// Source: their API references.
func (d *deployed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target := r.Header.Get("X-Amz-Target")
	switch path := r.URL.Path; {
	case strings.HasPrefix(path, "/2015-03-31/functions/the-responder/invocations"):
		d.invoke(w, r)
	case strings.HasPrefix(path, "/2015-03-31/functions/the-responder/configuration"):
		fmt.Fprint(w, `{"Environment":{"Variables":{"MODE":"enforce","POLICY_SOURCE":"s3://the-bucket/policy.yaml"}}}`)
	case strings.HasPrefix(path, "/2015-03-31/event-source-mappings"):
		d.eventSource(w, r)
	case strings.HasPrefix(target, "Logs_20140328."):
		d.filterLogEvents(w, r)
	case strings.HasPrefix(target, "GraniteServiceVersion20100801."):
		fmt.Fprintf(w, `{"MetricAlarms":[{"AlarmName":"clientvpn-responder-dead-letters","StateValue":%q,`+
			`"AlarmDescription":"An event was not answered."}]}`, d.alarm)
	case target == "" && d.describeStacks(w, r):
	default:
		d.Cloud.ServeHTTP(w, r)
	}
}

func (d *deployed) invoke(w http.ResponseWriter, r *http.Request) {
	answer, err := d.function.Invoke(r.Context(), body(r))
	switch {
	case err != nil:
		panic(err)
	case answer.Failure != nil:
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		fmt.Fprintf(w, `{"errorType":%q,"errorMessage":%q}`, answer.Failure.Type, answer.Failure.Message)
	default:
		_, _ = w.Write(answer.Payload)
	}
}

func body(r *http.Request) []byte {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	return raw
}

// describeStacks reports false for a request to another service.
func (d *deployed) describeStacks(w http.ResponseWriter, r *http.Request) bool {
	form := string(body(r))
	if !strings.Contains(form, "Action=DescribeStacks") {
		return false
	}
	var found strings.Builder
	for _, name := range d.stacks {
		if strings.Contains(form, "StackName=") && !strings.Contains(form, "StackName="+name+"&") {
			continue
		}
		fmt.Fprintf(&found, "<member><StackName>%s</StackName><Outputs>", name)
		for key, value := range d.outputs {
			fmt.Fprintf(&found, "<member><OutputKey>%s</OutputKey><OutputValue>%s</OutputValue></member>", key, value)
		}
		found.WriteString("</Outputs></member>")
	}
	w.Header().Set("Content-Type", "text/xml")
	if found.Len() == 0 && strings.Contains(form, "StackName=") {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `<ErrorResponse><Error><Code>ValidationError</Code><Message>none</Message></Error></ErrorResponse>`)
		return true
	}
	fmt.Fprintf(w, "<DescribeStacksResponse><DescribeStacksResult><Stacks>%s</Stacks></DescribeStacksResult>"+
		"</DescribeStacksResponse>", &found)
	return true
}

// eventSource is Lambda's ListEventSourceMappings and UpdateEventSourceMapping.
func (d *deployed) eventSource(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		fmt.Fprintf(w, `{"EventSourceMappings":[{"UUID":"0a1b","State":%q}]}`,
			map[bool]string{false: "Enabled", true: "Disabled"}[d.stopped])
		return
	}
	var change struct{ Enabled bool }
	if err := json.Unmarshal(body(r), &change); err != nil {
		panic(err)
	}
	d.stopped = !change.Enabled
	fmt.Fprintf(w, `{"UUID":"0a1b","State":%q}`, map[bool]string{false: "Disabling", true: "Enabling"}[change.Enabled])
}

// filterLogEvents returns the function's log in two pages. The first is empty, as happens on a large log. The second
// has the lines that fit the filter.
func (d *deployed) filterLogEvents(w http.ResponseWriter, r *http.Request) {
	var in struct {
		LogGroupName, FilterPattern, NextToken string
		StartTime, EndTime                     int64
	}
	if err := json.Unmarshal(body(r), &in); err != nil || in.LogGroupName != "the-log" {
		panic(fmt.Sprint(in, err))
	}
	if in.NextToken == "" {
		fmt.Fprint(w, `{"events":[],"nextToken":"more"}`)
		return
	}
	type event struct {
		Message   string `json:"message"`
		Timestamp int64  `json:"timestamp"`
	}
	events := []event{}
	for line := range bytes.Lines(d.function.Logs()) {
		now := time.Now().UnixMilli()
		if fits(line, in.FilterPattern) && in.StartTime < now && now <= in.EndTime+1000 {
			events = append(events, event{string(line), now})
		}
	}
	if err := json.NewEncoder(w).Encode(map[string]any{"events": events}); err != nil {
		panic(err)
	}
}

// fits reports whether a line of the log has each of the different texts of the filter.
func fits(line []byte, pattern string) bool {
	for i, text := range strings.Split(pattern, `"`) {
		if i%2 == 1 && !bytes.Contains(line, []byte(`"`+text+`"`)) {
			return false
		}
	}
	return true
}
