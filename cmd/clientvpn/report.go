package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"time"

	"clientvpn-responder/internal/report"

	"github.com/spf13/cobra"
)

func (t *tool) report() *cobra.Command {
	var since back
	var output string
	command := &cobra.Command{
		Use: "report [EVENT|NAME]", Short: "Write a page about an event or a week, as one HTML file",
		Long: `Write a page as one HTML file that loads nothing and prints well. About an event
or a person: what happened and when, who, where, why, the evidence, and what is
left to do. With --since alone: who was or would have been cut off, by status,
source and rule, how quickly, and what was held back and why. Read that before
you turn enforcement on. The exit code is 1 if the log has nothing about it.`,
		Example: `  clientvpn report --since 7d
  clientvpn report 64c3ff73-68ea-40be-8d26-308cdb13f776 --output incident.html`,
		Args: takes(0, 1),
		PreRunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 && since.written == "" {
				t.started = false
				return errors.New("name an event or a person, or a time with --since, such as 7d")
			}
			return nil
		},
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) == 0 {
				return t.reportWeek(command.Context(), since, output)
			}
			return t.reportIncident(command.Context(), args[0], since, output)
		},
	}
	command.Flags().Var(&since, "since", "how far back, such as 12h or 7d")
	command.Flags().StringVarP(&output, "output", "o", "",
		"the `file` to write; - is standard output; clientvpn-….html if absent")
	return command
}

func (t *tool) reportIncident(ctx context.Context, what string, since back, output string) error {
	f, err := t.lookup(ctx, what, since)
	if err != nil {
		return err
	}
	if len(f.logged) == 0 {
		return fmt.Errorf("the log has nothing about %s; --since looks further back", safe(what))
	}
	var page bytes.Buffer
	if err := report.Incident(&page, f.logged, time.Now()); err != nil {
		return err
	}
	return t.savePage(page.Bytes(), output, "clientvpn-"+what+".html", len(f.logged))
}

func (t *tool) reportWeek(ctx context.Context, since back, output string) error {
	s, err := t.open(ctx)
	if err != nil {
		return err
	}
	to := time.Now()
	progress := t.Progress("Reading the log", 0)
	all, err := outcomes(ctx, s, to.Add(-since.Duration), "", func(report.Outcome) bool { return true })
	progress.Stop()
	if err != nil {
		return err
	}
	var page bytes.Buffer
	if err := report.Week(&page, all, to.Add(-since.Duration), to); err != nil {
		return err
	}
	return t.savePage(page.Bytes(), output, "clientvpn-"+since.written+".html", len(all))
}

// unsafe matches what is left out of a file's name.
var unsafe = regexp.MustCompile(`[^A-Za-z0-9._@-]+`)

// savePage writes the page, and says where it is.
func (t *tool) savePage(page []byte, output, name string, outcomes int) error {
	if output == "-" {
		_, err := t.Out.Write(page)
		return err
	}
	if output == "" {
		output = unsafe.ReplaceAllString(name, "-")
	}
	if err := os.WriteFile(output, page, 0o600); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	if t.json {
		return t.printJSON(map[string]any{"file": output, "outcomes": outcomes})
	}
	t.Print("%s  %s", t.In("1", output), plural(outcomes, "1 outcome", "%d outcomes"))
	return nil
}
