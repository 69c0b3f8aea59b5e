package emulator

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

type receiveRequest struct {
	QueueURL                    string `json:"QueueUrl"`
	MaxNumberOfMessages         int
	VisibilityTimeout           *int
	WaitTimeSeconds             int
	AttributeNames              []string
	MessageSystemAttributeNames []string
	MessageAttributeNames       []string
}

type receivedMessage struct {
	MessageID         string                    `json:"MessageId"`
	ReceiptHandle     string                    `json:"ReceiptHandle"`
	MD5               string                    `json:"MD5OfBody"`
	Body              string                    `json:"Body"`
	Attributes        map[string]string         `json:"Attributes,omitempty"`
	MessageAttributes map[string]queueAttribute `json:"MessageAttributes,omitempty"`
}

type receiveResponse struct {
	Messages []receivedMessage `json:",omitempty"`
}

// receiveMessage hands out visible messages. It does not wait for WaitTimeSeconds, which SQS does not promise either.
func (c *Cloud) receiveMessage(form url.Values, _ string) (any, *refusal) {
	var in receiveRequest
	if refused := members(form, &in); refused != nil {
		return nil, refused
	}
	q, refused := c.queueOf(in.QueueURL)
	if refused != nil {
		return nil, refused
	}
	most := cmp.Or(in.MaxNumberOfMessages, 1)
	if most < 1 || most > 10 { // SQS API reference, ReceiveMessage
		return nil, refuse("InvalidParameterValue", "Value %d for parameter MaxNumberOfMessages is invalid. "+
			"Reason: Must be between 1 and 10, if provided.", most)
	}
	visibility := q.Visibility
	if in.VisibilityTimeout != nil {
		visibility = time.Duration(*in.VisibilityTimeout) * time.Second
	}
	var answer receiveResponse
	for _, m := range c.receive(q, most, visibility) {
		shown := m.shown()
		if len(in.AttributeNames)+len(in.MessageSystemAttributeNames) == 0 {
			shown.Attributes = nil
		}
		if len(in.MessageAttributeNames) == 0 {
			shown.MessageAttributes = nil
		}
		answer.Messages = append(answer.Messages, shown)
	}
	return answer, nil
}

// receive takes visible messages, in order, and hides them for some time. A message that was received too often moves
// to the dead-letter queue instead.
func (c *Cloud) receive(q *queue, most int, visibility time.Duration) (taken []*queued) {
	now := time.Now()
	for _, m := range slices.Clone(q.messages) {
		if m.VisibleAt.After(now) || len(taken) == most {
			continue
		}
		if dead := c.queues[q.DeadLetter]; dead != nil && m.Receives >= q.Receives {
			q.remove(m)
			m.VisibleAt, m.Receives = now, 0
			dead.messages = append(dead.messages, m)
			continue
		}
		if m.Receives++; m.Receives == 1 {
			m.firstAt = now
		}
		m.VisibleAt = now.Add(visibility)
		m.receipt = digest("receipt "+m.ID, m.Receives)
		taken = append(taken, m)
	}
	return taken
}

func (q *queue) remove(m *queued) {
	q.messages = slices.DeleteFunc(q.messages, func(o *queued) bool { return o == m })
}

func (m *queued) shown() receivedMessage {
	attributes := map[string]queueAttribute{}
	for name, a := range m.Attributes {
		shown := queueAttribute{DataType: a.Type, StringValue: a.Value}
		if strings.HasPrefix(a.Type, "Binary") {
			shown = queueAttribute{DataType: a.Type, BinaryValue: a.Value}
		}
		attributes[name] = shown
	}
	return receivedMessage{
		MessageID: m.ID, ReceiptHandle: m.receipt, MD5: checksum(m.Body), Body: m.Body, MessageAttributes: attributes,
		Attributes: map[string]string{
			"ApproximateReceiveCount":          strconv.Itoa(m.Receives),
			"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.firstAt.UnixMilli(), 10),
			"SentTimestamp":                    strconv.FormatInt(m.SentAt.UnixMilli(), 10),
			"SenderId":                         "AIDAEXAMPLE",
		},
	}
}

// deleteMessage deletes by the handle of the last receipt. A message that was deleted before is no error.
func (c *Cloud) deleteMessage(form url.Values, _ string) (any, *refusal) {
	var in struct {
		QueueURL      string `json:"QueueUrl"`
		ReceiptHandle string
	}
	if refused := members(form, &in); refused != nil {
		return nil, refused
	}
	q, refused := c.queueOf(in.QueueURL)
	if refused == nil {
		refused = q.delete(in.ReceiptHandle)
	}
	return struct{}{}, refused
}

func (q *queue) delete(receipt string) *refusal {
	if len(receipt) != 64 {
		return refuse("ReceiptHandleIsInvalid", `The input receipt handle "%s" is not a valid receipt handle.`, receipt)
	}
	q.messages = slices.DeleteFunc(q.messages, func(m *queued) bool { return m.receipt == receipt })
	return nil
}

// handleEntry is an entry of a batch about messages that were received.
type handleEntry struct {
	ID                string `json:"Id"`
	ReceiptHandle     string
	VisibilityTimeout int
}

func (e handleEntry) id() string { return e.ID }

func (handleEntry) size() int { return 0 } // SQS limits the size of messages that are sent

type handleResult struct {
	ID string `json:"Id"`
}

func (c *Cloud) deleteMessageBatch(form url.Values, _ string) (any, *refusal) {
	return inBatch(c, form, func(q *queue, e handleEntry) (handleResult, *refusal) {
		return handleResult{e.ID}, q.delete(e.ReceiptHandle)
	})
}

func (c *Cloud) changeMessageVisibilityBatch(form url.Values, _ string) (any, *refusal) {
	return inBatch(c, form, func(q *queue, e handleEntry) (handleResult, *refusal) {
		return handleResult{e.ID}, q.hide(e)
	})
}

func (c *Cloud) changeMessageVisibility(form url.Values, _ string) (any, *refusal) {
	var in struct {
		handleEntry

		QueueURL string `json:"QueueUrl"`
	}
	if refused := members(form, &in); refused != nil {
		return nil, refused
	}
	q, refused := c.queueOf(in.QueueURL)
	if refused == nil {
		refused = q.hide(in.handleEntry)
	}
	return struct{}{}, refused
}

// hide makes a message that was received visible again at another time.
func (q *queue) hide(e handleEntry) *refusal {
	for _, m := range q.messages {
		if m.receipt == e.ReceiptHandle && m.VisibleAt.After(time.Now()) {
			m.VisibleAt = time.Now().Add(time.Duration(e.VisibilityTimeout) * time.Second)
			return nil
		}
	}
	return refuse("MessageNotInflight", "The specified message isn't in flight.")
}
