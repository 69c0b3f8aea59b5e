package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// unreadableError says what is wrong with a record of Microsoft's. Another try would find the same.
type unreadableError struct{ error }

// read reads a part of a record. Its error is an [unreadableError].
func read(raw json.RawMessage, out any) error {
	if bytes.Equal(raw, []byte("null")) {
		return unreadableError{errors.New("is null")}
	}
	err := json.Unmarshal(raw, out)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		err = fmt.Errorf("%s is of the wrong type: %s", cmp.Or(wrong.Field, "the value"), wrong.Value)
	}
	if err != nil {
		return unreadableError{err}
	}
	return nil
}

// place is where a record was: in a list, after a cursor.
type place struct {
	list  string
	index int
	after string
}

// setAside puts a record that cannot be read into the queue with its bytes, and reports it. There it becomes a dead
// letter, and the alarm sounds. The poll goes on. A list that fails behind the record is read again every minute. The
// record makes another dead letter after half an hour at the soonest. Any other error comes back.
func (r *poll) setAside(ctx context.Context, p place, raw json.RawMessage, err error, at time.Time) error {
	if _, unreadable := errors.AsType[unreadableError](err); !unreadable {
		return err
	}
	id := fmt.Sprintf("unreadable %x", sha256.Sum256(slices.Concat([]byte(p.list+"\n"+p.after+"\n"), raw)))
	if _, done := r.cursor.Sent[id]; done {
		return nil
	}
	why := fmt.Sprintf("%s, record %d: %s", p.list, p.index, err)
	r.log.Error("a record cannot be read, and becomes a dead letter", "error", why)
	said, err := json.Marshal(why)
	if err != nil {
		return err
	}
	if err := r.send(ctx, map[string]json.RawMessage{"unreadable": said, "record": raw}, p.after, at); err != nil {
		return err
	}
	r.cursor.Sent[id] = time.Now()
	return nil
}
