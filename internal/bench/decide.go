package bench

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// decide has go test measure it several times. The quickest says most about the program: nothing else makes it quicker.
func (b *bench) decide(ctx context.Context) error {
	const times = 20
	output, err := exec.CommandContext(ctx, "go", "test", "./internal/policy", "-run", "^$", "-bench", "Decide/200_rules",
		"-cpu", "1", "-benchtime", "500x", "-count", strconv.Itoa(times)).CombinedOutput()
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
