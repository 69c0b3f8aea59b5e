package house

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
)

// TestSettingsAgree: the template sets what a function's document lists, and nothing else. A test in the function's
// folder compares the document with what the function reads.
func TestSettingsAgree(t *testing.T) {
	for _, f := range []struct {
		document, resource string
		set                []string // by the template
	}{
		{"doc/settings.md", "Responder", []string{
			"TOPIC_ARN", "MESSAGE_TOPIC_ARN", "CHAT_TOPIC_ARN", "MODE", "ENDPOINT_IDS", "WATCH", "LEDGER_TABLE",
			"POLICY_SOURCE",
		}},
		{"doc/keepout.md", "Connect", []string{"LEDGER_TABLE", "ON_ERROR", "DENY_MESSAGE", "POLICY_SOURCE"}},
		{"doc/doors.md", "Receive", nil},
		{"doc/doors.md", "Poll", nil},
	} {
		known := map[string]bool{}
		for _, m := range regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\|").FindAllStringSubmatch(read(t, f.document), -1) {
			known[m[1]] = true
		}
		if len(known) < 3 {
			t.Fatalf("%s lists only %v", f.document, known)
		}
		for name := range variables(t, f.resource) {
			if !known[name] {
				t.Errorf("the template sets %s, which %s does not list", name, f.document)
			}
			delete(known, name)
		}
		for _, name := range f.set {
			if known[name] {
				t.Errorf("the template does not set %s for %s", name, f.resource)
			}
		}
	}
}

// TestREADMEShowsASoundPolicy: what a reader copies is accepted.
func TestREADMEShowsASoundPolicy(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(readme), "```yaml\n")
	document, _, found := strings.Cut(after, "```")
	if _, err := policy.Parse("README.md", []byte(document)); err != nil || !found {
		t.Error(err)
	}
}

// TestOutcomeIsDocumented: every field of the schema and every metric is in doc/outcome.md, and the schema knows every
// kind.
func TestOutcomeIsDocumented(t *testing.T) {
	document, raw := read(t, "doc/outcome.md"), read(t, "doc/outcome.schema.json")
	var schema any
	if err := json.Unmarshal([]byte(raw), &schema); err != nil {
		t.Fatal(err)
	}
	var names []string
	var collect func(any)
	collect = func(value any) {
		switch v := value.(type) {
		case map[string]any:
			if properties, ok := v["properties"].(map[string]any); ok {
				names = slices.AppendSeq(names, maps.Keys(properties))
			}
			for _, inner := range v {
				collect(inner)
			}
		case []any:
			for _, inner := range v {
				collect(inner)
			}
		}
	}
	collect(schema)
	metrics := regexp.MustCompile(`\{"(\w+)", number|, "([A-Z]\w+)", t\.`)
	for _, m := range metrics.FindAllStringSubmatch(read(t, "internal/notify/metrics.go"), -1) {
		names = append(names, m[1]+m[2])
	}
	if len(names) < 60 {
		t.Fatalf("only %q", names)
	}
	for _, name := range names {
		if !strings.Contains(document, "`"+name+"`") {
			t.Errorf("doc/outcome.md does not explain %s", name)
		}
	}
	for _, kind := range signal.Kinds() {
		if !strings.Contains(raw, `"`+string(kind)+`"`) {
			t.Errorf("the schema does not know the kind %s", kind)
		}
	}
}
