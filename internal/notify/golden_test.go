package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/schema"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/vpn"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the goldens anew")

const (
	office = "cvpn-endpoint-0a1b2c3d4e5f60001"
	field  = "cvpn-endpoint-0a1b2c3d4e5f60002"
)

const rules = `version: 1
demonstration: true
identity:
  domains: [example.com, EXAMPLE]
  issuers: [iam:111122223333, ssf:https://idp.example.com/]
  aliases: {"okta:00u2": carol@example.com, "auth0:auth0|6a1b2c3d4e5f60718293a4b5": dave@example.com}
  common_names: ["{user}.vpn.example.com"]
exempt: [breakglass@example.com]
max_connections: 3
access: {okta: {groups: [VPN users]}}
rules:
  - name: movers
    when: {kinds: [token-claims-change]}
    then: terminate
  - name: leavers
    when: {kinds: [account-disabled, account-purged]}
    then: terminate
  - name: revoked-sessions
    when: {kinds: [session-revoked]}
    then: terminate
  - name: stolen-credentials
    when: {providers: [guardduty], severity: {min: 7}, max_age: 24h}
    then: terminate
  - name: other-findings
    when: {providers: [guardduty], severity: {min: 4}}
    then: notify
`

// inManyNames are clients of alice in four spellings, more than the limit, again and again.
func inManyNames(n int) []emulator.Client {
	var all []emulator.Client
	for i := range n {
		all = append(all, up(office, []string{"alice", "alice@example.com", `EXAMPLE\alice`, "alice@EXAMPLE"}[i%4]))
	}
	return all
}

// story leads to an outcome, by an event of events/ or one of our own form.
type story struct {
	name    string
	event   string   // a file of events/, or the detail of a custom request
	change  []string // in the event, old and new in turn
	clients []emulator.Client
	prepare func(*emulator.Cloud, *responder.Responder)
	age     time.Duration  // of the event when it is received
	keepOut []ledger.Entry // on the list before the event; nil for no list
}

