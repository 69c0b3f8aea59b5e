package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"clientvpn-responder/internal/connect"
	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/ledger"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// list returns the keep-out list. It asks once, without a pause.
func (w *world) list(client *http.Client) *ledger.Table {
	return ledger.New(aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String("http://aws.test"), HTTPClient: client,
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}, keepOutTable)
}

// door is the client connect handler before the endpoints at home, and what the model knows of its answers. The list
// cannot always be read.
//
// The emulator asks the handler whenever somebody looks, often while others wait for a lock. The bubble's clock does
// not move meanwhile, so the handler's calls take no time. They read a copy of the table, in the goroutine that asks.
// The handler answers one request at a time.
type door struct {
	handler connect.Handler
	log     bytes.Buffer
	cloud   *emulator.Cloud
	items   []json.RawMessage // which mirror copies
	mirror  *emulator.Cloud

	mu     sync.Mutex
	r      *rand.Rand
	fronts []front         // times in which the list cannot be read
	calm   bool            // from now on it can
	spoilt bool            // a read of the present request was spoilt
	blind  map[string]bool // connections that were allowed as the list could not be read
}

// unreadable are the faults of the list. One without a name breaks the answer off.
var unreadable = []emulator.Fault{
	{Code: "InternalServerError", Status: 500}, {Code: "ThrottlingException"}, {Code: "AccessDeniedException"},
	{Code: "ResourceNotFoundException"}, {Truncate: true}, {Empty: true}, {Drop: true}, {Delay: time.Hour},
}

// guard puts the client connect handler before the endpoints at home.
func (w *world) guard() {
	d := &door{cloud: w.cloud, r: rand.New(rand.NewPCG(0, 0)), blind: map[string]bool{}}
	d.handler = connect.Handler{
		Log: slog.New(slog.NewJSONHandler(&d.log, nil)), Policy: w.policy(), List: w.list(&http.Client{Transport: d}),
		Allow: true, Message: "not at present", Limit: 3 * time.Second,
	}
	w.guarded, w.door = true, d
	w.cloud.ConnectHandler = func(ctx context.Context, request []byte) ([]byte, error) {
		return w.askDoor(ctx, request)
	}
}

// askDoor asks the handler, and holds that a list that cannot be read allows, that the log says so, and that nothing
// else is undecided.
func (w *world) askDoor(ctx context.Context, request []byte) ([]byte, error) {
	d := w.door
	d.mu.Lock()
	defer d.mu.Unlock()
	d.spoilt = false
	d.log.Reset()
	raw, err := d.handler.Invoke(ctx, request)
	var asked struct {
		ID string `json:"connection-id"`
	}
	var answer struct{ Allow bool }
	var line struct{ Level, Decision, Error string }
	if wrong := errors.Join(err, json.Unmarshal(request, &asked), json.Unmarshal(raw, &answer),
		json.Unmarshal(d.log.Bytes(), &line)); wrong != nil {
		w.broke("the connect handler answers %s: %v; %s", raw, wrong, d.log.Bytes())
	}
	undecided := line.Decision == "undecided" && line.Level == "ERROR" && line.Error != ""
	switch {
	case d.spoilt && (!answer.Allow || !undecided):
		w.broke("the list could not be read for %s, and the connect handler answers %s and logs %s",
			request, raw, d.log.Bytes())
	case d.spoilt:
		d.blind[asked.ID] = true
	case line.Level == "ERROR":
		w.broke("the list could be read for %s, and the connect handler logs %s", request, d.log.Bytes())
	}
	return raw, err
}

// isBlind reports whether the connection was allowed as the list could not be read.
func (d *door) isBlind(connectionID string) bool {
	if d == nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.blind[connectionID]
}

// clear ends the times in which the list cannot be read. It returns how many connections were allowed in them.
func (d *door) clear() int {
	if d == nil {
		return 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calm = true
	return len(d.blind)
}

// RoundTrip answers a request for items of the list.
func (d *door) RoundTrip(r *http.Request) (*http.Response, error) {
	items := d.cloud.Items(keepOutTable)
	same := func(x, y json.RawMessage) bool { return bytes.Equal(x, y) }
	if d.mirror == nil || !slices.EqualFunc(items, d.items, same) {
		d.items, d.mirror = items, mirrorOf(items)
	}
	switch fault, spoilt := d.fault(); {
	case !spoilt:
	case fault.Drop:
		return nil, errors.New("the connection was reset")
	case fault.Delay > 0:
		return nil, context.DeadlineExceeded
	default:
		fault.Times = 1
		d.mirror.Inject(fault)
	}
	answer := httptest.NewRecorder()
	d.mirror.ServeHTTP(answer, r)
	return answer.Result(), nil
}

// fault returns what is wrong with the list at present.
func (d *door) fault() (emulator.Fault, bool) {
	now := time.Now()
	for _, f := range d.fronts {
		if !d.calm && now.After(f.from) && now.Before(f.to) && d.r.Float64() < f.chance {
			d.spoilt = true
			return pick(d.r, f.faults), true
		}
	}
	return emulator.Fault{}, false
}

// mirrorOf returns a cloud with the items in its table.
func mirrorOf(items []json.RawMessage) *emulator.Cloud {
	mirror := &emulator.Cloud{}
	mirror.AddTable(keepOutTable, "id")
	for _, item := range items {
		body := fmt.Sprintf(`{"TableName":%q,"Item":%s}`, keepOutTable, item)
		put := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		put.Header.Set("X-Amz-Target", "DynamoDB_20120810.PutItem")
		mirror.ServeHTTP(httptest.NewRecorder(), put)
	}
	return mirror
}
