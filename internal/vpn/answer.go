package vpn

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// insist makes an error of an answer that is none of EC2's to the call: one without a word, or with another's. The SDK would
// take either for a list of nothing, and nobody would be found where somebody is.
func insist(stack *middleware.Stack) error {
	check := middleware.DeserializeMiddlewareFunc("Insist", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		response, ok := out.RawResponse.(*smithyhttp.Response)
		if err != nil || !ok || response.StatusCode >= 300 {
			return out, metadata, err
		}
		body := bufio.NewReader(response.Body)
		root := "<" + awsmiddleware.GetOperationName(ctx) + "Response"
		// Before the root element stands an XML declaration at most. What cannot be read is the decoder's business.
		head, err := body.Peek(256)
		if (err == nil || errors.Is(err, io.EOF)) && !bytes.Contains(head, []byte(root)) {
			return out, metadata, &smithy.DeserializationError{Err: fmt.Errorf("an answer without %s>", root)}
		}
		response.Body = struct {
			io.Reader
			io.Closer
		}{body, response.Body}
		return out, metadata, nil
	})
	if err := stack.Deserialize.Insert(check, "OperationDeserializer", middleware.After); err != nil {
		return fmt.Errorf("adding the check of answers: %w", err)
	}
	return nil
}
