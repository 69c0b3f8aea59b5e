package emulator

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// dynamoTarget is the service's name in the header X-Amz-Target of the JSON protocol.
const dynamoTarget = "DynamoDB_20120810"

var dynamoDB = &service{
	name: "dynamodb", version: dynamoTarget, contentType: jsonType10,
	throttled: refusal{code: "ThrottlingException", message: "Throughput exceeds the current capacity of your table or index."},
	failure: func(r *refusal, _ string, _ int) any {
		return jsonError{"com.amazonaws.dynamodb.v20120810#" + r.code, r.message, r.item}
	},
	forbidden: func(c *Cloud, action string, form url.Values) *refusal {
		message := c.unauthorized("dynamodb:"+action, c.arn("dynamodb", "table/"+strings.Join(tablesOf(form), " ")))
		return &refusal{code: "AccessDeniedException", message: message} // DynamoDB Developer Guide, error handling
	},
}

// table is a table whose items have a text for their key. DynamoDB deletes what has expired within some days; this
// table never does, as nobody may rely on it.
type table struct {
	key   string
	items map[string]item
}

type (
	item      map[string]attribute
	attribute map[string]any // one type, S, N or M, and its value
)

// AddTable creates an empty table with the name of its key, an attribute of type S.
func (c *Cloud) AddTable(name, key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tables == nil {
		c.tables = map[string]*table{}
	}
	c.tables[name] = &table{key, map[string]item{}}
}

// tablesOf are those that a request in the form of [parseJSON] names.
func tablesOf(form url.Values) (names []string) {
	var requests map[string]json.RawMessage
	if json.Unmarshal([]byte(form.Get("RequestItems")), &requests) == nil {
		names = slices.Sorted(maps.Keys(requests))
	}
	var name string
	if json.Unmarshal([]byte(form.Get("TableName")), &name) == nil {
		names = append(names, name)
	}
	return names
}

// members reads the members of a request. One that the stand-in does not know is refused, since to pass over it could
// let pass what DynamoDB would not.
func members(form url.Values, into any) *refusal {
	all := map[string]json.RawMessage{}
	for name, values := range form {
		if name != "Action" && name != "Version" {
			all[name] = json.RawMessage(values[0])
		}
	}
	raw, err := json.Marshal(all)
	if err == nil {
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.DisallowUnknownFields()
		err = decoder.Decode(into)
	}
	if err != nil {
		return invalidRequest("the stand-in cannot read the request: %v", err)
	}
	return nil
}

func invalidRequest(format string, args ...any) *refusal {
	return refuse("ValidationException", format, args...)
}

func (c *Cloud) table(name string) (*table, *refusal) {
	if t := c.tables[name]; t != nil {
		return t, nil
	}
	return nil, refuse("ResourceNotFoundException", "Requested resource not found")
}

// named gives the text of an item's key.
func (t *table) named(key item) (string, *refusal) {
	name, ok := key[t.key]["S"].(string)
	switch {
	case len(key) != 1 || !ok:
		return "", invalidRequest("The provided key element does not match the schema")
	case name == "": // DynamoDB Developer Guide, supported data types
		return "", invalidRequest("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: %s", t.key)
	case len(name) > 2048: // DynamoDB Developer Guide, quotas
		return "", invalidRequest("One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes")
	}
	return name, nil
}

type batchGetResponse struct {
	Responses       map[string][]item
	UnprocessedKeys map[string]keys
}

type keys struct {
	Keys           []item
	ConsistentRead bool
}

func (c *Cloud) batchGetItem(form url.Values, _ string) (any, *refusal) {
	var in struct{ RequestItems map[string]keys }
	if refused := members(form, &in); refused != nil {
		return nil, refused
	}
	answer := batchGetResponse{map[string][]item{}, map[string]keys{}}
	count := 0
	for name, asked := range in.RequestItems {
		t, refused := c.table(name)
		if refused != nil {
			return nil, refused
		}
		seen := map[string]bool{}
		answer.Responses[name] = []item{}
		for i, key := range asked.Keys {
			person, refused := t.named(key)
			count++
			switch {
			case refused != nil:
				return nil, refused
			case seen[person]:
				return nil, invalidRequest("Provided list of item keys contains duplicates")
			}
			seen[person] = true
			if i >= cmp.Or(c.PageItems, 100) {
				left := answer.UnprocessedKeys[name]
				answer.UnprocessedKeys[name] = keys{append(left.Keys, key), asked.ConsistentRead}
			} else if found, ok := t.items[person]; ok {
				answer.Responses[name] = append(answer.Responses[name], found)
			}
		}
	}
	if count == 0 || count > 100 { // DynamoDB API reference, BatchGetItem
		return nil, invalidRequest("1 validation error detected: Value at 'requestItems' failed to satisfy constraint: between 1 and 100 items")
	}
	return answer, nil
}

type scanResponse struct {
	Items            []item
	Count            int
	ScannedCount     int
	LastEvaluatedKey item `json:",omitempty"`
}

