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

// batchFailure is an entry of a batch that failed.
type batchFailure struct {
	ID          string `json:"Id"`
	SenderFault bool
	Code        string
	Message     string
}

func failed(id string, r *refusal) batchFailure { return batchFailure{id, true, r.code, r.message} }

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

type sendBatchResponse struct {
	Successful []sendResult
	Failed     []batchFailure `json:",omitempty"`
}

func (c *Cloud) sendMessageBatch(form url.Values, _ string) (any, *refusal) {
	var in struct {
		QueueURL string `json:"QueueUrl"`
		Entries  []sendEntry
	}
	if refused := members(form, &in); refused != nil {
		return nil, refused
	}
	q, refused := c.queueOf(in.QueueURL)
	if refused != nil {
		return nil, refused
	}
	var ids []string
	size := 0
	for _, e := range in.Entries {
		ids, size = append(ids, e.ID), size+e.size()
	}
	if refused := checkBatch(ids); refused != nil {
		return nil, refused
	}
	if size > 1<<20 { // SQS API reference, SendMessageBatch
		return nil, refuse("BatchRequestTooLong", "Batch requests cannot be longer than %d bytes. You have sent %d bytes.",
			1<<20, size)
	}
	answer := sendBatchResponse{Successful: []sendResult{}}
	for _, e := range in.Entries {
		if refused := q.check(e); refused != nil {
			answer.Failed = append(answer.Failed, failed(e.ID, refused))
			continue
		}
		m := c.add(q, e)
		answer.Successful = append(answer.Successful, sendResult{e.ID, checksum(m.Body), m.ID})
	}
	return answer, nil
}

// checkBatch refuses a batch without one to ten entries with ids of their own.
// Source: SQS API reference, SendMessageBatch and DeleteMessageBatch.
func checkBatch(ids []string) *refusal {
	seen := map[string]bool{}
	for _, id := range ids {
		if seen[id] {
			return refuse("BatchEntryIdsNotDistinct", "Id %s repeated.", id)
		}
		seen[id] = true
	}
	switch {
	case len(ids) == 0:
		return refuse("EmptyBatchRequest", "There should be at least one entry in the request.")
	case len(ids) > 10:
		return refuse(
			"TooManyEntriesInBatchRequest",
			"Maximum number of entries per request are 10. You have sent %d.",
			len(ids),
		)
	}
	return nil
}

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
