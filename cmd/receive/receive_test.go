package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/signal"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-jose/go-jose/v4"
)

const (
	okta  = "https://acme.okta.com"
	host  = "abc.lambda-url.eu-west-1.on.aws"
	table = "ledger"
	queue = "events"
	// provider is a SAML provider that IAM does not let the function read.
	provider = "arn:aws:iam::111122223333:saml-provider/okta"
)

// binary is the real handler, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(emulator.WithProgram(&binary, m.Run)) }

var trackSources = sync.OnceValue(func() error {
	return emulator.Track("../../internal", "../../cmd/receive", "../../go.mod")
})

// stage is the function with a cloud, and with an issuer of its own.
type stage struct {
	cloud    *emulator.Cloud
	function *emulator.Function
	key      *ecdsa.PrivateKey
	fetched  atomic.Int64 // how often the function read the issuer's keys
}

func (s *stage) fetches() int64 { return s.fetched.Load() }

// newStage starts the function with a door of each kind.
func newStage(t *testing.T) *stage {
	t.Helper()
	if err := trackSources(); err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1"}}})
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{cloud: &emulator.Cloud{}, key: key}
	keys, stopKeys, err := emulator.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.fetched.Add(1)
		w.Write(set)
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stopKeys)
	s.cloud.AddTable(table, "id")
	url, stop, err := emulator.Serve(s.cloud)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	doors := fmt.Sprintf(`[
		{"path": "/logout", "accepts": "universal-logout", "issuer": %q, "keys": %q},
		{"path": "/saml", "accepts": "universal-logout", "issuer": %[1]q, "saml_provider": %[3]q},
		{"path": "/ssf", "accepts": "shared-signals", "issuer": %[1]q, "keys": %[2]q, "audience": "vpn"}]`,
		okta, keys, provider)
	s.function, err = emulator.Start(t.Context(), binary, []string{
		"AWS_ENDPOINT_URL=" + url, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "DOORS=" + doors,
		"EVENT_QUEUE_URL=" + s.cloud.AddQueue(queue), "LEDGER_TABLE=" + table,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.function.Close() })
	return s
}

// logout returns a token of Universal Logout with the id.
func (s *stage) logout(t *testing.T, id string) string {
	t.Helper()
	now := time.Now().Unix()
	return s.sign(t, "global-token-revocation+jwt", map[string]any{
		"iss": okta, "sub": "0oa1", "aud": "https://" + host + "/logout", "jti": id, "iat": now, "exp": now + 300,
	})
}

