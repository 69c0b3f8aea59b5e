package house

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"clientvpn-responder/internal/signal"
)

func TestEveryEventHasItsGolden(t *testing.T) {
	events, _ := filepath.Glob("events/*/*.json")
	goldens, _ := filepath.Glob("events/*/*.golden")
	if len(events) == 0 {
		t.Fatal("no events")
	}
	base := func(files []string) []string {
		var all []string
		for _, f := range files {
			all = append(all, strings.TrimSuffix(f, path.Ext(f)))
		}
		return all
	}
	for _, e := range base(events) {
		if !slices.Contains(base(goldens), e) {
			t.Errorf("%s.json has no golden; write it with: go run ./cmd/clientvpn run --update", e)
		}
	}
	for _, g := range base(goldens) {
		if !slices.Contains(base(events), g) {
			t.Errorf("%s.golden has no event", g)
		}
	}
}

// TestEventsStandInTheirProvidersFolder: the folder of an event is its signals' provider. Security Hub's findings are
// GuardDuty's, in a form of its own.
func TestEventsStandInTheirProvidersFolder(t *testing.T) {
	files, _ := filepath.Glob("events/*/*.json")
	for _, file := range files {
		provider := path.Base(path.Dir(filepath.ToSlash(file)))
		if provider == "securityhub" {
			provider = "guardduty"
		}
		if !slices.Contains(signal.Providers(), provider) {
			t.Errorf("%s: %s is not a provider", file, provider)
		}
		signals, _ := signal.Parse([]byte(read(t, file)))
		for _, s := range signals {
			if s.Provider != provider {
				t.Errorf("%s: its provider is %s", file, s.Provider)
			}
		}
	}
}

// TestEventsNameNobodyReal: only example.com, documentation accounts and documentation addresses.
func TestEventsNameNobodyReal(t *testing.T) {
	email := regexp.MustCompile(`[A-Za-z0-9._+-]+@([A-Za-z0-9.-]+)`)
	account := regexp.MustCompile(`\b\d{12}\b`)
	files, _ := filepath.Glob("events/*/*.json")
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(raw) {
			t.Errorf("%s is not JSON", file)
		}
		for _, m := range email.FindAllStringSubmatch(string(raw), -1) {
			graph := m[0] == "members@delta" // Microsoft Graph's member, and no address
			if strings.TrimSuffix(m[1], ".") != "example.com" && m[1] != "okta.com" && !graph {
				t.Errorf("%s names %s", file, m[0])
			}
		}
		for _, id := range account.FindAllString(string(raw), -1) {
			if id != "111122223333" && id != "444455556666" {
				t.Errorf("%s has account %s", file, id)
			}
		}
	}
}
