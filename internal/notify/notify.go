// Package notify reports outcomes: evidence and metrics in the log, and messages to SNS for machines, for people and
// for chat.
//
// It promises to log every outcome whatever SNS says. A nil error means that SNS has every message. A message that
// could not be published is sent when its event comes again, to whichever instance, and only to topics that lack it. It
// is silent only if there is nothing new: if the policy ignores the event, or if a repeat of a reported event finds
// nobody. People get no message about a self-test that found everything ready.
package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"clientvpn-responder/internal/responder"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// api has the used calls of SNS.
type api interface {
	Publish(context.Context, *sns.PublishInput, ...func(*sns.Options)) (*sns.PublishOutput, error)
	GetTopicAttributes(context.Context, *sns.GetTopicAttributesInput,
		...func(*sns.Options)) (*sns.GetTopicAttributesOutput, error)
}

// Topics are the SNS topics that outcomes go to, each in its own Region. The zero ARN turns a topic off.
type Topics struct {
	// JSON gets each outcome as doc/outcome.schema.json describes it. Text gets a message for people. Chat gets a custom
	// notification for Amazon Q Developer in chat applications.
	JSON, Text, Chat arn.ARN
}

// topic is one of them.
type topic struct {
	what   string // it gets
	arn    string
	sns    api
	render func(responder.Outcome) (subject, body string, err error)
	// forPeople is not set for the one for machines, which is the record.
	forPeople bool
	slots     chan struct{} // of its own, so that one that hangs holds no other up
}

// Reporter reports outcomes. It may be used by several goroutines.
type Reporter struct {
	topics []topic

	mu     sync.Mutex
	events map[string]event
	owed   int // messages
}

const (
	// maxEvents bounds the memory for events that were reported; it is forgotten whole when it is full.
	maxEvents = 10_000
	// maxOwed bounds the unpublished messages that are kept. Beyond it, an event that comes again is reported as it is
	// then.
	maxOwed = 200
	// maxSending is how many messages a topic is sent at a time.
	maxSending = 10
)

// New returns a reporter that publishes to the topics. E-mails end with a command and links that lead to the place.
func New(cfg aws.Config, topics Topics, place Place) *Reporter {
	r := &Reporter{}
	add := func(what string, to arn.ARN, render func(responder.Outcome) (string, string, error)) {
		if to == (arn.ARN{}) {
			return
		}
		client := sns.NewFromConfig(cfg, func(o *sns.Options) { o.Region = to.Region })
		r.topics = append(r.topics, topic{
			what: what, arn: to.String(), sns: client, render: render, forPeople: len(r.topics) > 0,
			slots: make(chan struct{}, maxSending),
		})
	}
	add("outcome", topics.JSON, document)
	add("text", topics.Text, writer{place}.text)
	add("chat notification", topics.Chat, chat)
	return r
}

// Probe returns an error for each topic for people that does not exist. The self-test calls it, because its message
// does not go to them. The topic for machines gets that message, which proves that it exists.
func (r *Reporter) Probe(ctx context.Context) (problems []error) {
	for _, t := range r.topics {
		if !t.forPeople {
			continue
		}
		ctx, cancel := t.patience(ctx)
		_, err := t.sns.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: &t.arn})
		cancel()
		if err != nil {
			problems = append(problems, fmt.Errorf("looking for the topic %s, which gets the %s: %w", t.arn, t.what, err))
		}
	}
	return problems
}

