package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"clientvpn-responder/internal/bench"
	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/trial"

	"github.com/spf13/cobra"
)

// policyFile is what is deployed.
const policyFile = "policy.yaml"

func (t *tool) runCommand() *cobra.Command {
	var options trial.RunOptions
	command := &cobra.Command{
		Use: "run", Short: "Send every event of events/ through the real programs", Args: takes(0, 0),
		Long: `Send every event of events/ through the programs that would be deployed, each in
the same small company, and show who was cut off and why. AWS is a stand-in on
this machine. It needs nothing but Go, and the repository. The exit code is 1 if
an event ends otherwise than its golden says, the file beside it.`,
		Example: `  clientvpn run
  clientvpn run --stories --json > stories.json`,
		RunE: func(command *cobra.Command, _ []string) error {
			options.JSON = t.json
			return trial.RunAll(command.Context(), t.Console, options)
		},
	}
	command.Flags().StringVar(&options.Policy, "policy", trial.Demonstration,
		"the policy `file`; the goldens go with this one")
	command.Flags().BoolVar(&options.Update, "update", false, "write the goldens anew")
	command.Flags().BoolVar(&options.Stories, "stories", false, "print the story of every event, not of two")
	return command
}

func (t *tool) invoke() *cobra.Command {
	var policy string
	command := &cobra.Command{
		Use: "invoke EVENT", Short: "Send one event through the real programs", Args: takes(1, 1),
		Long: `Send one event through the programs that would be deployed, in a small company,
and print its story, its e-mails and the function's answer. AWS is a stand-in on
this machine. The environment variable MODE is the function's: dry-run, or
enforce to see connections of the stand-in terminated. It needs Go, and runs at
the repository's root.`,
		Example: `  clientvpn invoke events/okta/user-deactivate.json
  MODE=enforce clientvpn invoke events/guardduty/iam-user.json`,
		RunE: func(command *cobra.Command, files []string) error {
			if err := inRepository(); err != nil {
				return err
			}
			return trial.Invoke(command.Context(), t.Console, policy, files[0], t.json)
		},
	}
	command.Flags().StringVar(&policy, "policy", policyFile, "the policy `file`")
	return command
}

// inRepository returns an error unless the programs can be built here.
func inRepository() error {
	if _, err := os.Stat("cmd/handler"); err != nil {
		return errors.New("the programs' source is not here; go to the repository's root")
	}
	return nil
}

func (t *tool) serve() *cobra.Command {
	var address string
	command := &cobra.Command{
		Use: "serve", Short: "Serve the stand-in for AWS alone, for the AWS CLI and SDKs", Args: takes(0, 0),
		Long: `Serve the stand-in for AWS alone, with a small company on its VPN, until Ctrl-C.
The AWS CLI and the SDKs use it if AWS_ENDPOINT_URL is its address.`,
		Example: `  clientvpn serve --listen 127.0.0.1:4599
  AWS_ENDPOINT_URL=http://127.0.0.1:4599 aws ec2 describe-client-vpn-endpoints`,
		RunE: func(command *cobra.Command, _ []string) error {
			return trial.Serve(command.Context(), t.Console, address, t.json)
		},
	}
	command.Flags().StringVar(&address, "listen", "127.0.0.1:4599", "the `address` to listen on")
	return command
}

func (t *tool) explain() *cobra.Command {
	options := trial.ExplainOptions{}
	var listing string
	command := &cobra.Command{
		Use: "explain [FILE|FOLDER]…", Short: "Show what would be decided about events, and why",
		Args: takes(0, anyNumber),
		Long: `Show what would be decided about events, which rule decides, why the others do
not, and under which names the function would search. It needs no network.

A file is an EventBridge event, a list of them or several one after the other,
an entry of "aws events put-events", or a message of SQS, such as a dead letter,
as Lambda or "aws sqs receive-message" returns it. In a folder it reads every
*.json. Standard input is "-", or no name at all.

The environment variable MODE is the function's. The exit code is 1 if a file
could not be read.`,
		Example: `  clientvpn explain events/okta/user-deactivate.json
  clientvpn explain --user alice events/
  aws sqs receive-message --queue-url "$DEAD_LETTERS" | clientvpn explain`,
		RunE: func(command *cobra.Command, files []string) error {
			return t.explainFiles(command, files, listing, options)
		},
	}
	command.Flags().StringVar(&options.Policy, "policy", policyFile, "the policy `file`")
	command.Flags().StringVar(&options.User, "user", "", "explain only signals about this `name`")
	command.Flags().StringVar(&listing, "connections", "",
		"show which connections of a listing would be terminated; the `file` has "+
			"the output of aws ec2 describe-client-vpn-connections")
	return command
}

func (t *tool) explainFiles(
	command *cobra.Command, files []string, listing string, options trial.ExplainOptions,
) error {
	if len(files) == 0 {
		if isTerminal(os.Stdin) {
			t.started = false
			return errors.New("explain: name events, such as events/, or pipe one in")
		}
		files = []string{trial.Stdin}
	}
	options.JSON = t.json
	if listing != "" {
		var err error
		options.Listing, err = trial.ReadListing(command.Context(), t.Console, listing, options.Policy)
		if err != nil {
			return err
		}
	}
	return trial.Explain(command.Context(), t.Console, trial.ReadRecords(files, command.InOrStdin()), options)
}

func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (t *tool) check() *cobra.Command {
	var options trial.CheckOptions
	command := &cobra.Command{
		Use: "check [FILE|FOLDER]…", Short: "Run the policy's test cases", Args: takes(0, anyNumber),
		Long: `Run the policy's test cases: files of cases, each an event and what must be
decided about it. Without a name it runs those in cases/. It names the rules
that no case reaches. The exit code is 1 if a case differs.

With --kept-out it shows whom the policy means by each entry of the keep-out
list today, if that has changed since the entry was made.`,
		Example: `  clientvpn check
  clientvpn check cases/ --junit report.xml
  clientvpn keep-out list --json > list.json
  clientvpn check --kept-out list.json`,
		RunE: func(_ *cobra.Command, names []string) error {
			if len(names) == 0 {
				names = []string{"cases"}
			}
			options.JSON = t.json
			return trial.Check(t.Console, names, options)
		},
	}
	command.Flags().StringVar(&options.Policy, "policy", policyFile, "the policy `file`")
	command.Flags().StringVar(&options.JUnit, "junit", "", "write a JUnit report to this `file`")
	command.Flags().StringVar(&options.KeptOut, "kept-out", "",
		"show what the policy changes for people on the keep-out list; the `file` has the output of keep-out list --json")
	command.Flags().BoolVar(&options.GitHub, "github", os.Getenv("GITHUB_ACTIONS") == "true",
		"print annotations of GitHub Actions; on in its jobs")
	command.Flags().BoolVar(&options.Update, "update", false, "write what is decided into the cases that differ")
	return command
}

func (t *tool) bench() *cobra.Command {
	return &cobra.Command{
		Use: "bench [PART]…", Short: "Measure speed, memory and load against goals", ValidArgs: bench.Parts(),
		Long: `Measure speed, memory and load of the programs that would be deployed against
goals. All parts together take six minutes and are written into
doc/benchmarks.md. A goal that is missed is no error, as figures depend on the
machine.

` + strings.Join(console.Wrap("The parts are "+strings.Join(bench.Parts(), ", ")+".", console.Width), "\n"),
		Example: "  clientvpn bench " + bench.Parts()[0],
		Args:    onlyParts,
		RunE: func(command *cobra.Command, parts []string) error {
			if err := inRepository(); err != nil {
				return err
			}
			return bench.Measure(command.Context(), t.Console, parts, t.json)
		},
	}
}

// onlyParts refuses what cannot be measured alone.
func onlyParts(_ *cobra.Command, names []string) error {
	for _, name := range names {
		if !slices.Contains(bench.Parts(), name) {
			return fmt.Errorf("there is no part %q; the parts are %s", name, strings.Join(bench.Parts(), ", "))
		}
	}
	return nil
}
