package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/trial"
)

const connectHandler = "cmd/connect"

// connect measures what a connection waits for, without latency: the first decision of a process and those after it.
func (b *bench) connect(ctx context.Context) error {
	const processes, decisions = 21, 50
	url, stop, err := emulator.Serve(trial.NewCompany())
	if err != nil {
		return err
	}
	defer stop()
	var first, others []time.Duration
	var most int64
	for range processes {
		took, memory, err := b.decisions(ctx, url, decisions)
		if err != nil {
			return err
		}
		first, others = append(first, took[0]), append(others, took[1:]...)
		most = max(most, memory)
	}
	slices.Sort(others)
	const note = ", the stand-in waits 1 ms"
	b.add("connect handler: first decision of a process, from request to answer", "%.1f ms",
		milliseconds(median(first)), 10, fmt.Sprintf(" (median of %d%s)", processes, note))
	b.add("connect handler: every other decision", "%.1f ms", milliseconds(median(others)), 10,
		fmt.Sprintf(" (median of %d%s; 99 of 100 within %.1f ms)",
			len(others), note, milliseconds(others[len(others)*99/100])))
	b.add(fmt.Sprintf("connect handler: memory after %d decisions", decisions), "%.1f MiB", mebibytes(most), 16, "")
	return nil
}

// decisions returns how long so many decisions of one process took, and its memory after them.
func (b *bench) decisions(ctx context.Context, url string, count int) (took []time.Duration, memory int64, err error) {
	request, err := json.Marshal(map[string]any{
		"connection-id": "cvpn-connection-0a1b2c3d4e5f60718", "endpoint-id": trial.Endpoints[0].ID, "common-name": "",
		"username": "alice@example.com", "public-ip": "203.0.113.7", "groups": []string{}, "schema-version": "v3",
	})
	if err != nil {
		return nil, 0, fmt.Errorf("writing the request: %w", err)
	}
	function, err := emulator.Start(ctx, b.program(connectHandler), b.environment(url))
	if err != nil {
		return nil, 0, err
	}
	defer function.Close()
	for range count {
		began := time.Now()
		answer, err := function.Invoke(ctx, request)
		if err == nil && !bytes.Contains(answer.Payload, []byte(`"allow":true`)) {
			err = errors.New("the answer is " + string(answer.Payload))
		}
		if err != nil {
			return nil, 0, fmt.Errorf("deciding: %w", err)
		}
		took = append(took, time.Since(began))
	}
	return took, function.MaxRSS(), nil
}