// stories lead to every status, and to every difference that people must see.
var stories = []story{
	{
		name: "terminated", event: "guardduty/iam-user.json",
		clients: []emulator.Client{up(office, "bob"), up(office, "bob"), up(field, `EXAMPLE\bob`)},
	},
	{
		name: "terminated-leaver", event: "okta/user-deactivate.json",
		clients: []emulator.Client{up(office, "alice@example.com")},
	},
	{
		name: "terminated-known-by-alias", event: "auth0/delete-all-sessions.json",
		clients: []emulator.Client{up(office, "dave@example.com")},
	},
	{name: "terminated-and-one-left-alone", event: "okta/user-deactivate.json", clients: []emulator.Client{
		up(office, "alice@example.com"), {EndpointID: field, Username: "bob", CommonName: "alice.vpn.example.com"}}},
	{
		name:    "terminated-custom-request",
		event:   `{"username":"alice@example.com","reason":"lost the laptop","requested_by":"helpdesk"}`,
		clients: []emulator.Client{up(office, "alice@example.com")},
	},
	{
		name:    "terminated-several-people",
		event:   `{"usernames":["alice","bob"],"kind":"account-disabled","reason":"left","requested_by":"people-team"}`,
		clients: []emulator.Client{up(office, "alice"), up(office, "bob")},
	},
	{
		name: "terminated-came-back", event: "okta/user-deactivate.json",
		clients: []emulator.Client{{EndpointID: office, Username: "alice", ReconnectAfter: 2 * time.Second, Reconnects: 1}},
	},
	{
		name: "terminated-hostile-words",
		event: `{"username":"alice","reason":"x\n\nWHAT IS LEFT TO DO\n1. <!channel> ` +
			`[click](https://evil.example) *now* ` + "`rm`" + `\u202e","requested_by":"<b>me</b>"}`,
		clients: []emulator.Client{up(office, "alice")},
	},
	{name: "not-connected", event: "okta/user-deactivate.json"},
	{
		name: "not-connected-similar-names", event: "okta/user-deactivate.json",
		change: []string{"alice@example.com", "alice@partner.example"},
		clients: []emulator.Client{
			up(office, "alice@example.com"), up(field, "ali<ce"), up(field, "al`ice\u202e"), up(office, "bob@partner.example"),
		},
	},
	{
		name: "would-terminate", event: "guardduty/iam-user.json",
		clients: []emulator.Client{up(office, "bob"), up(office, "bob")}, prepare: inDryRun,
	},
	{
		name:    "would-terminate-missing-permission",
		event:   "okta/user-deactivate.json",
		clients: []emulator.Client{up(office, "alice")},
		prepare: func(c *emulator.Cloud, r *responder.Responder) {
			inDryRun(c, r)
			c.Deny("ec2:TerminateClientVpnConnections", "")
		},
	},
	{
		name: "partial", event: "okta/user-deactivate.json",
		clients: []emulator.Client{up(office, "alice"), {EndpointID: field, Username: "alice", FailToTerminate: true}},
	},
	{
		name:    "partial-missing-permission",
		event:   "okta/user-deactivate.json",
		clients: []emulator.Client{up(office, "alice"), up(field, "alice")},
		prepare: func(c *emulator.Cloud, _ *responder.Responder) {
			c.Deny("ec2:DescribeClientVpnConnections", field)
		},
	},
	{
		name: "reconnecting", event: "guardduty/iam-user.json",
		clients: []emulator.Client{{EndpointID: office, Username: "bob", ReconnectAfter: 2 * time.Second, Reconnects: -1}},
	},
	{
		name: "unverified", event: "okta/user-deactivate.json",
		clients: []emulator.Client{{EndpointID: office, Username: "alice", Stuck: true}},
	},
	{
		name: "exempt", event: "okta/user-deactivate-exempt.json",
		clients: []emulator.Client{up(office, "breakglass@example.com")},
	},
	{
		name: "exempt-on-the-connection", event: "okta/user-deactivate.json",
		clients: []emulator.Client{{EndpointID: field, Username: "alice", CommonName: "breakglass"}},
	},
	{name: "exempt-in-dry-run", event: "okta/user-deactivate-exempt.json", prepare: inDryRun},
	{name: "over-limit", event: "okta/user-deactivate.json", clients: inManyNames(4)},
	{name: "over-limit-by-far", event: "okta/user-deactivate.json", clients: inManyNames(300)},
	{
		name: "ambiguous", event: "okta/user-deactivate.json",
		clients: []emulator.Client{{EndpointID: field, Username: "bob", CommonName: "alice.vpn.example.com"}},
	},
	{
		name: "ambiguous-two-people", event: "okta/user-deactivate.json", change: []string{"00u1alice2EXAMPLE3d7", "00u2"},
		clients: []emulator.Client{up(office, "alice@example.com")},
	},
	{name: "unmapped-group-deleted", event: "okta/vpn-group-deleted.json"},
	{name: "unmapped-id", event: "identity-center/disable-user.json"},
	{
		name: "unmapped-user", event: "guardduty/iam-user.json",
		change: []string{`"accountId": "111122223333"`, `"accountId": "999988887777"`},
	},
	{name: "unmapped-role-session", event: "guardduty/untrusted-role-session.json"},
	{name: "unmapped-nobody", event: "guardduty/root.json", change: []string{`"severity": 2`, `"severity": 8`}},
	{name: "sample", event: "guardduty/sample.json"},
	{name: "stale", event: "guardduty/iam-user.json", age: 48 * time.Hour, clients: []emulator.Client{up(office, "bob")}},
	{
		name: "notified", event: "guardduty/iam-user.json", change: []string{`"severity": 8`, `"severity": 5`},
		clients: []emulator.Client{up(office, "bob")},
	},
	{name: "notified-archived", event: "guardduty/archived.json"},
	{name: "notified-not-yet", event: "custom/terminate-later.json"},
	{name: "ignored", event: "okta/user-activate.json"},
	{name: "failed", event: "okta/user-deactivate.json", prepare: func(c *emulator.Cloud, _ *responder.Responder) {
		c.Inject(emulator.Fault{Action: "DescribeClientVpnEndpoints", Code: "InternalError"})
	}},
	{
		name:    "failed-missing-permission",
		event:   "okta/user-deactivate.json",
		clients: []emulator.Client{up(office, "alice")},
		prepare: func(c *emulator.Cloud, _ *responder.Responder) {
			c.Deny("ec2:TerminateClientVpnConnections", "")
		},
	},
	{
		name:  "failed-missing-permission-to-look",
		event: "okta/user-deactivate.json",
		prepare: func(c *emulator.Cloud, _ *responder.Responder) {
			c.Deny("ec2:DescribeClientVpnEndpoints", "")
		},
	},
	{
		name: "failed-wrong-region", event: "okta/user-deactivate.json",
		prepare: func(c *emulator.Cloud, _ *responder.Responder) { c.Reset() },
	},
	{name: "ready", event: "custom/self-test.json"},
	{name: "not-ready", event: "custom/self-test.json", prepare: func(c *emulator.Cloud, _ *responder.Responder) {
		c.Deny("ec2:TerminateClientVpnConnections", field)
	}},
	{name: "partial-and-one-exempt", event: "okta/user-deactivate.json", clients: []emulator.Client{
		up(
			office,
			"alice",
		),
		{EndpointID: office, Username: "alice", FailToTerminate: true},
		{EndpointID: field, Username: "alice", CommonName: "breakglass"},
	}},
	{
		name: "terminated-kept-out", event: "guardduty/iam-user.json", clients: []emulator.Client{up(office, "bob")},
		keepOut: []ledger.Entry{},
	},
	{
		name: "terminated-leaver-kept-out", event: "okta/user-deactivate.json",
		clients: []emulator.Client{up(office, "alice")}, keepOut: []ledger.Entry{},
	},
	{name: "not-connected-kept-out", event: "okta/user-deactivate.json", keepOut: []ledger.Entry{}},
	{
		name: "would-terminate-kept-out", event: "guardduty/iam-user.json", clients: []emulator.Client{up(office, "bob")},
		prepare: inDryRun, keepOut: []ledger.Entry{},
	},
	{
		name: "reconnecting-kept-out", event: "guardduty/iam-user.json",
		clients: []emulator.Client{{EndpointID: office, Username: "bob", ReconnectAfter: 2 * time.Second, Reconnects: -1}},
		keepOut: []ledger.Entry{},
	},
	{
		name: "partial-not-kept-out", event: "okta/user-deactivate.json", clients: []emulator.Client{up(office, "alice")},
		prepare: noList, keepOut: []ledger.Entry{},
	},
	{name: "failed-not-kept-out", event: "okta/user-deactivate.json", prepare: noList, keepOut: []ledger.Entry{}},
	{
		name:  "notified-reinstated",
		event: "okta/user-activate.json",
		keepOut: []ledger.Entry{
			{Person: "alice", Cause: ledger.Deprovisioning, Reason: "user.lifecycle.deactivate", By: "okta"},
		},
	},
	{
		name: "terminated-reinstated-meanwhile", event: "okta/user-deactivate.json",
		clients: []emulator.Client{up(office, "alice")}, keepOut: []ledger.Entry{}, prepare: reinstatedMeanwhile,
	},
	{
		name: "stale-reinstated-meanwhile", event: "okta/user-deactivate.json",
		keepOut: []ledger.Entry{}, prepare: reinstatedMeanwhile,
	},
	{
		name:   "notified-reinstated-by-request",
		event:  `{"username":"bob","reason":"a penetration test","requested_by":"helpdesk"}`,
		change: []string{"Terminate Connections", "Reinstate"},
		keepOut: []ledger.Entry{
			{Person: "bob", Cause: ledger.Finding, Reason: "Exfiltration:IAMUser/AnomalousBehavior", By: "guardduty"},
		},
	},
	{
		name:    "notified-reinstated-in-dry-run",
		event:   "okta/user-activate.json",
		prepare: inDryRun,
		keepOut: []ledger.Entry{
			{Person: "alice", Cause: ledger.Deprovisioning, Reason: "user.lifecycle.deactivate", By: "okta"},
		},
	},
	{
		name:  "notified-stays-kept-out",
		event: "okta/user-activate.json",
		keepOut: []ledger.Entry{
			{Person: "alice", Cause: ledger.Finding, Reason: "Exfiltration:IAMUser/AnomalousBehavior", By: "guardduty"},
		},
	},
	{name: "failed-reinstatement", event: "okta/user-activate.json", prepare: noList, keepOut: []ledger.Entry{}},
	{
		name: "ambiguous-reinstatement", event: "okta/user-activate.json",
		change: []string{"00u1alice2EXAMPLE3d7", "00u2"}, keepOut: []ledger.Entry{},
	},
	{name: "failed-policy", event: "okta/user-deactivate.json", prepare: func(_ *emulator.Cloud, r *responder.Responder) {
		r.Policy, r.PolicyError = nil, errors.New("policy.yaml:2:1: excempt: unknown key")
	}},
}

