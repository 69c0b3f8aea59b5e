package bench

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/trial"
)

// deployed is a program that is deployed, with the goal for its start as a multiple of an empty function's.
type deployed struct {
	name, source string
	goal         float64
	env          []string // what it needs beside the others' settings
}

// The queues, as the stack sets them.
const (
	stored = "EVENT_QUEUE_URL=https://sqs.eu-west-1.amazonaws.com/111122223333/events"
	held   = "HELD_QUEUE_URL=https://sqs.eu-west-1.amazonaws.com/111122223333/held"
)

var programs = []deployed{
	{name: "function", source: "cmd/handler", goal: 2, env: []string{stored, held}},
	{name: "connect handler", source: connectHandler, goal: 2},
	{name: "doors", source: "cmd/receive", goal: 2, env: []string{
		stored, `DOORS=[{"path": "/okta", "accepts": "universal-logout", "issuer": "https://acme.okta.com", ` +
			`"keys": "https://acme.okta.com/oauth2/v1/keys"}]`,
	}},
	{name: "poll", source: "cmd/poll", goal: 2, env: []string{
		stored, "ENTRA_TENANT_ID=" + emulator.DefaultTenant, "ENTRA_CLIENT_ID=" + emulator.DefaultClient,
	}},
}

// start measures against an empty function, in one run: absolute times say more about the machine.
func (b *bench) start(ctx context.Context) error {
	url, stop, err := emulator.Serve(trial.NewCompany())
	if err != nil {
		return err
	}
	defer stop()
	for _, p := range programs {
		if err := b.startOf(ctx, p, append(b.environment(url), p.env...)); err != nil {
			return err
		}
		if err := b.sizeOf(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) startOf(ctx context.Context, p deployed, env []string) error {
	const starts = 41
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
	b.add(p.name+": start of the process to its first request for work, against an empty function", "%.2f ×",
		own.Seconds()/empty.Seconds(), p.goal,
		fmt.Sprintf(" (%.1f ms, %.1f ms; medians of %d)", milliseconds(own), milliseconds(empty), starts))
	b.add(p.name+": memory then", "%.1f MiB", mebibytes(most), 16, "")
	return nil
}

func (b *bench) sizeOf(ctx context.Context, p deployed) error {
	arm := filepath.Join(b.dir, "bootstrap")
	if err := emulator.BuildForAWS(ctx, arm, "./"+p.source, "GOOS=linux", "GOARCH=arm64"); err != nil {
		return err
	}
	size, zipped, err := sizes(arm)
	if err != nil {
		return err
	}
	b.add(p.name+": zip for arm64", "%.1f MB", float64(zipped)/1e6, 5, fmt.Sprintf(" (binary %.1f MB)", float64(size)/1e6))
	return nil
}

// sizes returns the bytes of a file, and of a zip with it alone.
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
