package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/trial"
)

// root is the repository's, from which the tool is run.
var root = func() string {
	folder, err := filepath.Abs("../..")
	if err != nil {
		panic(err)
	}
	return folder
}()

// clientvpn runs a command line at the repository's root, and returns its exit code and what it printed.
func clientvpn(t *testing.T, args ...string) (code int, out, beside string) {
	t.Helper()
	t.Chdir(root)
	var o, e bytes.Buffer
	c := console.Plain(&o)
	c.Err = &e
	code = run(t.Context(), args, c)
	return code, o.String(), e.String()
}

// TestExitCodes: 0 done, 1 something differs or could not be done, 2 the command line is wrong.
func TestExitCodes(t *testing.T) {
	for _, test := range []struct {
		line string
		code int
		says string
	}{
		{"", exitDone, "At home, without AWS:"},
		{"--help", exitDone, "Exit codes:"},
		{"explain --help", exitDone, "aws sqs"},
		{"completion bash", exitDone, "__start_clientvpn"},
		{"frobnicate", exitUsage, `unknown command "frobnicate"`},
		{"chek", exitUsage, "check"}, // what was probably meant
		{"explain --jsn", exitUsage, "unknown flag: --jsn"},
		{"invoke", exitUsage, "EVENT is missing; write clientvpn invoke EVENT [flags]"},
		{"serve here", exitUsage, `"here" is one name too many; write clientvpn serve [flags]`},
		{"cut", exitUsage, "NAME… is missing; write clientvpn cut NAME… [flags]"},
		{"ssf verify https://idp.example.com", exitUsage, "STREAM is missing; write clientvpn ssf verify"},
		{"bench one two", exitUsage, `there is no part "two"; the parts are start`},
		{"policy change", exitUsage, `unknown command "change" for "clientvpn policy"; it has diff, put`},
		{"keep-out add alice", exitUsage, `unknown command "add" for "clientvpn keep-out"; it has list, lift`},
		{"policy", exitDone, "clientvpn policy [command]"},
		{"run --stack mine", exitUsage, "run needs no stack; leave --stack out"},
		{"dead --most many", exitUsage, `invalid argument "many" for "--most" flag; see clientvpn dead --help`},
		{"why x --since soon", exitUsage, "write a time such as 12h or 7d; see clientvpn why --help"},
		{"explain --policy none.yaml events/okta/user-deactivate.json", exitDiffers, "reading the policy: "},
		{"explain events/none.json", exitDiffers, "1 of 1 could not be read"},
		{"explain --user nobody@example.com events/okta", exitDiffers, "no signal is about nobody@example.com"},
		{"check cases/none.yaml", exitDiffers, "has no *.yaml"},
	} {
		t.Run(test.line, func(t *testing.T) {
			code, out, beside := clientvpn(t, strings.Fields(test.line)...)
			if code != test.code || !strings.Contains(out+beside, test.says) {
				t.Errorf("exit code %d, want %d\n%s%s", code, test.code, out, beside)
			}
			if code != exitDone && !strings.HasPrefix(beside, "clientvpn: ") {
				t.Errorf("the error is not where errors go: %q", beside)
			}
		})
	}
}

// TestExplainContract: one object a line, {file, signal, decision}, or {file, error} for an event without a signal.
func TestExplainContract(t *testing.T) {
	code, out, beside := clientvpn(t, "explain", "--json", "--policy", trial.Demonstration,
		"events/okta/user-deactivate.json", "events/okta/session-end.json")
	if code != exitDone || beside != "" {
		t.Fatalf("%d %s", code, beside)
	}
	var keys []string
	for text := range strings.Lines(out) {
		var object map[string]any
		if err := json.Unmarshal([]byte(text), &object); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"file", "signal", "decision", "error"} {
			if _, has := object[key]; has {
				keys = append(keys, key)
			}
			delete(object, key)
		}
		if len(object) > 0 {
			t.Errorf("more than the contract: %v", object)
		}
	}
	if strings.Join(keys, " ") != "file signal decision file error" {
		t.Errorf("%q", keys)
	}
}

// TestFlagsAndNamesComeInAnyOrder, as everywhere.
func TestFlagsAndNamesComeInAnyOrder(t *testing.T) {
	event := "events/okta/user-deactivate.json"
	_, before, _ := clientvpn(t, "--json", "explain", "--policy", trial.Demonstration, event)
	_, behind, _ := clientvpn(t, "explain", event, "--policy="+trial.Demonstration, "--json")
	if before == "" || before != behind {
		t.Errorf("%s\n%s", before, behind)
	}
}

// TestCheckRunsTheOperatorsCases of policy.yaml, which are in cases/, without a name.
func TestCheckRunsTheOperatorsCases(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, map[string]string{
		"policy.yaml":      "version: 1\nrules:\n  - {name: all, when: {}, then: notify}\n",
		"cases/first.yaml": "- {name: x, event: {source: y, detail-type: z}, error: unsupported}\n",
	})
	var out bytes.Buffer
	code := run(t.Context(), []string{"check"}, console.Plain(&out))
	if code != exitDone || !strings.Contains(out.String(), "cases/first.yaml\n  ok      x\n") {
		t.Errorf("%d\n%s", code, out.String())
	}
}

// TestFirstStepOfTheREADME: the cases hold once policy.yaml has other domains and another exempt person, and
// cases/first.yaml that person. Otherwise sam build would refuse the policy.
func TestFirstStepOfTheREADME(t *testing.T) {
	own := strings.NewReplacer("example.com, EXAMPLE]", "acme.test, ACME]", "breakglass@example.com", "ada@acme.test")
	t.Chdir(root)
	files := map[string]string{"policy.yaml": "", "cases/first.yaml": ""}
	for file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if files[file] = own.Replace(string(raw)); !strings.Contains(files[file], "ada@acme.test") {
			t.Errorf("%s names nobody who is exempt", file)
		}
	}
	t.Chdir(t.TempDir())
	write(t, files)
	if err := os.Symlink(filepath.Join(root, "events"), "events"); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"check"}, console.Plain(&out)); code != exitDone {
		t.Errorf("%d\n%s", code, out.String())
	}
}

// write writes files, and the folders that they need.
func write(t *testing.T, files map[string]string) {
	t.Helper()
	for file, text := range files {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestInterruptIsNoError: Ctrl-C ends a command without a word.
func TestInterruptIsNoError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	t.Chdir(root)
	var out, beside bytes.Buffer
	c := console.Plain(&out)
	c.Err = &beside
	if code := run(ctx, []string{"run"}, c); code != exitInterrupted || beside.Len() > 0 {
		t.Errorf("%d %s", code, beside.String())
	}
}
