package main

import (
	"slices"
	"strings"
	"testing"

	"clientvpn-responder/internal/console"

	"github.com/spf13/cobra"
)

// everyCommand returns the tool's commands, but for those of the command library.
func everyCommand() []*cobra.Command {
	t := &tool{Console: console.Plain(nil)}
	var all []*cobra.Command
	var add func(of *cobra.Command)
	add = func(of *cobra.Command) {
		for _, command := range of.Commands() {
			if !slices.Contains([]string{"help", "completion"}, command.Name()) {
				all = append(all, command)
				add(command)
			}
		}
	}
	add(t.root())
	return all
}

// TestEveryCommandHelpsANewcomer: with sentences, an example of the command, and a word for each flag's value. The help
// fits a terminal of 80 columns.
func TestEveryCommandHelpsANewcomer(t *testing.T) {
	commands := everyCommand()
	if len(commands) < 25 {
		t.Fatalf("only %d commands", len(commands))
	}
	for _, command := range commands {
		path := strings.TrimPrefix(command.CommandPath(), "clientvpn ")
		_, out, _ := clientvpn(t, append(strings.Fields(path), "--help")...)
		for line := range strings.Lines(out) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > console.Width {
				t.Errorf("%s: %d columns: %s", path, n, line)
			}
		}
		if !strings.HasSuffix(command.Long, ".") || strings.HasSuffix(command.Short, ".") {
			t.Errorf("%s: only the long text has sentences: %q, %q", path, command.Long, command.Short)
		}
		if !command.HasSubCommands() && !strings.Contains(command.Example, command.CommandPath()) {
			t.Errorf("%s has no example: %q", path, command.Example)
		}
		if strings.Contains(out, " string ") {
			t.Errorf("%s: a flag's value has no name:\n%s", path, out)
		}
	}
}

// TestHomeCommandsSayNothingOfAStack, which means nothing there; commands against AWS do.
func TestHomeCommandsSayNothingOfAStack(t *testing.T) {
	for _, command := range everyCommand() {
		path := strings.TrimPrefix(command.CommandPath(), "clientvpn ")
		_, out, _ := clientvpn(t, append(strings.Fields(path), "--help")...)
		if has := strings.Contains(out, "--stack name"); has != asksAWS(command) {
			t.Errorf("%s: %v:\n%s", path, has, out)
		}
	}
	if _, out, _ := clientvpn(t, "--help"); !strings.Contains(out, "--stack name") {
		t.Error(out)
	}
}

// TestTheTwoLiftsSayWhenToUseWhich in the help of each.
func TestTheTwoLiftsSayWhenToUseWhich(t *testing.T) {
	_, out, _ := clientvpn(t, "lift", "--help")
	has(t, out, `"clientvpn keep-out lift" does without the function.`)
	_, out, _ = clientvpn(t, "keep-out", "lift", "--help")
	has(t, out, "Use it where the function does not run.", `Otherwise use "clientvpn lift"`)
}

// TestAMissingPolicySaysWhereToGo, with the remedy and no more than a line.
func TestAMissingPolicySaysWhereToGo(t *testing.T) {
	folder := t.TempDir()
	for _, line := range []string{"explain x.json", "check", "policy put", "policy diff"} {
		var out, beside strings.Builder
		c := console.Plain(&out)
		c.Err = &beside
		t.Chdir(folder)
		code := run(t.Context(), strings.Fields(line), c)
		if want := "clientvpn: reading the policy: open policy.yaml: no such file or directory; " +
			"go where your policy is, or name its file\n"; code != exitDiffers || beside.String() != want {
			t.Errorf("%s: %d %s", line, code, beside.String())
		}
	}
}
