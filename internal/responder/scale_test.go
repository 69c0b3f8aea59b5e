package responder_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/vpn"
)

// TestManyLeaversAtOnce: two instances share EC2's token buckets, and neither wastes them nor runs against them.
func TestManyLeaversAtOnce(t *testing.T) {
	const leavers, connections = 200, 4
	for _, instances := range []int{1, 2} {
		t.Run(fmt.Sprint(instances, " instances"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := &emulator.Cloud{Latency: 50 * time.Millisecond, Limits: emulator.DocumentedLimits()}
				endpoints := []string{saml, ad, certs}
				for _, e := range endpoints {
					cloud.AddEndpoint(emulator.Endpoint{ID: e})
				}
				parts := make([][]signal.Signal, instances)
				for i := range leavers {
					s := leaver(cloud, endpoints, i, connections)
					parts[i%instances] = append(parts[i%instances], s)
				}
				start := time.Now()
				var running sync.WaitGroup
				for _, part := range parts {
					running.Go(func() { cutOff(t, cloud, part) })
				}
				running.Wait()
				// One call for each person and endpoint: 50 at once, then 5 a second.
				checkPace(t, cloud, start, time.Duration(leavers*len(endpoints)-50)*time.Second/5)
			})
		})
	}
}

// leaver connects one person to every endpoint, several times, and returns the signal that they leave.
func leaver(cloud *emulator.Cloud, endpoints []string, i, connections int) signal.Signal {
	name := fmt.Sprintf("user%d", i)
	for range connections {
		for _, e := range endpoints {
			cloud.Connect(emulator.Client{EndpointID: e, Username: name})
		}
	}
	s := about(signal.Subject{Usernames: []string{name}})
	s.ID = name
	return s
}

// cutOff has an instance of its own answer the signals.
func cutOff(t *testing.T, cloud *emulator.Cloud, signals []signal.Signal) {
	p, err := policy.Parse("policy.yaml", []byte(rules))
	if err != nil {
		t.Error(err)
		return
	}
	client, stop := emulator.HTTPClient(cloud)
	defer stop()
	r := &responder.Responder{Policy: p, Mode: policy.Enforce, Watch: 15 * time.Second, VPN: vpn.New(config(client), nil)}
	ctx, cancel := context.WithTimeout(t.Context(), 140*time.Second)
	defer cancel()
	for _, o := range respondWithin(ctx, t, r, signals...) {
		if o.Status != responder.Terminated {
			t.Errorf("%s: %s", o.Status, o.Summary)
		}
	}
}

// checkPace fails if the requests took much longer than EC2's limits allow, or ran against them, or if anybody is left.
func checkPace(t *testing.T, cloud *emulator.Cloud, start time.Time, allowed time.Duration) {
	t.Helper()
	var last time.Time
	asked, throttled, listings := 0, 0, 0
	for _, c := range cloud.Calls() {
		switch c.Action {
		case "TerminateClientVpnConnections":
			asked++
			if c.Code == "RequestLimitExceeded" {
				throttled++
			}
			last = c.At
		case "DescribeClientVpnConnections":
			listings++
		}
	}
	if took := last.Sub(start); took > allowed*12/10 || throttled*10 > asked || listings > 100 {
		t.Errorf("%v of %v allowed, %d of %d throttled, %d listings and looks", took, allowed, throttled, asked, listings)
	}
	if left := up(cloud); len(left) > 0 {
		t.Errorf("still up: %q", left)
	}
}
