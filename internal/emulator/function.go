package emulator

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	functionName = "clientvpn-responder"
	maxAnswer    = 6<<20 + 100 // bytes (Lambda Developer Guide, quotas; the Runtime Interface Emulator adds the 100)
)

// Function is a Lambda function's binary, started and driven through the Runtime API. It can be used from several
// goroutines.
// Source: Lambda Developer Guide, Using the Lambda runtime API for custom runtimes.
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

// Start runs the binary with env, a full environment of K=V, to which it adds the variables that Lambda sets where they
// are absent. It waits until the function asks for its first invocation. If the process exits before, the error
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
	vars := variables(env)
	vars["AWS_LAMBDA_RUNTIME_API"] = strings.TrimPrefix(url, "http://")
	region := vars["AWS_REGION"]
	f.arn = fmt.Sprintf("arn:%s:lambda:%s:111122223333:function:%s", partition(region), region, functionName)
	if err := f.run(binary, vars); err != nil {
		stop()
		return nil, fmt.Errorf("starting the function: %w", err)
	}
	select {
	case <-f.ready:
		return f, nil
	case <-f.exited:
		logs := f.Logs()
		last := logs[max(0, len(logs)-4096):]
		err = fmt.Errorf("starting %s: exited before its first invocation: %w\n%s", binary, f.exit, last)
	case <-ctx.Done():
		err = fmt.Errorf("starting %s: waiting for its first request for work: %w", binary, ctx.Err())
	}
	f.Close()
	return nil, err
}

// variables returns the environment of a function: env, and what Lambda sets where env does not.
func variables(env []string) map[string]string {
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
	return vars
}

// run starts the process.
func (f *Function) run(binary string, vars map[string]string) error {
	f.cmd = exec.Command(binary)
	for _, k := range slices.Sorted(maps.Keys(vars)) {
		f.cmd.Env = append(f.cmd.Env, k+"="+vars[k])
	}
	f.cmd.Stdout, f.cmd.Stderr = (*logWriter)(f), (*logWriter)(f)
	f.cmd.WaitDelay = time.Second // a child of the function must not hold the output open for ever
	f.started = time.Now()
	if err := f.cmd.Start(); err != nil {
		return err
	}
	close(f.begun)
	go func() {
		if f.exit = f.cmd.Wait(); f.exit == nil {
			f.exit = errors.New("exit status 0")
		}
		close(f.exited)
	}()
	return nil
}

// Invoke sends the function one event and waits for its answer. A second call waits for the first. The function gets
// the deadline of ctx, and without one 60 seconds from now. When the deadline passes or ctx is cancelled, the process
// is killed, as Lambda does. An error means that there is no answer; it wraps the [exec.ExitError] of a process that
// died, or the error of ctx. As with Lambda, a panic is an answer with a Failure, and only the next call finds that
// the process has gone.
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
	return f.await(ctx, inv)
}

// await offers an invocation to the function until it is accepted, and waits for its answer.
func (f *Function) await(ctx context.Context, inv *invocation) (Answer, error) {
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
