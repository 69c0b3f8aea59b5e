package trial

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/policy"
)

// pollBinary is the poll of Microsoft Graph, beside the handler.
const pollBinary = "poll"

// polled shows what happens to somebody who is disabled in Entra. The poll sees it a minute later, and the responder
// cuts the person off. It fails if anything goes another way.
func polled(ctx context.Context, out *console.Console, binary, policyFile string) error {
	stage, err := newStage(ctx, NewCompany(), binary, policyFile, string(policy.Enforce))
	if err != nil {
		return err
	}
	defer stage.close()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	t, err := newTenant(ctx, stage, filepath.Join(filepath.Dir(binary), pollBinary))
	if err != nil {
		return err
	}
	defer t.close()
	s := &scene{stage: stage, out: out}
	out.Print("\n%s", out.In(console.Bold, "Somebody is disabled in Entra, which a function asks every minute."))
	if err := t.play(ctx, s); err != nil {
		return err
	}
	if len(s.wrong) > 0 {
		return fmt.Errorf("the poll went another way: %s", strings.Join(s.wrong, "; "))
	}
	return nil
}

// tenant is the stand-in's Entra with the function that asks it.
type tenant struct {
	graph *emulator.Graph
	queue string
	poll  *emulator.Function
	stops []func()
}

func (t *tenant) close() {
	for _, stop := range t.stops {
		stop()
	}
}

// newTenant starts the poll between a tenant and the cloud of the stage.
func newTenant(ctx context.Context, s *stage, binary string) (*tenant, error) {
	t := &tenant{graph: &emulator.Graph{}, queue: "vpn-events"}
	for i, name := range []string{"alice@example.com", "malice@example.com"} {
		id := fmt.Sprintf("aaaaaaaa-0000-4000-8000-%012d", i+1)
		t.graph.AddGraphUser(emulator.GraphUser{ID: id, Name: name})
	}
	graph, stopGraph, err := emulator.Serve(t.graph)
	if err != nil {
		return nil, err
	}
	t.stops = append(t.stops, stopGraph)
	aws, stopAWS, err := emulator.Serve(s.cloud)
	if err != nil {
		t.close()
		return nil, err
	}
	t.stops = append(t.stops, stopAWS)
	t.poll, err = emulator.Start(ctx, binary, []string{
		"AWS_ENDPOINT_URL=" + aws, "AWS_REGION=" + Region, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"EVENT_QUEUE_URL=" + s.cloud.AddQueue(t.queue), "LEDGER_TABLE=" + Table, "GRAPH_URL=" + graph, "LOGIN_URL=" + graph,
		"ENTRA_TENANT_ID=" + emulator.DefaultTenant, "ENTRA_CLIENT_ID=" + emulator.DefaultClient,
	})
	if err != nil {
		t.close()
		return nil, err
	}
	t.stops = append(t.stops, func() { t.poll.Close() })
	return t, nil
}

// play has an administrator disable somebody between two polls.
func (t *tenant) play(ctx context.Context, s *scene) error {
	if err := t.ask(ctx, s, "the poll of Microsoft Graph began anew"); err != nil {
		return err
	}
	s.tell("an administrator disables alice@example.com in Entra", "alice")
	t.graph.SetEnabled("aaaaaaaa-0000-4000-8000-000000000001", false)
	return t.ask(ctx, s, "TERMINATED  4 VPN connections of alice@example.com ended")
}

// ask polls once, and has the responder answer what is in the queue then. The first outcome must have the words.
func (t *tenant) ask(ctx context.Context, s *scene, want string) error {
	before := len(s.cloud.Queued(t.queue))
	answer, err := t.poll.Invoke(ctx, []byte(`{}`))
	if err != nil {
		return err
	}
	if answer.Failure != nil {
		return fmt.Errorf("%s: %s", answer.Failure.Type, answer.Failure.Message)
	}
	for i, m := range s.cloud.Queued(t.queue)[before:] {
		if i > 0 {
			want = "NOT-CONNECTED" // the audit log reports it, too
		}
		s.out.Print("  polled   event %d", before+i+1)
		if err := s.answers(ctx, []byte(m.Body), want); err != nil {
			return err
		}
	}
	if len(s.cloud.Queued(t.queue)) == before {
		s.wrong = append(s.wrong, "the poll found nothing")
	}
	return nil
}
