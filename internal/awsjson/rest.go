package awsjson

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// rest is a request of a REST service, and what it answered.
type rest struct {
	method, path string
	query        url.Values
	header       http.Header
	body         []byte
}

func (c *Client) writeRest(r rest) middleware.SerializeMiddleware {
	return middleware.SerializeMiddlewareFunc("OperationSerializer", func(
		ctx context.Context, input middleware.SerializeInput, next middleware.SerializeHandler,
	) (middleware.SerializeOutput, middleware.Metadata, error) {
		address, err := c.endpoint(ctx)
		request, ok := input.Request.(*smithyhttp.Request)
		if err == nil && !ok {
			err = fmt.Errorf("unknown transport type %T", input.Request)
		}
		if err == nil {
			request, err = request.SetStream(bytes.NewReader(r.body))
		}
		if err != nil {
			return middleware.SerializeOutput{}, middleware.Metadata{}, &smithy.SerializationError{Err: err}
		}
		request.Method, request.URL, request.ContentLength = r.method, address.JoinPath(r.path), int64(len(r.body))
		request.URL.RawQuery = r.query.Encode()
		for name, values := range r.header {
			request.Header[name] = values
		}
		input.Request = request
		return next.HandleSerialize(ctx, input)
	})
}

// readRest reads what a request answered, and an error by failed.
func readRest(answer *rest, failed func(*smithyhttp.Response, []byte) *Error) middleware.DeserializeMiddleware {
	return deserializer(answer, func(response *smithyhttp.Response) error {
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		switch {
		case err != nil:
			return &smithy.DeserializationError{Err: fmt.Errorf("reading the answer: %w", err)}
		case response.StatusCode >= 300:
			return failed(response, body)
		}
		*answer = rest{header: response.Header, body: body}
		return nil
	})
}
