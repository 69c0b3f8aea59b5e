// Command clientvpn tries the Client VPN responder at home, without an AWS account, and operates a deployed one.
//
// It promises that what it shows is what the Lambda functions do: the programs are the same, and explain uses the same
// parser and policy. Against AWS it terminates nothing by itself: it asks the deployed function.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/stack"

	"github.com/spf13/cobra"
)

// The exit codes, as the help has them.
const (
	exitDone        = 0
	exitDiffers     = 1 // it differs, or could not be done
	exitUsage       = 2
	exitAWS         = 3
	exitInterrupted = 130 // 128 and SIGINT, as shells have it
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], console.New(os.Stdout, os.Stderr))
	stop()
	os.Exit(code)
}

// run runs a command and returns its exit code.
func run(ctx context.Context, args []string, c *console.Console) int {
	t := &tool{Console: c}
	root := t.root()
	root.SetArgs(args)
	root.SetOut(c.Out)
	root.SetErr(c.Err)
	err := root.ExecuteContext(ctx)
	switch {
	case ctx.Err() != nil: // Ctrl-C is no mistake to tell of
		return exitInterrupted
	case err == nil:
		return exitDone
	}
	fmt.Fprintf(c.Err, "%s %v%s\n", c.In(console.Red, "clientvpn:"), err, remedy(err))
	var ofAWS *stack.Error
	switch {
	case errors.As(err, &ofAWS):
		return exitAWS
	case !t.started:
		return exitUsage
	}
	return exitDiffers
}

// tool is what all commands share.
type tool struct {
	*console.Console
	json    bool
	stack   string
	started bool // the command line was understood
}

const about = `clientvpn tries the Client VPN responder at home, without an AWS account, and
operates a deployed one. Against AWS it uses the credentials and the Region of
the AWS CLI (AWS_PROFILE, AWS_REGION), and finds the stack by itself. It
terminates no connection by itself: it asks the deployed function.

Exit codes: 0 done; 1 something differs or could not be done; 2 the command
line is wrong; 3 AWS, or the way to it; 130 interrupted. NO_COLOR switches
colours off. doc/glossary.md explains the words.`

const examples = `  clientvpn run      # at home: what the events of events/ come to
  clientvpn status   # what needs a person
  clientvpn cut alice@example.com --reason "laptop stolen"`

// The groups of commands in the help.
const (
	atHome     = "home"
	againstAWS = "aws"
	elsewhere  = "elsewhere"
)

func (t *tool) root() *cobra.Command {
	root := &cobra.Command{
		Use: "clientvpn", Short: "Try and operate the Client VPN responder", Long: about, Example: examples,
		SilenceErrors: true, SilenceUsage: true,
	}
	root.PersistentFlags().BoolVar(&t.json, "json", false, "print JSON, one object a line")
	root.PersistentFlags().StringVar(&t.stack, "stack", os.Getenv("CLIENTVPN_STACK"),
		"the `name` of the deployed stack, if there are several; $CLIENTVPN_STACK if absent")
	t.helpful(root)
	root.AddGroup(
		&cobra.Group{ID: atHome, Title: "At home, without AWS:"}, &cobra.Group{ID: againstAWS, Title: "Against AWS:"},
		&cobra.Group{ID: elsewhere, Title: "Against a transmitter of Shared Signals:"},
	)
	root.SetHelpCommandGroupID(atHome)
	root.SetCompletionCommandGroupID(atHome)
	for _, command := range []*cobra.Command{t.runCommand(), t.invoke(), t.serve(), t.explain(), t.check(), t.bench()} {
		command.GroupID = atHome
		root.AddCommand(command)
	}
	for _, command := range []*cobra.Command{
		t.status(), t.who(), t.would(), t.cut(), t.reinstate(), t.keepOut(), t.why(), t.report(), t.ready(),
		t.stop(), t.start(), t.dead(), t.redrive(), t.policy(), t.held(),
		t.ruling("release", "Release Held", "Let the function go on with what the brake holds",
			`  clientvpn release okta --reason "the Lyon office has closed"`),
		t.ruling("drop", "Drop Held", "Delete what the brake holds; the people stay connected",
			`  clientvpn drop okta --user alice --reason "disabled by mistake"`),
	} {
		command.GroupID = againstAWS
		root.AddCommand(command)
	}
	ssf := t.ssf()
	ssf.GroupID = elsewhere
	root.AddCommand(ssf)
	return root
}
