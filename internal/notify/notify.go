// Package notify reports outcomes: a log line and an SNS message for each.
//
// It promises that an outcome is logged whatever SNS says, that a nil error means that the message is with SNS, and that
// silence is only kept where there is nothing new: for what the policy ignores, and for a repeat of a reported event that
// finds nobody.
package notify

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"clientvpn-responder/internal/responder"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// api is what is used of SNS.
type api interface {
	Publish(context.Context, *sns.PublishInput, ...func(*sns.Options)) (*sns.PublishOutput, error)
}

// Reporter reports outcomes. It may be used by several goroutines.
type Reporter struct {
	sns      api
	topicARN string

	mu       sync.Mutex
	reported map[string]bool
}

// New gives a reporter that publishes to a topic, in the topic's Region.
func New(cfg aws.Config, topic arn.ARN) *Reporter {
	return &Reporter{
		sns:      sns.NewFromConfig(cfg, func(o *sns.Options) { o.Region = topic.Region }),
		topicARN: topic.String(),
	}
}

// maxReported bounds the memory for events that were reported; it is forgotten whole when it is full.
const maxReported = 10_000

// Report publishes the outcome and logs it to log, whatever becomes of the publishing. Where a repeat changes nothing, the
// outcome says so.
func (r *Reporter) Report(ctx context.Context, log *slog.Logger, o *responder.Outcome) error {
	key := o.Signal.Provider + "\x00" + o.Signal.ID + "\x00" + o.Signal.Subject.String()
	publish := o.Status != responder.Ignored
	if o.Status == responder.NotConnected && r.knows(key) {
		o.Summary += " This event was reported before."
		publish = false
	}
	var err error
	if publish {
		err = r.publish(ctx, *o)
	}
	level := slog.LevelInfo
	if o.Incomplete() || err != nil {
		level = slog.LevelError
	}
	log.Log(ctx, level, "outcome", slog.Bool("published", publish && err == nil), slog.Any("outcome", o))
	if err != nil {
		return fmt.Errorf("publishing the outcome for %s to %s: %w", o.Signal.Subject, r.topicARN, err)
	}
	switch o.Status {
	case responder.Terminated, responder.Reconnecting, responder.NotConnected:
		r.remember(key)
	}
	return nil
}

func (r *Reporter) publish(ctx context.Context, o responder.Outcome) error {
	text, err := body(o)
	if err != nil {
		return err
	}
	input := &sns.PublishInput{
		TopicArn:          &r.topicARN,
		Subject:           aws.String(subject(o)),
		Message:           &text,
		MessageAttributes: map[string]types.MessageAttributeValue{},
	}
	for _, a := range attributes(o) {
		input.MessageAttributes[a.name] = types.MessageAttributeValue{DataType: &a.dataType, StringValue: &a.value}
	}
	_, err = r.sns.Publish(ctx, input)
	return err
}

func (r *Reporter) knows(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reported[key]
}

func (r *Reporter) remember(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reported == nil || len(r.reported) >= maxReported {
		r.reported = map[string]bool{}
	}
	r.reported[key] = true
}
