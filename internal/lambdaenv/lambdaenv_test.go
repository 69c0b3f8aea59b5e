package lambdaenv_test

import (
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/lambdaenv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// TestServicesGoWhereTheyAreSent: a service's own URL wins over the one for all services. Neither counts if the
// environment says to ignore them.
func TestServicesGoWhereTheyAreSent(t *testing.T) {
	environment(t)
	all, one := &emulator.Cloud{}, &emulator.Cloud{}
	for name, cloud := range map[string]*emulator.Cloud{"AWS_ENDPOINT_URL": all, "AWS_ENDPOINT_URL_SNS": one} {
		url, stop, err := emulator.Serve(cloud)
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
		t.Setenv(name, url)
	}
	cfg := load(t)
	topic := aws.String("arn:aws:sns:eu-west-1:111122223333:outcomes")
	if _, err := sns.NewFromConfig(cfg).GetTopicAttributes(t.Context(),
		&sns.GetTopicAttributesInput{TopicArn: topic}); err != nil {
		t.Error(err)
	}
	// The table does not exist; only the stand-in can know that.
	_, err := dynamodb.NewFromConfig(cfg).Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("none")})
	if err == nil || len(one.Calls()) != 1 || len(all.Calls()) != 1 {
		t.Errorf("%v, %d calls of one service, %d of all others", err, len(one.Calls()), len(all.Calls()))
	}
	t.Setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
	if o := sns.NewFromConfig(load(t)).Options(); o.BaseEndpoint != nil {
		t.Errorf("goes to %s", *o.BaseEndpoint)
	}
}

// TestWarmFunctionKeepsItsConnections: the second time, so many calls side by side open no connection.
func TestWarmFunctionKeepsItsConnections(t *testing.T) {
	environment(t)
	const calls = 200 // as many accounts in one Region
	var opened atomic.Int32
	arrived := make(chan struct{}, calls)
	answer := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-answer
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	cfg := load(t)
	for range 2 {
		var group sync.WaitGroup
		for range calls {
			group.Go(func() { get(t, cfg, server.URL) })
		}
		for range calls {
			<-arrived
		}
		for range calls {
			answer <- struct{}{}
		}
		group.Wait()
	}
	if n := opened.Load(); n != calls {
		t.Errorf("%d connections for %d calls side by side, twice", n, calls)
	}
}

// get makes a request and reads the answer to its end.
func get(t *testing.T, cfg aws.Config, url string) {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Error(err)
		return
	}
	response, err := cfg.HTTPClient.Do(request)
	if err != nil {
		t.Error(err)
		return
	}
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Error(err)
	}
	response.Body.Close()
}

func TestKindsOfEndpoints(t *testing.T) {
	environment(t)
	plain := sns.NewFromConfig(load(t)).Options().EndpointOptions
	t.Setenv("AWS_USE_FIPS_ENDPOINT", "true")
	t.Setenv("AWS_USE_DUALSTACK_ENDPOINT", "TRUE")
	special := sns.NewFromConfig(load(t)).Options().EndpointOptions
	if plain.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled ||
		plain.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled ||
		special.UseFIPSEndpoint != aws.FIPSEndpointStateEnabled ||
		special.UseDualStackEndpoint != aws.DualStackEndpointStateEnabled {
		t.Errorf("%+v, %+v", plain, special)
	}
}

func TestCredentials(t *testing.T) {
	environment(t)
	t.Setenv("AWS_SESSION_TOKEN", "token")
	cfg := load(t)
	if c, err := cfg.Credentials.Retrieve(t.Context()); err != nil || c.AccessKeyID != "key" ||
		c.SecretAccessKey != "secret" || c.SessionToken != "token" || cfg.Region != "eu-west-1" {
		t.Errorf("%+v, %v", c, err)
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	if _, err := load(t).Credentials.Retrieve(t.Context()); err == nil ||
		!strings.Contains(err.Error(), "AWS_SECRET_ACCESS_KEY") {
		t.Error(err)
	}
}

// TestOwnCertificateAuthority: a server whose certificate only the bundle knows is trusted with the bundle only.
func TestOwnCertificateAuthority(t *testing.T) {
	environment(t)
	server := httptest.NewTLSServer(&emulator.Cloud{})
	defer server.Close()
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	ask := func(cfg aws.Config) error {
		_, err := sns.NewFromConfig(cfg).GetTopicAttributes(t.Context(),
			&sns.GetTopicAttributesInput{TopicArn: aws.String("arn:aws:sns:eu-west-1:111122223333:outcomes")},
			func(o *sns.Options) {
				o.Retryer = aws.NopRetryer{}
			})
		return err
	}
	if err := ask(load(t)); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Error(err)
	}
	file := filepath.Join(t.TempDir(), "bundle.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
		0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CA_BUNDLE", file)
	cfg := load(t)
	if err := errors.Join(ask(cfg), ask(lambdaenv.WithAttempt(cfg, time.Minute))); err != nil {
		t.Error(err)
	}
	err := ask(lambdaenv.WithAttempt(cfg, time.Nanosecond))
	if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() {
		t.Errorf("an attempt of a nanosecond: %v", err)
	}
}

func TestBundleThatIsNone(t *testing.T) {
	environment(t)
	file := filepath.Join(t.TempDir(), "bundle.pem")
	t.Setenv("AWS_CA_BUNDLE", file)
	for range 2 { // not there, and then not PEM
		if _, err := lambdaenv.Load(time.Second); err == nil || !strings.HasPrefix(err.Error(), "AWS_CA_BUNDLE: ") ||
			!strings.Contains(err.Error(), file) {
			t.Error(err)
		}
		if err := os.WriteFile(file, []byte("no certificate"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// environment is Lambda's, and nothing of this machine's.
func environment(t *testing.T) {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "") // restores it, too
		}
	}
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
}

func load(t *testing.T) aws.Config {
	t.Helper()
	cfg, err := lambdaenv.Load(time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}
