// Command poll is the Lambda function that asks Microsoft Graph, every minute, who has lost access in a Microsoft Entra
// tenant.
//
// It promises that no record is skipped when a poll fails: the cursor moves on only once the queue has the events. It
// decides nothing and knows no EC2: the responder reads the queue. doc/doors.md lists its environment.
package main

import (
	"log/slog"
	"net/http"
	"os"
	"time"

	"clientvpn-responder/internal/door"
	"clientvpn-responder/internal/graph"
	"clientvpn-responder/internal/lambdaenv"
	"clientvpn-responder/internal/ledger"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
)

// attempt bounds each try of a call, of AWS and of Microsoft.
const attempt = 10 * time.Second

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: lambdacontext.ReplaceAttr}))
	p, problems := wire(log)
	for _, problem := range problems {
		log.Error("configuration", "error", problem)
	}
	if p == nil {
		os.Exit(1)
	}
	lambda.Start(p.handle)
}

// wire puts the poller together, or reports what keeps it from starting.
func wire(log *slog.Logger) (*poller, []string) {
	s := settings{graph: "https://graph.microsoft.com", login: "https://login.microsoftonline.com"}
	problems := lambdaenv.Read(environment, os.Getenv, &s)
	if len(problems) > 0 {
		return nil, problems
	}
	cfg, err := lambdaenv.Load(attempt)
	if err != nil {
		return nil, []string{err.Error()}
	}
	return newPoller(log, cfg, s, &http.Client{Timeout: attempt}), nil
}

func newPoller(log *slog.Logger, cfg aws.Config, s settings, client *http.Client) *poller {
	credential := graph.Federated(cfg)
	if s.secret != "" {
		credential = graph.Secret(cfg, s.secret)
	}
	return &poller{
		log: log, tenant: s.tenant, groups: s.groups,
		queue:  door.NewQueue(cfg, s.queueURL),
		ledger: ledger.New(cfg, s.table),
		graph: &graph.Client{
			HTTP: client, Graph: s.graph, Login: s.login, Tenant: s.tenant, ClientID: s.client, Credential: credential,
		},
	}
}
