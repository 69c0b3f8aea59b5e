package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/schema"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

const (
	endpoint = "cvpn-endpoint-00000000000000001"
	topic    = "arn:aws:sns:eu-west-1:111122223333:outcomes"
	text     = "arn:aws:sns:eu-west-1:111122223333:messages"
	chat     = "arn:aws:sns:eu-west-1:111122223333:chat"
)

// binary is the real handler, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(emulator.WithProgram(&binary, m.Run)) }

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
	policyFile, err := filepath.Abs("../../internal/trial/policy.yaml")
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
	return fmt.Appendf(nil, `{"version":"0","id":%q,"detail-type":"Terminate Connections",`+
		`"source":"clientvpn-responder","account":"111122223333","time":"2026-11-20T10:00:00Z","region":"eu-west-1",`+
		`"resources":[],"detail":{"username":%q,"kind":"account-disabled","reason":"left"}}`, id, username)
}

func batch(bodies ...[]byte) []byte {
	var records []map[string]string
	for i, body := range bodies {
		records = append(records, map[string]string{"messageId": fmt.Sprint("m", i), "eventSource": "aws:sqs",
			"body": string(body)})
	}
	raw, _ := json.Marshal(map[string]any{"Records": records})
	return raw
}

// logs stops the function, so that its whole log is there, and returns the log.
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
	PolicyHash      string `json:"policy_hash"`
	PolicyProblem   string `json:"policy_problem"`
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
	if err := errors.Join(json.Unmarshal(answer.Payload, &got), json.Unmarshal(answer.Payload, &raw)); err != nil ||
		answer.Failure != nil {
		t.Fatalf("%v %+v %s", err, answer.Failure, answer.Payload)
	}
	for _, outcome := range raw.Outcomes {
		if err := schema.Check(outcome); err != nil {
			t.Errorf("%v\n%s", err, outcome)
		}
	}
	return got.Outcomes
}

// published returns the statuses of the JSON messages, which must be the bodies' and the subjects' too.
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
		if err := json.Unmarshal([]byte(m.Body), &body); err != nil || body.Status != m.Attributes["status"].Value ||
			!strings.HasPrefix(m.Subject, body.Status+": ") {
			t.Errorf("%v: %+v", err, m)
		}
		all = append(all, body.Status)
	}
	slices.Sort(all)
	return all
}

func mustParse(t *testing.T, s string) arn.ARN {
	t.Helper()
	parsed, err := arn.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}
