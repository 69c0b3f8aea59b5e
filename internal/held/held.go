// Package held keeps the events that the brake holds, with their bytes, in an SQS queue, until a person releases or
// drops them.
//
// It promises that an event is in one of the two queues at every moment. A release sends an event to the queue of
// events before it deletes it here. A drop deletes only the ruling's events.
package held

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Queue is the queue of held events, and the one that they came from. It may be used by several goroutines.
type Queue struct {
	api          sqs
	held, events string
}

// New returns the queue with the URL held, whose events go back to the queue with the URL events.
func New(cfg aws.Config, held, events string) *Queue {
	return &Queue{newSQS(cfg), held, events}
}

// Event is one that is held.
type Event struct {
	Body   string
	Lane   string   // the brake that holds it
	People []string // the people that it is about
}

// Bundle is a message with several events that were released together, each with its own bytes.
type Bundle struct {
	Events []string `json:"clientvpn-released-events"`
}

// Release is a person's decision that an event may pass, as it travels with the event.
type Release struct {
	Lane       string
	At         time.Time
	By, Reason string
}

// The names of message attributes.
const (
	laneAttribute    = "clientvpn-lane"
	peopleAttribute  = "clientvpn-people"
	releaseAttribute = "clientvpn-release"
)

const (
	// perCall is the most messages of a call, and largestCall the most bytes. Source: Amazon SQS developer guide,
	// message quotas.
	perCall     = 10
	largestCall = 1 << 20
	// perBundle is the most events that are released in one message, and largestBundle the most bytes of them.
	perBundle, largestBundle = 100, 700 << 10
	// hidden is how long a message that was received stays invisible to others, longer than a function runs.
	hidden = 300 // seconds
	// workers is how many calls are made side by side.
	workers = 8
	// emptyAnswers is how many answers without a message say that there are none left. One may be empty by chance.
	emptyAnswers = 3
)

// Hold puts events into the queue, and returns an error for each that SQS has not accepted.
func (q *Queue) Hold(ctx context.Context, events []Event) []error {
	errs := make([]error, len(events))
	for i, e := range events {
		attributes := map[string]attributeValue{laneAttribute: attribute(e.Lane)}
		if people := strings.Join(e.People, "\n"); people != "" && len(e.Body)+len(people) < largestCall/2 {
			attributes[peopleAttribute] = attribute(people)
		}
		errs[i] = q.send(ctx, q.held, []entry{{ID: "0", MessageBody: e.Body, MessageAttributes: attributes}})
	}
	return errs
}

func attribute(value string) attributeValue {
	return attributeValue{DataType: "String", StringValue: value}
}

// send sends messages to a queue. The error says that not all were accepted.
func (q *Queue) send(ctx context.Context, queue string, entries []entry) error {
	output, err := q.api.sendMessageBatch(ctx, &batchInput{QueueURL: queue, Entries: entries})
	switch {
	case err != nil:
		return fmt.Errorf("sending to %s: %w", queue, err)
	case len(output.Failed) > 0:
		f := output.Failed[0]
		return fmt.Errorf("sending to %s: %d of %d refused: %s %s",
			queue, len(output.Failed), len(entries), f.Code, f.Message)
	case len(output.Successful) != len(entries):
		return fmt.Errorf("sending to %s: SQS answered for %d of %d messages", queue, len(output.Successful), len(entries))
	}
	return nil
}

// Selector says which events are meant: those of a lane, of some people, or all.
type Selector struct {
	Lane   string   // empty for every one
	People []string // none for everybody
}

func (s Selector) selects(m message) bool {
	if s.Lane != "" && m.MessageAttributes[laneAttribute].StringValue != s.Lane {
		return false
	}
	if len(s.People) == 0 {
		return true
	}
	people := strings.Split(m.MessageAttributes[peopleAttribute].StringValue, "\n")
	return !slices.ContainsFunc(people, func(p string) bool { return !slices.Contains(s.People, p) })
}

// Release sends the selected events back to the queue of events, and returns how many. It sends many in one message, so
// that one invocation answers many: each searches and watches once.
func (q *Queue) Release(ctx context.Context, s Selector, r Release) (int, error) {
	words := strings.Join([]string{r.Lane, r.At.UTC().Format(time.RFC3339Nano), r.By, r.Reason}, "\n")
	return q.each(ctx, s, func(batch []message) error {
		body := batch[0].Body
		if len(batch) > 1 {
			raw, err := json.Marshal(bundle(batch))
			if err != nil {
				return fmt.Errorf("bundling released events: %w", err)
			}
			body = string(raw)
		}
		return q.send(ctx, q.events, []entry{{
			ID: "0", MessageBody: body,
			MessageAttributes: map[string]attributeValue{releaseAttribute: attribute(words)},
		}})
	})
}

func bundle(batch []message) (b Bundle) {
	for _, m := range batch {
		b.Events = append(b.Events, m.Body)
	}
	return b
}

// ReadRelease reads what Release wrote into a message's attribute of the name [ReleaseAttribute].
func ReadRelease(words string) (Release, bool) {
	parts := strings.SplitN(words, "\n", 4)
	if len(parts) != 4 {
		return Release{}, false
	}
	at, err := time.Parse(time.RFC3339Nano, parts[1])
	return Release{parts[0], at, parts[2], parts[3]}, err == nil
}

// ReleaseAttribute is the name of the message attribute of an event that was released.
const ReleaseAttribute = releaseAttribute

// Drop deletes the selected events, and returns how many.
func (q *Queue) Drop(ctx context.Context, s Selector) (int, error) {
	return q.each(ctx, s, func([]message) error { return nil })
}
