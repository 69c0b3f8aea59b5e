package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/notify"
	"clientvpn-responder/internal/schema"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

const (
	endpoint = "cvpn-endpoint-00000000000000001"
	topic    = "arn:aws:sns:eu-west-1:111122223333:outcomes"
	text     = "arn:aws:sns:eu-west-1:111122223333:messages"
	chat     = "arn:aws:sns:eu-west-1:111122223333:chat"
)

// binary is the real handler, built once.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "handler")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "handler")
		if err := emulator.Build(context.Background(), binary, "."); err != nil {
			panic(err)
		}
		return m.Run()
	}())
}

var trackSources = sync.OnceValue(func() error { return emulator.Track("../../internal", "../../cmd", "../../go.mod") })

// start runs the binary against the cloud; env overrides the settings.
func start(t *testing.T, cloud http.Handler, env ...string) *emulator.Function {
	t.Helper()
	f, err := tryToStart(t, cloud, env...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func tryToStart(t *testing.T, cloud http.Handler, env ...string) (*emulator.Function, error) {
	t.Helper()
	if err := trackSources(); err != nil {
		t.Fatal(err)
	}
	url, stop, err := emulator.Serve(cloud)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	policyFile, err := filepath.Abs("../../policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f, err := emulator.Start(t.Context(), binary, append([]string{
		"AWS_ENDPOINT_URL=" + url, "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"TOPIC_ARN=" + topic, "MODE=enforce", "WATCH=0", "POLICY_FILE=" + policyFile,
	}, env...))
	if err == nil {
		t.Cleanup(func() { f.Close() })
	}
	return f, err
}

func cloudWith(clients ...emulator.Client) *emulator.Cloud {
	cloud := &emulator.Cloud{TerminateTime: 50 * time.Millisecond}
	cloud.AddEndpoint(emulator.Endpoint{ID: endpoint})
	for _, k := range clients {
		k.EndpointID = endpoint
		cloud.Connect(k)
	}
	return cloud
}

// leaver is a custom event that ends a person's access.
func leaver(id, username string) []byte {
	return fmt.Appendf(nil, `{"version":"0","id":%q,"detail-type":"Terminate Connections","source":"clientvpn-responder","account":"111122223333",
		"time":"2026-11-20T10:00:00Z","region":"eu-west-1","resources":[],"detail":{"username":%q,"kind":"account-disabled","reason":"left"}}`, id, username)
}

func batch(bodies ...[]byte) []byte {
	var records []map[string]string
	for i, body := range bodies {
		records = append(records, map[string]string{"messageId": fmt.Sprint("m", i), "eventSource": "aws:sqs", "body": string(body)})
	}
	raw, _ := json.Marshal(map[string]any{"Records": records})
	return raw
}

// logs ends the function, so that all that it has written is there, and gives it.
func logs(f *emulator.Function) string {
	f.Close()
	return string(f.Logs())
}

func invoke(t *testing.T, f *emulator.Function, payload []byte) emulator.Answer {
	t.Helper()
	answer, err := f.Invoke(t.Context(), payload)
	if err != nil {
		t.Fatalf("%v\n%s", err, f.Logs())
	}
	return answer
}

type seen struct {
	Status, Summary string
	KeptOutUntil    time.Time `json:"kept_out_until"`
	Connections     []struct {
		PreviousStatus string `json:"previous_status"`
		CurrentStatus  string `json:"current_status"`
		Account        string `json:"account"`
		Region         string `json:"region"`
	}
}

func outcomes(t *testing.T, answer emulator.Answer) []seen {
	t.Helper()
	var got struct{ Outcomes []seen }
	var raw struct{ Outcomes []json.RawMessage }
	if err := errors.Join(json.Unmarshal(answer.Payload, &got), json.Unmarshal(answer.Payload, &raw)); err != nil || answer.Failure != nil {
		t.Fatalf("%v %+v %s", err, answer.Failure, answer.Payload)
	}
	for _, outcome := range raw.Outcomes {
		if err := schema.Check(outcome); err != nil {
			t.Errorf("%v\n%s", err, outcome)
		}
	}
	return got.Outcomes
}