func (c *Cloud) scan(form url.Values, _ string) (any, *refusal) {
	var in struct {
		TableName         string
		ConsistentRead    bool
		ExclusiveStartKey item
	}
	if refused := members(form, &in); refused != nil {
		return nil, refused
	}
	t, refused := c.table(in.TableName)
	if refused != nil {
		return nil, refused
	}
	after := ""
	if in.ExclusiveStartKey != nil {
		if after, refused = t.named(in.ExclusiveStartKey); refused != nil {
			return nil, refused
		}
	}
	answer := scanResponse{Items: []item{}}
	for _, name := range slices.Sorted(maps.Keys(t.items)) {
		if name <= after {
			continue
		}
		if len(answer.Items) == cmp.Or(c.PageItems, 100) {
			answer.LastEvaluatedKey = item{t.key: answer.Items[len(answer.Items)-1][t.key]}
			break
		}
		answer.Items = append(answer.Items, t.items[name])
	}
	answer.Count, answer.ScannedCount = len(answer.Items), len(answer.Items)
	return answer, nil
}

// Expressions in the forms that are used; another is refused.
var (
	notThere  = regexp.MustCompile(`^attribute_not_exists\(([a-z_]+)\)$`)
	equal     = regexp.MustCompile(`^([a-z_]+) = (:[a-z_]+)$`)
	setRemove = regexp.MustCompile(`^SET ((?:[a-z_]+ = :[a-z_]+(?:, )?)+?)(?: REMOVE ([a-z_]+))?$`)
)

func (c *Cloud) updateItem(form url.Values, _ string) (any, *refusal) {
	var in struct {
		TableName, ConditionExpression, UpdateExpression string

		Key                                 item
		ExpressionAttributeValues           item
		ReturnValuesOnConditionCheckFailure string
	}
	if refused := members(form, &in); refused != nil {
		return nil, refused
	}
	t, refused := c.table(in.TableName)
	if refused != nil {
		return nil, refused
	}
	person, refused := t.named(in.Key)
	if refused != nil {
		return nil, refused
	}
	used := map[string]bool{}
	var undefined *refusal
	value := func(name string) attribute {
		used[name] = true
		if in.ExpressionAttributeValues[name] == nil {
			undefined = invalidRequest("Invalid expression: An expression attribute value used in expression is not defined; attribute value: %s", name)
		}
		return in.ExpressionAttributeValues[name]
	}
	old := t.items[person]
	var holds bool
	if m := notThere.FindStringSubmatch(in.ConditionExpression); m != nil {
		holds = old[m[1]] == nil
	} else if m := equal.FindStringSubmatch(in.ConditionExpression); m != nil {
		holds = reflect.DeepEqual(old[m[1]], value(m[2]))
	} else {
		return nil, invalidRequest("Invalid ConditionExpression: the stand-in does not know %q", in.ConditionExpression)
	}
	m := setRemove.FindStringSubmatch(in.UpdateExpression)
	if m == nil {
		return nil, invalidRequest("Invalid UpdateExpression: the stand-in does not know %q", in.UpdateExpression)
	}
	next := maps.Clone(old)
	if next == nil {
		next = maps.Clone(in.Key)
	}
	for assignment := range strings.SplitSeq(m[1], ", ") {
		name, from, _ := strings.Cut(assignment, " = ")
		next[name] = value(from)
	}
	if undefined != nil {
		return nil, undefined
	}
	delete(next, m[2])
	for name, v := range in.ExpressionAttributeValues {
		if !used[name] {
			return nil, invalidRequest("Value provided in ExpressionAttributeValues unused in expressions: keys: {%s}", name)
		}
		if problem := unsound(v); problem != "" {
			return nil, invalidRequest("%s: %s", name, problem)
		}
	}
	switch raw, err := json.Marshal(next); {
	case err != nil:
		panic(err) // it was JSON
	case len(raw) > 400<<10: // DynamoDB Developer Guide, quotas; its own count of bytes is a little lower
		return nil, invalidRequest("Item size to update has exceeded the maximum allowed size")
	}
	if !holds {
		failed := refuse("ConditionalCheckFailedException", "The conditional request failed")
		if in.ReturnValuesOnConditionCheckFailure == "ALL_OLD" {
			failed.item = old
		}
		return nil, failed
	}
	t.items[person] = next
	return struct{}{}, nil
}

// unsound says what is wrong with an attribute; empty if it is one of those that the stand-in knows.
func unsound(v attribute) string {
	if len(v) != 1 {
		return "Supplied AttributeValue must contain exactly one of the supported datatypes"
	}
	for kind, value := range v {
		s, isText := value.(string)
		inner, isMap := value.(map[string]any)
		switch {
		case kind == "S" && isText:
		case kind == "N" && isText && json.Valid([]byte(s)):
		case kind == "M" && isMap:
			for name, member := range inner {
				m, _ := member.(map[string]any)
				if problem := unsound(m); problem != "" {
					return name + ": " + problem
				}
			}
		default:
			return fmt.Sprintf("the stand-in does not know the attribute %v", v)
		}
	}
	return ""
}
