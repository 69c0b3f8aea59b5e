package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"clientvpn-responder/internal/duration"
)

const (
	heardID = doorPrefix + "heard"
	// pollMayFail is how long no poll may succeed before the self-test says so. There is one every minute.
	pollMayFail = 15 * time.Minute
)

// HeardAtDoor records that a door's issuer had something to say, and the silence after which the self-test reports the
// door. It writes at most every ten minutes.
func (t *Table) HeardAtDoor(ctx context.Context, path string, at time.Time, silence time.Duration) error {
	return t.change(ctx, heardID, func(known content) (content, time.Time, error) {
		r := reader{}
		before := r.fields(path, known[path])
		if r.err == nil && at.Sub(r.time("last", before["last"])) < hearEvery &&
			r.text("silence", before["silence"]) == silence.String() {
			return nil, time.Time{}, nil
		}
		next := content{}
		maps.Copy(next, known)
		next[path] = mapOf(members(map[string]string{"last": stamp(at), "silence": silence.String()}))
		return next, time.Time{}, nil
	})
}

// QuietDoors returns a problem for each stream that is silent for too long, and for a poll that does not succeed.
// Until somebody mends them, nobody reports there that a person must lose access.
func (t *Table) QuietDoors(ctx context.Context, now time.Time) (problems []error) {
	const poll = doorPrefix + "poll#entra"
	items, err := t.load(ctx, []string{heardID, poll})
	if err != nil {
		return []error{err}
	}
	r := reader{}
	for _, path := range slices.Sorted(maps.Keys(items[heardID])) {
		door := r.fields(path, items[heardID][path])
		last, limit := r.time(path+".last", door["last"]), r.text(path+".silence", door["silence"])
		if silence, err := time.ParseDuration(limit); err == nil && silence > 0 && now.Sub(last) > silence {
			problems = append(problems, fmt.Errorf("the door %s has heard nothing since %s, which is longer than %s: "+
				"look at the stream with clientvpn ssf status and verify",
				path, last.UTC().Format(time.RFC3339), duration.Short(silence)))
		}
	}
	if known, polled := items[poll]; polled {
		succeeded, problem := r.time("succeeded", known["succeeded"]), r.text("problem", known["problem"])
		if now.Sub(succeeded) > pollMayFail {
			since := "yet"
			if !succeeded.IsZero() {
				since = "since " + succeeded.UTC().Format(time.RFC3339)
			}
			problems = append(problems, fmt.Errorf("no poll of Microsoft Graph has succeeded %s: %s",
				since, cmp.Or(problem, "the function does not run")))
		}
	}
	if r.err != nil {
		problems = append(problems, errors.Join(errors.New("reading what the doors have heard"), r.err))
	}
	return problems
}