var place = Place{
	Stack: "clientvpn-responder", Region: "eu-west-1", LogGroup: "/aws/lambda/responder",
	Stop: "aws dynamodb put-item --table-name ledger --item '{\"id\":{\"S\":\"switch#off\"}}'",
}

// requestID depends on which of several endpoints is asked first.
var requestID = regexp.MustCompile(`RequestID: [0-9a-f-]+`)

func up(endpoint, username string) emulator.Client {
	return emulator.Client{EndpointID: endpoint, Username: username}
}

func noList(c *emulator.Cloud, _ *responder.Responder) { c.Deny("dynamodb:UpdateItem", "keepout") }

// reinstatedMeanwhile has another instance get the opening during the watch, and alice connect again.
func reinstatedMeanwhile(c *emulator.Cloud, r *responder.Responder) {
	list := r.KeepOut.(*ledger.Table)
	r.Ledger = list
	go func() {
		time.Sleep(time.Hour + 14*time.Second)
		lift := ledger.Lift{Issuer: "okta", Causes: []ledger.Cause{ledger.Deprovisioning}, By: "okta"}
		if _, err := list.Lift(context.Background(), "alice", lift); err != nil {
			panic(err)
		}
		c.Connect(up(office, "alice"))
	}()
}

func inDryRun(_ *emulator.Cloud, r *responder.Responder) { r.Mode = policy.DryRun }

