package connect_test

import (
	"bytes"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/connect"
	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/policysource"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TestLimitIsForTheWholeDecision: S3 hangs, and the last good policy decides in time. Where the table hangs, too, the
// setting does. AWS denies everybody whose handler takes 30 seconds.
func TestLimitIsForTheWholeDecision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &emulator.Cloud{}
		cloud.AddTable("ledger", "id")
		cloud.AddBucket("policies")
		client, stop := emulator.HTTPClient(cloud)
		defer stop()
		cfg := config(client)
		var log bytes.Buffer
		h := connect.Handler{
			Log: slog.New(slog.NewJSONHandler(&log, nil)), List: ledger.New(cfg, "ledger"), Allow: true, Limit: 20 * time.Second,
			Source: policysource.New(cfg, policyAt(t, cfg), "/nowhere"),
		}
		until := time.Now().Add(24 * time.Hour)
		if _, err := h.List.Put(t.Context(), ledger.Entry{Person: "alice", Cause: ledger.Finding, Until: until}); err != nil {
			t.Fatal(err)
		}
		ask := func() (answer string, took time.Duration) {
			time.Sleep(2 * time.Minute) // so that S3 is asked for a newer policy
			began := time.Now()
			raw, err := h.Invoke(t.Context(), []byte(`{"username":"alice","schema-version":"v3"}`))
			if err != nil {
				t.Error(err)
			}
			return string(raw), time.Since(began)
		}
		if answer, _ := ask(); !strings.Contains(answer, `"allow":false`) {
			t.Error(answer)
		}
		cloud.Inject(emulator.Fault{Action: "GetObject", Delay: time.Hour})
		if answer, took := ask(); !strings.Contains(answer, `"allow":false`) || took > h.Limit ||
			!strings.Contains(log.String(), "the last good policy goes on") {
			t.Errorf("%s after %s\n%s", answer, took, &log)
		}
		cloud.Inject(emulator.Fault{Action: "BatchGetItem", Delay: time.Hour})
		if answer, took := ask(); !strings.Contains(answer, `"allow":true`) || took > h.Limit ||
			!strings.Contains(log.String(), `"Decision":"undecided"`) {
			t.Errorf("%s after %s\n%s", answer, took, &log)
		}
	})
}

func config(client aws.HTTPClient) aws.Config {
	return aws.Config{
		Region: "eu-west-1", HTTPClient: client, BaseEndpoint: aws.String("http://stand-in"),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}

// TestOffSwitchCountsBesideWhatCannotBeRead: the item of a person is not what it should be. The setting decides, unless
// everything is switched off.
func TestOffSwitchCountsBesideWhatCannotBeRead(t *testing.T) {
	cloud := &emulator.Cloud{}
	cloud.AddTable("ledger", "id")
	client, stop := emulator.HTTPClient(cloud)
	defer stop()
	broken := map[string]types.AttributeValue{
		"id": &types.AttributeValueMemberS{Value: "person#alice"}, "known": &types.AttributeValueMemberN{Value: "1"},
	}
	input := &dynamodb.PutItemInput{TableName: aws.String("ledger"), Item: broken}
	if _, err := dynamodb.NewFromConfig(config(client)).PutItem(t.Context(), input); err != nil {
		t.Fatal(err)
	}
	rules, err := policy.Load("testdata/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	h := connect.Handler{
		Log: slog.New(slog.DiscardHandler), Policy: rules, List: ledger.New(config(client), "ledger"), Limit: time.Minute,
	}
	for _, off := range []bool{false, true} {
		if off {
			if err := h.List.SwitchOff(t.Context(), "ops"); err != nil {
				t.Fatal(err)
			}
		}
		got, err := h.Invoke(t.Context(), []byte(`{"username":"alice","common-name":"","schema-version":"v3"}`))
		if err != nil || strings.Contains(string(got), `"allow":true`) != off {
			t.Errorf("off %t: %s, %v", off, got, err)
		}
	}
}

// policyAt puts the policy of testdata into S3, and returns where.
func policyAt(t *testing.T, cfg aws.Config) policysource.Location {
	t.Helper()
	document, err := os.ReadFile("testdata/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	at := policysource.Location{Bucket: "policies", Key: "policy.yaml"}
	if _, err := policysource.Open(cfg, at).Put(t.Context(), policysource.Document{}, document); err != nil {
		t.Fatal(err)
	}
	return at
}
