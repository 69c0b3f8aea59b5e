package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/notify"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/vpn"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// instance is a process of the function.
type instance struct {
	h      *handler
	ctx    context.Context
	kill   func()
	broken bool // its policy cannot be read
}

// start returns a new instance. After kill no call of it reaches anybody, as if the process were dead.
func (w *world) start(broken bool) *instance {
	i := &instance{broken: broken}
	client := w.network(i)
	calls := &notify.Calls{}
	cfg := aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String("http://aws.test"), Retryer: retryer,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient:  &http.Client{Transport: client.Transport, Timeout: 10 * time.Second},
	}
	cfg.APIOptions = append(cfg.APIOptions, calls.Count)
	topics := notify.Topics{JSON: mustParse(w.t, topic)}
	if w.mail {
		topics.Text = mustParse(w.t, text)
	}
	i.h = &handler{
		log: slog.New(slog.DiscardHandler), calls: calls, reporter: notify.New(cfg, topics, notify.Place{}),
		responder: responder.Responder{VPN: w.vpn(cfg), Mode: policy.Enforce, Watch: w.watch},
	}
	if w.dryRun {
		i.h.responder.Mode = policy.DryRun
	}
	w.attachLedger(i, cfg, client)
	w.attachBrake(i, cfg)
	if broken {
		i.h.responder.PolicyError = errors.New("policy.yaml:1:1: unreadable")
	} else {
		i.h.responder.Policy = w.policy()
	}
	return i
}

// network connects an instance with the clouds of all accounts, until it is killed.
func (w *world) network(i *instance) *http.Client {
	accounts := emulator.Accounts{Home: w.cloud}
	if w.other != nil {
		accounts.Others = []*emulator.Cloud{w.other}
		if !w.closed {
			accounts.Roles = map[string]string{memberRole: ""}
		}
	}
	client, stop := emulator.HTTPClient(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			w.t.Error(err)
		}
		if i.broken && r.Form.Get("Action") == "TerminateClientVpnConnections" {
			w.broke("asked to end somebody without a policy: %v", r.Form)
		}
		accounts.ServeHTTP(rw, r)
	}))
	var cancel func()
	i.ctx, cancel = context.WithCancel(w.t.Context())
	i.kill = sync.OnceFunc(func() {
		cancel()
		stop()
	})
	w.mu.Lock()
	w.stops = append(w.stops, i.kill)
	w.mu.Unlock()
	return client
}

// vpn returns the VPN of all accounts, discovered or with the endpoints that the settings list.
func (w *world) vpn(cfg aws.Config) *vpn.VPN {
	var targets []target
	if w.other != nil {
		targets = []target{{mustParse(w.t, memberRole), "us-east-1"}}
	}
	v := vpn.New(cfg, nil, otherAccounts(cfg, settings{targets: targets})...)
	if w.given {
		v.EndpointIDs = []string{saml, ad, certs}
		if w.other != nil {
			v.EndpointIDs = append(v.EndpointIDs, abroad)
		}
		if w.tenants {
			v.EndpointIDs = append(v.EndpointIDs, daughter)
		}
	}
	return v
}

// attachLedger adds to an instance what remembers: the table, or the process alone.
func (w *world) attachLedger(i *instance, cfg aws.Config, client *http.Client) {
	i.h.ledger = ledger.InProcess()
	if w.keepOut {
		listCfg := cfg.Copy()
		listCfg.HTTPClient = &http.Client{Transport: client.Transport, Timeout: time.Second} // as wire has it
		i.h.ledger = ledger.New(listCfg, keepOutTable)
		i.h.responder.KeepOut = i.h.ledger
	}
}

// deliver hands messages to an instance, as Lambda does, and settles what it answers within the time. It returns the
// ids of the messages that failed.
func (w *world) deliver(i *instance, batch []*message, within time.Duration) (failed []string) {
	began := time.Now()
	var records []events.SQSMessage
	var ids []string
	for _, m := range batch {
		records = append(records, events.SQSMessage{MessageId: m.id, EventSource: "aws:sqs", Body: m.body})
		ids = append(ids, m.id)
	}
	w.note("%p gets %q", i, ids)
	w.readPublished()
	w.mu.Lock()
	before := maps.Clone(w.told)
	w.mu.Unlock()
	payload, err := json.Marshal(events.SQSEvent{Records: records})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(i.ctx, within)
	defer cancel()
	land := w.depart(batch)
	answer, err := i.h.handle(ctx, payload)
	land()
	if late := time.Since(began); late > within {
		w.broke("answered after %v", late)
	}
	dead := i.ctx.Err() != nil
	if err != nil && !dead {
		w.broke("a batch of the queue's had the error %v", err)
	}
	failed = ids
	if response, ok := answer.(events.SQSEventResponse); ok && !dead {
		failed = nil
		for _, f := range response.BatchItemFailures {
			failed = append(failed, f.ItemIdentifier)
		}
	}
	w.note("%p answers that %q failed; dead: %t", i, failed, dead)
	w.readPublished()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !dead && !i.broken {
		w.holdEffort(batch, began)
	}
	for _, m := range batch {
		switch {
		case m.done: // by another instance, that had it at the same time
		case !slices.Contains(failed, m.id):
			w.succeeded(m, began, before)
		default:
			w.noteHeld(m.event) // for some of its people; it failed for others
			if !dead && !w.excused(m, i, began) {
				w.broke("%s failed without a cause", m.id)
			}
			if m.receives >= maxReceives {
				m.done = true
				w.dead = append(w.dead, m)
			}
		}
	}
	return failed
}

// succeeded: a message that was answered has an outcome for each person, unless it asks for none.
func (w *world) succeeded(m *message, began time.Time, before map[string]map[string][]string) {
	id := m.event.id
	m.done, m.doneAt, m.away = true, began, map[string]bool{}
	if m.firstDone.IsZero() {
		m.firstDone = time.Now()
	}
	for name := range m.people {
		m.away[name] = slices.Contains(w.told[id][name][len(before[id][name]):], "reconnecting")
	}
	switch m.asks {
	case poison:
		w.broke("%s was taken for read", m.id)
		return
	case forNone, foreign:
		return
	}
	isHeld := w.noteHeld(m.event)
	for name := range m.people {
		if m.event.held[name] {
			continue // one message speaks for all
		}
		if len(w.told[id][name]) == 0 {
			w.broke("%s is done, and no outcome of %q was published", m.id, name)
		}
	}
	if m.asks == forSweep || isHeld {
		return // people need not hear of it
	}
	if n := w.texts[strings.TrimSuffix(id, " replayed")]; w.mail && !m.onlyAsks() && n < len(m.people) {
		w.broke("%s is done, and of %d outcomes %d texts were published", m.id, len(m.people), n)
	}
}

// excused reports whether there is a cause for a message to fail.
func (w *world) excused(m *message, i *instance, began time.Time) bool {
	for _, person := range m.people {
		if w.stubborn[person] || m.asks == forSweep && len(w.stubborn) > 0 {
			return true
		}
	}
	for _, c := range w.connections() {
		if w.stubborn[c.ID] && w.means(m.event, c) {
			return true
		}
	}
	return m.asks == poison || i.broken || !w.troubleAt.Before(began)
}
