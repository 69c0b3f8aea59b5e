// Command echo is the function that the tests of the Runtime API drive: its event says what it does.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct{ Do, Say string }

type refusedError struct{ why string }

func (e refusedError) Error() string { return e.why }

func handle(ctx context.Context, e event) (json.RawMessage, error) {
	fmt.Println("doing", e.Do)
	switch e.Do {
	case "fail":
		return nil, fmt.Errorf("wrapped: %w", errors.New(e.Say))
	case "refuse":
		return nil, refusedError{e.Say}
	case "panic":
		panic(e.Say)
	case "exit":
		os.Exit(7)
	case "hang":
		select {}
	case "large":
		return json.Marshal(string(make([]byte, 2<<20))) // \u0000 each, so 12 MiB
	}
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	return json.Marshal(map[string]any{"say": e.Say, "arn": lc.InvokedFunctionArn, "id": lc.AwsRequestID,
		"deadline": deadline.UnixMilli(), "name": lambdacontext.FunctionName, "region": os.Getenv("AWS_REGION"),
		"mine": os.Getenv("MINE"), "trace": os.Getenv("_X_AMZN_TRACE_ID")})
}

func main() {
	if os.Getenv("EXIT_AT_INIT") != "" {
		fmt.Fprintln(os.Stderr, "no configuration")
		os.Exit(3)
	}
	if os.Getenv("HANG_AT_INIT") != "" {
		time.Sleep(time.Hour)
	}
	lambda.Start(handle)
}
