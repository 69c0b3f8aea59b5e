package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// desk is SNS as far as a topic is concerned: it takes what it is sent, or fails, or hangs.
type desk struct {
	mu    sync.Mutex
	err   error
	hangs bool
	got   []string // statuses
}

func (d *desk) Publish(ctx context.Context, in *sns.PublishInput, _ ...func(*sns.Options)) (*sns.PublishOutput, error) {
	if d.hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return nil, d.err
	}
	d.got = append(d.got, *in.MessageAttributes["status"].StringValue)
	return &sns.PublishOutput{MessageId: aws.String("1")}, nil
}

func (d *desk) GetTopicAttributes(
	ctx context.Context,
	_ *sns.GetTopicAttributesInput,
	_ ...func(*sns.Options),
) (*sns.GetTopicAttributesOutput, error) {
	if d.hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return &sns.GetTopicAttributesOutput{}, d.err
}

// reporterTo returns a reporter with a topic for each of the desks, of JSON, text and chat.
func reporterTo(desks ...*desk) *Reporter {
	r := New(aws.Config{}, Topics{
		JSON: arn.ARN{
			Service:  "sns",
			Region:   "eu-west-1",
			Resource: "json",
		},
		Text: arn.ARN{Service: "sns", Region: "us-east-1", Resource: "text"},
		Chat: arn.ARN{Service: "sns", Region: "eu-west-1", Resource: "chat"},
	}, Place{})
	r.topics = r.topics[:len(desks)]
	for i, d := range desks {
		r.topics[i].sns = d
	}
	return r
}

var ann, bob = signal.Subject{Usernames: []string{"ann"}}, signal.Subject{Usernames: []string{"bob"}}

func about(status responder.Status) *responder.Outcome {
	return &responder.Outcome{
		Status:  status,
		Summary: string(status),
		Signal:  signal.Signal{Provider: "okta", ID: "1", Subject: ann},
	}
}

var silent = slog.New(slog.DiscardHandler)

// TestWhatIsQuiet: only a not-connected after an outcome of the same event about the same person that left nothing to
// do.
func TestWhatIsQuiet(t *testing.T) {
	for _, test := range []struct {
		first, second responder.Status
		again         signal.Signal
		quiet         bool
	}{
		{responder.Terminated, responder.NotConnected, signal.Signal{Provider: "okta", ID: "1", Subject: ann}, true},
		{responder.Reconnecting, responder.NotConnected, signal.Signal{Provider: "okta", ID: "1", Subject: ann}, true},
		{responder.NotConnected, responder.NotConnected, signal.Signal{Provider: "okta", ID: "1", Subject: ann}, true},
		{responder.Terminated, responder.NotConnected, signal.Signal{Provider: "okta", ID: "1", Subject: bob}, false},
		{responder.Terminated, responder.NotConnected, signal.Signal{Provider: "okta", ID: "2", Subject: ann}, false},
		{responder.Terminated, responder.NotConnected, signal.Signal{Provider: "custom", ID: "1", Subject: ann}, false},
		{responder.Terminated, responder.Terminated, signal.Signal{Provider: "okta", ID: "1", Subject: ann}, false},
		{responder.Terminated, responder.Exempt, signal.Signal{Provider: "okta", ID: "1", Subject: ann}, false},
		{responder.WouldTerminate, responder.NotConnected, signal.Signal{Provider: "okta", ID: "1", Subject: ann}, false},
		{responder.WouldTerminate, responder.WouldTerminate, signal.Signal{Provider: "okta", ID: "1", Subject: ann}, false},
		{responder.OverLimit, responder.NotConnected, signal.Signal{Provider: "okta", ID: "1", Subject: ann}, false},
		{responder.Ambiguous, responder.NotConnected, signal.Signal{Provider: "okta", ID: "1", Subject: ann}, false},
		{responder.Partial, responder.NotConnected, signal.Signal{Provider: "okta", ID: "1", Subject: ann}, false},
	} {
		json, text, chat := &desk{}, &desk{}, &desk{}
		r := reporterTo(json, text, chat)
		for _, o := range []*responder.Outcome{
			about(test.first),
			{Status: test.second, Summary: string(test.second), Signal: test.again},
		} {
			if err := r.Report(t.Context(), silent, o); err != nil {
				t.Fatal(err)
			}
			if told := strings.Contains(
				o.Summary,
				"reported before",
			); o.Status == test.second && o.Signal.ID == test.again.ID && told &&
				!test.quiet {
				t.Errorf("%s, then %s: %s", test.first, test.second, o.Summary)
			}
		}
		for _, d := range []*desk{json, text, chat} {
			if quiet := len(d.got) == 1; quiet != test.quiet {
				t.Errorf(
					"%s, then %s of %s %s about %s: published %q",
					test.first,
					test.second,
					test.again.Provider,
					test.again.ID,
					test.again.Subject,
					d.got,
				)
			}
		}
	}
}

