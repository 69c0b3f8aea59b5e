package held

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
)

// outcome is what one worker did.
type outcome struct {
	done   int
	others []message // received and left
	err    error
}

// each does something with all selected events and then deletes them here. Others become visible again at the end.
func (q *Queue) each(ctx context.Context, s Selector, do func([]message) error) (int, error) {
	outcomes := make([]outcome, workers)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() { outcomes[w] = q.work(ctx, s, do) })
	}
	group.Wait()
	done, errs := 0, []error{}
	for _, o := range outcomes {
		done += o.done
		errs = append(errs, o.err, q.show(ctx, o.others))
	}
	return done, errors.Join(errs...)
}

// work moves messages until the queue is empty. It collects as much as one message can carry, moves it, and deletes it
// here.
func (q *Queue) work(ctx context.Context, s Selector, do func([]message) error) outcome {
	b := load{}
	for empty := 0; empty < emptyAnswers && b.err == nil; {
		chosen, others, err := q.receive(ctx, s)
		b.others = append(b.others, others...)
		b.err = err
		if empty++; len(chosen)+len(others) > 0 {
			empty = 0
		}
		for _, m := range chosen {
			n := quoted(m)
			if len(b.messages) == perBundle || b.size+n > largestBundle {
				q.flush(ctx, &b, do)
			}
			b.messages, b.size = append(b.messages, m), b.size+n
		}
	}
	q.flush(ctx, &b, do)
	return b.outcome
}

// load is what one message will carry, and what became of earlier ones.
type load struct {
	outcome

	messages []message
	size     int
}

// flush moves the messages of the load, and empties it. After an error they stay in the queue.
func (q *Queue) flush(ctx context.Context, b *load, do func([]message) error) {
	if b.err == nil && len(b.messages) > 0 {
		if b.err = do(b.messages); b.err == nil {
			b.err = q.remove(ctx, b.messages)
		}
	}
	if b.err == nil {
		b.done += len(b.messages)
	} else {
		b.others = append(b.others, b.messages...)
	}
	b.messages, b.size = nil, 0
}

// quoted is the length of a message's body as a JSON string.
func quoted(m message) int {
	raw, err := json.Marshal(m.Body)
	if err != nil {
		return largestBundle
	}
	return len(raw) + 1
}

func (q *Queue) receive(ctx context.Context, s Selector) (chosen, others []message, err error) {
	messages, err := q.api.receiveMessage(ctx, &receiveInput{
		QueueURL: q.held, MaxNumberOfMessages: perCall, VisibilityTimeout: hidden, WaitTimeSeconds: 1,
		MessageAttributeNames: []string{"All"},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("receiving from %s: %w", q.held, err)
	}
	for _, m := range messages {
		if s.selects(m) {
			chosen = append(chosen, m)
		} else {
			others = append(others, m)
		}
	}
	return chosen, others, nil
}

func (q *Queue) remove(ctx context.Context, messages []message) error {
	for batch := range slices.Chunk(messages, perCall) {
		var entries []entry
		for i, m := range batch {
			entries = append(entries, entry{ID: strconv.Itoa(i), ReceiptHandle: m.ReceiptHandle})
		}
		output, err := q.api.deleteMessageBatch(ctx, &batchInput{QueueURL: q.held, Entries: entries})
		if err == nil && len(output.Failed) > 0 {
			err = fmt.Errorf("%d of %d refused", len(output.Failed), len(entries))
		}
		if err != nil {
			return fmt.Errorf("deleting from %s: %w", q.held, err)
		}
	}
	return nil
}

// show makes messages visible again. If that fails, they are by themselves when their time is up.
func (q *Queue) show(ctx context.Context, messages []message) error {
	for _, m := range messages {
		in := &visibilityInput{QueueURL: q.held, ReceiptHandle: m.ReceiptHandle}
		if err := q.api.changeMessageVisibility(ctx, in); err != nil {
			return fmt.Errorf("showing messages of %s again: %w", q.held, err)
		}
	}
	return nil
}
