// Package bench measures speed, memory and load of the deployed programs against goals.
//
// It promises to measure only what was done: a part whose events were not answered as they must be is an error.
package bench

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/trial"
)

const (
	benchmarks = "doc/benchmarks.md"
	plots      = "doc/benchmarks.svg"

	emptyFunction = "internal/bench/testdata/empty"
	bareReader    = "internal/bench/testdata/bare"
)

// bench is a run of the measurements.
type bench struct {
	out     io.Writer
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
	{"listing", "listings of 7,000 to 126,000 connections, by turns with a bare reader; some two minutes", (*bench).listing},
	{"leavers", "200 leavers at once; EC2's limits make two minutes of it", (*bench).leavers},
	{"connect", "decisions of the client connect handler", (*bench).connect},
	{"load", "10,000 mixed events; up to two minutes", (*bench).load},
}

// Measure runs the parts that are named, or all, which then go into doc/benchmarks.md. A goal that is missed is said and no
// error, since the figures are this machine's as well.
func Measure(ctx context.Context, out io.Writer, names []string) error {
	for _, name := range names {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) {
			return fmt.Errorf("bench: there is no part %q", name)
		}
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return fmt.Errorf("measuring: %w", err)
	}
	defer os.RemoveAll(dir)
	b := &bench{out: out, dir: dir}
	if b.policy, err = filepath.Abs(trial.Demonstration); err != nil {
		return fmt.Errorf("measuring: %w", err)
	}
	fmt.Fprintln(out, "Building the programs. The first time this compiles AWS's EC2 package, which takes a minute or two.")
	sources := []string{emptyFunction, bareReader}
	for _, p := range programs {
		sources = append(sources, p.source)
	}
	for _, source := range sources {
		if err := emulator.Build(ctx, b.program(source), "./"+source, "GOOS=linux"); err != nil {
			return err
		}
	}
	for _, p := range parts {
		if len(names) > 0 && !slices.Contains(names, p.name) {
			continue
		}
		fmt.Fprintf(out, "Measuring %s.\n", p.doing)
		if err := p.measure(b, ctx); err != nil {
			return fmt.Errorf("measuring %s: %w", p.doing, err)
		}
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nwhat\tmeasured\tgoal\t")
	for _, f := range b.figures {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", f.what, f.measured, f.goal, f.verdict())
	}
	if err := t.Flush(); err != nil || len(names) > 0 {
		return err
	}
	return b.write()
}

// write puts the figures into the document, between the marks, and draws the plots.
func (b *bench) write() error {
	raw, err := os.ReadFile(benchmarks)
	if err != nil {
		return fmt.Errorf("writing the benchmarks: %w", err)
	}
	before, rest, begins := strings.Cut(string(raw), "<!-- measured -->\n")
	_, after, ends := strings.Cut(rest, "<!-- end -->")
	if !begins || !ends {
		return fmt.Errorf("%s has no place for the figures", benchmarks)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s<!-- measured -->\n%s, with %s on %d × %s.\n\n| what | measured | goal | |\n|---|---|---|---|\n",
		before, time.Now().UTC().Format("2006-01-02"), runtime.Version(), runtime.NumCPU(), processor())
	for _, f := range b.figures {
		fmt.Fprintf(&text, "| %s | %s | %s | %s |\n", f.what, f.measured, f.goal, strings.Replace(f.verdict(), "NOT MET", "**not met**", 1))
	}
	fmt.Fprintf(&text, "<!-- end -->%s", after)
	for file, content := range map[string]string{benchmarks: text.String(), plots: draw(b.panels)} {
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			return fmt.Errorf("writing the benchmarks: %w", err)
		}
	}
	fmt.Fprintf(b.out, "\n%s and %s are written anew.\n", benchmarks, plots)
	return nil
}

// processor is the name that the machine's processors give themselves.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	if m := regexp.MustCompile(`(?m)^model name\s*: (.+)$`).FindSubmatch(text); m != nil {
		return string(m[1])
	}
	return runtime.GOARCH
}

// add adds a figure that is to be at most the goal; format is for both.
func (b *bench) add(what, format string, measured, goal float64, note string) {
	b.figures = append(b.figures, figure{what, fmt.Sprintf(format, measured) + note, "≤ " + fmt.Sprintf(format, goal), measured <= goal})
}

