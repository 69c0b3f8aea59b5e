// Command local runs the responder on this machine, without an AWS account: the real binary of cmd/handler, driven through
// the Lambda Runtime API, against a stand-in for EC2 and SNS on loopback.
//
// It promises that what it shows is what the Lambda function does: the binary is the same, and explain uses the same
// parser and policy.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"clientvpn-responder/internal/bench"
	"clientvpn-responder/internal/trial"
)

const usage = `usage: go run ./cmd/local <command>

  run [-update]                          send every file of events/ through the real binary, and tell who was cut off and why
  invoke <event>                         the same for one event, with its outcomes as JSON
  explain [-json] [-policy p] <event>…   what would be decided, and why; nothing is asked of anybody
      [-connections listing.json]        and which connections would be ended, of those that the AWS CLI listed
  check [-policy p] <folder>…            the policy's own test cases, such as cases/
  keepout list|lift …                    who may not connect, and letting people in again by hand; asks AWS
  serve [-listen address]                the stand-in alone, with its small company, for the AWS CLI and SDKs
  bench [part]…                          measure speed, memory and load, into doc/benchmarks.md if all of it

explain and invoke take the mode from the environment variable MODE, as the function does.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "local:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		fmt.Fprint(out, usage)
		return nil
	}
	command, args := args[0], args[1:]
	if command == "keepout" {
		return keepOut(ctx, args, out)
	}
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	standard := "policy.yaml"
	if command == "run" {
		standard = trial.Demonstration
	}
	policyFile := flags.String("policy", standard, "the policy")
	asJSON := flags.Bool("json", false, "explain: one JSON object a line for each signal")
	connections := flags.String("connections", "", "explain: the output of aws ec2 describe-client-vpn-connections")
	update := flags.Bool("update", false, "run: write the goldens anew")
	listen := flags.String("listen", "127.0.0.1:4599", "serve: the address")
	if err := flags.Parse(args); err != nil {
		return err
	}
	files := flags.Args()
	switch command {
	case "run":
		return trial.RunAll(ctx, out, *policyFile, *update)
	case "invoke":
		if len(files) != 1 {
			return fmt.Errorf("invoke: name one event, such as events/okta/user-deactivate.json")
		}
		return trial.Invoke(ctx, out, *policyFile, files[0])
	case "explain":
		if len(files) == 0 {
			return fmt.Errorf("explain: name events, such as events/*/*.json")
		}
		var listed *trial.Listing
		if *connections != "" {
			var err error
			if listed, err = trial.ReadListing(ctx, *connections, *policyFile); err != nil {
				return err
			}
		}
		return trial.Explain(ctx, out, files, trial.ExplainOptions{Policy: *policyFile, Listing: listed, JSON: *asJSON})
	case "check":
		if len(files) == 0 {
			return fmt.Errorf("check: name the folder of the cases, such as cases/")
		}
		return trial.Check(out, *policyFile, files)
	case "serve":
		return trial.Serve(ctx, out, *listen)
	case "bench":
		return bench.Measure(ctx, out, files)
	}
	return fmt.Errorf("%q is no command\n%s", command, usage)
}
