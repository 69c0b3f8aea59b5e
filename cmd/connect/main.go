// Command connect is the client connect handler: the Lambda function that AWS Client VPN asks, for every new
// connection, whether it may be established. It denies people on the keep-out list.
//
// It promises an answer, whatever goes wrong, well within the 30 seconds after which AWS denies. If it cannot read the
// list, the policy or a request, a setting decides. For the same reason it starts with any configuration.
// doc/keepout.md describes its environment.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"clientvpn-responder/internal/lambdaenv"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/policysource"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
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
	program, _ := os.Executable() // without it, the path of policy.yaml is relative to the working directory
	s, problems := readSettings(os.Getenv, program)
	h := &handler{log: log, settings: s}
	// An attempt that hangs is given up and made anew while there is time.
	cfg, err := lambdaenv.Load(s.limit / 3)
	if err != nil {
		problems = append(problems, err.Error())
	}
	cfg.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = 10
			o.MaxBackoff = s.limit / 10
		})
	}
	if err := h.loadPolicy(cfg); err != nil {
		problems = append(problems, err.Error())
	}
	if s.table != "" {
		h.list = ledger.New(cfg, s.table)
	}
	return h, problems
}

// loadPolicy reads the policy of the file, or the one in force where it is kept in S3.
func (h *handler) loadPolicy(cfg aws.Config) (err error) {
	if h.settings.policyAt == (policysource.Location{}) {
		if h.policy, err = policy.Load(h.settings.policyFile); err != nil {
			return fmt.Errorf("POLICY_FILE: %w", err)
		}
		return nil
	}
	h.source = policysource.New(cfg, h.settings.policyAt, h.settings.policyFile)
	if err := h.refresh(context.Background()); err != nil {
		return fmt.Errorf("POLICY_SOURCE: %w", err)
	}
	return nil
}