// published gives the statuses of the JSON messages, which must be the bodies' and the subjects' too.
func published(t *testing.T, cloud *emulator.Cloud) []string {
	t.Helper()
	var all []string
	for _, m := range cloud.Published() {
		if m.TopicARN != topic {
			continue
		}
		if err := schema.Check([]byte(m.Body)); err != nil {
			t.Errorf("%v\n%s", err, m.Body)
		}
		var body seen
		if err := json.Unmarshal([]byte(m.Body), &body); err != nil || body.Status != m.Attributes["status"].Value || !strings.HasPrefix(m.Subject, body.Status+": ") {
			t.Errorf("%v: %+v", err, m)
		}
		all = append(all, body.Status)
	}
	slices.Sort(all)
	return all
}

func TestDirectInvocation(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice@example.com"}, emulator.Client{Username: "bob@example.com"})
	f := start(t, cloud)
	got := outcomes(t, invoke(t, f, leaver("e1", "ALICE")))
	if len(got) != 1 || got[0].Status != "terminated" || got[0].Connections[0].PreviousStatus != "active" || got[0].Connections[0].CurrentStatus != "terminated" {
		t.Errorf("%+v", got)
	}
	message := cloud.Published()[0]
	want := map[string]emulator.Attribute{
		"status": {Type: "String", Value: "terminated"}, "provider": {Type: "String", Value: "custom"}, "kind": {Type: "String", Value: "account-disabled"},
		"severity": {Type: "Number", Value: "0"}, "mode": {Type: "String", Value: "enforce"}, "account": {Type: "String", Value: "111122223333"},
	}
	if diff := cmp.Diff(want, message.Attributes); diff != "" || message.TopicARN != topic || message.Structure != "" {
		t.Errorf("%s %+v", diff, message)
	}
	if answer := invoke(t, f, []byte(`{"id":"x","source":"aws.ec2","detail-type":"t","detail":{}}`)); string(answer.Payload) != `{"outcomes":[]}` {
		t.Errorf("an event that asks for nothing gave %s, %+v", answer.Payload, answer.Failure)
	}
	if answer := invoke(t, f, []byte(`{"Records":[{"EventSource":"aws:sns","Sns":{}}]}`)); answer.Failure == nil || answer.Failure.Type != "UnreadableError" || !strings.Contains(answer.Failure.Message, "Records[0].eventSource") {
		t.Errorf("%+v", answer)
	}
	if answer := invoke(t, f, []byte(`{"hello":1}`)); answer.Failure == nil || answer.Failure.Type != "UnreadableError" || !strings.Contains(answer.Failure.Message, "source: missing") {
		t.Errorf("%+v", answer)
	}
}

// TestDryRunIsTheDefault: with MODE absent nothing is ended, and it says so.
func TestDryRunIsTheDefault(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice"})
	got := outcomes(t, invoke(t, start(t, cloud, "MODE="), leaver("e1", "alice")))
	if got[0].Status != "would-terminate" || cloud.Connections()[0].Status != "active" || !slices.Equal(published(t, cloud), []string{"would-terminate"}) {
		t.Errorf("%+v, %+v", got, cloud.Connections())
	}
}

// TestBatchFailsOnlyWhatFailed: poison, foreign, incomplete and good messages in one batch.
func TestBatchFailsOnlyWhatFailed(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice"}, emulator.Client{Username: "bob", FailToTerminate: true}, emulator.Client{Username: "carol"})
	f := start(t, cloud)
	answer := invoke(t, f, batch(leaver("e0", "alice"), []byte("{"), []byte(`{"id":"x","source":"aws.ec2","detail-type":"t","detail":{}}`), leaver("e3", "bob"), leaver("e4", "carol"), []byte(`null`)))
	if got := string(answer.Payload); got != `{"batchItemFailures":[{"itemIdentifier":"m1"},{"itemIdentifier":"m3"},{"itemIdentifier":"m5"}]}` {
		t.Errorf("%s\n%s", got, f.Logs())
	}
	if got := published(t, cloud); !slices.Equal(got, []string{"partial", "terminated", "terminated"}) {
		t.Errorf("published %q", got)
	}
	if answer := invoke(t, f, batch(leaver("e9", "dave"))); string(answer.Payload) != `{"batchItemFailures":[]}` {
		t.Errorf("%s", answer.Payload)
	}
}