// TestWhatPeopleRead: the e-mail and the chat notification of every story, as goldens to be read. They keep SNS's and
// Amazon Q's limits, and the JSON message beside them keeps its schema.
func TestWhatPeopleRead(t *testing.T) {
	seen := map[responder.Status]bool{}
	for _, story := range stories {
		t.Run(story.name, func(t *testing.T) {
			for i, o := range story.live(t) {
				seen[o.Status] = true
				if !strings.HasPrefix(story.name, string(o.Status)) && !strings.HasPrefix(story.name, "would-terminate-missing") {
					t.Errorf("it ends with %s", o.Status)
				}
				if _, body, err := document(o); err != nil {
					t.Error(err)
				} else if err := schema.Check([]byte(body)); err != nil {
					t.Errorf("%v\n%s", err, body)
				}
				subject, body, err := writer{place}.text(o)
				if err != nil || len(subject) > 99 || subject != ascii(subject) || !strings.HasPrefix(subject, word(o)+" ") ||
					!strings.HasPrefix(body, word(o)+": ") {
					t.Errorf("%v: %q, %d characters", err, subject, len(subject))
				}
				if dry := o.Decision.Mode == policy.DryRun; strings.HasPrefix(subject, "DRY-RUN") != dry ||
					strings.HasPrefix(body, "DRY-RUN") != dry {
					t.Errorf("mode %s: %q", o.Decision.Mode, subject)
				}
				// Who was left alone may be somebody else: no message may have a command that cuts them off.
				_, chatBody, _ := chat(o)
				for _, s := range o.Spared {
					if command := "--connection-id " + s.ID; strings.Contains(body, command) || strings.Contains(chatBody, command) {
						t.Errorf("it tells how to end %s, which was left alone:\n%s", s.ID, body)
					}
				}
				if len(body) > 20_000 || !utf8.ValidString(body) {
					t.Errorf("the body has %d bytes", len(body))
				}
				golden := filepath.Join("testdata", story.name+".txt")
				if i > 0 {
					golden = filepath.Join("testdata", fmt.Sprintf("%s-%d.txt", story.name, i+1))
				}
				told := "Subject: " + subject + "\n\n" + body + "\n── chat ──\n" + chatIsKept(t, o)
				compare(t, golden, requestID.ReplaceAllString(told, "RequestID: (id)"))
			}
		})
	}
	for _, status := range []responder.Status{
		responder.Terminated, responder.NotConnected, responder.WouldTerminate, responder.Partial,
		responder.Reconnecting, responder.Unverified, responder.Exempt, responder.OverLimit, responder.Ambiguous,
		responder.Unmapped, responder.Sample, responder.Stale, responder.Notified, responder.Ignored,
		responder.Failed, responder.Ready, responder.NotReady,
	} {
		if !seen[status] {
			t.Errorf("no story ends with %s", status)
		}
	}
}

