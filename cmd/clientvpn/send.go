package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/report"
)

// done are the statuses with which nothing is left to do, whatever was asked for.
var done = []string{"terminated", "not-connected", "ready"}

// send passes the request to the deployed function and prints the outcomes. It fails unless all is done.
func (t *tool) send(ctx context.Context, r request) error {
	s, err := t.open(ctx)
	if err != nil {
		return err
	}
	event, err := r.event(time.Now())
	if err != nil {
		return err
	}
	progress := t.Progress("Waiting for the outcome", 0)
	answer, err := s.Invoke(ctx, event)
	progress.Stop()
	if err != nil {
		return err
	}
	outcomes, err := readOutcomes(answer)
	if t.json {
		t.Print("%s", answer)
	}
	if err != nil {
		return err
	}
	undone := 0
	for _, o := range outcomes {
		if !t.json {
			t.printOutcome(o)
		}
		if !r.isDone(o.Status) {
			undone++
		}
	}
	if undone > 0 {
		return fmt.Errorf("%d of %d outcomes are not what was asked for", undone, len(outcomes))
	}
	return nil
}

// isDone reports whether an outcome is what the request asks for.
func (r request) isDone(status string) bool {
	switch status {
	case "would-terminate":
		return r.dryRun
	case "notified": // and nobody was cut off
		return r.detailType != cutOff
	}
	return slices.Contains(done, status)
}

func readOutcomes(answer []byte) ([]report.Outcome, error) {
	var read struct{ Outcomes []report.Outcome }
	if err := json.Unmarshal(answer, &read); err != nil || len(read.Outcomes) == 0 {
		return nil, errors.New("the function answered without an outcome; its log says why")
	}
	return read.Outcomes, nil
}

func (t *tool) printOutcome(o report.Outcome) {
	t.Item(t.In(statusStyle(o.Status), strings.ToUpper(o.Status))+"  ", console.Safe(o.Summary))
	for _, c := range o.Connections {
		line := fmt.Sprintf("%s of %s on %s: %s", c.ConnectionID, c.Who(), c.Where(), c.CurrentStatus)
		t.Item("  ", console.Safe(line))
	}
	for _, c := range o.Spared {
		t.Item("  ", console.Safe(fmt.Sprintf("spared %s of %s on %s: %s", c.ConnectionID, c.Who(), c.Where(), c.Reason)))
	}
	if reasons := o.Reasons(); len(reasons) > 0 {
		t.Item("  because ", console.Safe(strings.Join(policy.Words(reasons), "; ")))
	}
	for i, step := range o.LeftToDo {
		t.Item(fmt.Sprintf("  %d. ", i+1), console.Safe(step))
	}
}

func statusStyle(status string) console.Style {
	switch status {
	case "terminated", "ready":
		return console.Green
	case "failed", "partial", "unverified", "reconnecting", "not-ready":
		return console.Red
	}
	return console.Yellow
}

// printJSON prints one object on a line.
func (t *tool) printJSON(object any) error {
	line, err := json.Marshal(object)
	if err != nil {
		return fmt.Errorf("printing JSON: %w", err)
	}
	t.Print("%s", line)
	return nil
}
