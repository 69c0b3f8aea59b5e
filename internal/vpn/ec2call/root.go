// Package ec2call stands between the SDK and EC2: it paces calls, checks that answers are EC2's, filters rows before they
// are decoded, and records whether a call was sent.
package ec2call

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// requireEC2Root makes an error of an answer that is none of EC2's: one without a word, or with something else, such as a page of what
// stands in between. The SDK would take either for a list of nothing, and nobody would be found where somebody is.
// Source: the root element of every answer of the EC2 Query API is called after its action, "…Response".
func requireEC2Root(stack *middleware.Stack) error {
	check := middleware.DeserializeMiddlewareFunc("RequireEC2Root", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		response, ok := out.RawResponse.(*smithyhttp.Response)
		if err != nil || !ok || response.StatusCode >= 300 {
			return out, metadata, err
		}
		body := bufio.NewReader(response.Body)
		// Before the root element stands an XML declaration at most. What cannot be read is the decoder's business.
		head, err := body.Peek(256)
		if root := rootOf(head); (err == nil || errors.Is(err, io.EOF)) && (root == "Response" || !strings.HasSuffix(root, "Response")) {
			return out, metadata, &smithy.DeserializationError{Err: fmt.Errorf("an answer with <%s> instead of EC2's", root)}
		}
		response.Body = replayBody{body, response.Body}
		return out, metadata, nil
	})
	if err := stack.Deserialize.Insert(check, "OperationDeserializer", middleware.After); err != nil {
		return fmt.Errorf("adding the check of answers: %w", err)
	}
	return nil
}

// replayBody is the body of an answer that was read already, in full or in part.
type replayBody struct {
	io.Reader
	io.Closer
}

// rootOf gives the name of the first element, without its prefix; empty where there is none.
func rootOf(document []byte) string {
	for {
		_, after, found := bytes.Cut(document, []byte("<"))
		switch {
		case !found || len(after) == 0:
			return ""
		case after[0] == '?' || after[0] == '!':
			document = after
			continue
		}
		name := after
		if end := bytes.IndexAny(after, " \t\r\n/>"); end >= 0 {
			name = after[:end]
		}
		return string(name[bytes.IndexByte(name, ':')+1:])
	}
}
