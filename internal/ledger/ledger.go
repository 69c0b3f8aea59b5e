// Package ledger remembers what happened, across instances and restarts, in one DynamoDB table. It knows which events
// were answered and how, and who closed and opened each person's access last. It also knows who is kept out, what the
// brake holds, and when each source was last heard.
//
// It promises that two instances that write at once lose nothing of each other, and that only a reinstatement shortens
// a keep-out. The order of arrival does not matter: the later event holds, and of two events of one moment the later
// arrival. An entry whose time is up keeps nobody out, even while DynamoDB still has the item. Without a table,
// [InProcess] keeps the same promises as long as the process lives.
package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"

	"clientvpn-responder/internal/dynamo"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// api has the used calls of DynamoDB.
type api interface {
	BatchGetItem(context.Context, *dynamo.BatchGetItemInput) (*dynamo.BatchGetItemOutput, error)
	Scan(context.Context, *dynamo.ScanInput) (*dynamo.ScanOutput, error)
	UpdateItem(context.Context, *dynamo.UpdateItemInput) (*dynamo.UpdateItemOutput, error)
}

// Table is the ledger. It may be used by several goroutines.
type Table struct {
	api    api
	name   string
	memory *memory // in place of a table; nil where there is one
}

// CheckName returns an error if no table can have this name. Source: Amazon DynamoDB developer guide, naming rules.
func CheckName(table string) error {
	const signs = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
	if len(table) < 3 || len(table) > 255 || strings.Trim(table, signs) != "" {
		return fmt.Errorf("%q is not the name of a DynamoDB table: 3 to 255 letters, digits and the signs _.-", table)
	}
	return nil
}

// New returns the ledger in the table with this name.
func New(cfg aws.Config, name string) *Table {
	return &Table{api: dynamo.NewFromConfig(cfg), name: name}
}

const (
	// GreatestAge is the age above which an event is reported and not acted on. EventBridge delivers for one day, and
	// the queue and the dead letters keep a message for 14 days. An older event comes from an archive, or from a log that
	// was read again.
	GreatestAge = 16 * 24 * time.Hour
	// remembered is how long an item is kept after its last end and its last change. It is longer than GreatestAge, and
	// than the 14 days for which the queue of held events keeps a message. So a late event still finds what came after it.
	remembered = 45 * 24 * time.Hour
)

// clip keeps an item far from DynamoDB's limit of 400 KB.
func clip(s string) string {
	const longest = 1000 // bytes
	if len(s) <= longest {
		return s
	}
	return strings.ToValidUTF8(s[:longest], "")
}
