package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/ledger"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

const sweepStore = "d-9067123456"

// swept is a company in which the sweep finds something, or not.
type swept struct {
	*testing.T

	cloud *emulator.Cloud
	list  *ledger.Table
}

// sweeping returns a company whose people are connected, with a ledger.
func sweeping(t *testing.T, people ...string) swept {
	t.Helper()
	cloud := cloudWith()
	for _, name := range people {
		cloud.Connect(emulator.Client{EndpointID: endpoint, Username: name})
	}
	cloud.AddTable("ledger", "id")
	client, stop := emulator.HTTPClient(cloud)
	t.Cleanup(stop)
	return swept{t, cloud, ledger.New(aws.Config{
		Region: "eu-west-1", HTTPClient: client, BaseEndpoint: aws.String("http://stand-in"),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}, "ledger")}
}

// closed has the ledger know that an issuer closed a person's account an hour ago.
func (s swept) closed(person string) {
	s.Helper()
	at := time.Now().Add(-time.Hour)
	s.change(ledger.Change{Person: person, Close: &ledger.Closing{
		Issuer: "okta:example", Provider: "okta", OutcomeID: "okta " + person, Kind: "account-disabled",
		Reason: "user.lifecycle.deactivate", EventAt: at, Arrived: at,
	}})
}

// opened has the ledger know that an issuer opened it since.
func (s swept) opened(person, issuer string) {
	s.Helper()
	s.change(ledger.Change{Person: person, Lift: &ledger.Lift{
		Issuer: issuer, Causes: []ledger.Cause{ledger.Deprovisioning}, OutcomeID: "o", By: issuer,
		At: time.Now().Add(-time.Minute),
	}})
}

func (s swept) change(c ledger.Change) {
	s.Helper()
	if changed := s.list.SetAccess(s.Context(), []ledger.Change{c})[0]; changed.Err != nil {
		s.Fatal(changed.Err)
	}
}

// start starts the function, and returns it.
func (s swept) start(env ...string) *emulator.Function {
	s.Helper()
	return start(s.T, s.cloud, append([]string{"LEDGER_TABLE=ledger", "KEEP_OUT=off"}, env...)...)
}

// sweepEvent is the hourly one.
func sweepEvent(t *testing.T) []byte {
	t.Helper()
	raw, err := os.ReadFile("../../events/sweep/sweep.json")
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// sweep sweeps, and returns status and summary of each outcome, the sweep's own last.
func (s swept) sweep(f *emulator.Function) (all []string) {
	s.Helper()
	for _, o := range outcomes(s.T, invoke(s.T, f, sweepEvent(s.T))) {
		all = append(all, o.Status+": "+o.Summary)
	}
	if len(all) == 0 {
		s.Fatalf("no outcome\n%s", f.Logs())
	}
	return append(all[1:], all[0])
}

// TestSweepFindsWhomAnEventMissed: whose account a source closed, and who is connected all the same.
func TestSweepFindsWhomAnEventMissed(t *testing.T) {
	for name, test := range map[string]struct {
		person string
		lift   string // the issuer of a later opening
		env    string
		want   string
		up     int
	}{
		"closed and up": {person: "alice", want: "terminated: 1 VPN connection of alice ended.", up: 1},
		"reopened":      {person: "alice", lift: "okta:example", up: 2},
		"reopened by another": {
			person: "alice", lift: "duo:x", want: "terminated: 1 VPN connection of alice ended.", up: 1,
		},
		"exempt": {person: "breakglass", want: "exempt: Nobody was cut off: breakglass is exempt.", up: 2},
		"dry-run": {
			person: "alice", env: "MODE=dry-run", up: 2,
			want: "would-terminate: Dry-run: 1 VPN connection of alice would be terminated.",
		},
		"somebody else's name": {person: "malice", up: 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := sweeping(t, "alice@example.com", "breakglass@example.com")
			s.closed(test.person)
			if test.lift != "" {
				s.opened(test.person, test.lift)
			}
			f := s.start(test.env)
			got := s.sweep(f)
			if found := strings.Join(got[:len(got)-1], " "); found != test.want || up(s.cloud) != test.up {
				t.Errorf("found %q, %d up\n%s", found, up(s.cloud), f.Logs())
			}
			if again := s.sweep(f); len(again) != 1 {
				t.Errorf("the next sweep says %q", again)
			}
		})
	}
}

