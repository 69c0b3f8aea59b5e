package main

import (
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/notify"

	"github.com/aws/smithy-go"
)

func TestSettings(t *testing.T) {
	base := map[string]string{"AWS_REGION": "eu-west-1", "TOPIC_ARN": topic}
	read := func(extra map[string]string) (settings, []string) {
		return readSettings(func(name string) string {
			if value, ok := extra[name]; ok {
				return value
			}
			return base[name]
		}, "/opt/handler/bootstrap")
	}
	s, problems := read(nil)
	if problems != nil || s.mode != "dry-run" || s.watch != 15*time.Second || s.endpointIDs != nil ||
		s.policyFile != "/opt/handler/policy.yaml" || s.topics != (notify.Topics{JSON: mustParse(t, topic)}) {
		t.Errorf("%+v, %q", s, problems)
	}
	s, problems = read(map[string]string{"MESSAGE_TOPIC_ARN": text, "CHAT_TOPIC_ARN": chat})
	want := notify.Topics{JSON: mustParse(t, topic), Text: mustParse(t, text), Chat: mustParse(t, chat)}
	if problems != nil || s.topics != want {
		t.Errorf("%+v, %q", s, problems)
	}
	s, problems = read(map[string]string{
		"MODE": "enforce", "WATCH": "0", "LAMBDA_TASK_ROOT": "/var/task",
		"ENDPOINT_IDS": "cvpn-endpoint-0a, cvpn-endpoint-0b,cvpn-endpoint-0a",
	})
	if problems != nil || s.mode != "enforce" || s.watch != 0 || s.policyFile != "/var/task/policy.yaml" ||
		!slices.Equal(s.endpointIDs, []string{"cvpn-endpoint-0a", "cvpn-endpoint-0b"}) {
		t.Errorf("%+v, %q", s, problems)
	}
	for name, values := range map[string][]string{
		"TOPIC_ARN": {
			"", "x", "arn:aws:sqs:eu-west-1:111122223333:q", topic + ".fifo", topic + ":b4c1c0f0",
			"arn:aws:sns::111122223333:t", "arn:aws:sns:eu-west-1:111122223333:",
		},
		"MODE": {"Enforce", "true", "dry_run"},

		"MESSAGE_TOPIC_ARN": {"x", "arn:aws:sqs:eu-west-1:111122223333:q", text + ".fifo", topic},
		"CHAT_TOPIC_ARN":    {"x", "arn:aws:sqs:eu-west-1:111122223333:q", chat + ".fifo", topic},
		"WATCH":             {"15", "soon", "-1s"},
		"ENDPOINT_IDS":      {",", "cvpn-endpoint-0a,", "cvpn-connection-0a", "*"},
		"AWS_REGION":        {""},
		"TARGETS": {
			"Ireland", "eu-west-2,", "@eu-west-1", "role@eu-west-1",
			"arn:aws:iam::444455556666:role/x", "arn:aws:iam::444455556666:role/x@",
			"arn:aws:iam::444455556666:user/x@eu-west-1", "arn:aws:sts::444455556666:role/x@eu-west-1",
		},
		"PARTNER_SOURCES": {"okta", "aws.partner/okta.com/example/clientvpn,default"},

		"TARGETS_SOURCE": {"targets.txt", "s3://policies"},
		"HELD_QUEUE_URL": {
			"held", "https://sqs.eu-west-1.amazonaws.com", "https://sqs.eu-west-1.amazonaws.com/",
			"https://sqs.eu-west-1.amazonaws.com/111122223333/held", // without EVENT_QUEUE_URL
		},
		"EVENT_QUEUE_URL": {"events"},
		"EXTERNAL_ID":     {"x", "a b", strings.Repeat("x", 1225)},

		"ENTRA_TENANT_ID":       {"example.com", "72f988bf-0000-4000-8000-2d7cd011db47" /* without ENTRA_FUNCTION */},
		"IDENTITY_STORE_ID":     {"d-1", "1234567890", "d-1234567890,d-1234567891"},
		"IDENTITY_STORE_ROLE":   {"x", "arn:aws:iam::444455556666:user/x", otherRole /* without IDENTITY_STORE_ID */},
		"IDENTITY_STORE_REGION": {"Frankfurt", "eu-central"},
		"SCIM_ISSUERS": {
			"entra", "entra=", "=x", "entra=x,", "ssf:https://idp.example.com/=x", "custom=x", "identity-center=x", "auth0=x",
			"entra=https://scim.example.com", // without IDENTITY_STORE_ID
		},
	} {
		for _, value := range values {
			_, problems := read(map[string]string{name: value})
			if len(problems) == 0 || !strings.HasPrefix(problems[0], name+": ") {
				t.Errorf("%s=%q: %q", name, value, problems)
			}
		}
	}
}

