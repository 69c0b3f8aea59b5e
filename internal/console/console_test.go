package console

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestLinesStayWithinTheWidth(t *testing.T) {
	var out bytes.Buffer
	c := Plain(&out)
	c.Item("  why   ", strings.Repeat("alice left the company today ", 10))
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) < 4 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, line := range lines {
		if utf8.RuneCountInString(line) > Width {
			t.Errorf("%d columns: %s", utf8.RuneCountInString(line), line)
		}
		if i > 0 && !strings.HasPrefix(line, strings.Repeat(" ", 8)) {
			t.Errorf("does not continue under its first word: %q", line)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, test := range []struct {
		text    string
		columns int
		want    []string
	}{
		{"", 10, []string{""}},
		{"one two  three", 7, []string{"one two", "three"}},
		{"cvpn-endpoint-0a1b2c3d4e5f60001 is here", 10, []string{"cvpn-endpoint-0a1b2c3d4e5f60001", "is here"}},
	} {
		if got := Wrap(test.text, test.columns); !slices.Equal(got, test.want) {
			t.Errorf("%q: %q", test.text, got)
		}
	}
}

func TestClipAndSafe(t *testing.T) {
	if got := Clip("one, two, three", 10); got != "one, two…" {
		t.Error(got)
	}
	if got := Clip("one", 3); got != "one" {
		t.Error(got)
	}
	if got := Safe("mallory\x1b[2J\nx"); got != "mallory?[2J?x" {
		t.Error(got)
	}
}

// TestNoColourAndNoProgressInAPipe: what is piped into a file has words alone.
func TestNoColourAndNoProgressInAPipe(t *testing.T) {
	out, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	c := New(out, out)
	c.Print("%s", c.In(Red, "no"))
	p := c.Progress("working", 2)
	p.Add(1)
	p.Add(1)
	p.Stop()
	raw, err := os.ReadFile(out.Name())
	if err != nil || string(raw) != "no\n" {
		t.Errorf("%q, %v", raw, err)
	}
}

// TestColourWhereATerminalIs: and a progress line that is taken away at the end.
func TestColourWhereATerminalIs(t *testing.T) {
	var out, beside bytes.Buffer
	c := &Console{Out: &out, Err: &beside, color: true, live: true}
	c.Print("%s", c.In(Bold, "yes"))
	p := c.Progress("working", 3)
	p.Add(2)
	p.Stop()
	if out.String() != "\x1b[1myes\x1b[0m\n" {
		t.Errorf("%q", out.String())
	}
	if said := beside.String(); !strings.Contains(said, "working: 2 of 3") || !strings.HasSuffix(said, "\r\x1b[K") {
		t.Errorf("%q", said)
	}
}
