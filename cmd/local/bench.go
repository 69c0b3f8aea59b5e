package main

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"clientvpn-responder/internal/emulator"
)

// starts is how often each program is started for the median.
const starts = 21

// bench measures the handler against an empty function, in one run: absolute times say more about the machine.
func bench(ctx context.Context, out io.Writer) error {
	if _, err := buildHandler(ctx, out); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return fmt.Errorf("measuring: %w", err)
	}
	defer os.RemoveAll(dir)
	cloud := newCompany()
	url, stop, err := emulator.Serve(cloud)
	if err != nil {
		return err
	}
	defer stop()
	policyPath, err := filepath.Abs("policy.yaml")
	if err != nil {
		return fmt.Errorf("measuring: %w", err)
	}
	env := environment(url, policyPath, "enforce")

	type figures struct {
		name, source string
		ready        time.Duration
		rss          int64
		size, zipped int
	}
	programs := []figures{{name: "empty function", source: "./cmd/local/testdata/empty"}, {name: "handler", source: "./cmd/handler"}}
	for i := range programs {
		p := &programs[i]
		native, arm := filepath.Join(dir, p.name), filepath.Join(dir, p.name+"-arm64")
		if err := build(ctx, native, p.source, ""); err != nil {
			return err
		}
		if err := build(ctx, arm, p.source, "arm64"); err != nil {
			return err
		}
		if p.size, p.zipped, err = sizes(arm); err != nil {
			return err
		}
		var times []time.Duration
		for range starts {
			function, err := emulator.Start(ctx, native, env)
			if err != nil {
				return err
			}
			times = append(times, function.Ready())
			p.rss = max(p.rss, function.MaxRSS())
			function.Close()
		}
		slices.Sort(times)
		p.ready = times[starts/2]
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nprogram\tstart to first request for work, median\tmemory at start\tarm64 binary\tzip")
	for _, p := range programs {
		fmt.Fprintf(t, "%s\t%.1f ms (%.2f x empty)\t%.1f MiB\t%.1f MB\t%.1f MB\n", p.name, p.ready.Seconds()*1000,
			p.ready.Seconds()/programs[0].ready.Seconds(), float64(p.rss)/(1<<20), float64(p.size)/1e6, float64(p.zipped)/1e6)
	}
	if err := t.Flush(); err != nil {
		return err
	}

	binary, err := filepath.Abs(filepath.Join("bin", "handler"))
	if err != nil {
		return err
	}
	p := play(ctx, binary, "policy.yaml", "enforce", filepath.Join("events", "guardduty-iam-user.json"))
	if p.err != nil {
		return p.err
	}
	fmt.Fprintf(out, "\nCalls for one person with one connection on one of three endpoints, with 1 s of watch: %s, %d message.\n", p.callsInWords(), p.calls["Publish"])
	return nil
}

func build(ctx context.Context, output, source, arch string) error {
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", output, source)
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if arch != "" {
		command.Env = append(command.Env, "GOARCH="+arch)
	}
	if text, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", source, err, text)
	}
	return nil
}

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
