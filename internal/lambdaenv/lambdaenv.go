// Package lambdaenv builds the AWS SDK's configuration and a function's settings from Lambda's environment.
//
// It replaces the SDK's own config package, which links a client for every way to log in. That is a tenth of the start
// and a sixth of the binary. It promises that the environment variables for functions mean what they mean to the SDK.
// It also promises to read an answer that has arrived to its end, however little CPU the function has.
package lambdaenv

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// Load returns the configuration for clients; each attempt of a call takes at most the time attempt. Load reads
// AWS_REGION, the credentials, AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_<SERVICE>, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS,
// AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT and AWS_CA_BUNDLE. The error names the variable.
// Source: AWS SDKs and Tools reference guide, "Environment variables list".
func Load(attempt time.Duration) (aws.Config, error) {
	environment := variables{}
	cfg := aws.Config{
		Region:        os.Getenv("AWS_REGION"),
		Credentials:   aws.NewCredentialsCache(environment),
		ConfigSources: []any{environment},
	}
	if url := os.Getenv("AWS_ENDPOINT_URL"); url != "" && !environment.is("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
		cfg.BaseEndpoint = &url
	}
	var authorities *x509.CertPool
	if file := os.Getenv("AWS_CA_BUNDLE"); file != "" {
		raw, err := os.ReadFile(file)
		if err != nil {
			return cfg, fmt.Errorf("AWS_CA_BUNDLE: %w", err)
		}
		authorities = x509.NewCertPool()
		if !authorities.AppendCertsFromPEM(raw) {
			return cfg, fmt.Errorf("AWS_CA_BUNDLE: %s holds no certificate in PEM", file)
		}
	}
	transport := func(t *http.Transport) {
		// Calls run side by side, and a new connection takes longer than most of them. Hundreds of accounts may share a
		// Region's host, and a function may guard several Regions.
		t.MaxIdleConnsPerHost, t.MaxIdleConns = 256, 512
		if authorities != nil {
			t.TLSClientConfig = &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS12}
		}
	}
	cfg.HTTPClient = ownBody{awshttp.NewBuildableClient().WithTimeout(attempt).WithTransportOptions(transport)}
	return cfg, nil
}

// WithAttempt returns the configuration that [Load] returned, with another time for each attempt of a call, and with
// connections of its own.
func WithAttempt(cfg aws.Config, attempt time.Duration) aws.Config {
	cfg.HTTPClient = ownBody{cfg.HTTPClient.(ownBody).client.WithTimeout(attempt)}
	return cfg
}

// variables are the environment, as the SDK's clients ask for it.
type variables struct{}

func (variables) is(name string) bool { return strings.EqualFold(os.Getenv(name), "true") }

// Retrieve returns the credentials of the function's role, which Lambda sets for the life of the process.
func (variables) Retrieve(context.Context) (aws.Credentials, error) {
	c := aws.Credentials{
		AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken: os.Getenv("AWS_SESSION_TOKEN"),
		Source:       "environment",
	}
	if !c.HasKeys() {
		return c, errors.New("AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: missing; Lambda sets them")
	}
	return c, nil
}

// GetServiceBaseEndpoint returns the URL that is set for one service.
func (variables) GetServiceBaseEndpoint(_ context.Context, sdkID string) (url string, found bool, err error) {
	url = os.Getenv("AWS_ENDPOINT_URL_" + strings.ReplaceAll(strings.ToUpper(sdkID), " ", "_"))
	return url, url != "", nil
}

// GetIgnoreConfiguredEndpoints reports whether such URLs do not count.
func (v variables) GetIgnoreConfiguredEndpoints(context.Context) (ignore, found bool, err error) {
	return v.is("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), true, nil
}

// GetUseFIPSEndpoint returns the setting of AWS_USE_FIPS_ENDPOINT.
func (v variables) GetUseFIPSEndpoint(context.Context) (state aws.FIPSEndpointState, found bool, err error) {
	if v.is("AWS_USE_FIPS_ENDPOINT") {
		return aws.FIPSEndpointStateEnabled, true, nil
	}
	return aws.FIPSEndpointStateUnset, false, nil
}

// GetUseDualStackEndpoint returns the setting of AWS_USE_DUALSTACK_ENDPOINT.
func (v variables) GetUseDualStackEndpoint(context.Context) (state aws.DualStackEndpointState, found bool, err error) {
	if v.is("AWS_USE_DUALSTACK_ENDPOINT") {
		return aws.DualStackEndpointStateEnabled, true, nil
	}
	return aws.DualStackEndpointStateUnset, false, nil
}

// ownBody sends requests with a body of its own. The SDK closes its body as soon as the answer's header has arrived. If
// net/http has not seen the body's end by then, it sees a failure to send, and drops the rest of the answer. The SDK
// then asks again. A function with little CPU can be slow enough for this.
type ownBody struct{ client *awshttp.BuildableClient }

func (c ownBody) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return c.client.Do(r)
}