func TestIncompleteIsAnError(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice", FailToTerminate: true})
	answer := invoke(t, start(t, cloud), leaver("e1", "alice"))
	if answer.Failure == nil || answer.Failure.Type != "IncompleteError" || !strings.Contains(answer.Failure.Message, "partial: 0 of 1 VPN connection") {
		t.Errorf("%+v", answer)
	}
	if got := published(t, cloud); !slices.Equal(got, []string{"partial"}) {
		t.Errorf("published %q", got)
	}
}

// TestOutcomePublishedAfterTimeout: the time for the work is used up, and the report leaves all the same.
func TestOutcomePublishedAfterTimeout(t *testing.T) {
	for _, test := range []struct {
		name, status string
		client       emulator.Client
		fault        emulator.Fault
	}{
		{"the connection never ends", "unverified", emulator.Client{Username: "alice", Stuck: true}, emulator.Fault{Action: "none"}},
		{"EC2 does not answer", "failed", emulator.Client{Username: "alice"}, emulator.Fault{Action: "DescribeClientVpnConnections", Delay: time.Hour}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cloud := cloudWith(test.client)
			cloud.Inject(test.fault)
			f := start(t, cloud)
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			answer, err := f.Invoke(ctx, leaver("e1", "alice"))
			if err != nil || answer.Failure == nil || answer.Failure.Type != "IncompleteError" {
				t.Errorf("%+v, %v", answer, err)
			}
			if got := published(t, cloud); !slices.Equal(got, []string{test.status}) {
				t.Errorf("published %q", got)
			}
		})
	}
}

// TestHungSNSFailsTheMessages: the answer is there before Lambda ends the function, and names what goes back to the queue.
func TestHungSNSFailsTheMessages(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice"})
	cloud.Inject(emulator.Fault{Action: "Publish", Delay: time.Hour})
	f := start(t, cloud)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	answer, err := f.Invoke(ctx, batch(leaver("e1", "alice")))
	if err != nil || string(answer.Payload) != `{"batchItemFailures":[{"itemIdentifier":"m0"}]}` {
		t.Errorf("%s, %v", answer.Payload, err)
	}
	if log := logs(f); !strings.Contains(log, `"published":false,"unpublished":["outcome"]`) || !strings.Contains(log, `"outcome":{"schema_version":1,"status":"terminated"`) {
		t.Errorf("the outcome is not in the log:\n%s", f.Logs())
	}
}

// TestFailedPublishFailsTheEvent, which is then tried again: the repeat ends nothing twice, and the message comes then.
func TestFailedPublishFailsTheEvent(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice"})
	cloud.Inject(emulator.Fault{Action: "Publish", Times: 1, Code: "AuthorizationError", Status: 403})
	f := start(t, cloud)
	answer := invoke(t, f, leaver("e1", "alice"))
	if answer.Failure == nil || answer.Failure.Type != "IncompleteError" || !strings.Contains(answer.Failure.Message, "publishing the outcome for alice") {
		t.Errorf("%+v", answer)
	}
	got := outcomes(t, invoke(t, f, leaver("e1", "alice")))
	if got[0].Status != "not-connected" || !slices.Equal(published(t, cloud), []string{"terminated"}) {
		t.Errorf("%+v, published %q", got, published(t, cloud))
	}
	if log := logs(f); !strings.Contains(log, `"published":false,"unpublished":["outcome"]`) || !strings.Contains(log, `"outcome":{"schema_version":1,"status":"terminated"`) {
		t.Errorf("the outcome is not in the log:\n%s", f.Logs())
	}
}

