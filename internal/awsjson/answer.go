package awsjson

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"strings"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Error is an error that a service answered. It is a [smithy.APIError].
type Error struct {
	smithy.GenericAPIError
	Body []byte // the answer, which may say more
}

// read decodes an answer into out, or returns the error that it is. An answer that cannot be read is a
// [*smithy.DeserializationError].
func read(out any) middleware.DeserializeMiddleware {
	return deserializer(out, func(response *smithyhttp.Response) error { return decode(response, out) })
}

// deserializer is the SDK's step that reads an answer by decode. The result is out.
func deserializer(out any, decode func(*smithyhttp.Response) error) middleware.DeserializeMiddleware {
	return middleware.DeserializeMiddlewareFunc("OperationDeserializer", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		output, metadata, err := next.HandleDeserialize(ctx, in)
		if err != nil {
			return output, metadata, err
		}
		response, ok := output.RawResponse.(*smithyhttp.Response)
		if !ok {
			return output, metadata, &smithy.DeserializationError{
				Err: fmt.Errorf("unknown transport type %T", output.RawResponse),
			}
		}
		output.Result = out
		return output, metadata, decode(response)
	})
}

func decode(response *smithyhttp.Response, out any) error {
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err == nil {
		err = check(response.Header.Get("X-Amz-Crc32"), body)
	}
	if err == nil && response.StatusCode >= 300 {
		return failure(response, body)
	}
	if err == nil {
		err = json.Unmarshal(body, out)
	}
	if err != nil {
		return &smithy.DeserializationError{
			Err:      fmt.Errorf("reading the answer: %w", err),
			Snapshot: body[:min(len(body), 1024)],
		}
	}
	return nil
}

// check compares a body with its checksum, which DynamoDB sends.
// Source: Amazon DynamoDB developer guide, low-level API.
func check(sum string, body []byte) error {
	if sum != "" && sum != strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10) {
		return errors.New("its checksum is another")
	}
	return nil
}

// failure reads an error.
// Source: Smithy, AWS JSON protocols, operation error serialization.
func failure(response *smithyhttp.Response, body []byte) *Error {
	var answered struct {
		Type    string `json:"__type"`
		Code    string `json:"code"`
		Message string `json:"message"` // or Message
	}
	_ = json.Unmarshal(body, &answered) // whatever it is, it is an error
	e := &Error{Body: body}
	for _, code := range []string{response.Header.Get("X-Amzn-Errortype"), answered.Code, answered.Type, "UnknownError"} {
		if code != "" {
			code, _, _ = strings.Cut(code, ":")
			e.Code = code[strings.LastIndexByte(code, '#')+1:]
			break
		}
	}
	e.Message, e.Fault = answered.Message, smithy.FaultClient
	if response.StatusCode >= 500 {
		e.Fault = smithy.FaultServer
	}
	return e
}
