// Command handler is the Lambda function: it receives events, has the responder answer them, and reports the outcomes.
//
// It promises that an invocation ends without error only if everything was done and reported, and that a configuration
// in which it could not do its duty keeps it from starting, with every problem named at once. Its environment is
// described in the README.
package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"clientvpn-responder/internal/directory"
	"clientvpn-responder/internal/keepout"
	"clientvpn-responder/internal/lambdaenv"
	"clientvpn-responder/internal/notify"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/vpn"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
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
	calls := &notify.Calls{}
	// An attempt that hangs is given up and made anew. The first page of a large listing may take seconds.
	cfg, err := configuration(10*time.Second, calls)
	if err != nil {
		return nil, append(problems, err.Error())
	}
	var names *directory.Directory
	if s.store != "" {
		names = directory.New(cfg, s.store)
	}
	reporter := notify.New(cfg, s.topics)
	h := &handler{
		log:       log,
		directory: names,
		responder: responder.Responder{
			VPN:         vpn.New(cfg, s.endpointIDs, places(cfg, s)...),
			Policy:      rules,
			PolicyError: policyErr,
			Probe:       reporter.Probe,
			PolicyHash:  hash(s.policyFile),
			Mode:        s.mode,
			Watch:       s.watch,
		},
		reporter: reporter,
		calls:    calls,
	}
	if s.keepOut != "" {
		// The cut-off waits for the list, but not for long, so an attempt that hangs must be given up sooner.
		listCfg, err := configuration(time.Second, calls)
		if err != nil {
			return nil, append(problems, err.Error())
		}
		h.responder.KeepOut = keepout.New(listCfg, s.keepOut)
	}
	return h, problems
}

// configuration is that of clients whose every attempt takes so long at most.
func configuration(attempt time.Duration, calls *notify.Calls) (aws.Config, error) {
	cfg, err := lambdaenv.Load(attempt)
	cfg.Retryer = retryer
	cfg.APIOptions = append(cfg.APIOptions, calls.Count)
	return cfg, err
}

// places gives the accounts and Regions of TARGETS, each with its own credentials, which are fetched when they are needed
// and kept until they expire.
func places(cfg aws.Config, s settings) []vpn.Account {
	var all []vpn.Account
	for _, t := range s.targets {
		p := vpn.Account{Region: t.region, Config: cfg.Copy()}
		p.Config.Region = t.region
		if t.role.Resource != "" {
			p.Account, p.Role = t.role.AccountID, t.role.String()
			p.Config.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), p.Role, func(o *stscreds.AssumeRoleOptions) {
				o.RoleSessionName = "clientvpn-responder"
				if s.externalID != "" {
					o.ExternalID = &s.externalID
				}
			}))
		}
		all = append(all, p)
	}
	return all
}

// hash is the SHA-256 of a file, empty if it cannot be read, which is for others to tell.
func hash(file string) string {
	raw, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256(raw))
}

// retryer tries as often as the invocation's time allows: throttling is normal where an account's calls are shared.
// KMSThrottling is missing in the SDK's list of throttle codes, and an answer of which only a part has come in that of what is
// worth another try.
func retryer() aws.Retryer {
	return retry.AddWithErrorCodes(retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 10
		o.MaxBackoff = 5 * time.Second
		o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
			var broken *smithy.DeserializationError
			if errors.As(err, &broken) {
				return aws.TrueTernary
			}
			return aws.UnknownTernary
		}))
	}), "KMSThrottling")
}
