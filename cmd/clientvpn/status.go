package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/report"
	"clientvpn-responder/internal/stack"
	"clientvpn-responder/internal/vpn"

	"github.com/spf13/cobra"
)

// state is what "status" shows of a deployed stack.
type state struct {
	Stack       string            `json:"stack"`
	Region      string            `json:"region"`
	Mode        string            `json:"mode"`
	EventSource string            `json:"event_source"`           // Enabled, or Disabled by "stop"
	SwitchedOff string            `json:"switched_off,omitempty"` // by whom and since when
	SelfTest    report.Outcome    `json:"self_test"`
	Endpoints   []endpoint        `json:"endpoints"`
	Sources     []ledger.Source   `json:"sources"`
	Held        []ledger.Standing `json:"held"`
	Waiting     int               `json:"waiting"`
	DeadLetters int               `json:"dead_letters"`
	Alarms      []stack.Alarm     `json:"alarms"` // in the state ALARM
	AllAlarms   int               `json:"all_alarms"`
}

// endpoint is one of the Region's endpoints, and how it knows its clients.
type endpoint struct {
	ID             string   `json:"endpoint_id"`
	Name           string   `json:"name,omitempty"`
	Carries        []string `json:"carries"`
	ConnectHandler string   `json:"connect_handler,omitempty"`
}

func (t *tool) status() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show whether it is ready, and whatever needs a person", Args: takes(0, 0),
		Long: `Show whether the deployed function is ready, its mode and policy, the endpoints
and whom they carry, when each identity provider was heard last, what the brake
holds, dead letters (events that failed five times) and alarms, each with the
next command. It asks the function for a self-test, which terminates nothing.
The exit code is 1 if something needs a person.`,
		Example: "  clientvpn status",
		RunE: func(command *cobra.Command, _ []string) error {
			s, err := t.open(command.Context())
			if err != nil {
				return err
			}
			progress := t.Progress("Asking the stack", 0)
			known, err := lookAt(command.Context(), s)
			progress.Stop()
			if err != nil {
				return err
			}
			if t.json {
				err = t.printJSON(known)
			} else {
				t.printState(known)
			}
			if n := len(known.needs()); err == nil && n > 0 {
				return fmt.Errorf("%s", plural(n, "1 thing needs a person", "%d things need a person"))
			}
			return err
		},
	}
}

// lookAt asks for everything side by side.
func lookAt(ctx context.Context, s *stack.Stack) (state, error) {
	known := state{Stack: s.Name, Region: s.Config.Region}
	table, err := ledgerOf(s)
	if err != nil {
		return known, err
	}
	questions := []func() error{
		func() (err error) { known.Mode, err = modeOf(ctx, s); return err },
		func() (err error) { known.SwitchedOff, err = switchedOff(ctx, table); return err },
		func() (err error) { known.SelfTest, err = selfTest(ctx, s); return err },
		func() (err error) { known.Endpoints, err = endpointsOf(ctx, s); return err },
		func() (err error) { known.Sources, err = table.AllSources(ctx); return err },
		func() (err error) { known.Held, err = holding(ctx, table); return err },
		func() (err error) { known.Waiting, err = s.Depth(ctx, "QueueUrl"); return err },
		func() (err error) { known.DeadLetters, err = s.Depth(ctx, "DeadLetterQueueUrl"); return err },
		func() (err error) { known.EventSource, err = eventSource(ctx, s); return err },
		func() (err error) { known.Alarms, known.AllAlarms, err = sounding(ctx, s); return err },
	}
	errs := make([]error, len(questions))
	var wait sync.WaitGroup
	for i, ask := range questions {
		wait.Go(func() { errs[i] = ask() })
	}
	wait.Wait()
	if err := cmp.Or(errs...); err != nil {
		return known, stack.InOneSentence(err)
	}
	return known, nil
}

