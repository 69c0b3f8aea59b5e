package emulator

import (
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sqsTarget is the service's name in the header X-Amz-Target of the JSON protocol.
const sqsTarget = "AmazonSQS"

var simpleQueue = &service{
	name: "sqs", version: sqsTarget, contentType: jsonType10,
	throttled: refusal{code: "RequestThrottled", message: "Rate exceeded"},
	failure: func(r *refusal, _ string, _ int) any {
		return sqsError{Type: "com.amazonaws.sqs#" + r.code, Message: r.message}
	},
	forbidden: func(c *Cloud, action string, form url.Values) *refusal {
		message := c.unauthorized("sqs:"+action, c.arn("sqs", nameOf(queueURL(form))))
		return &refusal{code: "AccessDeniedException", message: message, status: http.StatusForbidden}
	},
}

type sqsError struct {
	Type    string `json:"__type"`
	Message string `json:"message"`
}

// Queue is what a standard queue of SQS can be set to.
type Queue struct {
	Visibility time.Duration // default 30 s
	Delay      time.Duration // before a message that was sent is visible
	MaxBytes   int           // of a message; default 1 MiB
	DeadLetter string        // name of the queue for messages that were received too often; empty for none
	Receives   int           // that many are allowed before
	Retention  time.Duration // default 4 days; an older message is gone
}

// Queued is a message in a queue.
type Queued struct {
	ID, Body   string
	Attributes map[string]Attribute
	SentAt     time.Time
	VisibleAt  time.Time // later than SentAt while it is delayed, or somebody has received it
	Receives   int
}

// queueAttribute is a message attribute as SQS's API has it.
type queueAttribute struct {
	DataType    string
	StringValue string `json:",omitempty"`
	BinaryValue string `json:",omitempty"` // in base64
}

type queue struct {
	Queue
	name     string
	messages []*queued
}

type queued struct {
	Queued
	receipt string // of the last receipt
	firstAt time.Time
}

// AddQueue creates an empty queue and returns its URL. Settings may follow.
func (c *Cloud) AddQueue(name string, settings ...Queue) (url string) {
	c.enter()
	defer c.mu.Unlock()
	var q Queue
	if len(settings) > 0 {
		q = settings[0]
	}
	q.Visibility = cmp.Or(q.Visibility, 30*time.Second)
	q.MaxBytes = cmp.Or(q.MaxBytes, 1<<20)
	q.Retention = cmp.Or(q.Retention, 4*24*time.Hour)
	if c.queues == nil {
		c.queues = map[string]*queue{}
	}
	c.queues[name] = &queue{Queue: q, name: name}
	return c.urlOf(name)
}

func (c *Cloud) urlOf(name string) string {
	return "https://sqs." + c.region() + ".amazonaws.com/" + c.account() + "/" + name
}

// nameOf returns the name of the queue that a URL leads to.
func nameOf(url string) string { return url[strings.LastIndex(url, "/")+1:] }

func queueURL(form url.Values) (url string) {
	_ = json.Unmarshal([]byte(form.Get("QueueUrl")), &url) // a request without one names no queue
	return url
}

// Queued returns the messages of a queue that have not been deleted, in the order in which they were sent.
func (c *Cloud) Queued(name string) (all []Queued) {
	c.enter()
	defer c.mu.Unlock()
	if q := c.queues[name]; q != nil {
		q.expire()
		for _, m := range q.messages {
			all = append(all, m.Queued)
		}
	}
	return all
}

// Send puts a message into a queue, as a service does that needs no client. It panics if the queue does not exist.
func (c *Cloud) Send(name, body string) (messageID string) {
	c.enter()
	defer c.mu.Unlock()
	return c.add(c.queues[name], sendEntry{MessageBody: body}).ID
}

// expire removes the messages that are older than the queue keeps them.
func (q *queue) expire() {
	now := time.Now()
	q.messages = slices.DeleteFunc(q.messages, func(m *queued) bool { return now.Sub(m.SentAt) > q.Retention })
}

// queueOf returns the queue that a request names.
func (c *Cloud) queueOf(url string) (*queue, *refusal) {
	if q := c.queues[nameOf(url)]; q != nil {
		q.expire()
		return q, nil
	}
	return nil, refuse("QueueDoesNotExist", "The specified queue does not exist.")
}

func checksum(body string) string {
	sum := md5.Sum([]byte(body)) //nolint:gosec // SQS's checksum
	return hex.EncodeToString(sum[:])
}

type queueURLResponse struct {
	QueueURL string `json:"QueueUrl"`
}

func (c *Cloud) getQueueURL(form url.Values, _ string) (any, *refusal) {
	var in struct{ QueueName, QueueOwnerAWSAccountID string }
	if refused := members(form, &in); refused != nil {
		return nil, refused
	}
	if _, refused := c.queueOf(in.QueueName); refused != nil {
		return nil, refused
	}
	return queueURLResponse{c.urlOf(in.QueueName)}, nil
}

type attributesResponse struct {
	Attributes map[string]string
}

// getQueueAttributes returns all of the attributes that the stand-in has, or those that are named.
func (c *Cloud) getQueueAttributes(form url.Values, _ string) (any, *refusal) {
	var in struct {
		QueueURL       string `json:"QueueUrl"`
		AttributeNames []string
	}
	if refused := members(form, &in); refused != nil {
		return nil, refused
	}
	q, refused := c.queueOf(in.QueueURL)
	if refused != nil {
		return nil, refused
	}
	all := c.describe(q)
	if !slices.Contains(in.AttributeNames, "All") {
		for name := range all {
			if !slices.Contains(in.AttributeNames, name) {
				delete(all, name)
			}
		}
	}
	return attributesResponse{all}, nil
}

// describe returns a queue's attributes. SQS's counts are approximate; these are exact.
func (c *Cloud) describe(q *queue) map[string]string {
	now := time.Now()
	var visible, delayed, inFlight int
	for _, m := range q.messages {
		switch {
		case !m.VisibleAt.After(now):
			visible++
		case m.Receives == 0:
			delayed++
		default:
			inFlight++
		}
	}
	all := map[string]string{
		"QueueArn":                              c.arn("sqs", q.name),
		"ApproximateNumberOfMessages":           strconv.Itoa(visible),
		"ApproximateNumberOfMessagesDelayed":    strconv.Itoa(delayed),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(inFlight),
		"DelaySeconds":                          seconds(q.Delay),
		"MaximumMessageSize":                    strconv.Itoa(q.MaxBytes),
		"MessageRetentionPeriod":                seconds(q.Retention),
		"VisibilityTimeout":                     seconds(q.Visibility),
	}
	if q.DeadLetter != "" {
		all["RedrivePolicy"] = `{"deadLetterTargetArn":"` + c.arn("sqs", q.DeadLetter) +
			`","maxReceiveCount":` + strconv.Itoa(q.Receives) + `}`
	}
	return all
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