// TestSweepIsNoSecondWayToTerminate: more people than the policy allows are held, with events of their own.
func TestSweepIsNoSecondWayToTerminate(t *testing.T) {
	s := sweeping(t)
	for i := range 40 {
		name := fmt.Sprintf("person%d", i)
		s.cloud.Connect(emulator.Client{EndpointID: endpoint, Username: name})
		s.closed(name)
	}
	held, events := s.cloud.AddQueue("held"), s.cloud.AddQueue("events")
	f := s.start("HELD_QUEUE_URL="+held, "EVENT_QUEUE_URL="+events)
	for range 2 { // the second sweep holds nothing twice
		s.sweep(f)
		if n := len(s.cloud.Queued("held")); n != 40 || up(s.cloud) != 40 {
			t.Fatalf("%d are held, %d up\n%s", n, up(s.cloud), f.Logs())
		}
	}
	release := strings.ReplaceAll(string(ruling("Release Held")), `"source":"custom"`, `"source":"sweep"`)
	s.cloud.Send("events", release)
	deliver(t, s.cloud, f)
	if up(s.cloud) != 0 {
		t.Errorf("%d are up after the release\n%s", up(s.cloud), f.Logs())
	}
}

// TestSweepAsksTheIdentityStore: a person whom the store disabled is cut off, though no event came. And the store's
// word of today goes before its event of yesterday.
func TestSweepAsksTheIdentityStore(t *testing.T) {
	s := sweeping(t, "dave@example.com", "alice@example.com", "erin@example.com")
	const id = "9067123456-0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c0"
	s.cloud.AddUser(emulator.User{ID: id + "1", UserName: "dave", Email: "dave@example.com", Disabled: true})
	s.cloud.AddUser(emulator.User{ID: id + "2", UserName: "alice", Email: "alice@example.com"})
	s.cloud.AddUser(emulator.User{ID: id + "3", UserName: "erin", NoStatus: true})
	at := time.Now().Add(-time.Hour)
	s.change(ledger.Change{Person: "alice", Close: &ledger.Closing{
		Issuer: "identity-center:" + sweepStore, Provider: "identity-center", OutcomeID: "x", Kind: "account-disabled",
		EventAt: at, Arrived: at,
	}})
	got := s.sweep(s.start("IDENTITY_STORE_ID=" + sweepStore))
	if len(got) != 2 || got[0] != "terminated: 1 VPN connection of dave ended." || up(s.cloud) != 2 {
		t.Errorf("%q, %d up", got, up(s.cloud))
	}
}

// TestSweepLeavesTwoAccountsOfAPersonAlone if the store disabled one of them. That does not say that the person left.
func TestSweepLeavesTwoAccountsOfAPersonAlone(t *testing.T) {
	for _, disabled := range []string{"1", "2"} {
		s := sweeping(t, "dave@example.com")
		for n, name := range map[string]string{"1": "dave", "2": "dave@example.com"} {
			s.cloud.AddUser(emulator.User{ID: "9067123456-" + n, UserName: name, Disabled: n == disabled})
		}
		s.sweep(s.start("IDENTITY_STORE_ID=" + sweepStore))
		if up(s.cloud) != 1 {
			t.Errorf("%s is disabled, and the person was cut off", disabled)
		}
	}
}

// TestSweepSaysWhomNoEventCouldFind: and says it to people once a day, not every hour.
func TestSweepSaysWhomNoEventCouldFind(t *testing.T) {
	s := sweeping(t, "alice@example.com", "breakglass@example.com")
	s.cloud.Connect(emulator.Client{EndpointID: endpoint, CommonName: "svc-backup"})
	f := s.start("MESSAGE_TOPIC_ARN=" + text)
	want := "notified: 2 people are connected, and all of them could be found by name if they left now; svc-backup " +
		"could not. 1 of them exempt."
	for range 2 {
		if got := s.sweep(f); !slices.Equal(got, []string{want}) {
			t.Errorf("%q", got)
		}
	}
	mails := 0
	for _, m := range s.cloud.Published() {
		if m.TopicARN == text {
			mails++
		}
	}
	if mails != 1 {
		t.Errorf("%d mails", mails)
	}
	if n, err := s.list.Connected(t.Context()); n != 2 || err != nil {
		t.Errorf("the brake knows of %d people, %v", n, err)
	}
}

