package house

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestAProviderIsThreePlaces: a provider is a file of code with a row in providers.go, a folder of events, and a rule
// of the template. No other code knows its parser or its table.
func TestAProviderIsThreePlaces(t *testing.T) {
	const says = "| a new identity provider | `internal/signal/<name>.go`, its row in `providers.go`, " +
		"`events/<name>/*.json` with goldens, a rule in `template.yaml`."
	if !strings.Contains(read(t, "CONTRIBUTING.md"), says) {
		t.Error("CONTRIBUTING.md does not say where a provider goes")
	}
	row := regexp.MustCompile(`(?m)^\t\{(?:"([a-z-]+)"|(\w+)), "([a-z./-]+)", [^,]+, .*\b(parse\w+)\},$`)
	rows := row.FindAllStringSubmatch(read(t, "internal/signal/providers.go"), -1)
	if len(rows) < 20 {
		t.Fatalf("only %d rows", len(rows))
	}
	template := read(t, "template.yaml")
	for _, m := range rows {
		folder, source, parser := m[1], m[3], m[4]
		if folder == "" { // a constant
			folder = map[string]string{"IdentityCenter": "identity-center", "Custom": "custom", "Sweep": "sweep"}[m[2]]
		}
		if source == "aws.securityhub" {
			folder = "securityhub"
		}
		if events, _ := filepath.Glob("events/" + folder + "/*.json"); len(events) == 0 {
			t.Errorf("events/%s has no events of %s", folder, source)
		}
		if !strings.Contains(template, source) {
			t.Errorf("no rule of the template lets %s in", source)
		}
		if files := using(t, parser); len(files) != 1 {
			t.Errorf("%s is in %q; it belongs into one file", parser, files)
		}
	}
}

// using returns the files of internal/signal that use a name, without the list of providers and tests.
func using(t *testing.T, name string) (files []string) {
	t.Helper()
	word := regexp.MustCompile(`\b` + name + `\b`)
	all, _ := filepath.Glob("internal/signal/*.go")
	for _, file := range all {
		if strings.HasSuffix(file, "_test.go") || filepath.Base(file) == "providers.go" {
			continue
		}
		if word.MatchString(read(t, file)) && !slices.Contains(files, file) {
			files = append(files, file)
		}
	}
	return files
}
