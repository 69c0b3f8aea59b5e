package held_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/held"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

func queues(t *testing.T) (*emulator.Cloud, *held.Queue) {
	return answering(t, func(string) (string, bool) { return "", false })
}

// answering returns queues where some calls have another answer.
func answering(t *testing.T, answer func(action string) (string, bool)) (*emulator.Cloud, *held.Queue) {
	cloud := &emulator.Cloud{}
	client, stop := emulator.HTTPClient(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if other, there := answer(strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")); there {
			fmt.Fprint(w, other)
			return
		}
		cloud.ServeHTTP(w, r)
	}))
	t.Cleanup(stop)
	cfg := aws.Config{
		Region: "eu-west-1", HTTPClient: client, BaseEndpoint: aws.String("http://stand-in"), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
	return cloud, held.New(cfg, cloud.AddQueue("held"), cloud.AddQueue("events"))
}

func hold(t *testing.T, q *held.Queue, events ...held.Event) {
	t.Helper()
	for _, err := range q.Hold(t.Context(), events) {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func bodies(cloud *emulator.Cloud, queue string) string {
	var all []string
	for _, m := range cloud.Queued(queue) {
		var several held.Bundle
		if json.Unmarshal([]byte(m.Body), &several) == nil && len(several.Events) > 0 {
			all = append(all, several.Events...)
		} else {
			all = append(all, m.Body)
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// TestReleaseKeepsTheBytes: of all, of a source, or of some people. The rest stays, and can be received at once.
func TestReleaseKeepsTheBytes(t *testing.T) {
	big := strings.Repeat("x", 900<<10)
	at := time.Date(2026, 3, 1, 9, 0, 0, 5, time.UTC)
	for _, test := range []struct {
		name             string
		selector         held.Selector
		released, remain string
	}{
		{"all", held.Selector{}, `b c d ` + big + ` {"a":"é"}`, ""},
		{"a source", held.Selector{Lane: "okta"}, `b ` + big + ` {"a":"é"}`, "c d"},
		{"some people", held.Selector{Lane: "okta", People: []string{"alice", "bob"}}, `b {"a":"é"}`, "c d " + big},
		{"one person of two", held.Selector{People: []string{"bob"}}, ``, `b c d ` + big + ` {"a":"é"}`},
		{"nobody", held.Selector{Lane: "duo"}, "", `b c d ` + big + ` {"a":"é"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			cloud, q := queues(t)
			hold(t, q,
				held.Event{Body: `{"a":"é"}`, Lane: "okta", People: []string{"alice"}},
				held.Event{Body: "b", Lane: "okta", People: []string{"alice", "bob"}},
				held.Event{Body: "c", Lane: "entra", People: []string{"carol"}},
				held.Event{Body: "d", Lane: "entra"}, held.Event{Body: big, Lane: "okta"})
			r := held.Release{Lane: "okta", At: at, By: "dave", Reason: "the import was right\nafter all"}
			n, err := q.Release(t.Context(), test.selector, r)
			if got := bodies(cloud, "events"); got != test.released || n != len(strings.Fields(got)) || err != nil {
				t.Errorf("%d released, %.100s: %v", n, got, err)
			}
			if got := bodies(cloud, "held"); got != test.remain {
				t.Errorf("%.100s remain", got)
			}
			for _, m := range cloud.Queued("events") {
				if got, ok := held.ReadRelease(m.Attributes[held.ReleaseAttribute].Value); !ok || got != r {
					t.Errorf("%+v travels along", got)
				}
			}
			for _, m := range cloud.Queued("held") {
				if m.VisibleAt.After(time.Now()) {
					t.Errorf("%.20s is hidden until %s", m.Body, m.VisibleAt)
				}
			}
		})
	}
}

// TestDropDeletesOnlyWhatItIsAbout: and nothing goes anywhere.
func TestDropDeletesOnlyWhatItIsAbout(t *testing.T) {
	cloud, q := queues(t)
	hold(t, q, held.Event{Body: "a", Lane: "okta"}, held.Event{Body: "b", Lane: "entra"})
	n, err := q.Drop(t.Context(), held.Selector{Lane: "okta"})
	if n != 1 || err != nil || bodies(cloud, "held") != "b" || bodies(cloud, "events") != "" {
		t.Error(n, err, bodies(cloud, "held"), bodies(cloud, "events"))
	}
}

// TestNothingIsLostWhenSQSFails: whatever fails, an event is in one of the queues, and the error says what failed.
func TestNothingIsLostWhenSQSFails(t *testing.T) {
	for _, action := range []string{"SendMessageBatch", "ReceiveMessage", "DeleteMessageBatch"} {
		t.Run(action, func(t *testing.T) {
			cloud, q := queues(t)
			hold(t, q, held.Event{Body: "a", Lane: "okta"})
			cloud.Deny("sqs:"+action, "")
			_, err := q.Release(t.Context(), held.Selector{}, held.Release{})
			if err == nil || bodies(cloud, "held") == "" && bodies(cloud, "events") == "" {
				t.Error(err)
			}
			if action == "SendMessageBatch" {
				if err := q.Hold(t.Context(), []held.Event{{Body: "b"}})[0]; err == nil || bodies(cloud, "held") != "a" {
					t.Error(err)
				}
			}
		})
	}
}

// TestRefusedEntryIsNoSuccess: SQS answers a batch with 200, and refuses what is in it, or says nothing about it. The
// event stays where it is, and the error says so.
func TestRefusedEntryIsNoSuccess(t *testing.T) {
	const refused = `{"Failed":[{"Id":"0","Code":"InternalError","Message":"try again"}]}`
	for _, test := range []struct{ action, answer string }{
		{"SendMessageBatch", refused}, {"SendMessageBatch", `{}`}, {"DeleteMessageBatch", refused},
	} {
		t.Run(test.action+" "+test.answer, func(t *testing.T) {
			cloud, q := answering(t, func(action string) (string, bool) { return test.answer, action == test.action })
			cloud.Send("held", "a")
			if n, err := q.Release(t.Context(), held.Selector{}, held.Release{}); n != 0 || err == nil {
				t.Error(n, err)
			}
			if left := cloud.Queued("held"); len(left) != 1 || left[0].VisibleAt.After(time.Now()) {
				t.Errorf("%+v", left)
			}
			if err := q.Hold(t.Context(), []held.Event{{Body: "b"}})[0]; (err == nil) != (test.action != "SendMessageBatch") {
				t.Error(err)
			}
		})
	}
}

// TestEmptyAnswerIsNoEmptyQueue: SQS may answer without a message although there is one.
func TestEmptyAnswerIsNoEmptyQueue(t *testing.T) {
	var asked atomic.Int32
	cloud, q := answering(t, func(action string) (string, bool) {
		return `{}`, action == "ReceiveMessage" && asked.Add(1) <= 16
	})
	hold(t, q, held.Event{Body: "a"})
	if n, err := q.Drop(t.Context(), held.Selector{}); n != 1 || err != nil || bodies(cloud, "held") != "" {
		t.Error(n, err)
	}
}

// TestBundleFitsAMessage: large events are bundled up to the bytes that SQS takes, and small ones up to the number that
// one invocation can answer.
func TestBundleFitsAMessage(t *testing.T) {
	for _, test := range []struct{ events, size int }{{200, 50 << 10}, {1200, 1}} {
		cloud, q := queues(t)
		for range test.events {
			cloud.Send("held", strings.Repeat("x", test.size))
		}
		n, err := q.Release(t.Context(), held.Selector{}, held.Release{})
		if got := len(strings.Fields(bodies(cloud, "events"))); n != test.events || got != n || err != nil {
			t.Errorf("%d of %d bytes: %d released, %d arrive: %v", test.events, test.size, n, got, err)
		}
		for _, m := range cloud.Queued("events") {
			var b held.Bundle
			if json.Unmarshal([]byte(m.Body), &b) == nil && len(b.Events) > 100 || len(m.Body) > 1<<20 {
				t.Errorf("a message of %d events and %d bytes", len(b.Events), len(m.Body))
			}
		}
	}
}

// TestTwentyThousandAreReleasedInMinutes: in virtual time, with answers that take 50 ms. A bundle of 100 is one message
// for the function.
func TestTwentyThousandAreReleasedInMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &emulator.Cloud{Latency: 50 * time.Millisecond}
		client, stop := emulator.HTTPClient(cloud)
		defer stop()
		q := held.New(aws.Config{
			Region: "eu-west-1", HTTPClient: client, BaseEndpoint: aws.String("http://stand-in"), RetryMaxAttempts: 1,
			Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		}, cloud.AddQueue("held"), cloud.AddQueue("events"))
		const events = 20_000
		for i := range events {
			cloud.Send("held", fmt.Sprintf(`{"id":"e%d"}`, i))
		}
		began := time.Now()
		n, err := q.Release(t.Context(), held.Selector{}, held.Release{Lane: "okta", At: began, By: "carol"})
		took, messages := time.Since(began), len(cloud.Queued("events"))
		t.Logf("%d events in %v, as %d messages", n, took, messages)
		left := len(cloud.Queued("held"))
		if n != events || err != nil || left > 0 || took > 2*time.Minute || messages > events/90 ||
			len(strings.Fields(bodies(cloud, "events"))) != events {
			t.Errorf("%d in %v, as %d messages, %v", n, took, messages, err)
		}
	})
}
