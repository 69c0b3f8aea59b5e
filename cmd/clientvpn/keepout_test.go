package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/trial"

	"github.com/aws/aws-sdk-go-v2/config"
)

// withList returns a list that has some people, and lets the tool find it.
func withList(t *testing.T) *ledger.Table {
	t.Helper()
	cloud := &emulator.Cloud{}
	cloud.AddTable("kept", "id")
	url, stop, err := emulator.Serve(cloud)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": url, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"LEDGER_TABLE": "kept", "USER": "ops",
	} {
		t.Setenv(name, value)
	}
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	list := ledger.New(cfg, "kept")
	since := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	until := time.Date(2999, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, e := range []ledger.Entry{
		{Person: "alice", Cause: ledger.Deprovisioning, Reason: "user.lifecycle.deactivate", OutcomeID: "okta 1", By: "okta"},
		{Person: "alice", Cause: ledger.Finding, Reason: "Exfiltration:IAMUser/X", By: "guardduty", Until: until},
		{Person: "mallory\x1b[2J", Cause: ledger.Request, Reason: "a\nb", By: "hr"},
	} {
		e.Since = since
		if _, err := list.Put(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

func TestListSaysWhoAndWhy(t *testing.T) {
	withList(t)
	code, out, beside := clientvpn(t, "keep-out", "list")
	const want = `alice  deprovisioning, forever
    since 2026-11-20 10:00:00 UTC by okta: user.lifecycle.deactivate
alice  finding, until 2999-01-02 03:04:05 UTC
    since 2026-11-20 10:00:00 UTC by guardduty: Exfiltration:IAMUser/X
mallory?[2J  request, forever
    since 2026-11-20 10:00:00 UTC by hr: a?b
`
	if code != exitDone || out != want {
		t.Errorf("%d %s%s\nwant\n%s", code, out, beside, want)
	}
	_, out, _ = clientvpn(t, "keep-out", "list", "--json")
	var first ledger.Entry
	err := json.Unmarshal(bytes.SplitAfter([]byte(out), []byte("\n"))[0], &first)
	if err != nil || first.Person != "alice" || first.OutcomeID != "okta 1" {
		t.Errorf("%+v, %v\n%s", first, err, out)
	}
}

// TestLiftTakesOffTheList, whatever put the person there, under any of their names, and leaves who and why.
func TestLiftTakesOffTheList(t *testing.T) {
	list := withList(t)
	code, out, beside := clientvpn(t,
		"keep-out", "lift", "--policy", trial.Demonstration, "--reason", "a mistake", `EXAMPLE\Alice`)
	if code != exitDone || strings.Count(out, "alice may connect again: lifted the entry of ") != 2 {
		t.Errorf("%d %s%s", code, out, beside)
	}
	entries, err := list.List(t.Context())
	if err != nil || len(entries) != 1 || entries[0].Cause != ledger.Request {
		t.Errorf("%+v, %v", entries, err)
	}
	// The event that comes late does not put her back.
	late := ledger.Entry{Person: "alice", Cause: ledger.Finding, EventAt: time.Now().Add(-time.Minute)}
	_, err = list.Put(t.Context(), late)
	if err == nil || !strings.Contains(err.Error(), "by ops") {
		t.Error(err)
	}
}

// TestLiftFindsByTheNameOfThen: the policy has lost the alias by which the entry was made.
func TestLiftFindsByTheNameOfThen(t *testing.T) {
	list := withList(t)
	_, err := list.Put(t.Context(), ledger.Entry{
		Person: "dana", Cause: ledger.Finding, Names: []string{"00u9z8y7"}, Known: []string{"dana", "00u9z8y7"},
		EventAt: time.Now(), Since: time.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = list.Put(t.Context(), ledger.Entry{
		Person: "dana", Cause: ledger.Request, Names: []string{"dana"}, EventAt: time.Now(), Since: time.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	code, out, beside := clientvpn(t,
		"keep-out", "lift", "--policy", trial.Demonstration, "--reason", "a mistake", "00u9z8y7")
	if code != exitDone || strings.Count(out, "dana may connect again") != 1 {
		t.Errorf("%d %s%s", code, out, beside)
	}
	// The entry about dana by another name stays.
	if left, err := list.Find(t.Context(), []string{"dana"}); err != nil || len(left) != 1 {
		t.Errorf("%+v, %v", left, err)
	}
}

// TestKeepOutSaysTheRemedy in one sentence, and changes nothing.
func TestKeepOutSaysTheRemedy(t *testing.T) {
	list := withList(t)
	demonstration := "--policy=" + trial.Demonstration
	for _, test := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"lift", demonstration, "--reason", "x", "bob"}, exitDiffers, "bob is not on the list"},
		{[]string{"lift", demonstration, "alice"}, exitUsage, "say why with --reason"},
		{[]string{"lift", demonstration, "--reason", "x", "--by", "", "alice"}, exitUsage, "who with --by"},
		{[]string{"lift", "--policy", "nowhere.yaml", "--reason", "x", "alice"}, exitDiffers, "no such file"},
		{[]string{"lift", "--reason", "x"}, exitUsage, "PERSON… is missing; write clientvpn keep-out lift PERSON…"},
		{[]string{"list", "--tables", "x"}, exitUsage, "unknown flag: --tables"},
		{[]string{"list", "--table", "another"}, exitAWS, "this account and Region have no such table"},
	} {
		code, out, beside := clientvpn(t, append([]string{"keep-out"}, test.args...)...)
		if code != test.code || !strings.Contains(beside, test.says) || strings.Count(beside, "\n") != 1 {
			t.Errorf("%q: exit code %d\n%s%s", test.args, code, out, beside)
		}
	}
	if entries, err := list.List(t.Context()); err != nil || len(entries) != 3 {
		t.Errorf("%+v, %v", entries, err)
	}
}

func TestWithoutCredentialsTheRemedyIsSaid(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": t.TempDir() + "/none", "AWS_SHARED_CREDENTIALS_FILE": t.TempDir() + "/none", "AWS_PROFILE": "",
	} {
		t.Setenv(name, value)
	}
	code, _, beside := clientvpn(t, "keep-out", "list", "--table", "kept")
	want := `clientvpn: there are no AWS credentials; use "aws sso login", or name a profile with AWS_PROFILE` + "\n"
	if code != exitAWS || beside != want {
		t.Errorf("%d %s", code, beside)
	}
	t.Setenv("AWS_PROFILE", "prod")
	code, _, beside = clientvpn(t, "keep-out", "list", "--table", "kept")
	want = "clientvpn: the AWS CLI has no profile prod; name one with AWS_PROFILE that " +
		`"aws configure list-profiles" shows` + "\n"
	if code != exitAWS || beside != want {
		t.Errorf("%d %s", code, beside)
	}
	t.Setenv("AWS_PROFILE", "")
	t.Setenv("AWS_REGION", "")
	code, _, beside = clientvpn(t, "keep-out", "list", "--table", "kept")
	if code != exitAWS || beside != "clientvpn: there is no Region; set AWS_REGION to the stack's\n" {
		t.Errorf("%d %s", code, beside)
	}
}
