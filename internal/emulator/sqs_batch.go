package emulator

import "net/url"

// batchEntry is an entry of a batch: a message to send, or the handle of one that was received.
type batchEntry interface {
	id() string
	size() int // bytes of a message to send
}

type batchResponse[R any] struct {
	Successful []R
	Failed     []batchFailure `json:",omitempty"`
}

// batchFailure is an entry that failed.
type batchFailure struct {
	ID          string `json:"Id"`
	SenderFault bool
	Code        string
	Message     string
}

// inBatch does the same for each entry of a batch. An entry that fails leaves the others alone.
func inBatch[E batchEntry, R any](
	c *Cloud, form url.Values, do func(*queue, E) (R, *refusal),
) (any, *refusal) {
	var in struct {
		QueueURL string `json:"QueueUrl"`
		Entries  []E
	}
	if refused := members(form, &in); refused != nil {
		return nil, refused
	}
	q, refused := c.queueOf(in.QueueURL)
	if refused == nil {
		refused = checkBatch(in.Entries)
	}
	if refused != nil {
		return nil, refused
	}
	answer := batchResponse[R]{Successful: []R{}}
	for _, e := range in.Entries {
		result, refused := do(q, e)
		if refused != nil {
			answer.Failed = append(answer.Failed, batchFailure{e.id(), true, refused.code, refused.message})
			continue
		}
		answer.Successful = append(answer.Successful, result)
	}
	return answer, nil
}

// checkBatch refuses a batch without one to ten entries with ids of their own, and one of more than a MiB.
// Source: SQS API reference, SendMessageBatch and DeleteMessageBatch.
func checkBatch[E batchEntry](entries []E) *refusal {
	seen, size := map[string]bool{}, 0
	for _, e := range entries {
		if seen[e.id()] {
			return refuse("BatchEntryIdsNotDistinct", "Id %s repeated.", e.id())
		}
		seen[e.id()] = true
		size += e.size()
	}
	switch {
	case len(entries) == 0:
		return refuse("EmptyBatchRequest", "There should be at least one entry in the request.")
	case len(entries) > 10:
		return refuse("TooManyEntriesInBatchRequest",
			"Maximum number of entries per request are 10. You have sent %d.", len(entries))
	case size > 1<<20:
		return refuse("BatchRequestTooLong",
			"Batch requests cannot be longer than %d bytes. You have sent %d bytes.", 1<<20, size)
	}
	return nil
}
