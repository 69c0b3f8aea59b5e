package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/policysource"
)

// conglomerate is a company with endpoints in as many other accounts as are asked for. Alice is connected on each. It
// returns the list of targets that guards them, too.
func conglomerate(n int) (group, string) {
	home := cloudWith(emulator.Client{Username: "alice"})
	home.AddBucket("policies")
	clouds, roles, list := []*emulator.Cloud{}, map[string]string{}, "# every account with a VPN\n\n"
	for i := range n {
		account := fmt.Sprintf("%012d", 500000000000+i)
		role := "arn:aws:iam::" + account + ":role/clientvpn-responder-member"
		c := &emulator.Cloud{Account: account, TerminateTime: 50 * time.Millisecond}
		id := fmt.Sprintf("cvpn-endpoint-%017x", 1000+i)
		c.AddEndpoint(emulator.Endpoint{ID: id})
		c.Connect(emulator.Client{EndpointID: id, Username: "alice", ID: fmt.Sprintf("cvpn-connection-%017x", 1000+i)})
		clouds, roles[role] = append(clouds, c), external
		list += role + "@eu-west-1 # " + id + "\n"
	}
	accounts := &emulator.Accounts{Home: home, Others: clouds, Roles: roles}
	return group{accounts, append(clouds, home)}, list
}

// putTargets puts the list where the function reads it.
func putTargets(t *testing.T, g group, list string) {
	t.Helper()
	url, stop, err := emulator.Serve(g)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	store := policysource.Open(tableConfig(url), policysource.Location{Bucket: "policies", Key: "targets/targets.txt"})
	if err := store.PutBeside(t.Context(), "targets.txt", []byte(list)); err != nil {
		t.Fatal(err)
	}
}

const (
	targetsAt = "TARGETS_SOURCE=s3://policies/targets/targets.txt"
	selfTest  = `{"id":"s1","source":"clientvpn-responder","detail-type":"Self Test","detail":{}}`
)

// TestTwoHundredTargets: the list in S3 has more targets than the environment has room for. All are guarded, and the
// self-test says how many.
func TestTwoHundredTargets(t *testing.T) {
	g, list := conglomerate(200)
	putTargets(t, g, list)
	if len(list) < 4096 {
		t.Fatalf("%d bytes would fit", len(list))
	}
	f := start(t, g, targetsAt, "EXTERNAL_ID="+external, "TARGETS=eu-west-1", "WATCH=0")
	got := outcomes(t, invoke(t, f, leaver("e1", "alice")))[0]
	if got.Status != "terminated" || len(got.Connections) != 201 || len(g.up()) > 0 {
		t.Errorf("%s: %d connections, up %q\n%s", got.Summary, len(got.Connections), g.up(), f.Logs())
	}
	if n := len(g.Assumed()); n != 200 {
		t.Errorf("%d roles assumed", n)
	}
	ready := outcomes(t, invoke(t, f, []byte(selfTest)))[0]
	if ready.Status != "ready" || !strings.Contains(ready.Summary, "201 endpoints of 201 accounts and Regions") {
		t.Errorf("%+v", ready)
	}
}

// TestBadTargetsNeverReplaceGoodOnes: every mistake is named with its line, as for TARGETS. The last good list goes on,
// in a new process, too.
func TestBadTargetsNeverReplaceGoodOnes(t *testing.T) {
	g, list := conglomerate(2)
	env := []string{targetsAt, "EXTERNAL_ID=" + external, "WATCH=0"}
	never := outcomes(t, invoke(t, start(t, g, env...), []byte(selfTest)))[0]
	if never.Status != "not-ready" || !strings.Contains(never.Summary, "the newest list of targets cannot be used") {
		t.Errorf("%+v", never)
	}
	putTargets(t, g, list)
	putTargets(t, g, list+"Ireland\neu-west-2, role@eu-west-1\n")
	f := start(t, g, env...)
	got := outcomes(t, invoke(t, f, leaver("e1", "alice")))[0]
	if got.Status != "terminated" || len(got.Connections) != 3 {
		t.Errorf("%+v\n%s", got, f.Logs())
	}
	bad := outcomes(t, invoke(t, f, []byte(selfTest)))[0]
	log := logs(f)
	for _, words := range []string{
		`targets.txt:5: \"Ireland\" is neither a Region like eu-west-1 nor a role and a Region`,
		`targets.txt:6: \"role@eu-west-1\": \"role\" is not the ARN of a role`,
		"the newest list of targets is not in force", "goes on",
	} {
		if bad.Status != "not-ready" || !strings.Contains(log, words) {
			t.Errorf("%+v: no word about %s in %s", bad, words, log)
		}
	}
}

// TestUnknownTargetsAreNoTargets: a process that S3 does not answer cuts off nobody and says nothing about them. The
// event is tried again.
func TestUnknownTargetsAreNoTargets(t *testing.T) {
	g, list := conglomerate(1)
	putTargets(t, g, list)
	g.Home.Deny("s3:GetObject", "policies")
	g.Home.Deny("s3:ListObjectVersions", "policies")
	answer := invoke(t, start(t, g, targetsAt, "EXTERNAL_ID="+external), leaver("e1", "alice"))
	published := g.Home.Published()
	if answer.Failure == nil || len(g.up()) != 2 || len(published) != 1 ||
		!strings.Contains(published[0].Body, "the list of targets is not known") {
		t.Errorf("%+v, published %+v, up %q", answer, published, g.up())
	}
}

// TestEmptyListLeavesOutNobody: a list without a target, as after half an upload, never replaces a good one.
func TestEmptyListLeavesOutNobody(t *testing.T) {
	for name, empty := range map[string]string{"no bytes": "", "comments": "\ufeff# every account\r\n , \r\n"} {
		g, list := conglomerate(2)
		putTargets(t, g, list)
		putTargets(t, g, empty)
		f := start(t, g, targetsAt, "EXTERNAL_ID="+external, "WATCH=0")
		got := outcomes(t, invoke(t, f, leaver("e1", "alice")))[0]
		ready := outcomes(t, invoke(t, f, []byte(selfTest)))[0]
		if len(got.Connections) != 3 || len(g.up()) > 0 || ready.Status != "not-ready" ||
			!strings.Contains(ready.Summary, "names no target") {
			t.Errorf("%s: up %q, %+v", name, g.up(), ready)
		}
	}
}
