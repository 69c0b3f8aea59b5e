package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policysource"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the goldens anew")

const (
	endpoint = "cvpn-endpoint-0123456789abcdef0"
	exempted = "cvpn-endpoint-0123456789abcdef9" // by the policy
	table    = "keepout"

	policyFile = "../../internal/connect/testdata/policy.yaml"
)

// binary is the real handler, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(emulator.WithProgram(&binary, m.Run)) }

var trackSources = sync.OnceValue(func() error {
	return emulator.Track("../../internal", "../../cmd/connect", "../../go.mod")
})

// start runs the binary against the cloud; env overrides the settings.
func start(t *testing.T, cloud http.Handler, env ...string) *emulator.Function {
	t.Helper()
	if err := trackSources(); err != nil {
		t.Fatal(err)
	}
	url, stop, err := emulator.Serve(cloud)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	file, err := filepath.Abs(policyFile)
	if err != nil {
		t.Fatal(err)
	}
	f, err := emulator.Start(t.Context(), binary, append([]string{
		"AWS_ENDPOINT_URL=" + url, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"LEDGER_TABLE=" + table, "POLICY_FILE=" + file,
		"TIME_LIMIT=10s", // for a machine that is busy
	}, env...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// cloudWith returns a cloud with a table, and its keep-out list, on which people are for a day.
func cloudWith(t *testing.T, people ...string) (*emulator.Cloud, *ledger.Table) {
	t.Helper()
	cloud := &emulator.Cloud{}
	cloud.AddTable(table, "id")
	cloud.AddEndpoint(emulator.Endpoint{ID: endpoint})
	client, stop := emulator.HTTPClient(cloud)
	t.Cleanup(stop)
	list := ledger.New(aws.Config{
		Region: "eu-west-1", HTTPClient: client, BaseEndpoint: aws.String("http://stand-in"),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}, table)
	for _, person := range people {
		put(t, list, ledger.Entry{
			Person: person, Cause: ledger.Finding, Reason: "stolen", Until: time.Now().Add(24 * time.Hour),
		})
	}
	return cloud, list
}

func put(t *testing.T, list *ledger.Table, e ledger.Entry) {
	t.Helper()
	if _, err := list.Put(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

func invoke(t *testing.T, f *emulator.Function, request []byte) string {
	t.Helper()
	answer, err := f.Invoke(t.Context(), request)
	if err != nil || answer.Failure != nil {
		t.Fatalf("%v %+v\n%s", err, answer.Failure, f.Logs())
	}
	return string(answer.Payload)
}

// from is a request of version 3.
func from(username, commonName string) []byte {
	raw, _ := json.Marshal(map[string]any{
		"connection-id": "cvpn-connection-1", "endpoint-id": endpoint, "username": username, "common-name": commonName,
		"public-ip": "203.0.113.7", "groups": []string{}, "schema-version": "v3",
	})
	return raw
}

// logged returns the lines of a function's log, without those of its environment.
func logged(t *testing.T, f *emulator.Function) (lines []map[string]any) {
	t.Helper()
	f.Close()
	for line := range bytes.Lines(f.Logs()) {
		var members map[string]any
		if err := json.Unmarshal(line, &members); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		lines = append(lines, members)
	}
	return lines
}

// TestAnswersEveryVersionExactly: each request of testdata, when the person is on the list and when not.
func TestAnswersEveryVersionExactly(t *testing.T) {
	empty, _ := cloudWith(t)
	full, _ := cloudWith(t, "alice")
	in, out := start(t, empty), start(t, full, "DENY_MESSAGE=Zugang gesperrt & gemeldet, Tel. 1234")
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		request, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got := invoke(t, in, request) + "\n" + invoke(t, out, request) + "\n"
		golden := strings.TrimSuffix(file, ".json") + ".golden"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if diff := cmp.Diff(string(want), got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", file, err, diff)
		}
	}
}

// TestDeniesByTheSameIdentity: under every spelling of the person, and nobody else.
func TestDeniesByTheSameIdentity(t *testing.T) {
	cloud, list := cloudWith(t, "alice", "mallory@partner.example", "breakglass")
	put(t, list, ledger.Entry{Person: "ended", Cause: ledger.Finding, Until: time.Now().Add(-time.Second)})
	put(t, list, ledger.Entry{Person: "leaver", Cause: ledger.Deprovisioning})
	f := start(t, cloud)
	for _, test := range []struct {
		username, commonName string
		denied               bool
	}{
		{username: "alice", denied: true},
		{username: "Alice@Example.COM", denied: true},
		{username: `example\ALICE`, denied: true},
		{username: "al", denied: true},
		{username: " AL@example.com ", denied: true},
		{username: "mallory@partner.example", denied: true},
		{username: "leaver", denied: true},
		{commonName: "alice.vpn.example.com", denied: true},
		{commonName: "ALICE", denied: true},
		{username: "N/A", commonName: "al.vpn.example.com", denied: true},
		{username: "mallory"},
		{username: "mallory@example.com"},
		{username: "alice@partner.example"},
		{username: "alic"},
		{username: "alice2"},
		{username: "alice.vpn.example.com"},
		{username: "bob", commonName: "alice.vpn.example.com"}, // the user decides where there is one
		{username: "alice", commonName: "bob.vpn.example.com", denied: true},
		{username: "alice", commonName: "breakglass.vpn.example.com", denied: true}, // a certificate opens nothing
		{username: "a\u00ADlice.", denied: true},
		{username: "ａｌｉｃｅ@example.com", denied: true},
		{username: "ended"},
		{username: "breakglass"},
		{username: "BREAKGLASS@example.com"},
		{},
		{username: "-", commonName: "N/A"},
	} {
		got := invoke(t, f, from(test.username, test.commonName))
		want := `{"allow":true,"error-msg-on-denied-connection":"",`
		if test.denied {
			want = `{"allow":false,"error-msg-on-denied-connection":` +
				`"You may not connect to this VPN at present. Please contact your IT service desk.",`
		}
		if got != want+`"posture-compliance-statuses":[],"schema-version":"v3"}` {
			t.Errorf("%q %q: %s", test.username, test.commonName, got)
		}
	}
	elsewhere := bytes.Replace(from("alice", ""), []byte(endpoint), []byte(exempted), 1)
	if got := invoke(t, f, elsewhere); !strings.Contains(got, `"allow":true`) {
		t.Errorf("on an exempt endpoint: %s", got)
	}
	for _, call := range cloud.Calls() {
		if call.Action == "BatchGetItem" && strings.Contains(call.Params.Get("RequestItems"), "breakglass") {
			t.Errorf("who is exempt is looked for: %v", call.Params)
		}
	}
}

func TestOneReadForADecision(t *testing.T) {
	cloud, _ := cloudWith(t, "alice")
	f := start(t, cloud)
	before := len(cloud.Calls())
	for range 3 {
		invoke(t, f, from("", "al.vpn.example.com"))
	}
	calls := cloud.Calls()[before:]
	if len(calls) != 3 || slices.ContainsFunc(calls, func(c emulator.Call) bool {
		return c.Action != "BatchGetItem" || !strings.Contains(c.Params.Get("RequestItems"), `"ConsistentRead":true`)
	}) {
		t.Errorf("%+v", calls)
	}
}

// TestDecisionsAreLoggedAndCounted: who is denied, why and until when; of who is let in, no name.
func TestDecisionsAreLoggedAndCounted(t *testing.T) {
	cloud, _ := cloudWith(t, "alice")
	f := start(t, cloud, "AWS_LAMBDA_FUNCTION_NAME=stack-a-connect")
	invoke(t, f, from("Alice", "laptop"))
	invoke(t, f, from("bob", ""))
	cloud.Deny("dynamodb:BatchGetItem", table)
	invoke(t, f, from("carol", ""))
	lines := logged(t, f)
	if len(lines) != 3 {
		t.Fatal(lines)
	}
	metrics := regexp.MustCompile(`^\{"CloudWatchMetrics":\[\{"Dimensions":\[\["Decision","Function"\]\],` +
		`"Metrics":\[\{"Name":"ConnectDecisions","Unit":"Count"\},\{"Name":"DecisionTime","Unit":"Milliseconds"\}\],` +
		`"Namespace":"ClientVPNResponder"\}\],"Timestamp":1\d{12}\}$`)
	for i, want := range []map[string]any{
		{
			"level": "WARN", "message": "connect", "Decision": "denied", "Function": "stack-a-connect", "allow": false,
			"username": "Alice", "common_name": "laptop", "public_ip": "203.0.113.7", "people": []any{"alice"},
		},
		{"level": "INFO", "message": "connect", "Decision": "allowed", "allow": true, "username": nil, "people": nil},
		{
			"level": "ERROR", "message": "connect", "Decision": "undecided", "allow": true,
			"username": "carol", "people": []any{"carol"},
		},
	} {
		line := lines[i]
		for name, value := range want {
			if !cmp.Equal(line[name], value) {
				t.Errorf("%d: %s is %v, want %v", i, name, line[name], value)
			}
		}
		raw, _ := json.Marshal(line["_aws"])
		if !metrics.Match(raw) || line["ConnectDecisions"] != 1.0 || line["connection_id"] != "cvpn-connection-1" ||
			line["endpoint_id"] != endpoint || line["timestamp"] == nil {
			t.Errorf("%d: %s %v", i, raw, line)
		}
		if took, ok := line["DecisionTime"].(float64); !ok || took <= 0 {
			t.Errorf("%d: took %v", i, line["DecisionTime"])
		}
	}
	entry, _ := json.Marshal(lines[0]["kept_out"])
	if !strings.Contains(string(entry), `"cause":"finding"`) || !strings.Contains(string(entry), `"reason":"stolen"`) ||
		!strings.Contains(string(entry), `"until":"2`) {
		t.Errorf("kept out by %s", entry)
	}
	if said := fmt.Sprint(lines[2]["error"]); !strings.Contains(said, "missing permission dynamodb:BatchGetItem") {
		t.Error(said)
	}
}

// TestUndecidedIsTheOperatorsChoice: whatever is wrong, there is an answer, and the setting decides.
func TestUndecidedIsTheOperatorsChoice(t *testing.T) {
	spoilt := func(f emulator.Fault) func(*emulator.Cloud) {
		return func(c *emulator.Cloud) {
			f.Action = "BatchGetItem"
			c.Inject(f)
		}
	}
	hasty := []string{"TIME_LIMIT=300ms"}
	for name, test := range map[string]struct {
		spoil   func(*emulator.Cloud)
		env     []string
		request string // instead of alice's
		why     string
	}{
		"no permission": {
			spoil: func(c *emulator.Cloud) { c.Deny("dynamodb:BatchGetItem", table) },
			why:   "AccessDeniedException",
		},
		"no table": {env: []string{"LEDGER_TABLE=another"}, why: "ResourceNotFoundException"},
		"throttled": {
			spoil: func(c *emulator.Cloud) { c.Limits = map[string]emulator.Limit{"BatchGetItem": {}} },
			env:   hasty, why: "reading keepout",
		},
		"broken": {
			spoil: spoilt(emulator.Fault{Code: "InternalServerError", Status: 500}),
			env:   hasty, why: "reading keepout",
		},
		"half answers": {spoil: spoilt(emulator.Fault{Truncate: true}), env: hasty, why: "reading keepout"},
		"no answer":    {spoil: spoilt(emulator.Fault{Drop: true}), env: hasty, why: "reading keepout"},
		"hangs":        {spoil: spoilt(emulator.Fault{Delay: time.Minute}), env: hasty, why: "reading keepout"},
		"not set up":   {env: []string{"LEDGER_TABLE="}, why: "LEDGER_TABLE names no table"},
		"no policy":    {env: []string{"POLICY_FILE=/nowhere"}, why: "the policy could not be read at start"},
		"no request":   {request: "hello", why: "reading the request"},
		"no names":     {request: `{"schema-version":"v5","user":"alice"}`, why: "neither username nor common-name"},
		"odd names":    {request: `{"schema-version":"v3","username":["alice"]}`, why: "reading the request"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloud, _ := cloudWith(t, "alice")
			if test.spoil != nil {
				test.spoil(cloud)
			}
			request := from("alice", "")
			if test.request != "" {
				request = []byte(test.request)
			}
			for setting, want := range map[string]string{
				"":      `{"allow":true,"error-msg-on-denied-connection":"",`,
				"allow": `{"allow":true,"error-msg-on-denied-connection":"",`,
				"deny": `{"allow":false,"error-msg-on-denied-connection":` +
					`"Your access could not be checked. Please try again in some minutes.",`,
			} {
				f := start(t, cloud, append(test.env, "ON_ERROR="+setting)...)
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				answer, err := f.Invoke(ctx, request)
				if err != nil || string(answer.Payload) != want+`"posture-compliance-statuses":[],"schema-version":"v3"}` {
					t.Errorf("%q: %s %+v %v", setting, answer.Payload, answer.Failure, err)
				}
				lines := logged(t, f)
				last := lines[len(lines)-1]
				said := fmt.Sprint(last["error"])
				// The time limit ends it, and not the number of tries.
				if name == "hangs" && strings.Contains(said, "maximum number of attempts") {
					t.Errorf("%q: %s", setting, said)
				}
				if last["Decision"] != "undecided" || last["level"] != "ERROR" || !strings.Contains(said, test.why) {
					t.Errorf("%q: %v, want %s", setting, last, test.why)
				}
			}
		})
	}
}

// TestOffSwitchLetsEverybodyIn: also where the policy or the request cannot be read, and in the read that a decision
// costs in any case.
func TestOffSwitchLetsEverybodyIn(t *testing.T) {
	cloud, list := cloudWith(t, "alice")
	if err := list.SwitchOff(t.Context(), "ops"); err != nil {
		t.Fatal(err)
	}
	f := start(t, cloud, "ON_ERROR=deny")
	before := len(cloud.Calls())
	if got := invoke(t, f, from("alice", "")); !strings.Contains(got, `"allow":true`) {
		t.Error(got)
	}
	if calls := cloud.Calls()[before:]; len(calls) != 1 {
		t.Errorf("%+v", calls)
	}
	line := logged(t, f)[0]
	if line["Decision"] != "switched-off" || line["level"] != "WARN" || line["username"] != "alice" {
		t.Errorf("%v", line)
	}
	f = start(t, cloud, "ON_ERROR=deny", "POLICY_FILE=/nowhere")
	for _, request := range [][]byte{from("alice", ""), []byte("hello")} {
		if got := invoke(t, f, request); !strings.Contains(got, `"allow":true`) {
			t.Errorf("%s: %s", request, got)
		}
	}
	if err := list.SwitchOn(t.Context(), "ops"); err != nil {
		t.Fatal(err)
	}
	if got := invoke(t, start(t, cloud), from("alice", "")); !strings.Contains(got, `"allow":false`) {
		t.Error(got)
	}
}

// TestPolicyFromS3Decides, and the last good one where the newest cannot be read.
func TestPolicyFromS3Decides(t *testing.T) {
	cloud, _ := cloudWith(t, "alice")
	cloud.AddBucket("policies")
	client, stop := emulator.HTTPClient(cloud)
	t.Cleanup(stop)
	store := policysource.Open(aws.Config{
		Region: "eu-west-1", HTTPClient: client, BaseEndpoint: aws.String("http://stand-in"),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}, policysource.Location{Bucket: "policies", Key: "policy.yaml"})
	source := "POLICY_SOURCE=s3://policies/policy.yaml"
	ask := func() string { return invoke(t, start(t, cloud, source), from("alice@here.example", "")) }
	if got := ask(); !strings.Contains(got, `"allow":true`) { // by the file
		t.Error(got)
	}
	document, err := os.ReadFile(policyFile)
	if err != nil {
		t.Fatal(err)
	}
	here := strings.Replace(string(document), "[example.com, EXAMPLE]", "[here.example]", 1)
	for _, text := range []string{here, "nonsense: true\n"} {
		if err := store.PutBeside(t.Context(), "policy.yaml", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got := ask(); !strings.Contains(got, `"allow":false`) {
			t.Error(got)
		}
	}
}

// TestPassingTroubleIsTriedAgain: trouble that DynamoDB gets over in time leaves the decision as it was.
func TestPassingTroubleIsTriedAgain(t *testing.T) {
	for name, fault := range map[string]emulator.Fault{
		"throttled": {Code: "ThrottlingException", Times: 2},
		"broken":    {Code: "InternalServerError", Status: 500, Times: 2},
		"dropped":   {Drop: true, Times: 1},
		"hangs":     {Delay: time.Minute, Times: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloud, _ := cloudWith(t, "alice")
			fault.Action = "BatchGetItem"
			cloud.Inject(fault)
			got := invoke(t, start(t, cloud), from("alice", ""))
			if !strings.Contains(got, `"allow":false,"error-msg-on-denied-connection":"You may not`) {
				t.Error(got)
			}
		})
	}
}

// TestStartsWhateverTheConfiguration: to AWS, a handler that does not start denies everybody. The log names all
// problems at once.
func TestStartsWhateverTheConfiguration(t *testing.T) {
	cloud, _ := cloudWith(t, "alice")
	f := start(t, cloud, "LEDGER_TABLE=a b", "POLICY_FILE=/nowhere", "ON_ERROR=maybe", "TIME_LIMIT=1m",
		"DENY_MESSAGE="+strings.Repeat("ü", 256), "AWS_REGION=")
	if got := invoke(t, f, from("alice", "")); !strings.Contains(got, `"allow":true`) {
		t.Error(got)
	}
	var named []string
	for _, line := range logged(t, f) {
		if line["message"] == "configuration" {
			name, _, _ := strings.Cut(fmt.Sprint(line["error"]), ":")
			named = append(named, name)
		}
	}
	want := []string{"AWS_REGION", "LEDGER_TABLE", "DENY_MESSAGE", "ON_ERROR", "TIME_LIMIT", "POLICY_FILE"}
	if !slices.Equal(named, want) {
		t.Errorf("%q, want %q", named, want)
	}
	longest := strings.Repeat("ü", 255)
	f = start(t, cloud, "DENY_MESSAGE="+longest)
	if got := invoke(t, f, from("alice", "")); !strings.Contains(got, `"error-msg-on-denied-connection":"`+longest+`"`) {
		t.Error(got)
	}
}

// TestCutOffComesBackOnlyWhenItMay: as AWS asks the real binary, when a client comes back.
func TestCutOffComesBackOnlyWhenItMay(t *testing.T) {
	cloud, list := cloudWith(t, "alice")
	f := start(t, cloud)
	cloud.ConnectHandler = func(ctx context.Context, request []byte) ([]byte, error) {
		answer, err := f.Invoke(ctx, request)
		if answer.Failure != nil {
			err = errors.New(answer.Failure.Message)
		}
		return answer.Payload, err
	}
	try := func(username string, want bool) {
		t.Helper()
		if _, established := cloud.Attempt(emulator.Client{EndpointID: endpoint, Username: username}); established != want {
			t.Errorf("%s: %t, %+v", username, established, cloud.Refused())
		}
	}
	try("Alice@example.com", false)
	try("bob", true)
	lift := ledger.Lift{Causes: []ledger.Cause{ledger.Finding}, By: "carol"}
	if _, err := list.Lift(t.Context(), "alice", lift); err != nil {
		t.Fatal(err)
	}
	try("alice", true)
	if refused := cloud.Refused(); len(refused) != 1 || refused[0].Message != defaultMessage {
		t.Errorf("%+v", refused)
	}
}
