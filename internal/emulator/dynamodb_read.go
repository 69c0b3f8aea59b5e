package emulator

import (
	"cmp"
	"net/url"
	"slices"
)

// read is a request for items.
type read struct {
	TableName                 string
	IndexName                 string
	Key                       item // of GetItem
	ConsistentRead            bool
	ProjectionExpression      string
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues item
	KeyConditionExpression    string // of Query
	FilterExpression          string
	ExclusiveStartKey         item
	ScanIndexForward          *bool
	Limit                     int
	Select                    string
}

type getResponse struct {
	Item item `json:",omitempty"`
}

func (c *Cloud) getItem(form url.Values, _ string) (any, *refusal) {
	var r read
	if refused := members(form, &r); refused != nil {
		return nil, refused
	}
	t, refused := c.table(r.TableName)
	if refused != nil {
		return nil, refused
	}
	id, refused := t.id(r.Key)
	if refused != nil {
		return nil, refused
	}
	s := newScope(nil, r.ExpressionAttributeNames, r.ExpressionAttributeValues)
	found, refused := s.project(r.ProjectionExpression, t.items[id])
	if refused == nil {
		refused = s.unused()
	}
	return getResponse{found}, refused
}

// project returns the attributes that a projection names; all without one. The stand-in knows top-level names only.
func (s *scope) project(text string, from item) (item, *refusal) {
	if text == "" {
		return from, nil
	}
	e := s.expression("ProjectionExpression", text)
	some := item{}
	for first := true; first || e.accept(","); first = false {
		p := e.path()
		if len(p) > 1 {
			e.fail("the stand-in does not know paths in a projection")
		}
		if a := from[p[0]]; a != nil {
			some[p[0]] = a
		}
	}
	if from == nil {
		return nil, e.err
	}
	return some, e.err
}

type listResponse struct {
	Items            []item `json:",omitzero"`
	Count            int
	ScannedCount     int
	LastEvaluatedKey item `json:",omitempty"`
}

func (c *Cloud) scan(form url.Values, _ string) (any, *refusal)  { return c.list("", form) }
func (c *Cloud) query(form url.Values, _ string) (any, *refusal) { return c.list("query", form) }

// list answers Scan and Query.
func (c *Cloud) list(kind string, form url.Values) (any, *refusal) {
	var r read
	if refused := members(form, &r); refused != nil {
		return nil, refused
	}
	t, refused := c.table(r.TableName)
	if refused != nil {
		return nil, refused
	}
	by := index{t.key, t.sort}
	if r.IndexName != "" {
		known := false
		if by, known = t.indexes[r.IndexName]; !known {
			return nil, invalidRequest("The table does not have the specified index: %s", r.IndexName)
		}
	}
	if refused := r.check(kind, by); refused != nil {
		return nil, refused
	}
	all, order := t.sorted(by), t.order(by)
	if r.ScanIndexForward != nil && !*r.ScanIndexForward {
		slices.Reverse(all)
		order = func(a, b item) int { return t.order(by)(b, a) }
	}
	if r.ExclusiveStartKey != nil { // its item may be deleted meanwhile
		all = slices.DeleteFunc(all, func(found item) bool { return order(found, r.ExclusiveStartKey) <= 0 })
	}
	answer := r.page(t, by, all, cmp.Or(c.PageItems, 100))
	if r.Select == "COUNT" {
		answer.Items = nil
	}
	return answer, nil
}

// check refuses expressions that are not sound for any item, a query without its key condition, and a scan with one.
func (r *read) check(kind string, by index) *refusal {
	s := newScope(nil, r.ExpressionAttributeNames, r.ExpressionAttributeValues)
	_, refused := s.condition("KeyConditionExpression", r.KeyConditionExpression)
	if refused == nil {
		_, refused = s.condition("FilterExpression", r.FilterExpression)
	}
	if refused == nil {
		_, refused = s.project(r.ProjectionExpression, nil)
	}
	if refused == nil {
		refused = s.unused()
	}
	switch {
	case refused != nil:
		return refused
	case kind == "query":
		return s.keyCondition(r.KeyConditionExpression, by)
	case r.KeyConditionExpression != "" || r.ScanIndexForward != nil:
		return invalidRequest("the stand-in cannot read the request: a Scan has no key condition and no order")
	}
	return nil
}

// keyCondition refuses what is not a condition on the key: its equality with a value and perhaps a test of the sort
// key. DynamoDB would also read them in the other order.
func (s *scope) keyCondition(text string, by index) *refusal {
	e := s.expression("KeyConditionExpression", text)
	first := e.path()
	if e.err != nil || len(first) != 1 || first[0] != by.key || !e.accept("=") {
		return invalidRequest("Query condition missed key schema element: %s", by.key)
	}
	e.value()
	if !e.accept("AND") {
		return e.err
	}
	if e.accept("begins_with") {
		e.expect("(")
	}
	if second := e.path(); e.err == nil && second[0] != by.sort {
		return invalidRequest("Query condition missed key schema element: %s", by.sort)
	}
	return e.err
}

// page returns the matching items among as many as one answer examines. The expressions are sound.
func (r *read) page(t *table, by index, all []item, most int) listResponse {
	if r.Limit > 0 {
		most = min(most, r.Limit)
	}
	answer := listResponse{Items: []item{}}
	for _, found := range all {
		s := newScope(found, r.ExpressionAttributeNames, r.ExpressionAttributeValues)
		if inRange, _ := s.condition("KeyConditionExpression", r.KeyConditionExpression); !inRange {
			continue
		}
		if answer.ScannedCount == most {
			return answer
		}
		answer.ScannedCount++
		answer.LastEvaluatedKey = t.keyIn(found, by)
		if wanted, _ := s.condition("FilterExpression", r.FilterExpression); wanted {
			answer.Count++
			shown, _ := s.project(r.ProjectionExpression, found)
			answer.Items = append(answer.Items, shown)
		}
	}
	answer.LastEvaluatedKey = nil // it was the last page
	return answer
}

// keyIn returns the key from which a listing of an index can go on.
func (t *table) keyIn(found item, by index) item {
	key := t.keyOf(found)
	for _, name := range []string{by.key, by.sort} {
		if name != "" {
			key[name] = found[name]
		}
	}
	return key
}
