package emulator

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	snsVersion = "2010-03-31"
	// The pages of SNS write the namespace of answers with https, the service sends that of errors with http.
	snsSpace      = "https://sns.amazonaws.com/doc/" + snsVersion + "/"
	snsErrorSpace = "http://sns.amazonaws.com/doc/" + snsVersion + "/"
)

// notification is SNS.
var notification = &service{
	name: "sns", version: snsVersion, contentType: xmlType, throttled: queryThrottled, failure: snsError,
	forbidden: func(c *Cloud, action string, form url.Values) *refusal {
		message := c.unauthorized("SNS:"+action, form.Get("TopicArn"))
		return &refusal{code: "AuthorizationError", message: message, status: http.StatusForbidden}
	},
}

// Message is a message that SNS accepted.
type Message struct {
	TopicARN, Subject, Body string
	Structure               string // empty, or json
	Attributes              map[string]Attribute
	At                      time.Time
}

// Attribute is a message attribute; the value of a Binary one is in base64.
type Attribute struct{ Type, Value string }

// Published returns the messages that SNS accepted, in order.
func (c *Cloud) Published() []Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.messages)
}

type snsErrorResponse struct {
	XMLName   xml.Name
	Type      string `xml:"Error>Type"`
	Code      string `xml:"Error>Code"`
	Message   string `xml:"Error>Message"`
	RequestID string `xml:"RequestId"`
}

func snsError(r *refusal, requestID string, status int) any {
	fault := "Sender"
	if status >= 500 {
		fault = "Receiver"
	}
	name := xml.Name{Space: snsErrorSpace, Local: "ErrorResponse"}
	return snsErrorResponse{name, fault, r.code, r.message, requestID}
}

type publishResponse struct {
	XMLName   xml.Name
	MessageID string `xml:"PublishResult>MessageId"`
	RequestID string `xml:"ResponseMetadata>RequestId"`
}

var (
	topicARN = regexp.MustCompile(
		`^arn:(aws[a-z-]*):sns:([a-z0-9-]+):(\d{12}):([A-Za-z0-9_-]{1,256}|[A-Za-z0-9_-]{1,251}\.fifo)$`)
	// SNS Developer Guide, message attributes: letters, digits, _ - . but no dot first, last or after another.
	attributeName = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)
	attributeType = regexp.MustCompile(`^(String|Number|Binary)(\.|$)`)
)

func invalid(parameter string) *refusal {
	return refuse("InvalidParameter", "Invalid parameter: %s", parameter)
}

type getTopicAttributesResponse struct {
	XMLName   xml.Name
	Entries   []topicAttribute `xml:"GetTopicAttributesResult>Attributes>entry"`
	RequestID string           `xml:"ResponseMetadata>RequestId"`
}

type topicAttribute struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

// getTopicAttributes finds every topic of the account and Region except those in [Cloud.NoTopics].
func (c *Cloud) getTopicAttributes(form url.Values, requestID string) (any, *refusal) {
	topic := form.Get("TopicArn")
	arn := topicARN.FindStringSubmatch(topic)
	switch {
	case arn == nil || arn[2] != c.region():
		return nil, invalid("TopicArn")
	case arn[3] != c.account() || slices.Contains(c.NoTopics, topic):
		return nil, &refusal{code: "NotFound", message: "Topic does not exist", status: http.StatusNotFound}
	}
	return getTopicAttributesResponse{
		XMLName:   xml.Name{Space: snsSpace, Local: "GetTopicAttributesResponse"},
		Entries:   []topicAttribute{{"TopicArn", topic}, {"Owner", arn[3]}},
		RequestID: requestID,
	}, nil
}

// publish accepts what the SNS API reference (Publish) allows, for any topic of the account and Region. AWS does not
// document the texts of the errors.
func (c *Cloud) publish(form url.Values, requestID string) (any, *refusal) {
	m := Message{TopicARN: form.Get("TopicArn"), Subject: form.Get("Subject"), Body: form.Get("Message"),
		Structure: form.Get("MessageStructure"), At: time.Now()}
	if refused := c.checkTopic(form); refused != nil {
		return nil, refused
	}
	if refused := m.check(form.Has("Subject")); refused != nil {
		return nil, refused
	}
	attributes, size, refused := attributesOf(form)
	switch {
	case refused != nil:
		return nil, refused
	case len(m.Body)+size > 262144:
		return nil, invalid("Message too long")
	}
	m.Attributes = attributes
	c.messages = append(c.messages, m)
	id := uuid("message", c.next())
	return publishResponse{xml.Name{Space: snsSpace, Local: "PublishResponse"}, id, requestID}, nil
}

