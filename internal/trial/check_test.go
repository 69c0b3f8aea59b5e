package trial

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"clientvpn-responder/internal/console"
)

// TestShippedCasesHoldAndReachEveryRule of the demonstration's policy.
func TestShippedCasesHoldAndReachEveryRule(t *testing.T) {
	atRoot(t)
	var out bytes.Buffer
	err := Check(console.Plain(&out), []string{"internal/trial/cases"}, CheckOptions{Policy: Demonstration})
	if err != nil || strings.Contains(out.String(), "No case reaches") {
		t.Errorf("%v\n%s", err, out.String())
	}
	for _, want := range []string{
		"  ok      a leaver, under every spelling\n", " as they should be.\n", "leavers 1",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	atMost80(t, out.String())
}

// twoRules is a folder with a policy of two rules, an event, and cases to be written.
func twoRules(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	raw, err := os.ReadFile("../../events/guardduty/iam-user.json")
	if err != nil {
		t.Fatal(err)
	}
	inFile(t, folder, "event.json", string(raw))
	inFile(t, folder, "policy.yml", `version: 1
identity: {issuers: ["iam:111122223333"]}
rules:
  - {name: a, when: {kinds: [finding]}, then: terminate}
  - {name: b, when: {}, then: notify}
`)
	return folder
}

func inFile(t *testing.T, folder, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// checkIn runs the cases of the folder.
func checkIn(folder string, options CheckOptions) (string, error) {
	var out bytes.Buffer
	options.Policy = filepath.Join(folder, "policy.yml")
	err := Check(console.Plain(&out), []string{folder}, options)
	return out.String(), err
}

const (
	differs    = "1 of 1 cases differ"
	holds      = "1 cases, 1 as they should be."
	fileOfCase = "- {name: x, file: event.json, "
)

// checkCases are cases of a policy with two rules: what is printed, and the error.
var checkCases = []struct{ name, cases, want, failure string }{
	{"sound", fileOfCase + "want: [{action: terminate, rule: a, gate: '', mode: enforce, names: [bob]," +
		" reason: kind is finding}]}",
		"Cases by rule: a 1, the default 0\nNo case reaches: b\n" + holds, ""},
	{"action", "\n" + fileOfCase + "want: [{action: notify}]}",
		"about bob:\n            action: want \"notify\", got \"terminate\"\n            - rule a decides", differs},
	{"rule", fileOfCase + "want: [{action: terminate, rule: b}]}", `rule: want "b", got "a"`, differs},
	{"gate", fileOfCase + "want: [{action: terminate, gate: stale}]}", `gate: want "stale", got ""`, differs},
	{"mode", fileOfCase + "mode: dry-run, want: [{action: terminate, mode: enforce}]}",
		`mode: want "enforce", got "dry-run"`, differs},
	{"names", fileOfCase + "want: [{action: terminate, names: [bo]}]}", `names: want "bo", got ["bob"]`, differs},
	{"reason", fileOfCase + "want: [{action: terminate, reason: because}]}", `reason: none says "because"`, differs},
	{"signals", fileOfCase + "want: [{action: terminate}, {action: terminate}]}", "want 2 signals, got 1", differs},
	{"no signal wanted", fileOfCase + "error: logout}", `want no signal but the error "logout", got 1 signals`, differs},
	{"no signal", "- {name: x, event: {source: y, detail-type: z}, want: [{action: terminate}]}",
		`no signal: unsupported event: source "y"`, differs},
	{"another error", "- {name: x, event: {source: y, detail-type: z}, error: logout}",
		`error: want "logout" in "unsupported event: source \"y\""`, differs},
	{"the error", "- {name: x, event: {source: y, detail-type: z}, error: unsupported}", holds, ""},
	{"no file", "- {name: x, file: absent.json, want: [{action: terminate}]}", "reading the event: ", differs},
	{"time", fileOfCase + "now: soon, want: [{action: terminate}]}", `now: "soon" is not a time`, differs},
	{"a year before", fileOfCase + "now: 2025-11-20T10:00:00Z, want: [{action: notify, gate: future}]}", holds, ""},
	{"unknown key", fileOfCase + "wants: []}", "", `cases.yaml:1:31: unknown field "wants"`},
	{"unknown key in want", fileOfCase + "want: [{acton: terminate}]}", "", `cases.yaml:1:39: unknown field "acton"`},
	{"no list", "name: x", "", "cases.yaml:1: must be one YAML document, a list of cases"},
	{"no name", "- {file: event.json, want: []}", "", "cases.yaml:1: name: missing"},
	{"no event", "- {name: x, want: []}", "", "cases.yaml:1: give a file or an event"},
	{"two events", fileOfCase + "event: {a: b}, want: []}", "", "cases.yaml:1: give a file or an event"},
	{"nothing wanted", "- {name: x, file: event.json}", "", "cases.yaml:1: give want"},
	{"no action", fileOfCase + "want: [{rule: a}]}", "", "cases.yaml:1: want: every entry needs an action"},
	{"no value", fileOfCase + "want: [{action: terminate, gate: }]}", "", `cases.yaml:1: gate: has no value`},
	{"null in the event", "- {name: x, event: {source: y, detail-type: z, resources: null}, error: unsupported}",
		holds, ""},
	{"wrong mode", fileOfCase + "mode: on, want: [{action: terminate}]}", "", `cases.yaml:1: mode: "on" is neither`},
	{"no YAML", "- {", "", "cases.yaml:1"},
}

func TestCheckSaysWhatDiffers(t *testing.T) {
	folder := twoRules(t)
	for _, test := range checkCases {
		inFile(t, folder, "cases.yaml", test.cases)
		out, err := checkIn(folder, CheckOptions{})
		switch {
		case (err == nil) != (test.failure == ""), err != nil && !strings.Contains(err.Error(), test.failure):
			t.Errorf("%s: %v", test.name, err)
		case !strings.Contains(out, test.want):
			t.Errorf("%s: no %q in\n%s", test.name, test.want, out)
		}
	}
	options := CheckOptions{Policy: filepath.Join(folder, "policy.yml")}
	err := Check(console.Plain(&bytes.Buffer{}), []string{t.TempDir()}, options)
	if err == nil || !strings.Contains(err.Error(), "has no *.yaml") {
		t.Error(err)
	}
}

// TestCheckForMachines: JSON, a JUnit report, and annotations for GitHub.
func TestCheckForMachines(t *testing.T) {
	folder := twoRules(t)
	inFile(t, folder, "cases.yaml", fileOfCase+"want: [{action: terminate}]}\n"+
		"- {name: 'y: 100%', file: event.json, want: [{action: notify}]}\n")
	report := filepath.Join(folder, "report.xml")
	out, err := checkIn(folder, CheckOptions{JSON: true, JUnit: report})
	if err == nil || err.Error() != "1 of 2 cases differ" {
		t.Error(err)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var second struct {
		File, Name string
		Line       int
		Passed     bool
		Rules      []string
	}
	if len(lines) != 2 || json.Unmarshal([]byte(lines[1]), &second) != nil {
		t.Fatal(out)
	}
	if second.Passed || second.Line != 2 || second.Rules[0] != "a" {
		t.Errorf("%+v\n%s", second, out)
	}
	raw, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var suite testsuite
	err = xml.Unmarshal(raw, &suite)
	if err != nil || suite.Tests != 2 || suite.Failures != 1 || suite.Cases[1].Failure == nil {
		t.Errorf("%v, %+v", err, suite)
	}
	out, _ = checkIn(folder, CheckOptions{GitHub: true})
	want := "cases.yaml,line=2,title=y%3A 100%25::about bob:%0Aaction: want \"notify\", got \"terminate\"%0A"
	if !strings.Contains(out, "::error file=") || !strings.Contains(out, want) {
		t.Errorf("no %q in\n%s", want, out)
	}
}

// TestCheckUpdates writes what is decided, and leaves everything else as it is.
func TestCheckUpdates(t *testing.T) {
	folder := twoRules(t)
	inFile(t, folder, "cases.yaml", `# a comment
- name: x # another
  file: event.json
  want:
    - {action: notify, rule: b, names: [eve]}
    - {action: notify}
- name: right
  file: event.json
  want:
    - {action: terminate}
- name: z
  file: event.json
  want:
    - {action: ignore}
`)
	out, err := checkIn(folder, CheckOptions{Update: true})
	if err != nil || !strings.Contains(out, "2 cases written anew") {
		t.Errorf("%v\n%s", err, out)
	}
	raw, err := os.ReadFile(filepath.Join(folder, "cases.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	want := `# a comment
- name: x # another
  file: event.json
  want:
    - {action: terminate, rule: "a", names: ["bob"]}
- name: right
  file: event.json
  want:
    - {action: terminate}
- name: z
  file: event.json
  want:
    - {action: terminate, rule: "a"}
`
	if string(raw) != want {
		t.Errorf("%s", raw)
	}
	if out, err := checkIn(folder, CheckOptions{}); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	inFile(t, folder, "cases.yaml", fileOfCase+"want: [{action: notify}]}\n")
	_, err = checkIn(folder, CheckOptions{Update: true})
	if err == nil || !strings.Contains(err.Error(), "cases.yaml:1: want is not a list") {
		t.Error(err)
	}
}
