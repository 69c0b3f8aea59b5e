package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/entra"
	"clientvpn-responder/internal/signal"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

const (
	table  = "ledger"
	queue  = "events"
	alice  = "aaaaaaaa-0000-4000-8000-000000000001"
	bob    = "aaaaaaaa-0000-4000-8000-000000000002"
	vpn    = "bbbbbbbb-0000-4000-8000-000000000001"
	secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:entra-AbCdEf"
)

// stage is a poller with a cloud and a tenant of its own.
type stage struct {
	*poller
	cloud *emulator.Cloud
	graph *emulator.Graph
	log   bytes.Buffer
	// instead answers some requests in Graph's place, if it is set.
	instead func(http.ResponseWriter, *http.Request) bool
}

func newStage(t *testing.T, change ...func(*settings)) *stage {
	t.Helper()
	s := &stage{cloud: &emulator.Cloud{}, graph: &emulator.Graph{Secret: "hunter2"}}
	s.cloud.AddTable(table, "id")
	s.cloud.AddSecret(secret, "hunter2")
	s.graph.AddGraphUser(emulator.GraphUser{ID: alice, Name: "alice@example.com"})
	s.graph.AddGraphUser(emulator.GraphUser{ID: bob, Name: "bob@example.com"})
	ours, stopOurs := emulator.HTTPClient(s.cloud)
	theirs, stopTheirs := emulator.HTTPClient(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.instead == nil || !s.instead(w, r) {
			s.graph.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(stopOurs)
	t.Cleanup(stopTheirs)
	cfg := aws.Config{
		Region: "eu-west-1", HTTPClient: ours, BaseEndpoint: aws.String("http://aws"), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
	set := settings{
		tenant: emulator.DefaultTenant, client: emulator.DefaultClient, groups: []string{vpn}, graph: "http://graph",
		login: "http://login", queueURL: s.cloud.AddQueue(queue), table: table,
	}
	for _, c := range change {
		c(&set)
	}
	s.poller = newPoller(slog.New(slog.NewJSONHandler(&s.log, nil)), cfg, set, theirs)
	return s
}

// run polls once, a minute after the last time.
func (s *stage) run(t *testing.T) error {
	t.Helper()
	time.Sleep(time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
	defer cancel()
	_, err := s.poll(ctx)
	return err
}

// must polls once, and fails if the poll does.
func (s *stage) must(t *testing.T) {
	t.Helper()
	if err := s.run(t); err != nil {
		t.Fatal(err)
	}
}

// queued returns what the responder reads in the queue: kind and names, and the ids of the events.
func (s *stage) queued(t *testing.T) (read, ids []string) {
	t.Helper()
	for _, m := range s.cloud.Queued(queue) {
		signals, err := signal.Parse([]byte(m.Body))
		if err != nil {
			t.Fatalf("%v: %s", err, m.Body)
		}
		for _, one := range signals {
			if one.Kind == signal.SourceInterrupted {
				read = append(read, string(one.Kind))
				continue
			}
			for _, n := range one.Subject.Names {
				if n.Issuer.String() != "entra:"+emulator.DefaultTenant {
					t.Errorf("a name of %s", n.Issuer)
				}
			}
			ids = append(ids, one.ID)
			read = append(read, fmt.Sprintf("%s %s", one.Kind, strings.Join(one.Subject.Usernames, ",")))
		}
	}
	return read, ids
}

// expect compares the queue with what it must hold, beside the notice of the first poll.
func (s *stage) expect(t *testing.T, want ...string) {
	t.Helper()
	read, _ := s.queued(t)
	if want = slices.Concat([]string{"source-interrupted"}, want); !slices.Equal(read, want) {
		t.Errorf("%q\nwant %q", read, want)
	}
}

// TestDisabledUserIsSeenAMinuteLater: by the change of the user, and by the audit log once it has the record.
func TestDisabledUserIsSeenAMinuteLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.graph.AuditDelay = 10 * time.Minute
		s.must(t)
		s.expect(t)
		s.graph.SetEnabled(alice, false)
		s.must(t)
		s.expect(t, "account-disabled alice@example.com")
		for range 15 {
			s.must(t)
		}
		s.expect(t, "account-disabled alice@example.com", "account-disabled alice@example.com")
	})
}

// TestEveryChangeIsRead: what Entra reports about users and members, in the form that the responder reads.
func TestEveryChangeIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, func(set *settings) { set.secret = secret })
		s.must(t)
		s.graph.DeleteGraphUser(alice)
		s.graph.RemoveMember(vpn, bob)
		s.graph.RemoveMember("bbbbbbbb-0000-4000-8000-00000000ffff", bob) // a group that does not carry the VPN
		s.must(t)
		s.graph.SetEnabled(bob, true)
		s.must(t)
		s.expect(t,
			"account-purged alice@example.com", "token-claims-change bob@example.com", "account-purged alice@example.com",
			"token-claims-change bob@example.com", "token-claims-change bob@example.com", "account-enabled bob@example.com")
	})
}

