package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRoutineNoticesAreASignOfLife: they are no errors and publish nothing, and the ledger knows when it heard of their
// source. So it does of any other event that asks for nothing.
func TestRoutineNoticesAreASignOfLife(t *testing.T) {
	for file, want := range map[string]string{
		"entra/graph-reauthorization-required.json": "source#entra",
		"ssf/verification.json":                     "source#ssf",
		"okta/session-end.json":                     "source#okta",
	} {
		raw, err := os.ReadFile(filepath.Join("../../events", file))
		if err != nil {
			t.Fatal(err)
		}
		cloud, f := braking(t)
		if answer := invoke(t, f, batch(raw)); string(answer.Payload) != `{"batchItemFailures":[]}` {
			t.Errorf("%s: %s", file, answer.Payload)
		}
		if told := published(t, cloud); len(told) > 0 {
			t.Errorf("%s: published %q", file, told)
		}
		var items strings.Builder
		for _, item := range cloud.Items("ledger") {
			items.Write(item)
		}
		if !strings.Contains(items.String(), want) {
			t.Errorf("%s: the ledger has no %s: %s", file, want, items.String())
		}
	}
}
