// Package metric writes numbers for CloudWatch into the log, in the embedded metric format.
//
// It promises that every metric has the dimension Function. Without it, two stacks in one account would add up: the
// alarm of one would sound for the other, or be quiet because of it. [All] lists the metrics, and a test holds
// template.yaml against it.
package metric

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

const (
	// Namespace is where CloudWatch keeps the metrics.
	Namespace = "ClientVPNResponder"
	// Function is the dimension that every metric has: the name of the function that counts.
	Function = "Function"
)

// Units are CloudWatch's.
const (
	milliseconds = "Milliseconds"
	count        = "Count"
)

// Family is metrics that a function logs under the same dimensions.
type Family struct {
	// LoggedBy is the function, by its name in template.yaml.
	LoggedBy string
	// Dimensions are sets of names. [Function] belongs to each, and is not listed.
	Dimensions [][]string
	// Units are the metrics with their units.
	Units map[string]string
}

// The families.
var (
	// Outcomes counts outcomes, and what became of people. The dimensions are few: every new combination of values is a
	// metric of its own, and is paid for. So no dimension is a person's name.
	Outcomes = Family{
		LoggedBy:   "Responder",
		Dimensions: [][]string{{"Status"}, {"Status", "Provider"}},
		Units: map[string]string{
			"Outcomes": count, "ConnectionsEnded": count, "Reconnections": count,
			"EventToRequested": milliseconds, "EventToEnded": milliseconds,
			"ReceiptToRequested": milliseconds, "ReceiptToEnded": milliseconds,
		},
	}
	// Nothing counts events that ask for nothing.
	Nothing = Family{
		LoggedBy:   "Responder",
		Dimensions: [][]string{{"Provider"}, {"Provider", "Type"}},
		Units:      map[string]string{"Unsupported": count, "RoutineNotices": count},
	}
	// Calls counts calls of AWS.
	Calls = Family{
		LoggedBy:   "Responder",
		Dimensions: [][]string{{"Action"}},
		Units:      map[string]string{"Calls": count, "Throttles": count},
	}
	// Connect counts the decisions of the client connect handler.
	Connect = Family{
		LoggedBy:   "Connect",
		Dimensions: [][]string{{"Decision"}},
		Units:      map[string]string{"ConnectDecisions": count, "DecisionTime": milliseconds},
	}
	// Doors counts requests to the doors.
	Doors = Family{
		LoggedBy:   "Receive",
		Dimensions: [][]string{{"Verdict"}},
		Units:      map[string]string{"DoorRequests": count},
	}
	// Polls counts polls of Microsoft Graph.
	Polls = Family{
		LoggedBy:   "Poll",
		Dimensions: [][]string{{"Verdict"}},
		Units:      map[string]string{"Polls": count, "PolledEvents": count},
	}
)

// All returns the families.
func All() []Family { return []Family{Outcomes, Nothing, Calls, Connect, Doors, Polls} }

// directive declares to CloudWatch which members of a log line are metrics.
// Source: Amazon CloudWatch user guide, "Specification: Embedded metric format".
type directive struct {
	Timestamp         int64 // milliseconds since 1970
	CloudWatchMetrics []set
}

type set struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []declared
}

type declared struct{ Name, Unit string }

// Attrs returns the members of a log line that counts the values. Each is named as a metric of the family. The caller
// adds the values of the family's dimensions to the line. The line needs a level: without one, Lambda reads INFO, and
// drops the line if the log level is higher.
func (f Family) Attrs(values ...slog.Attr) []slog.Attr {
	s := set{Namespace: Namespace}
	for _, names := range f.Dimensions {
		s.Dimensions = append(s.Dimensions, append(append([]string{}, names...), Function))
	}
	for _, v := range values {
		s.Metrics = append(s.Metrics, declared{v.Key, f.Units[v.Key]})
	}
	line := []slog.Attr{
		slog.Any("_aws", directive{time.Now().UnixMilli(), []set{s}}),
		slog.String(Function, cmp.Or(lambdacontext.FunctionName, "local")),
	}
	return append(line, values...)
}
