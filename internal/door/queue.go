package door

import (
	"context"
	"fmt"
	"strings"

	"clientvpn-responder/internal/awsjson"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Queue is the queue that the responder reads.
type Queue struct {
	client          *awsjson.Client
	url             string
	account, region string
}

// NewQueue returns the queue with this URL.
func NewQueue(cfg aws.Config, queueURL string) *Queue {
	q := &Queue{url: queueURL, region: cfg.Region, client: awsjson.New(cfg, awsjson.Service{
		ID: "SQS", Name: "sqs", Target: "AmazonSQS", Version: "1.0",
	})}
	if parts := strings.Split(queueURL, "/"); len(parts) > 2 {
		q.account = parts[len(parts)-2]
	}
	return q
}

// Send stores an event. When it returns nil, SQS has the event on several servers.
func (q *Queue) Send(ctx context.Context, e Event) error {
	e.Account, e.Region = q.account, q.region
	body, err := e.Bytes()
	if err != nil {
		return fmt.Errorf("writing the event: %w", err)
	}
	in := struct{ QueueUrl, MessageBody string }{q.url, string(body)} //nolint:revive // SQS's names
	var out struct{ MessageId string }                                //nolint:revive // SQS's name
	if err := q.client.Call(ctx, "SendMessage", in, &out); err != nil {
		return fmt.Errorf("storing the event in the queue: %w", err)
	}
	return nil
}
