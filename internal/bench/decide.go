package bench

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// decide runs the benchmarks in turns, several times, since the machine may be slow for a while. The quickest time says
// most about the program: nothing else makes it quicker.
func (b *bench) decide(ctx context.Context) error {
	const times = 20
	output, err := b.benchmarks(ctx, times)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, output)
	}
	quickest := map[string]float64{} // by benchmark: what is done, and the event
	benchmark := regexp.MustCompile(`(?m)^BenchmarkDecide/200_rules/(\S+)\s+\d+\s+([\d.]+) ns/op`)
	for _, m := range benchmark.FindAllSubmatch(output, -1) {
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
	if len(slowest) != 3 {
		return fmt.Errorf("go test said:\n%s", output)
	}
	b.add("parse, map and decide, 200 rules, the last one fits", "%.0f µs", slowest["all"]/1000, 100,
		fmt.Sprintf(" (without parsing the event %.0f µs; the slower of two events, the quickest of %d times)",
			slowest["decide"]/1000, times))
	b.add("the same against encoding/json, which only reads the event", "%.2f ×", slowest["all"]/slowest["json"], 2, "")
	return nil
}

// benchmarks runs the benchmarks of deciding so many times, and returns what they print.
func (b *bench) benchmarks(ctx context.Context, times int) ([]byte, error) {
	program := filepath.Join(b.dir, "policy.test")
	output, err := exec.CommandContext(ctx, "go", "test", "-c", "-o", program, "./internal/policy").CombinedOutput()
	for range times {
		if err != nil {
			break
		}
		run := exec.CommandContext(ctx, program, "-test.run", "^$", "-test.bench", "Decide/200_rules", "-test.cpu", "1",
			"-test.benchtime", "500x")
		run.Dir = "internal/policy"
		var printed []byte
		printed, err = run.CombinedOutput()
		output = append(output, printed...)
	}
	return output, err
}
