// Command bare is a Lambda function that reads the connections of an endpoint as fast as net/http can. It understands
// only the token of the next page. So it shows what listing costs at least, to measure the handler against.
package main

import (
	"bytes"
	"context"
	"errors"
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
	form := url.Values{
		"Action": {"DescribeClientVpnConnections"}, "Version": {"2016-11-15"},
		"ClientVpnEndpointId": {endpointID}, "MaxResults": {"1000"},
	}
	var page bytes.Buffer
	for {
		if err := readPage(ctx, form, &page); err != nil {
			return pages, fmt.Errorf("page %d: %w", pages+1, err)
		}
		pages++
		_, after, more := bytes.Cut(page.Bytes(), []byte("<nextToken>"))
		if !more {
			return pages, nil
		}
		token, _, _ := bytes.Cut(after, []byte("<"))
		form.Set("NextToken", string(token))
	}
}

// readPage reads one page.
func readPage(ctx context.Context, form url.Values, page *bytes.Buffer) error {
	body := strings.NewReader(form.Encode())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, os.Getenv("AWS_ENDPOINT_URL"), body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	page.Reset()
	if _, err := io.Copy(page, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return nil
}