// TestRepeatThatTheBrakeHeldIsNews: the last word about the event was that it is held.
func TestRepeatThatTheBrakeHeldIsNews(t *testing.T) {
	for held, want := range map[bool]int{false: 0, true: 1} {
		json := &desk{}
		o := about(responder.NotConnected)
		o.Before = ledger.Event{Key: ledger.EventKey{Provider: "okta", ID: "1"}, Status: "terminated", Settled: true}
		if held {
			o.Before.HeldAt = time.Now()
		}
		if err := reporterTo(json).Report(t.Context(), silent, o); err != nil || len(json.got) != want {
			t.Errorf("held: %t: %v, published %q", held, err, json.got)
		}
	}
}

// TestMessageThatIsOwedComesLater, once, and nobody who has it hears it twice.
func TestMessageThatIsOwedComesLater(t *testing.T) {
	no := errors.New("no")
	for _, test := range []struct {
		name               string
		first, second      responder.Status
		json, text         error
		jsonGets, textGets []string
	}{
		{"text", responder.Terminated, responder.NotConnected, nil, no, []string{"terminated"}, []string{"terminated"}},
		{"JSON", responder.Terminated, responder.NotConnected, no, nil, []string{"terminated"}, []string{"terminated"}},
		{"both", responder.Terminated, responder.NotConnected, no, no, []string{"terminated"}, []string{"terminated"}},
		{
			"text, and nothing has changed", responder.WouldTerminate, responder.WouldTerminate, nil, no,
			[]string{"would-terminate"}, []string{"would-terminate"},
		},
		{
			"text, and there is news", responder.Partial, responder.Terminated, nil, no, []string{"partial", "terminated"},
			[]string{"partial", "terminated"},
		},
		{
			"text, and nobody is left", responder.Partial, responder.NotConnected, nil, no,
			[]string{"partial", "not-connected"}, []string{"partial", "not-connected"},
		},
	} {
		json, text, chat := &desk{err: test.json}, &desk{err: test.text}, &desk{}
		r := reporterTo(json, text, chat)
		err := r.Report(t.Context(), silent, about(test.first))
		if !errors.Is(err, no) ||
			(test.text != nil) != strings.Contains(err.Error(), "publishing the text for ann to arn:") ||
			(test.json != nil) != strings.Contains(err.Error(), "publishing the outcome for ann to arn:") {
			t.Errorf("%s: %v", test.name, err)
		}
		// It fails again, and then it does not.
		if err := r.Report(t.Context(), silent, about(test.first)); !errors.Is(err, no) {
			t.Errorf("%s: %v", test.name, err)
		}
		json.err, text.err = nil, nil
		if err := r.Report(t.Context(), silent, about(test.second)); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if !slices.Equal(json.got, test.jsonGets) || !slices.Equal(text.got, test.textGets) ||
			!slices.Equal(chat.got, test.jsonGets) {
			t.Errorf("%s: JSON %q, text %q, chat %q", test.name, json.got, text.got, chat.got)
		}
		if r.owed != 0 {
			t.Errorf("%s: %d messages are owed", test.name, r.owed)
		}
	}
}

// TestSlowTopicStarvesNobody: far more outcomes than a topic is sent at a time, and one topic that never answers.
func TestSlowTopicStarvesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		json, text, chat := &desk{}, &desk{hangs: true}, &desk{}
		r := reporterTo(json, text, chat)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var wait sync.WaitGroup
		for i := range 5 * maxSending {
			wait.Go(func() {
				o := about(responder.Terminated)
				o.Signal.ID = fmt.Sprint(i)
				if err := r.Report(ctx, silent, o); err == nil || !strings.Contains(err.Error(), "the text") {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if len(json.got) != 5*maxSending || len(chat.got) != 5*maxSending {
			t.Errorf("JSON has %d, chat has %d", len(json.got), len(chat.got))
		}
		wait.Wait()
	})
}

// TestTopicForPeopleThatHangsIsGivenUp, so that the function goes on to the next events.
func TestTopicForPeopleThatHangsIsGivenUp(t *testing.T) {
	for which := range 3 {
		synctest.Test(t, func(t *testing.T) {
			desks := []*desk{{}, {}, {}}
			desks[which].hangs = true
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			started, want := time.Now(), 5*time.Second
			if which == 0 {
				want = 2 * time.Minute // what JSON does not get is not on record
			}
			err := reporterTo(desks...).Report(ctx, silent, about(responder.Terminated))
			if took := time.Since(started); err == nil || took != want {
				t.Errorf("topic %d: %v, after %v", which, err, took)
			}
		})
	}
}

// TestReadyIsForMachines: nobody wants an e-mail every day that says that all is well, and everybody one that says it
// is not.
func TestReadyIsForMachines(t *testing.T) {
	for status, want := range map[responder.Status]int{responder.Ready: 0, responder.NotReady: 1} {
		json, text, chat := &desk{}, &desk{}, &desk{}
		if err := reporterTo(json, text, chat).Report(t.Context(), silent, about(status)); err != nil {
			t.Error(err)
		}
		if len(json.got) != 1 || len(text.got) != want || len(chat.got) != want {
			t.Errorf("%s: %q %q %q", status, json.got, text.got, chat.got)
		}
	}
}

func TestProbeFindsTopicsForPeople(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("gone")
		for _, test := range []struct {
			desks []*desk
			want  int
		}{
			{[]*desk{{}, {}, {}}, 0},
			{[]*desk{{err: gone}}, 0},
			{[]*desk{{}, {err: gone}, {}}, 1},
			{[]*desk{{}, {err: gone}, {hangs: true}}, 2},
		} {
			if problems := reporterTo(test.desks...).Probe(t.Context()); len(problems) != test.want {
				t.Errorf("%v: %v", test.desks, problems)
			}
		}
	})
}