// TestRepeatIsQuiet: the same event again ends nothing, says so, and sends no second message.
func TestRepeatIsQuiet(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice"})
	f := start(t, cloud)
	invoke(t, f, leaver("e1", "alice"))
	got := outcomes(t, invoke(t, f, leaver("e1", "alice")))
	if got[0].Status != "not-connected" || !strings.Contains(got[0].Summary, "This event was reported before.") {
		t.Errorf("%+v", got)
	}
	terminations := 0
	for _, c := range cloud.Calls() {
		if c.Action == "TerminateClientVpnConnections" {
			terminations++
		}
	}
	if p := published(t, cloud); !slices.Equal(p, []string{"terminated"}) || terminations != 1 {
		t.Errorf("published %q, %d terminations", p, terminations)
	}
	// Another event about the same person is news.
	invoke(t, f, leaver("e2", "alice"))
	if p := published(t, cloud); !slices.Equal(p, []string{"not-connected", "terminated"}) {
		t.Errorf("published %q", p)
	}
}

// TestIncompleteIsNoRepeat: what was not done the first time is told the second time, whatever it is.
func TestIncompleteIsNoRepeat(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice", FailToTerminate: true})
	f := start(t, cloud)
	invoke(t, f, leaver("e1", "alice"))
	cloud.Disconnect(cloud.Connections()[0].ID)
	invoke(t, f, leaver("e1", "alice"))
	if got := published(t, cloud); !slices.Equal(got, []string{"not-connected", "partial"}) {
		t.Errorf("published %q", got)
	}
}

// TestIgnoredIsNotPublished, and answered all the same.
func TestIgnoredIsNotPublished(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice"})
	event := strings.Replace(string(leaver("e1", "alice")), "account-disabled", "account-enabled", 1)
	got := outcomes(t, invoke(t, start(t, cloud), []byte(event)))
	if len(got) != 1 || got[0].Status != "ignored" || len(cloud.Published()) != 0 {
		t.Errorf("%+v, published %q", got, published(t, cloud))
	}
}

