// Package transport helps the HTTP client that the AWS SDK is used with in a Lambda function.
//
// It promises that an answer which has come is read to its end, however short of CPU the function is.
package transport

import (
	"bytes"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Whole gives a client that reads answers to their end. It belongs around the client that the SDK's configuration has made, which
// gives its own a certificate authority (AWS_CA_BUNDLE) and takes no other for that.
func Whole(client aws.HTTPClient) aws.HTTPClient { return ownBody{client} }

// ownBody sends requests with a body of its own. The SDK closes the body that it gave as soon as the header of the answer
// is there; where net/http has not seen the body's end by then, it takes that for a failure to send and drops the rest of
// the answer, and the SDK asks again. A function that is short of CPU can be slow enough to meet this.
type ownBody struct{ aws.HTTPClient }

func (c ownBody) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return c.HTTPClient.Do(r)
}
