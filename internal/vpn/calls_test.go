package vpn_test

import (
	"context"
	"fmt"
	"net/url"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/vpn"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// TestThrottlingIsTriedAgain by the SDK's retryer.
func TestThrottlingIsTriedAgain(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		cloud.Inject(emulator.Fault{Code: "RequestLimitExceeded", Times: 1})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		cloud.Inject(emulator.Fault{Action: terminateConnections, Code: "RequestLimitExceeded", Times: 2})
		terminate(t.Context(), v, end, nil, false)
		if end[0].Error != "" || end[0].Current != vpn.Terminating {
			t.Errorf("%+v", end[0].Connection)
		}
	})
}

// TestAnswerThatIsNotEC2s is no empty list: an answer without content, or from a proxy between us and EC2.
func TestAnswerThatIsNotEC2s(t *testing.T) {
	for _, foreign := range []string{
		"", " ", "<html><body>Sign in</body></html>", `<?xml version="1.0"?><!-- no --><Response><Errors/></Response>`,
	} {
		inCloud(t, func(t *testing.T, cloud *emulator.Cloud, _ *vpn.VPN) {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann", Stuck: true})
			spoilt := false
			v := through(t, cloud, nil, func(_ url.Values, body string) string {
				if spoilt {
					return foreign
				}
				return body
			})
			end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
			spoilt = true
			found := search(v, []vpn.Endpoint{{ID: saml}}, vpn.Target{Names: []string{"ann"}})
			if err := found.Failed[saml]; err == nil || vpn.Refused(err) {
				t.Errorf("%q: %v, found %v", foreign, err, describe(found.Matches))
			}
			terminate(t.Context(), v, end, nil, false)
			for range 3 {
				if err := look(t.Context(), v, end); err == nil || !end[0].Pending() {
					t.Errorf("%q: %v: %+v", foreign, err, end[0].Connection)
				}
			}
		})
	}
}

// TestBucketThatOthersDrawFrom: eight calls are under way when EC2 throttles the first, and slow the process down once.
// After a pause, EC2 takes many calls at once again.
func TestBucketThatOthersDrawFrom(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Latency = 50 * time.Millisecond
		cloud.Limits = map[string]emulator.Limit{"TerminateClientVpnConnections": {Bucket: 20, Refill: 5}}
		end := func(n int, prefix string) time.Duration {
			var target vpn.Target
			for i := range n {
				name := fmt.Sprint(prefix, i)
				cloud.Connect(emulator.Client{EndpointID: saml, Username: name})
				target.Names = append(target.Names, name)
			}
			matches := mustFind(t, v, target)
			start := time.Now()
			terminate(t.Context(), v, matches, nil, false)
			for _, m := range matches {
				if m.Error != "" || m.Fate == vpn.FateUnanswered {
					t.Errorf("%+v", m.Connection)
				}
			}
			return time.Since(start)
		}
		if took := end(60, "early"); took < 8*time.Second || took > 17*time.Second {
			t.Errorf("took %v", took)
		}
		time.Sleep(time.Minute)
		if took := end(16, "late"); took > time.Second {
			t.Errorf("after a pause, took %v", took)
		}
	})
}

// TestEC2ThatFailsIsNotAskedForLong: a few attempts, and then a look, which asks once more.
func TestEC2ThatFailsIsNotAskedForLong(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, _ *vpn.VPN) {
		client, stop := emulator.HTTPClient(cloud)
		defer stop()
		cfg := config(client)
		cfg.Retryer = func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = 10 })
		}
		v := vpn.New(cfg, nil)
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		cloud.Inject(emulator.Fault{Action: terminateConnections, Code: "InternalError"})
		terminate(t.Context(), v, end, nil, false)
		if c := end[0]; c.Fate != vpn.FateUnanswered || !c.Pending() || len(calls(cloud)) != 3 {
			t.Errorf("%+v\n%q", c.Connection, calls(cloud))
		}
	})
}

// TestEndpointThatIsThrottledTakesNoOthersTurn: EC2 throttles many calls for one endpoint for ever, and answers the one
// for the other endpoint all the same.
func TestEndpointThatIsThrottledTakesNoOthersTurn(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		var target vpn.Target
		for i := range 30 {
			name := fmt.Sprint("user", i)
			target.Names = append(target.Names, name)
			cloud.Connect(emulator.Client{EndpointID: saml, Username: name})
		}
		cloud.Connect(emulator.Client{EndpointID: ad, Username: "user0"})
		end := mustFind(t, v, target)
		cloud.Latency = 900 * time.Millisecond // a call that is under way at the deadline would be unanswered
		cloud.Inject(emulator.Fault{Action: terminateConnections, EndpointID: saml, Code: "RequestLimitExceeded"})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		terminate(ctx, v, end, nil, false)
		for _, m := range end {
			if (m.Error == "") != (m.EndpointID == ad) || m.Fate == vpn.FateUnanswered {
				t.Errorf("%+v", m.Connection)
			}
		}
	})
}
