package house

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"clientvpn-responder/internal/metric"
)

// reading is what an alarm or a widget reads: a metric under its dimensions. The values are as template.yaml has them.
type reading struct {
	by, metric string
	dimensions map[string]string
}

// ofAlarm returns what an alarm reads of our own metrics.
func ofAlarm(t *testing.T, name string) []reading {
	t.Helper()
	alarm := block(t, name)
	if !strings.Contains(alarm, "Namespace: "+metric.Namespace+"\n") {
		return nil
	}
	r := reading{by: name, dimensions: map[string]string{}}
	r.metric = regexp.MustCompile(`MetricName: (.+)\n`).FindStringSubmatch(alarm)[1]
	for _, m := range regexp.MustCompile(`\{Name: (\w+), Value: ([^}]+)\}`).FindAllStringSubmatch(alarm, -1) {
		r.dimensions[m[1]] = strings.TrimPrefix(m[2], "!Ref ")
	}
	return []reading{r}
}

// ofWidget returns what a widget reads of our own metrics. A dot is what the row before has at that place.
func ofWidget(w widget) (all []reading) {
	var before []any
	for _, row := range w.Properties.Metrics {
		if options, ok := row[len(row)-1].(map[string]any); ok {
			row = row[:len(row)-1]
			if search, ok := options["expression"].(string); ok {
				all = append(all, searched(w, search)...)
				continue
			}
		}
		row = slices.Clone(row)
		for i, word := range row {
			if word == "." {
				row[i] = before[i]
			}
		}
		if before = row; row[0] != metric.Namespace {
			continue
		}
		r := reading{w.Properties.Title, fmt.Sprint(row[1]), map[string]string{}}
		for i := 2; i+1 < len(row); i += 2 {
			r.dimensions[fmt.Sprint(row[i])] = fmt.Sprint(row[i+1])
		}
		all = append(all, r)
	}
	return all
}

// searched returns what a search expression reads. A dimension without a value has every one.
func searched(w widget, expression string) []reading {
	schema := regexp.MustCompile(`\{` + metric.Namespace + `,([\w,]+)\}`).FindStringSubmatch(expression)
	name := regexp.MustCompile(`MetricName="(\w+)"`).FindStringSubmatch(expression)
	if schema == nil || name == nil {
		return nil
	}
	r := reading{w.Properties.Title, name[1], map[string]string{}}
	for dimension := range strings.SplitSeq(schema[1], ",") {
		r.dimensions[dimension] = ""
		if value := regexp.MustCompile(dimension + `="([^"]+)"`).FindStringSubmatch(expression); value != nil {
			r.dimensions[dimension] = value[1]
		}
	}
	return []reading{r}
}

// alarms are the names of all alarms in template.yaml.
func alarms(t *testing.T) (names []string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`(?m)^  (\w+):\n    Type: AWS::CloudWatch::Alarm$`).FindAllStringSubmatch(
		read(t, "template.yaml"), -1) {
		names = append(names, m[1])
	}
	return names
}

// readings are what all alarms and widgets read of our own metrics.
func readings(t *testing.T) (all []reading) {
	t.Helper()
	for _, name := range alarms(t) {
		all = append(all, ofAlarm(t, name)...)
	}
	for _, w := range dashboard(t) {
		all = append(all, ofWidget(w)...)
	}
	return all
}

// TestMetricsCarryTheStack: every alarm and every widget reads metrics of its own stack's function, under dimensions
// that the function logs. Two stacks in an account do not add up.
func TestMetricsCarryTheStack(t *testing.T) {
	looked := map[string]int{}
	for _, r := range readings(t) {
		if strings.HasSuffix(r.metric, "-${AWS::StackName}") {
			continue // CloudWatch counts it in the log of the stack, and the name has the stack
		}
		i := slices.IndexFunc(metric.All(), func(f metric.Family) bool { return f.Units[r.metric] != "" })
		if i < 0 {
			t.Errorf("%s reads %s, which no function logs", r.by, r.metric)
			continue
		}
		f := metric.All()[i]
		looked[f.LoggedBy]++
		own := r.dimensions[metric.Function]
		if own == "AWSClientVPN-AWS::StackName" {
			own = "Connect" // not every stack has the handler, so the dashboard has its name in full
		}
		if own != f.LoggedBy {
			t.Errorf("%s reads %s of %q, and %s logs it", r.by, r.metric, own, f.LoggedBy)
		}
		names := slices.Sorted(maps.Keys(r.dimensions))
		if !slices.ContainsFunc(f.Dimensions, func(set []string) bool {
			return slices.Equal(slices.Sorted(slices.Values(append([]string{metric.Function}, set...))), names)
		}) {
			t.Errorf("%s reads %s by %q, and it is logged by %q", r.by, r.metric, names, f.Dimensions)
		}
	}
	for _, f := range metric.All() {
		if looked[f.LoggedBy] < 2 {
			t.Errorf("%d alarms and widgets look at %s", looked[f.LoggedBy], f.LoggedBy)
		}
	}
}

// TestEveryMetricIsRead by an alarm or by the dashboard. The few others are for queries.
func TestEveryMetricIsRead(t *testing.T) {
	forQueries := []string{"Calls", "EventToRequested", "PolledEvents", "Reconnections", "RoutineNotices"}
	var unread []string
	for _, f := range metric.All() {
		for name, unit := range f.Units {
			if !slices.ContainsFunc(readings(t), func(r reading) bool { return r.metric == name }) {
				unread = append(unread, name)
			}
			row := regexp.MustCompile("(?m)^\\|[^|]*`" + name + "`[^|]*\\| " + unit + " \\| (the same|([^|]*)) \\|")
			said := row.FindStringSubmatch(read(t, "doc/outcome.md"))
			if said == nil || said[2] != "" && !strings.Contains(said[2], "`"+metric.Function+"`") {
				t.Errorf("doc/outcome.md does not have %s in %s, by Function", name, unit)
			}
		}
	}
	if slices.Sort(unread); !slices.Equal(unread, forQueries) {
		t.Errorf("nobody reads %q", unread)
	}
}

// TestOnePackageCounts: a metric that another package logs would lack the dimension of the stack.
func TestOnePackageCounts(t *testing.T) {
	for folder, files := range packages(t) {
		for _, file := range files {
			if folder != "internal/metric" && !strings.HasSuffix(file, "_test.go") && strings.Contains(read(t, file), `"_aws"`) {
				t.Errorf("%s writes metrics; internal/metric does", file)
			}
		}
	}
}

// TestDashboardListsEveryAlarm: an alarm that only some stacks have is listed under the same condition.
func TestDashboardListsEveryAlarm(t *testing.T) {
	var listed string
	for _, w := range dashboard(t) {
		listed += strings.Join(w.Properties.Alarms, " ")
	}
	all := alarms(t)
	for _, name := range all {
		condition := regexp.MustCompile(`    Condition: (\w+)\n`).FindStringSubmatch(block(t, name))
		if condition == nil {
			if !strings.Contains(listed, name+".Arn") {
				t.Errorf("the dashboard does not list %s", name)
			}
			continue
		}
		line := regexp.MustCompile(`(\w+Alarms): !If \[` + condition[1] + `, .*!GetAtt ` + name + `\.Arn`).FindStringSubmatch(
			block(t, "Dashboard"))
		if line == nil || !strings.Contains(listed, line[1]) {
			t.Errorf("the dashboard does not list %s where %s", name, condition[1])
		}
	}
	if len(all) < 27 {
		t.Errorf("%d alarms", len(all))
	}
}
