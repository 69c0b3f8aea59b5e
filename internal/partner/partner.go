// Package partner asks Amazon EventBridge whether the event sources of identity providers deliver.
//
// It promises a problem for each source that is not active. Until somebody mends it, that provider's events are lost,
// and nothing else says so.
package partner

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"clientvpn-responder/internal/awsjson"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Source: Amazon EventBridge API reference, DescribeEventSource, and the service model's JSON protocol.
var bridge = awsjson.Service{ID: "EventBridge", Name: "events", Target: "AWSEvents", Version: "1.1"}

// patience bounds all questions together, so that a self-test has time for the rest.
const patience = 10 * time.Second

// advice is what to do about a source, by its state.
var advice = map[string]string{
	"PENDING": "associate it with an event bus of the same name, as doc/sources.md says",
	"DELETED": "the provider has deleted it; create the stream there again",
}

// Probe returns a problem for each partner event source that is not active, or cannot be asked about.
func Probe(ctx context.Context, cfg aws.Config, names []string) (problems []error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client := awsjson.New(cfg, bridge)
	for _, name := range names {
		var source struct{ State string }
		err := client.Call(ctx, "DescribeEventSource", map[string]string{"Name": name}, &source)
		switch {
		case err != nil:
			problems = append(problems, fmt.Errorf("asking whether the partner event source %s is active: %w", name, err))
		case source.State != "ACTIVE":
			problems = append(problems, fmt.Errorf("the partner event source %s is %s, so its events do not arrive: %s",
				name, source.State, cmp.Or(advice[source.State], "look at the stream at the provider")))
		}
	}
	return problems
}
