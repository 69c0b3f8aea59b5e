package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
)

func answer(allow bool, message string) []byte {
	return fmt.Appendf(nil, `{"allow":%t,"error-msg-on-denied-connection":%q,`+
		`"posture-compliance-statuses":[],"schema-version":"v3"}`, allow, message)
}

// listHandler denies everybody who is in a table of the cloud, and keeps the requests.
type listHandler struct {
	t        *testing.T
	api      jsonAPI
	requests []string
}

func (h *listHandler) decide(_ context.Context, request []byte) ([]byte, error) {
	h.requests = append(h.requests, string(request))
	var who struct{ Username string }
	if err := json.Unmarshal(request, &who); err != nil {
		return nil, err
	}
	_, found, _ := h.api.post(h.t, "GetItem", `{"TableName":"list","Key":{"person":{"S":"`+who.Username+`"}}}`)
	return answer(found == "{}", "not today"), nil
}

func (h *listHandler) last() string { return h.requests[len(h.requests)-1] }

// TestConnectHandlerDecides: the handler alone decides about everybody who comes back or connects. It reads a table of
// the same cloud while others look.
func TestConnectHandlerDecides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Cloud{Latency: 20 * time.Millisecond}
		c.AddTable("list", "person")
		c.AddEndpoint(Endpoint{ID: endpointA})
		api, list := bubbleAPI(t, c), newJSONAPI(t, c, dynamoTarget)
		handler := &listHandler{t: t, api: list}
		c.ConnectHandler = handler.decide
		for _, k := range []Client{{Username: "ann", Reconnects: 2}, {Username: "bob", Reconnects: 1}} {
			k.EndpointID, k.CommonName, k.ReconnectAfter = endpointA, k.Username+".laptop", 2*time.Second
			if _, err := api.endID(t.Context(), endpointA, c.Connect(k)); err != nil {
				t.Fatal(err)
			}
		}
		if len(handler.requests) != 0 {
			t.Errorf("Connect asks: %s", handler.requests)
		}
		list.run(t, jsonType10, []exchange{{"PutItem", `{"TableName":"list","Item":{"person":{"S":"ann"}}}`, "{}"}})
		time.Sleep(time.Minute)
		var looks sync.WaitGroup
		for range 3 { // as others look
			looks.Go(func() {
				all, err := api.connections(t.Context(), endpointA)
				if err != nil || len(all) != 3 || *all[2].Username != "bob" {
					t.Errorf("%v %+v", err, all)
				}
			})
		}
		looks.Wait()
		handler.check(c)
		if id, established := c.Attempt(Client{EndpointID: endpointA, Username: "ann"}); established || id != "" {
			t.Error("ann is in")
		}
		id, established := c.Attempt(Client{EndpointID: endpointA, Username: "carol"})
		all := c.Connections()
		if k := all[len(all)-1]; !established || k.ID != id || k.Status != active || !strings.Contains(handler.last(), id) {
			t.Errorf("carol: %s %+v %s", id, k, handler.requests)
		}
	})
}

// check holds what the handler was asked, and whom it denied, against what is wanted.
func (h *listHandler) check(c *Cloud) {
	h.t.Helper()
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	var refused []string
	for _, r := range c.Refused() {
		at := r.At.Sub(start).Round(time.Second)
		refused = append(refused, fmt.Sprint(r.Username, " ", r.Reason, " ", r.Message, " ", r.Err, " ", at))
	}
	// Denied at its first attempt, it tries once more.
	want := []string{"ann client-connect-failed not today <nil> 2s", "ann client-connect-failed not today <nil> 4s"}
	if diff := cmp.Diff(want, refused); diff != "" {
		h.t.Error(diff)
	}
	if len(h.requests) != 3 || !slices.ContainsFunc(h.requests, func(r string) bool {
		_, rest, _ := strings.Cut(r, `"endpoint-id"`)
		return rest == `:"`+endpointA+`","common-name":"ann.laptop","username":"ann","platform":"linux",`+
			`"platform-version":"6.8","public-ip":"203.0.113.7","client-openvpn-version":"2.6.12",`+
			`"aws-client-version":"5.3.0","groups":[],"schema-version":"v3"}`
	}) {
		h.t.Errorf("asked %q", h.requests)
	}
}