func TestMemoryHoldsManyAndIsBounded(t *testing.T) {
	json := &desk{}
	r := reporterTo(json)
	settle := func(id string) {
		o := about(responder.Terminated)
		o.Signal.ID = id
		if err := r.Report(t.Context(), silent, o); err != nil {
			t.Fatal(err)
		}
	}
	settle("first")
	for i := range maxEvents - 1 {
		settle(fmt.Sprint(i))
	}
	if len(r.events) != maxEvents {
		t.Errorf("forgotten too soon: %d events are remembered", len(r.events))
	}
	settle("one more")
	if len(r.events) != 1 {
		t.Errorf("%d events are remembered", len(r.events))
	}
	json.err = errors.New("no")
	for i := range 2 * maxOwed {
		o := about(responder.Terminated)
		o.Signal.ID = fmt.Sprint("owed", i)
		if err := r.Report(t.Context(), silent, o); err == nil {
			t.Fatal("no error")
		}
	}
	if r.owed != maxOwed {
		t.Errorf("%d messages are kept", r.owed)
	}
	// An outcome that is not kept is published when its event comes again, as it is then.
	json.err, json.got = nil, nil
	for _, id := range []string{"owed0", fmt.Sprint("owed", 2*maxOwed-1)} {
		o := about(responder.NotConnected)
		o.Signal.ID = id
		if err := r.Report(t.Context(), silent, o); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(json.got, []string{"terminated", "not-connected"}) {
		t.Errorf("told %q", json.got)
	}
}

// TestTroubleIsLoggedAsAnError: alarms look for the level.
func TestTroubleIsLoggedAsAnError(t *testing.T) {
	for _, test := range []struct {
		status responder.Status
		err    error
		level  string
	}{
		{
			responder.Terminated, nil, "INFO"}, {responder.Terminated, errors.New("no"), "ERROR"}, {responder.Ignored,
			errors.New("no"), "INFO",
		},
		{responder.Partial, nil, "ERROR"}, {responder.Unverified, nil, "ERROR"}, {responder.Failed, nil, "ERROR"},
	} {
		var log bytes.Buffer
		err := reporterTo(
			&desk{},
			&desk{err: test.err},
		).Report(
			t.Context(),
			slog.New(slog.NewJSONHandler(&log, nil)),
			about(test.status),
		)
		first, _, _ := strings.Cut(log.String(), "\n")
		var line struct {
			Level       string
			Published   bool
			Unpublished []string
		}
		failed := test.err != nil && test.status != responder.Ignored
		if json.Unmarshal([]byte(first), &line) != nil || line.Level != test.level || (err != nil) != failed ||
			slices.Equal(line.Unpublished, []string{"text"}) != failed ||
			line.Published != (!failed && test.status != responder.Ignored) {
			t.Errorf("%s, SNS says %v: %v, %s", test.status, test.err, err, first)
		}
	}
}

func TestTopicsOwnRegion(t *testing.T) {
	r := New(
		aws.Config{Region: "eu-west-1"},
		Topics{JSON: arn.ARN{Region: "eu-west-1"}, Text: arn.ARN{Region: "us-east-1"}},
		Place{},
	)
	if len(r.topics) != 2 {
		t.Fatalf("%d topics", len(r.topics))
	}
	for i, want := range []string{"eu-west-1", "us-east-1"} {
		if got := r.topics[i].sns.(*sns.Client).Options().Region; got != want {
			t.Errorf("published in %s, not %s", got, want)
		}
	}
}
