package main

import (
	"strings"
	"testing"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/ledger"
)

// TestOffSwitchStopsTheNextEvent: nobody is cut off or kept out from the next event on. The outcome and the self-test
// say why. After the switch is on again all is as before.
func TestOffSwitchStopsTheNextEvent(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice@example.com"})
	cloud.AddTable("keepout", "id")
	url, stop, err := emulator.Serve(cloud)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	list := ledger.New(tableConfig(url), "keepout")
	f := start(t, cloud, "LEDGER_TABLE=keepout")

	if err := list.SwitchOff(t.Context(), "ops"); err != nil {
		t.Fatal(err)
	}
	got := outcomes(t, invoke(t, f, leaver("e1", "alice")))[0]
	if got.Status != "would-terminate" || !got.KeptOutUntil.IsZero() {
		t.Errorf("%+v", got)
	}
	if cloud.Connections()[0].Status != "active" {
		t.Errorf("%+v", cloud.Connections()[0])
	}
	selfTest := []byte(`{"id":"s1","source":"clientvpn-responder","detail-type":"Self Test",
		"time":"2026-11-20T10:00:00Z","detail":{}}`)
	got = outcomes(t, invoke(t, f, selfTest))[0]
	if got.Status != "not-ready" || !strings.Contains(got.Summary, "everything is switched off since 20") {
		t.Errorf("%+v", got)
	}

	if err := list.SwitchOn(t.Context(), "ops"); err != nil {
		t.Fatal(err)
	}
	got = outcomes(t, invoke(t, f, leaver("e2", "alice")))[0]
	if got.Status != "terminated" || got.KeptOutUntil.IsZero() {
		t.Errorf("%+v", got)
	}
	if log := logs(f); !strings.Contains(log, " by ops, so this is a dry-run") {
		t.Error(log)
	}
}

// TestSilentTableSwitchesNothingOff: a table that does not answer holds no cut-off up, and the outcome says what is not
// known.
func TestSilentTableSwitchesNothingOff(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice@example.com"})
	cloud.AddTable("keepout", "id")
	cloud.Deny("dynamodb:BatchGetItem", "keepout")
	f := start(t, cloud, "LEDGER_TABLE=keepout")
	got := outcomes(t, invoke(t, f, leaver("e1", "alice")))[0]
	if log := logs(f); got.Status != "terminated" || !strings.Contains(log, "or whether everything is switched off") {
		t.Errorf("%+v\n%s", got, log)
	}
}
