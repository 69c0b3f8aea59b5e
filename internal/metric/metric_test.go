package metric

import (
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"
)

// TestEveryMetricNamesItsFunction: each set of dimensions has it, and so has the line. Each metric has a unit.
func TestEveryMetricNamesItsFunction(t *testing.T) {
	for _, f := range All() {
		for name, unit := range f.Units {
			var out strings.Builder
			slog.New(slog.NewJSONHandler(&out, nil)).LogAttrs(t.Context(), slog.LevelInfo, "", f.Attrs(slog.Int(name, 7))...)
			var line struct {
				Function string
				Embedded struct {
					CloudWatchMetrics []struct {
						Namespace  string
						Dimensions [][]string
						Metrics    []struct{ Name, Unit string }
					}
				} `json:"_aws"`
			}
			if err := json.Unmarshal([]byte(out.String()), &line); err != nil {
				t.Fatal(err)
			}
			set := line.Embedded.CloudWatchMetrics[0]
			if line.Function != "local" || set.Namespace != Namespace || len(set.Dimensions) == 0 ||
				set.Metrics[0].Name != name || set.Metrics[0].Unit != unit || !strings.Contains(out.String(), `"`+name+`":7`) {
				t.Error(out.String())
			}
			for _, names := range set.Dimensions {
				if !slices.Contains(names, Function) || len(names) < 2 {
					t.Errorf("%s: %q", name, names)
				}
			}
		}
	}
}