// program is where the program of a source is built.
func (b *bench) program(source string) string { return filepath.Join(b.dir, filepath.Base(source)) }

// environment is the handler's, without a watch: what is measured is over before.
func (b *bench) environment(url string) []string {
	return append(trial.Environment(url, b.policy, "enforce"), "MESSAGE_TOPIC_ARN=", "CHAT_TOPIC_ARN=", "WATCH=0")
}

// programs are what is deployed, with the goal for their start as a multiple of an empty function's.
var programs = []struct {
	name, source string
	goal         float64
}{
	{"function", "cmd/handler", 2.5},
	{"connect handler", connectHandler, 2},
}

// start measures against an empty function, in one run: absolute times say more about the machine.
func (b *bench) start(ctx context.Context) error {
	const starts = 41
	url, stop, err := emulator.Serve(trial.NewCompany())
	if err != nil {
		return err
	}
	defer stop()
	env := b.environment(url)
	for _, p := range programs {
		took := map[string][]time.Duration{}
		var most int64
		for range starts {
			for _, source := range []string{emptyFunction, p.source} {
				function, err := emulator.Start(ctx, b.program(source), env)
				if err != nil {
					return err
				}
				took[source] = append(took[source], function.Ready())
				if source == p.source {
					most = max(most, function.MaxRSS())
				}
				function.Close()
			}
		}
		empty, own := median(took[emptyFunction]), median(took[p.source])
		b.add(p.name+": start of the process to its first request for work, against an empty function", "%.2f ×", own.Seconds()/empty.Seconds(), p.goal,
			fmt.Sprintf(" (%.1f ms, %.1f ms; medians of %d)", milliseconds(own), milliseconds(empty), starts))
		b.add(p.name+": memory then", "%.1f MiB", mebibytes(most), 16, "")

		arm := filepath.Join(b.dir, "bootstrap")
		if err := emulator.Build(ctx, arm, "./"+p.source, "GOOS=linux", "GOARCH=arm64"); err != nil {
			return err
		}
		size, zipped, err := sizes(arm)
		if err != nil {
			return err
		}
		b.add(p.name+": zip for arm64", "%.1f MB", float64(zipped)/1e6, 5, fmt.Sprintf(" (binary %.1f MB)", float64(size)/1e6))
	}
	return nil
}

// decide has go test measure it, several times, of which the quickest says most about the program: nothing else makes it quicker.
func (b *bench) decide(ctx context.Context) error {
	output, err := exec.CommandContext(ctx, "go", "test", "./internal/policy", "-run", "^$", "-bench", "Decide/200_rules", "-cpu", "1", "-benchtime", "2000x", "-count", "5").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, output)
	}
	quickest := map[string]float64{} // by benchmark: what is done, and the event
	for _, m := range regexp.MustCompile(`(?m)^BenchmarkDecide/200_rules/(\S+)\s+\d+\s+([\d.]+) ns/op`).FindAllSubmatch(output, -1) {
		ns, err := strconv.ParseFloat(string(m[2]), 64)
		if err != nil {
			return err
		}
		name := string(m[1])
		if quickest[name] == 0 || ns < quickest[name] {
			quickest[name] = ns
		}
	}
	slowest := map[string]float64{}
	for name, ns := range quickest {
		what, _, _ := strings.Cut(name, "/")
		slowest[what] = max(slowest[what], ns)
	}
	if len(slowest) != 2 {
		return fmt.Errorf("go test said:\n%s", output)
	}
	b.add("decide, 200 rules of which the last fits", "%.0f µs", slowest["decide"]/1000, 100,
		fmt.Sprintf(" (with parsing the event %.0f µs; the slower of two events, the quickest of five times)", slowest["all"]/1000))
	return nil
}

func median(times []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(times))[len(times)/2]
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// sizes gives the bytes of a file, and of a zip with it alone.
func sizes(file string) (size, zipped int, err error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, fmt.Errorf("measuring the size: %w", err)
	}
	var buffer bytes.Buffer
	archive := zip.NewWriter(&buffer)
	entry, err := archive.Create("bootstrap")
	if err == nil {
		_, err = entry.Write(raw)
	}
	if err == nil {
		err = archive.Close()
	}
	if err != nil {
		return 0, 0, fmt.Errorf("measuring the zip: %w", err)
	}
	return len(raw), buffer.Len(), nil
}
