package house

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"clientvpn-responder/internal/report"
)

// widget is one of the dashboard's.
type widget struct {
	X, Y, Width, Height int
	Properties          struct {
		Title, Query string
		Metrics      [][]any
		Alarms       []string
	}
	raw string
}

// dashboard returns the widgets of template.yaml. What CloudFormation fills in is there by its name.
func dashboard(t *testing.T) (all []widget) {
	t.Helper()
	_, body, _ := strings.Cut(read(t, "template.yaml"), "DashboardBody: !Sub\n        - |\n")
	body, _, found := strings.Cut(body, "\n        #")
	if !found {
		t.Fatal("template.yaml has no dashboard")
	}
	var known struct{ Widgets []json.RawMessage }
	body = regexp.MustCompile(`\$\{([^}]*)\}`).ReplaceAllString(body, "$1")
	if err := json.Unmarshal([]byte(body), &known); err != nil {
		t.Fatal(err)
	}
	for _, raw := range known.Widgets {
		w := widget{raw: string(raw)}
		if err := json.Unmarshal(raw, &w); err != nil {
			t.Fatal(err)
		}
		all = append(all, w)
	}
	return all
}

// TestDashboardLeadsWithWhatNeedsAPerson: everything that does, not dead letters only.
func TestDashboardLeadsWithWhatNeedsAPerson(t *testing.T) {
	var first, listed string
	for _, w := range dashboard(t) {
		switch {
		case strings.HasPrefix(w.Properties.Title, "Needs a person") && w.Y == 2:
			first += w.raw
		case strings.HasPrefix(w.Properties.Title, "Needs a person"):
			listed += w.Properties.Query
		}
	}
	var schema struct {
		Properties struct{ Status struct{ Enum []string } }
	}
	if err := json.Unmarshal([]byte(read(t, "doc/outcome.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	needing := 0
	for _, status := range schema.Properties.Status.Enum {
		if !(report.Outcome{Status: status}).NeedsPerson() {
			continue
		}
		needing++
		if !strings.Contains(first, `"`+status+`"`) || !strings.Contains(listed, `"`+status+`"`) {
			t.Errorf("%s needs a person, and the dashboard does not begin with it", status)
		}
	}
	if needing < 9 || !strings.Contains(first, "dead letters") || !strings.Contains(first, "held by the brake") {
		t.Errorf("%d statuses need a person", needing)
	}
}

// TestWidgetsDoNotOverlap: CloudWatch would move them.
func TestWidgetsDoNotOverlap(t *testing.T) {
	taken := map[string]string{}
	for _, w := range dashboard(t) {
		for x := w.X; x < w.X+w.Width; x++ {
			for y := w.Y; y < w.Y+w.Height; y++ {
				cell := fmt.Sprint(x, " ", y)
				if taken[cell] != "" || x >= 24 {
					t.Fatalf("%q and %q are both at %s", w.Properties.Title, taken[cell], cell)
				}
				taken[cell] = w.Properties.Title + "."
			}
		}
	}
}