func TestSettingsReportAllProblemsAtOnce(t *testing.T) {
	_, err := tryToStart(
		t, cloudWith(),
		"AWS_REGION=", "TOPIC_ARN=outcomes", "MODE=on", "ENDPOINT_IDS=cvpn-endpoint-1,vpn", "WATCH=-1s",
		"TARGETS=Ireland", "EXTERNAL_ID=x", "MESSAGE_TOPIC_ARN=text", "CHAT_TOPIC_ARN=chat",
		"LEDGER_TABLE=t", "POLICY_FILE=/nowhere",
	)
	if err == nil {
		t.Fatal("it starts")
	}
	for _, name := range []string{
		"TOPIC_ARN: ", "MODE: ", "ENDPOINT_IDS: ", "WATCH: ", "TARGETS: ", "EXTERNAL_ID: ",
		"MESSAGE_TOPIC_ARN: ", "CHAT_TOPIC_ARN: ", "LEDGER_TABLE: ", "POLICY_FILE: ",
	} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("no word about %s:\n%v", name, err)
		}
	}
}

func TestSettingsReachTheirPlaces(t *testing.T) {
	file, err := filepath.Abs("../../internal/trial/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_REGION": "eu-west-1", "TOPIC_ARN": topic, "MODE": "enforce", "WATCH": "7s",
		"ENDPOINT_IDS": endpoint, "POLICY_FILE": file,
	} {
		t.Setenv(name, value)
	}
	h, problems := wire(slog.New(slog.DiscardHandler))
	if h == nil || problems != nil {
		t.Fatal(problems)
	}
	r := h.responder
	if r.Mode != "enforce" || r.Watch != 7*time.Second || !slices.Equal(r.VPN.EndpointIDs, []string{endpoint}) ||
		r.Policy == nil || r.PolicyError != nil {
		t.Errorf("%+v, %+v", r, r.VPN)
	}
	t.Setenv("POLICY_FILE", file+".absent")
	h, problems = wire(slog.New(slog.DiscardHandler))
	if h == nil || h.responder.PolicyError == nil || len(problems) != 1 {
		t.Errorf("%+v, %q", h, problems)
	}
}

func TestRetries(t *testing.T) {
	r := retryer()
	if r.MaxAttempts() != 10 {
		t.Errorf("%d attempts", r.MaxAttempts())
	}
	for _, code := range []string{"RequestLimitExceeded", "KMSThrottling"} {
		if !r.IsErrorRetryable(&smithy.GenericAPIError{Code: code}) {
			t.Errorf("%s is not tried again", code)
		}
	}
	if !r.IsErrorRetryable(fmt.Errorf("half an answer: %w", &smithy.DeserializationError{Err: io.ErrUnexpectedEOF})) ||
		r.IsErrorRetryable(&smithy.GenericAPIError{Code: "UnauthorizedOperation"}) {
		t.Error("half an answer is not tried again, or a refusal is")
	}
}

// TestWrongSettingStopsTheStart: no setting falls back to a value that asks for less care. The error names it.
func TestWrongSettingStopsTheStart(t *testing.T) {
	file, err := filepath.Abs("../../internal/trial/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const queue = "https://sqs.eu-west-1.amazonaws.com/111122223333/q"
	for _, test := range []struct {
		settings string // one or several, with blanks between them
		named    string
	}{
		{"OWN_FORM_CLOSES=maybe", "OWN_FORM_CLOSES"}, {"OWN_FORM_CLOSES=No", "OWN_FORM_CLOSES"},
		{"KEEP_OUT=no", "KEEP_OUT"}, {"MODE=Enforce", "MODE"}, {"WATCH=15", "WATCH"},
		{"POLICY_SOURCE=policies/policy.yaml", "POLICY_SOURCE"}, {"TARGETS_SOURCE=s3://policies", "TARGETS_SOURCE"},
		{"PARTNER_SOURCES=okta", "PARTNER_SOURCES"},
		{"HELD_QUEUE_URL=" + queue, "HELD_QUEUE_URL"}, {"EVENT_QUEUE_URL=" + queue, "HELD_QUEUE_URL"},
		{"IDENTITY_STORE_ID=store", "IDENTITY_STORE_ID"}, {"IDENTITY_STORE_REGION=Ireland", "IDENTITY_STORE_REGION"},
		{"IDENTITY_STORE_ROLE=" + otherRole, "IDENTITY_STORE_ROLE"},
		{"SCIM_ISSUERS=entra=https://scim.test", "SCIM_ISSUERS"}, {"SCIM_ISSUERS=entra", "SCIM_ISSUERS"},
		{"ENTRA_TENANT_ID=" + tenantID, "ENTRA_TENANT_ID"}, {"ENTRA_FUNCTION=poll", "ENTRA_TENANT_ID"},
		{"ENTRA_TENANT_ID=example.com ENTRA_FUNCTION=poll", "ENTRA_TENANT_ID"},
		{"MESSAGE_TOPIC_ARN=" + topic, "MESSAGE_TOPIC_ARN"}, {"CHAT_TOPIC_ARN=" + topic + ".fifo", "CHAT_TOPIC_ARN"},
	} {
		t.Run(test.settings, func(t *testing.T) {
			base := "AWS_REGION=eu-west-1 TOPIC_ARN=" + topic + " POLICY_FILE=" + file + " "
			for setting := range strings.SplitSeq(base+test.settings, " ") {
				name, value, _ := strings.Cut(setting, "=")
				t.Setenv(name, value)
			}
			h, problems := wire(slog.New(slog.DiscardHandler))
			if h != nil || len(problems) == 0 || !strings.HasPrefix(problems[0], test.named+": ") {
				t.Errorf("%q", problems)
			}
		})
	}
}
