package main

import (
	"path/filepath"
	"strings"
	"testing"

	"clientvpn-responder/internal/emulator"
)

// TestBinaryPolls: the real program, over the Runtime API, with the SDK's clients and a tenant on loopback.
func TestBinaryPolls(t *testing.T) {
	if err := emulator.Track("../../internal", "../../cmd/poll", "../../go.mod"); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(t.TempDir(), "poll")
	if err := emulator.Build(t.Context(), binary, "."); err != nil {
		t.Fatal(err)
	}
	cloud, tenant := &emulator.Cloud{}, &emulator.Graph{}
	cloud.AddTable(table, "id")
	tenant.AddGraphUser(emulator.GraphUser{ID: alice, Name: "alice@example.com"})
	aws, stopAWS, err := emulator.Serve(cloud)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stopAWS)
	graph, stopGraph, err := emulator.Serve(tenant)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stopGraph)
	f, err := emulator.Start(t.Context(), binary, []string{
		"AWS_ENDPOINT_URL=" + aws, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"EVENT_QUEUE_URL=" + cloud.AddQueue(queue), "LEDGER_TABLE=" + table, "GRAPH_URL=" + graph, "LOGIN_URL=" + graph,
		"ENTRA_TENANT_ID=" + emulator.DefaultTenant, "ENTRA_CLIENT_ID=" + emulator.DefaultClient,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	for range 2 {
		if answer, err := f.Invoke(t.Context(), []byte(`{}`)); err != nil || answer.Failure != nil {
			t.Fatal(err, answer.Failure)
		}
		tenant.SetEnabled(alice, false)
	}
	stage := stage{cloud: cloud}
	stage.expect(t, "account-disabled alice@example.com", "account-disabled alice@example.com")
	if !strings.Contains(string(f.Logs()), `"Verdict":"succeeded"`) ||
		!strings.Contains(string(f.Logs()), `"Dimensions":[["Verdict","Function"]]`) {
		t.Errorf("%s", f.Logs())
	}
}
