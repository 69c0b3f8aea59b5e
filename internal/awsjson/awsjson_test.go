package awsjson

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/emulator"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
	"github.com/aws/smithy-go/middleware"
)

var (
	tables = Service{ID: "DynamoDB", Name: "dynamodb", Target: "DynamoDB_20120810", Version: "1.0"}
	users  = Service{ID: "identitystore", Name: "identitystore", Target: "AWSIdentityStore", Version: "1.1"}
	queues = Service{ID: "SQS", Name: "sqs", Target: "AmazonSQS", Version: "1.0"}
)

func config(t *testing.T, cloud http.Handler) aws.Config {
	t.Helper()
	client, stop := emulator.HTTPClient(cloud)
	t.Cleanup(stop)
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String("http://service.test"), HTTPClient: client,
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "token"),
	}
}

type (
	scanInput  struct{ TableName string }
	scanOutput struct{ Count int }
)

// TestCall: a request is signed and counted as with the SDK's clients, tried again where it is worth it, and read.
func TestCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &emulator.Cloud{}
		cloud.AddTable("list", "person")
		var last *http.Request
		cfg := config(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			last = r
			cloud.ServeHTTP(w, r)
		}))
		attempts := 0
		cfg.APIOptions = append(cfg.APIOptions, func(stack *middleware.Stack) error {
			return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("Count", func(
				ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
			) (middleware.FinalizeOutput, middleware.Metadata, error) {
				attempts++
				return next.HandleFinalize(ctx, in)
			}), "Retry", middleware.After)
		})
		for _, f := range []emulator.Fault{
			{Code: "ThrottlingException"}, {Code: "InternalServerError", Status: 500}, {Drop: true},
		} {
			attempts, f.Times = 0, 1
			cloud.Inject(f)
			out := scanOutput{Count: 7}
			if err := New(
				cfg,
				tables,
			).Call(
				t.Context(),
				"Scan",
				scanInput{"list"},
				&out,
			); err != nil || out.Count != 0 ||
				attempts != 2 {
				t.Errorf("%+v: %v, %+v, %d attempts", f, err, out, attempts)
			}
		}
		authorization := last.Header.Get("Authorization")
		for _, part := range []string{
			"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20000101/eu-west-1/dynamodb/aws4_request", "x-amz-target",
		} {
			if !strings.Contains(authorization, part) {
				t.Errorf("%s lacks %s", authorization, part)
			}
		}
		if last.Header.Get("X-Amz-Security-Token") != "token" || !strings.Contains(last.UserAgent(), "aws-sdk-go-v2") {
			t.Errorf("%v", last.Header)
		}
		_ = New(cfg, tables).In("us-east-1").Call(t.Context(), "Scan", scanInput{"list"}, &scanOutput{})
		if !strings.Contains(last.Header.Get("Authorization"), "/us-east-1/dynamodb/") {
			t.Error("another Region's call is signed for", last.Header.Get("Authorization"))
		}
	})
}

// TestErrors: what a service refuses has its code and request id, as with the SDK's clients.
func TestErrors(t *testing.T) {
	cloud := &emulator.Cloud{}
	cloud.AddTable("list", "person")
	cfg := config(t, cloud)
	refused := New(cfg, tables).Call(t.Context(), "Scan", scanInput{"none"}, &scanOutput{})
	_, theirs := dynamodb.NewFromConfig(cfg).Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("none")})
	for _, err := range []error{refused, theirs} {
		api, ok := errors.AsType[smithy.APIError](err)
		response, answered := errors.AsType[*awshttp.ResponseError](err)
		if !ok || !answered || api.ErrorCode() != "ResourceNotFoundException" || api.ErrorFault() != smithy.FaultClient ||
			api.ErrorMessage() == "" || response.HTTPStatusCode() != 400 || len(response.ServiceRequestID()) != 36 {
			t.Errorf("%v", err)
		}
	}
	before, _, _ := strings.Cut(theirs.Error(), "RequestID: ")
	if !strings.HasPrefix(refused.Error(), before) {
		t.Errorf("%v\n%v", refused, theirs)
	}
	// The first two fail DynamoDB's checksum.
	for _, spoilt := range []emulator.Fault{{Truncate: true}, {Empty: true}, {Cut: true}} {
		spoilt.Times = 1
		cloud.Inject(spoilt)
		err := New(cfg, tables).Call(t.Context(), "Scan", scanInput{"list"}, &scanOutput{})
		if broken, ok := errors.AsType[*smithy.DeserializationError](err); !ok {
			t.Errorf("%+v: %v, %v", spoilt, err, broken)
		}
	}
	for name, change := range map[string]func(*aws.Config){
		"Region":      func(c *aws.Config) { c.Region = "" },
		"credentials": func(c *aws.Config) { c.Credentials = credentials.NewStaticCredentialsProvider("", "", "") },
	} {
		other := cfg.Copy()
		change(&other)
		if err := New(other, tables).Call(t.Context(), "Scan", scanInput{"list"}, &scanOutput{}); err == nil {
			t.Errorf("called without %s", name)
		}
	}
}

// TestCallEndsWithItsContext.
func TestCallEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &emulator.Cloud{Latency: time.Hour}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		err := New(config(t, cloud), tables).Call(ctx, "Scan", scanInput{"list"}, &scanOutput{})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// TestHosts: the hosts are those that the SDK's clients find, in every partition.
func TestHosts(t *testing.T) {
	regions := []string{
		"eu-west-1", "us-east-1", "us-gov-west-1", "us-gov-east-1", "cn-north-1", "us-iso-east-1", "us-isob-east-1",
		"eusc-de-east-1", "eu-isoe-west-1", "us-isof-south-1", "ap-southeast-7", "mx-central-1",
	}
	for _, region := range regions {
		for _, kind := range []struct{ fips, dualStack bool }{{false, false}, {true, false}, {false, true}, {true, true}} {
			for _, service := range []Service{tables, users, queues} {
				want, err := sdkHost(t.Context(), service.Name, region, kind.fips, kind.dualStack)
				if err != nil {
					continue // the partition has no such endpoints
				}
				if got := host(service.Name, region, kind.fips, kind.dualStack); got != want {
					t.Errorf("%s in %s, %+v: %s, and the SDK says %s", service.Name, region, kind, got, want)
				}
			}
		}
	}
}

func sdkHost(ctx context.Context, service, region string, fips, dualStack bool) (string, error) {
	var found smithyendpoints.Endpoint
	var err error
	switch service {
	case "dynamodb":
		found, err = dynamodb.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, dynamodb.EndpointParameters{
			Region: &region, UseFIPS: &fips, UseDualStack: &dualStack, AccountIdEndpointMode: aws.String("disabled"),
		})
	case "identitystore":
		found, err = identitystore.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, identitystore.EndpointParameters{
			Region: &region, UseFIPS: &fips, UseDualStack: &dualStack,
		})
	default:
		found, err = sqs.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, sqs.EndpointParameters{
			Region: &region, UseFIPS: &fips, UseDualStack: &dualStack,
		})
	}
	return found.URI.Host, err
}
