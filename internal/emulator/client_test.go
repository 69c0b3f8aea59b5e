package emulator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
)

func TestTerminateAndReconnectInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Cloud
		api, start := bubbleAPI(t, &c), time.Now()
		c.AddEndpoint(Endpoint{ID: endpointA})
		ann := Client{
			EndpointID:     endpointA,
			Username:       "ann",
			CommonName:     "ann",
			ReconnectAfter: 2 * time.Second,
			Reconnects:     1,
		}
		id := c.Connect(ann)
		out, err := api.endUser(t.Context(), endpointA, "ann")
		if err != nil {
			t.Fatal(err)
		}
		if id, _ := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata); len(id) != 36 {
			t.Errorf("request id %q", id)
		}
		row := out.ConnectionStatuses[0]
		if *out.ClientVpnEndpointId != endpointA || *out.Username != "ann" || len(out.ConnectionStatuses) != 1 ||
			*row.ConnectionId != id || row.PreviousStatus.Code != "active" || row.CurrentStatus.Code != "terminating" {
			t.Errorf("answered %+v", out)
		}
		listed := func(after time.Duration, want ...string) {
			t.Helper()
			time.Sleep(time.Until(start.Add(after)))
			all, err := api.connections(t.Context(), endpointA)
			var got []string
			for _, k := range all {
				got = append(got, strings.Join([]string{
					*k.Username, *k.ConnectionEstablishedTime, string(k.Status.Code), *k.ConnectionEndTime}, " "))
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("after %s: %q, %v", after, got, err)
			}
		}
		listed(299*time.Millisecond, "ann 2000-01-01 00:00:00 terminating -")
		ended := "ann 2000-01-01 00:00:00 terminated 2000-01-01 00:00:00"
		listed(300*time.Millisecond, ended)
		listed(2300*time.Millisecond-1, ended)
		// Seen late, the new connection is established when it was due.
		listed(time.Minute, ended, "ann 2000-01-01 00:00:02 active -")
		k := c.Connections()
		if !k[0].EndedAt.Equal(start.Add(300*time.Millisecond)) || !k[0].ByRequest || k[1].ID == id ||
			!k[1].EstablishedAt.Equal(start.Add(2300*time.Millisecond)) || k[1].ByRequest || !k[1].EndedAt.IsZero() {
			t.Errorf("%+v", k)
		}
		if _, err := api.endID(t.Context(), endpointA, k[1].ID); err != nil {
			t.Error(err)
		}
		last := "ann 2000-01-01 00:00:02 terminated 2000-01-01 00:01:00"
		listed(59*time.Minute, ended, last)
		listed(61*time.Minute, last)
		listed(2*time.Hour + time.Minute)
	})
}

// tester terminates connections of a cloud, and holds what EC2 answers against what is wanted.
type tester struct {
	*testing.T
	cloud *Cloud
	api   vpnAPI
}

func (t tester) terminate(id, want string) {
	t.Helper()
	out, err := t.api.endID(t.Context(), endpointA, id)
	got := ""
	if refused, ok := errors.AsType[smithy.APIError](err); ok {
		got = refused.ErrorCode()
	} else if err != nil {
		t.Fatal(err)
	} else {
		row := out.ConnectionStatuses[0]
		got = fmt.Sprintf("%s/%s", row.PreviousStatus.Code, row.CurrentStatus.Code)
		if out.Username != nil {
			t.Error("a username was answered to an id")
		}
	}
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func (t tester) status(id, want string) {
	t.Helper()
	i := slices.IndexFunc(t.cloud.Connections(), func(k Connection) bool { return k.ID == id })
	if got := t.cloud.Connections()[i].Status; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := Cloud{TerminateTime: time.Second}
		c.AddEndpoint(Endpoint{ID: endpointA})
		try := tester{t, &c, bubbleAPI(t, &c)}
		connect := func(k Client) string {
			k.EndpointID = endpointA
			return c.Connect(k)
		}
		failing := connect(Client{Username: "a", FailToTerminate: true, ReconnectAfter: 1, Reconnects: -1})
		stuck := connect(Client{Username: "b", Stuck: true})
		quick := connect(Client{Username: "c", ReconnectAfter: 1, Reconnects: -1})
		plain := connect(Client{Username: "d", ReconnectAfter: 1}) // no Reconnects: stays away
		for _, id := range []string{failing, stuck, quick, plain} {
			try.terminate(id, "active/terminating")
			try.terminate(id, "terminating/terminating")
		}
		c.Disconnect(quick)
		time.Sleep(time.Hour - time.Second)
		try.status(failing, "failed-to-terminate")
		try.terminate(failing, "failed-to-terminate/terminating")
		try.status(stuck, "terminating")
		try.status(quick, "terminated")
		try.status(plain, "terminated")
		try.terminate(plain, "InvalidClientVpnConnection.IdNotFound")
		c.EndedAnswersRow = true
		try.terminate(plain, "terminated/terminated")
		if k := c.Connections(); len(k) != 4 || k[2].ByRequest || !k[3].ByRequest {
			t.Errorf("%+v", k)
		}
		time.Sleep(time.Hour)
		try.terminate(plain, "InvalidClientVpnConnection.IdNotFound")
		c.Disconnect(stuck)
		try.status(stuck, "terminated")
	})
}

