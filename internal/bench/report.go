package bench

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"time"
)

const (
	benchmarks = "doc/benchmarks.md"
	plots      = "doc/benchmarks.svg"
)

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
		verdict := strings.Replace(f.verdict(), "NOT MET", "**not met**", 1)
		fmt.Fprintf(&text, "| %s | %s | %s | %s |\n", f.what, f.measured, f.goal, verdict)
	}
	fmt.Fprintf(&text, "<!-- end -->%s", after)
	for file, content := range map[string]string{benchmarks: text.String(), plots: draw(b.panels)} {
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			return fmt.Errorf("writing the benchmarks: %w", err)
		}
	}
	fmt.Fprintf(b.console.Err, "%s and %s are written anew.\n", benchmarks, plots)
	return nil
}

// processor returns the name that the machine's processors give themselves.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	if m := regexp.MustCompile(`(?m)^model name\s*: (.+)$`).FindSubmatch(text); m != nil {
		return string(m[1])
	}
	return runtime.GOARCH
}
