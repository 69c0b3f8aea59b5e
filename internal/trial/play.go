package trial

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/schema"
)

// played is what one event led to in a company of its own.
type played struct {
	file     string
	raw      []byte
	explain  []Explanation
	answer   emulator.Answer
	outcomes []Outcome
	result   result
	calls    map[string]int
	mails    []emulator.Message
	nothing  string // why the event asks for nothing, from the function's log
	listings int    // DescribeClientVpnConnections before the first termination; those after it verify
}

// play sends one event through the binary, in a company of its own.
func play(ctx context.Context, binary, policyFile, mode, file string) (*played, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the event: %w", err)
	}
	rules, err := policy.Load(policyFile)
	if err != nil {
		return nil, err
	}
	p := &played{file: file, raw: raw, calls: map[string]int{}}
	p.explain = decideEvent(rules, policy.Enforce, goldenName(file), raw, EventTime(raw))

	s, err := newStage(ctx, NewCompany(), binary, policyFile, mode)
	if err != nil {
		return nil, err
	}
	defer s.close()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if p.answer, err = s.function.Invoke(ctx, MoveToNow(raw)); err != nil {
		return nil, err
	}
	s.function.Close() // which completes its log
	p.readLog(s.function.Logs())
	p.readConnections(s.cloud)
	p.countCalls(s.cloud)
	return p, errors.Join(p.readAnswer(), p.readMessages(s.cloud))
}

// readLog finds out why the event asked for nothing.
func (p *played) readLog(log []byte) {
	for line := range bytes.Lines(log) {
		var entry struct{ Message, Why string }
		if json.Unmarshal(line, &entry) == nil && entry.Message == "nothing to do" {
			p.nothing = entry.Why
		}
	}
}

// readAnswer reads the outcomes; each must be as its schema says.
func (p *played) readAnswer() error {
	p.result.Outcomes = []told{}
	if p.answer.Failure != nil {
		p.result.Error = p.answer.Failure.Type + ": " + p.answer.Failure.Message
		return nil
	}
	var answer struct {
		Outcomes []json.RawMessage `json:"outcomes"`
	}
	if err := json.Unmarshal(p.answer.Payload, &answer); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	for _, raw := range answer.Outcomes {
		var o Outcome
		if err := errors.Join(json.Unmarshal(raw, &o), schema.Check(raw)); err != nil {
			return fmt.Errorf("reading an outcome: %w", err)
		}
		p.outcomes = append(p.outcomes, o)
		p.result.Outcomes = append(p.result.Outcomes, o.brief())
	}
	return nil
}

// brief returns what a golden has of the outcome: nothing that changes from run to run.
func (o Outcome) brief() told {
	t := told{Status: o.Status, Summary: timestamp.ReplaceAllString(o.Summary, "(time)")}
	for _, c := range o.Connections {
		t.Connections = append(t.Connections, c.String())
	}
	for _, c := range o.Spared {
		t.Spared = append(t.Spared, c.String())
	}
	return t
}

// readMessages reads what was published; the JSON must be as its schema says.
func (p *played) readMessages(cloud *emulator.Cloud) error {
	p.result.Published = []string{}
	for _, m := range cloud.Published() {
		switch m.TopicARN {
		case topic:
			p.result.Published = append(p.result.Published, m.Subject)
			if err := schema.Check([]byte(m.Body)); err != nil {
				return fmt.Errorf("reading a message: %w", err)
			}
		case mail:
			p.mails = append(p.mails, m)
		}
	}
	slices.Sort(p.result.Published) // they are sent side by side
	slices.SortFunc(p.mails, func(a, b emulator.Message) int { return strings.Compare(a.Subject, b.Subject) })
	return nil
}

// readConnections notes who is up, and who tried to reconnect and was denied.
func (p *played) readConnections(cloud *emulator.Cloud) {
	p.result.StillUp = []string{}
	for _, r := range cloud.Refused() {
		who := EndpointName(r.EndpointID) + " " + person(r.Username, r.CommonName)
		if !slices.Contains(p.result.Refused, who) { // some try again and again
			p.result.Refused = append(p.result.Refused, who)
		}
	}
	for _, c := range cloud.Connections() {
		// Mallory's client connects again and again, and may be up by now or not.
		if c.EndedAt.IsZero() && c.Username != "mallory" {
			p.result.StillUp = append(p.result.StillUp, EndpointName(c.EndpointID)+" "+person(c.Username, c.CommonName))
		}
	}
}

func (p *played) countCalls(cloud *emulator.Cloud) {
	for _, c := range cloud.Calls() {
		p.calls[c.Action]++
		if p.calls["TerminateClientVpnConnections"] == 0 {
			p.listings = p.calls["DescribeClientVpnConnections"]
		}
	}
}
