package policysource

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/awsjson"
	"clientvpn-responder/internal/lazyregexp"
	"clientvpn-responder/internal/policy"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Location is where a policy is in Amazon S3.
type Location struct{ Bucket, Key string }

// location has the buckets' names and the keys that can be used.
// Source: Amazon S3 user guide, bucket naming rules and object key naming guidelines.
var location = lazyregexp.New(`^s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/([A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*)$`)

// ParseLocation reads a location such as s3://bucket/policy.yaml.
func ParseLocation(s string) (Location, error) {
	m := location().FindStringSubmatch(s)
	if m == nil {
		return Location{}, fmt.Errorf("%q is not the place of a policy, like s3://bucket/policy.yaml", s)
	}
	return Location{m[1], m[2]}, nil
}

// String returns the location as it is written.
func (l Location) String() string { return "s3://" + l.Bucket + "/" + l.Key }

// Store reads and changes the policy at a location.
type Store struct {
	objects *awsjson.Objects
	at      Location
}

// Open returns the store of the policy at a location.
func Open(cfg aws.Config, at Location) *Store { return &Store{awsjson.NewObjects(cfg), at} }

// Document is a policy's text, and its version.
type Document struct {
	Text    []byte
	Version string // S3's
	etag    string
}

// ErrNone says that no policy is there.
var ErrNone = errors.New("there is no policy yet")

// Get returns the latest document, whether it is a good policy or not. The error is [ErrNone] if there is none.
func (s *Store) Get(ctx context.Context) (Document, error) {
	object, err := s.objects.Get(ctx, s.at.Bucket, s.at.Key, "", "")
	if isMissing(err) {
		return Document{}, ErrNone
	}
	if err != nil {
		return Document{}, fmt.Errorf("reading %s: %w", s.at, err)
	}
	return Document{object.Body, object.Version, object.ETag}, nil
}

// Put replaces a document, which may be the zero one, by another. It refuses a policy that cannot be read, with the
// error of [policy.ParseWith]; the files beside it are those that are there. If somebody has changed the policy since
// before was read, S3 refuses. It returns the new version.
func (s *Store) Put(ctx context.Context, before Document, text []byte) (version string, err error) {
	if _, err := policy.ParseWith(path.Base(s.at.Key), text, func(name string) ([]byte, error) {
		file, err := s.objects.Get(ctx, s.at.Bucket, s.beside(name), "", "")
		return file.Body, err
	}); err != nil {
		return "", err
	}
	version, err = s.objects.Put(ctx, s.at.Bucket, s.at.Key, text, before.etag)
	if err != nil {
		return "", fmt.Errorf("writing %s: %w", s.at, err)
	}
	return version, nil
}

// PutBeside writes a file beside the policy, such as the one of its aliases.
func (s *Store) PutBeside(ctx context.Context, name string, content []byte) error {
	if _, err := s.objects.Put(ctx, s.at.Bucket, s.beside(name), content, ""); err != nil {
		return fmt.Errorf("writing %s beside %s: %w", name, s.at, err)
	}
	return nil
}

func (s *Store) beside(name string) string { return path.Join(path.Dir(s.at.Key), path.Base(name)) }

// besides returns the keys of the files beside the policy that were read.
func (s *Store) besides(found map[string]awsjson.Object) []string {
	var keys []string
	for key := range found {
		if key != s.at.Key {
			keys = append(keys, key)
		}
	}
	return keys
}

func isMissing(err error) bool {
	var answered *awsjson.Error
	return errors.As(err, &answered) && answered.Code == "NoSuchKey"
}

// mostMoments bounds how many earlier policies are tried.
const mostMoments = 20

// moment is what was in force at a time: the version of each object.
type moment struct {
	at       time.Time
	versions map[string]string // by key
}

// moments returns what was in force, newest first, each time that something changed.
func (s *Store) moments(ctx context.Context) ([]moment, error) {
	prefix := strings.TrimSuffix(s.at.Key, path.Base(s.at.Key))
	all, err := s.objects.Versions(ctx, s.at.Bucket, prefix)
	if err != nil {
		return nil, fmt.Errorf("listing the versions of %s: %w", s.at, err)
	}
	all = slices.DeleteFunc(all, func(v awsjson.Version) bool { return path.Dir(v.Key) != path.Dir(s.at.Key) })
	if !slices.ContainsFunc(all, func(v awsjson.Version) bool { return v.Key == s.at.Key }) {
		return nil, nil
	}
	slices.SortStableFunc(all, func(a, b awsjson.Version) int {
		return cmp.Compare(a.LastModified.UnixNano(), b.LastModified.UnixNano())
	})
	var found []moment
	now := map[string]string{}
	for _, v := range all {
		if delete(now, v.Key); !v.Deleted {
			now[v.Key] = v.VersionID
		}
		found = append(found, moment{v.LastModified, maps.Clone(now)})
	}
	slices.Reverse(found)
	return found[:min(len(found), mostMoments)], nil
}

// load returns the policy of the moment, which is nil if there was no good one. The error is S3's.
func (m moment) load(ctx context.Context, s *Store) (InForce, error) {
	var failed error
	get := func(key string) ([]byte, error) {
		version, there := m.versions[key]
		if !there {
			return nil, ErrNone
		}
		object, err := s.objects.Get(ctx, s.at.Bucket, key, version, "")
		failed = cmp.Or(failed, err)
		return object.Body, err
	}
	text, err := get(s.at.Key)
	if err != nil {
		return InForce{}, failed
	}
	rules, err := policy.ParseWith(s.at.String(), text, func(name string) ([]byte, error) { return get(s.beside(name)) })
	if err != nil {
		return InForce{}, failed
	}
	return InForce{Policy: rules, Hash: hash(text), Version: m.versions[s.at.Key]}, nil
}
