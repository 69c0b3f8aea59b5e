package ec2call_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/vpn/ec2call"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

const (
	endpoint    = "cvpn-endpoint-00000000000000001"
	noSuchOne   = "cvpn-connection-00000000000000000"
	terminating = "TerminateClientVpnConnections"
)

// against runs a test in virtual time with a client of a server.
func against(t *testing.T, server http.Handler, test func(t *testing.T, client *ec2.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		httpClient, stop := emulator.HTTPClient(server)
		defer stop()
		test(t, ec2call.New(aws.Config{
			Region: "eu-west-1", BaseEndpoint: aws.String("http://ec2.test"), HTTPClient: httpClient,
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
			}),
		}))
	})
}

// terminate asks EC2 to terminate a connection that does not exist.
func terminate(ctx context.Context, client *ec2.Client) (ec2call.SentTracker, error) {
	var sent ec2call.SentTracker
	_, err := client.TerminateClientVpnConnections(ctx, &ec2.TerminateClientVpnConnectionsInput{
		ClientVpnEndpointId: aws.String(endpoint), ConnectionId: aws.String(noSuchOne),
	}, sent.Watch, ec2call.FewAttempts)
	return sent, err
}

func newCloud() *emulator.Cloud {
	cloud := &emulator.Cloud{Limits: emulator.DocumentedLimits()}
	cloud.AddEndpoint(emulator.Endpoint{ID: endpoint})
	return cloud
}

// TestPaceKeepsToEC2sBucket: as many calls as the bucket holds pass at once, the others as it is filled again, and EC2
// throttles none.
func TestPaceKeepsToEC2sBucket(t *testing.T) {
	cloud := newCloud()
	against(t, cloud, func(t *testing.T, client *ec2.Client) {
		const calls = 100
		start := time.Now()
		done := make(chan error)
		for range calls {
			go func() {
				_, err := terminate(t.Context(), client)
				done <- err
			}()
		}
		for range calls {
			if err := <-done; ec2call.Throttled(err) || errors.Is(err, ec2call.ErrNotSent) {
				t.Error(err)
			}
		}
		// 48 at once, since a small margin is left to EC2's clock, and then 5 a second.
		if took := time.Since(start); took < 10*time.Second || took > 12*time.Second {
			t.Errorf("%d calls took %v", calls, took)
		}
		for _, c := range cloud.Calls() {
			if c.Code == "RequestLimitExceeded" {
				t.Fatal("EC2 throttled a call")
			}
		}
	})
}

// TestThrottledCallSlowsDown: another program empties the bucket. Each call is tried again until EC2 accepts it.
func TestThrottledCallSlowsDown(t *testing.T) {
	cloud := newCloud()
	cloud.Inject(emulator.Fault{Action: terminating, Code: "RequestLimitExceeded", Status: 503, Times: 5})
	against(t, cloud, func(t *testing.T, client *ec2.Client) {
		start := time.Now()
		sent, err := terminate(t.Context(), client)
		if ec2call.Code(err) != "InvalidClientVpnConnection.IdNotFound" || sent.Unanswered {
			t.Errorf("%v, unanswered %t", err, sent.Unanswered)
		}
		if took := time.Since(start); len(cloud.Calls()) != 6 || took < 500*time.Millisecond {
			t.Errorf("%d calls took %v", len(cloud.Calls()), took)
		}
	})
}

// TestCallWithoutATurnIsNotSent: its turn would come after the deadline. EC2 never sees it, and the error says so.
func TestCallWithoutATurnIsNotSent(t *testing.T) {
	cloud := newCloud()
	against(t, cloud, func(t *testing.T, client *ec2.Client) {
		for range 48 {
			_, _ = terminate(t.Context(), client) // the connection does not exist
		}
		cloud.Inject(emulator.Fault{Action: terminating, Code: "RequestLimitExceeded", Status: 503, Times: 1})
		_, _ = terminate(t.Context(), client) // slows the pace down
		before := len(cloud.Calls())
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		sent, err := terminate(ctx, client)
		if !errors.Is(err, ec2call.ErrNotSent) || sent.Unanswered || len(cloud.Calls()) != before {
			t.Errorf("%v, unanswered %t, %d calls", err, sent.Unanswered, len(cloud.Calls())-before)
		}
		if !strings.Contains(err.Error(), "not sent: EC2's request limit (RequestLimitExceeded) left no slot") {
			t.Error(err)
		}
	})
}

// TestWasItSent: what is known of a call after each kind of answer.
func TestWasItSent(t *testing.T) {
	for name, test := range map[string]struct {
		fault      emulator.Fault
		unanswered bool
		refused    bool
		attempts   int
	}{
		"EC2 says no":               {emulator.Fault{Code: "UnauthorizedOperation", Status: 403}, false, true, 1},
		"EC2 fails":                 {emulator.Fault{Code: "InternalError", Status: 500}, true, false, 3},
		"the connection breaks":     {emulator.Fault{Drop: true}, true, false, 3},
		"the page token is stale":   {emulator.Fault{Code: "InvalidPaginationToken", Status: 400}, true, false, 1},
		"EC2 is throttled at first": {emulator.Fault{Code: "RequestLimitExceeded", Status: 503, Times: 2}, false, true, 3},
	} {
		cloud := newCloud()
		test.fault.Action = terminating
		cloud.Inject(test.fault)
		against(t, cloud, func(t *testing.T, client *ec2.Client) {
			start := time.Now()
			sent, err := terminate(t.Context(), client)
			if err == nil || sent.Unanswered != test.unanswered || ec2call.Refused(err) != test.refused {
				t.Errorf("%s: %v, unanswered %t, refused %t", name, err, sent.Unanswered, ec2call.Refused(err))
			}
			if n := len(cloud.Calls()); n != test.attempts || sent.LastAttempt.Before(start) {
				t.Errorf("%s: %d attempts, the last at %v", name, n, sent.LastAttempt)
			}
		})
	}
}

// TestAnswersThatAreNotEC2sAreErrors: the SDK would read an empty list from each.
func TestAnswersThatAreNotEC2sAreErrors(t *testing.T) {
	const right = `<DescribeClientVpnConnectionsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">` +
		`<connections/></DescribeClientVpnConnectionsResponse>`
	for body, accepted := range map[string]bool{
		right: true,
		`<?xml version="1.0" encoding="UTF-8"?><!-- a comment -->` + right: true,
		strings.ReplaceAll(right, "Describe", "x:Describe"):                true,
		"":   false,
		"OK": false,
		"<html><body>Sign in to the network</body></html>":    false,
		"<Response><Errors/></Response>":                      false,
		"<DescribeClientVpnConnections/>":                     false,
		`<?xml version="1.0"?><!-- DescribeResponse --><br/>`: false,
	} {
		server := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(body)) // the client reads it
		})
		against(t, server, func(t *testing.T, client *ec2.Client) {
			_, err := client.DescribeClientVpnConnections(t.Context(),
				&ec2.DescribeClientVpnConnectionsInput{ClientVpnEndpointId: aws.String(endpoint)})
			if (err == nil) != accepted {
				t.Errorf("%q: %v", body, err)
			}
		})
	}
}
