package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/entra"
	"clientvpn-responder/internal/ledger"
)

// noted returns what the ledger knows of the polls.
func (s *stage) noted(t *testing.T) (ledger.Cursor, bool) {
	t.Helper()
	cursor, known, err := s.ledger.LoadCursor(t.Context(), provider)
	if err != nil {
		t.Fatal(err)
	}
	return cursor, known
}

// TestPollThatBeginsAnewSaysSoFirst: until the queue has the notice, there is no cursor.
func TestPollThatBeginsAnewSaysSoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.cloud.Inject(emulator.Fault{Action: "SendMessage", Code: "InternalFailure", Times: 1})
		if err := s.run(t); err == nil {
			t.Error("the poll succeeds")
		}
		if cursor, known := s.noted(t); known {
			t.Errorf("%+v", cursor)
		}
		s.must(t)
		s.must(t)
		s.expect(t)
	})
}

// TestForgottenCursorSaysSoFirst: as long as the queue does not have the notice, Microsoft's new cursor is not kept.
func TestForgottenCursorSaysSoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.must(t)
		before, _ := s.noted(t)
		s.graph.ForgetDeltas()
		s.cloud.Inject(emulator.Fault{Action: "SendMessage", Code: "InternalFailure", Times: 2})
		if err := s.run(t); err == nil {
			t.Error("the poll succeeds")
		}
		if after, _ := s.noted(t); after.Users != before.Users || after.Groups != before.Groups {
			t.Errorf("%+v, before %+v", after, before)
		}
		s.must(t)
		s.expect(t, "source-interrupted", "source-interrupted")
	})
}

// TestLedgerKnowsHowPollsGo: since when they succeed, and why they do not. The self-test relies on it.
func TestLedgerKnowsHowPollsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.must(t)
		first, _ := s.noted(t)
		s.graph.Permissions = []string{"User.Read.All", "GroupMember.Read.All"}
		if err := s.run(t); err == nil {
			t.Error("the poll succeeds")
		}
		if c, _ := s.noted(t); !c.Succeeded.Equal(first.Succeeded) || !strings.Contains(c.Problem, "AuditLog.Read.All") {
			t.Errorf("%+v", c)
		}
		s.graph.Permissions = nil
		s.must(t)
		if c, _ := s.noted(t); !c.Succeeded.After(first.Succeeded) || c.Problem != "" {
			t.Errorf("%+v", c)
		}
		s.cloud.Deny("dynamodb:UpdateItem", "")
		if err := s.run(t); err == nil || !strings.Contains(err.Error(), "dynamodb:UpdateItem") {
			t.Error(err)
		}
	})
}

// TestGraphThatHangsLeavesTimeToNoteIt: the function ends in time, and the ledger knows why the poll failed.
func TestGraphThatHangsLeavesTimeToNoteIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.must(t)
		s.graph.Throttle(10 * time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
		defer cancel()
		if _, err := s.handle(ctx, entra.Request{}); err != nil || ctx.Err() != nil {
			t.Error(err, ctx.Err())
		}
		if c, _ := s.noted(t); !strings.Contains(c.Problem, "reading changes of users: waiting for") {
			t.Errorf("%+v", c)
		}
	})
}

// TestLateRecordIsRead: the audit log has a record after later ones. Or it has all records late.
func TestLateRecordIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.must(t)
		delays := map[string]time.Duration{"after later ones": 28 * time.Minute, "as all others": 2 * time.Hour}
		for name, delay := range delays {
			before, _ := s.queued(t)
			s.graph.AuditDelay = delay
			s.graph.SetEnabled(alice, false)
			if name == "after later ones" {
				s.graph.AuditDelay = 0
			}
			for i := range 130 {
				if i%5 == 0 {
					s.graph.SetEnabled(bob, true)
				}
				s.must(t)
			}
			read, _ := s.queued(t)
			read = slices.DeleteFunc(read[len(before):], func(r string) bool { return !strings.Contains(r, "alice") })
			if len(read) != 2 {
				t.Errorf("%s: %q, want the change and the record", name, read)
			}
		}
	})
}

