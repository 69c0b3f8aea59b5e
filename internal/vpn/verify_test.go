package vpn_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/vpn"
)

// TestAlreadyGoneIsCheckedByLooking: both NotFound codes, and both things EC2 may list then.
func TestAlreadyGoneIsCheckedByLooking(t *testing.T) {
	for _, n := range []int{1, 3} {
		for _, later := range []time.Duration{0, 2 * time.Hour} {
			inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
				var all []string
				for range n {
					all = append(all, cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"}))
				}
				end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
				for _, id := range all {
					cloud.Disconnect(id)
				}
				time.Sleep(later)
				terminate(t.Context(), v, end, nil, false)
				for _, m := range end {
					if m.Ended() {
						t.Error("claimed as ended before anyone looked")
					}
				}
				observe(t, v, end)
				for _, m := range end {
					if !m.Ended() || m.Error != "" {
						t.Errorf("%+v", m.Connection)
					}
				}
			})
		}
	}
}

// TestNotFoundThatIsNotTrueIsAskedAgainByID: EC2 knows no such user, and lists the user's connections as active.
func TestNotFoundThatIsNotTrueIsAskedAgainByID(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		for range 2 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		}
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		cloud.Inject(emulator.Fault{Action: terminateConnections, Times: 1, Code: userNotFound})
		terminate(t.Context(), v, end, nil, false)
		observe(t, v, end)
		equal(t, "calls", calls(cloud), []string{"ann " + userNotFound, "id", "id"})
		for _, m := range end {
			if !m.Ended() {
				t.Errorf("%+v", m.Connection)
			}
		}
	})
}

// TestRequestedIsNotTerminated: nothing counts as ended until EC2 lists it so.
func TestRequestedIsNotTerminated(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann", Stuck: true})
		cloud.Connect(emulator.Client{EndpointID: ad, Username: "ann", FailToTerminate: true})
		cloud.Connect(emulator.Client{EndpointID: certs, Username: "ann"})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		terminate(t.Context(), v, end, nil, false)
		for _, m := range end {
			if m.Current != vpn.Terminating || m.Ended() {
				t.Errorf("right after the answer: %+v", m.Connection)
			}
		}
		observe(t, v, end)
		var got []string
		for _, m := range end {
			got = append(got, string(m.Current))
		}
		equal(t, "statuses", got, []string{"terminating", "failed-to-terminate", "terminated"})
	})
}

// TestLostAnswerIsNotARefusal: EC2 did it and the answer got lost, or EC2 never got the request.
func TestLostAnswerIsNotARefusal(t *testing.T) {
	for name, fault := range map[string]emulator.Fault{
		"done, connection dropped": {Drop: true},
		"done, half an answer":     {Truncate: true},
		"not done, 500":            {Code: "InternalError"},
	} {
		t.Run(name, func(t *testing.T) {
			inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
				cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
				end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
				fault.Action, fault.Times = terminateConnections, 3 // as often as the SDK tries
				cloud.Inject(fault)
				terminate(t.Context(), v, end, nil, false)
				if c := end[0]; c.Error != "" || c.Ended() || !c.Pending() {
					t.Errorf("right after the call: %+v", c.Connection)
				}
				observe(t, v, end)
				if c := end[0]; !c.Ended() || c.Error != "" {
					t.Errorf("%+v", c.Connection)
				}
			})
		})
	}
}

// TestEndedConnectionThatIsListedAgain is not believed to have ended until EC2 says terminated.
func TestEndedConnectionThatIsListedAgain(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		id := cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		cloud.Disconnect(id)
		time.Sleep(2 * time.Hour) // EC2 does not list it any more
		terminate(t.Context(), v, end, nil, false)
		observe(t, v, end)
		if !end[0].Ended() {
			t.Fatalf("%+v", end[0].Connection)
		}
		end[0].Reappeared(vpn.Active)
		observe(t, v, end)
		if end[0].Ended() {
			t.Errorf("ended, for want of a row: %+v", end[0].Connection)
		}
	})
}