// TestConnectHandlerFailsClosed: only a sound yes allows.
func TestConnectHandlerFailsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Cloud{}
		c.AddEndpoint(Endpoint{ID: endpointA})
		long := strings.Repeat("ü", 256)
		const invalid = "handler-invalid-response"
		without := func(part string) string { return strings.Replace(string(answer(true, "")), part, "", 1) }
		with := func(part, by string) string { return strings.Replace(string(answer(true, "")), part, by, 1) }
		for _, test := range []struct {
			answer string
			err    error
			reason string // after client-connect-; empty for allowed
		}{
			{answer: string(answer(true, ""))},
			{answer: strings.Replace(string(answer(true, long[:510])), "v3", "v2", 1)},
			{answer: string(answer(false, "")), reason: "failed"},
			{err: errors.New("no such function"), reason: "handler-other-execution-error"},
			{answer: "wait", reason: "handler-timed-out"},
			{answer: "", reason: invalid},
			{answer: `{"allow":true}`, reason: invalid},
			{answer: without(`"allow":true,`), reason: invalid},
			{answer: with(`true`, `"true"`), reason: invalid},
			{answer: without(`"posture-compliance-statuses":[],`), reason: invalid},
			{answer: with(`"v3"`, `"v1"`), reason: invalid},
			{answer: with(`[]`, `["`+long+`"]`), reason: invalid},
			{answer: string(answer(true, long)), reason: invalid},
		} {
			c.ConnectHandler = func(ctx context.Context, _ []byte) ([]byte, error) {
				if test.answer == "wait" {
					<-ctx.Done()
				}
				return []byte(test.answer), test.err
			}
			start, before := time.Now(), len(c.Refused())
			_, established := c.Attempt(Client{EndpointID: endpointA, Username: "ann"})
			refused := c.Refused()[before:]
			switch {
			case test.reason == "" && (!established || len(refused) != 0):
				t.Errorf("%s is denied: %+v", test.answer, refused)
			case test.reason != "" && (established || len(refused) != 1 ||
				refused[0].Reason != "client-connect-"+test.reason || refused[0].Message == ""):
				t.Errorf("%s %v: %t %+v, want %s", test.answer, test.err, established, refused, test.reason)
			case test.answer == "wait" && time.Since(start) != 30*time.Second:
				t.Errorf("given up after %s", time.Since(start))
			}
		}
	})
}

// TestEndpointsSayWhetherTheyAsk: an endpoint says whether it has a handler. One without lets everybody in.
func TestEndpointsSayWhetherTheyAsk(t *testing.T) {
	c := &Cloud{ConnectHandler: func(context.Context, []byte) ([]byte, error) { return answer(false, ""), nil }}
	c.AddEndpoint(Endpoint{ID: endpointA})
	c.AddEndpoint(Endpoint{ID: endpointB, NoConnectHandler: true})
	api := bubbleAPI(t, c)
	for _, id := range []string{endpointA, endpointB} {
		_, in := c.Attempt(Client{EndpointID: id, Username: "ann"})
		all, err := api.endpoints(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		asks, options := id == endpointA, all[0].ClientConnectOptions
		applied := options.Status != nil && options.Status.Code == "applied"
		const handler = "arn:aws:lambda:eu-west-1:111122223333:function:AWSClientVPN-handler"
		if in == asks || *options.Enabled != asks || asks != applied ||
			asks != (aws.ToString(options.LambdaFunctionArn) == handler) {
			t.Errorf("%s: %+v, let in: %t", id, options, in)
		}
	}
}
