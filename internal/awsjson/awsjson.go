// Package awsjson calls AWS services that speak the AWS JSON protocol, and Amazon S3, without the SDK's clients for
// them.
//
// A client of the SDK builds the schemas of all its operations when the process starts: DynamoDB's cost more than all
// other packages together. This package knows the few operations that the callers describe by their own types. It
// promises what the SDK's clients promise, because it is made of the same parts: the configuration's credentials,
// signer, retryer, endpoints, HTTP client and middleware.
package awsjson

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Service is one of AWS's services.
type Service struct {
	ID      string // the SDK's, such as "DynamoDB"; AWS_ENDPOINT_URL_<ID> names its endpoint
	Name    string // in its host name and its signatures, such as "dynamodb"
	Target  string // before the operation in the header X-Amz-Target, such as "DynamoDB_20120810"
	Version string // of the protocol: "1.0" or "1.1"
}

// Client calls one service. It can be used from several goroutines.
type Client struct {
	service Service
	cfg     aws.Config
	signer  *v4.Signer
}

// New returns a client of a service. The errors of a configuration without Region or credentials come with each call.
func New(cfg aws.Config, service Service) *Client {
	if cfg.HTTPClient == nil {
		cfg.HTTPClient = awshttp.NewBuildableClient()
	}
	return &Client{service, cfg, v4.NewSigner()}
}

// In returns a client of the same service in another Region; of the same for "".
func (c *Client) In(region string) *Client {
	if region == "" {
		return c
	}
	other := *c
	other.cfg.Region = region
	return &other
}

// Call sends in as the operation's request, and reads the answer into out. What AWS answers is a
// [*smithy.OperationError] around an [*Error] or an error of the transport, as with the SDK's clients.
func (c *Client) Call(ctx context.Context, operation string, in, out any) error {
	return c.send(ctx, operation, c.write(operation, in), read(out))
}

// send carries out an operation that write writes and read reads.
func (c *Client) send(
	ctx context.Context, operation string, write middleware.SerializeMiddleware, read middleware.DeserializeMiddleware,
) error {
	ctx = middleware.ClearStackValues(ctx)
	ctx = middleware.WithServiceID(ctx, c.service.ID)
	ctx = middleware.WithOperationName(ctx, operation)
	ctx = awsmiddleware.SetSigningName(ctx, c.service.Name)
	ctx = awsmiddleware.SetSigningRegion(ctx, c.cfg.Region)
	stack, err := c.stack(operation, write, read)
	if err == nil {
		handler := middleware.DecorateHandler(smithyhttp.NewClientHandler(c.cfg.HTTPClient), stack)
		_, _, err = handler.Handle(ctx, nil)
	}
	if err != nil {
		return &smithy.OperationError{ServiceID: c.service.ID, OperationName: operation, Err: err}
	}
	return nil
}

// stack returns the steps of a call: write, try and retry, sign, send, read.
func (c *Client) stack(
	operation string, write middleware.SerializeMiddleware, read middleware.DeserializeMiddleware,
) (*middleware.Stack, error) {
	stack := middleware.NewStack(operation, smithyhttp.NewStackRequest)
	attempts := retry.NewAttemptMiddleware(c.retryer(), smithyhttp.RequestCloner)
	signing := v4.NewSignHTTPRequestMiddleware(
		v4.SignHTTPRequestMiddlewareOptions{ //nolint:staticcheck // the clients' own is internal
			CredentialsProvider: c.cfg.Credentials, Signer: c.signer,
		},
	)
	for _, err := range []error{
		stack.Initialize.Add(&awsmiddleware.RegisterServiceMetadata{
			ServiceID: c.service.ID, SigningName: c.service.Name, Region: c.cfg.Region, OperationName: operation,
		}, middleware.Before),
		stack.Serialize.Add(write, middleware.After),
		stack.Build.Add(awsmiddleware.NewRequestUserAgent(), middleware.After),
		stack.Finalize.Add(&v4.ComputePayloadSHA256{}, middleware.After),
		stack.Finalize.Add(attempts, middleware.After),
		stack.Finalize.Add(signing, middleware.After),
		stack.Deserialize.Add(read, middleware.After),
		awsmiddleware.AddRawResponseToMetadata(stack),
		awsmiddleware.AddRequestIDRetrieverMiddleware(stack),
		awshttp.AddResponseErrorMiddleware(stack),
	} {
		if err != nil {
			return nil, err
		}
	}
	for _, option := range c.cfg.APIOptions {
		if err := option(stack); err != nil {
			return nil, err
		}
	}
	return stack, nil
}

func (c *Client) retryer() aws.Retryer {
	if c.cfg.Retryer != nil {
		return c.cfg.Retryer()
	}
	return retry.NewStandard(func(o *retry.StandardOptions) {
		if c.cfg.RetryMaxAttempts > 0 {
			o.MaxAttempts = c.cfg.RetryMaxAttempts
		}
	})
}

// write makes the request.
func (c *Client) write(operation string, in any) middleware.SerializeMiddleware {
	return middleware.SerializeMiddlewareFunc("OperationSerializer", func(
		ctx context.Context, input middleware.SerializeInput, next middleware.SerializeHandler,
	) (middleware.SerializeOutput, middleware.Metadata, error) {
		fail := func(err error) (middleware.SerializeOutput, middleware.Metadata, error) {
			return middleware.SerializeOutput{}, middleware.Metadata{}, &smithy.SerializationError{Err: err}
		}
		body, err := json.Marshal(in)
		if err != nil {
			return fail(err)
		}
		address, err := c.endpoint(ctx)
		if err != nil {
			return fail(err)
		}
		request, ok := input.Request.(*smithyhttp.Request)
		if !ok {
			return fail(fmt.Errorf("unknown transport type %T", input.Request))
		}
		if request, err = request.SetStream(bytes.NewReader(body)); err != nil {
			return fail(err)
		}
		request.Method, request.URL, request.ContentLength = http.MethodPost, address, int64(len(body))
		request.Header.Set("Content-Type", "application/x-amz-json-"+c.service.Version)
		request.Header.Set("X-Amz-Target", c.service.Target+"."+operation)
		request.Header.Set("Accept-Encoding", "identity") // the checksum of DynamoDB is of the bytes that are sent
		input.Request = request
		return next.HandleSerialize(ctx, input)
	})
}

// endpoint returns where the service is: as the configuration says, or as AWS documents.
func (c *Client) endpoint(ctx context.Context) (*url.URL, error) {
	if c.cfg.Region == "" {
		return nil, &aws.MissingRegionError{}
	}
	address, err := c.configured(ctx)
	if err != nil {
		return nil, err
	}
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("reading the endpoint of %s: %w", c.service.ID, err)
	}
	if parsed.Path == "" {
		parsed.Path = "/"
	}
	return parsed, nil
}
