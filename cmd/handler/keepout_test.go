package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/moto"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// reinstatement is a custom event that lets somebody in again.
func reinstatement(id, username string, at time.Time) []byte {
	return fmt.Appendf(nil, `{"version":"0","id":%q,"detail-type":"Reinstate",
		"source":"clientvpn-responder","account":"111122223333","time":%q,"region":"eu-west-1","resources":[],
		"detail":{"username":%q,"reason":"a mistake","requested_by":"helpdesk"}}`,
		id, at.UTC().Format(time.RFC3339), username)
}

// TestKeepsPeopleOutUntilTheyAreReinstated, with a DynamoDB of ours and with one that we did not write.
func TestKeepsPeopleOutUntilTheyAreReinstated(t *testing.T) {
	for name, server := range map[string]func(t *testing.T, cloud *emulator.Cloud) (url string){
		"stand-in": func(t *testing.T, cloud *emulator.Cloud) string {
			cloud.AddTable("keepout", "id")
			url, stop, err := emulator.Serve(cloud)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(stop)
			return url
		},
		"moto": func(t *testing.T, _ *emulator.Cloud) string {
			url := moto.URL(t, "OUR OWN DYNAMODB")
			if _, err := dynamodb.NewFromConfig(tableConfig(url)).CreateTable(t.Context(), &dynamodb.CreateTableInput{
				TableName: aws.String("keepout"), BillingMode: types.BillingModePayPerRequest,
				AttributeDefinitions: []types.AttributeDefinition{
					{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS},
				},
				KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
			}); err != nil {
				t.Fatal(err)
			}
			return url
		},
	} {
		t.Run(name, func(t *testing.T) {
			cloud := cloudWith(emulator.Client{Username: "alice@example.com"})
			url := server(t, cloud)
			list := ledger.New(tableConfig(url), "keepout")
			f := start(t, cloud, "LEDGER_TABLE=keepout", "AWS_ENDPOINT_URL_DYNAMODB="+url)
			if got := outcomes(t, invoke(t, f, leaver("e1", "ALICE"))); got[0].Status != "terminated" ||
				!got[0].KeptOutUntil.Equal(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)) {
				t.Errorf("%+v", got)
			}
			entries, err := list.List(t.Context())
			if err != nil || len(entries) != 1 || entries[0].Person != "alice" || entries[0].Cause != ledger.Request ||
				entries[0].OutcomeID != "custom e1" || !entries[0].Until.IsZero() {
				t.Errorf("%+v, %v", entries, err)
			}
			answer := invoke(t, f, batch(reinstatement("e2", `EXAMPLE\alice`, time.Now())))
			if string(answer.Payload) != `{"batchItemFailures":[]}` {
				t.Errorf("%s", answer.Payload)
			}
			if entries, err := list.List(t.Context()); err != nil || len(entries) > 0 {
				t.Errorf("%+v, %v", entries, err)
			}
			if got := published(t, cloud); strings.Join(got, " ") != "notified terminated" {
				t.Errorf("published %q", got)
			}
			// The leaver's event once more: somebody has lifted what it asked for.
			if got := outcomes(t, invoke(t, f, leaver("e1", "ALICE"))); got[0].Status != "notified" ||
				!got[0].KeptOutUntil.IsZero() {
				t.Errorf("%+v", got)
			}
		})
	}
}

func tableConfig(url string) aws.Config {
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: &url,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}

// TestWhoCouldNotBeKeptOutIsTriedAgain: the person is cut off, the outcome says so, and the event goes back.
func TestWhoCouldNotBeKeptOutIsTriedAgain(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice@example.com"})
	cloud.AddTable("keepout", "id")
	cloud.Deny("dynamodb:UpdateItem", "keepout")
	f := start(t, cloud, "LEDGER_TABLE=keepout")
	answer := invoke(t, f, leaver("e1", "alice"))
	if answer.Failure == nil || answer.Failure.Type != "IncompleteError" ||
		!strings.Contains(answer.Failure.Message, "missing permission dynamodb:UpdateItem on table/keepout") {
		t.Errorf("%+v", answer.Failure)
	}
	if c := cloud.Connections()[0]; c.EndedAt.IsZero() {
		t.Error("nobody was cut off")
	}
	if got := published(t, cloud); strings.Join(got, " ") != "partial" {
		t.Errorf("published %q", got)
	}
}

// TestListThatHangsOnceIsTriedAgain, in time for the cut-off.
func TestListThatHangsOnceIsTriedAgain(t *testing.T) {
	cloud := cloudWith(emulator.Client{Username: "alice@example.com"})
	cloud.AddTable("keepout", "id")
	cloud.Inject(emulator.Fault{Action: "UpdateItem", Times: 1, Delay: time.Minute})
	f := start(t, cloud, "LEDGER_TABLE=keepout")
	if got := outcomes(t, invoke(t, f, leaver("e1", "alice"))); got[0].Status != "terminated" ||
		got[0].KeptOutUntil.IsZero() {
		t.Errorf("%+v", got)
	}
}

// TestSelfTestLooksAtTheList: its permissions, and whether anybody asks it.
func TestSelfTestLooksAtTheList(t *testing.T) {
	cloud := cloudWith()
	cloud.AddTable("keepout", "id")
	f := start(t, cloud, "LEDGER_TABLE=keepout")
	selfTest := []byte(`{"id":"s1","source":"clientvpn-responder","detail-type":"Self Test",
		"time":"2026-11-20T10:00:00Z","detail":{}}`)
	if got := outcomes(t, invoke(t, f, selfTest)); got[0].Status != "not-ready" ||
		!strings.Contains(got[0].Summary, "no client connect handler is attached to "+endpoint) {
		t.Errorf("%+v", got)
	}
	cloud.Deny("dynamodb:UpdateItem", "keepout")
	if got := outcomes(t, invoke(t, f, selfTest)); got[0].Status != "not-ready" ||
		!strings.Contains(got[0].Summary, "missing permission dynamodb:UpdateItem on table/keepout") {
		t.Errorf("%+v", got)
	}
}