// TestIdentityStoreIsAsked: Identity Center's events have a user id and nothing else, and hide what SCIM changed.
func TestIdentityStoreIsAsked(t *testing.T) {
	const (
		store = "d-9067123456"
		dave  = "9067123456-0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c01"
	)
	read := func(file string) []byte {
		raw, err := os.ReadFile(filepath.Join("../../events", file))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	disable, patch := read("identity-center/disable-user.json"), read("identity-center/scim-deactivate.json")
	for name, test := range map[string]struct {
		event    []byte
		env      string
		disabled bool
		denied   bool
		want     []string // statuses
		failed   bool
	}{
		"disabled by name":       {event: disable, env: store, want: []string{"terminated"}},
		"nobody is asked":        {event: disable, want: []string{"unmapped"}},
		"may not ask":            {event: disable, env: store, denied: true, want: []string{"unmapped"}},
		"patch, disabled":        {event: patch, env: store, disabled: true, want: []string{"terminated"}},
		"patch, enabled":         {event: patch, env: store},
		"patch, nobody is asked": {event: patch, want: []string{"notified"}},
		"patch, may not ask":     {event: patch, env: store, denied: true, failed: true},
	} {
		cloud := cloudWith(emulator.Client{Username: "dave@example.com"})
		cloud.AddUser(emulator.User{ID: dave, UserName: "dave", Email: "dave@example.com", Disabled: test.disabled})
		if test.denied {
			cloud.Deny("identitystore:DescribeUser", "")
		}
		f := start(t, cloud, "IDENTITY_STORE_ID="+test.env)
		answer := invoke(t, f, batch(test.event, leaver("e1", "nobody"))) // beside it, another is answered
		var failures struct {
			BatchItemFailures []struct{ ItemIdentifier string }
		}
		if err := json.Unmarshal(answer.Payload, &failures); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, status := range published(t, cloud) {
			if status != "not-connected" {
				got = append(got, status)
			}
		}
		if !slices.Equal(got, test.want) || (len(failures.BatchItemFailures) == 1) != test.failed {
			t.Errorf("%s: published %q, %s\n%s", name, got, answer.Payload, f.Logs())
		}
		if len(test.want) == 0 && !strings.Contains(logs(f), "PatchUser") {
			t.Errorf("%s: the log says nothing of it:\n%s", name, f.Logs())
		}
		if test.denied && !strings.Contains(logs(f), "AccessDeniedException") {
			t.Errorf("%s: the log does not say what is missing:\n%s", name, f.Logs())
		}
	}
}

// TestTargetsAreGuardedToo: other accounts and Regions, side by side. One that cannot be reached is named, and does not keep
// the others from being acted on.
func TestTargetsAreGuardedToo(t *testing.T) {
	const (
		other, closed = "arn:aws:iam::444455556666:role/clientvpn-responder", "arn:aws:iam::222233334444:role/clientvpn-responder"
		elsewhere     = "cvpn-endpoint-00000000000000009"
		external      = "a-secret-of-two"
	)
	company := func() (*emulator.Accounts, []*emulator.Cloud) {
		home := cloudWith(emulator.Client{Username: "alice"})
		var others []*emulator.Cloud
		for i, place := range [][2]string{{"", "eu-west-2"}, {"444455556666", ""}, {"444455556666", "us-east-1"}} {
			c := &emulator.Cloud{Account: place[0], Region: place[1], TerminateTime: 50 * time.Millisecond}
			id := fmt.Sprint(elsewhere, i)
			c.AddEndpoint(emulator.Endpoint{ID: id})
			c.Connect(emulator.Client{EndpointID: id, Username: "alice", ID: fmt.Sprint("cvpn-connection-0", i)})
			c.Connect(emulator.Client{EndpointID: id, Username: "malice"})
			others = append(others, c)
		}
		return &emulator.Accounts{Home: home, Others: others, Roles: map[string]string{other: external}}, append(others, home)
	}
	up := func(clouds []*emulator.Cloud) (names []string) {
		for _, cloud := range clouds {
			for _, c := range cloud.Connections() {
				if c.EndedAt.IsZero() {
					names = append(names, c.Username)
				}
			}
		}
		return names
	}

	accounts, clouds := company()
	f := start(t, accounts, "TARGETS=eu-west-2, "+other+"@eu-west-1,"+other+"@us-east-1,eu-west-1", "EXTERNAL_ID="+external)
	got := outcomes(t, invoke(t, f, leaver("e1", "alice")))
	if got[0].Status != "terminated" || len(got[0].Connections) != 4 || !slices.Equal(up(clouds), []string{"malice", "malice", "malice"}) {
		t.Errorf("%+v, up %q\n%s", got, up(clouds), f.Logs())
	}
	places := map[string]bool{}
	for _, c := range got[0].Connections {
		places[c.Account+" "+c.Region] = true
	}
	for _, place := range []string{"111122223333 eu-west-1", "111122223333 eu-west-2", "444455556666 eu-west-1", "444455556666 us-east-1"} {
		if !places[place] {
			t.Errorf("nothing from %s: %v", place, places)
		}
	}
	// The credentials of a role are kept, for each Region of its own.
	invoke(t, f, leaver("e2", "bob"))
	if n := len(accounts.Assumed()); n != 2 {
		t.Errorf("%d roles assumed: %q", n, accounts.Assumed())
	}

	accounts, clouds = company()
	f = start(t, accounts, "TARGETS="+closed+"@eu-west-1,eu-west-2,"+other+"@us-east-1", "EXTERNAL_ID="+external)
	answer := invoke(t, f, leaver("e1", "alice"))
	if answer.Failure == nil || !strings.Contains(answer.Failure.Message, "partial") || len(up(clouds)) != 4 { // alice is up in eu-west-1 of the other account, which is no target
		t.Errorf("%+v, up %q", answer, up(clouds))
	}
	message := accounts.Home.Published()[0].Body
	for _, word := range []string{"account 222233334444, eu-west-1", "assuming " + closed, "sts:AssumeRole"} {
		if !strings.Contains(message, word) {
			t.Errorf("no word about %s in %s", word, message)
		}
	}

	// The endpoints to guard may be anywhere.
	accounts, clouds = company()
	f = start(t, accounts, "TARGETS="+other+"@us-east-1", "EXTERNAL_ID="+external, "ENDPOINT_IDS="+elsewhere+"2")
	if got := outcomes(t, invoke(t, f, leaver("e1", "alice"))); len(got[0].Connections) != 1 || got[0].Connections[0].Region != "us-east-1" || len(up(clouds)) != 6 {
		t.Errorf("%+v, up %q", got, up(clouds))
	}
	accounts, clouds = company()
	f = start(t, accounts, "TARGETS=eu-west-2", "ENDPOINT_IDS="+endpoint+","+elsewhere+"2")
	if answer := invoke(t, f, leaver("e1", "alice")); answer.Failure == nil || !strings.Contains(answer.Failure.Message, elsewhere+"2 is in none of the accounts and Regions") || len(up(clouds)) != 6 {
		t.Errorf("%+v, up %q", answer, up(clouds))
	}
}

// TestSelfTestLooksForEveryTopic: with everything there it is ready, and told to machines; without the topic for e-mail it says
// so to all that are left.
func TestSelfTestLooksForEveryTopic(t *testing.T) {
	event, err := os.ReadFile("../../events/custom/self-test.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, missing := range []string{"", text} {
		cloud := cloudWith(emulator.Client{Username: "alice"})
		cloud.NoTopics = []string{missing}
		if missing != "" {
			cloud.Inject(emulator.Fault{Action: "Publish", EndpointID: missing, Code: "NotFound", Status: 404})
		}
		f := start(t, cloud, "MESSAGE_TOPIC_ARN="+text, "CHAT_TOPIC_ARN="+chat)
		answer := invoke(t, f, event)
		want := []string{"ready"}
		if missing != "" {
			want = []string{"not-ready"}
		}
		if got := published(t, cloud); !slices.Equal(got, want) || (answer.Failure != nil) != (missing != "") {
			t.Errorf("without %q: published %q, %+v\n%s", missing, got, answer, f.Logs())
		}
		for _, m := range cloud.Published() {
			if missing != "" && !strings.Contains(m.Body, "looking for the topic "+text) {
				t.Errorf("%s: %s", m.TopicARN, m.Body)
			}
		}
	}
}

// TestUnreadablePolicyStopsTheActionNotTheMessage.
func TestUnreadablePolicyStopsTheActionNotTheMessage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte("version: 1\nexcempt: [alice]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, policyFile := range []string{file, file + ".absent"} {
		cloud := cloudWith(emulator.Client{Username: "alice"})
		f := start(t, cloud, "POLICY_FILE="+policyFile)
		answer := invoke(t, f, leaver("e1", "alice"))
		if answer.Failure == nil || answer.Failure.Type != "IncompleteError" {
			t.Errorf("%+v", answer)
		}
		if !slices.Equal(published(t, cloud), []string{"failed"}) || cloud.Connections()[0].Status != "active" || !strings.Contains(cloud.Published()[0].Body, policyFile) {
			t.Errorf("%+v %+v", cloud.Published(), cloud.Connections())
		}
		if !strings.Contains(logs(f), "POLICY_FILE: ") {
			t.Errorf("the log does not name POLICY_FILE:\n%s", f.Logs())
		}
	}
}

