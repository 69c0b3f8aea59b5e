package emulator

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// functions is AWS Lambda's Invoke. Source: AWS Lambda API reference, Invoke.
var functions = &service{
	name: "lambda", version: "2015-03-31", contentType: "application/json",
	throttled: refusal{
		code: "TooManyRequestsException", message: "Rate Exceeded.", status: http.StatusTooManyRequests,
	},
	failure: func(r *refusal, _ string, _ int) any { return functionRefusal{r.code, "User", r.message} },
	forbidden: func(c *Cloud, action string, form url.Values) *refusal {
		message := c.unauthorized("lambda:"+action+"Function", c.arn("lambda", "function:"+form.Get("FunctionName")))
		return &refusal{code: "AccessDeniedException", message: message, status: http.StatusForbidden}
	},
}

type functionRefusal struct {
	code    string
	Type    string
	Message string
}

// function gets an event, and returns its answer, or the error that the function ended with.
type function func(event []byte) (answer []byte, failed *Failure)

// AddFunction adds a Lambda function that Invoke finds. It may call the cloud.
func (c *Cloud) AddFunction(name string, run func(event []byte) (answer []byte, failed *Failure)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.functions == nil {
		c.functions = map[string]function{}
	}
	c.functions[name] = run
}

// isInvoke reports whether a request invokes a function, by its path.
func isInvoke(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/2015-03-31/functions/") }

// parseInvoke brings an Invoke, with the name in the path, into the form of the others.
func parseInvoke(r *http.Request) (url.Values, error) {
	event, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the event: %w", err)
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/2015-03-31/functions/"), "/")
	return url.Values{
		"Action": {"Invoke"}, "Version": {functions.version}, "FunctionName": {name}, "Event": {string(event)},
	}, nil
}

func (c *Cloud) invoke(form url.Values, _ string) (any, *refusal) {
	name := form.Get("FunctionName")
	function, known := c.functions[name]
	if !known {
		message := "Function not found: " + c.arn("lambda", "function:"+name)
		return nil, &refusal{code: "ResourceNotFoundException", message: message, status: http.StatusNotFound}
	}
	return invocationOf{function, []byte(form.Get("Event"))}, nil
}

// invocationOf is a function that is still to run.
type invocationOf struct {
	function function
	event    []byte
}

func (i invocationOf) run() objectAnswer {
	answer, failed := i.function(i.event)
	if failed == nil {
		return objectAnswer{body: answer}
	}
	body, err := json.Marshal(map[string]string{"errorType": failed.Type, "errorMessage": failed.Message})
	if err != nil {
		panic(err) // two texts
	}
	return objectAnswer{body, map[string]string{"X-Amz-Function-Error": "Unhandled"}}
}
