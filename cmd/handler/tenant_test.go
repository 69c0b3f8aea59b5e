package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/ledger"
)

const (
	tenantID = "aaaabbbb-0000-4ccc-8ddd-1111eeee2222"
	// deletedID is the user of events/entra/graph-user-deleted-provisioned.json.
	deletedID = "6f0c2f1e-8d7b-4a57-9c36-5b1f5d9a2e77"
	poll      = "the-poll"
)

// pollBinary is the real poll, built once.
var pollBinary = sync.OnceValues(func() (string, error) {
	file := filepath.Join(filepath.Dir(binary), "poll")
	return file, emulator.Build(context.Background(), file, "../poll")
})

// withTenant adds a tenant of Microsoft Entra ID to the cloud, and the real poll between the two. It returns the
// responder's settings.
func withTenant(t *testing.T, cloud *emulator.Cloud) (*emulator.Graph, *emulator.Function, []string) {
	t.Helper()
	file, err := pollBinary()
	if err != nil {
		t.Fatal(err)
	}
	tenant := &emulator.Graph{Tenant: tenantID}
	graph, stopGraph, err := emulator.Serve(tenant)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stopGraph)
	aws, stopAWS, err := emulator.Serve(cloud)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stopAWS)
	f, err := emulator.Start(t.Context(), file, []string{
		"AWS_ENDPOINT_URL=" + aws, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "GRAPH_URL=" + graph,
		"EVENT_QUEUE_URL=" + cloud.AddQueue("events"), "LEDGER_TABLE=ledger", "LOGIN_URL=" + graph,
		"ENTRA_TENANT_ID=" + tenantID, "ENTRA_CLIENT_ID=" + emulator.DefaultClient,
		"ENTRA_GROUP_IDS=bbbbbbbb-0000-4000-8000-000000000001",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	cloud.AddFunction(poll, func(event []byte) ([]byte, *emulator.Failure) {
		answer, err := f.Invoke(t.Context(), event)
		if err != nil {
			return nil, &emulator.Failure{Type: "Runtime.ExitError", Message: err.Error()}
		}
		return answer.Payload, answer.Failure
	})
	return tenant, f, []string{"ENTRA_TENANT_ID=" + tenantID, "ENTRA_FUNCTION=" + poll}
}

// TestEntraIsAskedForNames: an object id leads to the principal name, without an alias and without an identity store.
// Where Entra does not answer, the event goes back, and is not about nobody.
func TestEntraIsAskedForNames(t *testing.T) {
	raw, err := os.ReadFile("../../events/entra/graph-user-deleted-provisioned.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		spoil  func(*emulator.Cloud, *emulator.Graph)
		off    bool
		want   []string // statuses
		says   string
		failed bool
	}{
		"there": {want: []string{"terminated"}, says: "Microsoft Graph: was asked for the name of user " + deletedID},
		"deleted": {
			spoil: func(_ *emulator.Cloud, g *emulator.Graph) { g.DeleteGraphUser(deletedID) },
			want:  []string{"terminated"},
		},
		"unknown": {
			spoil: func(_ *emulator.Cloud, g *emulator.Graph) { g.ForgetUser(deletedID) },
			want:  []string{"unmapped"}, says: "Microsoft Graph knows no user " + deletedID,
		},
		"off": {off: true, want: []string{"unmapped"}},
		"may not ask": {
			spoil:  func(c *emulator.Cloud, _ *emulator.Graph) { c.Deny("lambda:Invoke", "") },
			failed: true, says: "lambda:InvokeFunction",
		},
		"throttled": {
			spoil:  func(_ *emulator.Cloud, g *emulator.Graph) { g.Throttle(time.Minute) },
			failed: true,
		},
		"lacks a consent": {
			spoil:  func(_ *emulator.Cloud, g *emulator.Graph) { g.Permissions = []string{} },
			failed: true, says: "missing permission User.Read.All",
		},
	} {
		cloud := cloudWith(emulator.Client{Username: "dave@example.com"})
		tenant, _, env := withTenant(t, cloud)
		tenant.AddGraphUser(emulator.GraphUser{ID: deletedID, Name: "dave@example.com"})
		if test.spoil != nil {
			test.spoil(cloud, tenant)
		}
		if test.off {
			env = nil
		}
		f := start(t, cloud, env...)
		answer := invoke(t, f, batch(raw, leaver("e1", "nobody"))) // beside it, another is answered
		var failures struct {
			BatchItemFailures []struct{ ItemIdentifier string }
		}
		if err := json.Unmarshal(answer.Payload, &failures); err != nil {
			t.Fatal(err)
		}
		got := slices.DeleteFunc(published(t, cloud), func(status string) bool { return status == "not-connected" })
		if !slices.Equal(got, test.want) || (len(failures.BatchItemFailures) == 1) != test.failed {
			t.Errorf("%s: published %q, %s\n%s", name, got, answer.Payload, f.Logs())
		}
		if !strings.Contains(logs(f), test.says) {
			t.Errorf("%s: the log does not say %s:\n%s", name, test.says, f.Logs())
		}
	}
}

// TestSweepAsksEntra: a person whom Entra says is disabled is cut off, though no event came. And its word of today goes
// before its event of yesterday.
func TestSweepAsksEntra(t *testing.T) {
	s := sweeping(t, "dave@example.com", "alice@example.com", "erin@example.com")
	tenant, _, env := withTenant(t, s.cloud)
	tenant.PageSize = 2
	for i, name := range []string{"dave@example.com", "alice@example.com", "erin@elsewhere.example", "zoe@example.com"} {
		id := "aaaaaaaa-0000-4000-8000-00000000000" + string(rune('1'+i))
		tenant.AddGraphUser(emulator.GraphUser{ID: id, Name: name, Disabled: i == 0})
	}
	at := time.Now().Add(-time.Hour)
	for _, person := range []string{"alice", "erin"} {
		s.change(ledger.Change{Person: person, Close: &ledger.Closing{
			Issuer: "entra:" + tenantID, Provider: "entra", OutcomeID: person, Kind: "account-disabled",
			EventAt: at, Arrived: at,
		}})
	}
	got := s.sweep(s.start(env...))
	if len(got) != 3 || got[0] != "terminated: 1 VPN connection of dave ended." ||
		got[1] != "terminated: 1 VPN connection of erin ended." || up(s.cloud) != 1 {
		t.Errorf("%q, %d up", got, up(s.cloud))
	}
	last := ""
	for _, m := range s.cloud.Published() {
		last += m.Body
	}
	if !strings.Contains(last, "Microsoft Entra ID says that user aaaaaaaa-0000-4000-8000-000000000001 is disabled") ||
		!strings.Contains(last, "entra:"+tenantID) {
		t.Error(last)
	}
}

// TestSweepOfEntraGoesOnWhereItStopped: a page that Entra does not answer leaves the rest for the next sweep. The
// outcome says so.
func TestSweepOfEntraGoesOnWhereItStopped(t *testing.T) {
	s := sweeping(t, "zoe@example.com")
	tenant, _, env := withTenant(t, s.cloud)
	tenant.PageSize = 1
	const id = "aaaaaaaa-0000-4000-8000-00000000000"
	tenant.AddGraphUser(emulator.GraphUser{ID: id + "1", Name: "amy@example.com"})
	tenant.AddGraphUser(emulator.GraphUser{ID: id + "2", Name: "zoe@example.com", Disabled: true})
	s.cloud.Inject(emulator.Fault{Action: "Invoke", After: 1, Times: 1, Code: "AccessDeniedException", Status: 403})
	f := s.start(env...)
	got := s.sweep(f)
	if len(got) != 1 || !strings.HasPrefix(got[0], "not-ready: ") ||
		!strings.Contains(got[0], "asked about 0; 1 are left") {
		t.Errorf("%q", got)
	}
	if got := s.sweep(f); len(got) != 2 || got[0] != "terminated: 1 VPN connection of zoe ended." {
		t.Errorf("%q", got)
	}
	if last, err := s.list.LastSweep(t.Context()); last.TenantNext != "" || err != nil {
		t.Errorf("the next sweep goes on at %q, %v", last.TenantNext, err)
	}
}

// TestSelfTestAsksEntra: what keeps the poll from answering is known before it is needed.
func TestSelfTestAsksEntra(t *testing.T) {
	cloud := cloudWith()
	tenant, _, env := withTenant(t, cloud)
	f := start(t, cloud, env...)
	if got := checkUp(t, f); !strings.HasPrefix(got, "ready ") {
		t.Error(got)
	}
	tenant.Permissions = []string{"AuditLog.Read.All"}
	if got := checkUp(t, f); !strings.Contains(got, "missing permission User.Read.All of Microsoft Graph") {
		t.Error(got)
	}
}

// TestSelfTestNamesThePermissionThatThePollLacks: exactly the one, once no poll has succeeded for a quarter of an hour,
// and at the first poll.
func TestSelfTestNamesThePermissionThatThePollLacks(t *testing.T) {
	all := []string{"User.Read.All", "GroupMember.Read.All", "AuditLog.Read.All"}
	for i, missing := range all {
		for since, succeeded := range map[string]time.Time{
			"since 2": time.Now().Add(-20 * time.Minute), "yet": {},
		} {
			s := sweeping(t)
			tenant, poll, env := withTenant(t, s.cloud)
			f := s.start(env...)
			if !succeeded.IsZero() {
				c := ledger.Cursor{Audits: succeeded, Succeeded: succeeded}
				if err := s.list.SaveCursor(t.Context(), "entra", c); err != nil {
					t.Fatal(err)
				}
			}
			tenant.Permissions = slices.Delete(slices.Clone(all), i, i+1)
			invoke(t, poll, []byte(`{}`))
			got := checkUp(t, f)
			if !strings.HasPrefix(got, "not-ready ") || strings.Contains(got, "0001") ||
				!strings.Contains(got, "no poll of Microsoft Graph has succeeded "+since) ||
				!strings.Contains(got, "missing permission "+missing+" of Microsoft Graph") {
				t.Errorf("%s, %s: %s", missing, since, got)
			}
			for _, granted := range tenant.Permissions {
				if strings.Contains(got, granted) {
					t.Errorf("%s is granted: %s", granted, got)
				}
			}
		}
	}
}

// TestSelfTestNamesTheDoorThatIsSilent: a stream that was heard, and no longer is.
func TestSelfTestNamesTheDoorThatIsSilent(t *testing.T) {
	s := sweeping(t)
	f := s.start()
	for path, ago := range map[string]time.Duration{"/ssf": 73 * time.Hour, "/okta": 71 * time.Hour} {
		if err := s.list.HeardAtDoor(t.Context(), path, time.Now().Add(-ago), 72*time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if got := checkUp(t, f); !strings.HasPrefix(got, "not-ready ") || strings.Contains(got, "/okta") ||
		!strings.Contains(got, "the door /ssf has heard nothing since ") {
		t.Error(got)
	}
}

// checkUp returns status, summary and error of a self-test.
func checkUp(t *testing.T, f *emulator.Function) string {
	t.Helper()
	event, err := os.ReadFile("../../events/custom/self-test.json")
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Outcomes []struct{ Status, Summary, Error string }
	}
	if err := json.Unmarshal(invoke(t, f, event).Payload, &answer); err != nil || len(answer.Outcomes) != 1 {
		t.Fatalf("%+v, %v", answer, err)
	}
	o := answer.Outcomes[0]
	return o.Status + " " + o.Summary + " " + o.Error
}

// TestAliasNeedsNoAnswerOfTheTenant: the policy knows whose id it is, so the event does not wait for Entra.
func TestAliasNeedsNoAnswerOfTheTenant(t *testing.T) {
	raw, err := os.ReadFile("../../events/entra/graph-user-deleted-provisioned.json")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "policy.yaml")
	rules := `{version: 1, identity: {domains: [example.com], aliases: {"entra:` + deletedID + `": dave@example.com}},
		rules: [{name: leavers, when: {kinds: [account-disabled, account-purged]}, then: terminate}]}`
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	cloud := cloudWith(emulator.Client{Username: "dave@example.com"})
	env := []string{"ENTRA_TENANT_ID=" + tenantID, "ENTRA_FUNCTION=gone", "POLICY_FILE=" + file, "WATCH=0"}
	f := start(t, cloud, env...)
	answer := invoke(t, f, batch(raw))
	got := strings.Join(published(t, cloud), " ")
	if got != "terminated" || strings.Contains(string(answer.Payload), "m0") {
		t.Errorf("published %q, %s\n%s", got, answer.Payload, f.Logs())
	}
}
