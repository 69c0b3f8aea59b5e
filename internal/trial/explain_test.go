package trial

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/policy"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// explained returns what Explain prints about the files, with the breaks of its lines taken out.
func explained(t *testing.T, options ExplainOptions, names ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	if options.Policy == "" {
		options.Policy = Demonstration
	}
	err := Explain(t.Context(), console.Plain(&out), ReadRecords(names, strings.NewReader("")), options)
	if options.JSON {
		return out.String(), err
	}
	atMost80(t, out.String())
	return strings.Join(strings.Fields(out.String()), " "), err
}

// TestExplainWhatEveryRuleSays: the one that decides, those before and behind it, and why.
func TestExplainWhatEveryRuleSays(t *testing.T) {
	atRoot(t)
	t.Setenv("MODE", "enforce")
	out, err := explained(t, ExplainOptions{}, "events/guardduty/iam-user.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"guardduty: Exfiltration:IAMUser/AnomalousBehavior, finding, about bob TERMINATE by rule stolen-credentials, " +
			"in mode enforce",
		"leavers terminate no kind finding is not account-disabled or account-purged",
		"stolen-credentials terminate YES provider is guardduty; type",
		"other-findings notify - would fit too, but comes later",
		"risk notify no kind finding is not",
		"searches for bob, bob@example.com, ", "searches for certificates bob.vpn.example.com, ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// TestExplainSaysOnceWhyANameDoesNotCount: the gate that blocks the termination says it, and no line before it.
func TestExplainSaysOnceWhyANameDoesNotCount(t *testing.T) {
	atRoot(t)
	out, err := explained(t, ExplainOptions{}, "events/ssf/old-token.json")
	if err != nil {
		t.Fatal(err)
	}
	const gate = "held back: alice@example.com does not count"
	if n := strings.Count(out, "does not count"); n != 1 || !strings.Contains(out, gate) {
		t.Errorf("said %d times in\n%s", n, out)
	}
}

// TestExplainFailsWhereAFileCannotBeRead: the others are explained all the same.
func TestExplainFailsWhereAFileCannotBeRead(t *testing.T) {
	atRoot(t)
	out, err := explained(t, ExplainOptions{}, "events/okta/user-activate.json", "events/okta/user-deactivate-exempt.json",
		"events/none.json", "events/okta/session-end.json")
	if err == nil || err.Error() != "1 of 4 could not be read" {
		t.Error(err)
	}
	for _, want := range []string{
		"IGNORE by default, as no rule fits", "- held back: breakglass is exempt",
		"no signal: unsupported event: okta", "no signal: reading the event: ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if _, err := explained(t, ExplainOptions{Policy: "none.yaml"}, "events/okta/user-activate.json"); err == nil {
		t.Error("no error without a policy")
	}
}

// TestRoutineNoticesAreNoErrors: explain names the source that is alive. In JSON, it stands beside the error that an
// event without a signal has.
func TestRoutineNoticesAreNoErrors(t *testing.T) {
	atRoot(t)
	out, err := explained(t, ExplainOptions{}, "events/ssf/verification.json")
	if err != nil || !strings.Contains(out, "routine: a sign of life of ssf: ssf/event-type/verification") ||
		strings.Contains(out, "no signal") {
		t.Errorf("%v\n%s", err, out)
	}
	out, err = explained(t, ExplainOptions{JSON: true}, "events/ssf/verification.json")
	if err != nil || !strings.Contains(out, `"error":"unsupported event: ssf: `) ||
		!strings.Contains(out, `"routine":"a sign of life of ssf"`) {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestExplainWithoutRules: a mover of another group is decided before any rule is asked, and explained all the same. So
// are all events, whatever the policy.
func TestExplainWithoutRules(t *testing.T) {
	atRoot(t)
	out, err := explained(t, ExplainOptions{Policy: "policy.yaml"}, "events/okta/vpn-group-removed.json")
	if err != nil || !strings.Contains(out, "IGNORE whatever the rules say") ||
		!strings.Contains(out, "does not carry the VPN") || strings.Contains(out, "leavers") {
		t.Errorf("%v\n%s", err, out)
	}
	for _, file := range []string{"policy.yaml", Demonstration} {
		if _, err := explained(t, ExplainOptions{Policy: file}, "events"); err != nil {
			t.Error(err)
		}
	}
	out, err = explained(t, ExplainOptions{Policy: Demonstration}, "events/okta/vpn-group-removed.json")
	if err != nil || !strings.Contains(out, "carries the VPN: the policy's access lists it") ||
		strings.Count(out, "signed-out-by-a-product") != 1 {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestExplainHasTheGoodRecords: one record that cannot be read hides none of its neighbours.
func TestExplainHasTheGoodRecords(t *testing.T) {
	atRoot(t)
	raw, err := os.ReadFile("events/entra/batch-with-a-metric.json")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "event.json")
	bad := `"records": [{"operationName": "Disable account", "targetResources": 1},`
	raw = []byte(strings.Replace(string(raw), `"records": [`, bad, 1))
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := explained(t, ExplainOptions{}, file)
	if err != nil || !strings.Contains(out, "about alice@example.com") ||
		!strings.Contains(out, "no signal: detail.records[0].targetResources: must be an array") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestExplainAsJSON: one object a line for each signal, as the goldens have it.
func TestExplainAsJSON(t *testing.T) {
	atRoot(t)
	t.Setenv("MODE", "enforce")
	files, err := Events()
	if err != nil {
		t.Fatal(err)
	}
	out, err := explained(t, ExplainOptions{JSON: true}, "events")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string][]Explanation{}
	for text := range strings.Lines(out) {
		var e Explanation
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			t.Fatal(err)
		}
		if (e.Error == "") != (e.Signal != nil && e.Decision != nil) {
			t.Errorf("%s", text)
		}
		file := e.File
		e.File = goldenName(file)
		seen[file] = append(seen[file], e)
	}
	if len(seen) != len(files) {
		t.Errorf("%d of %d files explained", len(seen), len(files))
	}
	for file, got := range seen {
		raw, err := os.ReadFile(strings.TrimSuffix(file, ".json") + ".golden")
		if err != nil {
			t.Fatal(err)
		}
		var want Golden
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.Explain, got, cmpopts.IgnoreUnexported(Explanation{}, policy.Reason{})); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
}

// TestExplainOnePerson: under any of their names, and nobody whose name is similar.
func TestExplainOnePerson(t *testing.T) {
	atRoot(t)
	for _, name := range []string{"alice", "ALICE@example.com", `EXAMPLE\alice`} {
		out, err := explained(t, ExplainOptions{JSON: true, User: name}, "events/okta", "events/entra")
		if err != nil || !strings.Contains(out, "user-deactivate.json") || strings.Contains(out, "dave@") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	if out, err := explained(t, ExplainOptions{User: "lice"}, "events/okta"); err == nil || out != "" {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestExplainReadsEveryForm in which an event comes: the decision is the one about the event itself.
func TestExplainReadsEveryForm(t *testing.T) {
	atRoot(t)
	raw, err := os.ReadFile("events/okta/user-deactivate.json")
	if err != nil {
		t.Fatal(err)
	}
	var event struct {
		Source     string
		DetailType string `json:"detail-type"`
		Detail     json.RawMessage
	}
	if err := json.Unmarshal(raw, &event); err != nil {
		t.Fatal(err)
	}
	text := func(v any) string {
		t.Helper()
		quoted, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(quoted)
	}
	entry := `{"Source":` + text(event.Source) + `,"DetailType":"SystemLog","Detail":` + text(string(event.Detail)) + `}`
	body := text(string(raw))
	for name, form := range map[string]struct {
		text   string
		events int
	}{
		"the event":               {string(raw), 1},
		"a list":                  {"[" + string(raw) + "," + string(raw) + "]", 2},
		"one after the other":     {string(raw) + "\n" + string(raw), 2},
		"entries of put-events":   {"[" + entry + "]", 1},
		"put-events' own input":   {`{"Entries":[` + entry + "," + entry + "]}", 2},
		"a batch of Lambda's":     {`{"Records":[{"messageId":"1","body":` + body + `}]}`, 1},
		"receive-message":         {`{"Messages":[{"MessageId":"1","Body":` + body + `},{"Body":` + body + `}]}`, 2},
		"one message":             {`{"MessageId":"1","ReceiptHandle":"x","Body":` + body + `}`, 1},
		"a failed asynchronous":   {`{"version":"1.0","requestPayload":` + string(raw) + `,"responsePayload":{}}`, 1},
		"an entry in a message":   {`{"Body":` + text(entry) + `}`, 1},
		"a message in a payload ": {`{"requestPayload":{"Records":[{"body":` + body + `}]}}`, 1},
	} {
		records := ReadRecords([]string{Stdin}, strings.NewReader(form.text))
		var out bytes.Buffer
		if err := Explain(t.Context(), console.Plain(&out), records, ExplainOptions{Policy: Demonstration}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if n := strings.Count(out.String(), "TERMINATE by rule leavers"); n != form.events {
			t.Errorf("%s: %d decisions, want %d\n%s", name, n, form.events, out.String())
		}
	}
}

func TestRecordsThatCannotBeRead(t *testing.T) {
	folder := t.TempDir()
	for _, test := range []struct{ text, want string }{
		{"", "standard input is empty"},
		{"no JSON", "it is not JSON"},
		{`{"a":1} {"b"`, "it is not JSON"},
		{`{"Body":"hello"}`, "the body of the message is not JSON"},
		{`{"Entries":[{"Source":"x","DetailType":"y","Detail":"hello"}]}`, "record 1: the Detail of the entry is not JSON"},
	} {
		records := ReadRecords([]string{Stdin}, strings.NewReader(test.text))
		last := records[len(records)-1]
		if last.Err == nil || !strings.Contains(last.Err.Error(), test.want) {
			t.Errorf("%q: %v", test.text, last.Err)
		}
	}
	records := ReadRecords([]string{folder, filepath.Join(folder, "none")}, nil)
	if len(records) != 2 || records[0].Err == nil || records[1].Err == nil {
		t.Errorf("%+v", records)
	}
}

// TestProgramsAreBuiltInAClone: elsewhere, the message says where to go.
func TestProgramsAreBuiltInAClone(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := BuildHandler(t.Context(), console.Plain(&bytes.Buffer{}))
	if err == nil || err.Error() != "there is no folder ./cmd/handler here; run this in a clone of the repository" {
		t.Error(err)
	}
}
