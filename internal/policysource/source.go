// Package policysource keeps the policy in force where it is kept in Amazon S3.
//
// It promises that a policy that cannot be read never replaces one that can. The last good one goes on, in a new
// process, too, and [InForce] says so. It asks S3 once a minute at most. [Store] is the way to change the policy.
package policysource

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"clientvpn-responder/internal/awsjson"
	"clientvpn-responder/internal/policy"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// refresh is how long a policy is in force before S3 is asked for a newer one.
const refresh = time.Minute

// InForce is the policy in force. Without one, Policy is nil and Err says why.
type InForce struct {
	Policy *policy.Policy
	Err    error
	// Hash is the SHA-256 of the policy's bytes, "sha256:…"; empty if they could not be read.
	Hash string
	// Version is S3's version of the policy; empty for the file beside the program.
	Version string
	// Problem says why a newer policy is not in force; nil if this is the newest.
	Problem error
}

// Source returns the policy in force. One goroutine may use it.
type Source struct {
	store   *Store
	file    string // beside the program
	found   map[string]awsjson.Object
	checked time.Time
	inForce InForce
}

// New returns the source of the policy at a location. While nothing was ever put there, the file beside the program
// holds.
func New(cfg aws.Config, at Location, file string) *Source {
	return &Source{store: Open(cfg, at), file: file, found: map[string]awsjson.Object{}}
}

// embedded returns the policy of the file beside the program.
func (s *Source) embedded() InForce {
	rules, err := policy.Load(s.file)
	raw, unreadable := os.ReadFile(s.file)
	if unreadable != nil { // policy.Load reports it
		return InForce{Err: err}
	}
	return InForce{Policy: rules, Err: err, Hash: hash(raw)}
}

func hash(raw []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(raw)) }

// InForce returns the policy in force. It asks S3 for a newer one if the last answer is older than a minute.
func (s *Source) InForce(ctx context.Context) InForce {
	if s.inForce.Policy != nil && time.Since(s.checked) < refresh {
		return s.inForce
	}
	s.checked = time.Now()
	if s.inForce.Policy == nil { // an answer that nothing has changed would be no policy
		clear(s.found)
	}
	next, err := s.newest(ctx)
	switch {
	case err == nil:
		s.inForce = next
	case errors.Is(err, awsjson.ErrNotModified):
	case s.inForce.Version != "":
		s.inForce.Problem = fmt.Errorf("%w; the last good policy goes on", err)
	default:
		s.inForce = s.recover(ctx, err)
	}
	return s.inForce
}

// newest returns the newest policy. The error is [awsjson.ErrNotModified] if nothing has changed since the last time.
func (s *Source) newest(ctx context.Context) (InForce, error) {
	var failed error
	fetch := func(key string) (awsjson.Object, bool) {
		object, unchanged, err := s.fetch(ctx, key)
		failed = cmp.Or(failed, err)
		return object, unchanged
	}
	text, unchanged := fetch(s.store.at.Key)
	for _, key := range s.store.besides(s.found) {
		_, same := fetch(key)
		unchanged = unchanged && same
	}
	if unchanged && failed == nil {
		return InForce{}, awsjson.ErrNotModified
	}
	var rules *policy.Policy
	var wrong error
	if failed == nil {
		rules, wrong = policy.ParseWith(s.store.at.String(), text.Body, func(name string) ([]byte, error) {
			file, _ := fetch(s.store.beside(name))
			return file.Body, failed
		})
	}
	if failed != nil { // so that all is read again the next time
		clear(s.found)
		return InForce{}, failed
	}
	return InForce{Policy: rules, Hash: hash(text.Body), Version: text.Version}, wrong
}

// fetch reads the latest version of an object, and reports whether it is the one that was read before.
func (s *Source) fetch(ctx context.Context, key string) (object awsjson.Object, unchanged bool, err error) {
	known := s.found[key]
	object, err = s.store.objects.Get(ctx, s.store.at.Bucket, key, "", known.ETag)
	switch {
	case errors.Is(err, awsjson.ErrNotModified):
		return known, true, nil
	case err != nil:
		return known, false, fmt.Errorf("reading s3://%s/%s: %w", s.store.at.Bucket, key, err)
	}
	s.found[key] = object
	return object, false, nil
}

// recover returns the last good policy where this process has none yet: of an earlier version, or of the file beside
// the program. If S3 cannot say which that is, there is none.
func (s *Source) recover(ctx context.Context, problem error) InForce {
	moments, err := s.store.moments(ctx)
	if err != nil {
		return InForce{Err: errors.Join(problem, err)}
	}
	if len(moments) == 0 { // nothing was ever put there
		return s.embedded()
	}
	for _, m := range moments {
		good, err := m.load(ctx, s.store)
		switch {
		case err != nil:
			return InForce{Err: errors.Join(problem, err)}
		case good.Policy != nil:
			good.Problem = fmt.Errorf("%w; the policy of %s goes on", problem, m.at.UTC().Format(time.RFC3339))
			return good
		}
	}
	last := s.embedded()
	if last.Err == nil {
		last.Problem = fmt.Errorf("%w; %s beside the program goes on", problem, filepath.Base(s.file))
	}
	return last
}
