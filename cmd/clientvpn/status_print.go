package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/report"
)

func (t *tool) printState(k state) {
	verdict := t.In(console.Green, "READY")
	if len(k.needs()) > 0 {
		verdict = t.In(console.Red, "NEEDS A PERSON")
	}
	t.Print("%s  %s in %s, mode %s", verdict, safe(k.Stack), k.Region, t.In(console.Bold, k.Mode))
	for _, need := range k.needs() {
		t.Item("  - ", console.Safe(need))
	}
	t.Item("\nself-test   ", console.Safe(k.SelfTest.Summary))
	t.Print("policy      %s", cmp.Or(k.SelfTest.PolicyHash, "unknown"))
	for i, e := range k.Endpoints {
		words := fmt.Sprintf("%s %s carries %s", e.ID, e.Name, strings.Join(e.Carries, " and "))
		if e.ConnectHandler == "" {
			words += "; no connect handler"
		}
		t.Item(label("endpoints", i), console.Safe(words))
	}
	for i, s := range k.Sources {
		ago := report.Span(time.Since(s.Last))
		t.Item(label("sources", i), fmt.Sprintf("%s, heard %s ago", safe(s.Name), ago))
	}
	t.Print("queue       %d waiting, %d dead letters", k.Waiting, k.DeadLetters)
	t.Print("alarms      %d of %d", len(k.Alarms), k.AllAlarms)
}

// label is a word before the first row of a list, and room before the others.
func label(word string, row int) string {
	if row > 0 {
		word = ""
	}
	return fmt.Sprintf("%-12s", word)
}
