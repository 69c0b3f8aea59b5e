package trial

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// decidedOutcome is the part of an outcome that explain prints.
type decidedOutcome struct {
	Signal   signal.Signal
	Decision policy.Decision
}

// TestExplainDecidesAsTheFunctionDoes: the decision that it prints is the one in the outcome of the real binary, for
// every event, reason by reason.
func TestExplainDecidesAsTheFunctionDoes(t *testing.T) {
	atRoot(t)
	t.Setenv("MODE", "")
	function := functionsWithoutStore(t)
	rules, err := policy.Load(Demonstration)
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, record := range ReadRecords([]string{"events"}, nil) {
		// A function remembers earlier events; explain knows one only.
		answer, err := function().Invoke(t.Context(), record.Event)
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ Outcomes []decidedOutcome }
		if answer.Failure == nil {
			if err := json.Unmarshal(answer.Payload, &got); err != nil {
				t.Fatal(err)
			}
		}
		explained := decideEvent(rules, policy.DryRun, record.File, record.Event, time.Now())
		if explained[0].Error != "" {
			explained = nil
		}
		if len(got.Outcomes) != len(explained) {
			t.Fatalf("%s: %d outcomes, %d explanations", record.File, len(got.Outcomes), len(explained))
		}
		for i, o := range got.Outcomes {
			compared++
			if diff := differently(t, o, explained[i]); diff != "" {
				t.Errorf("%s (-function +explain): %s", record.File, diff)
			}
		}
	}
	if compared < 50 {
		t.Errorf("only %d decisions compared", compared)
	}
}

// functionsWithoutStore returns what starts a new function, with a new company, each time. It has no identity store, as
// explain has none.
func functionsWithoutStore(t *testing.T) func() *emulator.Function {
	t.Helper()
	binary, err := BuildHandler(t.Context(), console.Plain(&bytes.Buffer{}))
	if err != nil {
		t.Fatal(err)
	}
	policyFile, err := filepath.Abs(Demonstration)
	if err != nil {
		t.Fatal(err)
	}
	stop := func() {}
	t.Cleanup(func() { stop() })
	return func() *emulator.Function {
		stop()
		url, stopCompany, err := emulator.Serve(NewCompany())
		if err != nil {
			t.Fatal(err)
		}
		env := append(Environment(url, policyFile, ""), "IDENTITY_STORE_ID=", "SCIM_ISSUERS=")
		function, err := emulator.Start(t.Context(), binary, env)
		if err != nil {
			t.Fatal(err)
		}
		stop = func() { function.Close(); stopCompany() }
		return function
	}
}

// differently compares as the JSON has it: the kind of a reason stays in the function.
func differently(t *testing.T, o decidedOutcome, e Explanation) string {
	t.Helper()
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var read Explanation
	if err := json.Unmarshal(raw, &read); err != nil {
		t.Fatal(err)
	}
	if e.Signal.Provider == signal.IdentityCenter {
		o.Signal.Lookup = ""
		aboutTheStore := func(r policy.Reason) bool {
			return strings.Contains(r.String(), "identity store") || strings.Contains(r.String(), "nobody")
		}
		o.Decision.Reasons = slices.DeleteFunc(o.Decision.Reasons, aboutTheStore)
		read.Decision.Reasons = slices.DeleteFunc(read.Decision.Reasons, aboutTheStore)
	}
	if e.Signal.Kind == signal.SelfTest { // explain knows no endpoints, nor what else a self-test looks at
		o.Decision.Reasons = o.Decision.Reasons[:1]
	}
	sameWords := cmp.Comparer(func(a, b policy.Reason) bool { return a.String() == b.String() })
	want := Explanation{File: e.File, Signal: &o.Signal, Decision: &o.Decision}
	return cmp.Diff(want, read, cmpopts.IgnoreUnexported(Explanation{}), sameWords)
}

// row returns a connection as the AWS CLI prints it.
func row(id, endpoint, username, commonName, status string) string {
	return fmt.Sprintf(`{"ClientVpnEndpointId":%q,"Timestamp":"2026-11-20 10:00:00","ConnectionId":%q,"Username":%q,
		"ConnectionEstablishedTime":"2026-11-20 08:00:00","IngressBytes":"1","EgressBytes":"1","ClientIp":"10.0.0.2",
		"CommonName":%q,"Status":{"Code":%q},"ConnectionEndTime":"-"}`, endpoint, id, username, commonName, status)
}

