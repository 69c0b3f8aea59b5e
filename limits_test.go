package house

import (
	"bufio"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strings"
	"testing"
	"unicode/utf8"
)

var lengths = exceptions{
	file: ".ci/limits.txt", test: "TestLimits", strict: true,
	limits: map[string]limit{
		"function":   {40, 60},   // lines of the body, without comments and without the rows of tables
		"file":       {250, 600}, // lines
		"wide":       {0, 0},     // lines of a file that are wider than maxColumns
		"parameters": {5, 5},
		"results":    {3, 3},
	},
}

const (
	maxColumns = 120
	tableRows  = 4 // A literal of at least so many rows is a table.
)

// TestLimits compares the code with the limits and their exceptions.
func TestLimits(t *testing.T) {
	var found []excess
	for _, files := range packages(t) {
		for _, file := range files {
			found = append(found, measure(t, file)...)
		}
	}
	lengths.hint = func(kind string) string {
		return fmt.Sprintf("the limit is %d in code and %d in tests", lengths.limits[kind].code, lengths.limits[kind].test)
	}
	lengths.hold(t, found)
}

// measure returns what is above a limit in one file.
func measure(t *testing.T, file string) []excess {
	t.Helper()
	var found []excess
	add := func(kind, where string, size int) {
		if e := (excess{kind, where, size}); lengths.over(e) > 0 {
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
