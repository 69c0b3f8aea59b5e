package emulator

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	functionName = "clientvpn-responder"
	maxAnswer    = 6<<20 + 100 // bytes (Lambda Developer Guide, quotas; the Runtime Interface Emulator adds the 100)
)

// Function is a Lambda function's binary, started and driven through the Runtime API (Lambda Developer Guide, Using the
// Lambda runtime API for custom runtimes). It can be used from several goroutines.
type Function struct {
	cmd     *exec.Cmd
	stop    func()
	arn     string
	started time.Time
	begun   chan struct{} // closed once the fields above are set
	ready   chan struct{} // closed at the first request for work
	exited  chan struct{} // closed when the process has ended and its output is complete
	exit    error         // why, once exited is closed
	work    chan *invocation
	turn    chan struct{} // held by the invocation that is under way

	mu      sync.Mutex
	logs    bytes.Buffer
	toReady time.Duration
	rss     int64
	count   int
	current *invocation
}

type invocation struct {
	id       string
	payload  []byte
	deadline time.Time
	answer   chan Answer // takes one
	answered bool
}

// Answer is what the function posted for an invocation.
type Answer struct {
	Payload []byte
	Failure *Failure // non-nil when the function posted an error
}

// Failure is the errorType and errorMessage of a function's error.
type Failure struct{ Type, Message string }

// Start runs the binary with env, a full environment of K=V, to which the variables that Lambda sets are added where
// they are absent. It waits until the function asks for its first invocation. If the process exits before, the error
// wraps the [exec.ExitError] and holds the last 4 KiB that it printed. If ctx ends before, the process is killed;
// afterwards ctx has no effect.
func Start(ctx context.Context, binary string, env []string) (*Function, error) {
	f := &Function{begun: make(chan struct{}), ready: make(chan struct{}), exited: make(chan struct{}),
		work: make(chan *invocation), turn: make(chan struct{}, 1)}
	url, stop, err := listen(f.api())
	if err != nil {
		return nil, fmt.Errorf("serving the runtime API: %w", err)
	}
	f.stop = stop
	vars := map[string]string{ // Lambda Developer Guide, defined runtime environment variables
		"_HANDLER": "bootstrap", "AWS_REGION": "eu-west-1", "AWS_LAMBDA_FUNCTION_NAME": functionName,
		"AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
		"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/" + functionName,
		"AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[$LATEST]" + digest("stream", 0)[:32], "TZ": ":UTC",
	}
	for _, kv := range env {
		k, v, _ := strings.Cut(kv, "=")
		vars[k] = v
	}
	vars["AWS_DEFAULT_REGION"] = cmp.Or(vars["AWS_DEFAULT_REGION"], vars["AWS_REGION"])
	vars["AWS_LAMBDA_RUNTIME_API"] = strings.TrimPrefix(url, "http://")
	f.arn = fmt.Sprintf("arn:%s:lambda:%s:111122223333:function:%s", partition(vars["AWS_REGION"]), vars["AWS_REGION"], functionName)

	f.cmd = exec.Command(binary)
	for _, k := range slices.Sorted(maps.Keys(vars)) {
		f.cmd.Env = append(f.cmd.Env, k+"="+vars[k])
	}
	f.cmd.Stdout, f.cmd.Stderr = (*logWriter)(f), (*logWriter)(f)
	f.cmd.WaitDelay = time.Second // a child of the function must not hold the output open for ever
	f.started = time.Now()
	if err := f.cmd.Start(); err != nil {
		stop()
		return nil, fmt.Errorf("starting the function: %w", err)
	}
	close(f.begun)
	go func() {
		if f.exit = f.cmd.Wait(); f.exit == nil {
			f.exit = errors.New("exit status 0")
		}
		close(f.exited)
	}()
	select {
	case <-f.ready:
		return f, nil
	case <-f.exited:
		logs := f.Logs()
		err = fmt.Errorf("starting %s: exited before its first invocation: %w\n%s", binary, f.exit, logs[max(0, len(logs)-4096):])
	case <-ctx.Done():
		err = fmt.Errorf("starting %s: waiting for its first request for work: %w", binary, ctx.Err())
	}
	f.Close()
	return nil, err
}