// TestOneEmptyAnswerIsNoEnd: EC2's listing may lag; the next look decides.
func TestOneEmptyAnswerIsNoEnd(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, _ *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann", Stuck: true})
		looks := 0
		client, stop := emulator.HTTPClient(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := r.ParseForm(); err != nil {
				t.Error(err)
			}
			if r.Form.Get("Filter.1.Name") != "" {
				if looks++; looks == 1 {
					r.Form.Set("Filter.1.Value.1", "cvpn-connection-0")
				}
			}
			cloud.ServeHTTP(w, r)
		}))
		defer stop()
		v := vpn.New(config(client), nil)
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		terminate(t.Context(), v, end, nil, false)
		for range 3 {
			if err := look(t.Context(), v, end); err != nil || end[0].Ended() {
				t.Errorf("after %d looks: %+v, %v", looks, end[0].Connection, err)
			}
		}
	})
}

// TestLooksAtManyInParts: EC2 takes 200 values in one filter.
func TestLooksAtManyInParts(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		for i := range 201 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann", CommonName: fmt.Sprint(i)})
		}
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		terminate(t.Context(), v, end, nil, false)
		observe(t, v, end)
		if slices.ContainsFunc(end, func(c *vpn.Tracked) bool { return !c.Ended() }) {
			t.Error("not all ended")
		}
		for _, c := range cloud.Calls() {
			if c.Params.Get("Filter.1.Value.201") != "" {
				t.Error("asks for more than 200 in one filter")
			}
		}
	})
}

func TestFailedLookIsNoEnd(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann", Stuck: true})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		terminate(t.Context(), v, end, nil, false)
		cloud.Deny("ec2:DescribeClientVpnConnections", saml)
		for range 3 {
			err := look(t.Context(), v, end)
			if err == nil || !strings.Contains(err.Error(), "missing permission") || !end[0].Pending() {
				t.Errorf("%v: %+v", err, end[0].Connection)
			}
		}
	})
}

// TestTwoEmptyAnswersApartAreNoEnd: a listing that shows it in between begins the count anew.
func TestTwoEmptyAnswersApartAreNoEnd(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, _ *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann", Stuck: true})
		v := hidden(t, cloud, 1, 3)
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		terminate(t.Context(), v, end, nil, false)
		for range 3 {
			if err := look(t.Context(), v, end); err != nil || end[0].Ended() {
				t.Errorf("%+v, %v", end[0].Connection, err)
			}
		}
	})
}

// TestEmptyAnswerAfterTheSecondRequestIsNoEnd: EC2 took that one, so its earlier denial counts no more.
func TestEmptyAnswerAfterTheSecondRequestIsNoEnd(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, _ *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann", Stuck: true})
		v := hidden(t, cloud, 2)
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		cloud.Inject(emulator.Fault{Action: terminateConnections, Times: 1, Code: idNotFound})
		terminate(t.Context(), v, end, nil, false)
		for range 2 {
			if err := look(t.Context(), v, end); err != nil || end[0].Ended() {
				t.Errorf("%+v, %v", end[0].Connection, err)
			}
		}
		equal(t, "calls", calls(cloud), []string{"id", "id " + idNotFound})
	})
}

func TestAskedAgainOnlyOnce(t *testing.T) {
	for _, test := range []struct {
		fault emulator.Fault
		want  []string
	}{
		{emulator.Fault{Code: idNotFound}, []string{"id " + idNotFound, "id " + idNotFound}},
		{emulator.Fault{Drop: true, Times: 3}, []string{"id dropped", "id dropped", "id dropped"}},
	} {
		inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann", Stuck: true})
			end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
			test.fault.Action = terminateConnections
			cloud.Inject(test.fault)
			terminate(t.Context(), v, end, nil, false)
			for range 4 {
				if err := look(t.Context(), v, end); err != nil {
					t.Error(err)
				}
			}
			equal(t, "calls", calls(cloud), test.want)
		})
	}
}

func TestRefusedTheSecondTimeIsNotPending(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		cloud.Inject(emulator.Fault{Action: terminateConnections, Times: 1, Code: idNotFound})
		terminate(t.Context(), v, end, nil, false)
		cloud.Deny("ec2:TerminateClientVpnConnections", "")
		err := look(t.Context(), v, end)
		if err != nil || !strings.Contains(end[0].Error, "missing permission") || end[0].Pending() {
			t.Errorf("%+v, %v", end[0].Connection, err)
		}
	})
}

