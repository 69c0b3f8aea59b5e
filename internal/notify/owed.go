package notify

import (
	"encoding/json"
	"slices"

	"clientvpn-responder/internal/responder"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// owedMessage is a message that a topic still lacks, as the ledger keeps it.
type owedMessage struct {
	Topic      string               `json:"topic"` // ARN
	Subject    string               `json:"subject"`
	Body       string               `json:"body"`
	Attributes map[string][2]string `json:"attributes"` // type and value
}

// mostOwed is how many bytes of owed messages the ledger keeps for one outcome. It is the message of some 100
// connections, and an item of DynamoDB has room for several.
const mostOwed = 60 << 10

// write returns the messages in a form that the ledger keeps; "" for none, or if they are too long.
func (r *Reporter) write(owed []debt) string {
	var all []owedMessage
	for _, d := range owed {
		m := owedMessage{r.topics[d.topic].arn, aws.ToString(d.message.Subject), aws.ToString(d.message.Message), nil}
		m.Attributes = map[string][2]string{}
		for name, a := range d.message.MessageAttributes {
			m.Attributes[name] = [2]string{aws.ToString(a.DataType), aws.ToString(a.StringValue)}
		}
		all = append(all, m)
	}
	raw, err := json.Marshal(all)
	if err != nil || len(all) == 0 || len(raw) > mostOwed {
		return ""
	}
	return string(raw)
}

// read returns the messages that write wrote, without those to topics that there are no more.
func (r *Reporter) read(written string) []debt {
	var all []owedMessage
	if written == "" || json.Unmarshal([]byte(written), &all) != nil {
		return nil
	}
	var owed []debt
	for _, m := range all {
		i := slices.IndexFunc(r.topics, func(t topic) bool { return t.arn == m.Topic })
		if i < 0 {
			continue
		}
		input := &sns.PublishInput{
			TopicArn: &r.topics[i].arn, Subject: aws.String(m.Subject), Message: aws.String(m.Body),
			MessageAttributes: map[string]types.MessageAttributeValue{},
		}
		for name, a := range m.Attributes {
			input.MessageAttributes[name] = types.MessageAttributeValue{
				DataType: aws.String(a[0]), StringValue: aws.String(a[1]),
			}
		}
		owed = append(owed, debt{i, input})
	}
	return owed
}

// recall returns what is remembered of an outcome's event: by the ledger, which knows of all instances, and otherwise
// by this process.
func (r *Reporter) recall(key string, o *responder.Outcome) event {
	e := r.take(key)
	b := o.Before
	if b.Key.ID == "" {
		return e
	}
	e.settled = e.settled || b.Settled
	e.last = b.Status + ": " + b.Summary
	if b.Owed != "" || !b.AnsweredAt.IsZero() { // the ledger knows what is owed, or that nothing is
		e.owed = r.read(b.Owed)
	}
	return e
}
