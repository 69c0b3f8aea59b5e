// Command handler is the Lambda function: it receives events, has the responder answer them, and reports the outcomes.
//
// It promises that an invocation ends without error only if everything was done and reported, and that a configuration
// in which it could not do its duty keeps it from starting, with every problem named at once. Its environment is
// described in the README.
package main

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"time"

	"clientvpn-responder/internal/notify"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/vpn"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: lambdacontext.ReplaceAttr}))
	h, problems := wire(log)
	for _, problem := range problems {
		log.Error("configuration", "error", problem)
	}
	if h == nil {
		os.Exit(1)
	}
	lambda.Start(h.handle)
}

// wire puts the handler together, or says what keeps it from starting. A policy that cannot be read stops the action but
// not the messages, so with that problem alone there is a handler all the same.
func wire(log *slog.Logger) (*handler, []string) {
	program, _ := os.Executable() // without it, policy.yaml is looked for in the working directory
	s, settingsErr := readSettings(os.Getenv, program)
	rules, policyErr := policy.Load(s.policyFile)
	var problems []string
	if policyErr != nil {
		problems = append(problems, "POLICY_FILE: "+policyErr.Error())
	}
	if settingsErr != nil {
		return nil, append(strings.Split(settingsErr.Error(), "\n"), problems...)
	}
	cfg, err := config.LoadDefaultConfig(context.Background(),
		config.WithRetryer(retryer),
		// A connection that hangs is given up and tried anew. The first page of a large listing may take seconds.
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(10*time.Second)),
	)
	if err != nil {
		return nil, append(problems, "AWS configuration: "+err.Error())
	}
	return &handler{
		log: log,
		responder: responder.Responder{
			VPN:         &vpn.VPN{API: ec2.NewFromConfig(cfg), Region: cfg.Region, EndpointIDs: s.endpointIDs},
			Policy:      rules,
			PolicyError: policyErr,
			Mode:        s.mode,
			Watch:       s.watch,
		},
		reporter: notify.Reporter{
			SNS:      sns.NewFromConfig(cfg, func(o *sns.Options) { o.Region = s.topic.Region }),
			TopicARN: s.topic.String(),
		},
	}, problems
}

// retryer tries as often as the invocation's time allows: throttling is normal where an account's calls are shared.
// KMSThrottling is missing in the SDK's list of throttle codes.
func retryer() aws.Retryer {
	return retry.AddWithErrorCodes(retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 10
		o.MaxBackoff = 5 * time.Second
	}), "KMSThrottling")
}
