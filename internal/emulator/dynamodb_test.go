package emulator

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// exchange is one request of a JSON API, and a part of the wanted answer, after ! of an error.
type exchange struct{ action, body, want string }

// jsonAPI sends requests of a JSON API to a cloud.
type jsonAPI struct {
	client *http.Client
	target string
}

func newJSONAPI(t *testing.T, c *Cloud, target string) jsonAPI {
	t.Helper()
	client, stop := HTTPClient(c)
	t.Cleanup(stop)
	return jsonAPI{client, target}
}

func (a jsonAPI) post(t *testing.T, action, body string) (status int, answer string, header http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://service/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", a.target+"."+action)
	response, err := a.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(raw), response.Header
}

// run sends requests one after another.
func (a jsonAPI) run(t *testing.T, contentType string, all []exchange) {
	t.Helper()
	for _, x := range all {
		status, answer, header := a.post(t, x.action, x.body)
		want, failed := strings.CutPrefix(x.want, "!")
		if !strings.Contains(answer, want) || failed != (status == 400) || header.Get("Content-Type") != contentType {
			t.Errorf("%s %.300s: %d %s\nwant %s", x.action, x.body, status, answer, x.want)
		}
	}
}

const invalidTest = "!ValidationException"

// TestDynamoDBRefuses: it refuses what DynamoDB refuses, and loudly what the stand-in does not know.
func TestDynamoDBRefuses(t *testing.T) {
	c := &Cloud{Limits: map[string]Limit{"Scan": {1, 0}}}
	c.AddTable("list", "person")
	update := func(members string) string {
		return `{"TableName":"list","Key":{"person":{"S":"ann"}},"ConditionExpression":"attribute_not_exists(causes)",` +
			`"UpdateExpression":"SET causes = :c","ExpressionAttributeValues":{":c":{"M":{"a":{"N":"1"}}}}` + members + `}`
	}
	replace := func(old, by string) string { return strings.Replace(update(""), old, by, 1) }
	failed := `!#ConditionalCheckFailedException","Message":"The conditional request failed"`
	newJSONAPI(t, c, dynamoTarget).run(t, jsonType10, []exchange{
		{"Scan", `{"TableName":"list"}`, `{"Items":[],"Count":0,"ScannedCount":0}`},
		{"Scan", `{"TableName":"list"}`, "!ThrottlingException"},
		{"UpdateItem", update(""), "{}"},
		{"UpdateItem", update(`,"ReturnValuesOnConditionCheckFailure":"ALL_OLD"`),
			failed + `,"Item":{"causes":{"M":{"a":{"N":"1"}}},"person":{"S":"ann"}}}`},
		{"UpdateItem", update(""), failed + "}"},
		{"UpdateItem", replace("attribute_not_exists(causes)", "causes = :c"), "{}"},
		{"UpdateItem", replace("attribute_not_exists(causes)", "causes = :d"), invalidTest},
		{"UpdateItem", replace("attribute_not_exists(causes)", "nothing = :c"), failed},
		{"UpdateItem", replace("attribute_not_exists(causes)", "attribute_missing(causes)"), invalidTest},
		{"UpdateItem", replace("SET causes = :c", "ADD causes :c"), "!Incorrect operand type"},
		{"UpdateItem", replace("SET causes = :c", "SET causes = :d"), invalidTest},
		{"UpdateItem", replace("SET causes = :c", "SET name = :c"), "!reserved keyword: name"},
		{"UpdateItem", replace("SET causes = :c", "SET person = :c"), "!part of the key"},
		{"UpdateItem", replace("SET causes = :c", "SET causes = :c, causes.a = :c"), "!overlap"},
		{"UpdateItem", replace("SET causes = :c", "SET nothing.a = :c"), "!invalid for update"},
		{"UpdateItem", replace("SET causes = :c", "SET causes = nothing, b = :c"), "!does not exist in the item"},
		{"UpdateItem", replace(`{":c":`, `{":d":{"S":"x"},":c":`), invalidTest},
		{"UpdateItem", replace(`{"N":"1"}`, `{"N":1}`), invalidTest},
		{"UpdateItem", replace(`{"N":"1"}`, `{"X":[]}`), invalidTest},
		{"UpdateItem", replace(`{"N":"1"}`, `{"SS":[]}`), invalidTest},
		{"UpdateItem", replace(`{"N":"1"}`, `{}`), invalidTest},
		{"UpdateItem", replace(`{"N":"1"}`, `{"S":"`+strings.Repeat("x", 400<<10)+`"}`), invalidTest},
		{"UpdateItem", replace(`"S":"ann"`, `"S":""`), invalidTest},
		{"UpdateItem", replace(`"S":"ann"`, `"S":"`+strings.Repeat("x", 2049)+`"`), invalidTest},
		{"UpdateItem", replace(`"person"`, `"name"`), invalidTest},
		{"UpdateItem", update(`,"Expected":{}`), invalidTest},
		{"UpdateItem", replace(`"list"`, `"another"`), "!ResourceNotFoundException"},
		{"ListTables", `{}`, "!InvalidAction"},
	})
}

