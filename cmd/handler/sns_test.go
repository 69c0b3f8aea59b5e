package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/moto"
	"clientvpn-responder/internal/schema"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// queue is one that subscribes to a topic.
type queue struct {
	region, topic, filter string // filter policy; empty for everything
	want                  []string

	url string
}

// subscribe creates the queue, and subscribes it to a topic.
func (q *queue) subscribe(t *testing.T, cfg aws.Config, name, topic string) {
	t.Helper()
	box := sqs.NewFromConfig(cfg)
	created, err := box.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		t.Fatal(err)
	}
	q.url = *created.QueueUrl
	arn := types.QueueAttributeNameQueueArn
	attributes, err := box.GetQueueAttributes(t.Context(),
		&sqs.GetQueueAttributesInput{QueueUrl: &q.url, AttributeNames: []types.QueueAttributeName{arn}})
	if err != nil {
		t.Fatal(err)
	}
	subscription := &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("sqs"),
		Endpoint: aws.String(attributes.Attributes["QueueArn"]), Attributes: map[string]string{}}
	if q.filter != "" {
		subscription.Attributes["FilterPolicy"] = q.filter
	}
	if _, err := sns.NewFromConfig(cfg).Subscribe(t.Context(), subscription); err != nil {
		t.Fatal(err)
	}
}

// wordOf returns the status that a message begins with, in the form of its topic.
func (q *queue) wordOf(t *testing.T, name string, message delivery) string {
	t.Helper()
	word, _, _ := strings.Cut(message.Subject, " ")
	switch q.topic {
	case "outcomes":
		if err := schema.Check([]byte(message.Message)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		word = message.MessageAttributes["status"].Value
		if !strings.HasPrefix(message.Subject, word+": ") {
			t.Errorf("%s: %s", name, message.Subject)
		}
	case "messages":
		if !strings.HasPrefix(message.Message, word) {
			t.Errorf("%s: %s: %s", name, message.Subject, message.Message)
		}
	case "chat":
		var n struct{ Version, Source string }
		if json.Unmarshal([]byte(message.Message), &n) != nil || n.Version != "1.0" || n.Source != "custom" {
			t.Errorf("%s: %s", name, message.Message)
		}
	}
	return word
}

// TestSubscriptionsGetWhatTheyFilterFor: a real SNS, topics in two Regions, queues with filter policies on the
// attributes.
func TestSubscriptionsGetWhatTheyFilterFor(t *testing.T) {
	url := moto.URL(t, "OUR OWN SNS")
	config := func(region string) aws.Config {
		return aws.Config{Region: region, BaseEndpoint: &url,
			Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
	}
	topics := map[string]string{}
	for name, region := range map[string]string{"outcomes": "eu-west-1", "messages": "us-east-1", "chat": "eu-west-1"} {
		created, err := sns.NewFromConfig(config(region)).CreateTopic(t.Context(), &sns.CreateTopicInput{Name: &name})
		if err != nil {
			t.Fatal(err)
		}
		topics[name] = *created.TopicArn
	}
	queues := map[string]*queue{
		"all": {region: "eu-west-1", topic: "outcomes", want: []string{"not-connected", "partial", "terminated",
			"would-terminate"}},
		"trouble": {region: "eu-west-1", topic: "outcomes", filter: `{"status": ["partial", "unverified", "failed"]}`,
			want: []string{"partial"}},
		"findings": {region: "eu-west-1", topic: "outcomes",
			filter: `{"provider": ["guardduty"], "severity": [{"numeric": [">=", 7]}]}`, want: []string{"terminated"}},
		"earnest": {region: "eu-west-1", topic: "outcomes", filter: `{"mode": [{"anything-but": "dry-run"}]}`,
			want: []string{"not-connected", "partial", "terminated"}},
		"leavers": {region: "eu-west-1", topic: "outcomes",
			filter: `{"kind": ["account-disabled"], "account": ["111122223333"]}`, want: []string{"not-connected", "partial"}},
		"nothing": {region: "eu-west-1", topic: "outcomes", filter: `{"account": ["444455556666"]}`},
		"people": {region: "us-east-1", topic: "messages", want: []string{"NOT-CONNECTED", "PARTIAL", "TERMINATED",
			"DRY-RUN"}},
		"oncall": {region: "us-east-1", topic: "messages", filter: `{"status": ["partial", "unverified", "failed"]}`,
			want: []string{"PARTIAL"}},
		"channel": {region: "eu-west-1", topic: "chat", filter: `{"severity": [{"numeric": [">=", 7]}]}`,
			want: []string{"TERMINATED"}},
	}
	for name, q := range queues {
		q.subscribe(t, config(q.region), name, topics[q.topic])
	}

	cloud := cloudWith(emulator.Client{Username: "alice", FailToTerminate: true}, emulator.Client{Username: "bob"},
		emulator.Client{Username: "dave"})
	env := []string{"AWS_ENDPOINT_URL_SNS=" + url, "TOPIC_ARN=" + topics["outcomes"],
		"MESSAGE_TOPIC_ARN=" + topics["messages"], "CHAT_TOPIC_ARN=" + topics["chat"]}
	finding, err := os.ReadFile("../../events/guardduty/iam-user.json")
	if err != nil {
		t.Fatal(err)
	}
	answer := invoke(t, start(t, cloud, env...), batch(leaver("e1", "alice"), finding, leaver("e2", "carol")))
	if string(answer.Payload) != `{"batchItemFailures":[{"itemIdentifier":"m0"}]}` {
		t.Errorf("%s %+v", answer.Payload, answer.Failure)
	}
	revoked := strings.Replace(string(leaver("e3", "dave")), "account-disabled", "session-revoked", 1)
	invoke(t, start(t, cloud, append(env, "MODE=dry-run")...), []byte(revoked))

	for name, q := range queues {
		var got []string
		for _, message := range drain(t, sqs.NewFromConfig(config(q.region)), q.url) {
			got = append(got, q.wordOf(t, name, message))
		}
		slices.Sort(got)
		slices.Sort(q.want)
		if !slices.Equal(got, q.want) {
			t.Errorf("%s got %q, want %q", name, got, q.want)
		}
	}
}

// delivery is what SNS puts into a queue.
type delivery struct {
	Subject, Message  string
	MessageAttributes map[string]struct{ Type, Value string }
}

func drain(t *testing.T, box *sqs.Client, url string) []delivery {
	t.Helper()
	var all []delivery
	for {
		received, err := box.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(received.Messages) == 0 {
			return all
		}
		for _, m := range received.Messages {
			var d delivery
			if err := json.Unmarshal([]byte(*m.Body), &d); err != nil {
				t.Fatal(err)
			}
			all = append(all, d)
			if _, err := box.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &url,
				ReceiptHandle: m.ReceiptHandle}); err != nil {
				t.Fatal(err)
			}
		}
	}
}
