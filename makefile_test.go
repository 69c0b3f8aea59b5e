package house

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestBuildsPackTheFileOfAliases: wherever the policy is packed, the file that its aliases_file names is, too. A build
// without the file fails, and says which file is missing.
func TestBuildsPackTheFileOfAliases(t *testing.T) {
	makefile, err := filepath.Abs("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ policy, file string }{
		{"version: 1\nidentity:\n  aliases_file: aliases.csv # many\n", "aliases.csv"},
		{"version: 1\nidentity: {domains: [corp.test], aliases_file: 'people.csv'}\n", "people.csv"},
		{"version: 1\nidentity:\n  aliases_file: \"a-1.csv\"\n", "a-1.csv"},
		{"version: 1\nidentity:\n  # aliases_file: aliases.csv\n  domains: [corp.test]\n", ""},
	} {
		for target, folders := range map[string][]string{
			"build-Responder": {"out"}, "build-Connect": {"out"}, "build": {"dist", "dist/connect"},
		} {
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, "out"), 0o700); err != nil {
				t.Fatal(err)
			}
			in := func(name, text string) {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			in("policy.yaml", test.policy)
			// BUILD=true compiles nothing, and CHECK=true checks nothing.
			words := []string{"-s", "-f", makefile, target, "ARTIFACTS_DIR=out", "BUILD=true", "CHECK=true"}
			run := exec.CommandContext(t.Context(), "make", words...)
			run.Dir = dir
			if said, err := run.CombinedOutput(); (err != nil) != (test.file != "") ||
				err != nil && !strings.Contains(string(said), "names the aliases_file "+test.file+", which is not beside it") {
				t.Errorf("%s without %s: %v\n%s", target, test.file, err, said)
			}
			if test.file == "" {
				continue
			}
			in(test.file, "issuer,name,person\n")
			again := exec.CommandContext(t.Context(), "make", words...)
			again.Dir = dir
			if said, err := again.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", target, err, said)
			}
			for _, folder := range folders {
				for _, name := range []string{"policy.yaml", test.file} {
					if _, err := os.Stat(filepath.Join(dir, folder, name)); err != nil {
						t.Errorf("%s: %v", target, err)
					}
				}
			}
		}
	}
}

// TestCtrlCIsNoErrorOfMake, also while the tool is compiled: who ends it knows that it ended.
func TestCtrlCIsNoErrorOfMake(t *testing.T) {
	dir := t.TempDir()
	// This compiler sends Ctrl-C to everything that a terminal would send it to, and so ends by it.
	const compiler = "#!/bin/sh\nkill -INT 0\nexec cat\n"
	if err := os.WriteFile(filepath.Join(dir, "go"), []byte(compiler), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	for _, target := range []string{"run", "serve", "bench", "invoke"} {
		run := exec.CommandContext(t.Context(), "make", target, "EVENT=x")
		run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		// Make itself may lose count of what it waits for, which is not up to the recipe.
		if said, _ := run.CombinedOutput(); strings.Contains(string(said), "*** [") {
			t.Errorf("%s: %s", target, said)
		}
	}
}

// TestCheckCompilesTheToolForEachSystem that a release has, so that no release is the first to find out.
func TestCheckCompilesTheToolForEachSystem(t *testing.T) {
	makefile := read(t, "Makefile")
	platforms := regexp.MustCompile(`(?m)^PLATFORMS := (.*)$`).FindStringSubmatch(makefile)
	checks := regexp.MustCompile(`(?m)^check: .*\bplatforms\b`)
	if platforms == nil || !checks.MatchString(makefile) {
		t.Fatal("make check does not compile the tool for other systems")
	}
	systems := regexp.MustCompile(`\("(\w+)", "\w+"\)`).FindAllStringSubmatch(read(t, ".ci/release.py"), -1)
	for _, m := range systems {
		if m[1] != "linux" && !strings.Contains(platforms[1], m[1]+"/") { // this test is compiled there
			t.Errorf("a release has the tool for %s, and make check does not compile it", m[1])
		}
	}
	if len(systems) < 5 {
		t.Errorf("%d systems", len(systems))
	}
}