// TestDynamoDBBatches: both batch actions have DynamoDB's limits, and leave what does not fit.
func TestDynamoDBBatches(t *testing.T) {
	c := &Cloud{}
	c.AddTable("list", "person")
	keys := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`{"person":{"S":"p%d"}}`, i))
		}
		return `{"RequestItems":{"list":{"ConsistentRead":true,"Keys":[` + strings.Join(all, ",") + `]}}}`
	}
	writes := func(n int, kind string) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`{%s:{"person":{"S":"p%d"}}}}`, kind, i))
		}
		return `{"RequestItems":{"list":[` + strings.Join(all, ",") + `]}}`
	}
	puts, deletes := `"PutRequest":{"Item"`, `"DeleteRequest":{"Key"`
	api := newJSONAPI(t, c, dynamoTarget)
	api.run(t, jsonType10, []exchange{
		{"PutItem", `{"TableName":"list","Item":{"person":{"S":"ann"},"age":{"N":"1"}}}`, `{}`},
		{"BatchGetItem", `{"RequestItems":{"list":{"Keys":[{"person":{"S":"ann"}},{"person":{"S":"bob"}}]}}}`,
			`{"Responses":{"list":[{"age":{"N":"1"},"person":{"S":"ann"}}]},"UnprocessedKeys":{}}`},
		{"BatchGetItem", `{"RequestItems":{"list":{"Keys":[{"person":{"S":"ann"}}],"ProjectionExpression":"age"}}}`,
			`{"Responses":{"list":[{"age":{"N":"1"}}]},"UnprocessedKeys":{}}`},
		{"BatchGetItem", `{"RequestItems":{"list":{"Keys":[{"person":{"S":"ann"}},{"person":{"S":"ann"}}]}}}`, invalidTest},
		{"BatchGetItem", keys(100), `{"list":[]}`},
		{"BatchGetItem", keys(101), invalidTest},
		{"BatchGetItem", keys(0), invalidTest},
		{"BatchGetItem", `{"RequestItems":{"another":{"Keys":[{"person":{"S":"ann"}}]}}}`, "!ResourceNotFoundException"},
		{"BatchWriteItem", writes(26, puts), invalidTest},
		{"BatchWriteItem", writes(25, puts), `{"UnprocessedItems":{}}`},
		{"BatchWriteItem", writes(24, deletes), `{"UnprocessedItems":{}}`},
		{"Scan", `{"TableName":"list"}`, `"Count":2`},
	})
	c.PageItems = 1
	api.run(t, jsonType10, []exchange{
		{"BatchWriteItem", writes(2, puts), `{"list":[{"PutRequest":{"Item":{"person":{"S":"p1"}}}}]}`},
		{"BatchGetItem", keys(2), `"UnprocessedKeys":{"list":{"Keys":[{"person":{"S":"p1"}}],"ConsistentRead":true}}`},
	})
}

