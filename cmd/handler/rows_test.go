package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
)

const daveID = "9067123456-0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c01"

// eventFile returns a file of events/ as if it happened now, with replacements.
func eventFile(t *testing.T, file string, replace ...string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("../../events", file))
	if err != nil {
		t.Fatal(err)
	}
	var event struct {
		Detail struct {
			EventTime, Published string
			ID                   json.RawMessage
		}
		Time string
	}
	if err := json.Unmarshal(raw, &event); err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC().Format(time.RFC3339Nano)
	var activity struct{ Time string }
	_ = json.Unmarshal(event.Detail.ID, &activity) // Google's
	for _, at := range []string{event.Time, event.Detail.EventTime, event.Detail.Published, activity.Time} {
		if at != "" {
			raw = bytes.ReplaceAll(raw, []byte(at), []byte(now))
		}
	}
	return []byte(strings.NewReplacer(replace...).Replace(string(raw)))
}

// storeCompany is a company with an identity store that knows dave, who is connected.
func storeCompany(t *testing.T, u emulator.User) *emulator.Cloud {
	t.Helper()
	cloud := cloudWith(emulator.Client{Username: "dave@example.com"})
	cloud.AddTable("ledger", "id")
	if u.ID != "" {
		cloud.AddUser(u)
	}
	return cloud
}

var dave = emulator.User{ID: daveID, UserName: "dave", Email: "dave@example.com"}

// TestIdentityStoreThatFailsOnDisableUserSendsTheEventBack: of a person without an alias. It is tried again, and then
// it is in the dead letters with its bytes.
func TestIdentityStoreThatFailsOnDisableUserSendsTheEventBack(t *testing.T) {
	for name, fault := range map[string]emulator.Fault{
		"throttles": {Code: "ThrottlingException"}, "fails": {Code: "InternalServerException", Status: 500},
		"hangs": {Delay: time.Hour}, "refuses": {Code: "AccessDeniedException", Status: 403},
	} {
		t.Run(name, func(t *testing.T) {
			cloud := storeCompany(t, dave)
			fault.Action = "DescribeUser"
			cloud.Inject(fault)
			cloud.AddQueue("dead")
			cloud.AddQueue("events", emulator.Queue{Visibility: time.Millisecond, DeadLetter: "dead", Receives: 2})
			body := eventFile(t, "identity-center/disable-user.json")
			cloud.Send("events", string(body))
			f := start(t, cloud, "IDENTITY_STORE_ID=d-9067123456", "LEDGER_TABLE=ledger")
			for range 10 {
				cloud.Deliver(t.Context(), "events", 10, func(ctx context.Context, payload []byte) ([]byte, error) {
					ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
					defer cancel()
					answer, err := f.Invoke(ctx, payload)
					return answer.Payload, err
				})
				if dead := cloud.Queued("dead"); len(dead) == 1 && dead[0].Body == string(body) {
					break
				}
				time.Sleep(2 * time.Millisecond)
			}
			if dead := cloud.Queued("dead"); len(dead) != 1 || len(cloud.Published()) != 0 || up(cloud) != 1 {
				t.Errorf("%d in the dead letters, published %q\n%s", len(dead), published(t, cloud), f.Logs())
			}
		})
	}
}

