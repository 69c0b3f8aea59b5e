package trial

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckShowsWhatAnEditOfIdentityChanges: for whom on the keep-out list, and it fails for nobody's sake.
func TestCheckShowsWhatAnEditOfIdentityChanges(t *testing.T) {
	folder := twoRules(t)
	inFile(t, folder, "cases.yaml", fileOfCase+"want: [{action: terminate}]}\n")
	inFile(t, folder, "list.json",
		`{"person":"alice","names":["asmith","00u1"],"known_names":["alice","asmith"],"cause":"deprovisioning"}
{"person":"bob","names":["bob"],"known_names":["bob"]}
{"person":"carol","names":["c@example.com"]}
`)
	out, err := checkIn(folder, CheckOptions{KeptOut: filepath.Join(folder, "list.json")})
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(out), " ")
	for _, want := range []string{
		"Kept out: the keep-out list has alice for an event about asmith, whom identity makes asmith by now; both are denied",
		"3 entries of the keep-out list, of which the policy changes 1.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	inFile(t, folder, "list.json", `{"id":"x"}`)
	if _, err := checkIn(folder, CheckOptions{KeptOut: filepath.Join(folder, "list.json")}); err == nil ||
		!strings.Contains(err.Error(), "entry 1: it must be an object with a person") {
		t.Error(err)
	}
}
