package vpn_test

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/vpn"
)

func TestTerminateUsesTheFewestCalls(t *testing.T) {
	up := func(endpoint, username string, n int) []emulator.Client {
		return slices.Repeat([]emulator.Client{{EndpointID: endpoint, Username: username}}, n)
	}
	certificates := slices.Repeat([]emulator.Client{{EndpointID: certs, CommonName: "ann"}}, 3)
	for _, test := range []struct {
		name    string
		clients []emulator.Client
		target  string
		want    []string
	}{
		{"one: by id", up(saml, "ann", 1), "ann", []string{"id"}},
		{"five: one call by name", up(saml, "ann", 5), "ann", []string{"ann"}},
		{"six: by id each", up(saml, "ann", 6), "ann", slices.Repeat([]string{"id"}, 6)},
		{"two spellings: a call for each", append(up(saml, "ann", 2), up(saml, "Ann", 2)...), "ann",
			[]string{"Ann", "ann"}},
		{"two endpoints", append(up(saml, "ann", 2), up(ad, "ann", 2)...), "ann", []string{"ann", "ann"}},
		{"by common name: by id each", certificates, "ann", []string{"id", "id", "id"}},
		{"a name with a wildcard: by id each", up(saml, "ann*", 2), "ann*", []string{"id", "id"}},
		{"a name with another: by id each", up(saml, "ann?", 2), "ann?", []string{"id", "id"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
				cloud.Connect(emulator.Client{EndpointID: saml, Username: "bob", CommonName: "bob"})
				for _, k := range test.clients {
					cloud.Connect(k)
				}
				end := mustFind(t, v, vpn.Target{Names: []string{test.target}})
				if extra := terminate(t.Context(), v, end, nil, false); extra != nil {
					t.Errorf("extra: %+v", extra)
				}
				equal(t, "calls", calls(cloud), test.want)
				onlyBobIsUp(t, cloud, v, end)
			})
		})
	}
}

// onlyBobIsUp: all others were terminated, and seen to end.
func onlyBobIsUp(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN, end []*vpn.Tracked) {
	t.Helper()
	observe(t, v, end)
	for _, m := range end {
		if m.Previous != vpn.Active || m.Current != vpn.Terminated || m.Error != "" || m.EndedAt.IsZero() {
			t.Errorf("%+v", m.Connection)
		}
	}
	up := 0
	for _, c := range cloud.Connections() {
		if c.EndedAt.IsZero() {
			up++
		}
	}
	if up != 1 {
		t.Errorf("%d connections are up, want bob's alone", up)
	}
}

func TestDryRunEndsNothing(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		for range 3 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		}
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		terminate(t.Context(), v, end, nil, true)
		equal(t, "calls", calls(cloud), []string{"ann true DryRunOperation"})
		for _, m := range end {
			if m.Fate != vpn.FateFeasible || m.Error != "" || m.Current != vpn.Active || m.How != vpn.ByUsername {
				t.Errorf("%+v", m.Connection)
			}
		}
		for _, c := range cloud.Connections() {
			if c.Status != "active" {
				t.Errorf("%s is %s", c.ID, c.Status)
			}
		}
	})
}

func TestMissingPermissionIsNamed(t *testing.T) {
	for _, dryRun := range []bool{true, false} {
		inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
			cloud.Deny("ec2:TerminateClientVpnConnections", "")
			end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
			terminate(t.Context(), v, end, nil, dryRun)
			want := "missing permission ec2:TerminateClientVpnConnections on client-vpn-endpoint/" + saml
			if !strings.Contains(end[0].Error, want) || end[0].Fate == vpn.FateFeasible {
				t.Errorf("dry-run %v: %q", dryRun, end[0].Error)
			}
		})
	}
}

// TestOverFiveFallsBackToIDs: a sixth connection came up between the listing and the call.
func TestOverFiveFallsBackToIDs(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		for range 5 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		}
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		terminate(t.Context(), v, end, nil, false)
		equal(t, "calls", calls(cloud), append([]string{"ann " + tooMany}, slices.Repeat([]string{"id"}, 5)...))
		if n := len(end[0].RequestIDs); n != 3 {
			t.Errorf("%d request ids: the listing, by name, by id", n)
		}
		observe(t, v, end)
		if slices.ContainsFunc(end, func(c *vpn.Tracked) bool { return !c.Ended() }) {
			t.Error("not all ended")
		}
	})
}

// TestConnectionThatCameUpUnderTheNameIsReported: EC2 ends it with the others, so it belongs into the outcome.
func TestConnectionThatCameUpUnderTheNameIsReported(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		for range 2 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		}
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		late := cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann", CommonName: "laptop-9"})
		extra := terminate(t.Context(), v, end, nil, false)
		if len(extra) != 1 || extra[0].ID != late || extra[0].Username != "ann" {
			t.Fatalf("extra: %+v", extra)
		}
		observe(t, v, extra)
		if !extra[0].Ended() || extra[0].CommonName != "laptop-9" {
			t.Errorf("%+v", extra[0])
		}
	})
}

// TestKeepIsNotEndedByName: a call by name would end the kept connection too.
func TestKeepIsNotEndedByName(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		for range 3 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		}
		found := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		terminate(t.Context(), v, found[1:], []vpn.Connection{found[0].Connection}, false)
		equal(t, "calls", calls(cloud), []string{"id", "id"})
	})
}

