package emulator

import (
	"net/url"
	"slices"
	"time"
)

// moveTask is a move of messages out of a dead-letter queue. The stand-in completes it at once.
type moveTask struct {
	TaskHandle                        string `json:",omitempty"` // of a running task only
	Status                            string
	SourceArn                         string
	DestinationArn                    string `json:",omitempty"`
	ApproximateNumberOfMessagesMoved  int
	ApproximateNumberOfMessagesToMove int
	StartedTimestamp                  int64
}

type startMoveResponse struct{ TaskHandle string }

// startMessageMoveTask moves the messages of a dead-letter queue to the named queue, or else to the queue whose dead
// letters they are.
func (c *Cloud) startMessageMoveTask(form url.Values, requestID string) (any, *refusal) {
	var in struct{ SourceArn, DestinationArn string }
	if refused := members(form, &in); refused != nil {
		return nil, refused
	}
	from := c.queueAt(in.SourceArn)
	if from == nil {
		return nil, refuse("ResourceNotFoundException",
			"The resource that you specified for the SourceArn parameter doesn't exist.")
	}
	to := c.queueAt(in.DestinationArn)
	var sources []*queue
	for _, q := range c.queues {
		if q.DeadLetter == from.name {
			sources = append(sources, q)
		}
	}
	switch {
	case len(sources) == 0: // SQS API reference, StartMessageMoveTask
		return nil, refuse("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
	case to == nil && in.DestinationArn != "":
		return nil, refuse("ResourceNotFoundException",
			"The resource that you specified for the DestinationArn parameter doesn't exist.")
	case to == nil:
		to = sources[0]
	}
	moved := len(from.messages)
	for _, m := range from.messages {
		m.VisibleAt, m.Receives = time.Now(), 0
	}
	to.messages, from.messages = append(to.messages, from.messages...), nil
	c.moves = append(c.moves, moveTask{
		Status: "COMPLETED", SourceArn: in.SourceArn, DestinationArn: in.DestinationArn,
		ApproximateNumberOfMessagesMoved: moved, ApproximateNumberOfMessagesToMove: moved,
		StartedTimestamp: time.Now().UnixMilli(),
	})
	return startMoveResponse{requestID}, nil
}

// queueAt returns the queue with an ARN; nil if there is none.
func (c *Cloud) queueAt(arn string) *queue {
	for name, q := range c.queues {
		if c.arn("sqs", name) == arn {
			return q
		}
	}
	return nil
}

type listMovesResponse struct {
	Results []moveTask `json:",omitempty"`
}

// listMessageMoveTasks lists the moves out of a queue, the latest first.
func (c *Cloud) listMessageMoveTasks(form url.Values, _ string) (any, *refusal) {
	var in struct {
		SourceArn  string
		MaxResults int
	}
	if refused := members(form, &in); refused != nil {
		return nil, refused
	}
	var answer listMovesResponse
	for _, m := range slices.Backward(c.moves) {
		if m.SourceArn == in.SourceArn && len(answer.Results) < max(in.MaxResults, 1) {
			answer.Results = append(answer.Results, m)
		}
	}
	return answer, nil
}
