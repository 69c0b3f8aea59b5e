// Command bare is a Lambda function that reads the connections of an endpoint as fast as net/http can, and understands
// nothing of them but the token of the next page: what listing costs at least, to measure the handler against.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() { lambda.Start(read) }

// read returns how many pages the endpoint has.
func read(ctx context.Context, endpointID string) (pages int, err error) {
	form := url.Values{"Action": {"DescribeClientVpnConnections"}, "ClientVpnEndpointId": {endpointID}, "MaxResults": {"1000"}, "Version": {"2016-11-15"}}
	var body bytes.Buffer
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, os.Getenv("AWS_ENDPOINT_URL"), strings.NewReader(form.Encode()))
		if err != nil {
			return pages, err
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return pages, err
		}
		body.Reset()
		_, err = io.Copy(&body, answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK {
			return pages, fmt.Errorf("page %d: %s, %w", pages+1, answer.Status, err)
		}
		pages++
		_, after, more := bytes.Cut(body.Bytes(), []byte("<nextToken>"))
		if !more {
			return pages, nil
		}
		token, _, _ := bytes.Cut(after, []byte("<"))
		form.Set("NextToken", string(token))
	}
}