// TestAddressesAndMessages: EC2 shows a client's IPv6 address, and why a connection failed to terminate.
func TestAddressesAndMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Cloud{}
		c.AddEndpoint(Endpoint{ID: endpointA})
		api := bubbleAPI(t, c)
		id := c.Connect(Client{
			EndpointID: endpointA, ClientIPv6: "2001:db8::7", FailToTerminate: true, StatusMessage: "Internal error, try again",
		})
		for range 2 {
			if _, err := api.endID(t.Context(), endpointA, id); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		all, err := api.connections(t.Context(), endpointA)
		if err != nil {
			t.Fatal(err)
		}
		k, own := all[0], c.Connections()[0]
		if *k.ClientIpv6Address != "2001:db8::7" || own.ClientIPv6 != "2001:db8::7" || own.ClientIP != *k.ClientIp ||
			k.Status.Code != "failed-to-terminate" || *k.Status.Message != "Internal error, try again" {
			t.Errorf("%+v, %+v", k, own)
		}
	})
}

// TestReconnectsForEver: a client can come back each time, with another id.
func TestReconnectsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := Cloud{TerminateTime: time.Second}
		c.AddEndpoint(Endpoint{ID: endpointA})
		try := tester{t, &c, bubbleAPI(t, &c)}
		id := c.Connect(Client{
			EndpointID: endpointA, ID: "cvpn-connection-e", Username: "e", ReconnectAfter: time.Second, Reconnects: -1,
		})
		if id != "cvpn-connection-e" {
			t.Errorf("the id is %s", id)
		}
		seen := map[string]bool{}
		for range 4 {
			seen[id] = true
			try.terminate(id, "active/terminating")
			time.Sleep(2 * time.Second)
			all := c.Connections()
			id = all[len(all)-1].ID
		}
		if seen[id] || len(seen) != 4 {
			t.Errorf("ids %v, then %s", seen, id)
		}
	})
}

func TestAddresses(t *testing.T) {
	var c Cloud
	c.AddEndpoint(Endpoint{ID: endpointA})
	c.AddEndpoint(Endpoint{ID: endpointB})
	c.Connect(Client{EndpointID: endpointA, ClientIP: "10.0.0.3"})
	for range 300 {
		c.Connect(Client{EndpointID: endpointA})
	}
	c.Connect(Client{EndpointID: endpointB})
	all := c.Connections()
	got := []string{all[1].ClientIP, all[2].ClientIP, all[300].ClientIP, all[301].ClientIP}
	if want := []string{"10.0.0.2", "10.0.0.4", "10.0.1.46", "10.16.0.2"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	var small Cloud
	small.AddEndpoint(Endpoint{ID: endpointA})
	small.Disconnect(small.Connect(Client{EndpointID: endpointA, ClientIP: "10.0.0.2"}))
	small.Connect(Client{EndpointID: endpointA})
	if k := small.Connections(); k[1].ClientIP != "10.0.0.2" {
		t.Errorf("an ended connection keeps its address, the next has %s", k[1].ClientIP)
	}
	seen := map[string]bool{}
	for _, k := range all {
		if seen[k.ClientIP] {
			t.Fatalf("%s is used twice", k.ClientIP)
		}
		seen[k.ClientIP] = true
	}
	if !strings.HasPrefix(all[0].ID, "cvpn-connection-") || len(all[0].ID) != len("cvpn-connection-")+17 {
		t.Errorf("id %q", all[0].ID)
	}
	var again Cloud
	again.AddEndpoint(Endpoint{ID: endpointA})
	again.AddEndpoint(Endpoint{ID: endpointB})
	if id := again.Connect(Client{EndpointID: endpointA}); id != all[0].ID {
		t.Errorf("ids differ between runs: %s, %s", id, all[0].ID)
	}
}

// TestDeleteEndpoint: it takes its connections along, those that were about to end and to come back too, and no others.
func TestDeleteEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Cloud{}
		api := bubbleAPI(t, c)
		c.AddEndpoint(Endpoint{ID: endpointA})
		c.AddEndpoint(Endpoint{ID: endpointB})
		c.Connect(Client{EndpointID: endpointA, Username: "ann", ReconnectAfter: time.Second, Reconnects: 1})
		c.Connect(Client{EndpointID: endpointA, Username: "bob"})
		c.Connect(Client{EndpointID: endpointB, Username: "carol"})
		if _, err := api.endUser(t.Context(), endpointA, "ann"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond) // ended, and not yet back
		c.DeleteEndpoint(endpointA)
		time.Sleep(2 * time.Hour)
		if all := c.Connections(); len(all) != 1 || all[0].Username != "carol" {
			t.Errorf("%+v", all)
		}
		_, err := api.endUser(t.Context(), endpointA, "ann")
		wantCode(t, err, "InvalidClientVpnEndpointId.NotFound", 400)
		if left, err := api.endpoints(t.Context()); err != nil || len(left) != 1 {
			t.Errorf("%+v, %v", left, err)
		}
	})
}
