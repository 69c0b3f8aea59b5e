package stack

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"clientvpn-responder/internal/awsjson"
)

// Source: Amazon SQS API reference.
var queues = awsjson.Service{ID: "SQS", Name: "sqs", Target: "AmazonSQS", Version: "1.0"}

func (s *Stack) queues() *awsjson.Client { return awsjson.New(s.Config, queues) }

// Depth returns how many messages the queue of an output holds, in work or not. SQS's figures are approximate.
func (s *Stack) Depth(ctx context.Context, output string) (int, error) {
	known, err := s.attributes(ctx, output)
	if err != nil {
		return 0, err
	}
	visible, err := strconv.Atoi(known["ApproximateNumberOfMessages"])
	hidden, _ := strconv.Atoi(known["ApproximateNumberOfMessagesNotVisible"]) // 0 if it is absent
	if err != nil {
		return 0, &Error{fmt.Errorf("reading how many messages %s holds: %w", output, err)}
	}
	return visible + hidden, nil
}

func (s *Stack) attributes(ctx context.Context, output string) (map[string]string, error) {
	url, err := s.Output(output)
	if err != nil {
		return nil, err
	}
	in := map[string]any{"QueueUrl": url, "AttributeNames": []string{"All"}}
	var out struct{ Attributes map[string]string }
	if err := s.queues().Call(ctx, "GetQueueAttributes", in, &out); err != nil {
		return nil, InOneSentence(err)
	}
	return out.Attributes, nil
}

// Letter is a message of the dead-letter queue.
type Letter struct {
	ID       string    `json:"message_id"`
	Body     string    `json:"body"`
	Sent     time.Time `json:"sent_at"`
	Receives int       `json:"receives"`
}

// hidden is for how long a dead letter that was read is invisible to others.
const hidden = 10 // seconds

// DeadLetters returns at most so many dead letters. It takes none away, and hides each for ten seconds.
func (s *Stack) DeadLetters(ctx context.Context, most int) ([]Letter, error) {
	url, err := s.Output("DeadLetterQueueUrl")
	if err != nil {
		return nil, err
	}
	in := map[string]any{
		"QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": hidden, "WaitTimeSeconds": 1,
		"MessageSystemAttributeNames": []string{"All"},
	}
	var all []Letter
	for len(all) < most {
		var out struct {
			Messages []struct {
				MessageID  string `json:"MessageId"`
				Body       string
				Attributes map[string]string
			}
		}
		if err := s.queues().Call(ctx, "ReceiveMessage", in, &out); err != nil {
			return nil, InOneSentence(err)
		}
		if len(out.Messages) == 0 {
			break
		}
		for _, m := range out.Messages {
			l := Letter{ID: m.MessageID, Body: m.Body}
			if ms, err := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64); err == nil {
				l.Sent = time.UnixMilli(ms).UTC()
			}
			l.Receives, _ = strconv.Atoi(m.Attributes["ApproximateReceiveCount"]) // 0 if it is absent
			all = append(all, l)
		}
	}
	return all[:min(most, len(all))], nil
}

// Redrive is the state of a move of all dead letters back into the queue. Its Status is RUNNING, COMPLETED, CANCELLING,
// CANCELLED or FAILED.
type Redrive struct {
	Status        string `json:"status"`
	Moved         int    `json:"moved"`
	ToMove        int    `json:"to_move"`
	FailureReason string `json:"failure_reason,omitempty"`
}

// StartRedrive has SQS move all dead letters back into the queue.
func (s *Stack) StartRedrive(ctx context.Context) error {
	dead, err := s.attributes(ctx, "DeadLetterQueueUrl")
	if err != nil {
		return err
	}
	// EventBridge puts events there, too. Those have no queue that they came from, so it is named.
	events, err := s.attributes(ctx, "QueueUrl")
	if err != nil {
		return err
	}
	var out struct{ TaskHandle string }
	in := map[string]string{"SourceArn": dead["QueueArn"], "DestinationArn": events["QueueArn"]}
	if err := s.queues().Call(ctx, "StartMessageMoveTask", in, &out); err != nil {
		return InOneSentence(err)
	}
	return nil
}

// Redriven returns the state of the latest move.
func (s *Stack) Redriven(ctx context.Context) (Redrive, error) {
	known, err := s.attributes(ctx, "DeadLetterQueueUrl")
	if err != nil {
		return Redrive{}, err
	}
	var out struct {
		Results []struct {
			Status                            string
			ApproximateNumberOfMessagesMoved  int
			ApproximateNumberOfMessagesToMove int
			FailureReason                     string
		}
	}
	in := map[string]any{"SourceArn": known["QueueArn"], "MaxResults": 1}
	if err := s.queues().Call(ctx, "ListMessageMoveTasks", in, &out); err != nil {
		return Redrive{}, InOneSentence(err)
	}
	if len(out.Results) == 0 {
		return Redrive{}, &Error{errors.New("SQS knows of no move of dead letters")}
	}
	r := out.Results[0]
	return Redrive{r.Status, r.ApproximateNumberOfMessagesMoved, r.ApproximateNumberOfMessagesToMove, r.FailureReason}, nil
}
