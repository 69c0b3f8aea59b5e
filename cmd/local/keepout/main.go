// Command keepout lists and lifts by hand who may not connect. It is what "go run ./cmd/local keepout" builds and
// runs: a program of its own, so that the local tool needs no SDK.
//
// It promises to change nothing but by lift, and to lift only what is on the list, with who did it and why.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policy"

	"github.com/aws/aws-sdk-go-v2/config"
)

const usage = `usage: go run ./cmd/local keepout <command>

  list [-json]                            who may not connect, for what cause, until when and why
  lift -reason why [-by who] <person>…    take people off the list, whatever put them there

Both take -table name, LEDGER_TABLE if absent, and the credentials and Region of the AWS SDK. A person may be named as the list
does, or by any name that -policy, policy.yaml if absent, makes one with it.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "keepout:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		fmt.Fprint(out, usage)
		return nil
	}
	command, args := args[0], args[1:]
	flags := flag.NewFlagSet("keepout "+command, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	table := flags.String("table", os.Getenv("LEDGER_TABLE"), "the table; LEDGER_TABLE if absent")
	asJSON := flags.Bool("json", false, "list: one JSON object a line")
	policyFile := flags.String("policy", "policy.yaml", "lift: the policy, which knows whose names are whose")
	reason := flags.String("reason", "", "lift: why")
	by := flags.String("by", os.Getenv("USER"), "lift: who asks; USER if absent")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%w\n%s", err, usage)
	}
	if *table == "" {
		return errors.New("name the table with -table or LEDGER_TABLE; it is the stack's output LedgerTableName")
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return fmt.Errorf("reading the AWS configuration: %w", err)
	}
	list := ledger.New(cfg, *table)
	switch {
	case command == "list" && flags.NArg() == 0:
		entries, err := list.List(ctx)
		if err != nil {
			return err
		}
		return show(out, entries, *asJSON)
	case command == "lift" && flags.NArg() > 0:
		if strings.TrimSpace(*reason) == "" || *by == "" {
			return errors.New("lift: say why with -reason and who with -by; it stays in the table")
		}
		rules, err := policy.Load(*policyFile)
		if err != nil {
			return err
		}
		l := ledger.Lift{
			Causes: []ledger.Cause{ledger.Deprovisioning, ledger.Finding, ledger.Request}, By: *by, Reason: *reason, At: time.Now(),
		}
		for _, name := range flags.Args() {
			if err := lift(ctx, out, list, rules, name, l); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("that is no command\n%s", usage)
}

// lift takes one person off the list.
func lift(ctx context.Context, out io.Writer, list *ledger.Table, rules *policy.Policy, name string, l ledger.Lift) error {
	entries, err := list.Find(ctx, append(rules.People(name, ""), name))
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return fmt.Errorf("%s is not on the list", name)
	}
	var people []string
	for _, e := range entries {
		if !slices.Contains(people, e.Person) {
			people = append(people, e.Person)
		}
	}
	for _, person := range people {
		lifted, err := list.Lift(ctx, person, l)
		if err != nil {
			return err
		}
		for _, e := range lifted {
			fmt.Fprintf(out, "%s may connect again: lifted what %s put there at %s, %s\n", e.Person, e.By, e.Since.UTC().Format(time.RFC3339), e.Reason)
		}
	}
	return nil
}

// show prints entries, of which words come from outside.
func show(out io.Writer, entries []ledger.Entry, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		for _, e := range entries {
			if err := encoder.Encode(e); err != nil {
				return fmt.Errorf("printing the list: %w", err)
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PERSON\tCAUSE\tUNTIL (UTC)\tSINCE (UTC)\tBY\tREASON")
	for _, e := range entries {
		until := "forever"
		if !e.Until.IsZero() {
			until = e.Until.UTC().Format(time.DateTime)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", plain(e.Person), plain(string(e.Cause)), until, e.Since.UTC().Format(time.DateTime), plain(e.By), plain(e.Reason))
	}
	return w.Flush()
}

// plain puts a question mark for what could move the cursor or end a line.
func plain(s string) string {
	return cmp.Or(strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '?'
		}
		return r
	}, s), "-")
}
