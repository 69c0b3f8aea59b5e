package ledger

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"
)

// doorPrefix begins the items that the doors may write, and no other: their roles say so.
const doorPrefix = "door#"

// Once records that a token was used with a body, and reports whether this is its only body so far. The same body may
// come again, since a sender repeats a request that had no answer. The record is kept until expires.
func (t *Table) Once(ctx context.Context, token, body string, expires time.Time) (only bool, err error) {
	id := fmt.Sprintf("%stoken#%x", doorPrefix, sha256.Sum256([]byte(token)))
	err = t.change(ctx, id, func(known content) (content, time.Time, error) {
		r := reader{}
		before := r.text("body", known["body"])
		only = r.err == nil && (before == "" || before == body)
		if before != "" {
			return nil, time.Time{}, nil
		}
		return members(map[string]string{"body": body}), expires, nil
	})
	return only, err
}
