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

// requireEC2Root rejects a 200 response that is empty or not EC2's, such as a proxy's error page. The SDK would decode
// either as an empty list, and nobody would be found on an endpoint where somebody is connected.
// Source: the root element of every answer of the EC2 Query API is called after its action, "…Response".
func requireEC2Root(stack *middleware.Stack) error {
	if err := stack.Deserialize.Insert(rootCheck{}, "OperationDeserializer", middleware.After); err != nil {
		return fmt.Errorf("adding the check of answers: %w", err)
	}
	return nil
}

type rootCheck struct{}

// ID names the middleware.
func (rootCheck) ID() string { return "RequireEC2Root" }

// HandleDeserialize rejects an answer with another root element.
func (rootCheck) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput,
	next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	out, metadata, err := next.HandleDeserialize(ctx, in)
	response, ok := out.RawResponse.(*smithyhttp.Response)
	if err != nil || !ok || response.StatusCode >= 300 {
		return out, metadata, err
	}
	body := bufio.NewReader(response.Body)
	// Only an XML declaration stands before the root element. The decoder handles a body that cannot be read.
	head, err := body.Peek(256)
	complete := err == nil || errors.Is(err, io.EOF)
	if root := rootOf(head); complete && (root == "Response" || !strings.HasSuffix(root, "Response")) {
		err = fmt.Errorf("an answer with <%s> instead of EC2's", root)
		return out, metadata, &smithy.DeserializationError{Err: err}
	}
	response.Body = replayBody{body, response.Body}
	return out, metadata, nil
}

// replayBody is the body of an answer that was read already, in full or in part.
type replayBody struct {
	io.Reader
	io.Closer
}

// rootOf returns the name of the first element, without its prefix. It is empty if there is none.
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
