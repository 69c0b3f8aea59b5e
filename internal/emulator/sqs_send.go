package emulator

import (
	"cmp"
	"net/url"
	"time"
	"unicode/utf8"
)

// sendEntry is a message to send.
type sendEntry struct {
	ID                string `json:"Id"` // in a batch
	MessageBody       string
	DelaySeconds      *int
	MessageAttributes map[string]queueAttribute
}

type sendResult struct {
	ID        string `json:"Id,omitempty"`
	MD5       string `json:"MD5OfMessageBody"`
	MessageID string `json:"MessageId"`
}

func (c *Cloud) sendMessage(form url.Values, _ string) (any, *refusal) {
	var in struct {
		sendEntry

		QueueURL string `json:"QueueUrl"`
	}
	if refused := members(form, &in); refused != nil {
		return nil, refused
	}
	q, refused := c.queueOf(in.QueueURL)
	if refused == nil {
		refused = q.check(in.sendEntry)
	}
	if refused != nil {
		return nil, refused
	}
	m := c.add(q, in.sendEntry)
	return sendResult{MD5: checksum(m.Body), MessageID: m.ID}, nil
}

func (c *Cloud) sendMessageBatch(form url.Values, _ string) (any, *refusal) {
	return inBatch(c, form, func(q *queue, e sendEntry) (sendResult, *refusal) {
		if refused := q.check(e); refused != nil {
			return sendResult{}, refused
		}
		m := c.add(q, e)
		return sendResult{e.ID, checksum(m.Body), m.ID}, nil
	})
}

func (e sendEntry) id() string { return e.ID }

func (e sendEntry) size() int {
	n := len(e.MessageBody)
	for name, a := range e.MessageAttributes {
		n += len(name) + len(a.DataType) + len(a.StringValue) + len(a.BinaryValue)
	}
	return n
}

// check refuses what SQS does not accept.
// Source: SQS API reference, SendMessage.
func (q *queue) check(e sendEntry) *refusal {
	switch {
	case e.MessageBody == "":
		return refuse("MissingParameter", "The request must contain the parameter MessageBody.")
	case !utf8.ValidString(e.MessageBody):
		return refuse("InvalidMessageContents", "Invalid binary character was found in the message body")
	case e.size() > q.MaxBytes:
		return refuse("InvalidParameterValue",
			"One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", q.MaxBytes)
	case e.DelaySeconds != nil && (*e.DelaySeconds < 0 || *e.DelaySeconds > 900):
		return refuse("InvalidParameterValue", "Value %d for parameter DelaySeconds is invalid. Reason: "+
			"DelaySeconds must be >= 0 and <= 900.", *e.DelaySeconds)
	case len(e.MessageAttributes) > 10:
		return refuse("InvalidParameterValue", "Number of message attributes [%d] exceeds the allowed maximum [10].",
			len(e.MessageAttributes))
	}
	return nil
}

// add puts a message into a queue.
func (c *Cloud) add(q *queue, e sendEntry) *queued {
	now := time.Now()
	delay := q.Delay
	if e.DelaySeconds != nil {
		delay = time.Duration(*e.DelaySeconds) * time.Second
	}
	m := &queued{Queued: Queued{
		ID: uuid("queued", c.next()), Body: e.MessageBody, Attributes: map[string]Attribute{},
		SentAt: now, VisibleAt: now.Add(delay),
	}}
	for name, a := range e.MessageAttributes {
		m.Attributes[name] = Attribute{a.DataType, cmp.Or(a.StringValue, a.BinaryValue)}
	}
	q.messages = append(q.messages, m)
	return m
}
