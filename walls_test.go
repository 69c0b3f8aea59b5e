package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
)

// pureFiles of internal/responder hold the rules. They can be audited without knowing that there is a network.
var pureFiles = []string{
	"states.go", "screen.go", "verdict.go", "facts.go", "case.go", "cases.go",
	"progress.go", "reports.go", "due.go", "problem.go", "objection.go",
}

// TestRulesKnowNoNetwork: the files that decide what happens to a case import no context.
func TestRulesKnowNoNetwork(t *testing.T) {
	for _, file := range pureFiles {
		if slices.Contains(imports(t, "internal/responder/"+file), "context") {
			t.Errorf("internal/responder/%s imports context, but is pure", file)
		}
	}
}

// TestOneFileTerminates: what can make the function terminate somebody is found in one place.
func TestOneFileTerminates(t *testing.T) {
	var callers []string
	for folder, files := range packages(t) {
		for _, file := range files {
			if folder != "internal/vpn" && !strings.HasSuffix(file, "_test.go") && len(calls(t, file, "", "Terminate")) > 0 {
				callers = append(callers, file)
			}
		}
	}
	if !slices.Equal(callers, []string{"internal/responder/executor.go"}) {
		t.Errorf("vpn.Terminate is called in %q", callers)
	}
}

// TestClockEntersInOneFile: everything else in internal/responder receives the time.
func TestClockEntersInOneFile(t *testing.T) {
	for _, file := range packages(t)["internal/responder"] {
		if strings.HasSuffix(file, "_test.go") || path.Base(file) == "pursue.go" {
			continue
		}
		for _, name := range []string{"Now", "Since", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Sleep"} {
			for _, at := range calls(t, file, "time", name) {
				t.Errorf("%s: time.%s; the clock enters in pursue.go", at, name)
			}
		}
	}
}

// calls returns where a file calls x.name; any x if x is empty.
func calls(t *testing.T, file, x, name string) []string {
	t.Helper()
	positions := token.NewFileSet()
	parsed, err := parser.ParseFile(positions, file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for node := range ast.Preorder(parsed) {
		call, isCall := node.(*ast.CallExpr)
		if !isCall {
			continue
		}
		selector, isSelector := call.Fun.(*ast.SelectorExpr)
		if !isSelector || selector.Sel.Name != name {
			continue
		}
		if of, ok := selector.X.(*ast.Ident); x == "" || ok && of.Name == x {
			found = append(found, positions.Position(call.Pos()).String())
		}
	}
	return found
}