func TestSettingsReportAllProblemsAtOnce(t *testing.T) {
	_, err := tryToStart(t, cloudWith(), "AWS_REGION=", "TOPIC_ARN=outcomes", "MODE=on", "ENDPOINT_IDS=cvpn-endpoint-1,vpn", "WATCH=-1s", "TARGETS=Ireland", "EXTERNAL_ID=x",
		"MESSAGE_TOPIC_ARN=text", "CHAT_TOPIC_ARN=chat", "KEEPOUT_TABLE=t", "POLICY_FILE=/nowhere")
	if err == nil {
		t.Fatal("it starts")
	}
	for _, name := range []string{"TOPIC_ARN: ", "MODE: ", "ENDPOINT_IDS: ", "WATCH: ", "TARGETS: ", "EXTERNAL_ID: ", "MESSAGE_TOPIC_ARN: ", "CHAT_TOPIC_ARN: ", "KEEPOUT_TABLE: ", "POLICY_FILE: "} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("no word about %s:\n%v", name, err)
		}
	}
}

func TestSettings(t *testing.T) {
	base := map[string]string{"AWS_REGION": "eu-west-1", "TOPIC_ARN": topic}
	read := func(extra map[string]string) (settings, error) {
		return readSettings(func(name string) string {
			if value, ok := extra[name]; ok {
				return value
			}
			return base[name]
		}, "/opt/handler/bootstrap")
	}
	s, err := read(nil)
	if err != nil || s.mode != "dry-run" || s.watch != 15*time.Second || s.endpointIDs != nil || s.policyFile != "/opt/handler/policy.yaml" || s.topics != (notify.Topics{JSON: mustParse(t, topic)}) {
		t.Errorf("%+v, %v", s, err)
	}
	s, err = read(map[string]string{"MESSAGE_TOPIC_ARN": text, "CHAT_TOPIC_ARN": chat})
	if want := (notify.Topics{JSON: mustParse(t, topic), Text: mustParse(t, text), Chat: mustParse(t, chat)}); err != nil || s.topics != want {
		t.Errorf("%+v, %v", s, err)
	}
	s, err = read(map[string]string{
		"MODE": "enforce", "WATCH": "0", "LAMBDA_TASK_ROOT": "/var/task", "ENDPOINT_IDS": "cvpn-endpoint-0a, cvpn-endpoint-0b,cvpn-endpoint-0a",
	})
	if err != nil || s.mode != "enforce" || s.watch != 0 || s.policyFile != "/var/task/policy.yaml" || !slices.Equal(s.endpointIDs, []string{"cvpn-endpoint-0a", "cvpn-endpoint-0b"}) {
		t.Errorf("%+v, %v", s, err)
	}
	for name, values := range map[string][]string{
		"TOPIC_ARN": {"", "x", "arn:aws:sqs:eu-west-1:111122223333:q", topic + ".fifo", topic + ":b4c1c0f0", "arn:aws:sns::111122223333:t", "arn:aws:sns:eu-west-1:111122223333:"},
		"MODE":      {"Enforce", "true", "dry_run"},

		"MESSAGE_TOPIC_ARN": {"x", "arn:aws:sqs:eu-west-1:111122223333:q", text + ".fifo", topic},
		"CHAT_TOPIC_ARN":    {"x", "arn:aws:sqs:eu-west-1:111122223333:q", chat + ".fifo", topic},
		"WATCH":             {"15", "soon", "-1s"},
		"ENDPOINT_IDS":      {",", "cvpn-endpoint-0a,", "cvpn-connection-0a", "*"},
		"AWS_REGION":        {""},
		"TARGETS": {"Ireland", "eu-west-2,", "@eu-west-1", "role@eu-west-1", "arn:aws:iam::444455556666:role/x", "arn:aws:iam::444455556666:role/x@",
			"arn:aws:iam::444455556666:user/x@eu-west-1", "arn:aws:sts::444455556666:role/x@eu-west-1"},
		"EXTERNAL_ID": {"x", "a b", strings.Repeat("x", 1225)},

		"IDENTITY_STORE_ID": {"d-1", "1234567890", "d-1234567890,d-1234567891"},
	} {
		for _, value := range values {
			if _, err := read(map[string]string{name: value}); err == nil || !strings.HasPrefix(err.Error(), name+": ") {
				t.Errorf("%s=%q: %v", name, value, err)
			}
		}
	}
}

