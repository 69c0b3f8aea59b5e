package house

import (
	"slices"
	"strings"
	"testing"
)

// TestOwnFormHasABusOfItsOwn, by default, on which only the named principals may put events, and only operators
// anything but a request to terminate. The rule listens there and nowhere else.
func TestOwnFormHasABusOfItsOwn(t *testing.T) {
	template := read(t, "template.yaml")
	for _, parameter := range []string{
		"\n  OwnFormBus:\n    Type: String\n    Default: own\n",
		"\n  OwnFormCloses:\n    Type: String\n    Default: \"no\"\n",
		"\n  SenderArns:\n    Type: CommaDelimitedList\n    Default: \"\"\n",
		"\n  OperatorArns:\n    Type: CommaDelimitedList\n    Default: \"\"\n",
	} {
		if !strings.Contains(template, parameter) {
			t.Errorf("no parameter %s", parameter)
		}
	}
	const bus = "EventBusName: !If [OwnFormIsOnDefaultBus, default, !Ref Bus]\n"
	if rule := block(t, "CustomEvents"); !strings.Contains(rule, bus) {
		t.Error(rule)
	}
	const senders = `!If [HasSenders, !Join [",", !Ref SenderArns]`
	const operators = `!If [HasOperators, !Join [",", !Ref OperatorArns]`
	everywhere := []string{
		"EventBusName: !Ref Bus", "Effect: Deny", `Principal: "*"`, "Action: events:PutEvents",
	}
	for _, s := range []struct {
		resource string
		has      []string
		hasNot   string
	}{
		{"OnlySenders", []string{"ArnNotLike:\n            aws:PrincipalArn:", senders, operators}, "events:detail-type"},
		{"OnlyOperatorsReinstate", []string{
			"ForAnyValue:StringNotEquals: {events:detail-type: Terminate Connections}\n", operators,
		}, "SenderArns"},
	} {
		statement := block(t, s.resource)
		for _, words := range slices.Concat(s.has, everywhere) {
			if !strings.Contains(statement, words) {
				t.Errorf("%s has no %s", s.resource, words)
			}
		}
		if strings.Contains(statement, s.hasNot) {
			t.Errorf("%s has %s", s.resource, s.hasNot)
		}
	}
	if queues := block(t, "QueuesPolicy"); strings.Contains(queues, "SenderArns") || !strings.Contains(queues, operators) {
		t.Error("operators may put dead letters back, and senders may not")
	}
}