// TestIdentityStoreThatDoesNotSayIsAnOutcome: DescribeUser answers without UserStatus, or NotFound after a change.
func TestIdentityStoreThatDoesNotSayIsAnOutcome(t *testing.T) {
	silent := dave
	silent.NoStatus = true
	for name, user := range map[string]emulator.User{"no status": silent, "not found": {}} {
		cloud := storeCompany(t, user)
		f := start(t, cloud, "IDENTITY_STORE_ID=d-9067123456", "LEDGER_TABLE=ledger")
		got := outcomes(t, invoke(t, f, eventFile(t, "identity-center/scim-deactivate.json")))
		const want = "it is not known whether it is disabled"
		if len(got) != 1 || got[0].Status != "notified" || !strings.Contains(got[0].Summary, want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestStoreThatSaysEnabledIsAnOpening: Identity Center by SCIM, enabled again. CloudTrail hides what was patched.
func TestStoreThatSaysEnabledIsAnOpening(t *testing.T) {
	cloud := storeCompany(t, dave)
	f := start(t, cloud, "IDENTITY_STORE_ID=d-9067123456", "LEDGER_TABLE=ledger")
	closed := outcomes(t, invoke(t, f, eventFile(t, "identity-center/disable-user.json")))
	time.Sleep(10 * time.Millisecond)
	opened := outcomes(t, invoke(t, f, eventFile(t, "identity-center/scim-deactivate.json")))
	if closed[0].KeptOutUntil.IsZero() || len(opened) != 1 || !strings.Contains(opened[0].Summary, "may connect again") {
		t.Errorf("%+v, %+v", closed, opened)
	}
}

// TestOpeningLiftsWhatItMay: the account is made anew under the very name, or another issuer opens it, which the policy
// may allow.
func TestOpeningLiftsWhatItMay(t *testing.T) {
	create := func(more ...string) func(t *testing.T) []byte {
		return func(t *testing.T) []byte {
			t.Helper()
			return eventFile(t, "okta/user-activate.json", append(more, "user.lifecycle.activate", "user.lifecycle.create")...)
		}
	}
	for name, test := range map[string]struct {
		policy string
		opened func(t *testing.T) []byte
		lifted bool
	}{
		"made anew":             {opened: create(), lifted: true},
		"another name":          {opened: create("alice@", "alicia@")},
		"another issuer's":      {opened: googleCreates},
		"the policy allows it":  {policy: "lifts: {google-workspace: [okta]}", opened: googleCreates, lifted: true},
		"the policy allows not": {policy: "lifts: {okta: [google-workspace]}", opened: googleCreates},
	} {
		t.Run(name, func(t *testing.T) {
			cloud := cloudWith(emulator.Client{Username: "alice@example.com"})
			cloud.AddTable("ledger", "id")
			f := start(t, cloud, "LEDGER_TABLE=ledger", "POLICY_FILE="+policyWith(t, test.policy))
			closed := outcomes(t, invoke(t, f, eventFile(t, "okta/user-deactivate.json")))
			time.Sleep(10 * time.Millisecond)
			opened := outcomes(t, invoke(t, f, test.opened(t)))
			lifted := slices.ContainsFunc(opened, func(o seen) bool {
				return strings.Contains(o.Summary, "may connect again")
			})
			if closed[0].KeptOutUntil.IsZero() || lifted != test.lifted {
				t.Errorf("%+v, %+v", closed, opened)
			}
		})
	}
}

// googleCreates is Google's creation of alice.
func googleCreates(t *testing.T) []byte {
	t.Helper()
	return eventFile(t, "google-workspace/suspend-user.json", "SUSPEND_USER", "CREATE_USER", "dave@example.com",
		"alice@example.com")
}

// policyWith writes the demonstration's policy with more lines, and returns its path.
func policyWith(t *testing.T, lines string) string {
	t.Helper()
	raw, err := os.ReadFile("../../internal/trial/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, append(raw, []byte("\n"+lines+"\n")...), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestReinstatementIsDoneInDryRun: nobody stays kept out because the mode was changed since.
func TestReinstatementIsDoneInDryRun(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice@example.com"})
	cloud.AddTable("ledger", "id")
	closed := outcomes(t, invoke(t, start(t, cloud, "LEDGER_TABLE=ledger"), eventFile(t, "okta/user-deactivate.json")))
	time.Sleep(10 * time.Millisecond)
	f := start(t, cloud, "LEDGER_TABLE=ledger", "MODE=dry-run")
	opened := outcomes(t, invoke(t, f, eventFile(t, "okta/user-activate.json")))
	if closed[0].KeptOutUntil.IsZero() || len(opened) != 1 || !strings.Contains(opened[0].Summary, "may connect again") {
		t.Errorf("%+v, %+v", closed, opened)
	}
}

// TestStartWithoutATableSaysWhatIsNotPromised: it works all the same.
func TestStartWithoutATableSaysWhatIsNotPromised(t *testing.T) {
	f := start(t, cloudWith(emulator.Client{Username: "alice@example.com"}))
	got := outcomes(t, invoke(t, f, leaver("e1", "alice")))
	const words = "each instance forgets at its end what it did, and the brake counts in each alone"
	if log := logs(f); len(got) != 1 || got[0].Status != "terminated" || !strings.Contains(log, words) {
		t.Errorf("%+v\n%s", got, log)
	}
}