func (c *Cloud) checkTopic(form url.Values) *refusal {
	topic := form.Get("TopicArn")
	arn := topicARN.FindStringSubmatch(topic)
	switch {
	case topic == "":
		return invalid("TopicArn or TargetArn Reason: no value for required parameter")
	case arn == nil || arn[1] != partition(c.region()) || arn[2] != c.region():
		return invalid("TopicArn")
	case arn[3] != c.account(): // another account's topic needs a policy that allows it, which nothing here has
		message := "User is not authorized to perform: SNS:Publish on resource: " + topic
		return &refusal{code: "AuthorizationError", message: message, status: http.StatusForbidden}
	case strings.HasSuffix(topic, ".fifo") && form.Get("MessageGroupId") == "":
		return invalid("The MessageGroupId parameter is required for FIFO topics")
	}
	return nil
}

// check returns what SNS refuses about a message, its attributes apart.
func (m *Message) check(hasSubject bool) *refusal {
	switch {
	case m.Body == "":
		return invalid("Empty message")
	case !utf8.ValidString(m.Body):
		return invalid("Message Reason: not UTF-8")
	case hasSubject && !subjectAllowed(m.Subject):
		return invalid("Subject")
	case m.Structure != "" && m.Structure != "json":
		return invalid("MessageStructure")
	case m.Structure == "":
		return nil
	}
	var body map[string]any
	if json.Unmarshal([]byte(m.Body), &body) != nil {
		return invalid("Message Structure - JSON message body failed to parse")
	}
	if _, isText := body["default"].(string); !isText {
		return invalid("Message Structure - No default entry in JSON message body")
	}
	return nil
}

// attributesOf returns a request's message attributes, and their size in bytes.
func attributesOf(form url.Values) (all map[string]Attribute, size int, refused *refusal) {
	all = map[string]Attribute{}
	for i := 1; form.Has(fmt.Sprintf("MessageAttributes.entry.%d.Name", i)); i++ {
		prefix := fmt.Sprintf("MessageAttributes.entry.%d.", i)
		name, a := form.Get(prefix+"Name"), Attribute{Type: form.Get(prefix + "Value.DataType")}
		a.Value = form.Get(prefix + "Value.StringValue")
		if strings.HasPrefix(a.Type, "Binary") {
			a.Value = form.Get(prefix + "Value.BinaryValue")
		}
		if reason := attributeFault(name, a); reason != "" {
			return nil, 0, refuse("ParameterValueInvalid", "The message attribute '%s' %s", name, reason)
		}
		if _, twice := all[name]; twice {
			return nil, 0, refuse("ParameterValueInvalid", "The message attribute '%s' is given twice", name)
		}
		all[name] = a
		size += len(name) + len(a.Type) + len(a.Value)
	}
	return all, size, nil
}

// subjectAllowed follows "no line breaks or control characters, and less than 100 characters long".
func subjectAllowed(s string) bool {
	return s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) < 100 &&
		!strings.ContainsFunc(s, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) })
}

// attributeFault returns what SNS's message attributes page forbids of an attribute; empty if nothing.
func attributeFault(name string, a Attribute) string {
	lower := strings.ToLower(name)
	switch {
	case len(name) > 256 || !attributeName.MatchString(name) ||
		strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon."):
		return "has an invalid name"
	case !attributeType.MatchString(a.Type):
		return "has an invalid message attribute type, " +
			"the set of supported type prefixes is Binary, Number, and String."
	case a.Value == "":
		return "must contain non-empty message attribute value for message attribute type '" + a.Type + "'."
	case strings.ContainsFunc(a.Value, func(r rune) bool { return r > 0xFFFF }):
		return "must not contain characters that need surrogates"
	}
	return ""
}
