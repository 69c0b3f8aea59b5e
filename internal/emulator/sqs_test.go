package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func bubbleQueue(t *testing.T, c *Cloud) *sqs.Client {
	t.Helper()
	client, stop := HTTPClient(c)
	t.Cleanup(stop)
	return sqs.NewFromConfig(config("http://sqs.test", client))
}

// TestQueue: the SDK sends, receives and deletes, and a message comes again when its time is up, until it is dead.
func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Cloud{}
		c.AddQueue("dead")
		url := c.AddQueue("held", Queue{Visibility: time.Minute, DeadLetter: "dead", Receives: 2})
		api, ctx := bubbleQueue(t, c), t.Context()
		attributes := map[string]types.MessageAttributeValue{
			"source": {DataType: aws.String("String"), StringValue: aws.String("okta")},
		}
		sent, err := api.SendMessage(
			ctx,
			&sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("{ü}"), MessageAttributes: attributes},
		)
		if err != nil {
			t.Fatal(err)
		}
		receive := func(want int) *types.Message {
			t.Helper()
			out, err := api.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
				QueueUrl: &url, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"},
				MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"},
			})
			if err != nil || len(out.Messages) != want {
				t.Fatalf("%v, %+v", err, out)
			}
			if want == 0 {
				return nil
			}
			return &out.Messages[0]
		}
		m := receive(1)
		if *m.MessageId != *sent.MessageId || *m.Body != "{ü}" || *m.MessageAttributes["source"].StringValue != "okta" ||
			m.Attributes["ApproximateReceiveCount"] != "1" || m.Attributes["SentTimestamp"] != "946684800000" {
			t.Errorf("%+v", m)
		}
		receive(0) // it is in flight
		time.Sleep(time.Minute)
		if m := receive(1); m.Attributes["ApproximateReceiveCount"] != "2" {
			t.Errorf("%+v", m.Attributes)
		}
		time.Sleep(time.Minute)
		receive(0)
		dead := c.Queued("dead")
		if len(dead) != 1 || dead[0].Body != "{ü}" || len(c.Queued("held")) != 0 {
			t.Errorf("%+v, %+v", dead, c.Queued("held"))
		}
		time.Sleep(5 * 24 * time.Hour)
		if dead := c.Queued("dead"); len(dead) != 0 {
			t.Errorf("kept for longer than four days: %+v", dead)
		}
	})
}

func TestQueueDeletes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Cloud{}
		url := c.AddQueue("held")
		api, ctx := bubbleQueue(t, c), t.Context()
		for i := range 3 {
			c.Send("held", fmt.Sprint("m", i))
		}
		out, err := api.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 3})
		if err != nil || len(out.Messages) != 3 || out.Messages[0].Attributes != nil {
			t.Fatal(err, out)
		}
		for range 2 { // what is gone may be deleted again
			if _, err := api.DeleteMessage(
				ctx,
				&sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: out.Messages[0].ReceiptHandle},
			); err != nil {
				t.Error(err)
			}
		}
		batch, err := api.DeleteMessageBatch(
			ctx,
			&sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: []types.DeleteMessageBatchRequestEntry{
				{
					Id:            aws.String("a"),
					ReceiptHandle: out.Messages[1].ReceiptHandle,
				},
				{Id: aws.String("b"), ReceiptHandle: aws.String("x")},
			}},
		)
		if err != nil || len(batch.Successful) != 1 || len(batch.Failed) != 1 ||
			*batch.Failed[0].Code != "ReceiptHandleIsInvalid" {
			t.Errorf("%v, %+v", err, batch)
		}
		_, err = api.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
			QueueUrl: &url, ReceiptHandle: out.Messages[2].ReceiptHandle, VisibilityTimeout: 0,
		})
		if got := c.Queued("held"); err != nil || len(got) != 1 || got[0].Body != "m2" || got[0].VisibleAt.After(time.Now()) {
			t.Errorf("%v, %+v", err, got)
		}
	})
}

