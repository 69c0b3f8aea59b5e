package policysource

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"clientvpn-responder/internal/awsjson"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// List keeps in force what a text in Amazon S3 lists. As with a policy, a text that cannot be read never replaces one
// that can. One goroutine may use it.
type List[T any] struct {
	objects *awsjson.Objects
	at      Location
	read    func(name string, text []byte) ([]T, error)
	etag    string
	checked time.Time
	now     Listed[T]
	known   bool // a list was once in force
}

// Listed is the list in force.
type Listed[T any] struct {
	Entries []T
	// Problem says why a newer list is not in force; nil if this is the newest. Where no list is in force, it says why.
	Problem error
	// Err is set if S3 did not say what the list is. Another try may help.
	Err error
}

// NewList returns the list at a location. read reads its text, which it calls by the name.
func NewList[T any](cfg aws.Config, at Location, read func(name string, text []byte) ([]T, error)) *List[T] {
	return &List[T]{objects: awsjson.NewObjects(cfg), at: at, read: read}
}

// InForce returns the list in force. It asks S3 for a newer one if the last answer is older than a minute.
func (l *List[T]) InForce(ctx context.Context) Listed[T] {
	if !l.checked.IsZero() && time.Since(l.checked) < refresh && l.now.Err == nil {
		return l.now
	}
	l.checked = time.Now()
	if l.now.Err != nil { // an answer that nothing has changed would be no list
		l.etag = ""
	}
	entries, err := l.newest(ctx)
	switch {
	case err == nil:
		l.now, l.known = Listed[T]{Entries: entries}, true
	case errors.Is(err, awsjson.ErrNotModified):
	case !l.known:
		l.now = l.recover(ctx, err)
	default:
		l.now.Problem = fmt.Errorf("%w; the last good list goes on", err)
	}
	return l.now
}

// newest reads the newest text. After an error of S3's, all is read again the next time.
func (l *List[T]) newest(ctx context.Context) ([]T, error) {
	object, err := l.objects.Get(ctx, l.at.Bucket, l.at.Key, "", l.etag)
	if err != nil {
		if !errors.Is(err, awsjson.ErrNotModified) {
			l.etag = ""
		}
		return nil, fmt.Errorf("reading %s: %w", l.at, err)
	}
	l.etag = object.ETag
	return l.read(l.at.String(), object.Body)
}

// recover returns the last good list where this process has none yet. problem says why the newest is not in force.
func (l *List[T]) recover(ctx context.Context, problem error) Listed[T] {
	all, err := l.objects.Versions(ctx, l.at.Bucket, l.at.Key)
	if err != nil {
		return Listed[T]{Err: fmt.Errorf("%w; listing its versions: %w", problem, err)}
	}
	all = slices.DeleteFunc(all, func(v awsjson.Version) bool { return v.Key != l.at.Key || v.Deleted })
	slices.SortStableFunc(all, func(a, b awsjson.Version) int {
		return cmp.Compare(b.LastModified.UnixNano(), a.LastModified.UnixNano())
	})
	for _, v := range all[:min(len(all), mostMoments)] {
		object, err := l.objects.Get(ctx, l.at.Bucket, l.at.Key, v.VersionID, "")
		if err != nil {
			return Listed[T]{Err: fmt.Errorf("%w; reading an earlier version: %w", problem, err)}
		}
		if entries, err := l.read(l.at.String(), object.Body); err == nil {
			l.known = true
			when := v.LastModified.UTC().Format(time.RFC3339)
			return Listed[T]{Entries: entries, Problem: fmt.Errorf("%w; the list of %s goes on", problem, when)}
		}
	}
	return Listed[T]{Problem: fmt.Errorf("%w; there is no earlier one", problem)}
}
