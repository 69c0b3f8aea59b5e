package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

var echo = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "echo")
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "bootstrap")
	return binary, Build(context.Background(), binary, "./testdata/echo")
})

func TestMain(m *testing.M) {
	code := m.Run()
	if binary, err := echo(); err == nil {
		os.RemoveAll(filepath.Dir(binary))
	}
	os.Exit(code)
}

func startEcho(t *testing.T, env ...string) *Function {
	t.Helper()
	binary, err := echo()
	if err != nil {
		t.Fatal(err)
	}
	f, err := Start(t.Context(), binary, append(os.Environ(), env...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestInvokeAnswers(t *testing.T) {
	f := startEcho(t, "AWS_REGION=eu-central-1", "MINE=yes")
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	var ids []string
	for _, say := range []string{"one", "two"} {
		answer, err := f.Invoke(ctx, []byte(`{"Say":"`+say+`"}`))
		if err != nil || answer.Failure != nil {
			t.Fatal(err, answer.Failure)
		}
		var got struct {
			Say, ARN, ID, Name, Region, Mine, Trace string
			Deadline                                int64
		}
		if err := json.Unmarshal(answer.Payload, &got); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, got.ID)
		deadline, _ := ctx.Deadline()
		if got.Say != say || got.ARN != "arn:aws:lambda:eu-central-1:111122223333:function:clientvpn-responder" ||
			got.Name != "clientvpn-responder" || got.Region != "eu-central-1" || got.Mine != "yes" ||
			got.Deadline != deadline.UnixMilli() || !strings.HasPrefix(got.Trace, "Root=1-") {
			t.Errorf("got %+v", got)
		}
		if !regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(got.ID) {
			t.Errorf("request id %q", got.ID)
		}
	}
	if ids[0] == ids[1] {
		t.Error("two invocations have one id")
	}
	if !strings.Contains(string(f.Logs()), "doing") {
		t.Errorf("logs: %q", f.Logs())
	}
	if f.Ready() <= 0 {
		t.Errorf("ready after %v", f.Ready())
	}
	if runtime.GOOS == "linux" && (f.MaxRSS() < 1<<20 || f.MaxRSS() > 1<<30) {
		t.Errorf("max RSS %d", f.MaxRSS())
	}
	before := f.MaxRSS()
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if f.MaxRSS() < before {
		t.Error("max RSS was forgotten at Close")
	}
	if _, err := f.Invoke(t.Context(), []byte(`{}`)); err == nil {
		t.Error("invoked after Close")
	}
}

func TestInvokeFailures(t *testing.T) {
	f := startEcho(t)
	for _, test := range []struct{ event, kind, message string }{
		{`{"Do":"fail","Say":"no"}`, "wrapError", "wrapped: no"},
		{`{"Do":"refuse","Say":"never"}`, "refusedError", "never"},
		{`[`, "errorString", "unexpected EOF"},
		{`{"Do":"large"}`, "Function.ResponseSizeTooLarge",
			"Response payload size exceeded maximum allowed payload size (6291556 bytes)."},
	} {
		answer, err := f.Invoke(t.Context(), []byte(test.event))
		if err != nil {
			t.Fatal(test.event, err)
		}
		if answer.Failure == nil || *answer.Failure != (Failure{test.kind, test.message}) {
			t.Errorf("%s: %+v, %.200s", test.event, answer.Failure, answer.Payload)
		}
	}
}

func TestInvokeReportsDeath(t *testing.T) {
	t.Run("panic", func(t *testing.T) {
		f := startEcho(t)
		answer, err := f.Invoke(t.Context(), []byte(`{"Do":"panic","Say":"at the disco"}`))
		if err != nil || answer.Failure == nil || *answer.Failure != (Failure{"string", "at the disco"}) {
			t.Fatal(err, answer.Failure)
		}
		if _, err = f.Invoke(t.Context(), []byte(`{}`)); !died(err, 1) {
			t.Error(err)
		}
	})
	t.Run("exit", func(t *testing.T) {
		f := startEcho(t)
		_, err := f.Invoke(t.Context(), []byte(`{"Do":"exit"}`))
		if !died(err, 7) || !strings.Contains(err.Error(), "exit status 7") {
			t.Error(err)
		}
	})
	t.Run("deadline", func(t *testing.T) {
		f := startEcho(t)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := f.Invoke(ctx, []byte(`{"Do":"hang"}`)); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if _, err := f.Invoke(t.Context(), []byte(`{}`)); !died(err, -1) {
			t.Error("the process was not killed:", err)
		}
	})
}

func died(err error, code int) bool {
	exit, ok := errors.AsType[*exec.ExitError](err)
	return ok && exit.ExitCode() == code
}

func TestStartReportsExit(t *testing.T) {
	binary, err := echo()
	if err != nil {
		t.Fatal(err)
	}
	f, err := Start(t.Context(), binary, append(os.Environ(), "EXIT_AT_INIT=1"))
	if f != nil || !died(err, 3) || !strings.Contains(err.Error(), "no configuration") {
		t.Error(err)
	}
	if _, err := Start(t.Context(), filepath.Join(t.TempDir(), "none"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Start(ctx, binary, append(os.Environ(), "HANG_AT_INIT=1")); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// TestRuntimeAPIRefusals plays a runtime by hand, to send what aws-lambda-go never sends.
func TestRuntimeAPIRefusals(t *testing.T) {
	f := &Function{begun: make(chan struct{}), ready: make(chan struct{}), exited: make(chan struct{}),
		work: make(chan *invocation), turn: make(chan struct{}, 1)}
	close(f.begun)
	close(f.exited) // there is no process
	f.exit = errors.New("none")
	client, closeClient := HTTPClient(f.api())
	defer closeClient()
	call := func(method, path, body string) (int, string, http.Header) {
		r, _ := http.NewRequest(method, "http://runtime/2018-06-01/runtime/"+path, strings.NewReader(body))
		w, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		text, _ := io.ReadAll(w.Body)
		return w.StatusCode, string(text), w.Header
	}
	expect := func(method, path string, status int, contains string) {
		t.Helper()
		if got, body, _ := call(method, path, "{}"); got != status || !strings.Contains(body, contains) {
			t.Errorf("%s %s: %d %s", method, path, got, body)
		}
	}
	expect("POST", "init/error", 202, `"status":"OK"`)
	expect("POST", "invocation/x/response", 400, `"errorType":"InvalidRequestID"`)
	inv := &invocation{id: "one", payload: []byte("{}"), deadline: time.UnixMilli(1234), answer: make(chan Answer, 1)}
	go func() { f.work <- inv }()
	status, body, h := call("GET", "invocation/next", "")
	if status != 200 || body != "{}" ||
		h.Get("Lambda-Runtime-Aws-Request-Id") != "one" || h.Get("Lambda-Runtime-Deadline-Ms") != "1234" {
		t.Error(status, body, h)
	}
	expect("GET", "invocation/next", 403, `"errorType":"InvalidStateTransition"`)
	expect("POST", "init/error", 403, `"errorType":"InvalidStateTransition"`)
	expect("POST", "invocation/two/error", 400, `"errorType":"InvalidRequestID"`)
	expect("POST", "invocation/one/response", 202, `"status":"OK"`)
	expect("POST", "invocation/one/response", 403, `"errorType":"InvalidStateTransition"`)
	if answer := <-inv.answer; string(answer.Payload) != "{}" {
		t.Error(answer)
	}
}
