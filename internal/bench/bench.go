// Package bench measures speed, memory and load of the deployed programs against goals.
//
// It promises to measure only what was done: a part whose events were not answered as they must be is an error.
package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/trial"
)

const (
	emptyFunction = "internal/bench/testdata/empty"
	bareReader    = "internal/bench/testdata/bare"
)

// bench is a run of the measurements.
type bench struct {
	console *console.Console
	dir     string // of the programs
	policy  string
	figures []figure
	panels  []panel
}

// figure is a line of the table. Without a goal it is for information.
type figure struct {
	what, measured, goal string
	met                  bool
}

func (f figure) verdict() string {
	switch {
	case f.goal == "":
		return ""
	case f.met:
		return "met"
	}
	return "NOT MET"
}

type part struct {
	name, doing string
	measure     func(*bench, context.Context) error
}

// parts are in the order of the table.
var parts = []part{
	{"start", "the start, by turns with an empty function", (*bench).start},
	{"decide", "decisions", (*bench).decide},
	{"one", "one person on three endpoints", (*bench).one},
	{"ten", "a batch of ten events", (*bench).ten},
	{"targets", "one person in 200 accounts and Regions", (*bench).manyTargets},
	{"listing", "listings of 7,000 to 126,000 connections, beside a bare reader; some two minutes", (*bench).listing},
	{"leavers", "200 leavers at once; EC2's limits make two minutes of it", (*bench).leavers},
	{"sweep", "a sweep of 5,000 people", (*bench).sweep},
	{"connect", "decisions of the client connect handler", (*bench).connect},
	{"load", "10,000 mixed events; up to two minutes", (*bench).load},
}

// Parts returns the names of what can be measured alone.
func Parts() []string {
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

// Measure measures the parts that are named, or all, and prints a table. It writes all of them together into
// doc/benchmarks.md. A goal that is missed is no error, since the figures depend on the machine.
func Measure(ctx context.Context, c *console.Console, names []string, asJSON bool) error {
	for _, name := range names {
		if !slices.Contains(Parts(), name) {
			return fmt.Errorf("bench: there is no part %q", name)
		}
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return fmt.Errorf("measuring: %w", err)
	}
	defer os.RemoveAll(dir)
	b := &bench{console: c, dir: dir}
	if err := b.writePolicy(time.Now()); err != nil {
		return err
	}
	if err := b.build(ctx); err != nil {
		return err
	}
	if err := b.measure(ctx, names); err != nil {
		return err
	}
	if asJSON {
		err = b.writeJSON()
	} else {
		b.print()
	}
	if err != nil || len(names) > 0 {
		return err
	}
	return b.write()
}

// writePolicy writes the demonstration's policy with a mass that is announced: the brake lets the leavers through.
func (b *bench) writePolicy(now time.Time) error {
	shipped, err := os.ReadFile(trial.Demonstration)
	if err != nil {
		return fmt.Errorf("measuring: %w", err)
	}
	const brake = "\nbrake: {people: 25, within: 1h, announced: [{from: %s, until: %s, reason: a benchmark}]}\n"
	announced := fmt.Appendf(shipped, brake,
		now.Add(-time.Hour).UTC().Format(time.RFC3339), now.Add(24*time.Hour).UTC().Format(time.RFC3339))
	b.policy = filepath.Join(b.dir, "policy.yaml")
	if err := os.WriteFile(b.policy, announced, 0o600); err != nil {
		return fmt.Errorf("measuring: %w", err)
	}
	return nil
}

// measure measures the parts that are named, or all.
func (b *bench) measure(ctx context.Context, names []string) error {
	for _, p := range parts {
		if len(names) > 0 && !slices.Contains(names, p.name) {
			continue
		}
		progress := b.console.Progress("Measuring "+p.doing, 0)
		err := p.measure(b, ctx)
		progress.Stop()
		if err != nil {
			return fmt.Errorf("measuring %s: %w", p.doing, err)
		}
	}
	return nil
}

// build builds what is measured and what it is measured against.
func (b *bench) build(ctx context.Context) error {
	progress := b.console.Progress("Building the programs (the first time AWS's EC2 package takes minutes)", 0)
	defer progress.Stop()
	sources := []string{emptyFunction, bareReader}
	for _, p := range programs {
		sources = append(sources, p.source)
	}
	for _, source := range sources {
		if err := emulator.BuildForAWS(ctx, b.program(source), "./"+source, "GOOS=linux"); err != nil {
			return err
		}
		if err := unpack(b.program(source)); err != nil {
			return fmt.Errorf("building %s: %w", source, err)
		}
	}
	return nil
}

// unpack writes a program anew, as Lambda writes it when it unpacks the zip. The linker writes its file through a
// mapping, so that the system has it in small pages, and every program starts more slowly.
func unpack(program string) error {
	raw, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	if err := os.Remove(program); err != nil {
		return err
	}
	return os.WriteFile(program, raw, 0o755)
}

// print prints each figure with its goal.
func (b *bench) print() {
	for _, f := range b.figures {
		label, style := "        ", console.Dim
		switch {
		case f.goal == "":
		case f.met:
			label, style = "met     ", console.Green
		default:
			label, style = "NOT MET ", console.Red
		}
		words := f.what + ": " + f.measured
		if f.goal != "" {
			words += ", goal " + f.goal
		}
		b.console.Item(b.console.In(style, label), words)
	}
}

func (b *bench) writeJSON() error {
	encoder := json.NewEncoder(b.console.Out)
	encoder.SetEscapeHTML(false)
	for _, f := range b.figures {
		if err := encoder.Encode(struct {
			What     string `json:"what"`
			Measured string `json:"measured"`
			Goal     string `json:"goal,omitempty"`
			Met      bool   `json:"met"`
		}{f.what, f.measured, f.goal, f.met || f.goal == ""}); err != nil {
			return fmt.Errorf("printing the figures: %w", err)
		}
	}
	return nil
}

// add adds a figure that is to be at most the goal; format is for both.
func (b *bench) add(what, format string, measured, goal float64, note string) {
	b.figures = append(b.figures, figure{
		what, fmt.Sprintf(format, measured) + note, "≤ " + fmt.Sprintf(format, goal), measured <= goal,
	})
}

// program returns where the program of a source is built.
func (b *bench) program(source string) string { return filepath.Join(b.dir, filepath.Base(source)) }

// environment returns the handler's, without a watch: what is measured is over before.
func (b *bench) environment(url string) []string {
	return append(trial.Environment(url, b.policy, "enforce"), "MESSAGE_TOPIC_ARN=", "CHAT_TOPIC_ARN=", "WATCH=0")
}

func median(times []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(times))[len(times)/2]
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }
