package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"clientvpn-responder/internal/signal"
)

// TestDecidingTakesNoMoreAsEventsGo: the two-thousandth event allocates what the first did, so nothing is kept of any.
func TestDecidingTakesNoMoreAsEventsGo(t *testing.T) {
	p := mustParse(t, string(ManyRules(200)))
	event, err := os.ReadFile("../../events/okta/user-deactivate.json")
	if err != nil {
		t.Fatal(err)
	}
	decide := func() {
		signals, err := signal.Parse(event)
		if err != nil {
			t.Fatal(err)
		}
		p.Decide(signals[0], Enforce, now)
	}
	first := testing.AllocsPerRun(10, decide)
	for range 2_000 {
		decide()
	}
	// A sync.Pool that the garbage collector emptied costs one.
	if last := testing.AllocsPerRun(10, decide); last > first+2 {
		t.Errorf("%v allocations at first, %v after 2,000 events", first, last)
	}
}

// TestManyRulesTakeNoMoreAllocations: the words of why a rule does not fit are made where somebody reads them.
func TestManyRulesTakeNoMoreAllocations(t *testing.T) {
	allocations := func(rules int) float64 {
		p := mustParse(t, string(ManyRules(rules)))
		return testing.AllocsPerRun(10, func() { p.Decide(leaver, Enforce, now) })
	}
	if few, many := allocations(10), allocations(200); many > few {
		t.Errorf("%v allocations with 10 rules, %v with 200", few, many)
	}
}

// BenchmarkDecide maps the person and decides, with and without parsing the event. Only the last of the rules fits.
// encoding/json's time to read the whole event shows how quick the machine is.
func BenchmarkDecide(b *testing.B) {
	for _, rules := range []int{10, 200} {
		p, err := Parse("policy.yaml", ManyRules(rules))
		if err != nil {
			b.Fatal(err)
		}
		decide := func(b *testing.B, signals []signal.Signal, err error) {
			if err != nil {
				b.Fatal(err)
			}
			if d := p.Decide(signals[0], Enforce, now); d.Rule != fmt.Sprint("rule-", rules-1) {
				b.Fatal(d)
			}
		}
		for _, file := range []string{"okta/user-deactivate", "guardduty/identity-center-session"} {
			event := delivered(b, file)
			b.Run(fmt.Sprint(rules, " rules/json/", file), func(b *testing.B) {
				for b.Loop() {
					var all any
					if err := json.Unmarshal(event, &all); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(fmt.Sprint(rules, " rules/decide/", file), func(b *testing.B) {
				signals, err := signal.Parse(event)
				b.ReportAllocs()
				for b.Loop() {
					decide(b, signals, err)
				}
			})
			b.Run(fmt.Sprint(rules, " rules/all/", file), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					signals, err := signal.Parse(event)
					decide(b, signals, err)
				}
			})
		}
	}
}

// delivered returns an event without white space, as EventBridge delivers it.
func delivered(b *testing.B, file string) []byte {
	raw, err := os.ReadFile("../../events/" + file + ".json")
	if err != nil {
		b.Fatal(err)
	}
	var event bytes.Buffer
	if err := json.Compact(&event, raw); err != nil {
		b.Fatal(err)
	}
	return event.Bytes()
}
