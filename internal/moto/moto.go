// Package moto runs AWS services that others wrote for tests: the server of the Python package moto, on loopback.
//
// It promises to skip a test that cannot have it, and to name what is then not tested. In CI this is a failure.
// Nothing of it outlives the tests.
package moto

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
)

// server exits when its standard input closes, which is a pipe from the tests.
const server = `
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from moto.server import main
main(["-H", "127.0.0.1", "-p", "0"])
`

// URL returns the address of the test binary's one server. Instead of is what the tests use otherwise, such as
// "our own SNS".
func URL(t *testing.T, insteadOf string) string {
	t.Helper()
	url, problem := start()
	switch {
	case problem == "":
	case os.Getenv("CI") == "true":
		t.Fatal(problem)
	default:
		t.Skipf("NOT TESTED AGAINST ANYTHING BUT %s: %s", insteadOf, problem)
	}
	return url
}

var start = sync.OnceValues(func() (url, problem string) {
	var python string
	for _, candidate := range []string{filepath.Join("..", "..", ".tools", "venv", "bin", "python"), "python3"} {
		if exec.Command(candidate, "-c", "import moto.server").Run() == nil {
			python = candidate
			break
		}
	}
	if python == "" {
		return "", "neither .tools/venv nor python3 has moto; make .tools/venv/done installs it"
	}
	process := exec.Command(python, "-c", server)
	input, err := process.StdinPipe()
	if err != nil {
		return "", "moto does not start: " + err.Error()
	}
	output, err := process.StderrPipe()
	if err == nil {
		err = process.Start()
	}
	if err != nil {
		return "", "moto does not start: " + err.Error()
	}
	running := regexp.MustCompile(`Running on (http://127\.0\.0\.1:\d+)`)
	said := bufio.NewScanner(output)
	for said.Scan() {
		if m := running.FindStringSubmatch(said.Text()); m != nil {
			go func() {
				for said.Scan() { // or the server would stop when the pipe is full
				}
				input.Close() // not before: the garbage collector closes an unused pipe
			}()
			return m[1], ""
		}
	}
	return "", "moto does not start"
})
