package ledger_test

import (
	"strings"
	"testing"

	"clientvpn-responder/internal/ledger"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TestItemOfAnyFormSwitchesOff: a person may write it by hand, and other items do not matter.
func TestItemOfAnyFormSwitchesOff(t *testing.T) {
	everywhere(t, func(t *testing.T, cfg aws.Config) {
		list := ledger.New(cfg, table)
		api := dynamodb.NewFromConfig(cfg)
		read := func() ledger.Switch {
			known, _ := list.Recall(t.Context(), ledger.Query{People: []string{"broken"}})
			return known.Switch
		}
		put := func(id string, known types.AttributeValue) {
			item := map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}}
			if known != nil {
				item["known"] = known
			}
			input := &dynamodb.PutItemInput{TableName: aws.String(table), Item: item}
			if _, err := api.PutItem(t.Context(), input); err != nil {
				t.Fatal(err)
			}
		}
		if s := read(); s.Off {
			t.Errorf("without an item: %s", s)
		}
		put("person#broken", &types.AttributeValueMemberN{Value: "1"})
		for _, known := range []types.AttributeValue{
			nil, &types.AttributeValueMemberS{Value: "off"}, &types.AttributeValueMemberM{},
			&types.AttributeValueMemberM{Value: map[string]types.AttributeValue{
				"by": &types.AttributeValueMemberN{Value: "1"},
			}},
		} {
			if put("switch#off", known); !read().Off {
				t.Errorf("%v does not switch off", known)
			}
		}
		key := map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "switch#off"}}
		gone := &dynamodb.DeleteItemInput{TableName: aws.String(table), Key: key}
		if _, err := api.DeleteItem(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
		if s := read(); s.Off {
			t.Errorf("the item is gone: %s", s)
		}
	})
}

// TestSwitchSaysWhoAndSinceWhen, and is thrown twice or back without harm.
func TestSwitchSaysWhoAndSinceWhen(t *testing.T) {
	everywhere(t, func(t *testing.T, cfg aws.Config) {
		list := ledger.New(cfg, table)
		for range 2 {
			if err := list.SwitchOff(t.Context(), "ops"); err != nil {
				t.Fatal(err)
			}
		}
		known, err := list.Recall(t.Context(), ledger.Query{})
		said := known.Switch.String()
		if !strings.HasPrefix(said, "everything is switched off since 20") || !strings.HasSuffix(said, "Z by ops") {
			t.Errorf("%s, %v", said, err)
		}
		for range 2 {
			if err := list.SwitchOn(t.Context(), "ops"); err != nil {
				t.Fatal(err)
			}
		}
		known, err = list.Recall(t.Context(), ledger.Query{})
		if err != nil || known.Switch.Off {
			t.Errorf("%+v, %v", known.Switch, err)
		}
	})
}