func mustParse(t *testing.T, s string) arn.ARN {
	t.Helper()
	parsed, err := arn.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// TestLogsAreJSONWithTheRequest: one line for each outcome.
func TestLogsAreJSONWithTheRequest(t *testing.T) {
	f := start(t, cloudWith(emulator.Client{Username: "alice"}))
	invoke(t, f, batch(leaver("e1", "alice"), leaver("e2", "bob")))
	lines := 0
	for line := range strings.Lines(logs(f)) {
		var entry struct {
			Timestamp time.Time
			Level     string
			Message   string
			RequestID string `json:"requestId"`
			Outcome   struct{ Status string }
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("%v: %s", err, line)
		}
		if entry.Message == "outcome" {
			lines++
			if entry.RequestID == "" || entry.Level == "" || entry.Timestamp.IsZero() || entry.Outcome.Status == "" {
				t.Errorf("%s", line)
			}
		}
	}
	if lines != 2 {
		t.Errorf("%d lines for 2 outcomes:\n%s", lines, f.Logs())
	}
}

func TestSettingsReachTheirPlaces(t *testing.T) {
	file, err := filepath.Abs("../../policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_REGION": "eu-west-1", "TOPIC_ARN": topic, "MODE": "enforce", "WATCH": "7s", "ENDPOINT_IDS": endpoint, "POLICY_FILE": file,
	} {
		t.Setenv(name, value)
	}
	h, problems := wire(slog.New(slog.DiscardHandler))
	if h == nil || problems != nil {
		t.Fatal(problems)
	}
	r := h.responder
	if r.Mode != "enforce" || r.Watch != 7*time.Second || !slices.Equal(r.VPN.EndpointIDs, []string{endpoint}) || r.Policy == nil || r.PolicyError != nil {
		t.Errorf("%+v, %+v", r, r.VPN)
	}
	t.Setenv("POLICY_FILE", file+".absent")
	if h, problems := wire(slog.New(slog.DiscardHandler)); h == nil || h.responder.PolicyError == nil || len(problems) != 1 {
		t.Errorf("%+v, %q", h, problems)
	}
}

func TestRetries(t *testing.T) {
	r := retryer()
	if r.MaxAttempts() != 10 {
		t.Errorf("%d attempts", r.MaxAttempts())
	}
	for _, code := range []string{"RequestLimitExceeded", "KMSThrottling"} {
		if !r.IsErrorRetryable(&smithy.GenericAPIError{Code: code}) {
			t.Errorf("%s is not tried again", code)
		}
	}
	if !r.IsErrorRetryable(fmt.Errorf("half an answer: %w", &smithy.DeserializationError{Err: io.ErrUnexpectedEOF})) || r.IsErrorRetryable(&smithy.GenericAPIError{Code: "UnauthorizedOperation"}) {
		t.Error("half an answer is not tried again, or a refusal is")
	}
}

// TestAllThatIsIncompleteIsNamed, and an event about two people gives each an outcome and a message.
func TestAllThatIsIncompleteIsNamed(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice", FailToTerminate: true}, emulator.Client{Username: "bob", FailToTerminate: true})
	event := strings.Replace(string(leaver("e1", "alice")), `"username":"alice"`, `"usernames":["alice","bob","carol"]`, 1)
	answer := invoke(t, start(t, cloud), []byte(event))
	if answer.Failure == nil || !strings.Contains(answer.Failure.Message, "of alice") || !strings.Contains(answer.Failure.Message, "of bob") {
		t.Errorf("%+v", answer)
	}
	if got := published(t, cloud); !slices.Equal(got, []string{"not-connected", "partial", "partial"}) {
		t.Errorf("published %q", got)
	}
	if !strings.Contains(cloud.Published()[0].Body, `"account":"111122223333"`) {
		t.Error("no account")
	}
}
