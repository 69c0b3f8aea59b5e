package responder_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/schema"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/vpn"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const (
	saml  = "cvpn-endpoint-00000000000000001"
	ad    = "cvpn-endpoint-00000000000000002"
	certs = "cvpn-endpoint-00000000000000003"
)

// tooMany are more names of alice than the rules allow at a time. Ten clients of one name are not.
var tooMany = []string{"alice", "alice@example.com", `example.com\alice`, "alice@example", `example\alice`}

const rules = `version: 1
demonstration: true
identity:
  domains: [example.com, EXAMPLE]
  issuers: [iam:111122223333]
  aliases: {"okta:00u1": alice@example.com}
  common_names: ["{user}.vpn.example.com"]
exempt: [breakglass@example.com]
max_connections: 4
rules:
  - name: leavers
    when: {kinds: [account-disabled]}
    then: terminate
  - name: findings
    when: {kinds: [finding], max_age: 24h}
    then: terminate
  - name: watched
    when: {kinds: [account-purged]}
    then: terminate
    mode: dry-run
  - name: risks
    when: {kinds: [risk-level-change]}
    then: notify
`

// inCompany runs a test in virtual time in a company with three endpoints, with the real SDK over HTTP.
func inCompany(t *testing.T, test func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder)) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &emulator.Cloud{TerminateTime: time.Second}
		cloud.AddEndpoint(emulator.Endpoint{ID: saml})
		cloud.AddEndpoint(emulator.Endpoint{ID: ad})
		cloud.AddEndpoint(emulator.Endpoint{ID: certs, TransitGateway: "tgw-0123456789abcdef0"})
		client, stop := emulator.HTTPClient(cloud)
		defer stop()
		test(t, cloud, &responder.Responder{
			Policy: parsed(t, rules), Mode: policy.Enforce, Watch: 15 * time.Second,
			VPN: vpn.New(config(client), nil),
		})
	})
}

// parsed returns the policy of a document.
func parsed(t *testing.T, document string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse("policy.yaml", []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func config(client *http.Client) aws.Config {
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String("http://ec2.test"), HTTPClient: client,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
}

func about(subject signal.Subject) signal.Signal {
	return signal.Signal{
		ID:       "1",
		Provider: "okta",
		Kind:     signal.AccountDisabled,
		Type:     "user.lifecycle.deactivate",
		Subject:  subject,
		Time:     time.Now(),
	}
}

var alice = signal.Subject{Usernames: []string{"alice@example.com"}}

func respond(t *testing.T, r *responder.Responder, signals ...signal.Signal) []responder.Outcome {
	t.Helper()
	return respondWithin(t.Context(), t, r, signals...)
}

// respondWithin returns the outcomes for the signals, in the time that ctx leaves. Each must be what the schema
// describes.
func respondWithin(
	ctx context.Context,
	t *testing.T,
	r *responder.Responder,
	signals ...signal.Signal,
) []responder.Outcome {
	t.Helper()
	outcomes := make([]responder.Outcome, len(signals))
	for i, o := range r.Respond(ctx, responder.Invocation{Account: "111122223333", ReceivedAt: time.Now()}, signals) {
		if outcomes[i].Status != "" {
			t.Fatalf("a second outcome for signal %d", i)
		}
		outcomes[i] = o
	}
	for i, o := range outcomes {
		if o.Status == "" {
			t.Fatalf("no outcome for signal %d", i)
		}
		raw, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Check(raw); err != nil {
			t.Errorf("%v\n%s", err, raw)
		}
	}
	return outcomes
}

// up lists who is connected: everybody whose tunnel carries traffic.
func up(cloud *emulator.Cloud) []string {
	var names []string
	for _, c := range cloud.Connections() {
		if c.EndedAt.IsZero() {
			names = append(names, c.Username+"/"+c.CommonName)
		}
	}
	return names
}

func actions(cloud *emulator.Cloud) map[string]int {
	counts := map[string]int{}
	for _, c := range cloud.Calls() {
		counts[strings.TrimSuffix(c.Action, "s")]++
	}
	return counts
}

// inManyNames are clients on an endpoint under more names than the rules allow.
func inManyNames(endpointID string) []emulator.Client {
	var all []emulator.Client
	for _, name := range tooMany {
		all = append(all, emulator.Client{EndpointID: endpointID, Username: name})
	}
	return all
}
