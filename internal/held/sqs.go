package held

import (
	"context"

	"clientvpn-responder/internal/awsjson"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// sqs has the used calls of SQS, over [awsjson].
// Source: Amazon SQS API reference.
type sqs struct{ client *awsjson.Client }

func newSQS(cfg aws.Config) sqs {
	return sqs{awsjson.New(cfg, awsjson.Service{ID: "SQS", Name: "sqs", Target: "AmazonSQS", Version: "1.0"})}
}

// attributeValue is the value of a message attribute.
type attributeValue struct {
	DataType    string
	StringValue string
}

// message is a message that was received.
type message struct {
	Body, ReceiptHandle string
	MessageAttributes   map[string]attributeValue
}

// entry is one message of a batch: to send, or to delete.
type entry struct {
	ID                string                    `json:"Id"`
	MessageBody       string                    `json:",omitempty"`
	MessageAttributes map[string]attributeValue `json:",omitempty"`
	ReceiptHandle     string                    `json:",omitempty"`
}

type batchInput struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []entry
}

// batchOutput says which entries of a batch SQS has accepted.
type batchOutput struct {
	Successful []struct {
		ID string `json:"Id"`
	}
	Failed []struct{ Code, Message string }
}

func (s sqs) sendMessageBatch(ctx context.Context, in *batchInput) (batchOutput, error) {
	var out batchOutput
	err := s.client.Call(ctx, "SendMessageBatch", in, &out)
	return out, err
}

func (s sqs) deleteMessageBatch(ctx context.Context, in *batchInput) (batchOutput, error) {
	var out batchOutput
	err := s.client.Call(ctx, "DeleteMessageBatch", in, &out)
	return out, err
}

type receiveInput struct {
	QueueURL              string `json:"QueueUrl"`
	MaxNumberOfMessages   int
	VisibilityTimeout     int
	WaitTimeSeconds       int
	MessageAttributeNames []string
}

func (s sqs) receiveMessage(ctx context.Context, in *receiveInput) ([]message, error) {
	var out struct{ Messages []message }
	err := s.client.Call(ctx, "ReceiveMessage", in, &out)
	return out.Messages, err
}

type visibilityInput struct {
	QueueURL          string `json:"QueueUrl"`
	ReceiptHandle     string
	VisibilityTimeout int
}

func (s sqs) changeMessageVisibility(ctx context.Context, in *visibilityInput) error {
	return s.client.Call(ctx, "ChangeMessageVisibility", in, &struct{}{})
}
