package held

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// outcome is what one worker did.
type outcome struct {
	done   int
	others []types.Message // received and left
	err    error
}

// each does something with all selected events and then deletes them here. Others become visible again at the end.
func (q *Queue) each(ctx context.Context, s Selector, do func([]types.Message) error) (int, error) {
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

func (q *Queue) work(ctx context.Context, s Selector, do func([]types.Message) error) (o outcome) {
	for empty := 0; empty < emptyAnswers && o.err == nil; {
		chosen, others, err := q.receive(ctx, s)
		o.others = append(o.others, others...)
		if err == nil && len(chosen) > 0 {
			err = do(chosen)
			if err == nil {
				err = q.remove(ctx, chosen)
			}
		}
		switch {
		case err != nil:
			o.err = err
			o.others = append(o.others, chosen...)
		case len(chosen)+len(others) == 0:
			empty++
		default:
			empty = 0
			o.done += len(chosen)
		}
	}
	return o
}

func (q *Queue) receive(ctx context.Context, s Selector) (chosen, others []types.Message, err error) {
	output, err := q.api.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &q.held, MaxNumberOfMessages: perCall, VisibilityTimeout: hidden, WaitTimeSeconds: 1, MessageAttributeNames: []string{"All"},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("receiving from %s: %w", q.held, err)
	}
	for _, m := range output.Messages {
		if s.selects(m) {
			chosen = append(chosen, m)
		} else {
			others = append(others, m)
		}
	}
	return chosen, others, nil
}

func (q *Queue) remove(ctx context.Context, messages []types.Message) error {
	var entries []types.DeleteMessageBatchRequestEntry
	for i, m := range messages {
		entries = append(entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle})
	}
	output, err := q.api.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &q.held, Entries: entries})
	if err == nil && len(output.Failed) > 0 {
		err = fmt.Errorf("%d of %d refused", len(output.Failed), len(entries))
	}
	if err != nil {
		return fmt.Errorf("deleting from %s: %w", q.held, err)
	}
	return nil
}

// show makes messages visible again. If that fails, they are by themselves when their time is up.
func (q *Queue) show(ctx context.Context, messages []types.Message) error {
	for _, m := range messages {
		if _, err := q.api.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &q.held, ReceiptHandle: m.ReceiptHandle}); err != nil {
			return fmt.Errorf("showing messages of %s again: %w", q.held, err)
		}
	}
	return nil
}
