package house

import (
	"bufio"
	"cmp"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "rewrite the lists of exceptions, which may only shrink")

const limitsFile = ".ci/limits.txt"

// limit is the largest size of one kind, in code and in tests.
type limit struct{ code, test int }

var limits = map[string]limit{
	"function":   {40, 60},   // lines of the body, without comments and without the rows of tables
	"file":       {250, 600}, // lines
	"wide":       {0, 0},     // lines of a file that are wider than maxColumns
	"parameters": {5, 5},
	"results":    {3, 3},
}

const (
	maxColumns = 120
	tableRows  = 4 // A literal of at least so many rows is a table.
)

// excess is something above its limit: what is measured, where, and its size.
type excess struct {
	kind, where string
	size        int
}

func (e excess) over() int {
	l := limits[e.kind]
	if strings.Contains(e.where, "_test.go") {
		return e.size - l.test
	}
	return e.size - l.code
}

func (e excess) String() string { return fmt.Sprintf("%s %s %d", e.kind, e.where, e.size) }

// group is a kind within a package and those below it. Code may move within it.
func (e excess) group() string {
	parts := strings.SplitN(path.Dir(e.where), "/", 3)
	return e.kind + " in " + strings.Join(parts[:min(2, len(parts))], "/")
}

// TestLimits compares the code with the limits and their exceptions: in no package may more be above a limit than is
// listed. With -update it takes off the list what is within the limits.
func TestLimits(t *testing.T) {
	var found []excess
	for _, files := range packages(t) {
		for _, file := range files {
			found = append(found, measure(t, file)...)
		}
	}
	slices.SortFunc(found, func(a, b excess) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.where, b.where)) })
	listed := readLimits(t)
	grown := map[string]int{}
	for _, e := range listed {
		grown[e.group()] -= e.over()
	}
	for _, e := range found {
		grown[e.group()] += e.over()
	}
	for _, e := range found {
		old, ok := listed[e.kind+" "+e.where]
		if grown[e.group()] > 0 && (!ok || e.size > old.size) {
			t.Errorf("%s %s is %d; the limit is %d in code and %d in tests", e.kind, e.where, e.size, limits[e.kind].code, limits[e.kind].test)
		}
	}
	if *update && !t.Failed() {
		writeLimits(t, found)
		return
	}
	for key := range listed {
		if !slices.ContainsFunc(found, func(e excess) bool { return key == e.kind+" "+e.where }) {
			t.Logf("%s is within its limit now, or gone; run go test . -run TestLimits -update", key)
		}
	}
}

// readLimits returns the listed exceptions by kind and place.
func readLimits(t *testing.T) map[string]excess {
	t.Helper()
	listed := map[string]excess{}
	for line := range strings.Lines(read(t, limitsFile)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Fields(line)
		size, err := strconv.Atoi(fields[len(fields)-1])
		if _, known := limits[fields[0]]; len(fields) != 3 || err != nil || !known {
			t.Fatalf("%s: %q is not a kind, a place and a size", limitsFile, line)
		}
		key := fields[0] + " " + fields[1]
		if old, twice := listed[key]; !twice || size > old.size {
			listed[key] = excess{fields[0], fields[1], size}
		}
	}
	return listed
}

// writeLimits writes what was found as the new exceptions.
func writeLimits(t *testing.T, found []excess) {
	t.Helper()
	var text strings.Builder
	text.WriteString("# What is above the limits of limits_test.go: kind, place, size. It may only shrink:\n" +
		"# go test . -run TestLimits -update\n")
	for _, e := range found {
		fmt.Fprintln(&text, e)
	}
	if err := os.WriteFile(limitsFile, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// measure returns what is above a limit in one file.
func measure(t *testing.T, file string) []excess {
	t.Helper()
	var found []excess
	add := func(kind, where string, size int) {
		if e := (excess{kind, where, size}); e.over() > 0 {
			found = append(found, e)
		}
	}
	source := read(t, file)
	lines, wide := 0, 0
	for scanner := bufio.NewScanner(strings.NewReader(source)); scanner.Scan(); lines++ {
		if utf8.RuneCountInString(scanner.Text()) > maxColumns {
			wide++
		}
	}
	add("file", file, lines)
	add("wide", file, wide)
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, file, source, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, declaration := range tree.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok || function.Body == nil {
			continue
		}
		where := place(file, function)
		add("function", where, bodyLines(set, tree, function))
		add("parameters", where, function.Type.Params.NumFields())
		add("results", where, function.Type.Results.NumFields())
	}
	return found
}

// place names a function by its package, so that it may move to another file: internal/vpn.VPN.Search.
func place(file string, function *ast.FuncDecl) string {
	name := function.Name.Name
	if function.Recv != nil {
		receiver := function.Recv.List[0].Type
		if star, ok := receiver.(*ast.StarExpr); ok {
			receiver = star.X
		}
		if generic, ok := receiver.(*ast.IndexExpr); ok {
			receiver = generic.X
		}
		if ident, ok := receiver.(*ast.Ident); ok {
			name = ident.Name + "." + name
		}
	}
	if strings.HasSuffix(file, "_test.go") {
		return path.Dir(file) + "/_test.go." + name
	}
	return path.Dir(file) + "." + name
}

// bodyLines counts the lines between a function's braces, without those of comments and of tables.
func bodyLines(set *token.FileSet, tree *ast.File, function *ast.FuncDecl) int {
	line := func(p token.Pos) int { return set.Position(p).Line }
	first, last := line(function.Body.Lbrace)+1, line(function.Body.Rbrace)-1
	skip := map[int]bool{}
	code := map[int]bool{}
	ast.Inspect(function.Body, func(n ast.Node) bool {
		if n == nil {
			return false
		}
		code[line(n.Pos())], code[line(n.End()-1)] = true, true
		if literal, ok := n.(*ast.CompositeLit); ok && rows(set, literal) >= tableRows {
			for i := line(literal.Lbrace) + 1; i < line(literal.Rbrace); i++ {
				skip[i] = true
			}
		}
		return true
	})
	for _, group := range tree.Comments {
		for i := line(group.Pos()); i <= line(group.End()); i++ {
			skip[i] = skip[i] || !code[i]
		}
	}
	count := 0
	for i := first; i <= last; i++ {
		if !skip[i] {
			count++
		}
	}
	return count
}

// rows counts the elements of a literal that begin on lines of their own.
func rows(set *token.FileSet, literal *ast.CompositeLit) int {
	lines := map[int]bool{}
	for _, element := range literal.Elts {
		lines[set.Position(element.Pos()).Line] = true
	}
	return len(lines)
}
