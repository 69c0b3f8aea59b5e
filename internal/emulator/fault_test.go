package emulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"
)

func TestDeny(t *testing.T) {
	c := &Cloud{}
	cfg := serveCloud(t, c)
	api, topics := ec2.NewFromConfig(cfg), sns.NewFromConfig(cfg)
	c.Deny("ec2:TerminateClientVpnConnections", endpointA)
	c.Deny("sns:Publish", "")
	terminate := func(endpoint string, dry bool) error {
		_, err := api.TerminateClientVpnConnections(t.Context(), &ec2.TerminateClientVpnConnectionsInput{
			ClientVpnEndpointId: aws.String(endpoint), Username: aws.String("ann"), DryRun: aws.Bool(dry)})
		return err
	}
	for _, dry := range []bool{false, true} {
		err := terminate(endpointA, dry)
		wantCode(t, err, "UnauthorizedOperation", 403)
		for _, part := range []string{
			"You are not authorized to perform this operation. User: arn:aws:sts::111122223333:assumed-role/",
			"perform: ec2:TerminateClientVpnConnections on resource: ",
			"arn:aws:ec2:eu-west-1:111122223333:client-vpn-endpoint/" + endpointA + " because",
		} {
			if !strings.Contains(fmt.Sprint(err), part) {
				t.Errorf("%v lacks %q", err, part)
			}
		}
	}
	wantCode(t, terminate(endpointB, true), "DryRunOperation", 412)
	message := &sns.PublishInput{TopicArn: aws.String(topic), Message: aws.String("m")}
	_, err := topics.Publish(t.Context(), message)
	wantCode(t, err, "AuthorizationError", 403)
	_, ok := errors.AsType[*snstypes.AuthorizationErrorException](err)
	if !ok || !strings.Contains(err.Error(), "SNS:Publish on resource: "+topic) {
		t.Error(err)
	}
	c.Reset()
	if _, err := topics.Publish(t.Context(), message); err != nil {
		t.Error("denied after Reset:", err)
	}
	if len(c.Calls()) != 1 || len(c.Connections()) != 0 {
		t.Error("Reset left something")
	}
}

func TestFaults(t *testing.T) {
	c := &Cloud{}
	cfg := serveCloud(t, c)
	api := newVPNAPI(cfg)
	c.Inject(Fault{
		Action: "ec2:DescribeClientVpnConnections", EndpointID: endpointA, Times: 2, After: 1,
		Code: "RequestLimitExceeded", Message: "Request limit exceeded.",
	})
	c.Inject(Fault{Action: "DescribeClientVpnConnections", EndpointID: endpointA, Times: 1, Drop: true})
	c.Inject(Fault{Action: "DescribeClientVpnConnections", EndpointID: endpointA, Times: 1, Truncate: true})
	c.Inject(Fault{EndpointID: endpointB, Code: "InternalError", Status: 502})
	describe := func(endpoint string) error {
		_, err := api.connections(t.Context(), endpoint)
		return err
	}
	// The first of these takes the call that the limit lets pass, so that its fault is over before the others.
	var codes []string
	for range 6 {
		_ = describe(endpointA)
	}
	for _, call := range c.Calls() {
		codes = append(codes, call.Code)
	}
	if got := strings.Join(codes, ","); got != "dropped,RequestLimitExceeded,RequestLimitExceeded,truncated,," {
		t.Error(got)
	}
	wantCode(t, describe(endpointB), "InternalError", 502)
	wantCode(t, describe(endpointB), "InternalError", 502)

	c.Inject(Fault{Action: "TerminateClientVpnConnections", Times: 1, Code: "RequestLimitExceeded"})
	id := c.Connect(Client{EndpointID: endpointA, Username: "ann"})
	terminate := func() error {
		_, err := api.endID(t.Context(), endpointA, id)
		return err
	}
	wantCode(t, terminate(), "RequestLimitExceeded", 503)
	if got := statusesOf(c); got[0] != "active" {
		t.Error("a refused termination was done:", got)
	}
	for _, f := range []Fault{{Drop: true}, {Reset: true}, {Truncate: true}, {Cut: true}} {
		f.Times = 1
		c.Inject(f)
		err := terminate()
		if _, ok := errors.AsType[smithy.APIError](err); err == nil || ok {
			t.Errorf("%+v: %v", f, err)
		}
	}
	if got := statusesOf(c); got[0] == "active" {
		t.Error("only the answer was to be lost:", got)
	}
}

