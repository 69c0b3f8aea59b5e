package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"clientvpn-responder/internal/console"

	"github.com/spf13/cobra"
)

// takes checks how many names a command line has. If one is missing or too much, it says how the line is written.
func takes(least, most int) cobra.PositionalArgs {
	return func(command *cobra.Command, names []string) error {
		switch n := len(names); {
		case n < least:
			return fmt.Errorf("%s is missing; write %s", strings.Fields(command.Use)[n+1], command.UseLine())
		case n > most:
			return fmt.Errorf("%q is one name too many; write %s", names[most], command.UseLine())
		}
		return nil
	}
}

// anyNumber is for commands that take as many names as there are.
const anyNumber = 1 << 30

// group makes a command of several. Without one of them it shows the help, and it knows no other.
func group(command *cobra.Command, commands ...*cobra.Command) *cobra.Command {
	var names []string
	for _, c := range commands {
		names = append(names, c.Name())
	}
	command.AddCommand(commands...)
	command.Args = func(command *cobra.Command, unknown []string) error {
		if len(unknown) == 0 {
			return nil
		}
		all := strings.Join(names, ", ")
		return fmt.Errorf("unknown command %q for %q; it has %s", unknown[0], command.CommandPath(), all)
	}
	command.RunE = func(command *cobra.Command, _ []string) error { return command.Help() }
	return command
}

// helpful sets how the commands below root help, and what they say about flags that are not there.
func (t *tool) helpful(root *cobra.Command) {
	usage := strings.NewReplacer(
		"FlagUsages |", fmt.Sprintf("FlagUsagesWrapped %d |", console.Width),
		"{{if .Runnable}}", "{{if and .Runnable (not .HasAvailableSubCommands)}}",
	).Replace(root.UsageTemplate())
	root.SetUsageTemplate(usage)
	root.SetFlagErrorFunc(func(command *cobra.Command, err error) error {
		words, _, _ := strings.Cut(err.Error(), ": strconv.") // which says how Go reads numbers
		return fmt.Errorf("%s; see %s --help", words, command.CommandPath())
	})
	help := root.HelpFunc()
	root.SetHelpFunc(func(command *cobra.Command, args []string) {
		root.PersistentFlags().Lookup("stack").Hidden = command != root && !asksAWS(command)
		help(command, args)
	})
	root.PersistentPreRunE = func(command *cobra.Command, _ []string) error {
		if root.PersistentFlags().Changed("stack") && !asksAWS(command) {
			return fmt.Errorf("%s needs no stack; leave --stack out", command.Name())
		}
		t.started = true
		return nil
	}
}

// asksAWS reports whether it is a command against the stack, or below one.
func asksAWS(command *cobra.Command) bool {
	for command.HasParent() && command.Parent().HasParent() {
		command = command.Parent()
	}
	return command.GroupID == againstAWS
}

// remedy returns what to do about an error that many commands have; empty if the error says it.
func remedy(err error) string {
	var file *fs.PathError
	if errors.As(err, &file) && errors.Is(err, fs.ErrNotExist) && file.Path == policyFile {
		return "; go where your policy is, or name its file"
	}
	return ""
}

// back is a flag: how far back to look.
type back struct {
	written string
	time.Duration
}

// String returns the time as it was written.
func (b *back) String() string { return b.written }

// Type is the word for the value in the help.
func (*back) Type() string { return "time" }

// Set reads a time, which may be in days.
func (b *back) Set(written string) error {
	number, inDays := strings.CutSuffix(written, "d")
	unit := time.Duration(1)
	hours := written
	if inDays {
		unit, hours = 24, number+"h"
	}
	d, err := time.ParseDuration(hours)
	if err != nil || d <= 0 {
		return errors.New("write a time such as 12h or 7d")
	}
	b.written, b.Duration = written, unit*d
	return nil
}