func TestQueueBatchesAndAttributes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Cloud{}
		url := c.AddQueue("held", Queue{MaxBytes: 100, DeadLetter: "dead", Receives: 5})
		api, ctx := bubbleQueue(t, c), t.Context()
		entry := func(id, body string) types.SendMessageBatchRequestEntry {
			return types.SendMessageBatchRequestEntry{Id: &id, MessageBody: &body}
		}
		out, err := api.SendMessageBatch(
			ctx,
			&sqs.SendMessageBatchInput{QueueUrl: &url, Entries: []types.SendMessageBatchRequestEntry{
				entry(
					"a",
					"x",
				),
				entry("b", strings.Repeat("x", 101)),
				{Id: aws.String("c"), MessageBody: aws.String("y"), DelaySeconds: 60},
			}},
		)
		if err != nil || len(out.Successful) != 2 || len(out.Failed) != 1 || *out.Failed[0].Id != "b" ||
			!out.Failed[0].SenderFault {
			t.Errorf("%v, %+v", err, out)
		}
		got, err := api.GetQueueAttributes(
			ctx,
			&sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"All"}},
		)
		if err != nil || got.Attributes["ApproximateNumberOfMessages"] != "1" ||
			got.Attributes["ApproximateNumberOfMessagesDelayed"] != "1" ||
			got.Attributes["QueueArn"] != "arn:aws:sqs:eu-west-1:111122223333:held" ||
			got.Attributes["RedrivePolicy"] !=
				`{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:111122223333:dead","maxReceiveCount":5}` {
			t.Errorf("%v, %+v", err, got)
		}
		if got, err := api.GetQueueUrl(
			ctx,
			&sqs.GetQueueUrlInput{QueueName: aws.String("held")},
		); err != nil ||
			*got.QueueUrl != url {
			t.Errorf("%v, %+v", err, got)
		}
	})
}

// TestQueueRefuses what SQS refuses, with its codes.
func TestQueueRefuses(t *testing.T) {
	c := &Cloud{}
	url := c.AddQueue("held")
	c.AddQueue("closed")
	c.Deny("sqs:SendMessage", "closed")
	many := make([]types.SendMessageBatchRequestEntry, 11)
	for i := range many {
		many[i] = types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), MessageBody: aws.String("x")}
	}
	api := bubbleQueue(t, c)
	send := func(url string, batch []types.SendMessageBatchRequestEntry) error {
		_, err := api.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: batch})
		return err
	}
	wantCode(t, send(url, many), "TooManyEntriesInBatchRequest", 400)
	wantCode(t, send(url, many[:0]), "EmptyBatchRequest", 400)
	wantCode(t, send(url, slices.Concat(many[:1], many[:1])), "BatchEntryIdsNotDistinct", 400)
	wantCode(t, send(url+"x", many[:1]), "QueueDoesNotExist", 400)
	if gone, ok := errors.AsType[*types.QueueDoesNotExist](send(url+"x", many[:1])); !ok {
		t.Error(gone)
	}
	_, err := api.SendMessage(
		t.Context(),
		&sqs.SendMessageInput{QueueUrl: aws.String("http://x/closed"), MessageBody: aws.String("x")},
	)
	wantCode(t, err, "AccessDeniedException", 403)
	_, err = api.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 11})
	wantCode(t, err, "InvalidParameterValue", 400)
}

// TestDeliver: the mapping deletes what succeeded, and only that; what is not sound fails all.
func TestDeliver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Cloud{}
		c.AddQueue("events", Queue{Visibility: time.Minute})
		var ids []string
		for i := range 3 {
			ids = append(ids, c.Send("events", fmt.Sprint("m", i)))
		}
		answers := map[string]error{
			`{"batchItemFailures":[{"itemIdentifier":"other"}]}`: nil, `nonsense`: nil, `{}`: errors.New("the function failed"),
			`{"batchItemFailures":[{"itemIdentifier":""}]}`: nil,
		}
		for answer, err := range answers {
			n, failed := c.Deliver(
				t.Context(),
				"events",
				10,
				func(context.Context, []byte) ([]byte, error) { return []byte(answer), err },
			)
			if n != 3 || !slices.Equal(failed, ids) {
				t.Errorf("%s: %d, %q", answer, n, failed)
			}
			if n, _ := c.Deliver(t.Context(), "events", 10, nil); n != 0 {
				t.Error("delivered what is in flight")
			}
			time.Sleep(time.Until(c.NextVisible("events")))
		}
		var seen struct {
			Records []struct{ MessageID, Body, EventSource, EventSourceARN string }
		}
		n, failed := c.Deliver(t.Context(), "events", 2, func(_ context.Context, payload []byte) ([]byte, error) {
			return []byte(`{"batchItemFailures":[{"itemIdentifier":"` + ids[1] + `"}]}`), json.Unmarshal(payload, &seen)
		})
		if r := seen.Records; n != 2 || !slices.Equal(failed, ids[1:2]) || len(r) != 2 || r[0].Body != "m0" ||
			r[0].MessageID != ids[0] ||
			r[0].EventSource != "aws:sqs" ||
			r[0].EventSourceARN != "arn:aws:sqs:eu-west-1:111122223333:events" {
			t.Errorf("%d, %q, %+v", n, failed, seen)
		}
		if left := c.Queued("events"); len(left) != 2 || left[0].ID != ids[1] || left[0].Receives != 5 {
			t.Errorf("%+v", left)
		}
	})
}