// TestSpoiltAnswers: each way to spoil one is an error of its own for a plain HTTP client.
func TestSpoiltAnswers(t *testing.T) {
	c := &Cloud{}
	url, stop, err := Serve(c)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	whole := ""
	for _, test := range []struct {
		fault Fault
		err   error // errors.Is
		half  bool
	}{
		{fault: Fault{}},
		{fault: Fault{Drop: true}, err: io.EOF},
		{fault: Fault{Reset: true}, err: syscall.ECONNRESET},
		{fault: Fault{Truncate: true}, half: true},
		{fault: Fault{Cut: true}, err: io.ErrUnexpectedEOF, half: true},
		{fault: Fault{Empty: true}},
	} {
		if test.fault != (Fault{}) {
			test.fault.Times = 1
			c.Inject(test.fault)
		}
		// net/http repeats a request on a connection that it used before.
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		request := strings.NewReader("Action=DescribeClientVpnEndpoints&Version=" + ec2Version)
		response, err := client.Post(url, "application/x-www-form-urlencoded", request)
		body := ""
		if err == nil {
			var raw []byte
			raw, err = io.ReadAll(response.Body)
			response.Body.Close()
			body = string(raw)
		}
		if test.fault == (Fault{}) {
			whole = body
		}
		if !errors.Is(err, test.err) || !strings.HasPrefix(whole, body) ||
			test.half && (body == "" || len(body) != len(whole)/2) {
			t.Errorf("%+v: %v, %q", test.fault, err, body)
		}
	}
	if whole == "" {
		t.Error("no answer without a fault")
	}
}

// TestOnCallMayChangeTheCloud, before the call is done.
func TestOnCallMayChangeTheCloud(t *testing.T) {
	c := &Cloud{}
	api := newVPNAPI(serveCloud(t, c))
	id := c.Connect(Client{EndpointID: endpointA, Username: "ann"})
	c.OnCall = func(call Call) Fault {
		if call.Action == "TerminateClientVpnConnections" && call.Params.Get("ConnectionId") == id {
			c.Disconnect(id)
		}
		return Fault{}
	}
	_, err := api.endID(t.Context(), endpointA, id)
	wantCode(t, err, "InvalidClientVpnConnection.IdNotFound", 400)
}

func TestDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := Cloud{Latency: time.Second}
		hc, stop := HTTPClient(&c)
		defer stop()
		api := newVPNAPI(config("http://emulator", hc))
		c.Inject(Fault{Delay: time.Minute, After: 1})
		start := time.Now()
		for _, want := range []time.Duration{time.Second, 62 * time.Second} {
			if _, err := api.endpoints(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := time.Since(start); got != want {
				t.Errorf("answered after %v, want %v", got, want)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, err := api.endpoints(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		// The bubble cannot end before the handler: were it still asleep, the clock would have moved on a minute.
		stop()
		if got := time.Since(start); got != 67*time.Second {
			t.Errorf("closed after %v", got)
		}
	})
}

// TestLimits: the bucket empties, the next call is refused, and fills by the clock up to its size, for each action
// alone.
func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Cloud{Limits: map[string]Limit{"DescribeClientVpnConnections": {3, 2}}}
		c.AddEndpoint(Endpoint{ID: endpointA})
		api := bubbleAPI(t, c)
		describe := func() error {
			_, err := api.connections(t.Context(), endpointA)
			return err
		}
		pass := func(n int) {
			t.Helper()
			for range n {
				if err := describe(); err != nil {
					t.Errorf("refused: %v", err)
				}
			}
			wantCode(t, describe(), "RequestLimitExceeded", 503)
		}
		pass(3)
		time.Sleep(500 * time.Millisecond)
		pass(1)
		time.Sleep(time.Hour)
		pass(3)
		if _, err := api.endpoints(t.Context()); err != nil {
			t.Error(err)
		}
		c.Reset()
		c.AddEndpoint(Endpoint{ID: endpointA})
		pass(3)
	})
}

func TestUnknownAction(t *testing.T) {
	c := &Cloud{}
	cfg := serveCloud(t, c)
	_, err := ec2.NewFromConfig(cfg).DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{})
	wantCode(t, err, "InvalidAction", 400)
	_, err = sns.NewFromConfig(cfg).ListTopics(t.Context(), &sns.ListTopicsInput{})
	wantCode(t, err, "InvalidAction", 400)
	for action, version := range map[string]string{
		"DescribeClientVpnEndpoints": snsVersion, "DescribeClientVpnConnections": ec2Version,
	} {
		w, err := http.PostForm(*cfg.BaseEndpoint, url.Values{"Action": {action}, "Version": {version}})
		if err != nil || w.StatusCode != 400 {
			t.Error(w, err)
		}
		w.Body.Close()
	}
	calls := c.Calls()
	if !slices.ContainsFunc(calls[2:], func(call Call) bool { return call.Code == "MissingParameter" }) {
		t.Errorf("%+v", calls)
	}
}
