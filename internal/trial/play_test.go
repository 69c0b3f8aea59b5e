package trial

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/console"
)

// atRoot changes to the repository's root, from which all paths are.
func atRoot(t *testing.T) { t.Chdir("../..") }

// TestEventsGoAsTheirGoldensSay plays every event through the deployed programs.
func TestEventsGoAsTheirGoldensSay(t *testing.T) {
	atRoot(t)
	var out bytes.Buffer
	if err := RunAll(t.Context(), console.Plain(&out), RunOptions{Policy: Demonstration}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	files, err := Events()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !strings.Contains(out.String(), "  "+strings.TrimSuffix(EventName(file), ".json")+" ") {
			t.Errorf("no word about %s", file)
		}
	}
	first, _, _ := strings.Cut(out.String(), "\n")
	var all, cut, people, alone, unreadable int
	_, err = fmt.Sscanf(first, "%d events: %d cut off %d people, %d left everybody alone, %d unreadable.",
		&all, &cut, &people, &alone, &unreadable)
	if err != nil || all != len(files) || cut+alone+unreadable != all || people < cut {
		t.Errorf("the summary is not first, or does not add up: %s", first)
	}
	atMost80(t, out.String())
}

// atMost80 allows a word that is longer than a line, such as an id.
func atMost80(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > console.Width && len(strings.Fields(line)) > 1 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// TestRunNoticesWhatIsNotAsItsGoldenSays: under a policy that ignores everything, nobody is cut off.
func TestRunNoticesWhatIsNotAsItsGoldenSays(t *testing.T) {
	atRoot(t)
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte("version: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err := RunAll(t.Context(), console.Plain(&out), RunOptions{Policy: file})
	if err == nil || !strings.Contains(err.Error(), "did not go as their goldens say") {
		t.Error(err)
	}
	if !strings.Contains(out.String(), "NOT AS ITS GOLDEN SAYS: events/okta/user-deactivate.json") {
		t.Error(out.String())
	}
}

// TestRunIsTheDemonstrations: a policy of the operator's, even one that cannot be read, turns nothing red.
func TestRunIsTheDemonstrations(t *testing.T) {
	atRoot(t)
	c := console.Plain(&bytes.Buffer{})
	binary, err := BuildHandler(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for _, name := range []string{"events", "internal"} {
		target, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "policy.yaml"), []byte("no policy"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(folder)
	plays, err := playAll(t.Context(), c, binary, Demonstration, []string{"events/okta/user-deactivate.json"})
	if err != nil {
		t.Fatal(err)
	}
	if err := newReport(plays).err(); err != nil {
		t.Error(err)
	}
}

func TestRunAsJSON(t *testing.T) {
	atRoot(t)
	c := console.Plain(&bytes.Buffer{})
	binary, err := BuildHandler(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	files := []string{"events/okta/user-deactivate.json", "events/okta/session-end.json"}
	plays, err := playAll(t.Context(), c, binary, Demonstration, files)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := newReport(plays).writeJSON(&out); err != nil {
		t.Fatal(err)
	}
	var statuses []string
	for raw := range bytes.Lines(out.Bytes()) {
		var l line
		if err := json.Unmarshal(raw, &l); err != nil || !l.AsGolden {
			t.Errorf("%v: %s", err, raw)
		}
		statuses = append(statuses, l.Status)
	}
	if strings.Join(statuses, " ") != "terminated nothing" {
		t.Errorf("%q", statuses)
	}
}

func TestInvokePrintsTheOutcomes(t *testing.T) {
	atRoot(t)
	t.Setenv("MODE", "")
	for _, asJSON := range []bool{false, true} {
		var out bytes.Buffer
		err := Invoke(t.Context(), console.Plain(&out), Demonstration, "events/okta/user-deactivate.json", asJSON)
		if err != nil {
			t.Fatal(err)
		}
		text := out.String()
		if !asJSON {
			if !strings.Contains(text, "Subject: DRY-RUN alice@example.com: 4 VPN connections") {
				t.Error(text)
			}
			_, text, _ = strings.Cut(text, "\n{")
			text = "{" + text
		}
		var answer struct{ Outcomes []Outcome }
		err = json.Unmarshal([]byte(text), &answer)
		if err != nil || len(answer.Outcomes) != 1 || answer.Outcomes[0].Status != "would-terminate" {
			t.Errorf("%v\n%s", err, out.String())
		}
	}
	err := Invoke(t.Context(), console.Plain(&bytes.Buffer{}), Demonstration, "events/custom/without-reason.json", false)
	if err == nil || !strings.Contains(err.Error(), "detail.reason") {
		t.Error(err)
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out := make(lines, 1)
	ended := make(chan error)
	go func() { ended <- Serve(ctx, console.Plain(out), "127.0.0.1:0", true) }()
	var served struct{ URL, Region, Table string }
	if err := json.Unmarshal(<-out, &served); err != nil || !strings.HasPrefix(served.URL, "http://127.0.0.1:") {
		t.Error(err, served)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// lines passes on what is written.
type lines chan []byte

func (l lines) Write(text []byte) (int, error) {
	l <- bytes.Clone(text)
	return len(text), nil
}

func TestMoveToNow(t *testing.T) {
	raw := []byte(`{"time":"2026-11-20T10:00:00Z","a":"2026-11-20T09:59:58.250Z","b":"2026-11-20T09:00:00.000+0000",
		"c":"1.2.3",
		"d":1795168800,"e":1795168800000}`)
	var got struct {
		Time, A time.Time
		B, C    string
		D, E    int64
	}
	if err := json.Unmarshal(MoveToNow(raw), &got); err != nil {
		t.Fatal(err)
	}
	b, err := time.Parse("2006-01-02T15:04:05.000Z0700", got.B)
	if err != nil {
		t.Fatal(err)
	}
	if time.Since(got.Time) > time.Minute || got.Time.Sub(got.A) != 1750*time.Millisecond || got.Time.Sub(b) != time.Hour {
		t.Errorf("%+v", got)
	}
	moved := got.Time.Unix() - time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC).Unix()
	if got.C != "1.2.3" || got.D*1000 != got.E || got.D-1795168800 != moved {
		t.Errorf("%+v", got)
	}
}
