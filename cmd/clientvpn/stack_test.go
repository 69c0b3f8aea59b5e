package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/trial"
)

// deployed is a stack on loopback: the small company, and the real function behind Lambda's own API.
type deployed struct {
	cloud    *emulator.Cloud
	function *emulator.Function
	stopped  bool
}

// withStack starts a stack that the tool finds, under an operator's policy.
func withStack(t *testing.T, env ...string) *deployed {
	t.Helper()
	t.Chdir(root)
	d := &deployed{cloud: trial.NewCompany()}
	url, stop, err := emulator.Serve(d.cloud)
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
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_ENDPOINT_URL_DYNAMODB": url, "AWS_REGION": trial.Region, "USER": "ops",
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "LEDGER_TABLE": "", "CLIENTVPN_STACK": "",
	} {
		t.Setenv(name, value)
	}
	return d
}

// ServeHTTP is CloudFormation's DescribeStacks and Lambda's Invoke.
// Source: API references of AWS CloudFormation and AWS Lambda.
func (d *deployed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	if r.URL.Path == "/2015-03-31/functions/the-responder/invocations" {
		answer, err := d.function.Invoke(r.Context(), body)
		switch {
		case err != nil:
			panic(err)
		case answer.Failure != nil:
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
			fmt.Fprintf(w, `{"errorType":%q,"errorMessage":%q}`, answer.Failure.Type, answer.Failure.Message)
		default:
			_, _ = w.Write(answer.Payload)
		}
		return
	}
	if source, is := strings.CutPrefix(r.URL.Path, "/2015-03-31/event-source-mappings"); is {
		d.eventSource(w, r.Method+" "+source, body)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	if !bytes.Contains(body, []byte("StackName=clientvpn-responder")) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `<ErrorResponse><Error><Code>ValidationError</Code><Message>none</Message></Error></ErrorResponse>`)
		return
	}
	output := func(key, value string) string {
		return "<member><OutputKey>" + key + "</OutputKey><OutputValue>" + value + "</OutputValue></member>"
	}
	fmt.Fprint(w, `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>x</StackName><Outputs>`+
		output("FunctionName", "the-responder")+output("LedgerTableName", trial.Table)+
		`</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`)
}

