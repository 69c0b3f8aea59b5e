package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/dynamo"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Every item has the key "id", its content in the map "known", and "expires_at" in seconds since 1970 if it may be
// deleted one day. An id begins with what the item is about: a person, a person's other name, an event, a brake or a
// source.
const (
	personPrefix = "person#"
	eventPrefix  = "event#"
	brakePrefix  = "brake#"
	sourcePrefix = "source#"
	namePrefix   = "name#"
	sweepID      = "sweep#last"
)

// content is what an item knows. Values are texts, and maps of them.
type content = dynamo.Item

// collisions is how often a change is tried anew because another instance changed the item in between.
const collisions = 10

// longestID is how many bytes an id may have. Source: Amazon DynamoDB developer guide, quotas: 2,048 for a partition
// key.
const longestID = 2048

func key(id string) dynamo.Item {
	return dynamo.Item{"id": text(id)}
}

// load reads items by consistent reads, 100 at a time. An item that is not there is not in the result. Nor is one whose
// id is too long, since nobody can write it. With an error, the result has the items that could be read.
func (t *Table) load(ctx context.Context, ids []string) (map[string]content, error) {
	if t.memory != nil {
		return t.memory.load(ids), nil
	}
	var keys []dynamo.Item
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) { // DynamoDB refuses to be asked twice
		if len(id) <= longestID {
			keys = append(keys, key(id))
		}
	}
	all := map[string]content{}
	var unreadable error
	for wait := 25 * time.Millisecond; len(keys) > 0; wait *= 2 {
		// Source: DynamoDB API reference, BatchGetItem: at most 100 items.
		ask := keys[:min(len(keys), 100)]
		keys = keys[len(ask):]
		output, err := t.api.BatchGetItem(ctx, &dynamo.BatchGetItemInput{
			RequestItems: map[string]dynamo.KeysAndAttributes{t.name: {Keys: ask, ConsistentRead: aws.Bool(true)}},
		})
		if err != nil {
			return all, fmt.Errorf("reading %s: %w", t.name, t.permission(err, "BatchGetItem"))
		}
		for _, item := range output.Responses[t.name] {
			if err := collect(all, item); err != nil {
				unreadable = fmt.Errorf("reading %s: %w", t.name, err)
			}
		}
		if left := output.UnprocessedKeys[t.name].Keys; len(left) > 0 {
			keys = append(keys, left...)
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return all, fmt.Errorf("reading %s: throttled: %w", t.name, ctx.Err())
			}
		}
	}
	return all, unreadable
}

// collect adds an item to all under its id.
func collect(all map[string]content, item dynamo.Item) error {
	r := reader{}
	id := r.text("id", item["id"])
	known := r.fields("known", item["known"])
	if r.err != nil && id != switchID { // which is off however it was written
		return fmt.Errorf("the item %q: %w", id, r.err)
	}
	all[id] = known
	return nil
}

// edit changes an item's content, or returns false to leave it. It may be called several times. The time is when
// DynamoDB may delete the item; zero is never.
type edit func(content) (next content, expires time.Time, err error)

// change writes what edit makes of an item, on the condition that the item is still what edit was shown. It first shows
// that there is none; a refusal brings what there is. An edit that returns a nil content leaves the item as it is.
func (t *Table) change(ctx context.Context, id string, edit edit) error {
	if len(id) > longestID {
		return fmt.Errorf("writing %s: an id of %d bytes is too long", t.name, len(id))
	}
	if t.memory != nil {
		return t.memory.change(id, edit)
	}
	var known content
	for range collisions {
		next, expires, err := edit(known)
		if next == nil || err != nil {
			return err
		}
		_, err = t.api.UpdateItem(ctx, t.update(id, known, next, expires))
		other, refused := errors.AsType[*dynamo.ConditionalCheckFailedException](err)
		if err == nil || !refused {
			return t.writing(err)
		}
		r := reader{}
		known = r.fields("known", other.Item["known"])
		if r.err != nil {
			return t.writing(fmt.Errorf("the item %q: %w", id, r.err))
		}
	}
	return fmt.Errorf("writing %s: others change %s again and again", t.name, id)
}

// update is the request that replaces what an item knows.
func (t *Table) update(id string, known, next content, expires time.Time) *dynamo.UpdateItemInput {
	input := &dynamo.UpdateItemInput{
		TableName: &t.name, Key: key(id),
		ConditionExpression:                 aws.String("attribute_not_exists(known)"),
		UpdateExpression:                    aws.String("SET known = :known REMOVE expires_at"),
		ExpressionAttributeValues:           dynamo.Item{":known": dynamo.M(next)},
		ReturnValuesOnConditionCheckFailure: dynamo.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if known != nil {
		input.ConditionExpression = aws.String("known = :was")
		input.ExpressionAttributeValues[":was"] = dynamo.M(known)
	}
	if !expires.IsZero() {
		input.UpdateExpression = aws.String("SET known = :known, expires_at = :expires_at")
		input.ExpressionAttributeValues[":expires_at"] = dynamo.N(fmt.Sprint(expires.Unix()))
	}
	return input
}

func (t *Table) writing(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("writing %s: %w", t.name, t.permission(err, "UpdateItem"))
}

// scan yields every item whose id begins with prefix, by consistent reads.
func (t *Table) scan(ctx context.Context, prefix string, visit func(id string, known content) error) error {
	if t.memory != nil {
		return t.memory.scan(prefix, visit)
	}
	pages := dynamo.NewScanPaginator(t.api, &dynamo.ScanInput{TableName: &t.name, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("listing %s: %w", t.name, t.permission(err, "Scan"))
		}
		for _, item := range page.Items {
			all := map[string]content{}
			if err := collect(all, item); err != nil {
				return fmt.Errorf("listing %s: %w", t.name, err)
			}
			for id, known := range all {
				if !strings.HasPrefix(id, prefix) {
					continue
				}
				if err := visit(id, known); err != nil {
					return fmt.Errorf("listing %s: %w", t.name, err)
				}
			}
		}
	}
	return nil
}

// nobody is a person that there cannot be. Source: [signal.Name].
const nobody = personPrefix + "-"

// Probe finds out whether the table can be read and written, and writes nothing.
func (t *Table) Probe(ctx context.Context) error {
	if t.memory != nil {
		return nil
	}
	_, err := t.load(ctx, []string{nobody})
	// Nobody's item is not there, so this condition never holds. DynamoDB asks for the permission first.
	_, writing := t.api.UpdateItem(ctx, t.update(nobody, content{}, content{}, time.Time{}))
	if _, refused := errors.AsType[*dynamo.ConditionalCheckFailedException](writing); refused {
		return err
	}
	if writing == nil {
		writing = errors.New("DynamoDB passed over a condition")
	}
	return errors.Join(err, t.writing(writing))
}