// signals returns what the story's event says.
func (s story) signals(t *testing.T) []signal.Signal {
	t.Helper()
	raw := []byte(`{"version":"0","id":"7bf73129-1428-4cd3-a780-95db273d1602","detail-type":"Terminate Connections",` +
		`"source":"clientvpn-responder","account":"111122223333","time":"2026-11-20T10:00:00Z","region":"eu-west-1",` +
		`"resources":[],"detail":` + s.event + `}`)
	if strings.HasSuffix(s.event, ".json") {
		var err error
		if raw, err = os.ReadFile(filepath.Join("..", "..", "events", s.event)); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; i < len(s.change); i += 2 {
		if !bytes.Contains(raw, []byte(s.change[i])) {
			t.Fatalf("%s has no %s", s.event, s.change[i])
		}
		raw = bytes.ReplaceAll(raw, []byte(s.change[i]), []byte(s.change[i+1]))
	}
	signals, err := signal.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return signals
}

// live returns the outcomes of the story in virtual time, with the real SDK over HTTP.
func (s story) live(t *testing.T) []responder.Outcome {
	t.Helper()
	signals := s.signals(t)
	outcomes := make([]responder.Outcome, len(signals))
	synctest.Test(t, func(t *testing.T) {
		cloud := &emulator.Cloud{TerminateTime: 3 * time.Second}
		cloud.AddEndpoint(emulator.Endpoint{ID: office, Description: "office"})
		cloud.AddEndpoint(emulator.Endpoint{ID: field, Description: "field"})
		client, stop := emulator.HTTPClient(cloud)
		defer stop()
		cfg := aws.Config{
			Region: "eu-west-1", BaseEndpoint: aws.String("http://aws.test"), HTTPClient: client,
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
			}),
		}
		r := &responder.Responder{
			Mode: policy.Enforce, Watch: 15 * time.Second, PolicyHash: "sha256:" + strings.Repeat("0", 64),
			VPN: vpn.New(cfg, nil),
		}
		time.Sleep(time.Until(signals[0].Time) - time.Hour) // virtual time begins in 2000
		s.install(t, cloud, cfg, r)
		time.Sleep(time.Hour + 9*time.Second + s.age)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		inv := responder.Invocation{ReceivedAt: time.Now(), Account: "111122223333"}
		for i, o := range r.Respond(ctx, inv, signals) {
			outcomes[i] = o
		}
	})
	return outcomes
}

// install sets the responder's policy and keep-out list as in the story, and connects its clients.
func (s story) install(t *testing.T, cloud *emulator.Cloud, cfg aws.Config, r *responder.Responder) {
	t.Helper()
	document := rules
	if s.keepOut != nil {
		cloud.AddTable("keepout", "id")
		list := ledger.New(cfg, "keepout")
		for _, e := range s.keepOut {
			if _, err := list.Put(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		r.KeepOut = list
		const leavers, findings = "[account-disabled, account-purged]}\n    then: terminate\n", "24h}\n    then: terminate\n"
		document = strings.NewReplacer(
			leavers, leavers+"    keep_out: forever\n", findings, findings+"    keep_out: 24h\n",
		).Replace(rules)
	}
	p, err := policy.Parse("policy.yaml", []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	r.Policy = p
	for _, k := range s.clients {
		cloud.Connect(k)
	}
	if s.prepare != nil {
		s.prepare(cloud, r)
	}
}

// chatIsKept returns the notification, indented, if it keeps Amazon Q's limits.
func chatIsKept(t *testing.T, o responder.Outcome) string {
	t.Helper()
	_, body, err := chat(o)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.DisallowUnknownFields()
	var n notification
	if err := decoder.Decode(&n); err != nil {
		t.Fatal(err)
	}
	within := func(what, s string, limit int) {
		if utf8.RuneCountInString(s) > limit || s == "" {
			t.Errorf("%s has %d characters, of at most %d and at least one: %s", what, utf8.RuneCountInString(s), limit, s)
		}
	}
	within("title", n.Content.Title, 250)
	within("description", n.Content.Description, 8000)
	for _, s := range n.Content.NextSteps {
		within("next step", s, 350)
	}
	for _, s := range n.Content.Keywords {
		within("keyword", s, 75)
	}
	if n.Version != "1.0" || n.Source != "custom" || n.Content.TextType != "client-markdown" ||
		n.Metadata.ThreadID == "" || len(body) > 262_144 || len(n.Content.NextSteps) == 0 ||
		!strings.HasPrefix(n.Content.Title, word(o)+" ") {
		t.Errorf("%+v", n)
	}
	if strings.ContainsAny(n.Content.Title+n.Content.Description+strings.Join(n.Content.NextSteps, ""), "<>`[]*") {
		t.Errorf("markup in %+v", n.Content)
	}
	var pretty bytes.Buffer
	encoder := json.NewEncoder(&pretty)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(n); err != nil {
		t.Fatal(err)
	}
	return pretty.String()
}

func compare(t *testing.T, golden, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatalf("%v; write it with: go test ./internal/notify -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-golden +seen):\n%s", golden, diff)
	}
}

// TestEveryProviderHasAName that people know it by.
func TestEveryProviderHasAName(t *testing.T) {
	for _, name := range signal.Providers() {
		if providers[name] == "" {
			t.Errorf("%s has none", name)
		}
	}
}