// TestDynamoDBExpressions: conditions and updates mean what the developer guide says.
func TestDynamoDBExpressions(t *testing.T) {
	c := &Cloud{}
	c.AddTable("list", "id")
	api := newJSONAPI(t, c, dynamoTarget)
	values := `":one":{"N":"1"},":ten":{"N":"10"},":a":{"S":"a"},":set":{"SS":["x"]},":kind":{"S":"N"},` +
		`":list":{"L":[{"S":"z"}]}`
	reset := `{"TableName":"list","Item":{"id":{"S":"i"},"n":{"N":"2"},"s":{"S":"abc"},"tags":{"SS":["x","y"]},` +
		`"m":{"M":{"k":{"N":"5"}}},"l":{"L":[]}}}`
	request := `{"TableName":"list","Key":{"id":{"S":"i"}},`
	used := func(expression string) string {
		var all []string
		for v := range strings.SplitSeq(values, `,":`) {
			v = `":` + strings.TrimPrefix(v, `":`)
			name, _, _ := strings.Cut(v[1:], `"`)
			if strings.Contains(expression, name) {
				all = append(all, v)
			}
		}
		if len(all) == 0 {
			return ""
		}
		return `,"ExpressionAttributeValues":{` + strings.Join(all, ",") + `}`
	}
	for condition, holds := range map[string]bool{
		"n = :one": false, "n > :one AND n < :ten": true, "n BETWEEN :one AND :ten": true, "n IN (:one, :ten)": false,
		"NOT n = :one": true, "n = :one OR (attribute_exists(s) AND begins_with(s, :a))": true, "n <> :one": true,
		"contains(tags, :a)": false, "contains(s, :a)": true, "size(tags) > :one": true, "attribute_type(n, :kind)": true,
		"m.k >= :ten": false, "attribute_exists(m.k)": true, "attribute_not_exists(m.x)": true, "s < :ten": false,
		"absent = :one": false, "absent <> :one": true, "NOT attribute_exists(s) OR n >= :one": true,
	} {
		api.post(t, "PutItem", reset)
		body := request + `"ConditionExpression":"` + condition + `"` + used(condition) + `}`
		status, answer, _ := api.post(t, "DeleteItem", body)
		if (status == 200) != holds || !holds && !strings.Contains(answer, "ConditionalCheckFailed") {
			t.Errorf("%s: %d %s, want %t", condition, status, answer, holds)
		}
	}
	for update, want := range map[string]string{
		"SET n = n + :one": `{"n":{"N":"3"}}`, "SET n = n - :ten": `{"n":{"N":"-8"}}`, "ADD n :ten": `{"n":{"N":"12"}}`,
		"ADD fresh :one": `{"fresh":{"N":"1"}}`, "SET n = if_not_exists(n, :one)": `{"n":{"N":"2"}}`,
		"SET fresh = if_not_exists(fresh, :one)": `{"fresh":{"N":"1"}}`, "DELETE tags :set": `{"tags":{"SS":["y"]}}`,
		"ADD tags :set REMOVE s": `{"tags":{"SS":["x","y"]}}`, "SET m.k = :one": `{"m":{"M":{"k":{"N":"1"}}}}`,
		"SET l = list_append(l, :list)": `{"l":{"L":[{"S":"z"}]}}`, "SET n = s, s = :a": `{"n":{"S":"abc"},"s":{"S":"a"}}`,
	} {
		api.post(t, "PutItem", reset)
		body := request + `"UpdateExpression":"` + update + `","ReturnValues":"UPDATED_NEW"` + used(update) + `}`
		if status, answer, _ := api.post(t, "UpdateItem", body); status != 200 || answer != `{"Attributes":`+want+`}` {
			t.Errorf("%s: %d %s, want %s", update, status, answer, want)
		}
	}
}

// TestDynamoDBQuery: a table with a sort key, an index, pages and filters.
func TestDynamoDBQuery(t *testing.T) {
	c := &Cloud{PageItems: 2}
	c.AddTable("log", "pk", "sk")
	c.AddIndex("log", "by-day", "dday", "sk")
	put := func(pk, sk, day string) exchange {
		key := `"pk":{"S":"` + pk + `"},"sk":{"N":"` + sk + `"}`
		return exchange{"PutItem", `{"TableName":"log","Item":{` + key + day + `}}`, `{}`}
	}
	query := func(members string) string {
		return `{"TableName":"log","ExpressionAttributeValues":{":p":{"S":"a"}},` + members + `}`
	}
	row := func(sk string) string { return `{"pk":{"S":"a"},"sk":{"N":"` + sk + `"}}` }
	newJSONAPI(t, c, dynamoTarget).run(t, jsonType10, []exchange{
		put("a", "10", ""),
		put("a", "9", ""),
		put("a", "1", ""),
		put("b", "5", `,"dday":{"S":"a"}`),
		{"Query", query(`"KeyConditionExpression":"pk = :p"`), `{"Items":[` + row("1") + "," + row("9") +
			`],"Count":2,"ScannedCount":2,"LastEvaluatedKey":` + row("9") + `}`},
		{"Query", query(`"KeyConditionExpression":"pk = :p","ExclusiveStartKey":` + row("9")),
			`{"Items":[` + row("10") + `],"Count":1,"ScannedCount":1}`},
		{
			"Query",
			query(`"KeyConditionExpression":"pk = :p","ExclusiveStartKey":` + row("9.5")),
			`{"Items":[` + row("10") + `]`,
		},
		{
			"Query",
			query(`"KeyConditionExpression":"pk = :p","Limit":1,"ScanIndexForward":false`),
			`{"Items":[` + row("10") + `]`,
		},
		{"Query", query(`"IndexName":"by-day","KeyConditionExpression":"dday = :p"`),
			`{"Items":[{"dday":{"S":"a"},"pk":{"S":"b"},"sk":{"N":"5"}}],"Count":1,"ScannedCount":1}`},
		{"Query", query(`"KeyConditionExpression":"pk = :p","FilterExpression":"attribute_exists(#d)",` +
			`"ExpressionAttributeNames":{"#d":"dday"}`), `{"Items":[],"Count":0,"ScannedCount":2,"LastEvaluatedKey"`},
		{"Query", query(`"KeyConditionExpression":"pk = :p","Select":"COUNT"`), `{"Count":2,`},
		{"Query", query(`"KeyConditionExpression":"sk = :p"`), invalidTest},
		{"Query", query(`"KeyConditionExpression":"pk = :p AND colour = :p"`), invalidTest},
		{"Query", query(`"IndexName":"by-month","KeyConditionExpression":"pk = :p"`), invalidTest},
		{"Scan", query(`"KeyConditionExpression":"pk = :p"`), invalidTest},
		{"GetItem", `{"TableName":"log","Key":` + row("9.0") + `,"ProjectionExpression":"sk"}`, `{"Item":{"sk":{"N":"9"}}}`},
		{"GetItem", `{"TableName":"log","Key":{"pk":{"S":"a"}}}`, invalidTest},
		{"GetItem", `{"TableName":"log","Key":` + row("2") + `}`, `{}`},
	})
}

