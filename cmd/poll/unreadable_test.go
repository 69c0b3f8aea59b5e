package main

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"clientvpn-responder/internal/signal"
)

// TestRecordThatCannotBeReadBlocksNothing: it is in the queue with its bytes, where the responder cannot read it. The
// log has its index. Everything beside it and behind it is sent, and the poll has succeeded.
func TestRecordThatCannotBeReadBlocksNothing(t *testing.T) {
	for name, test := range map[string]struct {
		list, record string
		where        string
	}{
		"members are a text": {
			"groups", `{"id": "` + vpn + `", "members@delta": "x"}`, "groups/delta, record 0: members@delta",
		},
		"no object":        {"groups", `7`, "groups/delta, record 0"},
		"a user is a text": {"users", `"x"`, "users/delta, record 0"},
		"a user is null":   {"users", `null`, "users/delta, record 0: is null"},
		"a broken time": {
			"audits", `{"id": "a", "activityDateTime": "yesterday"}`, "auditLogs/directoryAudits, record 0",
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t)
			s.graph.PageSize = 1
			s.must(t)
			s.graph.AddRawRecord(test.list, test.record)
			s.graph.SetEnabled(alice, false)
			s.graph.RemoveMember(vpn, bob)
			for range 40 {
				s.must(t)
			}
			read, broken := s.split(t)
			want := []string{
				"source-interrupted", "account-disabled alice@example.com", "account-disabled alice@example.com",
				"token-claims-change bob@example.com", "token-claims-change bob@example.com",
			}
			slices.Sort(read)
			slices.Sort(want)
			if !slices.Equal(read, want) {
				t.Errorf("%s: %q", name, read)
			}
			record := strings.ReplaceAll(test.record, " ", "")
			if len(broken) != 1 || !strings.Contains(broken[0], record) || !strings.Contains(broken[0], test.where) {
				t.Errorf("%s: dead letters %q", name, broken)
			}
			log := s.log.String()
			if strings.Count(log, "a record cannot be read") != 1 || !strings.Contains(log, test.where) {
				t.Errorf("%s: %s", name, log)
			}
			cursor, _, err := s.ledger.LoadCursor(t.Context(), provider)
			if err != nil || cursor.Problem != "" {
				t.Errorf("%s: %+v, %v", name, cursor, err)
			}
		})
	}
}

// TestMembersBesideABrokenOneAreSent: one event has those who left, and the dead letter has the whole record.
func TestMembersBesideABrokenOneAreSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.must(t)
		const left = `"@removed": {"reason": "deleted"}`
		s.graph.AddRawRecord("groups", `{"id": "`+vpn+`", "members@delta": [{"id": "`+alice+`", `+left+`}, {"id": 5, `+left+
			`}, null, {"id": "`+bob+`", `+left+`}]}`)
		s.must(t)
		read, broken := s.split(t)
		if !slices.Equal(read, []string{
			"source-interrupted", "token-claims-change alice@example.com", "token-claims-change bob@example.com",
		}) || len(broken) != 1 || !strings.Contains(broken[0], "members@delta[1]") ||
			!strings.Contains(broken[0], "members@delta[2]: is null") {
			t.Errorf("%q, dead letters %q", read, broken)
		}
	})
}

// TestUnreadableRecordWaitsForTheQueue: the cursor moves on only once the queue has the record, as with any other.
func TestUnreadableRecordWaitsForTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.must(t)
		s.graph.AddRawRecord("groups", `7`)
		s.cloud.Deny("sqs:SendMessage", "")
		for range 2 {
			if err := s.run(t); err == nil {
				t.Error("the poll succeeds")
			}
		}
	})
}

// TestFailingListRepeatsNoDeadLetter: a list that fails is read again every minute. The record that cannot be read in
// front of the failure makes one dead letter.
func TestFailingListRepeatsNoDeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.must(t)
		s.graph.AddRawRecord("groups", `7`)
		s.graph.RemoveMember(vpn, bob)
		s.graph.Permissions = []string{"AuditLog.Read.All", "GroupMember.Read.All"} // so that nobody has a name
		for range 5 {
			if err := s.run(t); err == nil {
				t.Error("the poll succeeds")
			}
		}
		s.graph.Permissions = nil
		s.must(t)
		read, broken := s.split(t)
		if len(broken) != 1 || !slices.Contains(read, "token-claims-change bob@example.com") {
			t.Errorf("%q, dead letters %q", read, broken)
		}
	})
}

// TestMemberThatIsNoUserIsNotNamed: Graph is not asked about a device or a group that left, which it may refuse.
func TestMemberThatIsNoUserIsNotNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.must(t)
		const nested = "cccccccc-0000-4000-8000-000000000009"
		s.graph.AddRawRecord("groups", `{"id": "`+vpn+`", "members@delta": [`+
			`{"@odata.type": "#microsoft.graph.group", "id": "`+nested+`", "@removed": {"reason": "deleted"}}]}`)
		s.must(t)
		s.expect(t)
		for _, request := range s.graph.Requests() {
			if strings.Contains(request, nested) {
				t.Error(request)
			}
		}
	})
}

// split returns what the responder reads in the queue, and the messages that it cannot read.
func (s *stage) split(t *testing.T) (read, broken []string) {
	t.Helper()
	for _, m := range s.cloud.Queued(queue) {
		signals, err := signal.Parse([]byte(m.Body))
		if _, unreadable := errors.AsType[*signal.UnreadableError](err); unreadable {
			broken = append(broken, strings.ReplaceAll(m.Body, "\\", ""))
			continue
		}
		if err != nil {
			t.Fatalf("%v: %s", err, m.Body)
		}
		for _, one := range signals {
			read = append(read, strings.TrimSpace(string(one.Kind)+" "+strings.Join(one.Subject.Usernames, ",")))
		}
	}
	return read, broken
}
