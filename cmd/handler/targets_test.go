package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
)

const (
	otherRole    = "arn:aws:iam::444455556666:role/clientvpn-responder"
	closedRole   = "arn:aws:iam::222233334444:role/clientvpn-responder"
	elsewhereIDs = "cvpn-endpoint-00000000000000009" // and a digit
	external     = "a-secret-of-two"
)

// group is a company with endpoints in four accounts and Regions. Alice and malice are connected on each of them.
type group struct {
	*emulator.Accounts
	clouds []*emulator.Cloud
}

func newGroup() group {
	home := cloudWith(emulator.Client{Username: "alice"})
	var others []*emulator.Cloud
	for i, place := range [][2]string{{"", "eu-west-2"}, {"444455556666", ""}, {"444455556666", "us-east-1"}} {
		c := &emulator.Cloud{Account: place[0], Region: place[1], TerminateTime: 50 * time.Millisecond}
		id := fmt.Sprint(elsewhereIDs, i)
		c.AddEndpoint(emulator.Endpoint{ID: id})
		c.Connect(emulator.Client{EndpointID: id, Username: "alice", ID: fmt.Sprint("cvpn-connection-0", i)})
		c.Connect(emulator.Client{EndpointID: id, Username: "malice"})
		others = append(others, c)
	}
	accounts := &emulator.Accounts{Home: home, Others: others, Roles: map[string]string{otherRole: external}}
	return group{accounts, append(others, home)}
}

// up lists who is connected anywhere.
func (g group) up() (names []string) {
	for _, cloud := range g.clouds {
		for _, c := range cloud.Connections() {
			if c.EndedAt.IsZero() {
				names = append(names, c.Username)
			}
		}
	}
	return names
}

// TestTargetsAreGuardedToo: the function guards other accounts and Regions, side by side, and keeps the credentials
// of a role for each Region. A target that cannot be reached is named, and does not keep the function from acting on
// others.
func TestTargetsAreGuardedToo(t *testing.T) {
	g := newGroup()
	targets := "eu-west-2, " + otherRole + "@eu-west-1," + otherRole + "@us-east-1,eu-west-1"
	f := start(t, g, "TARGETS="+targets, "EXTERNAL_ID="+external)
	got := outcomes(t, invoke(t, f, leaver("e1", "alice")))
	if got[0].Status != "terminated" || len(got[0].Connections) != 4 ||
		!slices.Equal(g.up(), []string{"malice", "malice", "malice"}) {
		t.Errorf("%+v, up %q\n%s", got, g.up(), f.Logs())
	}
	places := map[string]bool{}
	for _, c := range got[0].Connections {
		places[c.Account+" "+c.Region] = true
	}
	for _, place := range []string{
		"111122223333 eu-west-1", "111122223333 eu-west-2", "444455556666 eu-west-1", "444455556666 us-east-1",
	} {
		if !places[place] {
			t.Errorf("nothing from %s: %v", place, places)
		}
	}
	invoke(t, f, leaver("e2", "bob"))
	if n := len(g.Assumed()); n != 2 {
		t.Errorf("%d roles assumed: %q", n, g.Assumed())
	}

	g = newGroup()
	f = start(t, g, "TARGETS="+closedRole+"@eu-west-1,eu-west-2,"+otherRole+"@us-east-1", "EXTERNAL_ID="+external)
	answer := invoke(t, f, leaver("e1", "alice"))
	// alice is up in eu-west-1 of the other account, which is no target.
	if answer.Failure == nil || !strings.Contains(answer.Failure.Message, "partial") || len(g.up()) != 4 {
		t.Errorf("%+v, up %q", answer, g.up())
	}
	message := g.Home.Published()[0].Body
	for _, word := range []string{"account 222233334444, eu-west-1", "assuming " + closedRole, "sts:AssumeRole"} {
		if !strings.Contains(message, word) {
			t.Errorf("no word about %s in %s", word, message)
		}
	}
}

// TestEndpointsToGuardMayBeAnywhere: an endpoint of ENDPOINT_IDS is found in any account and Region, and named if it
// is missing.
func TestEndpointsToGuardMayBeAnywhere(t *testing.T) {
	g := newGroup()
	f := start(t, g, "TARGETS="+otherRole+"@us-east-1", "EXTERNAL_ID="+external, "ENDPOINT_IDS="+elsewhereIDs+"2")
	got := outcomes(t, invoke(t, f, leaver("e1", "alice")))
	if len(got[0].Connections) != 1 || got[0].Connections[0].Region != "us-east-1" || len(g.up()) != 6 {
		t.Errorf("%+v, up %q", got, g.up())
	}
	g = newGroup()
	f = start(t, g, "TARGETS=eu-west-2", "ENDPOINT_IDS="+endpoint+","+elsewhereIDs+"2")
	answer := invoke(t, f, leaver("e1", "alice"))
	if answer.Failure == nil || len(g.up()) != 6 ||
		!strings.Contains(answer.Failure.Message, elsewhereIDs+"2 is in none of the accounts and Regions") {
		t.Errorf("%+v, up %q", answer, g.up())
	}
}
