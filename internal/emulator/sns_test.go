package emulator

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// publishTest is a message, and the code of SNS's refusal; empty if it accepts the message.
type publishTest struct {
	name string
	in   *sns.PublishInput
	code string
}

func (test publishTest) run(t *testing.T, c *Cloud, topics *sns.Client) {
	before := len(c.Published())
	out, err := topics.Publish(t.Context(), test.in)
	if test.code != "" {
		status := 400
		if test.code == "AuthorizationError" {
			status = 403
		}
		wantCode(t, err, test.code, status)
		if len(c.Published()) != before {
			t.Error("kept a refused message")
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	got := c.Published()[before]
	if len(*out.MessageId) != 36 || got.TopicARN != *test.in.TopicArn || got.Body != *test.in.Message ||
		got.Subject != aws.ToString(test.in.Subject) || got.Structure != aws.ToString(test.in.MessageStructure) ||
		time.Since(got.At) > time.Minute {
		t.Errorf("got %+v", got)
	}
	for name, a := range test.in.MessageAttributes {
		if got.Attributes[name] != (Attribute{*a.DataType, *a.StringValue}) {
			t.Errorf("attributes %v", got.Attributes)
		}
	}
}

func attributes(name, kind, value string) map[string]snstypes.MessageAttributeValue {
	return map[string]snstypes.MessageAttributeValue{name: {DataType: &kind, StringValue: &value}}
}

func publication(change func(*sns.PublishInput)) *sns.PublishInput {
	in := &sns.PublishInput{TopicArn: aws.String(topic), Message: aws.String("ünï")}
	if change != nil {
		change(in)
	}
	return in
}

func TestPublish(t *testing.T) {
	c := &Cloud{}
	topics := sns.NewFromConfig(serveCloud(t, c))
	subject := func(s string) *sns.PublishInput { return publication(func(in *sns.PublishInput) { in.Subject = &s }) }
	arn := func(s string) *sns.PublishInput { return publication(func(in *sns.PublishInput) { in.TopicArn = &s }) }
	message := func(s, structure string) *sns.PublishInput {
		return publication(func(in *sns.PublishInput) {
			if in.Message = &s; structure != "" {
				in.MessageStructure = &structure
			}
		})
	}
	attribute := func(name, kind, value string) *sns.PublishInput {
		return publication(func(in *sns.PublishInput) { in.MessageAttributes = attributes(name, kind, value) })
	}
	for _, test := range []publishTest{
		{"plain", publication(nil), ""},
		{"subject of 99", subject(strings.Repeat("é", 99)), ""},
		{"subject of 100", subject(strings.Repeat("é", 100)), "InvalidParameter"},
		{"subject of two lines", subject("a\nb"), "InvalidParameter"},
		{"subject with a control character", subject("a\x1bb"), "InvalidParameter"},
		{"empty subject", subject(""), "InvalidParameter"},
		{"empty message", message("", ""), "InvalidParameter"},
		{"largest message", message(strings.Repeat("x", 262144), ""), ""},
		{"larger message", message(strings.Repeat("x", 262145), ""), "InvalidParameter"},
		{"attributes count", publication(func(in *sns.PublishInput) {
			in.Message = aws.String(strings.Repeat("x", 262144-7))
			in.MessageAttributes = attributes("a", "String", "v")
			in.MessageAttributes["b"] = attributes("b", "Number", "1")["b"]
		}), "InvalidParameter"},
		{"json", message(`{"default":"d","email":"e"}`, "json"), ""},
		{"json without default", message(`{"email":"e"}`, "json"), "InvalidParameter"},
		{"not json", message(`{`, "json"), "InvalidParameter"},
		{"structure", message("m", "xml"), "InvalidParameter"},
		{"no arn", arn("alarms"), "InvalidParameter"},
		{"other service", arn("arn:aws:sqs:eu-west-1:111122223333:alarms"), "InvalidParameter"},
		{"other Region", arn("arn:aws:sns:eu-west-2:111122223333:alarms"), "InvalidParameter"},
		{"other partition", arn("arn:aws-cn:sns:eu-west-1:111122223333:alarms"), "InvalidParameter"},
		{"other account", arn("arn:aws:sns:eu-west-1:444455556666:alarms"), "AuthorizationError"},
		{"subscription", arn(topic + ":c7fe3a54-ab0e-4ec2-88e0-db410a0f2bee"), "InvalidParameter"},
		{"fifo", arn(topic + ".fifo"), "InvalidParameter"},
		{"attribute", attribute("a.b-c_D", "String.Array", "[]"), ""},
		{"attribute without value", attribute("a", "String", ""), "ParameterValueInvalid"},
		{"attribute of no type", attribute("a", "Text", "v"), "ParameterValueInvalid"},
		{"attribute name", attribute("a b", "String", "v"), "ParameterValueInvalid"},
		{"attribute name of dots", attribute("a..b", "String", "v"), "ParameterValueInvalid"},
		{"attribute name of AWS", attribute("AWS.b", "String", "v"), "ParameterValueInvalid"},
		{"attribute with emoji", attribute("a", "String", "🙂"), "ParameterValueInvalid"},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, c, topics) })
	}
}