// TestWrongDateHidesNoRecord: a record of the future does not move the cursor there, and a cursor without a time begins
// now.
func TestWrongDateHidesNoRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.graph.SetEnabled(bob, false)
		time.Sleep(time.Hour)
		s.must(t)
		cursor, _ := s.noted(t)
		cursor.Audits = time.Time{}
		if err := s.ledger.SaveCursor(t.Context(), provider, cursor); err != nil {
			t.Fatal(err)
		}
		s.graph.AddRawRecord("audits", `{"id": "x", "activityDateTime": "2099-01-01T00:00:00Z"}`)
		s.must(t)
		s.expect(t)
		time.Sleep(time.Hour)
		s.graph.SetEnabled(alice, false)
		s.must(t)
		s.expect(t, "account-disabled alice@example.com", "account-disabled alice@example.com")
	})
}

// TestRecordDoesNotChooseItsTenant: the names are those of the tenant that was asked.
func TestRecordDoesNotChooseItsTenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.must(t)
		s.graph.AddRawRecord("users", fmt.Sprintf(
			`{"id": %q, "userPrincipalName": "alice@example.com", "accountEnabled": false, "tenantId": %q}`, alice, bob))
		s.must(t)
		s.expect(t, "account-disabled alice@example.com")
	})
}

// TestPersonWithoutANameIsNotSkipped: Graph does not answer who was deleted, or who left the group. The poll fails, and
// a later one sends the event with the name.
func TestPersonWithoutANameIsNotSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.must(t)
		s.graph.DeleteGraphUser(alice)
		s.graph.RemoveMember(vpn, bob)
		s.instead = func(w http.ResponseWriter, r *http.Request) bool {
			unnamed := strings.Contains(r.URL.Path, alice) || strings.Contains(r.URL.Path, bob)
			if unnamed {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			return unnamed
		}
		if err := s.run(t); err == nil || strings.Count(err.Error(), "Service Unavailable") != 2 {
			t.Error(err)
		}
		s.instead = nil
		s.must(t)
		read, _ := s.queued(t)
		slices.Sort(read)
		if !slices.Equal(read, []string{
			"account-purged alice@example.com", "account-purged alice@example.com", "source-interrupted",
			"token-claims-change bob@example.com", "token-claims-change bob@example.com",
		}) {
			t.Errorf("%q", read)
		}
	})
}

// TestPageWithoutAWayOnFails: without the address of the next changes, the poll would begin anew in silence.
func TestPageWithoutAWayOnFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.must(t)
		before, _ := s.noted(t)
		s.instead = func(w http.ResponseWriter, r *http.Request) bool {
			delta := strings.HasSuffix(r.URL.Path, "/delta")
			if delta {
				fmt.Fprint(w, `{"value": []}`)
			}
			return delta
		}
		if err := s.run(t); err == nil || strings.Count(err.Error(), "the last page has no @odata.deltaLink") != 2 {
			t.Error(err)
		}
		if after, _ := s.noted(t); after.Users != before.Users || after.Groups != before.Groups {
			t.Errorf("%+v, before %+v", after, before)
		}
	})
}

// TestChangeThatTakesNothingIsNotSent: who was added to a group, another change of one, and a user whose state Graph
// does not say.
func TestChangeThatTakesNothingIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.must(t)
		for list, records := range map[string][]string{
			"groups": {
				`{"id": "` + vpn + `", "members@delta": [{"@odata.type": "#microsoft.graph.user", "id": "` + alice + `"}]}`,
				`{"id": "` + vpn + `", "displayName": "VPN"}`,
			},
			"users": {
				`{"id": "` + alice + `", "userPrincipalName": "alice@example.com", "accountEnabled": null}`,
				`{"id": "` + alice + `", "userPrincipalName": "alice@example.com", "mail": "a@example.com"}`,
			},
			"audits": {`{"id": "a", "activityDateTime": "2000-01-01T00:01:00Z", "activityDisplayName": "Update user"}`},
		} {
			for _, record := range records {
				s.graph.AddRawRecord(list, record)
			}
		}
		s.must(t)
		s.expect(t)
		if messages := s.cloud.Queued(queue); len(messages) != 1 {
			t.Errorf("%d messages: %+v", len(messages), messages)
		}
	})
}