// Report publishes the outcome to every topic, side by side, and logs it to log, whatever becomes of the publishing.
// Where a repeat changes nothing, the outcome says so. Messages that an earlier Report of the same event could not
// publish go first.
func (r *Reporter) Report(ctx context.Context, log *slog.Logger, o *responder.Outcome) error {
	key := o.Signal.Provider + "\x00" + o.Signal.ID + "\x00" + o.Signal.Subject.String()
	words := string(o.Status) + ": " + o.Summary
	before := r.recall(key, o)
	news := o.Status != responder.Ignored && (o.Status != responder.Braked || o.Brake.Announces)
	// If the brake held the repeat, the last word that people have is "held".
	if o.Status == responder.NotConnected && before.settled && o.Before.HeldAt.IsZero() {
		o.Summary += " This event was reported before."
		news = false
	}
	if len(before.owed) > 0 && before.last == words {
		news = false // it came again because of what is owed
	}
	o.LeftToDo = steps(*o)
	owed, errs := r.publish(ctx, *o, before.owed, news)

	after := event{settled: before.settled || settles(o.Status), last: words}
	var missed []string
	for i, t := range r.topics {
		after.owed = append(after.owed, owed[i]...)
		if errs[i] != nil {
			missed = append(missed, t.what)
			errs[i] = fmt.Errorf("publishing the %s for %s to %s: %w", t.what, o.Signal.Subject, t.arn, errs[i])
		}
	}
	r.keep(key, after)
	o.Owed = r.write(after.owed)
	record(ctx, log, *o, news && len(missed) == 0, missed)
	return errors.Join(errs...)
}

// settles reports whether an outcome with this status leaves nothing to do.
func settles(status responder.Status) bool {
	switch status {
	case responder.Terminated, responder.Reconnecting, responder.NotConnected:
		return true
	}
	return false
}

// saysNothingNew reports whether people need not read it. All is ready, a sweep repeats what one of the same day said,
// or somebody only asked and has the answer.
func saysNothingNew(o responder.Outcome) bool {
	return o.Status == responder.Ready || o.Sweep != nil && o.Sweep.Repeats || o.Signal.DryRun
}

// publish sends each topic what it is owed and then, if it is news, the outcome. It returns by topic what is still
// owed, and why.
func (r *Reporter) publish(ctx context.Context, o responder.Outcome, before []debt, news bool) ([][]debt, []error) {
	owed := make([][]debt, len(r.topics))
	errs := make([]error, len(r.topics))
	var wait sync.WaitGroup
	for i, t := range r.topics {
		for _, d := range before {
			if d.topic == i {
				owed[i] = append(owed[i], d)
			}
		}
		wait.Go(func() {
			ctx, cancel := t.patience(ctx)
			defer cancel()
			if news && (!t.forPeople || !saysNothingNew(o)) {
				message, err := t.message(o)
				if err != nil {
					errs[i] = err
					return
				}
				owed[i] = append(owed[i], debt{i, message})
			}
			owed[i], errs[i] = t.pay(ctx, owed[i])
		})
	}
	wait.Wait()
	return owed, errs
}

// pay publishes messages until one fails, and returns the rest.
func (t topic) pay(ctx context.Context, owed []debt) ([]debt, error) {
	for len(owed) > 0 {
		if err := t.publish(ctx, owed[0].message); err != nil {
			return owed, err
		}
		owed = owed[1:]
	}
	return owed, nil
}

func (t topic) message(o responder.Outcome) (*sns.PublishInput, error) {
	subject, body, err := t.render(o)
	if err != nil {
		return nil, err
	}
	input := &sns.PublishInput{
		TopicArn:          &t.arn,
		Subject:           &subject,
		Message:           &body,
		MessageAttributes: map[string]types.MessageAttributeValue{},
	}
	for _, a := range attributes(o) {
		input.MessageAttributes[a.name] = types.MessageAttributeValue{DataType: &a.dataType, StringValue: &a.value}
	}
	return input, nil
}

// patience is all the time left for the topic of JSON, and a part of it for the others. A topic that hangs must not
// keep the function from the next events.
func (t topic) patience(ctx context.Context) (context.Context, context.CancelFunc) {
	const longest = 5 * time.Second
	if t.forPeople {
		return context.WithTimeout(ctx, longest)
	}
	return context.WithCancel(ctx)
}

func (t topic) publish(ctx context.Context, message *sns.PublishInput) error {
	select {
	case t.slots <- struct{}{}:
		defer func() { <-t.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	published, err := t.sns.Publish(ctx, message)
	if err == nil && aws.ToString(published.MessageId) == "" {
		return errors.New("SNS answered without the id that every message gets")
	}
	return err
}
