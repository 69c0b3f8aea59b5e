// Package ledger keeps the list of people who may not connect, and until when, in a DynamoDB table.
//
// It promises that two who write at once lose nothing of each other, that nothing shortens the time for which somebody is
// kept out but a reinstatement, and that the order in which events arrive does not matter: what happened before a
// reinstatement puts nobody back on the list. Whoever's time is up is not on the list, even if DynamoDB still keeps the item.
package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// api is what is used of DynamoDB.
type api interface {
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
}

// Cause says who put a person on the list, which decides who may take it off.
type Cause string

// The causes. What an identity provider's event put there (Deprovisioning), its reinstatement lifts; what GuardDuty (Finding)
// or our own form (Request) put there, only our own form lifts, or somebody by hand.
const (
	Deprovisioning Cause = "deprovisioning"
	Finding        Cause = "finding"
	Request        Cause = "request"
)

// Entry is why and until when one person is kept out, for one cause.
type Entry struct {
	// Person is the folded name that stands for all names of the person, as [policy.Policy.People] gives it.
	Person string `json:"person"`
	Cause  Cause  `json:"cause"`
	// Reason is kept up to 1,000 bytes.
	Reason string `json:"reason"`
	// OutcomeID is the provider and the id of the signal, as the outcome has them.
	OutcomeID string `json:"outcome_id"`
	// By is who or what asked.
	By string `json:"by"`
	// Since is when the person was put on the list; zero is now.
	Since time.Time `json:"since"`
	// EventAt is when it happened, as the event says; zero is Since. A reinstatement lifts only what is older.
	EventAt time.Time `json:"event_at"`
	// Until is the end; zero is for ever.
	Until time.Time `json:"until"`
}

// Holds reports whether the entry keeps anybody out at a time.
func (e Entry) Holds(now time.Time) bool { return e.Until.IsZero() || now.Before(e.Until) }

// Lift is a reinstatement.
type Lift struct {
	Causes     []Cause // what it may lift
	By, Reason string
	At         time.Time // when it happened, as the event says; zero is now
}

// Lifts reports whether the reinstatement takes the entry off the list.
func (l Lift) Lifts(e Entry) bool {
	return slices.Contains(l.Causes, e.Cause) && e.EventAt.Before(l.At)
}

// ErrLifted says that somebody was reinstated after what should keep the person out.
var ErrLifted = errors.New("reinstated since")

// Table is the list. It may be used by several goroutines.
type Table struct {
	api  api
	name string
}

// ValidName reports whether a table can be called so. Source: Amazon DynamoDB developer guide, naming rules.
func ValidName(table string) bool {
	const signs = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
	return len(table) >= 3 && len(table) <= 255 && strings.Trim(table, signs) == ""
}

// New gives the list in the table of that name.
func New(cfg aws.Config, name string) *Table { return &Table{dynamodb.NewFromConfig(cfg), name} }

// remembered is how long an item is kept after its last end and its last change: an event can wait four days in the queue, and fourteen more as a
// dead letter, and must still find the reinstatement that came after it.
const remembered = 30 * 24 * time.Hour

const longestReason = 1000 // bytes

// Put keeps a person out, and gives the end that is then in force, of all causes together; zero is for ever. It never
// shortens what is there. The error is [ErrLifted] if the person was reinstated after e.EventAt, and DynamoDB's otherwise.
func (t *Table) Put(ctx context.Context, e Entry) (until time.Time, err error) {
	e.Since = cmp.Or(e.Since, time.Now())
	e.EventAt = cmp.Or(e.EventAt, e.Since)
	err = t.change(ctx, key(e.Person), e.Person, func(known history) (bool, error) {
		r := known[e.Cause]
		if r.lifted.at.After(e.EventAt) {
			return false, fmt.Errorf("keeping out %s: %w, by %s at %s", e.Person, ErrLifted, r.lifted.by, stamp(r.lifted.at))
		}
		put := e
		old := r.entry
		gains := old == nil || later(e.Until, old.Until)
		if !gains {
			put = *old
		}
		moved := old == nil || e.EventAt.After(old.EventAt)
		if !moved {
			put.EventAt = old.EventAt
		} else {
			put.EventAt = e.EventAt
		}
		r.entry = &put
		known[e.Cause] = r
		until = known.end()
		return gains || moved, nil
	})
	return until, err
}

// Withdraw takes back what [Table.Put] put on the list, if nothing has changed it since. What that had replaced does not come back.
func (t *Table) Withdraw(ctx context.Context, e Entry) error {
	// The guess is what Put has written for somebody who was not on the list.
	guess := key(e.Person)
	guess["causes"] = history{e.Cause: {entry: &e}}.encode(e.Person)
	return t.change(ctx, guess, e.Person, func(known history) (bool, error) {
		r := known[e.Cause]
		if r.entry == nil || r.entry.OutcomeID != e.OutcomeID || !r.entry.Since.Equal(e.Since) {
			return false, nil
		}
		r.entry = nil
		known[e.Cause] = r
		return true, nil
	})
}

// Lift takes a person off the list, for the causes that it names and for what happened before it, and leaves a mark, so that an
// older event that arrives late does not put the person back. It gives what it lifted, the same when it is repeated.
func (t *Table) Lift(ctx context.Context, person string, l Lift) (lifted []Entry, err error) {
	now := time.Now()
	l.At = cmp.Or(l.At, now)
	err = t.change(ctx, key(person), person, func(known history) (changed bool, _ error) {
		lifted = nil
		for _, cause := range l.Causes {
			r := known[cause]
			if l.At.After(r.lifted.at) {
				r.lifted = mark{at: l.At, by: l.By, reason: l.Reason}
				if e := r.entry; e != nil && l.Lifts(*e) {
					r.entry = nil
					if e.Holds(now) {
						r.lifted.was = e
					}
				}
				known[cause] = r
				changed = true
			}
			if r.lifted.at.Equal(l.At) && r.lifted.was != nil {
				lifted = append(lifted, *r.lifted.was)
			}
		}
		return changed, nil
	})
	return lifted, err
}

