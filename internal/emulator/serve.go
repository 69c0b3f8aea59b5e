package emulator

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"hash/crc32"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// ServeHTTP answers one request of a Query API (EC2, SNS), of a JSON API (identity store, DynamoDB) or of S3.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	form, err := readRequest(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a := c.handle(form)
	if function, is := a.document.(invocationOf); is {
		a.document = function.run() // without the lock: the function may call the cloud
	}
	c.send(w, r, a)
}

// readRequest returns the members of a request in the form of the Query APIs: with Action and Version.
func readRequest(r *http.Request) (url.Values, error) {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return parseJSON(r.Body, target)
	}
	if isS3(r) {
		return parseS3(r)
	}
	if isInvoke(r) {
		return parseInvoke(r)
	}
	err := r.ParseForm()
	return r.Form, err
}

// response is what a service answers to one request, and what spoils that.
type response struct {
	service   *service
	document  any
	requestID string
	status    int
	fault     Fault
}

// encode returns the answer's body.
func (a *response) encode() []byte {
	if o, is := a.document.(objectAnswer); is {
		return o.body
	}
	if a.status == http.StatusNotModified {
		return nil
	}
	if a.service.json() {
		body, err := json.Marshal(a.document)
		if err != nil {
			panic(err) // the documents are ours, and encode
		}
		return body
	}
	body, err := xml.Marshal(a.document)
	if err != nil {
		panic(err) // the documents are ours, and encode
	}
	return append([]byte(xml.Header), body...)
}

// send writes an answer. It does not hold the state, so a slow answer does not hold up other requests.
func (c *Cloud) send(w http.ResponseWriter, r *http.Request, a response) {
	body := a.encode()
	half := body[:len(body)/2]
	header := w.Header()
	if a.service == dynamoDB {
		// The SDKs check the body against it (DynamoDB Developer Guide, low-level API).
		header.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10))
	}
	latency := c.Latency
	if a.service == dynamoDB && c.TableLatency > 0 {
		latency = c.TableLatency
	}
	if wait(r.Context(), latency+a.fault.Delay) != nil || a.fault.Drop {
		panic(http.ErrAbortHandler)
	}
	switch {
	case a.fault.Reset:
		reset(w)
		return
	case a.fault.Truncate:
		body = half
	case a.fault.Empty:
		body = nil
	}
	header.Set("Content-Type", a.service.contentType)
	if f, is := a.document.(functionRefusal); is {
		header.Set("X-Amzn-Errortype", f.code)
	}
	if o, is := a.document.(objectAnswer); is {
		for name, value := range o.header {
			header.Set(name, value)
		}
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	// The SDKs read the id of a request that succeeded from here, not from the document.
	header.Set("x-amzn-requestid", a.requestID)
	w.WriteHeader(a.status)
	if a.fault.Cut {
		w.Write(half)                             // an error means that the client has gone,
		_ = http.NewResponseController(w).Flush() // here too
		panic(http.ErrAbortHandler)
	}
	w.Write(body) // an error means that the client has gone
}

// reset closes the connection without an answer. On TCP the client sees a reset instead of an end.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err) // net/http's own connections can all be hijacked
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // an error means that the client has gone
	}
	conn.Close()
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
