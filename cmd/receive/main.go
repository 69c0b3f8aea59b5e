// Command receive is the Lambda function behind the doors: identity providers call its URL to report that a person must
// lose access.
//
// It promises that an event is in the queue before the sender gets an answer that says so. It decides nothing and knows
// no EC2: the responder reads the queue. doc/doors.md lists its environment.
package main

import (
	"log/slog"
	"net/http"
	"os"
	"time"

	"clientvpn-responder/internal/door"
	"clientvpn-responder/internal/lambdaenv"
	"clientvpn-responder/internal/ledger"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// attempt bounds each try of a call of AWS.
const attempt = 3 * time.Second

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

// wire puts the handler together, or reports what keeps it from starting.
func wire(log *slog.Logger) (*handler, []string) {
	var s settings
	problems := lambdaenv.Read(environment, os.Getenv, &s)
	if len(problems) > 0 {
		return nil, problems
	}
	cfg, err := lambdaenv.Load(attempt)
	if err != nil {
		return nil, []string{err.Error()}
	}
	return &handler{
		log:    log,
		gate:   door.NewGate(s.doors, http.DefaultTransport, cfg),
		queue:  door.NewQueue(cfg, s.queueURL),
		ledger: ledger.New(cfg, s.table),
	}, nil
}
