package emulator

import (
	"cmp"
	"net/url"
	"strings"
	"time"
)

type batchGetResponse struct {
	Responses       map[string][]item
	UnprocessedKeys map[string]keys
}

type keys struct {
	Keys                     []item
	ConsistentRead           bool
	ProjectionExpression     string            `json:",omitempty"`
	ExpressionAttributeNames map[string]string `json:",omitempty"`
}

func (c *Cloud) batchGetItem(form url.Values, _ string) (any, *refusal) {
	var in struct{ RequestItems map[string]keys }
	if refused := members(form, &in); refused != nil {
		return nil, refused
	}
	answer := batchGetResponse{map[string][]item{}, map[string]keys{}}
	count := 0
	for name, asked := range in.RequestItems {
		t, refused := c.table(name)
		if refused != nil {
			return nil, refused
		}
		found, left, refused := t.batch(asked, cmp.Or(c.PageItems, 100))
		if refused != nil {
			return nil, refused
		}
		answer.Responses[name] = found
		if len(left.Keys) > 0 {
			answer.UnprocessedKeys[name] = left
		}
		count += len(asked.Keys)
	}
	if count == 0 || count > 100 { // DynamoDB API reference, BatchGetItem
		return nil, invalidRequest("1 validation error detected: " +
			"Value at 'requestItems' failed to satisfy constraint: between 1 and 100 items")
	}
	return answer, nil
}

// batch returns the items of the first keys, at most as many as a page has, and the other keys.
func (t *table) batch(asked keys, most int) (found []item, left keys, refused *refusal) {
	found = []item{}
	left = asked
	left.Keys = asked.Keys[max(0, min(len(asked.Keys), most)):]
	seen := map[string]bool{}
	for i, key := range asked.Keys {
		id, refused := t.id(key)
		switch {
		case refused != nil:
			return nil, keys{}, refused
		case seen[id]:
			return nil, keys{}, invalidRequest("Provided list of item keys contains duplicates")
		}
		seen[id] = true
		if t.items[id] == nil || i >= most {
			continue
		}
		s := newScope(nil, asked.ExpressionAttributeNames, nil)
		one, refused := s.project(asked.ProjectionExpression, t.items[id])
		if refused != nil {
			return nil, keys{}, refused
		}
		found = append(found, one)
	}
	return found, left, nil
}

// batchWrite is a part of BatchWriteItem: one of the two.
type batchWrite struct {
	PutRequest    *struct{ Item item } `json:",omitempty"`
	DeleteRequest *struct{ Key item }  `json:",omitempty"`
}

func (b batchWrite) write(table string) (kind string, w write) {
	if b.PutRequest != nil {
		return put, write{TableName: table, Item: b.PutRequest.Item}
	}
	if b.DeleteRequest != nil {
		return remove, write{TableName: table, Key: b.DeleteRequest.Key}
	}
	return "", write{}
}

type batchWriteResponse struct {
	UnprocessedItems map[string][]batchWrite
}

func (c *Cloud) batchWriteItem(form url.Values, _ string) (any, *refusal) {
	var in struct{ RequestItems map[string][]batchWrite }
	if refused := members(form, &in); refused != nil {
		return nil, refused
	}
	answer := batchWriteResponse{map[string][]batchWrite{}}
	var effects []effect
	seen := map[[2]string]bool{}
	for table, writes := range in.RequestItems {
		for _, b := range writes {
			kind, w := b.write(table)
			f, refused := c.plan(kind, w)
			switch {
			case refused != nil:
				return nil, refused
			case seen[[2]string{table, f.id}]:
				return nil, invalidRequest("Provided list of item keys contains duplicates")
			}
			seen[[2]string{table, f.id}] = true
			if effects = append(effects, f); len(effects) > cmp.Or(c.PageItems, 25) {
				answer.UnprocessedItems[table] = append(answer.UnprocessedItems[table], b)
			}
		}
	}
	if len(effects) == 0 || len(effects) > 25 { // DynamoDB API reference, BatchWriteItem
		return nil, invalidRequest("1 validation error detected: " +
			"Value at 'requestItems' failed to satisfy constraint: between 1 and 25 items")
	}
	for _, f := range effects[:max(0, min(len(effects), cmp.Or(c.PageItems, 25)))] {
		f.apply()
	}
	return answer, nil
}

