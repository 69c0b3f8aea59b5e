package emulator

import (
	"context"
	"encoding/json"
	"slices"
	"time"
)

// queueRecord is a message as Lambda hands it to a function (Lambda Developer Guide, using Lambda with Amazon SQS).
type queueRecord struct {
	MessageID         string                    `json:"messageId"`
	ReceiptHandle     string                    `json:"receiptHandle"`
	Body              string                    `json:"body"`
	Attributes        map[string]string         `json:"attributes"`
	MessageAttributes map[string]queueAttribute `json:"messageAttributes"`
	MD5               string                    `json:"md5OfBody"`
	Source            string                    `json:"eventSource"`
	SourceARN         string                    `json:"eventSourceARN"`
	Region            string                    `json:"awsRegion"`
}

// Deliver is one turn of Lambda's event source mapping with ReportBatchItemFailures. It receives up to most messages
// from a queue and invokes a function with them. It deletes the messages that the answer does not list as failed. An
// error of the function, or an answer that is not sound, fails all. It returns how many messages it received, and the
// ids of the failed ones. Without a message it invokes nobody.
// Source: Lambda Developer Guide, implementing partial batch responses.
func (c *Cloud) Deliver(
	ctx context.Context,
	queue string,
	most int,
	invoke func(context.Context, []byte) ([]byte, error),
) (
	received int, failed []string) {
	records := c.take(queue, most)
	if len(records) == 0 {
		return 0, nil
	}
	payload, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		panic(err) // it is ours, and encodes
	}
	answer, err := invoke(ctx, payload)
	failed = failures(records, answer, err)
	c.enter()
	defer c.mu.Unlock()
	q := c.queues[queue]
	for _, r := range records {
		if !slices.Contains(failed, r.MessageID) {
			_ = q.delete(r.ReceiptHandle) // ours is sound
		}
	}
	return len(records), failed
}

// NextVisible returns when the next message of a queue becomes visible, which may be in the past; zero if there is
// none.
func (c *Cloud) NextVisible(queue string) (at time.Time) {
	for _, m := range c.Queued(queue) {
		if at.IsZero() || m.VisibleAt.Before(at) {
			at = m.VisibleAt
		}
	}
	return at
}

func (c *Cloud) take(queue string, most int) (records []queueRecord) {
	c.enter()
	defer c.mu.Unlock()
	q := c.queues[queue]
	q.expire()
	for _, m := range c.receive(q, most, q.Visibility) {
		shown := m.shown()
		records = append(records, queueRecord{
			shown.MessageID, shown.ReceiptHandle, shown.Body, shown.Attributes, shown.MessageAttributes, shown.MD5,
			"aws:sqs", c.arn("sqs", queue), c.region(),
		})
	}
	return records
}

// failures returns the ids of the messages that go back to the queue.
func failures(records []queueRecord, answer []byte, err error) []string {
	var all []string
	for _, r := range records {
		all = append(all, r.MessageID)
	}
	if err != nil {
		return all
	}
	var listed struct {
		BatchItemFailures []struct{ ItemIdentifier string }
	}
	if json.Unmarshal(answer, &listed) != nil {
		return all
	}
	failed := []string{}
	for _, f := range listed.BatchItemFailures {
		if !slices.Contains(all, f.ItemIdentifier) {
			return all
		}
		failed = append(failed, f.ItemIdentifier)
	}
	return failed
}