// TestDynamoDBTransactions: all or nothing, with the reasons; the same token does nothing again.
func TestDynamoDBTransactions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Cloud{}
		c.AddTable("list", "id")
		api := newJSONAPI(t, c, dynamoTarget)
		key := func(id string) string { return `"TableName":"list","Key":{"id":{"S":"` + id + `"}}` }
		add := `{"Update":{` + key("n") + `,"UpdateExpression":"ADD n :one","ExpressionAttributeValues":{":one":{"N":"1"}}}}`
		exists := `{"ConditionCheck":{` + key("x") + `,"ConditionExpression":"attribute_exists(id)"}}`
		putX := `{"Put":{"TableName":"list","Item":{"id":{"S":"x"}},"ConditionExpression":"attribute_not_exists(id)"}}`
		transact := func(token string, parts ...string) string {
			return `{"ClientRequestToken":"` + token + `","TransactItems":[` + strings.Join(parts, ",") + `]}`
		}
		count := func(n string) exchange { return exchange{"GetItem", `{` + key("n") + `}`, n} }
		reasons := `!"CancellationReasons":[{"Code":"None"},` +
			`{"Code":"ConditionalCheckFailed","Message":"The conditional request failed"}]`
		api.run(t, jsonType10, []exchange{
			{"TransactWriteItems", transact("1", add, exists), `!#TransactionCanceledException`},
			{"TransactWriteItems", transact("1", add, exists), reasons + `}`},
			count(`{}`),
			{"TransactWriteItems", transact("2", add, putX), `{}`},
			count(`"N":"1"`),
			{"TransactWriteItems", transact("2", add, putX), `{}`},
			count(`"N":"1"`),
			{"TransactWriteItems", transact("2", add, exists), `!IdempotentParameterMismatchException`},
			{"TransactWriteItems", transact("3", add, add), invalidTest},
			{"TransactWriteItems", transact("3"), invalidTest},
			{"TransactWriteItems", transact("3", add, exists), `{}`},
			{"TransactWriteItems", transact("4", `{"Delete":{`+key("x")+`}}`), `{}`},
			count(`"N":"2"`),
		})
		time.Sleep(11 * time.Minute) // longer than a token counts
		api.run(t, jsonType10, []exchange{{"TransactWriteItems", transact("3", add), `{}`}, count(`"N":"3"`)})
	})
}

// TestDynamoDBExpires: items expire only on request, and only if they are due.
func TestDynamoDBExpires(t *testing.T) {
	c := &Cloud{}
	c.AddTable("list", "id")
	api := newJSONAPI(t, c, dynamoTarget)
	for id, expires := range map[string]int64{"past": time.Now().Unix() - 60, "future": time.Now().Unix() + 60} {
		api.run(t, jsonType10, []exchange{{"PutItem",
			fmt.Sprintf(`{"TableName":"list","Item":{"id":{"S":%q},"expires_at":{"N":"%d"}}}`, id, expires), `{}`}})
	}
	if all := c.Items("list"); len(all) != 2 {
		t.Errorf("%s", all)
	}
	if n := c.DeleteExpired("list", "expires_at"); n != 1 || len(c.Items("list")) != 1 {
		t.Errorf("deleted %d, left %s", n, c.Items("list"))
	}
}
