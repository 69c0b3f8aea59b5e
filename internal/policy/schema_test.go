package policy

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"testing"

	"clientvpn-responder/internal/signal"

	"github.com/google/go-cmp/cmp"
)

// TestSchemaIsTheLanguage: an editor knows the keys and words that the program knows, and no others.
func TestSchemaIsTheLanguage(t *testing.T) {
	raw, err := os.ReadFile("../../doc/policy.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	type node struct {
		Properties  map[string]*node
		Definitions map[string]*node
		Items       *node
		Enum        []string
		Required    []string
		Additional  any `json:"additionalProperties"`
	}
	var schema node
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatal(err)
	}
	keys := func(v any) []string {
		var all []string
		for f := range reflect.TypeOf(v).Fields() {
			if key, ok := f.Tag.Lookup("yaml"); ok {
				all = append(all, key)
			}
		}
		slices.Sort(all)
		return all
	}
	when, ruleNode := schema.Definitions["condition"], schema.Definitions["rule"]
	for name, test := range map[string]struct {
		node *node
		keys []string
	}{
		"document":  {&schema, keys(document{})},
		"identity":  {schema.Properties["identity"], keys(identityDocument{})},
		"rule":      {ruleNode, keys(rule{})},
		"condition": {when, keys(condition{})},
		"severity":  {when.Properties["severity"], keys(bounds{})},
	} {
		if diff := cmp.Diff(
			test.keys, slices.Sorted(maps.Keys(test.node.Properties)),
		); diff != "" || test.node.Additional != false {
			t.Errorf("%s: %s, others %v", name, diff, test.node.Additional)
		}
	}
	var kinds []string
	for _, k := range signal.Kinds() {
		kinds = append(kinds, string(k))
	}
	for name, test := range map[string][2][]string{
		"kinds":     {when.Properties["kinds"].Items.Enum, kinds},
		"providers": {when.Properties["providers"].Items.Enum, signal.Providers()},
		"actions":   {schema.Definitions["action"].Enum, {string(Terminate), string(Notify), string(Ignore)}},
		"modes":     {ruleNode.Properties["mode"].Enum, {string(DryRun), string(Enforce)}},
		"required":  {ruleNode.Required, {"name", "when", "then"}},
	} {
		if diff := cmp.Diff(test[1], test[0]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
