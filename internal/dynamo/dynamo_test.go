package dynamo_test

import (
	"errors"
	"fmt"
	"testing"

	"clientvpn-responder/internal/dynamo"
	"clientvpn-responder/internal/emulator"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

func client(t *testing.T, c *emulator.Cloud) *dynamo.Client {
	t.Helper()
	httpClient, stop := emulator.HTTPClient(c)
	t.Cleanup(stop)
	return dynamo.NewFromConfig(aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String("http://dynamodb.test"), HTTPClient: httpClient,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
}

// TestItemsComeBack: every type of attribute is read as it was written, an empty map and an empty list, too.
func TestItemsComeBack(t *testing.T) {
	c := &emulator.Cloud{}
	c.AddTable("list", "id")
	api := client(t, c)
	yes := true
	value := dynamo.M(dynamo.Item{
		"s": dynamo.S("ü"), "n": dynamo.N("7"), "b": {BOOL: &yes}, "m": dynamo.M(nil), "l": {L: []dynamo.Value{}},
		"ss": {SS: []string{"a", "b"}},
	})
	out, err := api.UpdateItem(t.Context(), &dynamo.UpdateItemInput{
		TableName: aws.String("list"), Key: dynamo.Item{"id": dynamo.S("x")},
		UpdateExpression:          aws.String("SET v = :v ADD n :one"),
		ExpressionAttributeValues: dynamo.Item{":v": value, ":one": dynamo.N("1")},
		ReturnValues:              dynamo.ReturnValueAllNew,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := dynamo.Item{"id": dynamo.S("x"), "v": value, "n": dynamo.N("1")}
	if diff := cmp.Diff(want, out.Attributes); diff != "" {
		t.Error(diff)
	}
	got, err := api.BatchGetItem(t.Context(), &dynamo.BatchGetItemInput{RequestItems: map[string]dynamo.KeysAndAttributes{
		"list": {Keys: []dynamo.Item{{"id": dynamo.S("x")}, {"id": dynamo.S("y")}}, ConsistentRead: aws.Bool(true)},
	}})
	if err != nil || len(got.UnprocessedKeys) != 0 {
		t.Fatal(err, got)
	}
	if diff := cmp.Diff([]dynamo.Item{want}, got.Responses["list"]); diff != "" {
		t.Error(diff)
	}
}

// TestRefusedConditionShowsTheItem.
func TestRefusedConditionShowsTheItem(t *testing.T) {
	c := &emulator.Cloud{}
	c.AddTable("list", "id")
	api := client(t, c)
	for attempt := range 2 {
		_, err := api.UpdateItem(t.Context(), &dynamo.UpdateItemInput{
			TableName:        aws.String("list"),
			Key:              dynamo.Item{"id": dynamo.S("x")},
			UpdateExpression: aws.String("SET v = :v"),
			ConditionExpression: aws.String(
				"attribute_not_exists(id)",
			),
			ExpressionAttributeValues:           dynamo.Item{":v": dynamo.S("1")},
			ReturnValuesOnConditionCheckFailure: dynamo.ReturnValuesOnConditionCheckFailureAllOld,
		})
		refused, ok := errors.AsType[*dynamo.ConditionalCheckFailedException](err)
		if ok != (attempt == 1) ||
			ok && (*refused.Item["v"].S != "1" || refused.ErrorCode() != "ConditionalCheckFailedException") {
			t.Errorf("%d: %v", attempt, err)
		}
	}
}

// TestScanReadsEveryPage, and an error ends it.
func TestScanReadsEveryPage(t *testing.T) {
	c := &emulator.Cloud{PageItems: 2}
	c.AddTable("list", "id")
	api := client(t, c)
	for i := range 5 {
		if _, err := api.UpdateItem(t.Context(), &dynamo.UpdateItemInput{
			TableName: aws.String(
				"list",
			),
			Key:                       dynamo.Item{"id": dynamo.S(fmt.Sprint(i))},
			UpdateExpression:          aws.String("SET v = :v"),
			ExpressionAttributeValues: dynamo.Item{":v": dynamo.S("1")},
		}); err != nil {
			t.Fatal(err)
		}
	}
	pages, items := 0, 0
	for p := dynamo.NewScanPaginator(api, &dynamo.ScanInput{TableName: aws.String("list")}); p.HasMorePages(); pages++ {
		page, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		items += len(page.Items)
	}
	if pages != 3 || items != 5 {
		t.Errorf("%d items in %d pages", items, pages)
	}
	p := dynamo.NewScanPaginator(api, &dynamo.ScanInput{TableName: aws.String("none")})
	_, err := p.NextPage(t.Context())
	if refused, ok := errors.AsType[smithy.APIError](err); !ok || refused.ErrorCode() != "ResourceNotFoundException" {
		t.Error(err)
	}
}
