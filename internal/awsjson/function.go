package awsjson

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Functions invokes functions of AWS Lambda. It can be used from several goroutines.
type Functions struct{ *Client }

// NewFunctions returns a client of AWS Lambda.
func NewFunctions(cfg aws.Config) *Functions {
	return &Functions{New(cfg, Service{ID: "Lambda", Name: "lambda"})}
}

// FunctionError is the error that an invoked function returned, or the end that it found.
type FunctionError struct{ Type, Message string }

// Error returns what the function said.
func (e *FunctionError) Error() string { return e.Message }

// Invoke invokes a function by its name with in as the event, waits, and reads its answer into out. An error of the
// function is a [*FunctionError].
// Source: AWS Lambda API reference, Invoke.
func (f *Functions) Invoke(ctx context.Context, name string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("writing the event: %w", err)
	}
	var answer rest
	r := rest{
		method: http.MethodPost, path: "2015-03-31/functions/" + name + "/invocations", body: body,
		header: http.Header{"Content-Type": {"application/json"}},
	}
	if err := f.send(ctx, "Invoke", f.writeRest(r), readRest(&answer, failure)); err != nil {
		return err
	}
	if answer.header.Get("X-Amz-Function-Error") != "" {
		var failed struct{ ErrorType, ErrorMessage string }
		_ = json.Unmarshal(answer.body, &failed) // whatever it is, it is an error
		return &FunctionError{failed.ErrorType, failed.ErrorMessage}
	}
	if err := json.Unmarshal(answer.body, out); err != nil {
		return fmt.Errorf("reading the answer of %s: %w", name, err)
	}
	return nil
}