// cancellationReason says what became of one part of a transaction that was cancelled.
type cancellationReason struct {
	Code    string
	Message string `json:",omitempty"`
	Item    item   `json:",omitempty"`
}

// transaction is one that was done, so that the same token does not do it again.
type transaction struct {
	request string
	at      time.Time
}

// tokenTime is how long a token counts. Source: DynamoDB API reference, TransactWriteItems.
const tokenTime = 10 * time.Minute

// transactWriteItems does all of its writes or none.
func (c *Cloud) transactWriteItems(form url.Values, _ string) (any, *refusal) {
	var in struct {
		TransactItems      []map[string]write
		ClientRequestToken string
	}
	if refused := members(form, &in); refused != nil {
		return nil, refused
	}
	if n := len(in.TransactItems); n == 0 || n > 100 { // DynamoDB API reference, TransactWriteItems
		return nil, invalidRequest("1 validation error detected: " +
			"Value at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100")
	}
	request := form.Get("TransactItems")
	if done, known := c.transactions[in.ClientRequestToken]; known && time.Since(done.at) < tokenTime {
		if done.request != request {
			return nil, refuse("IdempotentParameterMismatchException", "The request uses the same client token as a "+
				"previous, but non-identical request. Do not reuse a client token with different parameters")
		}
		return struct{}{}, nil
	}
	effects, refused := c.planAll(in.TransactItems)
	if refused != nil {
		return nil, refused
	}
	for _, f := range effects {
		f.apply()
	}
	if in.ClientRequestToken != "" {
		if c.transactions == nil {
			c.transactions = map[string]transaction{}
		}
		c.transactions[in.ClientRequestToken] = transaction{request, time.Now()}
	}
	return struct{}{}, nil
}

// planAll works out what a transaction does. It cancels the transaction if a condition does not hold.
func (c *Cloud) planAll(parts []map[string]write) (effects []effect, refused *refusal) {
	reasons := make([]cancellationReason, len(parts))
	seen := map[string]bool{}
	for i, part := range parts {
		if len(part) != 1 {
			return nil, invalidRequest("TransactItems can only contain one of Check, Put, Update or Delete")
		}
		for kind, w := range part {
			f, refused := c.plan(kind, w)
			if refused != nil {
				return nil, refused
			}
			id := w.TableName + "\x00" + f.id
			if seen[id] {
				return nil, invalidRequest("Transaction request cannot include multiple operations on one item")
			}
			seen[id] = true
			effects, reasons[i] = append(effects, f), f.reason(w)
		}
	}
	return effects, cancelled(reasons)
}

func (f effect) reason(w write) cancellationReason {
	if f.holds {
		return cancellationReason{Code: "None"}
	}
	r := cancellationReason{Code: "ConditionalCheckFailed", Message: "The conditional request failed"}
	if w.ReturnValuesOnConditionCheckFailure == "ALL_OLD" {
		r.Item = f.old
	}
	return r
}

// cancelled returns the refusal of a transaction with a condition that did not hold.
func cancelled(reasons []cancellationReason) *refusal {
	var codes []string
	failed := false
	for _, r := range reasons {
		codes = append(codes, r.Code)
		failed = failed || r.Code != "None"
	}
	if !failed {
		return nil
	}
	refused := refuse("TransactionCanceledException",
		"Transaction cancelled, please refer cancellation reasons for specific reasons [%s]", strings.Join(codes, ", "))
	refused.reasons = reasons
	return refused
}
