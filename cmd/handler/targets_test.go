package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
)

// TestTargetsAreGuardedToo: other accounts and Regions, side by side. One that cannot be reached is named, and does not keep
// the others from being acted on.
func TestTargetsAreGuardedToo(t *testing.T) {
	const (
		other, closed = "arn:aws:iam::444455556666:role/clientvpn-responder", "arn:aws:iam::222233334444:role/clientvpn-responder"
		elsewhere     = "cvpn-endpoint-00000000000000009"
		external      = "a-secret-of-two"
	)
	company := func() (*emulator.Accounts, []*emulator.Cloud) {
		home := cloudWith(emulator.Client{Username: "alice"})
		var others []*emulator.Cloud
		for i, place := range [][2]string{{"", "eu-west-2"}, {"444455556666", ""}, {"444455556666", "us-east-1"}} {
			c := &emulator.Cloud{Account: place[0], Region: place[1], TerminateTime: 50 * time.Millisecond}
			id := fmt.Sprint(elsewhere, i)
			c.AddEndpoint(emulator.Endpoint{ID: id})
			c.Connect(emulator.Client{EndpointID: id, Username: "alice", ID: fmt.Sprint("cvpn-connection-0", i)})
			c.Connect(emulator.Client{EndpointID: id, Username: "malice"})
			others = append(others, c)
		}
		return &emulator.Accounts{Home: home, Others: others, Roles: map[string]string{other: external}}, append(others, home)
	}
	up := func(clouds []*emulator.Cloud) (names []string) {
		for _, cloud := range clouds {
			for _, c := range cloud.Connections() {
				if c.EndedAt.IsZero() {
					names = append(names, c.Username)
				}
			}
		}
		return names
	}

	accounts, clouds := company()
	f := start(t, accounts, "TARGETS=eu-west-2, "+other+"@eu-west-1,"+other+"@us-east-1,eu-west-1", "EXTERNAL_ID="+external)
	got := outcomes(t, invoke(t, f, leaver("e1", "alice")))
	if got[0].Status != "terminated" || len(got[0].Connections) != 4 || !slices.Equal(up(clouds), []string{"malice", "malice", "malice"}) {
		t.Errorf("%+v, up %q\n%s", got, up(clouds), f.Logs())
	}
	places := map[string]bool{}
	for _, c := range got[0].Connections {
		places[c.Account+" "+c.Region] = true
	}
	for _, place := range []string{"111122223333 eu-west-1", "111122223333 eu-west-2", "444455556666 eu-west-1", "444455556666 us-east-1"} {
		if !places[place] {
			t.Errorf("nothing from %s: %v", place, places)
		}
	}
	// The credentials of a role are kept, for each Region of its own.
	invoke(t, f, leaver("e2", "bob"))
	if n := len(accounts.Assumed()); n != 2 {
		t.Errorf("%d roles assumed: %q", n, accounts.Assumed())
	}

	accounts, clouds = company()
	f = start(t, accounts, "TARGETS="+closed+"@eu-west-1,eu-west-2,"+other+"@us-east-1", "EXTERNAL_ID="+external)
	answer := invoke(t, f, leaver("e1", "alice"))
	if answer.Failure == nil || !strings.Contains(answer.Failure.Message, "partial") || len(up(clouds)) != 4 { // alice is up in eu-west-1 of the other account, which is no target
		t.Errorf("%+v, up %q", answer, up(clouds))
	}
	message := accounts.Home.Published()[0].Body
	for _, word := range []string{"account 222233334444, eu-west-1", "assuming " + closed, "sts:AssumeRole"} {
		if !strings.Contains(message, word) {
			t.Errorf("no word about %s in %s", word, message)
		}
	}

	// The endpoints to guard may be anywhere.
	accounts, clouds = company()
	f = start(t, accounts, "TARGETS="+other+"@us-east-1", "EXTERNAL_ID="+external, "ENDPOINT_IDS="+elsewhere+"2")
	if got := outcomes(t, invoke(t, f, leaver("e1", "alice"))); len(got[0].Connections) != 1 || got[0].Connections[0].Region != "us-east-1" || len(up(clouds)) != 6 {
		t.Errorf("%+v, up %q", got, up(clouds))
	}
	accounts, clouds = company()
	f = start(t, accounts, "TARGETS=eu-west-2", "ENDPOINT_IDS="+endpoint+","+elsewhere+"2")
	if answer := invoke(t, f, leaver("e1", "alice")); answer.Failure == nil || !strings.Contains(answer.Failure.Message, elsewhere+"2 is in none of the accounts and Regions") || len(up(clouds)) != 6 {
		t.Errorf("%+v, up %q", answer, up(clouds))
	}
}
