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

	"clientvpn-responder/internal/connect"
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
func wire(log *slog.Logger) (*connect.Handler, []string) {
	program, _ := os.Executable() // without it, the path of policy.yaml is relative to the working directory
	s, problems := readSettings(os.Getenv, program)
	h := &connect.Handler{Log: log, Allow: s.allow, Message: s.message, Limit: s.limit}
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
	if err := loadPolicy(h, cfg, s); err != nil {
		problems = append(problems, err.Error())
	}
	if s.table != "" {
		h.List = ledger.New(cfg, s.table)
	}
	return h, problems
}

// loadPolicy reads the policy of the file, or the one in force where it is kept in S3.
func loadPolicy(h *connect.Handler, cfg aws.Config, s settings) (err error) {
	if s.policyAt == (policysource.Location{}) {
		if h.Policy, err = policy.Load(s.policyFile); err != nil {
			return fmt.Errorf("POLICY_FILE: %w", err)
		}
		return nil
	}
	h.Source = policysource.New(cfg, s.policyAt, s.policyFile)
	if err := h.Refresh(context.Background()); err != nil {
		return fmt.Errorf("POLICY_SOURCE: %w", err)
	}
	return nil
}
