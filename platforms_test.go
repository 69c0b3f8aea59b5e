package house

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// newerMake matches what GNU make 3.81 does not know, which macOS has.
// Source: GNU make, NEWS of 3.82 to 4.4.
var newerMake = regexp.MustCompile(`(?m)^\.(?:ONESHELL|RECIPEPREFIX|SHELLFLAGS|EXTRA_PREREQS|WAIT)|` +
	`^[A-Z_]+ *(?:!=|::+=)|^define \w+ *[:+?]?=|\$\((?:file|guile|intcmp|let) |^(?:undefine|private|load) |&:|` +
	`\$\(MAKE\).* (?:--(?:eval|trace|output-sync|shuffle|jobserver-style)|-[EO])\b`)

// TestNewerMakeAndBashAreRecognized in what they are written as.
func TestNewerMakeAndBashAreRecognized(t *testing.T) {
	for _, line := range []string{
		".ONESHELL:", ".SHELLFLAGS := -ec", "REVISION != git describe", "NAME ::= x", "NAME :::= x", "define step =",
		"define step :=", "all: $(file > list,$(ALL))", "undefine NAME", "a b &: c", "\t$(MAKE) -O all",
		"\t$(MAKE) --output-sync=line all",
		"x: $(let a,b,$(a))", "load plug.so", ".EXTRA_PREREQS = x", "x: .WAIT y\n.WAIT:",
	} {
		if !newerMake.MatchString(line) {
			t.Errorf("make 3.81 does not know %q", line)
		}
	}
	for _, line := range []string{
		"declare -A seen", "mapfile -t lines", "readarray lines", "echo ${name,,}", "echo ${name^^}", "echo ${name@Q}",
		"make &>> log", "make |& tee log", "wait -n", "ls **/x", "printf '%(%F)T'", "coproc cat", ";;& ",
	} {
		if !newerBash.MatchString(line) {
			t.Errorf("bash 3.2 does not know %q", line)
		}
	}
}

// TestMakefileNeedsNoNewerMake than the one of macOS, 3.81.
func TestMakefileNeedsNoNewerMake(t *testing.T) {
	makefile := read(t, "Makefile")
	if found := newerMake.FindString(makefile); found != "" {
		t.Errorf("make 3.81 does not know %q", found)
	}
	// That make runs a command without a shell if it sees no need for one, and then finds no builtin of the shell.
	lookup := regexp.MustCompile(`\$\(shell command -v [^()]*(?:\([^()]*\))?[^()]*\)`)
	for _, m := range lookup.FindAllString(makefile, -1) {
		if !strings.Contains(m, ">") {
			t.Errorf("make 3.81 looks for a program named command in %s; redirect something", m)
		}
	}
}

// newerBash matches what bash 3.2 does not know, which macOS has. Source: GNU bash, CHANGES of 4.0 to 5.2.
var newerBash = regexp.MustCompile(`declare -[gA]|\b(?:mapfile|readarray|coproc)\b|\$\{\w+(?:,,|\^\^|@[A-Z])|` +
	`&>>|\|&|;;?&|wait -n|\*\*/|printf '%\(`)

// TestScriptsNeedNoNewerBash than the one of macOS, 3.2. An empty array counts as unset there.
func TestScriptsNeedNoNewerBash(t *testing.T) {
	for _, file := range []string{"Makefile", filepath.Join(".ci", "run")} {
		script := read(t, file)
		if found := newerBash.FindString(script); found != "" {
			t.Errorf("%s: bash 3.2 does not know %q", file, found)
		}
	}
}

// TestOlderGoFetchesItsToolchain: nothing pins the installed one, so that a Go from 1.21 on fetches the one of go.mod.
func TestOlderGoFetchesItsToolchain(t *testing.T) {
	if strings.Contains(read(t, "Makefile"), "GOTOOLCHAIN") {
		t.Error("the Makefile sets GOTOOLCHAIN")
	}
}

// TestEachPageSaysWhoNeedsIt, in its first sentence.
func TestEachPageSaysWhoNeedsIt(t *testing.T) {
	pages, err := filepath.Glob("doc/*.md")
	if err != nil || len(pages) < 15 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, page := range pages {
		_, text, _ := strings.Cut(read(t, page), "\n\n")
		if !strings.HasPrefix(text, "You need this page ") {
			t.Errorf("%s does not begin with who needs it: %.60q", page, text)
		}
	}
}