// TestSweepNamesSilentSourcesAndOldEntries: sources that say nothing for longer than ever before, and once a month who
// is kept out for ever for more than 90 days.
func TestSweepNamesSilentSourcesAndOldEntries(t *testing.T) {
	s := sweeping(t, "alice@example.com")
	for _, days := range []int{40, 30, 25} {
		if err := s.list.Heard(t.Context(), []string{"okta"}, time.Now().AddDate(0, 0, -days)); err != nil {
			t.Fatal(err)
		}
	}
	old := ledger.Entry{
		Person: "carol", Cause: ledger.Deprovisioning, Issuer: "okta:x", By: "okta", Since: time.Now().AddDate(0, 0, -100),
	}
	if _, err := s.list.Put(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	f := s.start()
	got := s.sweep(f)[0]
	for _, part := range []string{
		"okta has been silent since ", "1 person is kept out for ever for more than 90 days: carol, since ",
	} {
		if !strings.Contains(got, part) {
			t.Errorf("%q lacks %q", got, part)
		}
	}
	if again := s.sweep(f)[0]; strings.Contains(again, "for ever") {
		t.Errorf("an hour later: %q", again)
	}
}

// TestSweepWaitsForNobody: an event beside it in the batch is answered before anybody is swept.
func TestSweepWaitsForNobody(t *testing.T) {
	s := sweeping(t, "alice@example.com", "bob@example.com")
	s.closed("bob")
	answer := invoke(t, s.start(), batch(sweepEvent(t), leaver("e1", "alice@example.com")))
	var order []string
	for _, c := range s.cloud.Calls() {
		if c.Action == "TerminateClientVpnConnections" {
			order = append(order, c.Params.Get("ConnectionId")+c.Params.Get("Username"))
		}
	}
	first := s.cloud.Connections()[0].ID
	if string(answer.Payload) != `{"batchItemFailures":[]}` || up(s.cloud) != 0 || len(order) != 2 || order[0] != first {
		t.Errorf("%s, %d up, terminated %q", answer.Payload, up(s.cloud), order)
	}
}

// TestSweepSaysWhatItCouldNotAsk: an endpoint, the ledger or the identity store that does not answer hides nobody else.
func TestSweepSaysWhatItCouldNotAsk(t *testing.T) {
	for _, action := range []string{"DescribeClientVpnConnections", "BatchGetItem", "ListUsers"} {
		s := sweeping(t, "alice@example.com")
		s.cloud.Inject(emulator.Fault{Action: action, Code: "AccessDeniedException", Status: 403})
		got := s.sweep(s.start("IDENTITY_STORE_ID=" + sweepStore))
		if last := got[len(got)-1]; !strings.HasPrefix(last, "not-ready: Not everybody could be looked at: ") {
			t.Errorf("%s: %q", action, got)
		}
	}
}

// TestShareOfThoseWhomTheSweepCountedIsHeld: until a sweep has counted, the number of people alone limits.
func TestShareOfThoseWhomTheSweepCountedIsHeld(t *testing.T) {
	s := sweeping(t)
	leavers := massOf(s.cloud, 20)
	f := s.start("POLICY_FILE=" + policyWith(t, `brake: {people: 25, share: "20%"}`))
	invoke(t, f, batch(leavers[:5]...))
	if up(s.cloud) != 15 {
		t.Fatalf("nobody had counted, and %d are up\n%s", up(s.cloud), f.Logs())
	}
	s.cloud.AddTable("ledger", "id") // a new window
	s.sweep(f)                       // 20% of 15 are 3
	invoke(t, f, batch(leavers[5:8]...))
	if up(s.cloud) != 12 {
		t.Errorf("3 of 15 are no mass, and %d are up", up(s.cloud))
	}
	invoke(t, f, batch(leavers[8]))
	if up(s.cloud) != 12 || !strings.Contains(logs(f), "with them more than 3 people would be cut off") {
		t.Errorf("%d are up\n%s", up(s.cloud), logs(f))
	}
}

// TestSweepGoesOnWhereTheLastOneStopped: a store that cannot be read to its end in one sweep is read by two, and then
// from its beginning again.
func TestSweepGoesOnWhereTheLastOneStopped(t *testing.T) {
	s := sweeping(t, "zoe@example.com")
	const all = 101 // one page of 100, and one more
	for i := range all {
		u := emulator.User{ID: fmt.Sprintf("9067123456-0a1b2c3d-4e5f-4a6b-8c7d-%012d", i), UserName: fmt.Sprint("user", i)}
		if i == all-1 {
			u.UserName, u.Disabled = "zoe", true
		}
		s.cloud.AddUser(u)
	}
	s.cloud.Inject(emulator.Fault{Action: "ListUsers", After: 1, Times: 1, Code: "AccessDeniedException", Status: 403})
	f := s.start("IDENTITY_STORE_ID=" + sweepStore)
	if got := s.sweep(f); len(got) != 1 || !strings.Contains(got[0], "asked about 0; 1 are left for the next sweep.") {
		t.Fatalf("%q", got)
	}
	if last, err := s.list.LastSweep(t.Context()); last.Next == "" || err != nil {
		t.Errorf("the next sweep begins at the beginning, %v", err)
	}
	before := len(s.cloud.Calls())
	if got := s.sweep(f); len(got) != 2 || got[0] != "terminated: 1 VPN connection of zoe ended." {
		t.Errorf("%q", got)
	}
	pages := 0
	for _, c := range s.cloud.Calls()[before:] {
		if c.Action == "ListUsers" {
			pages++
		}
	}
	if last, err := s.list.LastSweep(t.Context()); pages != 1 || last.Next != "" || err != nil {
		t.Errorf("%d pages; the next sweep goes on at %q, %v", pages, last.Next, err)
	}
}

// TestTriedRequestClosesNothing: to ask with dry_run what would be done closes no account, so no sweep cuts the person
// off. Without dry_run, the same request does.
func TestTriedRequestClosesNothing(t *testing.T) {
	for tried, want := range map[string]int{`,"dry_run":true`: 2, ``: 1} {
		s := sweeping(t, "alice@example.com", "bob@example.com")
		at := time.Now().Add(-time.Hour)
		f := s.start()
		payload, err := json.Marshal(events.SQSEvent{Records: []events.SQSMessage{{
			MessageId: "1", EventSource: "aws:sqs",
			Body:       custom("tried", at, `"username":"alice","kind":"account-disabled"`+tried),
			Attributes: map[string]string{"SentTimestamp": fmt.Sprint(at.UnixMilli())},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		invoke(t, f, payload)
		if want == 1 { // or the sweep has nobody to find
			s.cloud.Connect(emulator.Client{EndpointID: endpoint, Username: "alice"})
		}
		got := s.sweep(f)
		if found := len(got) - 1; found != 2-want || up(s.cloud) != want {
			t.Errorf("%q: the sweep says %q, and %d are up\n%s", tried, got, up(s.cloud), f.Logs())
		}
	}
}

// TestSweepTriesAgainWhatWasIncomplete: EC2 refused, so the next sweep finds the person again.
func TestSweepTriesAgainWhatWasIncomplete(t *testing.T) {
	s := sweeping(t, "zoe@example.com")
	s.closed("zoe")
	s.cloud.Inject(emulator.Fault{
		Action: "TerminateClientVpnConnections", Code: "UnauthorizedOperation", Status: 403, Times: 1,
	})
	f := s.start("WATCH=0")
	invoke(t, f, batch(sweepEvent(t)))
	if up(s.cloud) != 1 {
		t.Fatalf("%d up", up(s.cloud))
	}
	if got := s.sweep(f); len(got) != 2 || got[0] != "terminated: 1 VPN connection of zoe ended." || up(s.cloud) != 0 {
		t.Errorf("%q, %d up", got, up(s.cloud))
	}
}
