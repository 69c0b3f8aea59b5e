package emulator

import (
	"encoding/json"
	"net/url"
)

// write is a request to change one item, or a part of a transaction.
type write struct {
	TableName                           string
	Key                                 item // of UpdateItem, DeleteItem and ConditionCheck
	Item                                item // of PutItem
	ConditionExpression                 string
	UpdateExpression                    string
	ExpressionAttributeNames            map[string]string
	ExpressionAttributeValues           item
	ReturnValues                        string `json:",omitempty"`
	ReturnValuesOnConditionCheckFailure string `json:",omitempty"`
}

// effect is what a write does, once it is found sound.
type effect struct {
	table    *table
	id       string
	old, new item // nil for none
	touched  []path
	holds    bool // the condition
}

func (f effect) apply() {
	if f.new == nil {
		delete(f.table.items, f.id)
	} else {
		f.table.items[f.id] = f.new
	}
}

// The ways to change an item.
const (
	put    = "Put"
	update = "Update"
	remove = "Delete"
	check  = "ConditionCheck"
)

// plan works out what a write does, and whether its condition holds. It changes nothing.
func (c *Cloud) plan(kind string, w write) (effect, *refusal) {
	t, refused := c.table(w.TableName)
	if refused != nil {
		return effect{}, refused
	}
	key := w.Key
	if kind == put {
		key = t.keyOf(w.Item)
	}
	id, refused := t.id(key)
	if refused != nil {
		return effect{}, refused
	}
	f := effect{table: t, id: id, old: t.items[id]}
	s := newScope(f.old, w.ExpressionAttributeNames, w.ExpressionAttributeValues)
	if f.holds, refused = s.condition("ConditionExpression", w.ConditionExpression); refused == nil {
		refused = f.change(kind, w, s)
	}
	if refused == nil {
		refused = s.unused()
	}
	if refused == nil {
		refused = f.new.tooLarge()
	}
	return f, refused
}

// change sets what the item is afterwards.
func (f *effect) change(kind string, w write, s *scope) *refusal {
	switch kind {
	case put:
		f.new = w.Item
		for name, a := range w.Item {
			if problem := unsound(a); problem != "" {
				return invalidRequest("%s: %s", name, problem)
			}
		}
	case check:
		f.new = f.old
	case update:
		return f.update(w, s)
	}
	return nil
}

func (f *effect) update(w write, s *scope) *refusal {
	changes, refused := s.update(w.UpdateExpression)
	if refused != nil {
		return refused
	}
	f.new = w.Key.clone()
	if f.old != nil {
		f.new = f.old.clone()
	}
	for _, c := range changes {
		if name := c.path[0]; name == f.table.key || name == f.table.sort {
			return invalidRequest("One or more parameter values were invalid: "+
				"Cannot update attribute %s. This attribute is part of the key", name)
		}
		if !c.path.set(f.new, c.to) {
			return invalidRequest("The document path provided in the update expression is invalid for update")
		}
		f.touched = append(f.touched, c.path)
	}
	return nil
}

// tooLarge refuses an item above 400 KiB. DynamoDB's own count of bytes is a little lower.
// Source: DynamoDB Developer Guide, quotas.
func (i item) tooLarge() *refusal {
	raw, err := json.Marshal(i)
	if err != nil {
		panic(err) // it was JSON
	}
	if len(raw) > 400<<10 {
		return invalidRequest("Item size to update has exceeded the maximum allowed size")
	}
	return nil
}

type writeResponse struct {
	Attributes item `json:",omitempty"`
}

func (c *Cloud) updateItem(form url.Values, _ string) (any, *refusal) { return c.write(update, form) }
func (c *Cloud) putItem(form url.Values, _ string) (any, *refusal)    { return c.write(put, form) }
func (c *Cloud) deleteItem(form url.Values, _ string) (any, *refusal) { return c.write(remove, form) }

func (c *Cloud) write(kind string, form url.Values) (any, *refusal) {
	var w write
	if refused := members(form, &w); refused != nil {
		return nil, refused
	}
	f, refused := c.plan(kind, w)
	if refused != nil {
		return nil, refused
	}
	if !f.holds {
		failed := refuse("ConditionalCheckFailedException", "The conditional request failed")
		if w.ReturnValuesOnConditionCheckFailure == "ALL_OLD" {
			failed.item = f.old
		}
		return nil, failed
	}
	returned, refused := f.returns(kind, w.ReturnValues)
	if refused != nil {
		return nil, refused
	}
	f.apply()
	return writeResponse{returned}, nil
}

// returns picks the attributes that ReturnValues asks for.
func (f *effect) returns(kind, values string) (item, *refusal) {
	switch values {
	case "", "NONE":
		return nil, nil
	case "ALL_OLD":
		return f.old, nil
	}
	if kind != update {
		return nil, invalidRequest("ReturnValues can only be ALL_OLD or NONE")
	}
	switch values {
	case "ALL_NEW":
		return f.new, nil
	case "UPDATED_OLD":
		return f.part(f.old), nil
	case "UPDATED_NEW":
		return f.part(f.new), nil
	}
	return nil, invalidRequest("the stand-in does not know ReturnValues %q", values)
}

// part returns the attributes that an update touched, whole.
func (f *effect) part(of item) item {
	some := item{}
	for _, p := range f.touched {
		if a := of[p[0]]; a != nil {
			some[p[0]] = a
		}
	}
	return some
}
