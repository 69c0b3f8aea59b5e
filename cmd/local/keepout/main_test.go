package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/ledger"

	"github.com/aws/aws-sdk-go-v2/config"
)

// withList gives a list that has some people, and has the program find it.
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
		"AWS_ENDPOINT_URL": url, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "LEDGER_TABLE": "kept", "USER": "ops",
	} {
		t.Setenv(name, value)
	}
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	list := ledger.New(cfg, "kept")
	since := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for _, e := range []ledger.Entry{
		{Person: "alice", Cause: ledger.Deprovisioning, Reason: "user.lifecycle.deactivate", OutcomeID: "okta 1", By: "okta", Since: since},
		{Person: "alice", Cause: ledger.Finding, Reason: "Exfiltration:IAMUser/X", OutcomeID: "guardduty 1", By: "guardduty", Since: since, Until: time.Date(2999, 1, 2, 3, 4, 5, 0, time.UTC)},
		{Person: "mallory\x1b[2J", Cause: ledger.Request, Reason: "a\nb", By: "hr", Since: since},
	} {
		if _, err := list.Put(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

func TestListSaysWhoAndWhy(t *testing.T) {
	withList(t)
	var out bytes.Buffer
	if err := run(t.Context(), []string{"list"}, &out); err != nil {
		t.Fatal(err)
	}
	const want = `PERSON       CAUSE           UNTIL (UTC)          SINCE (UTC)          BY         REASON
alice        deprovisioning  forever              2026-11-20 10:00:00  okta       user.lifecycle.deactivate
alice        finding         2999-01-02 03:04:05  2026-11-20 10:00:00  guardduty  Exfiltration:IAMUser/X
mallory?[2J  request         forever              2026-11-20 10:00:00  hr         a?b
`
	if out.String() != want {
		t.Errorf("%s\nwant\n%s", out.String(), want)
	}
	out.Reset()
	if err := run(t.Context(), []string{"list", "-json"}, &out); err != nil {
		t.Fatal(err)
	}
	var first ledger.Entry
	if err := json.Unmarshal(bytes.SplitAfter(out.Bytes(), []byte("\n"))[0], &first); err != nil || first.Person != "alice" || first.OutcomeID != "okta 1" {
		t.Errorf("%+v, %v\n%s", first, err, out.String())
	}
}

// TestLiftTakesOffTheList, whatever put the person there, under any of their names, and leaves who and why.
func TestLiftTakesOffTheList(t *testing.T) {
	list := withList(t)
	var out bytes.Buffer
	if err := run(t.Context(), []string{"lift", "-policy", "../../../internal/trial/policy.yaml", "-reason", "a mistake", `EXAMPLE\Alice`}, &out); err != nil {
		t.Fatal(err)
	}
	if said := out.String(); strings.Count(said, "alice may connect again: lifted what ") != 2 {
		t.Error(said)
	}
	entries, err := list.List(t.Context())
	if err != nil || len(entries) != 1 || entries[0].Cause != ledger.Request {
		t.Errorf("%+v, %v", entries, err)
	}
	// The event that comes late does not put her back.
	_, err = list.Put(t.Context(), ledger.Entry{Person: "alice", Cause: ledger.Finding, EventAt: time.Now().Add(-time.Minute)})
	if err == nil || !strings.Contains(err.Error(), "by ops") {
		t.Error(err)
	}
}

func TestLiftRefuses(t *testing.T) {
	list := withList(t)
	for name, args := range map[string][]string{
		"is not on the list":     {"lift", "-policy", "../../../internal/trial/policy.yaml", "-reason", "x", "bob"},
		"say why with -reason":   {"lift", "-policy", "../../../internal/trial/policy.yaml", "alice"},
		"who with -by":           {"lift", "-policy", "../../../internal/trial/policy.yaml", "-reason", "x", "-by", "", "alice"},
		"no such file":           {"lift", "-policy", "nowhere.yaml", "-reason", "x", "alice"},
		"name the table":         {"list", "-table", ""},
		"that is no command":     {"lift", "-reason", "x"},
		"flag provided but":      {"list", "-tables", "x"},
		"ResourceNotFoundExcept": {"list", "-table", "another"},
	} {
		var out bytes.Buffer
		if err := run(t.Context(), args, &out); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%q: %v", args, err)
		}
	}
	if entries, err := list.List(t.Context()); err != nil || len(entries) != 3 {
		t.Errorf("%+v, %v", entries, err)
	}
}