func TestFailedToTerminateIsNotPending(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{
			EndpointID: saml, Username: "ann", FailToTerminate: true, StatusMessage: "Internal error",
		})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		terminate(t.Context(), v, end, nil, false)
		start := time.Now()
		observe(t, v, end)
		if end[0].StatusMessage != "Internal error" {
			t.Errorf("EC2 says %q", end[0].StatusMessage)
		}
		if c := end[0]; c.Current != vpn.FailedToTerminate || c.Pending() || time.Since(start) > 10*time.Second {
			t.Errorf("after %v: %+v", time.Since(start), c.Connection)
		}
	})
}

func TestEndpointThatIsDeletedTakesItsConnectionsAlong(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		v.EndpointIDs = []string{saml}
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann", Stuck: true})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		terminate(t.Context(), v, end, nil, false)
		cloud.Inject(emulator.Fault{Action: describeConnections, Code: endpointNotFound})
		for range 2 {
			if err := look(t.Context(), v, end); err != nil {
				t.Error(err)
			}
		}
		if !end[0].Ended() || end[0].EndedAt.IsZero() {
			t.Errorf("%+v", end[0].Connection)
		}
	})
}

// TestEndpointThatIsDeletedBeforeTheTermination: what was there has ended, when EC2 shows that it is there no more.
func TestEndpointThatIsDeletedBeforeTheTermination(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		cloud.DeleteEndpoint(saml)
		terminate(t.Context(), v, end, nil, false)
		if end[0].Ended() {
			t.Error("claimed as ended before anyone looked")
		}
		observe(t, v, end)
		if !end[0].Ended() || end[0].Error != "" {
			t.Errorf("%+v", end[0].Connection)
		}
	})
}

// TestNothingPendingIsNotVerified: what has ended is not asked about again.
func TestNothingPendingIsNotVerified(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		terminate(t.Context(), v, end, nil, false)
		observe(t, v, end)
		n := len(cloud.Calls())
		if err := look(t.Context(), v, end); err != nil || len(cloud.Calls()) != n || !end[0].Ended() {
			t.Errorf("%v, %d more calls", err, len(cloud.Calls())-n)
		}
	})
}

// TestRefusalAfterALostAnswer is a refusal: EC2 says why, and asking again would change nothing.
func TestRefusalAfterALostAnswer(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		cloud.Inject(emulator.Fault{Action: terminateConnections, Times: 1, Code: "InternalError"})
		cloud.Inject(emulator.Fault{Action: terminateConnections, Code: "UnauthorizedOperation"})
		terminate(t.Context(), v, end, nil, false)
		if end[0].Fate != vpn.FateRefused {
			t.Errorf("%s: %v", end[0].Fate, end[0].Err)
		}
	})
}

// TestThrottlingAfterALostAnswer leaves open what the first attempt did.
func TestThrottlingAfterALostAnswer(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		cloud.Inject(emulator.Fault{Action: terminateConnections, Times: 1, Drop: true})
		cloud.Inject(emulator.Fault{Action: terminateConnections, Code: "RequestLimitExceeded"})
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		terminate(ctx, v, end, nil, false)
		if end[0].Fate != vpn.FateUnanswered || !end[0].Pending() {
			t.Errorf("%s: %v", end[0].Fate, end[0].Err)
		}
	})
}

// TestEndIsWhenEC2SaysSo: a connection has EC2's time of its end, and the time at which its end was seen. If EC2 lists
// it no more, the two are the same.
func TestEndIsWhenEC2SaysSo(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		gone := cloud.Connect(emulator.Client{EndpointID: ad, Username: "ann"})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		terminate(t.Context(), v, end[:1], nil, false)
		time.Sleep(5500 * time.Millisecond)
		observe(t, v, end[:1])
		ended := cloud.Connections()[0].EndedAt
		cloud.Disconnect(gone)
		time.Sleep(2 * time.Hour)
		terminate(t.Context(), v, end[1:], nil, false)
		observe(t, v, end[1:])
		if c := end[0]; !c.EndedAt.Equal(ended.Truncate(time.Second)) || c.EndSeenAt.Sub(c.EndedAt) < 5*time.Second {
			t.Errorf("ended at %v, seen at %v", c.EndedAt, c.EndSeenAt)
		}
		if c := end[1]; c.EndedAt.IsZero() || !c.EndedAt.Equal(c.EndSeenAt) {
			t.Errorf("ended at %v, seen at %v", c.EndedAt, c.EndSeenAt)
		}
	})
}
