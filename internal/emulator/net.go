package emulator

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// HTTPClient returns an HTTP client and a function that closes its connections. Every connection reaches h in memory,
// without a socket, whatever the host and scheme of the URL. Both ends of a connection belong to the [testing/synctest]
// bubble that it was made in, and nothing is left running there after close.
func HTTPClient(h http.Handler) (client *http.Client, close func()) {
	l := &pipes{dialled: make(chan net.Conn), closed: make(chan struct{})}
	stop := serve(l, h)
	// There is no TLS for https: what this dialler returns counts as past the handshake.
	t := &http.Transport{DialContext: l.dial, DialTLSContext: l.dial, MaxIdleConnsPerHost: 64}
	return &http.Client{Transport: settled{t}}, func() {
		t.CloseIdleConnections()
		stop()
	}
}

// settled sends requests with a body of its own. The AWS SDK for Go closes the body as soon as the answer's header has
// arrived. What net/http then reads from that body (smithy-go answers io.EOF to WriteTo) looks like a failure to send.
// So net/http closes the connection before the rest of the answer. This happens only when answers take microseconds.
type settled struct{ http.RoundTripper }

func (s settled) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		var err error
		if r, err = buffered(r); err != nil {
			return nil, err
		}
	}
	return s.RoundTripper.RoundTrip(r)
}

// buffered returns the request with its whole body in memory.
func buffered(r *http.Request) (*http.Request, error) {
	body, err := io.ReadAll(r.Body)
	r.Body.Close()
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return r, nil
}

// Serve listens on a free port of 127.0.0.1 and returns its URL, and a function that ends listener and connections. It
// waits a millisecond between a request and its answer. Without that the AWS SDK for Go often loses the connection and
// tries again. Tests that count calls use [HTTPClient], with which that never happens.
func Serve(h http.Handler) (url string, close func(), err error) {
	return listen(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, err := buffered(r)
		if err != nil || wait(r.Context(), time.Millisecond) != nil {
			panic(http.ErrAbortHandler)
		}
		h.ServeHTTP(w, r)
	}))
}

func listen(h http.Handler) (url string, close func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	return "http://" + l.Addr().String(), serve(l, h), nil
}

// serve answers on l until stop is called. stop returns when everything has ended.
func serve(l net.Listener, h http.Handler) (stop func()) {
	var running sync.WaitGroup
	s := &http.Server{Handler: h, ConnState: func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew: // in the goroutine of Serve, so before it returns
			running.Add(1)
		case http.StateClosed, http.StateHijacked:
			running.Done()
		}
	}}
	served := make(chan struct{})
	go func() {
		_ = s.Serve(l) // always returns ErrServerClosed
		close(served)
	}()
	return func() {
		s.Close()
		<-served
		s.Close() // a connection that was being accepted meanwhile
		running.Wait()
	}
}

// pipes is a listener that accepts what is dialled in memory.
type pipes struct {
	dialled chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.dialled <- far:
		return near, nil
	case <-p.closed:
		return nil, errors.New("emulator: dialled after close")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case far := <-p.dialled:
		return far, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "emulator" }
