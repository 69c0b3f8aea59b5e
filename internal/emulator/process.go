package emulator

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// Logs returns what the process has written to its standard output and error so far.
func (f *Function) Logs() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return bytes.Clone(f.logs.Bytes())
}

// Ready returns the time from the start of the process to its first request for work.
func (f *Function) Ready() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.toReady
}

// MaxRSS returns the most memory that the process has held so far, in bytes. After the process has ended, the figure is
// from its last request to the Runtime API or from Close. It is 0 on systems without /proc.
func (f *Function) MaxRSS() int64 {
	f.sampleRSS()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rss
}

// sampleRSS reads VmHWM. The resource usage that wait returns would include, on Linux, what the parent held when it
// forked.
func (f *Function) sampleRSS() {
	select {
	case <-f.exited: // its number may belong to another process now
		return
	default:
	}
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", f.cmd.Process.Pid))
	_, rest, found := bytes.Cut(text, []byte("\nVmHWM:"))
	if fields := bytes.Fields(rest); found && len(fields) > 0 {
		kib, _ := strconv.ParseInt(string(fields[0]), 10, 64)
		f.mu.Lock()
		f.rss = max(f.rss, kib<<10)
		f.mu.Unlock()
	}
}

type logWriter Function

func (w *logWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.logs.Write(p)
}