// TestExemptSpellingIsNotEndedByName: EC2 does not document whether it folds the case of a user name. So no call goes
// by name where a spared connection has the name in another case.
func TestExemptSpellingIsNotEndedByName(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		for _, username := range []string{"ann", "ann", "ANN"} {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: username})
		}
		found := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		terminate(t.Context(), v, found[:2], []vpn.Connection{found[2].Connection}, false)
		equal(t, "calls", calls(cloud), []string{"id", "id"})
	})
}

// TestConnectionsThatAreEndingAreNotAskedAgain, but seen to their end: a repeat of an event ends nothing twice.
func TestConnectionsThatAreEndingAreNotAskedAgain(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		terminate(t.Context(), v, mustFind(t, v, vpn.Target{Names: []string{"ann"}}), nil, false)
		again := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		terminate(t.Context(), v, again, nil, false)
		observe(t, v, again)
		if !again[0].Ended() || again[0].Previous != vpn.Terminating {
			t.Errorf("%+v", again[0].Connection)
		}
		equal(t, "calls", calls(cloud), []string{"id"})
	})
}

// TestNotAskedIsNotPending: the time was up before the request, or EC2 throttled it to the end.
func TestNotAskedIsNotPending(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		terminate(ctx, v, end, nil, false)
		if c := end[0]; c.Error == "" || c.Pending() || len(calls(cloud)) != 0 {
			t.Errorf("%+v", c.Connection)
		}
		cloud.Inject(emulator.Fault{Action: terminateConnections, Code: "RequestLimitExceeded"})
		ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		terminate(ctx, v, end, nil, false)
		if c := end[0]; !strings.Contains(c.Error, "RequestLimitExceeded") || c.Pending() {
			t.Errorf("%+v", c.Connection)
		}
	})
}

// TestDryRunOfWhatIsEnding needs no asking: it will end.
func TestDryRunOfWhatIsEnding(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		terminate(t.Context(), v, mustFind(t, v, vpn.Target{Names: []string{"ann"}}), nil, false)
		again := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		terminate(t.Context(), v, again, nil, true)
		if again[0].Fate != vpn.FateFeasible || len(calls(cloud)) != 1 {
			t.Errorf("%+v, calls %q", again[0].Connection, calls(cloud))
		}
	})
}

// TestDryRunStaysOneWhenEC2RefusesTheName: what falls back to ids asks, and ends nothing.
func TestDryRunStaysOneWhenEC2RefusesTheName(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		for range 2 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		}
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		cloud.Inject(emulator.Fault{Action: terminateConnections, Times: 1, Code: tooMany})
		terminate(t.Context(), v, end, nil, true)
		const tried = "id true DryRunOperation"
		equal(t, "calls", calls(cloud), []string{"ann true " + tooMany, tried, tried})
		for _, c := range cloud.Connections() {
			if c.Status != "active" {
				t.Errorf("%s is %s", c.ID, c.Status)
			}
		}
	})
}

func TestDryRunThatFailsIsNoSuccess(t *testing.T) {
	for _, code := range []string{idNotFound, "InternalError"} {
		inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
			end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
			cloud.Inject(emulator.Fault{Action: terminateConnections, Code: code})
			terminate(t.Context(), v, end, nil, true)
			if c := end[0]; !strings.Contains(c.Error, code) || c.Fate == vpn.FateFeasible || c.Pending() {
				t.Errorf("%s: %+v", code, c.Connection)
			}
		})
	}
}

var items = regexp.MustCompile(`(?s)<connectionStatuses>.*</connectionStatuses>`)

// TestAnswerWithoutTheConnection: each is asked for by its id, and what EC2 passes over then too has not ended.
func TestAnswerWithoutTheConnection(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, _ *vpn.VPN) {
		for range 2 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann", Stuck: true})
		}
		v := through(t, cloud, nil, func(_ url.Values, body string) string {
			return items.ReplaceAllString(body, "<connectionStatuses/>")
		})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		terminate(t.Context(), v, end, nil, false)
		equal(t, "calls", calls(cloud), []string{"ann", "id", "id"})
		for _, m := range end {
			if !strings.Contains(m.Error, "answered without the connection") || m.Ended() {
				t.Errorf("%+v", m.Connection)
			}
		}
	})
}

func TestAnswerWithoutAStatusIsNoEnd(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, _ *vpn.VPN) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann", Stuck: true})
		v := through(t, cloud, nil, func(_ url.Values, body string) string {
			return regexp.MustCompile(`<currentStatus>.*?</currentStatus>`).ReplaceAllString(body, "")
		})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		terminate(t.Context(), v, end, nil, false)
		if c := end[0]; c.Current != vpn.Terminating || !c.Pending() {
			t.Errorf("%+v", c.Connection)
		}
	})
}

func TestAnswerThatItHasEnded(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		cloud.EndedAnswersRow = true
		id := cloud.Connect(emulator.Client{EndpointID: saml, Username: "ann"})
		end := mustFind(t, v, vpn.Target{Names: []string{"ann"}})
		cloud.Disconnect(id)
		terminate(t.Context(), v, end, nil, false)
		if c := end[0]; c.Previous != vpn.Terminated || !c.Ended() || c.EndedAt.IsZero() {
			t.Errorf("%+v", c.Connection)
		}
	})
}