// Find gives the entries that hold now of people who may be on the list, by one consistent read.
func (t *Table) Find(ctx context.Context, people []string) ([]Entry, error) {
	var keys []map[string]types.AttributeValue
	for _, person := range slices.Compact(slices.Sorted(slices.Values(people))) { // DynamoDB refuses to be asked twice
		if person != "" {
			keys = append(keys, key(person))
		}
	}
	var all []Entry
	for wait := 25 * time.Millisecond; len(keys) > 0; wait *= 2 {
		// Source: DynamoDB API reference, BatchGetItem: at most 100 items.
		ask := keys[:min(len(keys), 100)]
		keys = keys[len(ask):]
		output, err := t.api.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{t.name: {Keys: ask, ConsistentRead: aws.Bool(true)}},
		})
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", t.name, t.permission(err, "BatchGetItem"))
		}
		for _, items := range output.Responses {
			if all, err = holding(all, items); err != nil {
				return nil, fmt.Errorf("reading %s: %w", t.name, err)
			}
		}
		if left := output.UnprocessedKeys[t.name].Keys; len(left) > 0 {
			keys = append(keys, left...)
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return nil, fmt.Errorf("reading %s: throttled: %w", t.name, ctx.Err())
			}
		}
	}
	return all, nil
}

// List gives all entries that hold now, by a consistent read, sorted by person and cause.
func (t *Table) List(ctx context.Context) ([]Entry, error) {
	var all []Entry
	for p := dynamodb.NewScanPaginator(t.api, &dynamodb.ScanInput{TableName: &t.name, ConsistentRead: aws.Bool(true)}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err == nil {
			all, err = holding(all, page.Items)
		}
		if err != nil {
			return nil, fmt.Errorf("listing %s: %w", t.name, t.permission(err, "Scan"))
		}
	}
	slices.SortFunc(all, func(a, b Entry) int { return cmp.Or(cmp.Compare(a.Person, b.Person), cmp.Compare(a.Cause, b.Cause)) })
	return all, nil
}

// holding appends the entries of items that hold now.
func holding(all []Entry, items []map[string]types.AttributeValue) ([]Entry, error) {
	now := time.Now()
	for _, item := range items {
		known, err := decode(item)
		if err != nil {
			return nil, err
		}
		for _, cause := range known.causes() {
			if e := known[cause].entry; e != nil && e.Holds(now) {
				all = append(all, *e)
			}
		}
	}
	return all, nil
}

// collisions is how often a change is tried anew because somebody else changed the person's item in between.
const collisions = 10

// change writes what edit makes of a person's history, on the condition that it is still what edit was shown. That is first
// item, a guess; a refusal brings what there is.
func (t *Table) change(ctx context.Context, item map[string]types.AttributeValue, person string, edit func(history) (changed bool, err error)) error {
	if person == "" {
		return errors.New("keeping out or reinstating nobody")
	}
	for range collisions {
		known, err := decode(item)
		if err != nil {
			return fmt.Errorf("writing %s: %w", t.name, err)
		}
		if changed, err := edit(known); !changed || err != nil {
			return err
		}
		input := &dynamodb.UpdateItemInput{
			TableName: &t.name, Key: key(person),
			ConditionExpression:                 aws.String("attribute_not_exists(causes)"),
			UpdateExpression:                    aws.String("SET causes = :causes REMOVE expires_at"),
			ExpressionAttributeValues:           map[string]types.AttributeValue{":causes": known.encode(person)},
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}
		if was, there := item["causes"]; there {
			input.ConditionExpression = aws.String("causes = :was")
			input.ExpressionAttributeValues[":was"] = was
		}
		if expiry := known.expiry(time.Now()); !expiry.IsZero() {
			input.UpdateExpression = aws.String("SET causes = :causes, expires_at = :expires_at")
			input.ExpressionAttributeValues[":expires_at"] = &types.AttributeValueMemberN{Value: fmt.Sprint(expiry.Unix())}
		}
		_, err = t.api.UpdateItem(ctx, input)
		var other *types.ConditionalCheckFailedException
		switch {
		case err == nil:
			return nil
		case !errors.As(err, &other):
			return fmt.Errorf("writing %s: %w", t.name, t.permission(err, "UpdateItem"))
		case other.Item == nil: // deleted meanwhile
			item = key(person)
		default:
			item = other.Item
		}
	}
	return fmt.Errorf("writing %s: %s is changed by others again and again", t.name, person)
}

// nobody is a person that there cannot be. Source: [signal.Name].
const nobody = "-"

// Probe finds out whether the list can be read and written, and writes nothing.
func (t *Table) Probe(ctx context.Context) error {
	_, err := t.Find(ctx, []string{nobody})
	_, writing := t.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &t.name, Key: key(nobody),
		// Nobody has causes, so this never holds. DynamoDB asks for the permission first.
		ConditionExpression:       aws.String("causes = :causes"),
		UpdateExpression:          aws.String("SET causes = :causes"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":causes": history{}.encode(nobody)},
	})
	if _, refused := errors.AsType[*types.ConditionalCheckFailedException](writing); refused {
		return err
	}
	if writing == nil {
		writing = errors.New("DynamoDB passed over a condition")
	}
	return errors.Join(err, fmt.Errorf("writing %s: %w", t.name, t.permission(writing, "UpdateItem")))
}
