// Command handler is the Lambda function: it receives events, lets the responder answer them, and reports the
// outcomes.
//
// It promises that an invocation ends without error only if everything was done and reported. It does not start with
// a configuration in which it could not do its duty, and names every problem at once. doc/settings.md lists its
// environment.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"clientvpn-responder/internal/directory"
	"clientvpn-responder/internal/held"
	"clientvpn-responder/internal/lambdaenv"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/notify"
	"clientvpn-responder/internal/partner"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/policysource"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/vpn"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
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

// wire puts the handler together, or reports what keeps it from starting. A policy that cannot be read stops the action
// but not the messages, so with that problem alone there is a handler all the same.
func wire(log *slog.Logger) (*handler, []string) {
	program, _ := os.Executable() // without it, the path of policy.yaml is relative to the working directory
	s, wrong := readSettings(os.Getenv, program)
	rules, policyErr := policy.Load(s.policyFile)
	var problems []string
	if policyErr != nil {
		problems = append(problems, "POLICY_FILE: "+policyErr.Error())
	}
	if len(wrong) > 0 {
		return nil, append(wrong, problems...)
	}
	calls := &notify.Calls{}
	cfg, err := lambdaenv.Load(attempt)
	if err != nil {
		return nil, append(problems, err.Error())
	}
	cfg.Retryer, cfg.APIOptions = retryer, append(cfg.APIOptions, calls.Count)
	h := &handler{
		log:      log,
		ownForm:  s.ownForm,
		reporter: notify.New(cfg, s.topics, s.place()),
		calls:    calls,
		responder: responder.Responder{
			VPN:         vpn.New(cfg, s.endpointIDs, otherAccounts(cfg, s)...),
			Policy:      rules,
			PolicyError: policyErr,
			PolicyHash:  hash(s.policyFile),
			Mode:        s.mode,
			Watch:       s.watch,
		},
	}
	h.attachDirectories(cfg, s)
	h.attach(cfg, s)
	if s.targetsAt != (policysource.Location{}) {
		h.targets = newTargetList(cfg, s)
	}
	if s.policyAt != (policysource.Location{}) {
		problems = h.attachSource(cfg, s)
	}
	return h, problems
}

// attachDirectories adds what knows the names behind opaque ids.
func (h *handler) attachDirectories(cfg aws.Config, s settings) {
	h.directory = openDirectory(cfg, s)
	if s.tenant != "" {
		h.tenant = directory.NewTenant(cfg, s.tenant, s.tenantPoll)
	}
}

// attachSource has the policy read from where it is put. The file holds only while nothing was put there.
func (h *handler) attachSource(cfg aws.Config, s settings) (problems []string) {
	h.source = policysource.New(lambdaenv.WithAttempt(cfg, policyAttempt), s.policyAt, s.policyFile)
	if err := h.inForce(context.Background()).PolicyError; err != nil {
		return []string{"POLICY_SOURCE: " + err.Error()}
	}
	return nil
}

// inForce returns the responder with the policy and the targets that are in force now.
func (h *handler) inForce(ctx context.Context) *responder.Responder {
	r := h.responder
	ctx, cancel := context.WithTimeout(ctx, policyTime)
	defer cancel()
	if h.source != nil {
		p := h.source.InForce(ctx)
		r.Policy, r.PolicyError, r.PolicyHash, r.PolicyProblem = p.Policy, p.Err, p.Hash, p.Problem
	}
	if h.targets != nil {
		h.targets.inForce(ctx, &r)
	}
	return &r
}

// attach adds what remembers: the ledger, the keep-out list and the queue of held events. It also adds what the
// self-test asks.
func (h *handler) attach(cfg aws.Config, s settings) {
	r := &h.responder
	alone := ledger.InProcess()
	h.ledger, r.Ledger, r.Alone = alone, alone, alone
	if s.table != "" {
		h.ledger = ledger.New(lambdaenv.WithAttempt(cfg, tableAttempt), s.table)
		r.Ledger = h.ledger
	} else {
		h.log.Warn("LEDGER_TABLE is not set: " +
			"each instance forgets at its end what it did, and the brake counts in each alone")
	}
	r.Probe = func(ctx context.Context) []error {
		return slices.Concat(h.reporter.Probe(ctx), h.directory.Probe(ctx), h.tenant.Probe(ctx),
			h.ledger.QuietDoors(ctx, time.Now()), partner.Probe(ctx, cfg, s.partners))
	}
	if s.table != "" && s.keepOut {
		r.KeepOut = h.ledger
	}
	if s.heldURL == "" {
		h.log.Warn("HELD_QUEUE_URL is not set: an event that the brake holds goes back, and ends in the dead letters")
	} else {
		h.held = held.New(cfg, s.heldURL, s.eventsURL)
		r.Held = h.held
	}
}

// hash returns the file's SHA-256, or "" if it cannot be read; policy.Load reports that error.
func hash(file string) string {
	raw, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256(raw))
}

// retryer tries as often as the invocation's time allows: throttling is normal where an account's calls are shared. The
// SDK's list of throttle codes lacks KMSThrottling, and its list of what to try again lacks an answer that breaks off.
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
