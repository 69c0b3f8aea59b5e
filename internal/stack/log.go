package stack

import (
	"context"
	"fmt"
	"iter"
	"regexp"
	"time"

	"clientvpn-responder/internal/awsjson"
)

// Source: Amazon CloudWatch Logs API reference, FilterLogEvents.
var logs = awsjson.Service{ID: "CloudWatch Logs", Name: "logs", Target: "Logs_20140328", Version: "1.1"}

type filterInput struct {
	LogGroupName  string `json:"logGroupName"`
	StartTime     int64  `json:"startTime"` // milliseconds since 1970
	EndTime       int64  `json:"endTime"`
	FilterPattern string `json:"filterPattern"`
	NextToken     string `json:"nextToken,omitempty"`
}

type filterOutput struct {
	Events []struct {
		Message string `json:"message"`
	} `json:"events"`
	NextToken string `json:"nextToken"`
}

// plainID matches ids that may be in a filter pattern.
var plainID = regexp.MustCompile(`^[A-Za-z0-9_.:/-]{1,200}$`)

// Outcomes yields the lines of the function's log that have an outcome, page by page, in the order of time. With an id,
// these are the lines about one event; an id that no filter may have yields all lines. A page may be empty. After an
// error there is no further page.
func (s *Stack) Outcomes(ctx context.Context, from, to time.Time, id string) iter.Seq2[[][]byte, error] {
	return func(yield func([][]byte, error) bool) {
		group, err := s.Output("LogGroupName")
		if err != nil {
			yield(nil, err)
			return
		}
		in := filterInput{
			LogGroupName: group, StartTime: from.UnixMilli(), EndTime: to.UnixMilli(), FilterPattern: pattern(id),
		}
		client := awsjson.New(s.Config, logs)
		for {
			var out filterOutput
			if err := client.Call(ctx, "FilterLogEvents", in, &out); err != nil {
				yield(nil, InOneSentence(err))
				return
			}
			var lines [][]byte
			for _, e := range out.Events {
				lines = append(lines, []byte(e.Message))
			}
			if !yield(lines, nil) || out.NextToken == "" || out.NextToken == in.NextToken {
				return
			}
			in.NextToken = out.NextToken
		}
	}
}

// pattern returns the filter of CloudWatch Logs for outcomes.
// Source: Amazon CloudWatch Logs user guide, "Filter pattern syntax".
func pattern(id string) string {
	if !plainID.MatchString(id) {
		return `{ $.message = "outcome" }`
	}
	return fmt.Sprintf(
		`{ ($.message = "outcome") && (($.outcome.signal.id = %q) || ($.outcome.signal.event_id = %q)) }`, id, id)
}
