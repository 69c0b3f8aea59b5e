package awsjson

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Objects reads and writes objects of Amazon S3, in buckets of the configuration's Region. Keys may have letters,
// digits and the signs /_.- only. It can be used from several goroutines.
type Objects struct{ *Client }

// NewObjects returns a client of Amazon S3.
func NewObjects(cfg aws.Config) *Objects {
	cfg.APIOptions = append(slices.Clone(cfg.APIOptions), v4.AddContentSHA256HeaderMiddleware)
	c := New(cfg, Service{ID: "S3", Name: "s3"})
	// Source: AWS IAM user guide, "Create a signed AWS API request": S3's paths are encoded once.
	c.signer = v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	return &Objects{c}
}

// Object is a version of an object.
type Object struct {
	Body    []byte
	Version string // empty in a bucket without versions
	ETag    string // of the content, for [Objects.Get] and [Objects.Put]
}

// ErrNotModified says that an object is still the one with the ETag that was named.
var ErrNotModified = errors.New("the object has not changed")

// Get reads an object: a version, or the latest for "". With an ETag of the latest, it returns [ErrNotModified].
func (o *Objects) Get(ctx context.Context, bucket, key, version, etag string) (Object, error) {
	r := rest{method: http.MethodGet, path: bucket + "/" + key, header: http.Header{}, query: url.Values{}}
	if version != "" {
		r.query.Set("versionId", version)
	}
	if etag != "" {
		r.header.Set("If-None-Match", etag)
	}
	response, err := o.do(ctx, "GetObject", r)
	var answered *Error
	if errors.As(err, &answered) && answered.Code == notModified {
		return Object{}, ErrNotModified
	}
	if err != nil {
		return Object{}, err
	}
	return Object{response.body, response.header.Get("X-Amz-Version-Id"), response.header.Get("Etag")}, nil
}

// Put writes an object, and returns its version. With an ETag, it replaces only the object that has it.
func (o *Objects) Put(ctx context.Context, bucket, key string, body []byte, etag string) (version string, err error) {
	r := rest{method: http.MethodPut, path: bucket + "/" + key, header: http.Header{}, body: body}
	if etag != "" {
		r.header.Set("If-Match", etag)
	}
	response, err := o.do(ctx, "PutObject", r)
	if err != nil {
		return "", err
	}
	return response.header.Get("X-Amz-Version-Id"), nil
}

// Version is one version of an object, or the mark of its deletion.
type Version struct {
	Key          string
	VersionID    string `xml:"VersionId"`
	LastModified time.Time
	Deleted      bool `xml:"-"`
}

// Versions lists the latest 1,000 versions of the objects whose keys begin with prefix.
func (o *Objects) Versions(ctx context.Context, bucket, prefix string) ([]Version, error) {
	query := url.Values{"versions": {""}, "prefix": {prefix}}
	r := rest{method: http.MethodGet, path: bucket, query: query, header: http.Header{}}
	response, err := o.do(ctx, "ListObjectVersions", r)
	if err != nil {
		return nil, err
	}
	var list struct {
		Version, DeleteMarker []Version
	}
	if err := xml.Unmarshal(response.body, &list); err != nil {
		return nil, fmt.Errorf("listing versions of %s in %s: %w", prefix, bucket, err)
	}
	for _, mark := range list.DeleteMarker {
		mark.Deleted = true
		list.Version = append(list.Version, mark)
	}
	return list.Version, nil
}

// do carries out a request.
func (o *Objects) do(ctx context.Context, operation string, r rest) (answer rest, err error) {
	err = o.send(ctx, operation, o.writeRest(r), readRest(&answer, objectFailure))
	return answer, err
}

// notModified is the code of an answer without an error document.
const notModified = "NotModified"

// objectFailure reads an error. Source: Amazon S3 API reference, REST error responses.
func objectFailure(response *smithyhttp.Response, body []byte) *Error {
	status := response.StatusCode
	var answered struct{ Code, Message string }
	_ = xml.Unmarshal(body, &answered) // whatever it is, it is an error
	e := &Error{Body: body}
	e.Code, e.Message, e.Fault = answered.Code, answered.Message, smithy.FaultClient
	switch {
	case status == http.StatusNotModified:
		e.Code = notModified
	case e.Code == "":
		e.Code = http.StatusText(status)
	}
	if status >= http.StatusInternalServerError {
		e.Fault = smithy.FaultServer
	}
	return e
}
