// Command connect is the client connect handler: the Lambda function that AWS Client VPN asks, for every new connection, whether
// it may be established. It denies whoever is on the keep-out list.
//
// It promises an answer, whatever goes wrong, well within the 30 seconds after which AWS denies: where the list or the policy
// cannot be read, or a request not be understood, a setting decides. For the same reason no configuration keeps it from
// starting. Its environment is described in doc/keepout.md.
package main

import (
	"cmp"
	"context"
	"log/slog"
	"os"
	"time"

	"clientvpn-responder/internal/keepout"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/transport"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: lambdacontext.ReplaceAttr}))
	h, problems := wire(log)
	for _, problem := range problems {
		log.Error("configuration", "error", problem)
	}
	lambda.Start(h)
}

// wire puts the handler together, as well as the configuration lets it, and says what is wrong with that.
func wire(log *slog.Logger) (*handler, []string) {
	program, _ := os.Executable() // without it, policy.yaml is looked for in the working directory
	s, problems := readSettings(os.Getenv, program)
	h := &handler{log: log, settings: s}
	var err error
	if h.policy, err = policy.Load(s.policyFile); err != nil {
		problems = append(problems, "POLICY_FILE: "+err.Error())
	}
	if s.table != "" {
		h.list = keepout.New(configuration(s.limit), s.table)
	}
	return h, problems
}

// configuration is what Lambda gives a function, read without the SDK's config package: that links the clients of all the
// ways to log in, which take a seventh of the start and a fifth of the binary.
func configuration(limit time.Duration) aws.Config {
	cfg := aws.Config{
		Region: os.Getenv("AWS_REGION"),
		Credentials: aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: os.Getenv("AWS_SESSION_TOKEN"),
			}, nil
		})),
		// A connection that hangs is given up and tried anew while there is time.
		HTTPClient: transport.Whole(awshttp.NewBuildableClient().WithTimeout(limit / 3)),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts = 10
				o.MaxBackoff = limit / 10
			})
		},
	}
	if url := cmp.Or(os.Getenv("AWS_ENDPOINT_URL_DYNAMODB"), os.Getenv("AWS_ENDPOINT_URL")); url != "" {
		cfg.BaseEndpoint = &url
	}
	return cfg
}
