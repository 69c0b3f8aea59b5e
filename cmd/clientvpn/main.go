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
	"strings"

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
	fmt.Fprintf(c.Err, "%s %v\n", c.In(console.Red, "clientvpn:"), err)
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
the AWS CLI.

Exit codes: 0 done; 1 something differs or could not be done; 2 the command
line is wrong; 3 AWS, or the way to it; 130 interrupted. NO_COLOR switches
colours off.`

func (t *tool) root() *cobra.Command {
	root := &cobra.Command{
		Use: "clientvpn", Short: "Try and operate the Client VPN responder", Long: about,
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRun: func(*cobra.Command, []string) { t.started = true },
	}
	usage := strings.ReplaceAll(root.UsageTemplate(), "FlagUsages |", fmt.Sprintf("FlagUsagesWrapped %d |", console.Width))
	root.SetUsageTemplate(usage)
	root.PersistentFlags().BoolVar(&t.json, "json", false, "print JSON, one object a line")
	root.AddGroup(&cobra.Group{ID: "home", Title: "At home, without AWS:"}, &cobra.Group{ID: "aws", Title: "Against AWS:"})
	root.SetHelpCommandGroupID("home")
	root.SetCompletionCommandGroupID("home")
	for _, command := range []*cobra.Command{t.runCommand(), t.invoke(), t.serve(), t.explain(), t.check(), t.bench()} {
		command.GroupID = "home"
		root.AddCommand(command)
	}
	root.PersistentFlags().StringVar(&t.stack, "stack", os.Getenv("CLIENTVPN_STACK"),
		"the deployed stack, if there are several; CLIENTVPN_STACK if absent")
	for _, command := range []*cobra.Command{
		t.status(), t.who(), t.would(), t.cut(), t.reinstate(), t.keepOut(), t.why(), t.report(), t.ready(),
		t.stop(), t.start(), t.dead(), t.redrive(), t.policy(), t.held(),
		t.ruling("release", "Release Held", "Let the function go on with what the brake holds"),
		t.ruling("drop", "Drop Held", "Delete what the brake holds; the people stay connected"),
	} {
		command.GroupID = "aws"
		root.AddCommand(command)
	}
	root.AddCommand(t.ssf())
	return root
}