func (s *stage) sign(t *testing.T, typ string, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: s.key, KeyID: "1"}},
		(&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// post sends a request to the function's URL, as Lambda passes it on, and returns the answer.
func (s *stage) post(t *testing.T, path, mediaType, token, body string) events.LambdaFunctionURLResponse {
	t.Helper()
	e := events.LambdaFunctionURLRequest{Version: "2.0", RawPath: path, Headers: map[string]string{
		"content-type": mediaType, "authorization": "Bearer " + token, "x-forwarded-for": "203.0.113.7",
	}, Body: base64.StdEncoding.EncodeToString([]byte(body)), IsBase64Encoded: true}
	e.RequestContext.DomainName = host
	e.RequestContext.HTTP.Method, e.RequestContext.HTTP.SourceIP = "POST", "203.0.113.7"
	payload, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := s.function.Invoke(t.Context(), payload)
	if err != nil || answer.Failure != nil {
		t.Fatalf("%v %+v\n%s", err, answer.Failure, s.function.Logs())
	}
	var r events.LambdaFunctionURLResponse
	if err := json.Unmarshal(answer.Payload, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func body(name string) string {
	return fmt.Sprintf(`{"sub_id": {"format": "email", "email": %q}}`, name)
}

// queued returns the people about whom there are events in the queue, by the responder's own parser.
func (s *stage) queued(t *testing.T) (people []string) {
	t.Helper()
	for _, m := range s.cloud.Queued(queue) {
		signals, err := signal.Parse([]byte(m.Body))
		if err != nil {
			t.Fatalf("%v: %s", err, m.Body)
		}
		for _, one := range signals {
			people = append(people, one.Subject.String())
		}
	}
	return people
}

// TestDoorsStoreBeforeTheyAnswer: the events are in the queue once the sender has its answer, in the form that the
// responder reads.
func TestDoorsStoreBeforeTheyAnswer(t *testing.T) {
	s := newStage(t)
	r := s.post(t, "/logout", "application/json; charset=utf-8", s.logout(t, "1"), body("alice@example.com"))
	if r.StatusCode != 204 || r.Body != "" {
		t.Errorf("%+v\n%s", r, s.function.Logs())
	}
	set := s.sign(t, "secevent+jwt", map[string]any{
		"iss": okta, "aud": "vpn", "jti": "2", "iat": time.Now().Unix(),
		"sub_id": map[string]string{"format": "email", "email": "bob@example.com"},
		"events": map[string]any{"https://schemas.openid.net/secevent/risc/event-type/account-purged": map[string]any{}},
	})
	if r := s.post(t, "/ssf", "application/secevent+jwt", "", set); r.StatusCode != 202 || r.Body != "" {
		t.Errorf("%+v", r)
	}
	if got := fmt.Sprint(s.queued(t)); got != "[alice@example.com bob@example.com]" {
		t.Error(got)
	}
	var e struct{ Account, Region, Source, Door string }
	if err := json.Unmarshal([]byte(s.cloud.Queued(queue)[0].Body), &e); err != nil || e.Account != "111122223333" ||
		e.Region != "eu-west-1" || e.Source != "custom.ssf" || e.Door != "/logout" {
		t.Errorf("%+v %v", e, err)
	}
}

// TestTokenIsGoodForOneBody: a thief of a token cannot sign out another person with it. The sender may repeat a
// request that had no answer.
func TestTokenIsGoodForOneBody(t *testing.T) {
	s := newStage(t)
	token := s.logout(t, "1")
	for _, test := range []struct {
		name   string
		status int
	}{{"alice@example.com", 204}, {"alice@example.com", 204}, {"bob@example.com", 401}} {
		if r := s.post(t, "/logout", "application/json", token, body(test.name)); r.StatusCode != test.status {
			t.Errorf("%s: %+v", test.name, r)
		}
	}
	var ids []string
	for _, m := range s.cloud.Queued(queue) {
		var e struct{ ID string }
		if err := json.Unmarshal([]byte(m.Body), &e); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.ID)
	}
	if len(ids) != 2 || ids[0] != ids[1] || strings.Contains(fmt.Sprint(s.queued(t)), "bob") {
		t.Errorf("%q %q", ids, s.queued(t))
	}
}

// TestNothingIsAcceptedThatIsNotStored: with the queue or the ledger out of reach, the sender is asked to try again.
func TestNothingIsAcceptedThatIsNotStored(t *testing.T) {
	for action, name := range map[string]string{"sqs:SendMessage": queue, "dynamodb:UpdateItem": table} {
		s := newStage(t)
		s.cloud.Deny(action, name)
		r := s.post(t, "/logout", "application/json", s.logout(t, "1"), body("alice@example.com"))
		if r.StatusCode != 503 || r.Headers["Retry-After"] == "" || len(s.queued(t)) > 0 {
			t.Errorf("%s: %+v", action, r)
		}
	}
}

// TestLogSaysWhatFailed: a permission that is missing reads as such in the log, and not in the answer.
func TestLogSaysWhatFailed(t *testing.T) {
	s := newStage(t)
	s.cloud.Deny("iam:GetSAMLProvider", "")
	s.cloud.Deny("sqs:SendMessage", "")
	for _, path := range []string{"/saml", "/logout"} {
		r := s.post(t, path, "application/json", s.logout(t, "1"), body("alice@example.com"))
		if r.StatusCode != 503 || r.Body != "" {
			t.Errorf("%s: %+v", path, r)
		}
	}
	s.function.Close()
	for _, want := range []string{
		"missing permission iam:GetSAMLProvider; list the provider in SamlProviderArns: " +
			"IAM answers 403 Forbidden AccessDenied",
		"storing the event in the queue",
	} {
		if log := string(s.function.Logs()); strings.Count(log, `"error":"`) != 2 || !strings.Contains(log, want) {
			t.Errorf("want %s: %s", want, log)
		}
	}
}

// TestRequestsAreCounted: by verdict, without tokens and names.
func TestRequestsAreCounted(t *testing.T) {
	s := newStage(t)
	token := s.logout(t, "1")
	s.post(t, "/logout", "application/json", token, body("alice@example.com"))
	s.post(t, "/logout", "application/json", token+"x", body("alice@example.com"))
	s.post(t, "/<script>", "application/json", token, body("alice@example.com"))
	s.cloud.Deny("sqs:SendMessage", "")
	s.post(t, "/logout", "application/json", s.logout(t, "2"), body("alice@example.com"))
	s.function.Close()
	var verdicts []string
	for line := range bytes.Lines(s.function.Logs()) {
		var e struct {
			Message, Verdict, Door, Why string
			DoorRequests                int
		}
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		if e.Message == "door" && e.DoorRequests == 1 {
			verdicts = append(verdicts, strings.TrimSpace(e.Verdict+" "+e.Door+" "+e.Why))
		}
	}
	want := `["accepted /logout" "refused /logout no key of the issuer made the signature" ` +
		`"refused  no door has this path" "unavailable /logout the event could not be stored"]`
	if got := fmt.Sprintf("%q", verdicts); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if !strings.Contains(string(s.function.Logs()), `"Dimensions":[["Verdict","Function"]]`) {
		t.Error("the metrics of two stacks add up")
	}
	for _, secret := range []string{token, "alice", "<script>"} {
		if strings.Contains(string(s.function.Logs()), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

// TestProblemsOfTheConfigurationAreNamed: all at once, each with its variable.
func TestProblemsOfTheConfigurationAreNamed(t *testing.T) {
	_, err := emulator.Start(t.Context(), binary, []string{
		`DOORS=[{"path": "logout", "accepts": "x"}]`, "EVENT_QUEUE_URL=x",
	})
	if err == nil {
		t.Fatal("it starts")
	}
	for _, want := range []string{
		`DOORS: door 1, path: \"logout\" is not a path like /okta`, `DOORS: door 1, issuer: missing`,
		`DOORS: door 1, keys: write either keys or saml_provider`, `EVENT_QUEUE_URL: \"x\" is not the URL of a queue`,
		"LEDGER_TABLE: missing",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nlacks %s", err, want)
		}
	}
}