// fault spoils one call of AWS.
func fault(f emulator.Fault) func(*stage) {
	f.Times = 1
	return func(s *stage) { s.cloud.Inject(f) }
}

// failingDeltas has Graph answer so many questions about changes with an error, as many as the poll tries.
func failingDeltas(times int) func(*stage) {
	return func(s *stage) {
		s.instead = func(w http.ResponseWriter, r *http.Request) bool {
			fails := times > 0 && strings.HasSuffix(r.URL.Path, "/delta")
			if fails {
				times--
				w.WriteHeader(http.StatusInternalServerError)
			}
			return fails
		}
	}
}

// TestNothingIsSkippedBetweenPollsThatFail: whatever fails, in whichever order, each record is in the queue at the end.
// A record that is sent again is the same event.
func TestNothingIsSkippedBetweenPollsThatFail(t *testing.T) {
	for name, spoil := range map[string]func(*stage){
		"the queue":     fault(emulator.Fault{Action: "SendMessage", Code: "InternalFailure"}),
		"the third":     fault(emulator.Fault{Action: "SendMessage", After: 2, Drop: true}),
		"the sixth":     fault(emulator.Fault{Action: "SendMessage", After: 5, Code: "InternalFailure"}),
		"the eighth":    fault(emulator.Fault{Action: "SendMessage", After: 7, Drop: true}),
		"the cursor":    fault(emulator.Fault{Action: "UpdateItem", Code: "InternalServerError"}),
		"the ledger":    fault(emulator.Fault{Action: "BatchGetItem", Drop: true}),
		"throttled":     func(s *stage) { s.graph.Throttle(10 * time.Minute) },
		"no token":      fault(emulator.Fault{Action: "GetWebIdentityToken", Drop: true}),
		"the tenant":    func(s *stage) { s.graph.Permissions = []string{} },
		"Graph is down": failingDeltas(5),
		"another token": func(s *stage) { s.graph.ExpireToken() },
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t)
			s.graph.PageSize = 2
			s.must(t)
			for i := range 5 {
				id := fmt.Sprintf("cccccccc-0000-4000-8000-%012d", i)
				user := emulator.GraphUser{ID: id, Name: fmt.Sprintf("u%d@example.com", i)}
				s.graph.AddGraphUser(user)
				s.graph.SetEnabled(user.ID, false)
			}
			s.poller.graph.HTTP.CloseIdleConnections()
			spoil(s)
			_ = s.run(t) // it may fail, or not
			s.graph.Permissions = nil
			s.must(t)
			s.must(t)
			read, ids := s.queued(t)
			count := map[string]int{}
			for _, r := range read {
				count[r]++
			}
			slices.Sort(ids)
			if distinct := len(slices.Compact(ids)); distinct != 10 {
				t.Errorf("%s: %d events, want 10: a change and a record for each of 5", name, distinct)
			}
			for i := range 5 {
				if n := count[fmt.Sprintf("account-disabled u%d@example.com", i)]; n < 2 {
					t.Errorf("%s: u%d comes %d times", name, i, n)
				}
			}
		})
	}
}

