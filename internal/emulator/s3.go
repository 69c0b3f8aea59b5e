package emulator

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// s3Version is the version of S3's API, which no request names.
const s3Version = "2006-03-01"

var simpleStorage = &service{
	name: "s3", version: s3Version, contentType: "application/xml",
	throttled: refusal{
		code: "SlowDown", message: "Please reduce your request rate.", status: http.StatusServiceUnavailable,
	},
	failure: func(r *refusal, requestID string, _ int) any {
		return s3Error{Code: r.code, Message: r.message, RequestID: requestID}
	},
	forbidden: func(*Cloud, string, url.Values) *refusal {
		return &refusal{code: "AccessDenied", message: "Access Denied", status: http.StatusForbidden}
	},
}

// s3Error is an error. Source: Amazon S3 API reference, REST error responses.
type s3Error struct {
	XMLName       xml.Name `xml:"Error"`
	Code, Message string
	RequestID     string `xml:"RequestId"`
}

// object is one version of an object, or the mark of its deletion.
type object struct {
	key     string
	id      string
	at      time.Time
	body    []byte
	deleted bool
}

func (o *object) etag() string { return fmt.Sprintf(`"%.32s"`, digest(string(o.body), 0)) }

// objectAnswer is an answer with an object's bytes, or with none.
type objectAnswer struct {
	body   []byte
	header map[string]string
}

// AddBucket makes a bucket that keeps all versions of its objects.
func (c *Cloud) AddBucket(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.buckets == nil {
		c.buckets = map[string][]*object{}
	}
	c.buckets[name] = nil
}

// isS3 reports whether a request is one of S3's, by its signature.
func isS3(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Authorization"), "/s3/aws4_request")
}

// parseS3 brings a request of S3's, with the bucket in the path, into the form of the others.
func parseS3(r *http.Request) (url.Values, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the request: %w", err)
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	query := r.URL.Query()
	form := url.Values{
		"Version": {s3Version}, "Bucket": {bucket}, "Key": {key}, "Body": {string(body)},
		"VersionId": {query.Get("versionId")}, "Prefix": {query.Get("prefix")},
		"IfMatch": {r.Header.Get("If-Match")}, "IfNoneMatch": {r.Header.Get("If-None-Match")},
	}
	action := map[string]string{
		http.MethodGet: "GetObject", http.MethodPut: "PutObject", http.MethodDelete: "DeleteObject",
	}[r.Method]
	if query.Has("versions") && key == "" {
		action = "ListObjectVersions"
	}
	form.Set("Action", action)
	return form, nil
}

// latest returns the last version of an object, nil for none.
func (c *Cloud) latest(form url.Values) *object {
	all := c.buckets[form.Get("Bucket")]
	for _, o := range slices.Backward(all) {
		if o.key == form.Get("Key") {
			return o
		}
	}
	return nil
}

var noSuchKey = refusal{code: "NoSuchKey", message: "The specified key does not exist.", status: http.StatusNotFound}

func (c *Cloud) getObject(form url.Values, _ string) (any, *refusal) {
	found := c.latest(form)
	if id := form.Get("VersionId"); id != "" {
		all := c.buckets[form.Get("Bucket")]
		i := slices.IndexFunc(all, func(o *object) bool { return o.id == id && o.key == form.Get("Key") })
		if i < 0 {
			message := "The specified version does not exist."
			return nil, &refusal{code: "NoSuchVersion", message: message, status: http.StatusNotFound}
		}
		found = all[i]
	}
	switch {
	case found == nil || found.deleted:
		return nil, &noSuchKey
	case form.Get("IfNoneMatch") == found.etag():
		return nil, &refusal{code: "NotModified", status: http.StatusNotModified}
	}
	return objectAnswer{found.body, map[string]string{"Etag": found.etag(), "X-Amz-Version-Id": found.id}}, nil
}

func (c *Cloud) putObject(form url.Values, _ string) (any, *refusal) {
	bucket := form.Get("Bucket")
	was := c.latest(form)
	if _, there := c.buckets[bucket]; !there {
		message := "The specified bucket does not exist"
		return nil, &refusal{code: "NoSuchBucket", message: message, status: http.StatusNotFound}
	}
	if tag := form.Get("IfMatch"); tag != "" && (was == nil || was.etag() != tag) {
		message := "At least one of the pre-conditions you specified did not hold"
		return nil, &refusal{code: "PreconditionFailed", message: message, status: http.StatusPreconditionFailed}
	}
	o := &object{key: form.Get("Key"), id: digest("version", c.next())[:32], at: time.Now()}
	o.body = []byte(form.Get("Body"))
	c.buckets[bucket] = append(c.buckets[bucket], o)
	return objectAnswer{nil, map[string]string{"Etag": o.etag(), "X-Amz-Version-Id": o.id}}, nil
}

func (c *Cloud) deleteObject(form url.Values, _ string) (any, *refusal) {
	bucket := form.Get("Bucket")
	mark := &object{key: form.Get("Key"), id: digest("version", c.next())[:32], at: time.Now(), deleted: true}
	c.buckets[bucket] = append(c.buckets[bucket], mark)
	return objectAnswer{nil, map[string]string{"X-Amz-Delete-Marker": "true", "X-Amz-Version-Id": mark.id}}, nil
}

type versionItem struct {
	Key          string
	VersionID    string `xml:"VersionId"`
	IsLatest     bool
	LastModified string
}

type listVersionsResponse struct {
	XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListVersionsResult"`
	Name, Prefix          string
	IsTruncated           bool
	Version, DeleteMarker []versionItem
}

// listObjectVersions lists objects by key, the versions of each from the newest to the oldest.
func (c *Cloud) listObjectVersions(form url.Values, _ string) (any, *refusal) {
	answer := listVersionsResponse{Name: form.Get("Bucket"), Prefix: form.Get("Prefix")}
	all := slices.Clone(c.buckets[form.Get("Bucket")])
	slices.Reverse(all)
	slices.SortStableFunc(all, func(a, b *object) int { return strings.Compare(a.key, b.key) })
	for i, o := range all {
		if !strings.HasPrefix(o.key, answer.Prefix) {
			continue
		}
		latest := i == 0 || all[i-1].key != o.key
		item := versionItem{o.key, o.id, latest, o.at.UTC().Format("2006-01-02T15:04:05.000Z")}
		if o.deleted {
			answer.DeleteMarker = append(answer.DeleteMarker, item)
		} else {
			answer.Version = append(answer.Version, item)
		}
	}
	return answer, nil
}

// DeleteObject marks an object as deleted. Its versions stay.
func (c *Cloud) DeleteObject(bucket, key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = c.deleteObject(url.Values{"Bucket": {bucket}, "Key": {key}}, "") // which cannot fail
}
