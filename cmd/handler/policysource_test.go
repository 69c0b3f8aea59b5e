package main

import (
	"os"
	"strings"
	"testing"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/policysource"

	"github.com/google/go-cmp/cmp"
)

// TestLastGoodPolicyDecides: the policy is S3's. A bad one replaces it neither in this process nor in a new one, and
// every outcome and the self-test say so.
func TestLastGoodPolicyDecides(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice@example.com"}, emulator.Client{Username: "bob@example.com"})
	cloud.AddBucket("policies")
	url, stop, err := emulator.Serve(cloud)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	store := policysource.Open(tableConfig(url), policysource.Location{Bucket: "policies", Key: "policy.yaml"})
	good, err := os.ReadFile("../../internal/trial/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Put(t.Context(), policysource.Document{}, good); err != nil {
		t.Fatal(err)
	}
	from := []string{"POLICY_SOURCE=s3://policies/policy.yaml", "POLICY_FILE=/nowhere"}
	got := outcomes(t, invoke(t, start(t, cloud, from...), leaver("e1", "alice")))[0]
	if got.Status != "terminated" || got.PolicyProblem != "" || !strings.HasPrefix(got.PolicyHash, "sha256:") {
		t.Errorf("%+v", got)
	}
	hash := got.PolicyHash

	if err := store.PutBeside(t.Context(), "policy.yaml", []byte("version: 1\nexcempt: []\n")); err != nil {
		t.Fatal(err)
	}
	f := start(t, cloud, from...)
	got = outcomes(t, invoke(t, f, leaver("e2", "bob")))[0]
	if got.Status != "terminated" || got.PolicyHash != hash || !strings.Contains(got.PolicyProblem, "policy.yaml:2:1") {
		t.Errorf("%+v, before %s", got, hash)
	}
	selfTest := []byte(`{"id":"s1","source":"clientvpn-responder","detail-type":"Self Test","detail":{}}`)
	got = outcomes(t, invoke(t, f, selfTest))[0]
	if got.Status != "not-ready" || !strings.Contains(got.Summary, "the newest policy cannot be used") {
		t.Errorf("%+v", got)
	}
	if log := logs(f); !strings.Contains(log, `"message":"the newest policy is not in force"`) ||
		!strings.Contains(log, `"the newest policy cannot be used: `) {
		t.Error(log)
	}
}

// TestWithoutAnyPolicyNobodyIsCutOff: S3 does not answer a process that starts. The event is tried again.
func TestWithoutAnyPolicyNobodyIsCutOff(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice@example.com"})
	cloud.AddBucket("policies")
	cloud.Deny("s3:GetObject", "policies")
	cloud.Deny("s3:ListObjectVersions", "policies")
	f := start(t, cloud, "POLICY_SOURCE=s3://policies/policy.yaml")
	answer := invoke(t, f, leaver("e1", "alice"))
	if answer.Failure == nil || !strings.Contains(answer.Failure.Message, "policy cannot be read") {
		t.Errorf("%+v", answer)
	}
	if diff := cmp.Diff([]string{"failed"}, published(t, cloud)); diff != "" || cloud.Connections()[0].Status != "active" {
		t.Error(diff)
	}
}

// TestSweepHasThePolicyInForce: with the policy in S3 and none beside the program, the sweep knows whose names are
// whose.
func TestSweepHasThePolicyInForce(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice@example.com"})
	cloud.AddBucket("policies")
	url, stop, err := emulator.Serve(cloud)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	good, err := os.ReadFile("../../internal/trial/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	store := policysource.Open(tableConfig(url), policysource.Location{Bucket: "policies", Key: "policy.yaml"})
	if _, err := store.Put(t.Context(), policysource.Document{}, good); err != nil {
		t.Fatal(err)
	}
	f := start(t, cloud, "POLICY_SOURCE=s3://policies/policy.yaml", "POLICY_FILE=/nowhere")
	sweep := []byte(`{"id":"s1","source":"clientvpn-responder.sweep","detail-type":"Sweep","account":"111122223333",` +
		`"time":"2026-11-20T11:00:00Z","region":"eu-west-1","detail":{}}`)
	got := outcomes(t, invoke(t, f, sweep))[0]
	if got.Status != "ready" || !strings.HasPrefix(got.Summary, "1 person is connected, and that person could be found") {
		t.Errorf("%+v\n%s", got, f.Logs())
	}
}