// Invoke hands the function one event and waits for its answer; a second call waits for the first. The deadline that the
// function is told is that of ctx, and without one it is 60 seconds from now. When the deadline passes or ctx is
// cancelled the process is killed, as Lambda does. An error means that there is no answer; it wraps the
// [exec.ExitError] of a process that died, or the error of ctx. As with Lambda, a panic is an answer with a Failure, and
// it is the next call that finds the process gone.
func (f *Function) Invoke(ctx context.Context, payload []byte) (Answer, error) {
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return Answer{}, fmt.Errorf("waiting for the invocation before: %w", ctx.Err())
	}
	if err := ctx.Err(); err != nil {
		return Answer{}, fmt.Errorf("invoking: %w", err)
	}
	if _, set := ctx.Deadline(); !set {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 60*time.Second)
		defer cancel()
	}
	inv := &invocation{payload: payload, answer: make(chan Answer, 1)}
	inv.deadline, _ = ctx.Deadline()
	f.mu.Lock()
	f.count++
	inv.id = uuid("invocation", f.count)
	f.mu.Unlock()

	work := f.work
	for {
		select {
		case work <- inv:
			work = nil
		case answer := <-inv.answer:
			return answer, nil
		case <-f.exited:
			select {
			case answer := <-inv.answer: // posted just before
				return answer, nil
			default:
			}
			return Answer{}, fmt.Errorf("invoking: the function's process ended: %w", f.exit)
		case <-ctx.Done():
			f.kill()
			return Answer{}, fmt.Errorf("invoking: the function's process was killed: %w", ctx.Err())
		}
	}
}

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

// MaxRSS returns the most memory that the process has held, in bytes, as of now or, after its end, as of its last request
// to the Runtime API or Close. It is 0 on systems without /proc.
func (f *Function) MaxRSS() (bytes int64) {
	f.sampleRSS()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rss
}

// sampleRSS reads VmHWM instead of the resource usage that wait returns, because that one counts, on Linux, what the
// parent held when it forked.
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

// Close ends the process and the server of its Runtime API. It can be called twice.
func (f *Function) Close() error {
	f.kill()
	f.stop()
	return nil
}

func (f *Function) kill() {
	f.sampleRSS()
	_ = f.cmd.Process.Kill() // an error means that it has ended
	<-f.exited
}

type logWriter Function

func (w *logWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.logs.Write(p)
}

func (f *Function) api() http.Handler {
	mux := http.NewServeMux()
	const base = "/2018-06-01/runtime/"
	mux.HandleFunc("GET "+base+"invocation/next", f.serveNext)
	mux.HandleFunc("POST "+base+"invocation/{id}/response", f.serveAnswer)
	mux.HandleFunc("POST "+base+"invocation/{id}/error", f.serveAnswer)
	mux.HandleFunc("POST "+base+"init/error", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAnswer))
		select {
		case <-f.ready:
			transition(w, "InitError")
		default:
			fmt.Fprintf((*logWriter)(f), "init error: %s\n", body)
			reply(w, http.StatusAccepted, map[string]string{"status": "OK"})
		}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-f.begun
		f.sampleRSS()
		mux.ServeHTTP(w, r)
	})
}

func reply(w http.ResponseWriter, status int, body map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // an error means that the process has gone
}

// The shapes of errors are those of Lambda's Runtime Interface Emulator.
func transition(w http.ResponseWriter, to string) {
	reply(w, http.StatusForbidden, map[string]string{"errorType": "InvalidStateTransition",
		"errorMessage": "Transition to " + to + " is not allowed."})
}

func (f *Function) serveNext(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	select {
	case <-f.ready:
	default:
		f.toReady = time.Since(f.started)
		close(f.ready)
	}
	busy := f.current != nil && !f.current.answered
	f.mu.Unlock()
	if busy {
		transition(w, "Ready")
		return
	}
	select {
	case inv := <-f.work:
		f.mu.Lock()
		f.current = inv
		f.mu.Unlock()
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", f.arn)
		trace := digest("trace "+inv.id, 0)
		h.Set("Lambda-Runtime-Trace-Id", fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", time.Now().Unix(), trace[:24], trace[24:40]))
		w.Write(inv.payload) // an error means that the process has gone
	case <-r.Context().Done():
	}
}

func (f *Function) serveAnswer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAnswer))
	f.mu.Lock()
	defer f.mu.Unlock()
	inv := f.current
	switch {
	case inv == nil || r.PathValue("id") != inv.id:
		reply(w, http.StatusBadRequest, map[string]string{"errorType": "InvalidRequestID", "errorMessage": "Invalid request ID"})
		return
	case inv.answered:
		transition(w, "InvocationResponse")
		return
	}
	answer, status := Answer{Payload: body}, http.StatusAccepted
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		message := fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxAnswer)
		answer, status = Answer{Failure: &Failure{"Function.ResponseSizeTooLarge", message}}, http.StatusRequestEntityTooLarge
	case err != nil:
		return // the process has gone
	case strings.HasSuffix(r.URL.Path, "/error"):
		var posted struct{ ErrorType, ErrorMessage string }
		if json.Unmarshal(body, &posted) != nil {
			posted.ErrorMessage = string(body)
		}
		kind := cmp.Or(posted.ErrorType, r.Header.Get("Lambda-Runtime-Function-Error-Type"))
		answer.Failure = &Failure{kind, posted.ErrorMessage}
	}
	inv.answered = true
	inv.answer <- answer
	if status == http.StatusAccepted {
		reply(w, status, map[string]string{"status": "OK"})
		return
	}
	reply(w, status, map[string]string{"errorType": "RequestEntityTooLarge", "errorMessage": answer.Failure.Message})
}