// TestExplainWithConnections: it says which connections of a listing would be terminated, and how. The listing is as
// the AWS CLI prints it, of two endpoints one after the other.
func TestExplainWithConnections(t *testing.T) {
	atRoot(t)
	t.Setenv("MODE", "")
	const a, b = "cvpn-endpoint-0a", "cvpn-endpoint-0b"
	file := filepath.Join(t.TempDir(), "connections.json")
	text := `{"Connections": [` + strings.Join([]string{
		row("cvpn-connection-01", a, "alice@example.com", "x", "active"),
		row("cvpn-connection-02", a, "alice@example.com", "x", "active"),
		row("cvpn-connection-03", a, "malice@example.com", "x", "active"),
		row("cvpn-connection-04", a, "alice@example.com", "x", "terminated"),
	}, ",") + `]}
{"Connections": [` + row("cvpn-connection-05", b, "", "alice.vpn.example.com", "active") + "," +
		row("cvpn-connection-06", b, "bob", "alice", "active") + `]}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	listing, err := ReadListing(t.Context(), console.Plain(&bytes.Buffer{}), file, Demonstration)
	if err != nil {
		t.Fatal(err)
	}
	out, err := explained(t, ExplainOptions{Listing: listing},
		"events/okta/user-deactivate.json", "events/okta/session-clear.json", "events/okta/session-end.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"would terminate cvpn-connection-01 of alice@example.com on cvpn-endpoint-0a, by username",
		"would terminate cvpn-connection-02 of alice@example.com on cvpn-endpoint-0a, by username",
		"would terminate cvpn-connection-05 of certificate alice.vpn.example.com on cvpn-endpoint-0b, by connection-id",
		"would spare cvpn-connection-06 of bob on cvpn-endpoint-0b: its user is bob; only its certificate is alice",
		"would terminate none of the listed connections",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if n := strings.Count(out, "would terminate cvpn"); n != 3 {
		t.Errorf("%d would be terminated", n)
	}
}

// TestExplainNamesWhomEndpointsCarry: with the endpoints beside the connections, explain knows how they authenticate.
func TestExplainNamesWhomEndpointsCarry(t *testing.T) {
	atRoot(t)
	const a = "cvpn-endpoint-0a"
	file := filepath.Join(t.TempDir(), "connections.json")
	text := `{"ClientVpnEndpoints": [{"ClientVpnEndpointId": "` + a + `", "AuthenticationOptions": [{
		"Type": "federated-authentication",
		"FederatedAuthentication": {"SamlProviderArn": "arn:aws:iam::111122223333:saml-provider/okta"}}]}]}
{"Connections": [` + row("cvpn-connection-01", a, "", "alice.vpn.example.com", "active") + "," +
		row("cvpn-connection-02", a, "alice@example.com", "x", "active") + `]}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	listing, err := ReadListing(t.Context(), console.Plain(&bytes.Buffer{}), file, Demonstration)
	if err != nil {
		t.Fatal(err)
	}
	out, err := explained(t, ExplainOptions{Listing: listing}, "events/okta/user-deactivate.json")
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Join(strings.Fields(out), " ")
	if !strings.Contains(said, "endpoint "+a+": federated-authentication by arn:aws:iam::111122223333:"+
		"saml-provider/okta, "+
		"so people are known by user name") || !strings.Contains(said, "would terminate cvpn-connection-02") ||
		strings.Contains(said, "would terminate cvpn-connection-01") {
		t.Error(out)
	}
}

func TestListingsThatAreNone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "connections.json")
	for name, text := range map[string]string{
		"no JSON": "x", "another answer": `{"ClientVpnEndpoints": []}`, "no id": `{"Connections": [{"Username": "a"}]}`,
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ReadListing(t.Context(), console.Plain(&bytes.Buffer{}), file, Demonstration)
		if err == nil || !strings.HasPrefix(err.Error(), file+": ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
