package responder_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
)

// TestAbsenceHasEvidence: when and where the person was searched for, and among how many. It names similar names, and
// domains of the event that the policy does not know. Nobody with a similar name is touched.
func TestAbsenceHasEvidence(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.PageSize = 10
		for i := range 25 {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: fmt.Sprintf("other%d@example.com", i)})
		}
		for _, name := range []string{
			"alice@example.com", "alise", `EXAMPLE\malice`, "alic@partner.example", "carol", "alicia",
		} {
			cloud.Connect(emulator.Client{EndpointID: ad, Username: name})
		}
		before := up(cloud)
		start := time.Now().UTC()
		partner := signal.Subject{Usernames: []string{"alice@partner.example", "alice@example.net", "alice@partner.example"}}
		o := respond(t, r, about(partner))[0]
		e := o.Evidence
		if o.Status != responder.NotConnected || e == nil {
			t.Fatalf("%s: %s, %+v", o.Status, o.Summary, e)
		}
		if !e.From.Equal(start) || e.Until.Sub(start) < r.Watch || e.Searches != 3 || e.Connections != 31 ||
			!slices.Equal(e.Endpoints, []string{saml, ad, certs}) {
			t.Errorf("%+v", e)
		}
		var similar []string
		for _, s := range e.Similar {
			if s.EndpointID != ad || !strings.HasPrefix(s.ConnectionID, "cvpn-connection-") {
				t.Errorf("%+v", s)
			}
			similar = append(similar, s.Name)
		}
		want := []string{"alice@example.com", "alise", `EXAMPLE\malice`, "alic@partner.example"}
		if !slices.Equal(similar, want) || !slices.Equal(e.UnknownDomains, []string{"partner.example", "example.net"}) {
			t.Errorf("similar: %q; unknown domains: %q", similar, e.UnknownDomains)
		}
		if !strings.Contains(o.Summary, "does not list partner.example, example.net. Similar names are connected: alice@") {
			t.Error(o.Summary)
		}
		if left := up(cloud); !slices.Equal(left, before) || actions(cloud)["TerminateClientVpnConnection"] != 0 {
			t.Errorf("still up: %q", left)
		}
	})
}

// TestEvidenceIsBounded: thousands of similar names, and one of a thousand letters, make no long outcome. A person who
// is found has no such evidence.
func TestEvidenceIsBounded(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		for i := range 3000 {
			domain := strings.Repeat("x", 900) + fmt.Sprint(i) + ".example"
			cloud.Connect(emulator.Client{EndpointID: saml, Username: "alice@" + domain})
		}
		s := about(signal.Subject{Usernames: []string{"alice@partner.example"}})
		o := respond(t, r, s)[0]
		if o.Evidence.Connections != 3000 || len(o.Evidence.Similar) != 5 || len(o.Summary) > 1000 {
			t.Errorf("%d connections, %d similar, a summary of %d bytes",
				o.Evidence.Connections, len(o.Evidence.Similar), len(o.Summary))
		}
		cloud.Connect(emulator.Client{EndpointID: ad, Username: "alice@partner.example"})
		if o = respond(t, r, s)[0]; o.Status != responder.Terminated || o.Evidence != nil || len(up(cloud)) != 3000 {
			t.Errorf("%s: %s; %+v", o.Status, o.Summary, o.Evidence)
		}
	})
}

// TestAliasNeedsNoDomain: a name that the policy maps to a person is no unknown domain's.
func TestAliasNeedsNoDomain(t *testing.T) {
	inCompany(t, func(t *testing.T, _ *emulator.Cloud, r *responder.Responder) {
		r.Policy = parsed(t, strings.Replace(rules, "aliases: {", `aliases: {"al@partner.example": alice@example.com, `, 1))
		o := respond(t, r, about(signal.Subject{Usernames: []string{"al@partner.example", "alice@example.com"}}))[0]
		if o.Evidence == nil || len(o.Evidence.UnknownDomains) != 0 {
			t.Errorf("%s: %+v", o.Status, o.Evidence)
		}
	})
}

// TestEvidenceIsOfACompleteSearch: the time is up while a further search goes on, which shows less than the first.
func TestEvidenceIsOfACompleteSearch(t *testing.T) {
	inCompany(t, func(t *testing.T, cloud *emulator.Cloud, r *responder.Responder) {
		cloud.Connect(emulator.Client{EndpointID: saml, Username: "carol"})
		cloud.Inject(emulator.Fault{Action: "DescribeClientVpnConnections", Delay: time.Hour, After: 3})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		o := respondWithin(ctx, t, r, about(alice))[0]
		if o.Status != responder.NotConnected || len(o.Evidence.Endpoints) != 3 || o.Evidence.Connections != 1 {
			t.Errorf("%s: %s; %+v", o.Status, o.Summary, o.Evidence)
		}
	})
}
