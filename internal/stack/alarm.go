package stack

import (
	"context"

	"clientvpn-responder/internal/awsjson"
)

// Source: Amazon CloudWatch API reference, DescribeAlarms, and the service model's JSON protocol.
var monitoring = awsjson.Service{
	ID: "CloudWatch", Name: "monitoring", Target: "GraniteServiceVersion20100801", Version: "1.0",
}

// Alarm is one of the stack's alarms. Its State is OK, ALARM or INSUFFICIENT_DATA.
type Alarm struct {
	Name   string `json:"AlarmName"`
	State  string `json:"StateValue"`
	Reason string `json:"StateReason"`
	Says   string `json:"AlarmDescription"`
}

// Alarms returns the alarms whose names begin with the stack's name.
func (s *Stack) Alarms(ctx context.Context) ([]Alarm, error) {
	type input struct {
		AlarmNamePrefix string
		AlarmTypes      []string
		NextToken       string `json:",omitempty"`
	}
	in := input{AlarmNamePrefix: s.Name + "-", AlarmTypes: []string{"MetricAlarm", "CompositeAlarm"}}
	var all []Alarm
	client := awsjson.New(s.Config, monitoring)
	for {
		var out struct {
			MetricAlarms, CompositeAlarms []Alarm
			NextToken                     string
		}
		if err := client.Call(ctx, "DescribeAlarms", in, &out); err != nil {
			return nil, InOneSentence(err)
		}
		all = append(append(all, out.MetricAlarms...), out.CompositeAlarms...)
		if out.NextToken == "" || out.NextToken == in.NextToken {
			return all, nil
		}
		in.NextToken = out.NextToken
	}
}