// eventSource is Lambda's ListEventSourceMappings and UpdateEventSourceMapping.
func (d *deployed) eventSource(w http.ResponseWriter, call string, body []byte) {
	switch call {
	case "GET ", "GET /":
		fmt.Fprint(w, `{"EventSourceMappings":[{"UUID":"0a1b"}]}`)
	case "PUT /0a1b":
		var change struct{ Enabled bool }
		if err := json.Unmarshal(body, &change); err != nil {
			panic(err)
		}
		d.stopped = !change.Enabled
		fmt.Fprintf(w, `{"UUID":"0a1b","State":%q}`, map[bool]string{false: "Disabling", true: "Enabling"}[change.Enabled])
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// TestStopAndStart set the off switch and the event source, and say what is next.
func TestStopAndStart(t *testing.T) {
	d := withStack(t)
	code, out, beside := clientvpn(t, "stop")
	if code != exitDone || !d.stopped || !strings.HasPrefix(out, "Everything is switched off: ") ||
		!strings.Contains(strings.Join(strings.Fields(out), " "), "four days (Disabling).") {
		t.Errorf("%d %s%s", code, out, beside)
	}
	code, out, _ = clientvpn(t, "cut", "alice@example.com", "--kind", "account-disabled", "--reason", "a try")
	if code != exitDiffers || !strings.HasPrefix(out, "WOULD-TERMINATE  ") {
		t.Errorf("%d %s", code, out)
	}
	code, out, beside = clientvpn(t, "start", "--json")
	if code != exitDone || d.stopped || out != `{"enabled":true,"state":"Enabling"}`+"\n" {
		t.Errorf("%d %s%s", code, out, beside)
	}
	if _, out, _ = clientvpn(t, "cut", "alice@example.com", "--reason", "a try"); !strings.HasPrefix(out, "TERMINATED  ") {
		t.Error(out)
	}
}

// TestCutAndLiftThroughTheFunction: with the same gates and the same record as every event.
func TestCutAndLiftThroughTheFunction(t *testing.T) {
	d := withStack(t)
	cut := []string{"cut", "alice@example.com", "--kind", "account-disabled", "--reason", "laptop stolen"}
	code, out, beside := clientvpn(t, cut...)
	if code != exitDone || !strings.HasPrefix(out, "TERMINATED  5 VPN connections of alice@example.com ended.") {
		t.Fatalf("%d %s%s", code, out, beside)
	}
	for _, c := range d.cloud.Connections() {
		if strings.EqualFold(c.Username, "alice@example.com") && c.EndedAt.IsZero() {
			t.Errorf("%s is up", c.ID)
		}
	}
	_, out, _ = clientvpn(t, "keep-out", "list")
	if !strings.HasPrefix(out, "alice  ") || !strings.Contains(out, "laptop stolen") {
		t.Error(out)
	}
	code, out, beside = clientvpn(t, "lift", "alice@example.com", "--reason", "laptop found")
	if code != exitDone || !strings.HasPrefix(out, "NOTIFIED  alice@example.com may connect again") {
		t.Errorf("%d %s%s", code, out, beside)
	}
	_, out, _ = clientvpn(t, "keep-out", "list")
	if out != "Nobody is on the list.\n" {
		t.Error(out)
	}
}

// TestCutHoldsWhatThePolicyHolds: an exempt person is not cut off, and the exit code says so.
func TestCutHoldsWhatThePolicyHolds(t *testing.T) {
	withStack(t)
	code, out, beside := clientvpn(t, "cut", "breakglass@example.com", "--kind", "account-disabled", "--reason", "a try")
	if code != exitDiffers || !strings.HasPrefix(out, "EXEMPT  ") || !strings.Contains(beside, "not what was asked for") {
		t.Errorf("%d %s%s", code, out, beside)
	}
	code, out, beside = clientvpn(t, "cut", "frank@example.com", "--json", "--reason", "a try")
	var answer struct{ Outcomes []outcome }
	err := json.Unmarshal([]byte(out), &answer)
	if err != nil || code != exitDone || answer.Outcomes[0].Status != "not-connected" {
		t.Errorf("%d %v %s%s", code, err, out, beside)
	}
}

func TestReady(t *testing.T) {
	withStack(t, "LEDGER_TABLE=") // the company's endpoints have no client connect handler here
	code, out, beside := clientvpn(t, "ready")
	if code != exitDone || !strings.HasPrefix(out, "READY  ") {
		t.Errorf("%d %s%s", code, out, beside)
	}
}

// TestHeldAndReleased: what the brake holds is shown with the next command, and goes on once a person releases it.
func TestHeldAndReleased(t *testing.T) {
	policy := filepath.Join(t.TempDir(), "policy.yaml")
	raw, err := os.ReadFile(filepath.Join(root, trial.Demonstration))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(policy, append(raw, "\nbrake: {people: 1, within: 1h}\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	d := withStack(t, "POLICY_FILE="+policy)
	if _, out, beside := clientvpn(t, "held"); out != "The brake holds nobody.\n" {
		t.Error(out, beside)
	}
	for _, file := range []string{"okta/user-deactivate.json", "okta/user-suspend.json"} {
		event, err := os.ReadFile("events/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.function.Invoke(t.Context(), trial.MoveToNow(event)); err != nil {
			t.Fatal(err)
		}
	}
	code, out, beside := clientvpn(t, "held")
	if code != exitDone || !strings.HasPrefix(out, "okta  ") || !strings.Contains(out, "clientvpn release okta") {
		t.Fatalf("%d %s%s", code, out, beside)
	}
	code, out, beside = clientvpn(t, "release", "okta", "--reason", "they did leave")
	if code != exitDone {
		t.Errorf("%d %s%s", code, out, beside)
	}
	if _, out, _ := clientvpn(t, "held"); out != "The brake holds nobody.\n" {
		t.Error(out)
	}
}

// TestTheWrongStackIsOneSentence with the remedy.
func TestTheWrongStackIsOneSentence(t *testing.T) {
	withStack(t)
	code, _, beside := clientvpn(t, "ready", "--stack", "another")
	want := "clientvpn: there is no stack another in eu-west-1; name it with --stack, and its Region with AWS_REGION\n"
	if code != exitAWS || beside != want {
		t.Errorf("%d %s", code, beside)
	}
	code, _, beside = clientvpn(t, "cut", "alice")
	if code != exitUsage || !strings.Contains(beside, "say why with --reason") {
		t.Errorf("%d %s", code, beside)
	}
}
