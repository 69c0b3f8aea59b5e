package keepout_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
)

var server struct {
	sync.Once
	url, why string
	process  *exec.Cmd
}

func TestMain(m *testing.M) {
	code := m.Run()
	if server.process != nil {
		_ = server.process.Process.Kill()
		_ = server.process.Wait()
	}
	os.Exit(code)
}

// moto gives the URL of moto's server on loopback, which is started once. Where Python has no moto, the test is skipped, except
// in CI, where that is a failure.
func moto(t *testing.T) string {
	t.Helper()
	server.Do(startMoto)
	switch {
	case server.why == "":
	case os.Getenv("CI") == "true":
		t.Fatal(server.why)
	default:
		t.Skip(server.why)
	}
	return server.url
}

func startMoto() {
	server.why = "NOT TESTED AGAINST ANOTHER DYNAMODB: neither .tools/venv nor python3 has moto; make .tools/venv/done installs it"
	for _, python := range []string{filepath.Join("..", "..", ".tools", "venv", "bin", "python"), "python3"} {
		if exec.Command(python, "-c", "import moto.server").Run() != nil {
			continue
		}
		process := exec.Command(python, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0")
		output, err := process.StderrPipe()
		if err == nil {
			err = process.Start()
		}
		if err != nil {
			server.why = "moto does not start: " + err.Error()
			return
		}
		server.process = process
		running := regexp.MustCompile(`Running on (http://127\.0\.0\.1:\d+)`)
		for said := bufio.NewScanner(output); said.Scan(); {
			if m := running.FindStringSubmatch(said.Text()); m != nil {
				server.url, server.why = m[1], ""
				go func() {
					for said.Scan() { // or it would stop when the pipe is full
					}
				}()
				return
			}
		}
		server.why = "moto does not start"
		return
	}
}
