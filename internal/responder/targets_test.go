package responder_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/vpn"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// TestTwoHundredTargetsInEightRoundTrips counts round trips in a warm function, one after the other, from the event to
// the last request to terminate. Virtual time passes only while calls are answered, one unit each.
func TestTwoHundredTargetsInEightRoundTrips(t *testing.T) {
	const (
		accounts = 50
		trip     = 50 * time.Millisecond
		most     = 8
	)
	synctest.Test(t, func(t *testing.T) {
		home := &emulator.Cloud{Latency: trip}
		home.AddTable("ledger", "id")
		all := &emulator.Accounts{Home: home}
		client, stop := emulator.HTTPClient(all)
		defer stop()
		var others []vpn.Account
		clouds := []*emulator.Cloud{home}
		for i := range accounts {
			for _, region := range []string{"eu-west-1", "eu-west-2", "us-east-1", "ap-south-1"} {
				account := fmt.Sprintf("%012d", 444455550000+i)
				cloud := &emulator.Cloud{Account: account, Region: region, Latency: trip}
				cfg := config(client)
				cfg.Region, cfg.Credentials = region, assumed(account)
				others = append(others, vpn.Account{Account: account, Region: region, Config: cfg})
				all.Others, clouds = append(all.Others, cloud), append(clouds, cloud)
			}
		}
		for i, cloud := range clouds {
			endpoint := fmt.Sprintf("cvpn-endpoint-%017x", i)
			cloud.AddEndpoint(emulator.Endpoint{ID: endpoint})
			for n, name := range []string{"alice", "bob"} {
				id := fmt.Sprintf("cvpn-connection-%017x", 2*i+n)
				cloud.Connect(emulator.Client{ID: id, EndpointID: endpoint, Username: name})
			}
		}
		table := ledger.New(config(client), "ledger")
		r := &responder.Responder{
			Policy: parsed(t, keepingOut), Mode: policy.Enforce, KeepOut: table, Ledger: table,
			VPN: vpn.New(config(client), nil, others...),
		}
		o := respond(t, r, about(alice))[0]
		if o.Status != responder.Terminated || len(o.Connections) != len(clouds) {
			t.Fatalf("%s: %s; %d connections", o.Status, o.Summary, len(o.Connections))
		}
		if trips := o.Timing.RequestedAt.Sub(o.Timing.ReceivedAt) / trip; trips > most {
			t.Errorf("%d round trips one after the other, want at most %d", trips, most)
		} else {
			t.Logf("%d round trips", trips)
		}
		for _, cloud := range clouds {
			if left := up(cloud); len(left) != 1 || left[0] != "bob/" {
				t.Fatalf("still up: %q", left)
			}
		}
	})
}

// assumed returns the credentials of a role in the account, as STS has returned them before.
func assumed(account string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "ASIA" + account + "ROLE", SecretAccessKey: "test"}, nil
	})
}
