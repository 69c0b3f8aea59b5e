package connect

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policy"
)

// exempted is the endpoint that testdata/policy.yaml exempts.
const exempted = "cvpn-endpoint-0123456789abcdef9"

// TestPanicIsAnAnswer: a table without an SDK behind it panics.
func TestPanicIsAnAnswer(t *testing.T) {
	var log bytes.Buffer
	h := Handler{
		Log: slog.New(slog.NewJSONHandler(&log, nil)), Policy: &policy.Policy{}, List: &ledger.Table{},
		Limit: time.Second,
	}
	got, err := h.Invoke(t.Context(), []byte(`{"username":"alice","common-name":"","schema-version":"v3"}`))
	if err != nil || !strings.Contains(string(got), `"allow":false`) || !strings.Contains(log.String(), "panic: ") {
		t.Errorf("%s %v %s", got, err, &log)
	}
}

// FuzzRequest: any bytes have an answer in one of the schemas, and none that lets in somebody who is named.
func FuzzRequest(f *testing.F) {
	files, _ := filepath.Glob("../../cmd/connect/testdata/*.json")
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	p, err := policy.Load("testdata/policy.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"username":null,"common-name":"\ud800","groups":{"a":[]}}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		h := Handler{
			Log: slog.New(slog.DiscardHandler), Policy: p, List: &ledger.Table{},
			Limit: time.Second,
		}
		raw, err := h.Invoke(t.Context(), payload)
		if err != nil {
			t.Fatal(err)
		}
		var answer map[string]any
		if err := json.Unmarshal(raw, &answer); err != nil || len(answer) != 4 {
			t.Fatalf("%s %v", raw, err)
		}
		r, err := readRequest(payload)
		named := err == nil && len(p.People(*r.Username, *r.CommonName)) > 0 && r.EndpointID != exempted
		if answer["allow"] == (named || err != nil) {
			t.Errorf("%s: %s", payload, raw)
		}
	})
}
