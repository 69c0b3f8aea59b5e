package emulator

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestDynamoDBRefuses what DynamoDB refuses, and loudly what the stand-in does not know.
func TestDynamoDBRefuses(t *testing.T) {
	c := &Cloud{Limits: map[string]Limit{"Scan": {1, 0}}}
	c.AddTable("list", "person")
	serveCloud(t, c)
	client, stop := HTTPClient(c)
	defer stop()
	update := func(members string) string {
		return `{"TableName":"list","Key":{"person":{"S":"ann"}},"ConditionExpression":"attribute_not_exists(causes)","UpdateExpression":"SET causes = :c",` +
			`"ExpressionAttributeValues":{":c":{"M":{"a":{"N":"1"}}}}` + members + `}`
	}
	replace := func(old, by string) string { return strings.Replace(update(""), old, by, 1) }
	keys := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`{"person":{"S":"p%d"}}`, i))
		}
		return `{"RequestItems":{"list":{"ConsistentRead":true,"Keys":[` + strings.Join(all, ",") + `]}}}`
	}
	const invalid = "ValidationException"
	for _, test := range []struct{ action, body, want string }{ // want is a part of the answer
		{"Scan", `{"TableName":"list"}`, `{"Items":[],"Count":0,"ScannedCount":0}`},
		{"Scan", `{"TableName":"list"}`, "ThrottlingException"},
		{"UpdateItem", update(""), "{}"},
		{"UpdateItem", update(`,"ReturnValuesOnConditionCheckFailure":"ALL_OLD"`), `#ConditionalCheckFailedException","Message":"The conditional request failed","Item":{"causes":{"M":{"a":{"N":"1"}}},"person":{"S":"ann"}}}`},
		{"UpdateItem", update(""), `#ConditionalCheckFailedException","Message":"The conditional request failed"}`},
		{"UpdateItem", replace("attribute_not_exists(causes)", "causes = :c"), "{}"},
		{"UpdateItem", replace("attribute_not_exists(causes)", "causes = :d"), invalid},
		{"UpdateItem", replace("attribute_not_exists(causes)", "nothing = :c"), "ConditionalCheckFailedException"},
		{"UpdateItem", replace("attribute_not_exists(causes)", "causes <> :c"), invalid},
		{"UpdateItem", replace("SET causes = :c", "ADD causes :c"), invalid},
		{"UpdateItem", replace("SET causes = :c", "SET causes = :d"), invalid},
		{"UpdateItem", replace(`{":c":`, `{":d":{"S":"x"},":c":`), invalid},
		{"UpdateItem", replace(`{"N":"1"}`, `{"N":1}`), invalid},
		{"UpdateItem", replace(`{"N":"1"}`, `{"L":[]}`), invalid},
		{"UpdateItem", replace(`{"N":"1"}`, `{}`), invalid},
		{"UpdateItem", replace(`{"N":"1"}`, `{"S":"`+strings.Repeat("x", 400<<10)+`"}`), invalid},
		{"UpdateItem", replace(`"S":"ann"`, `"S":""`), invalid},
		{"UpdateItem", replace(`"S":"ann"`, `"S":"`+strings.Repeat("x", 2049)+`"`), invalid},
		{"UpdateItem", replace(`"person"`, `"name"`), invalid},
		{"UpdateItem", update(`,"ReturnValues":"ALL_OLD"`), invalid},
		{"UpdateItem", replace(`"list"`, `"another"`), "ResourceNotFoundException"},
		{"BatchGetItem", `{"RequestItems":{"list":{"Keys":[{"person":{"S":"ann"}},{"person":{"S":"bob"}}]}}}`, `{"Responses":{"list":[{"causes":{"M":{"a":{"N":"1"}}},"person":{"S":"ann"}}]},"UnprocessedKeys":{}}`},
		{"BatchGetItem", `{"RequestItems":{"list":{"Keys":[{"person":{"S":"ann"}},{"person":{"S":"ann"}}]}}}`, invalid},
		{"BatchGetItem", keys(100), `{"list":[]}`},
		{"BatchGetItem", keys(101), invalid},
		{"BatchGetItem", keys(0), invalid},
		{"BatchGetItem", `{"RequestItems":{"another":{"Keys":[{"person":{"S":"ann"}}]}}}`, "ResourceNotFoundException"},
		{"GetItem", `{"TableName":"list"}`, "InvalidAction"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://dynamodb/", strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Target", dynamoTarget+"."+test.action)
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		failed := strings.Contains(test.want, "Exception") || test.want == "InvalidAction"
		if err != nil || !strings.Contains(string(body), test.want) || failed != (answer.StatusCode == 400) || answer.Header.Get("Content-Type") != "application/x-amz-json-1.0" {
			t.Errorf("%s %.300s: %d %s %v, want %s", test.action, test.body, answer.StatusCode, body, err, test.want)
		}
	}
}