// TestNothingIsSentTwice: polls that succeed send each record once, over pages and late records.
func TestNothingIsSentTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.graph.PageSize, s.graph.AuditDelay = 1, 3*time.Minute
		s.must(t)
		for i := range 60 {
			s.graph.SetEnabled(bob, i%2 == 1)
			s.must(t)
		}
		for range 5 {
			s.must(t)
		}
		_, ids := s.queued(t)
		slices.Sort(ids)
		if all, distinct := len(ids), len(slices.Compact(ids)); all != distinct || distinct != 30+60 {
			t.Errorf("%d events, %d distinct, want 90", all, distinct)
		}
		cursor, _, err := s.ledger.LoadCursor(t.Context(), provider)
		if err != nil || len(cursor.Sent) > 40 || cursor.Problem != "" || cursor.Succeeded.IsZero() {
			t.Errorf("%d remembered, %+v, %v", len(cursor.Sent), cursor, err)
		}
	})
}

// TestLostCursorBeginsAtNowAndSaysSo: in the ledger, or at Microsoft.
func TestLostCursorBeginsAtNowAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.must(t)
		s.graph.ForgetDeltas()
		s.must(t)
		read, _ := s.queued(t)
		if !slices.Equal(read, []string{"source-interrupted", "source-interrupted", "source-interrupted"}) {
			t.Errorf("%q, want the first poll, the users' cursor and the groups'", read)
		}
		if !strings.Contains(s.log.String(), "begins anew") {
			t.Error(s.log.String())
		}
		s.graph.SetEnabled(alice, false)
		s.must(t)
		if read, _ := s.queued(t); !slices.Contains(read, "account-disabled alice@example.com") {
			t.Errorf("%q", read)
		}
	})
}

// TestMissingPermissionIsNamed: exactly, and the other parts are read all the same.
func TestMissingPermissionIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.must(t)
		all := []string{"User.Read.All", "GroupMember.Read.All", "AuditLog.Read.All"}
		for i, missing := range all {
			s.graph.Permissions = slices.Delete(slices.Clone(all), i, i+1)
			err := s.run(t)
			if err == nil || !strings.Contains(err.Error(), "missing permission "+missing+" of Microsoft Graph") ||
				strings.Count(err.Error(), "missing permission") != 1 {
				t.Errorf("%v", err)
			}
			cursor, _, _ := s.ledger.LoadCursor(t.Context(), provider)
			if !strings.Contains(cursor.Problem, missing) {
				t.Errorf("the ledger says %q", cursor.Problem)
			}
		}
	})
}

// TestThrottlingIsWaitedFor: as long as Graph asks for it.
func TestThrottlingIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.must(t)
		s.graph.Throttle(7 * time.Second)
		before := time.Now().Add(time.Minute)
		s.must(t)
		if took := time.Since(before); took < 7*time.Second || took > 10*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// TestTokenGoesToGraphAlone: a page elsewhere is not followed.
func TestTokenGoesToGraphAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		for _, address := range []string{
			"https://evil.example/v1.0/users", "http://graph.evil.example/", "http://graph@evil.example/",
		} {
			if err := s.poller.graph.Get(t.Context(), address, &struct{}{}); err == nil || len(s.graph.Requests()) > 0 {
				t.Errorf("%s: %v", address, err)
			}
		}
	})
}

// TestSecretsStayOutOfTheLog: and out of the errors.
func TestSecretsStayOutOfTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, func(set *settings) { set.secret = secret })
		s.graph.Secret = "another"
		if _, err := s.handle(t.Context(), entra.Request{}); err != nil {
			t.Error(err)
		}
		if log := s.log.String(); !strings.Contains(log, "invalid_client") || strings.Contains(log, "hunter2") ||
			!strings.Contains(log, `"Verdict":"failed"`) {
			t.Error(log)
		}
		if _, err := s.handle(t.Context(), entra.Request{}); err != nil {
			t.Error(err)
		}
	})
}
