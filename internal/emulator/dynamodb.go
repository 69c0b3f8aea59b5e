package emulator

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// dynamoTarget is the service's name in the header X-Amz-Target of the JSON protocol.
const dynamoTarget = "DynamoDB_20120810"

var dynamoDB = &service{
	name: "dynamodb", version: dynamoTarget, contentType: jsonType10,
	throttled: refusal{
		code: "ThrottlingException", message: "Throughput exceeds the current capacity of your table or index.",
	},
	failure: func(r *refusal, _ string, _ int) any {
		return dynamoError{"com.amazonaws.dynamodb.v20120810#" + r.code, r.message, r.item, r.reasons}
	},
	forbidden: func(c *Cloud, action string, form url.Values) *refusal {
		message := c.unauthorized("dynamodb:"+action, c.arn("dynamodb", "table/"+strings.Join(tablesOf(form), " ")))
		return &refusal{code: "AccessDeniedException", message: message} // DynamoDB Developer Guide, error handling
	},
}

type dynamoError struct {
	Type    string               `json:"__type"`
	Message string               `json:"Message"`
	Item    item                 `json:",omitempty"`
	Reasons []cancellationReason `json:"CancellationReasons,omitempty"`
}

// table is a table whose items have a text for their key, and perhaps a text or a number for their sort key.
type table struct {
	key, sort string // sort is empty for none
	items     map[string]item
	indexes   map[string]index
}

// index is a global secondary index, which holds the items that have both attributes.
type index struct{ key, sort string }

// AddTable creates an empty table with the name of its key, an attribute of type S. A sort key, of type S or N, may
// follow.
func (c *Cloud) AddTable(name, key string, sort ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tables == nil {
		c.tables = map[string]*table{}
	}
	c.tables[name] = &table{
		key: key, sort: strings.Join(sort, ""), items: map[string]item{}, indexes: map[string]index{},
	}
}

// AddIndex adds a global secondary index to a table. It panics if the table does not exist. The index is up to date at
// once, where DynamoDB's lags behind.
func (c *Cloud) AddIndex(table, name, key, sort string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tables[table].indexes[name] = index{key, sort}
}

// Items returns the items of a table in the order of their keys, in DynamoDB's JSON.
func (c *Cloud) Items(name string) (all []json.RawMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tables[name]
	if t == nil {
		return nil
	}
	for _, found := range t.sorted(index{t.key, t.sort}) {
		raw, err := json.Marshal(found)
		if err != nil {
			panic(err) // it was JSON
		}
		all = append(all, raw)
	}
	return all
}

// DeleteExpired deletes the items whose attribute, in seconds of the epoch, has passed. DynamoDB does so at some time
// within a few days (DynamoDB Developer Guide, Time to Live), so nobody may rely on it. This table does it only here.
func (c *Cloud) DeleteExpired(table, attribute string) (deleted int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, now := c.tables[table], time.Now().Unix()
	for key, found := range t.items {
		text, _ := found[attribute]["N"].(string)
		if at, err := strconv.ParseInt(text, 10, 64); err == nil && at < now {
			delete(t.items, key)
			deleted++
		}
	}
	return deleted
}

// tablesOf returns the tables that a request in the form of [parseJSON] names.
func tablesOf(form url.Values) (names []string) {
	var requests map[string]json.RawMessage
	if json.Unmarshal([]byte(form.Get("RequestItems")), &requests) == nil {
		names = slices.Sorted(maps.Keys(requests))
	}
	var name string
	if json.Unmarshal([]byte(form.Get("TableName")), &name) == nil {
		names = append(names, name)
	}
	var transaction []map[string]struct{ TableName string }
	if json.Unmarshal([]byte(form.Get("TransactItems")), &transaction) == nil {
		for _, one := range transaction {
			for _, w := range one {
				names = append(names, w.TableName)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// members reads the members of a request. It refuses a member that the stand-in does not know: ignoring it could accept
// what DynamoDB would not.
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

// keyOf returns the key attributes of an item.
func (t *table) keyOf(found item) item {
	key := item{t.key: found[t.key]}
	if t.sort != "" {
		key[t.sort] = found[t.sort]
	}
	return key
}

// id returns the text under which the table keeps an item. It refuses what is not the table's key.
// Source: DynamoDB Developer Guide, supported data types and quotas.
func (t *table) id(key item) (string, *refusal) {
	const badSchema = "The provided key element does not match the schema"
	hash, isText := key[t.key]["S"].(string)
	want := 1
	if t.sort != "" {
		want = 2
	}
	switch {
	case len(key) != want || !isText:
		return "", invalidRequest(badSchema)
	case hash == "":
		return "", invalidRequest("One or more parameter values are not valid. "+
			"The AttributeValue for a key attribute cannot contain an empty string value. Key: %s", t.key)
	case len(hash) > 2048:
		return "", invalidRequest("One or more parameter values were invalid: " +
			"Size of hashkey has exceeded the maximum size limit of2048 bytes")
	case t.sort == "":
		return hash, nil
	}
	kind, value := key[t.sort].split()
	text, _ := value.(string)
	switch {
	case kind != "S" && kind != "N" || text == "":
		return "", invalidRequest(badSchema)
	case len(text) > 1024:
		return "", invalidRequest("One or more parameter values were invalid: " +
			"Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
	}
	return hash + "\x00" + kind + key[t.sort].canonical(), nil
}

// sorted returns the items that an index holds, by its keys.
func (t *table) sorted(by index) []item {
	var all []item
	for _, found := range t.items {
		if found[by.key] != nil && (by.sort == "" || found[by.sort] != nil) {
			all = append(all, found)
		}
	}
	slices.SortFunc(all, t.order(by))
	return all
}

// order compares items by the keys of an index, then by those of the table.
func (t *table) order(by index) func(a, b item) int {
	return func(a, b item) int {
		for _, name := range []string{by.key, by.sort, t.key, t.sort} {
			if order, _ := compare(a[name], b[name]); name != "" && order != 0 {
				return order
			}
		}
		return 0
	}
}