// switchedOff says by whom and since when everything is switched off; empty if it is on.
func switchedOff(ctx context.Context, table *ledger.Table) (string, error) {
	off, err := table.ReadSwitch(ctx)
	if err != nil || !off.Off {
		return "", err
	}
	return off.String(), nil
}

func eventSource(ctx context.Context, s *stack.Stack) (string, error) {
	source, err := s.Source(ctx)
	return source.State, err
}

// sounding returns the alarms in the state ALARM, and how many there are in all.
func sounding(ctx context.Context, s *stack.Stack) (loud []stack.Alarm, all int, err error) {
	alarms, err := s.Alarms(ctx)
	for _, a := range alarms {
		if a.State == "ALARM" {
			loud = append(loud, a)
		}
	}
	return loud, len(alarms), err
}

func modeOf(ctx context.Context, s *stack.Stack) (string, error) {
	settings, err := s.Settings(ctx)
	return cmp.Or(settings["MODE"], "dry-run"), err
}

func selfTest(ctx context.Context, s *stack.Stack) (report.Outcome, error) {
	event, err := request{detailType: "Self Test", reason: "status", by: asker()}.event(time.Now())
	if err != nil {
		return report.Outcome{}, err
	}
	answer, err := s.Invoke(ctx, event)
	if err != nil {
		return report.Outcome{}, err
	}
	outcomes, err := readOutcomes(answer)
	if err != nil {
		return report.Outcome{}, err
	}
	return outcomes[0], nil
}

// holding returns the brakes that hold somebody.
func holding(ctx context.Context, table *ledger.Table) (held []ledger.Standing, err error) {
	brakes, err := table.Brakes(ctx)
	for _, b := range brakes {
		if !b.Since.IsZero() {
			held = append(held, b)
		}
	}
	return held, err
}

func endpointsOf(ctx context.Context, s *stack.Stack) (all []endpoint, err error) {
	found, err := vpn.New(s.Config, nil).Endpoints(ctx, true)
	if err != nil && !errors.Is(err, vpn.ErrNoEndpoint) {
		return nil, stack.InOneSentence(err)
	}
	for _, e := range found {
		one := endpoint{ID: e.ID, Name: e.DisplayName(), ConnectHandler: e.ConnectHandler}
		for _, a := range e.Authentication {
			one.Carries = append(one.Carries, carries(a))
		}
		all = append(all, one)
	}
	return all, nil
}

// carries says whom an endpoint knows by one of its ways to authenticate.
func carries(a vpn.Authentication) string {
	switch a.Method {
	case vpn.BySAML:
		return "people of the SAML provider " + a.Authority
	case vpn.ByDirectory:
		return "people of the directory " + a.Authority
	case vpn.ByCertificate:
		return "holders of certificates of " + cmp.Or(a.Authority, "its authority")
	}
	return string(a.Method)
}

// needs lists what needs a person.
func (k state) needs() (all []string) {
	if k.SelfTest.Status != "ready" {
		all = append(all, "Not ready: "+cmp.Or(k.SelfTest.Error, k.SelfTest.Summary))
	}
	if k.SwitchedOff != "" {
		all = append(all, "Attention: "+k.SwitchedOff+". Next: clientvpn start")
	}
	if k.EventSource != "Enabled" {
		all = append(all, fmt.Sprintf(`Events wait in the queue (%s). Next: clientvpn start`, k.EventSource))
	}
	for _, b := range k.Held {
		all = append(all, fmt.Sprintf("The brake holds %s of %s. Next: clientvpn held",
			plural(b.Events, "1 event", "%d events"), b.Lane))
	}
	if k.DeadLetters > 0 {
		all = append(all, plural(k.DeadLetters, "1 dead letter", "%d dead letters")+". Next: clientvpn dead")
	}
	for _, a := range k.Alarms {
		all = append(all, "Alarm "+a.Name+": "+cmp.Or(a.Says, a.Reason))
	}
	return all
}

// plural returns the words for one, or the words for several with their number.
func plural(n int, one, several string) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf(several, n)
}
