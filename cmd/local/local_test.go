package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/trial"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestEventsGoAsTheirGoldensSay runs the main job: every file of events/ through the real binary.
func TestEventsGoAsTheirGoldensSay(t *testing.T) {
	t.Chdir("../..")
	var out bytes.Buffer
	if err := run(t.Context(), []string{"run"}, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	files, _ := filepath.Glob("events/*/*.json")
	for _, file := range files {
		if !strings.Contains(out.String(), trial.EventName(file)) {
			t.Errorf("no word about %s", file)
		}
	}
}

// TestRunNoticesWhatIsNotAsItsGoldenSays: under a policy that ignores everything, no leaver is cut off.
func TestRunNoticesWhatIsNotAsItsGoldenSays(t *testing.T) {
	t.Chdir("../..")
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte("version: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err := run(t.Context(), []string{"run", "-policy", file}, &out)
	if err == nil || !strings.Contains(err.Error(), "did not go as their goldens say") || !strings.Contains(out.String(), "NOT AS ITS GOLDEN SAYS") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestInvokePrintsTheOutcomes(t *testing.T) {
	t.Chdir("../..")
	t.Setenv("MODE", "")
	var out bytes.Buffer
	if err := run(t.Context(), []string{"invoke", "-policy", trial.Demonstration, "events/okta/user-deactivate.json"}, &out); err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(out.String(), "\n{")
	var answer struct{ Outcomes []trial.Outcome }
	if err := json.Unmarshal([]byte("{"+text), &answer); err != nil || len(answer.Outcomes) != 1 || answer.Outcomes[0].Status != "would-terminate" {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// TestExplainDecidesAsTheFunctionDoes: the decision that it prints is the one in the outcome of the real binary, for every
// event, reason by reason.
func TestExplainDecidesAsTheFunctionDoes(t *testing.T) {
	t.Chdir("../..")
	t.Setenv("MODE", "")
	binary, err := trial.BuildHandler(t.Context(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	url, stop, err := emulator.Serve(trial.NewCompany())
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	policyFile, err := filepath.Abs(trial.Demonstration)
	if err != nil {
		t.Fatal(err)
	}
	// Without an identity store, which explain has none of.
	function, err := emulator.Start(t.Context(), binary, append(trial.Environment(url, policyFile, ""), "IDENTITY_STORE_ID="))
	if err != nil {
		t.Fatal(err)
	}
	defer function.Close()
	files, _ := filepath.Glob("events/*/*.json")
	// The JSON of a reason is its sentence; the kind stays in the function.
	sameWords := cmp.Comparer(func(a, b policy.Reason) bool { return a.String() == b.String() })
	compared := 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := run(t.Context(), []string{"explain", "-policy", trial.Demonstration, "-json", file}, &out); err != nil {
			t.Fatal(err)
		}
		answer, err := function.Invoke(t.Context(), raw)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Outcomes []struct {
				Signal   signal.Signal
				Decision policy.Decision
			}
		}
		if answer.Failure == nil {
			if err := json.Unmarshal(answer.Payload, &got); err != nil {
				t.Fatal(err)
			}
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		for i, line := range lines {
			var e trial.Explanation
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatal(err)
			}
			if e.Error != "" {
				if len(got.Outcomes) != 0 {
					t.Errorf("%s: %d outcomes, explained as %s", file, len(got.Outcomes), line)
				}
				continue
			}
			if len(got.Outcomes) != len(lines) {
				t.Fatalf("%s: %d outcomes for %d lines", file, len(got.Outcomes), len(lines))
			}
			compared++
			o := got.Outcomes[i]
			if e.Signal.Provider == signal.IdentityCenter {
				o.Signal.Lookup = ""
				aboutTheStore := func(r policy.Reason) bool {
					return strings.Contains(r.Text, "identity store") || strings.Contains(r.Text, "nobody is known as")
				}
				o.Decision.Reasons = slices.DeleteFunc(o.Decision.Reasons, aboutTheStore)
				e.Decision.Reasons = slices.DeleteFunc(e.Decision.Reasons, aboutTheStore)
			}
			if diff := cmp.Diff(trial.Explanation{File: file, Signal: &o.Signal, Decision: &o.Decision}, e, cmpopts.IgnoreUnexported(trial.Explanation{}), sameWords); diff != "" {
				t.Errorf("%s (-function +explain): %s", file, diff)
			}
		}
	}
	if compared < 50 {
		t.Errorf("only %d decisions compared", compared)
	}
}

func TestExplainTellsWhatEveryRuleSays(t *testing.T) {
	t.Chdir("../..")
	t.Setenv("MODE", "enforce")
	var out bytes.Buffer
	if err := run(t.Context(), []string{"explain", "-policy", trial.Demonstration, "events/guardduty/iam-user.json"}, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  guardduty: Exfiltration:IAMUser/AnomalousBehavior, finding, about bob\n  TERMINATE by rule stolen-credentials, in mode enforce\n",
		"    leavers                  terminate  no   kind finding is not account-disabled or account-purged\n",
		"    stolen-credentials       terminate  YES  provider is guardduty; type",
		"    other-findings           notify     -    would fit too, but comes later\n",
		"    risk                     notify     no   kind finding is not",
		"\n  looks for bob, bob@example.com, ", "\n  looks for certificates bob.vpn.example.com, ",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	out.Reset()
	if err := run(t.Context(), []string{"explain", "-policy", trial.Demonstration, "events/okta/user-activate.json", "events/okta/user-deactivate-exempt.json", "events/none.json", "events/okta/session-end.json"}, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"IGNORE by default, as no rule fits", "  - held back: breakglass is exempt\n", "no signal: unsupported event: okta", "no signal: reading the event: "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

// TestExplainWithConnections: of a listing as the AWS CLI prints it, of two endpoints one after the other, it says which
// would be ended, and how.
func TestExplainWithConnections(t *testing.T) {
	t.Chdir("../..")
	t.Setenv("MODE", "")
	row := func(id, endpoint, username, commonName, status string) string {
		return fmt.Sprintf(`{"ClientVpnEndpointId":%q,"Timestamp":"2026-11-20 10:00:00","ConnectionId":%q,"Username":%q,"ConnectionEstablishedTime":"2026-11-20 08:00:00",
			"IngressBytes":"1","EgressBytes":"1","ClientIp":"10.0.0.2","CommonName":%q,"Status":{"Code":%q},"ConnectionEndTime":"-"}`, endpoint, id, username, commonName, status)
	}
	const a, b = "cvpn-endpoint-0a", "cvpn-endpoint-0b"
	file := filepath.Join(t.TempDir(), "connections.json")
	text := `{"Connections": [` + strings.Join([]string{
		row("cvpn-connection-01", a, "alice@example.com", "x", "active"), row("cvpn-connection-02", a, "alice@example.com", "x", "active"),
		row("cvpn-connection-03", a, "malice@example.com", "x", "active"), row("cvpn-connection-04", a, "alice@example.com", "x", "terminated"),
	}, ",") + `]}
{"Connections": [` + row("cvpn-connection-05", b, "", "alice.vpn.example.com", "active") + "," + row("cvpn-connection-06", b, "bob", "alice", "active") + `]}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(t.Context(), []string{"explain", "-policy", trial.Demonstration, "-connections", file, "events/okta/user-deactivate.json", "events/okta/session-clear.json", "events/okta/session-end.json"}, &out); err != nil {
		t.Fatal(err)
	}
	_, got, _ := strings.Cut(out.String(), "  looks for certificates alice.vpn.example.com, alice@example.com.vpn.example.com, alice@example.vpn.example.com\n")
	want := `  would end cvpn-connection-01 of alice@example.com on cvpn-endpoint-0a, by username
  would end cvpn-connection-02 of alice@example.com on cvpn-endpoint-0a, by username
  would end cvpn-connection-05 of certificate alice.vpn.example.com on cvpn-endpoint-0b, by connection-id
  leaves    cvpn-connection-06 of bob on cvpn-endpoint-0b: its user is bob; only its certificate is alice
`
	if !strings.HasPrefix(got, want) || !strings.Contains(got, "  would end none of the listed connections\n") {
		t.Error(out.String())
	}
	for name, text := range map[string]string{"no JSON": "x", "another answer": `{"ClientVpnEndpoints": []}`, "no id": `{"Connections": [{"Username": "a"}]}`} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := run(t.Context(), []string{"explain", "-policy", trial.Demonstration, "-connections", file, "events/okta/user-deactivate.json"}, &out); err == nil || !strings.HasPrefix(err.Error(), file+": ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestShippedCasesHoldAndReachEveryRule.
func TestShippedCasesHoldAndReachEveryRule(t *testing.T) {
	t.Chdir("../..")
	var out bytes.Buffer
	if err := run(t.Context(), []string{"check", "-policy", trial.Demonstration, "internal/trial/cases"}, &out); err != nil || strings.Contains(out.String(), "No case reaches") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestCheckTellsWhatDiffers(t *testing.T) {
	t.Chdir("../..")
	folder := t.TempDir()
	policyFile := filepath.Join(folder, "policy.yml")
	inFile := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	inFile("policy.yml", "version: 1\nidentity: {issuers: ['iam:111122223333']}\nrules:\n  - {name: a, when: {kinds: [finding]}, then: terminate}\n  - {name: b, when: {}, then: notify}\n")
	event, err := filepath.Abs("events/guardduty/iam-user.json")
	if err != nil {
		t.Fatal(err)
	}
	inFile("event.json", string(must(os.ReadFile(event))))
	for _, test := range []struct{ name, cases, want, failure string }{
		{"sound", "- {name: x, file: event.json, want: [{action: terminate, rule: a, gate: '', mode: enforce, names: [bob], reason: kind is finding}]}", "1 cases, 1 as they should be. No case reaches: b.\n", ""},
		{"action", "\n- {name: x, file: event.json, want: [{action: notify}]}", "cases.yaml:2: x\n    about bob:\n    action: want \"notify\", got \"terminate\"\n      - rule a decides terminate", "1 of 1 cases differ"},
		{"rule", "- {name: x, file: event.json, want: [{action: terminate, rule: b}]}", `rule: want "b", got "a"`, "1 of 1 cases differ"},
		{"gate", "- {name: x, file: event.json, want: [{action: terminate, gate: stale}]}", `gate: want "stale", got ""`, "1 of 1 cases differ"},
		{"mode", "- {name: x, file: event.json, mode: dry-run, want: [{action: terminate, mode: enforce}]}", `mode: want "enforce", got "dry-run"`, "1 of 1 cases differ"},
		{"names", "- {name: x, file: event.json, want: [{action: terminate, names: [bo]}]}", `names: want "bo", got ["bob"]`, "1 of 1 cases differ"},
		{"reason", "- {name: x, file: event.json, want: [{action: terminate, reason: because}]}", `reason: none says "because"`, "1 of 1 cases differ"},
		{"signals", "- {name: x, file: event.json, want: [{action: terminate}, {action: terminate}]}", "want 2 signals, got 1", "1 of 1 cases differ"},
		{"no signal wanted", "- {name: x, file: event.json, error: logout}", `want no signal but the error "logout", got 1 signals`, "1 of 1 cases differ"},
		{"no signal", "- {name: x, event: {source: y, detail-type: z}, want: [{action: terminate}]}", `no signal: unsupported event: source "y"`, "1 of 1 cases differ"},
		{"another error", "- {name: x, event: {source: y, detail-type: z}, error: logout}", `error: want "logout" in "unsupported event: source \"y\""`, "1 of 1 cases differ"},
		{"the error", "- {name: x, event: {source: y, detail-type: z}, error: unsupported}", "1 cases, 1 as they should be.", ""},
		{"no file", "- {name: x, file: absent.json, want: [{action: terminate}]}", "reading the event: ", "1 of 1 cases differ"},
		{"time", "- {name: x, file: event.json, now: soon, want: [{action: terminate}]}", `now: "soon" is not a time`, "1 of 1 cases differ"},
		{"a year before", "- {name: x, file: event.json, now: 2025-11-20T10:00:00Z, want: [{action: notify, gate: future}]}", "1 cases, 1 as they should be.", ""},
		{"unknown key", "- {name: x, file: event.json, wants: []}", "", `cases.yaml:1:31: unknown field "wants"`},
		{"unknown key in want", "- {name: x, file: event.json, want: [{acton: terminate}]}", "", `cases.yaml:1:39: unknown field "acton"`},
		{"no list", "name: x", "", "cases.yaml:1: must be one YAML document, a list of cases"},
		{"no name", "- {file: event.json, want: []}", "", "cases.yaml:1: name: missing"},
		{"no event", "- {name: x, want: []}", "", "cases.yaml:1: give a file or an event"},
		{"two events", "- {name: x, file: event.json, event: {a: b}, want: []}", "", "cases.yaml:1: give a file or an event"},
		{"nothing wanted", "- {name: x, file: event.json}", "", "cases.yaml:1: give want"},
		{"no action", "- {name: x, file: event.json, want: [{rule: a}]}", "", "cases.yaml:1: want: every entry needs an action"},
		{"no value", "- {name: x, file: event.json, want: [{action: terminate, gate: }]}", "", `cases.yaml:1: gate: has no value`},
		{"null in the event", "- {name: x, event: {source: y, detail-type: z, resources: null}, error: unsupported}", "1 cases, 1 as they should be.", ""},
		{"wrong mode", "- {name: x, file: event.json, mode: on, want: [{action: terminate}]}", "", `cases.yaml:1: mode: "on" is neither`},
		{"no YAML", "- {", "", "cases.yaml:1"},
	} {
		inFile("cases.yaml", test.cases)
		var out bytes.Buffer
		err := run(t.Context(), []string{"check", "-policy", policyFile, folder}, &out)
		if (err == nil) != (test.failure == "") || err != nil && !strings.Contains(err.Error(), test.failure) || !strings.Contains(out.String(), test.want) {
			t.Errorf("%s: %v\n%s", test.name, err, out.String())
		}
	}
	if err := run(t.Context(), []string{"check", "-policy", trial.Demonstration, t.TempDir()}, io.Discard); err == nil || !strings.Contains(err.Error(), "has no *.yaml") {
		t.Error(err)
	}
}

func must(raw []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return raw
}

// TestExplainAsJSON: one object a line for each signal, as the goldens have it.
func TestExplainAsJSON(t *testing.T) {
	t.Chdir("../..")
	t.Setenv("MODE", "enforce")
	files, _ := filepath.Glob("events/*/*.json")
	var out bytes.Buffer
	if err := run(t.Context(), append([]string{"explain", "-policy", trial.Demonstration, "-json"}, files...), &out); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{} // lines of each file
	lines := bufio.NewScanner(&out)
	for lines.Scan() {
		var line trial.Explanation
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		nth := seen[line.File]
		seen[line.File]++
		if (line.Error == "") != (line.Signal != nil && line.Decision != nil) {
			t.Errorf("%s", lines.Text())
		}
		raw, err := os.ReadFile(strings.TrimSuffix(line.File, ".json") + ".golden")
		if err != nil {
			t.Fatal(err)
		}
		var want trial.Golden
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatal(err)
		}
		line.File = trial.GoldenName(line.File)
		if nth >= len(want.Explain) {
			t.Errorf("%s: more than %d lines", line.File, len(want.Explain))
		} else if diff := cmp.Diff(want.Explain[nth], line, cmpopts.IgnoreUnexported(trial.Explanation{})); diff != "" {
			t.Errorf("%s: %s", line.File, diff)
		}
	}
	if len(seen) != len(files) {
		t.Errorf("%d of %d files explained", len(seen), len(files))
	}
}

func TestMistakesAreNamed(t *testing.T) {
	t.Chdir("../..")
	for want, args := range map[string][]string{
		`"frobnicate" is no command`: {"frobnicate"},
		"invoke: name one event":     {"invoke"},
		"explain: name events":       {"explain"},
		"reading the policy: ":       {"explain", "-policy", "none.yaml", "events/okta/user-deactivate.json"},
		"flag provided but not":      {"explain", "-jsn"},
	} {
		var out bytes.Buffer
		if err := run(t.Context(), args, &out); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", args, err)
		}
	}
}

func TestMoveToNow(t *testing.T) {
	raw := []byte(`{"time":"2026-11-20T10:00:00Z","a":"2026-11-20T09:59:58.250Z","b":"2026-11-20T09:00:00.000+0000","c":"1.2.3"}`)
	var got struct {
		Time, A time.Time
		B, C    string
	}
	if err := json.Unmarshal(trial.MoveToNow(raw), &got); err != nil {
		t.Fatal(err)
	}
	b, err := time.Parse("2006-01-02T15:04:05.000Z0700", got.B)
	if err != nil || time.Since(got.Time) > time.Minute || got.Time.Sub(got.A) != 1750*time.Millisecond || got.Time.Sub(b) != time.Hour || got.C != "1.2.3" {
		t.Errorf("%+v, %v", got, err)
	}
}
