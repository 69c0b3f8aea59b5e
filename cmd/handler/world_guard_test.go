package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policy"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// list returns the keep-out list, without faults.
func (w *world) list(client *http.Client) *ledger.Table {
	return ledger.New(aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String("http://aws.test"), HTTPClient: client,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}, keepOutTable)
}

// atOnce answers requests for items of the cloud's table from a copy of it, in the goroutine that asks.
//
// The emulator asks a connect handler whenever somebody looks, often while others wait for a lock. The bubble's clock
// does not move meanwhile, so the handler's calls take no time. They suffer no faults. One request is asked at a time.
type atOnce struct {
	cloud  *emulator.Cloud
	items  []json.RawMessage // which mirror copies
	mirror *emulator.Cloud
}

func (a *atOnce) RoundTrip(r *http.Request) (*http.Response, error) {
	items := a.cloud.Items(keepOutTable)
	same := func(x, y json.RawMessage) bool { return bytes.Equal(x, y) }
	if a.mirror == nil || !slices.EqualFunc(items, a.items, same) {
		a.items, a.mirror = items, mirrorOf(items)
	}
	answer := httptest.NewRecorder()
	a.mirror.ServeHTTP(answer, r)
	return answer.Result(), nil
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

// guard puts a client connect handler before the endpoints at home, which denies as cmd/connect does: everybody who is
// on the keep-out list.
func (w *world) guard() {
	rules := w.policy()
	list := w.list(&http.Client{Transport: &atOnce{cloud: w.cloud}})
	w.guarded = true
	w.cloud.ConnectHandler = func(ctx context.Context, request []byte) ([]byte, error) {
		var r struct {
			Username   string `json:"username"`
			CommonName string `json:"common-name"`
			EndpointID string `json:"endpoint-id"`
		}
		if err := json.Unmarshal(request, &r); err != nil {
			return nil, err
		}
		known, err := list.Recall(ctx, ledger.Query{
			People: rules.Keys(r.Username, r.CommonName), Names: policy.NamesOf(r.Username, r.CommonName),
		})
		if err != nil {
			return nil, err
		}
		var entries []ledger.Entry
		for _, a := range known.People {
			entries = append(entries, a.Entries...)
		}
		entries = slices.DeleteFunc(entries, func(e ledger.Entry) bool {
			return !rules.Holds(policy.Listed{Person: e.Person, Names: e.Names, Known: e.Known, CommonNames: e.CommonNames},
				r.Username, r.CommonName) || !rules.HoldsOn(e.Issuer, r.EndpointID)
		})
		return fmt.Appendf(nil, `{"allow":%t,"error-msg-on-denied-connection":"","posture-compliance-statuses":[],`+
			`"schema-version":"v3"}`, len(entries) == 0), nil
	}
}

// settleGuard holds at the end that nobody on the list can connect, under any spelling, and that everybody else can.
// Nobody has connected while on the list, unless an event reinstated the person at some time.
func (w *world) settleGuard(out map[string]bool) {
	for _, person := range people {
		w.settleDoor(saml, person, out[person])
		if w.tenants {
			w.settleDoor(daughter, person, out[ofDaughter(person)])
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.connections() {
		owner := w.owner(c)
		since, known := w.outSince(owner)
		if isUp(c) && c.EndpointID != abroad && known && out[owner] && c.EstablishedAt.After(since) {
			w.broke("%s is on the list since %v, and has connected: %+v", owner, since, c)
		}
	}
}

// outSince returns when a person was on the list at the latest, by the first event that is done. It is not known of a
// person who was reinstated at any time.
func (w *world) outSince(person string) (since time.Time, known bool) {
	for _, e := range w.events {
		for name, about := range e.people {
			switch {
			case e.asks == forNone && (about == person || e.issuer == "" && about == bare(person)):
				return time.Time{}, false
			case about != person:
			case e.asks == forEnd && !e.doneAt.IsZero() && !e.held[name] && len(w.told[e.id][name]) > 0:
				if at := e.doneAt.Add(timeout); !known || at.Before(since) {
					since, known = at, true
				}
			}
		}
	}
	return since, known
}

// settleDoor holds that the person connects to the endpoint under every name, unless kept out.
func (w *world) settleDoor(endpointID, person string, out bool) {
	for _, name := range spellings(person) {
		id, in := w.cloud.Attempt(emulator.Client{EndpointID: endpointID, Username: name})
		if in == out {
			w.broke("%s connects to %s as %s: %t; is on the list: %t", person, endpointID, name, in, out)
		}
		if in {
			w.cloud.Disconnect(id)
		}
	}
}
