package house

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
)

// settingRow begins a row of a page's table of settings.
var settingRow = regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\|")

// settingsListed returns the settings that a page lists, in its order; of a section alone, unless that is empty.
func settingsListed(t *testing.T, page, section string) (names []string) {
	t.Helper()
	text := read(t, page)
	if section != "" {
		_, text, _ = strings.Cut(text, "\n## "+section+"\n")
		text, _, _ = strings.Cut(text, "\n## ")
	}
	for _, row := range settingRow.FindAllStringSubmatch(text, -1) {
		names = append(names, row[1])
	}
	return names
}

// settingsRead returns the settings of a function's table, in its order, without Lambda's own, which have no Doc.
func settingsRead(t *testing.T, file string) (names []string) {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		row, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		fields := map[string]ast.Expr{}
		for _, element := range row.Elts {
			if pair, ok := element.(*ast.KeyValueExpr); ok {
				fields[fmt.Sprint(pair.Key)] = pair.Value
			}
		}
		if name, ok := fields["Name"].(*ast.BasicLit); ok && fields["Doc"] != nil {
			names = append(names, strings.Trim(name.Value, `"`))
		}
		return true
	})
	return names
}

// TestSettingsAreDocumented: a page lists what a function reads, in the same order, and nothing else.
func TestSettingsAreDocumented(t *testing.T) {
	for _, f := range []struct{ file, page, section string }{
		{"cmd/handler/settings.go", "doc/settings.md", ""},
		{"cmd/connect/settings.go", "doc/keepout.md", ""},
		{"cmd/receive/settings.go", "doc/doors.md", "Settings"},
		{"cmd/poll/settings.go", "doc/doors.md", "Settings of the poll"},
	} {
		listed, read := settingsListed(t, f.page, f.section), settingsRead(t, f.file)
		if len(read) < 3 || !slices.Equal(listed, read) {
			t.Errorf("%s lists %q, and %s reads %q", f.page, listed, f.file, read)
		}
	}
}

// TestSettingsAgree: the template sets what a function's document lists, and nothing else.
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
		for _, name := range settingsListed(t, f.document, "") {
			known[name] = true
		}
		if len(known) < 3 {
			t.Fatalf("%s lists only %v", f.document, known)
		}
		for name := range variables(t, f.resource) {
			if !known[name] && !strings.Contains(read(t, f.document), "`"+name+"`") {
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
