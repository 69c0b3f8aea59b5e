package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestEventsGoAsTheirGoldensSay runs the main job: every file of events/ through the real binary.
func TestEventsGoAsTheirGoldensSay(t *testing.T) {
	t.Chdir("../..")
	var out bytes.Buffer
	if err := run(t.Context(), []string{"run"}, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	files, _ := filepath.Glob("events/*.json")
	for _, file := range files {
		if !strings.Contains(out.String(), filepath.Base(file)) {
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
	if err := run(t.Context(), []string{"invoke", "events/okta-user-deactivate.json"}, &out); err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(out.String(), "\n{")
	var answer struct{ Outcomes []outcome }
	if err := json.Unmarshal([]byte("{"+text), &answer); err != nil || len(answer.Outcomes) != 1 || answer.Outcomes[0].Status != "would-terminate" {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// TestExplainDecidesAsTheFunctionDoes: the decision it prints is the one in the function's outcome.
func TestExplainDecidesAsTheFunctionDoes(t *testing.T) {
	t.Chdir("../..")
	t.Setenv("MODE", "enforce")
	files, _ := filepath.Glob("events/*.json")
	var out bytes.Buffer
	if err := run(t.Context(), append([]string{"explain", "-json"}, files...), &out); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{} // lines of each file
	lines := bufio.NewScanner(&out)
	for lines.Scan() {
		var line explanation
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
		var want golden
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatal(err)
		}
		line.File = filepath.Base(line.File)
		if nth >= len(want.Explain) {
			t.Errorf("%s: more than %d lines", line.File, len(want.Explain))
		} else if diff := cmp.Diff(want.Explain[nth], line); diff != "" {
			t.Errorf("%s: %s", line.File, diff)
		}
	}
	if len(seen) != len(files) {
		t.Errorf("%d of %d files explained", len(seen), len(files))
	}
}

func TestExplainForPeople(t *testing.T) {
	t.Chdir("../..")
	var out bytes.Buffer
	if err := run(t.Context(), []string{"explain", "events/none.json", "events/okta-user-deactivate.json", "events/okta-session-end.json"}, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"okta user.lifecycle.deactivate about alice@example.com: terminate, mode dry-run", "rule leavers decides terminate", `looks for example\alice`, "no signal: unsupported event", "no signal: reading the event: "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("does not say %q:\n%s", want, out.String())
		}
	}
}

func TestMistakesAreNamed(t *testing.T) {
	t.Chdir("../..")
	for want, args := range map[string][]string{
		`"frobnicate" is no command`: {"frobnicate"},
		"invoke: name one event":     {"invoke"},
		"explain: name events":       {"explain"},
		"reading the policy: ":       {"explain", "-policy", "none.yaml", "events/okta-user-deactivate.json"},
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
	if err := json.Unmarshal(moveToNow(raw), &got); err != nil {
		t.Fatal(err)
	}
	b, err := time.Parse("2006-01-02T15:04:05.000Z0700", got.B)
	if err != nil || time.Since(got.Time) > time.Minute || got.Time.Sub(got.A) != 1750*time.Millisecond || got.Time.Sub(b) != time.Hour || got.C != "1.2.3" {
		t.Errorf("%+v, %v", got, err)
	}
}
