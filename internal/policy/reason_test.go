package policy

import (
	"encoding/json"
	"testing"
)

// TestReasonsAreSentencesInJSON: the outcome's contract is text, and a blocked one stays known as such.
func TestReasonsAreSentencesInJSON(t *testing.T) {
	before := []Reason{
		{Kind: RuleSkipped, Text: `rule a does not fit: type "x"`},
		{Kind: Blocked, Text: "the finding is a sample"},
	}
	raw, err := json.Marshal(before)
	want := `["rule a does not fit: type \"x\"","held back: the finding is a sample"]`
	if err != nil || string(raw) != want {
		t.Fatalf("%s, %v", raw, err)
	}
	d := Decision{}
	if err := json.Unmarshal(raw, &d.Reasons); err != nil {
		t.Fatal(err)
	}
	words, blocked := d.Blocked()
	if !blocked || words != "the finding is a sample" || d.Reasons[0].String() != before[0].String() {
		t.Errorf("%+v", d.Reasons)
	}
	if _, blocked := (&Decision{Reasons: before[:1]}).Blocked(); blocked {
		t.Error("a skipped rule blocks")
	}
}
